"""Which row of a table of stops is which node of its problem."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from nco import _validate as validate
from nco.arrays import Floats
from nco.data.formats.tables.stops import DEPOT, Stops
from nco.errors import FormatError, InputError, ProblemError, option, quoted


class Nodes:
    """Which row is which node: depots first.

    Attributes:
        homes: row of each depot; None for one that is only a place.
        rest: rows of the stops.
        lonlat: `[N, 2]` of the nodes.
        labels: of the nodes, for messages.
    """

    def __init__(self, stops: Stops, homes: Sequence[int | None], first: Floats) -> None:
        self.homes = tuple(homes)
        self.rest = [k for k in range(len(stops)) if k not in self.homes]
        if not self.rest:
            raise FormatError(f"{stops.places[0]} is the only row; add stops beside the depot")
        rows = [k for k in (*self.homes[1:], *self.rest) if k is not None]
        self.lonlat = np.concatenate([first[None], stops.lonlat[rows]])
        own = DEPOT if self.homes[0] is None else stops.label(self.homes[0])
        self.labels = [own, *(stops.label(k) for k in rows)]
        self.node = {k: j for j, k in enumerate((*self.homes, *self.rest)) if k is not None}

    @classmethod
    def of(cls, stops: Stops, depot: str | ArrayLike | None) -> Nodes:
        """The nodes of stops, with the depots that they or the caller name."""
        home, place = _find_depot(stops, depot)
        others = [k for k in stops.depots if k != home]
        for k in (home, *others):
            if k is not None:
                _check_depot(stops, k)
        return cls(stops, [home, *others], place)

    @property
    def count(self) -> int:
        """Number of depots."""
        return len(self.homes)

    def depots(self, stops: Stops) -> tuple[str, ...]:
        """Names of the depots."""
        return tuple(DEPOT if k is None else stops.names[k] for k in self.homes)

    def by_node[T](self, values: Mapping[int, T]) -> dict[int, T]:
        """What is given by row, by node."""
        return {self.node[k]: value for k, value in values.items()}

    def spread(self, values: Floats, otherwise: Any) -> Floats:
        """`[N, ...]` what is given by row, and something else for a depot that is no row."""
        filled = np.full((len(self.labels), *values.shape[1:]), 0.0)
        filled[0] = otherwise
        filled[list(self.node.values())] = values[list(self.node)]
        return filled


def _find_depot(stops: Stops, depot: str | ArrayLike | None) -> tuple[int | None, Floats]:
    """The first depot's row, None if it is only a place, and its longitude and latitude."""
    if not len(stops):
        raise FormatError("there are no stops; give at least one beside the depot")
    place = None
    if depot is not None and not isinstance(depot, str):
        try:
            place = validate.lonlat(np.atleast_2d(np.asarray(depot, float)), 1)[0]
        except (ProblemError, TypeError, ValueError):
            raise InputError(
                f"depot is {quoted(depot)}; give the name of a stop, or longitude and latitude "
                "in degrees"
            ) from None
    home = stops.row(depot if isinstance(depot, str) else DEPOT)
    if depot is None and stops.depots and home not in stops.depots:
        home = stops.depots[0]
    if home < 0 and place is not None:
        return None, place
    if home < 0 and depot is None:
        raise FormatError(
            f"{stops.places[0]}: no row is named '{DEPOT}'; name the row of the depot so, or give "
            f"{option('depot')} the name of a row, or its longitude and latitude (24.94,60.17); "
            "several depots are rows of the kind depot"
        )
    if home < 0:
        close = difflib.get_close_matches(str(depot), stops.names, 1)
        hint = f"; did you mean {quoted(close[0])}?" if close else ""
        raise FormatError(
            f"{stops.places[0]}: no row is named {quoted(depot)}, as {option('depot')} asks{hint}"
        )
    return home, stops.lonlat[home] if place is None else place


def _check_depot(stops: Stops, k: int) -> None:
    """Refuse depots with what only stops have."""
    asked = stops.demand[k].any() or stops.pickup[k].any() or stops.service_s[k] + stops.setup_s[k]
    tied = any(k in (*way[:2],) for way in stops.shipments) or any(k in g for g in stops.groups)
    tied = tied or any(k in tie.stops for tie in stops.ties) or stops.priority[k]
    tied = tied or stops.early_per_s[k] or stops.late_per_s[k]
    words = stops.skills.get(k) or stops.vehicles.get(k)
    if asked or np.isfinite(stops.prize[k]) or stops.release_s[k] or words or tied:
        raise FormatError(
            f"{stops.label(k)} is the depot; leave its demand, service and prize empty, and what "
            "else only stops have"
        )
