"""Where a path begins or ends: a place on a street, somewhere along its links."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nco.errors import InputError, quoted
from nco.roads.graph import RoadGraph


@dataclass(frozen=True)
class Position:
    """A place on a street, as fractions of the links that pass it.

    Fractions are of time in free flow, not of metres: a link may be quick at one end and slow at
    the other, and costs are more like times.

    Attributes:
        lonlat: of the place, degrees.
        links: those that pass it: one for each direction that is open, and their copies.
        fractions: how much of the free-flow time of each lies before the place, 0 to 1.
        moved_m: metres from what was asked for to this place.
    """

    lonlat: tuple[float, float]
    links: tuple[int, ...]
    fractions: tuple[float, ...]
    moved_m: float = 0.0

    @classmethod
    def on(
        cls, graph: RoadGraph, link: int, fraction: float = 0.5, *, both: bool = True
    ) -> Position:
        """A place along a link.

        Args:
            graph: of the link.
            link: its index.
            fraction: how much of its free-flow time lies before the place.
            both: whether one may also go the other way from there, where that is open.

        Raises:
            InputError: there is no such link, or the fraction is not between 0 and 1.
        """
        if not 0 <= link < len(graph.links):
            raise InputError(f"link {quoted(link)} is none of the {len(graph.links)} of the graph")
        if not 0 <= fraction <= 1:
            raise InputError(f"fraction is {quoted(fraction)}; give a number from 0 to 1")
        metres = graph.metres_at(link, fraction)
        lon, lat = _along(graph, link, metres)
        back = int(graph.links.reverse[link]) if both else -1
        ways = [(link, float(fraction))]
        if back >= 0:
            rest_m = float(graph.links.length_m[link]) - metres
            ways.append((back, graph.fraction_at(back, rest_m)))
        links, fractions = [], []
        for way, share in ways:
            original = int(graph.links.original[way])
            for copy in graph.copies.get(original, (original,)):
                links.append(copy)
                fractions.append(share)
        return cls((lon, lat), tuple(links), tuple(fractions))


def _along(graph: RoadGraph, link: int, metres: float) -> tuple[float, float]:
    """Longitude and latitude so far along a link."""
    along_m = graph.along_m[graph.shapes.first[link] : graph.shapes.first[link + 1]]
    lon, lat = (float(np.interp(metres, along_m, axis)) for axis in graph.shape(link).T)
    return lon, lat
