"""From coordinates to positions on links, by the rule of the city where there is one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nco.arrays import Floats
from nco.data.cities.city import City
from nco.data.cities.engine import as_lonlat
from nco.data.cities.roads import EARTH_RADIUS_M
from nco.data.cities.snapping import MAX_SNAP_M, Asked, Refused, Rule, checked_limit
from nco.errors import InputError
from nco.roads.graph import RoadGraph
from nco.roads.position import Position

# Segments are found by points on them, this far apart at most.
_STEP_M = 50.0
# What is no farther away than the nearest place, but for rounding, is at the same place.
_SAME_M = 0.01


@dataclass(frozen=True, eq=False)
class Snapper:
    """Finds the nearest place on a street that one can leave and reach.

    Attributes:
        graph: the streets.
        max_snap_m: how far a place may be from what is asked for.
        covers: tells from points `[n, 2]` and metres `[n]` to a street which are in the area that
            the graph knows; None where all that is near enough to a street is.
        closed: tells which points `[n, 2]` lie in an area that nobody may enter; None where nothing
            is closed.
        profile: what drives there, for messages.
    """

    graph: RoadGraph
    max_snap_m: float = MAX_SNAP_M
    covers: Callable[[Floats, Floats], NDArray[np.bool_]] | None = None
    closed: Callable[[Floats], NDArray[np.bool_]] | None = None
    profile: str = "car"

    @classmethod
    def of(cls, graph: RoadGraph, city: City | None = None) -> Snapper:
        """A snapper with the limit and the area of a city; with the usual limit without one.

        Raises:
            CityError: the limit is no positive number.
        """
        if city is None:
            return cls(graph)
        limit = checked_limit(city.max_snap_m)
        closed = city.changes.holds if city.changes is not None else None
        return cls(graph, limit, lambda lonlat, _: city.covers(lonlat), closed, city.profile)

    def __call__(self, points: ArrayLike, *, names: Sequence[str] | None = None) -> list[Position]:
        """Positions of places.

        Args:
            points: `[n, 2]` lonlat.
            names: what messages call them.

        Raises:
            CityError: a coordinate is no coordinate.
            OffStreetError: a place is farther from any street than the limit, in the water for
                one, or outside of the area.
        """
        asked = Asked.of(points, names=names)
        positions = [self._nearest(lonlat) for lonlat in asked.lonlat]
        moved_m = np.array([position.moved_m for position in positions])
        inside = np.ones(len(moved_m), dtype=bool)
        if self.covers is not None and len(moved_m):
            inside = self.covers(asked.lonlat, moved_m)
        rule = Rule(self.graph.name, self.max_snap_m, self._bbox, self.profile)
        refused = rule.refused(moved_m, inside)
        if self.closed is not None and len(moved_m):
            shut = np.flatnonzero(self.closed(asked.lonlat)).tolist()
            refused |= {i: Refused(0.0, True, "street", closed=True) for i in shut}
        if refused:
            lon, lat = asked.lonlat[min(refused)].tolist()
            swapped = abs(lon) <= 90 and self._nearest(np.array([lat, lon])).moved_m <= (
                self.max_snap_m
            )
            raise rule.error(asked, refused, swapped=swapped)
        return positions

    def pair(self, a: ArrayLike, b: ArrayLike) -> tuple[Position, Position]:
        """Positions of two different places.

        Args:
            a: lonlat.
            b: lonlat.

        Raises:
            CityError: a coordinate is no coordinate.
            OffStreetError: one of them is not near any street.
            InputError: both are the same place.
        """
        points = as_lonlat([_row(a), _row(b)], "places")
        source, target = self(points, names=("A", "B"))
        if source.links == target.links and source.fractions == target.fractions:
            raise InputError(
                f"A and B are the same place, longitude {source.lonlat[0]:g}, latitude "
                f"{source.lonlat[1]:g}; give two different ones"
            )
        return source, target

    def _nearest(self, lonlat: Floats) -> Position:
        tree, owner, cast = self._index
        scale = self._scale
        at = lonlat * scale
        upper, _ = tree.query(at)
        # A point on the nearest segment is no farther than this.
        close = tree.query_ball_point(at, float(np.hypot(upper, _STEP_M / 2)) + 1e-6)
        segment = np.unique(owner[close])
        a, b = cast[segment], cast[segment + 1]
        along = b - a
        length = (along**2).sum(axis=1)
        share = np.divide(
            ((at - a) * along).sum(axis=1), length, out=np.zeros(len(a)), where=length > 0
        ).clip(0, 1)
        away = np.hypot(*(a + share[:, None] * along - at).T)
        graph, least = self.graph, float(away.min())
        # Where streets meet, one may leave and arrive on each of them, as with OSRM.
        ways: dict[int, float] = {}
        order = np.argsort(away, kind="stable")
        for tie in order[away[order] <= least + _SAME_M].tolist():
            link = int(graph.shapes.link[segment[tie]])
            if link in ways:
                continue
            metres = graph.along_m[segment[tie]] + share[tie] * graph.segment_m[segment[tie]]
            found = Position.on(graph, link, graph.fraction_at(link, float(metres)))
            if not ways:
                place = found.lonlat
            for way, fraction in zip(found.links, found.fractions, strict=True):
                ways.setdefault(way, fraction)
        return Position(place, tuple(ways), tuple(ways.values()), least)

    @cached_property
    def _scale(self) -> Floats:
        """Metres a degree, east and north, on a plane that suits a city."""
        north = np.radians(1.0) * EARTH_RADIUS_M
        nodes = self.graph.lonlat[self.graph.links.tail]
        middle = np.radians((nodes[:, 1].min() + nodes[:, 1].max()) / 2)
        return np.array([north * np.cos(middle), north])

    @cached_property
    def _bbox(self) -> tuple[float, float, float, float]:
        links = self.graph.links
        nodes = self.graph.lonlat[links.tail[links.main]]
        low, high = nodes.min(axis=0), nodes.max(axis=0)
        return float(low[0]), float(low[1]), float(high[0]), float(high[1])

    @cached_property
    def _index(self) -> tuple[Any, NDArray[np.int64], Floats]:
        """A tree of points on segments, the segment of each, and all nodes on the plane."""
        from scipy.spatial import cKDTree

        graph = self.graph
        shapes, links = graph.shapes, graph.links
        plane = graph.lonlat[shapes.nodes] * self._scale
        inner = np.ones(len(shapes.nodes), dtype=bool)
        inner[shapes.first[1:] - 1] = False
        # One direction of a street stands for both, and an original for its copies.
        itself = links.original == np.arange(len(links))
        first = itself & ((links.reverse < 0) | (links.reverse > np.arange(len(links))))
        first |= itself & (links.reverse >= 0) & ~links.main[links.reverse]
        inner &= (first & links.main)[shapes.link]
        segment = np.flatnonzero(inner)
        pieces = np.maximum(1, np.ceil(graph.segment_m[segment] / _STEP_M)).astype(np.int64)
        owner = np.repeat(segment, pieces)
        rank = np.arange(len(owner)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
        share = (rank + 0.5) / np.repeat(pieces, pieces)
        points = plane[owner] + share[:, None] * (plane[owner + 1] - plane[owner])
        return cKDTree(points), owner, plane


def _row(place: ArrayLike) -> Any:
    return np.asarray(place, dtype=object).ravel().tolist()
