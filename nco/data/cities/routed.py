"""What a city answers about places: matrices, routes, and whether they are there at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nco.arrays import Floats
from nco.data.cities.changes import Changes
from nco.data.cities.engine import Engine, Matrices, StreetRoute, as_lonlat
from nco.data.cities.roads import StreetNetwork, read_roads, reconnected
from nco.data.cities.snapping import (
    MAX_SNAP_M,
    NEAR_M,
    Asked,
    Rule,
    Snapping,
    checked_limit,
    with_refused,
)
from nco.errors import CityError
from nco.memory import require_matrices

if TYPE_CHECKING:
    from nco.data.cities.area import Area

COPIES = 4  # of a matrix at a time: metres and seconds, and both without the points refused


class Routed:
    """Streets and an engine that routes on them: all of a city that asks the engine."""

    def __init__(
        self,
        name: str,
        engine: Engine,
        profile: str = "car",
        *,
        extract: Path | None = None,
        network: Path | None = None,
        facts: dict[str, Any] | None = None,
        max_snap_m: float = MAX_SNAP_M,
        changes: Changes | None = None,
    ) -> None:
        self.name = name
        self.profile = profile
        self.engine = engine
        self.extract = extract
        self._network = network
        self._facts = facts or {}
        self.max_snap_m = checked_limit(max_snap_m)
        self.changes = changes
        self._known: dict[tuple[float, ...], float] = {}

    @property
    def bbox(self) -> tuple[float, float, float, float]:
        """West, south, east, north of the connected street network, in degrees."""
        if "bbox" not in self._facts:
            raise CityError(
                f"{self.name} has no streets here, only a server; its extent is unknown"
            )
        west, south, east, north = self._facts["bbox"]
        return west, south, east, north

    @cached_property
    def roads(self) -> StreetNetwork:
        """The street network, read on first use."""
        if self._network is None:
            raise CityError(
                f"{self.name} has no streets here, only a server; "
                "open its extract with City.from_file to sample or draw it"
            )
        roads = read_roads(self._network)
        return roads if self.changes is None else reconnected(roads)

    @cached_property
    def area(self) -> Area:
        """What the extract covers, found on first use; see `nco.data.cities.area`.

        Raises:
            CityError: the city has no streets here.
        """
        from nco.data.cities.area import Area

        if self.changes is None or self._network is None:
            return Area.of(self.roads)
        return Area.of(read_roads(self._network))  # what is closed is covered all the same

    def covers(self, points: ArrayLike) -> NDArray[np.bool_]:
        """Which places the extract covers.

        A place is covered if it is no more than 250 m from a street of the extract, or if such
        places surround it, as they do a large park.

        Args:
            points: `[n, 2]` lonlat.

        Returns:
            `[n]`.

        Raises:
            CityError: a coordinate is no coordinate, or the city has no streets here.
        """
        lonlat = as_lonlat(points)
        _ = self.bbox  # says so where nothing is known of streets
        return self._covered(lonlat, self.engine.nearest(lonlat)[1])

    def matrix(
        self,
        points: ArrayLike,
        *,
        targets: ArrayLike | None = None,
        names: Sequence[str] | None = None,
        optional: ArrayLike | None = None,
    ) -> Matrices:
        """Distances and durations of the fastest routes between points.

        A point stands for a place on the nearest street; where that street is cut off from the
        others, on the nearest one that is not. How far that is, the answer tells.

        Args:
            points: `[n, 2]` lonlat.
            targets: `[m, 2]` lonlat; the points themselves if left out.
            names: what error messages call the points.
            optional: `[n]`, which points may be refused without an error, if there are no targets:
                no route leads to or from them, and `refused` says why.

        Returns:
            Metres and seconds, `[n, n]` or `[n, m]`, directed, `inf` where no route leads.

        Raises:
            CityError: a coordinate is no coordinate, or a point is farther than `max_snap_m` from
                any street or outside of the area that is covered.
            InputError: the matrices do not fit into the memory.
        """
        snapping = self._snapping()
        sources = Asked.of(points, "points", names, optional if targets is None else None)
        rows = len(sources.lonlat)
        require_matrices(rows, rows if targets is None else len(as_lonlat(targets)), COPIES)
        away_m, refused = snapping.beside(sources)
        if targets is not None:
            aims = Asked.of(targets, "targets")
            aims_away_m, _ = snapping.beside(aims)
            table = self.engine.table(sources.lonlat, aims.lonlat)
            moved_m, _ = snapping.moved(sources, away_m, table.moved_m)
            targets_moved_m, _ = snapping.moved(aims, aims_away_m, table.targets_moved_m)
            return replace(table, moved_m=moved_m, targets_moved_m=targets_moved_m)
        kept = np.array([i not in refused for i in range(len(away_m))], dtype=bool)
        table = self.engine.table(sources.lonlat[kept])
        by_table_m = away_m.copy()
        if table.moved_m is not None:
            by_table_m[kept] = table.moved_m
        moved_m, cut_off = snapping.moved(sources, away_m, by_table_m)
        reasons = {i: snapping.rule.reason(why) for i, why in sorted((cut_off | refused).items())}
        distance_m, duration_s = with_refused(table, kept, list(reasons))
        return Matrices(distance_m, duration_s, moved_m, moved_m, reasons)

    def nearest(self, points: ArrayLike) -> tuple[Floats, Floats]:
        """The nearest place on a street `[n, 2]` and how far away it is, in metres `[n]`."""
        return self.engine.nearest(as_lonlat(points))

    def route(self, points: ArrayLike) -> StreetRoute:
        """The fastest route along the streets through points in their order.

        Raises:
            CityError: fewer than two points, a bad one, or no route between two of them.
        """
        snapping, asked = self._snapping(), Asked.of(points)
        away_m, _ = snapping.beside(asked)
        if len(away_m) < 2:
            raise CityError(f"a route needs two points or more, {len(away_m)} given")
        found = self.engine.route(asked.lonlat)
        return replace(found, moved_m=snapping.moved(asked, away_m, found.moved_m)[0])

    def geometry(self, points: ArrayLike) -> list[Floats]:
        """Street geometry of a route for maps: one polyline `[k, 2]` (lonlat) a leg."""
        return list(self.route(points).legs)

    def _snapping(self) -> Snapping:
        """The rule, as name and limit are now."""
        rule = Rule(self.name, self.max_snap_m, self._facts.get("bbox"), self.profile)
        closed = None if self.changes is None or not self.changes.areas else self.changes.holds
        return Snapping(rule, self.engine, self._covered, self._known, closed)

    def _covered(self, lonlat: Floats, away_m: Floats) -> NDArray[np.bool_]:
        """`[n]`; everything is, where only a server knows the streets."""
        covered = np.asarray(away_m <= NEAR_M)
        far = np.flatnonzero(~covered)
        if len(far):
            covered[far] = True if self._network is None else self.area.holds(lonlat[far])
        return covered
