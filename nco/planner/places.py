"""Places of a day and the matrices between them, which grow by rows and columns."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np

from nco import _validate as validate
from nco.data.cities.city import City
from nco.data.cities.engine import as_lonlat
from nco.data.cities.streets import given_city
from nco.errors import CityError, InputError, StorageError, quoted

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from nco.arrays import Floats
    from nco.data.cities.streets import Table
    from nco.problem import Problem

log = logging.getLogger("nco")

_WITNESSES = 16
SOON_CONTRACTED = 15_000  # streets; up to a few seconds, once


@runtime_checkable
class Roads(Protocol):
    """What the matrices of new places are asked of: a `City` or a `TableCity`."""

    def matrix(
        self,
        points: ArrayLike,
        *,
        targets: ArrayLike | None = None,
        names: Sequence[str] | None = None,
    ) -> Table:
        """Distances and durations from `[n, 2]` points to targets, by default themselves."""
        ...


@dataclass(frozen=True)
class Arcs:
    """The rows and columns of a new place, for one profile.

    All are `[P]`, in the order of `Planner.places`; `inf` where no street leads.

    Attributes:
        to_m: metres from the new place to each known one.
        to_s: seconds of the same way.
        from_m: metres from each known place to the new one.
        from_s: seconds of the same way.
    """

    to_m: ArrayLike
    to_s: ArrayLike
    from_m: ArrayLike
    from_s: ArrayLike


class Places:
    """Places by number, never forgotten: where a stop once was, a vehicle may still stand.

    Args:
        problem: its nodes are the first places.
        roads: of each profile; none where new places come with their arcs.

    Attributes:
        lonlat: of each place, where known.
        moved_m: from each place to the one on a street that stands for it, where known.
        distance_m: `[n, n]` of each profile; `inf` between new places and those nobody needs.
        duration_s: `[n, n]` of each profile.
    """

    def __init__(self, problem: Problem, roads: Sequence[Roads]) -> None:
        known = problem.lonlat
        self.lonlat = [None] * problem.size if known is None else list(known)
        moved = problem.moved_m
        self.moved_m = [None] * problem.size if moved is None else moved.tolist()
        self.distance_m = [profile.distance_m for profile in problem.profiles]
        self.duration_s = [profile.duration_s for profile in problem.profiles]
        # By profile, places that no way leads to: off all streets, or closed to such vehicles.
        self._closed = [set(problem.off_street) | _cut_off(table) for table in self.distance_m]
        self._names = [profile.name for profile in problem.profiles]
        self._roads = roads

    @property
    def asks(self) -> bool:
        """Whether there is a city to ask."""
        return bool(self._roads)

    def at(self, lonlat: ArrayLike, name: str) -> int:
        """A new place on the map; its rows are asked for by `complete`.

        Raises:
            InputError: there is no city.
            CityError: no street of any profile is near enough to it.
        """
        if not self._roads:
            raise InputError(
                f"{quoted(name)} is given by lonlat, but the planner has no city; give "
                "Planner(..., city=...), or the rows and columns of its matrices as arcs="
            )
        one: Any = [lonlat]
        point = as_lonlat(one, f"the place of {quoted(name)}")[0]
        # That a street is cut off shows only beside places that are not.
        known = [k for k, there in enumerate(self.lonlat) if there is not None]
        refused: dict[int, CityError] = {}
        moved: list[float] = []
        for p, roads in enumerate(self._roads):
            others = self._points([k for k in known if k not in self._closed[p]][:_WITNESSES])
            try:
                table = roads.matrix(one, targets=others, names=[name])
            except CityError as error:
                refused[p] = error
                continue
            if table.moved_m is not None:
                moved.append(float(table.moved_m[0]))
        if len(refused) == len(self._roads):
            raise refused[0]
        place = len(self.lonlat)
        for p in refused:  # others may go there
            self._closed[p].add(place)
        self.lonlat.append(point)
        self.moved_m.append(max(moved, default=None))
        return place

    def by(self, arcs: Arcs | Sequence[Arcs], name: str, near: Sequence[int]) -> int:
        """A new place given by its rows and columns.

        Args:
            arcs: one a profile.
            name: for messages.
            near: places that they are in the order of.

        Raises:
            InputError: not one a profile.
            ProblemError: a length or a number is wrong.
        """
        given = [arcs] if isinstance(arcs, Arcs) else list(arcs)
        if len(given) != len(self._names):
            raise InputError(
                f"{quoted(name)} has arcs for {len(given)} profiles; give one Arcs for each of "
                f"{', '.join(self._names)}"
            )
        clean = [
            [
                validate.vector(value, f"{quoted(name)}: {field}", len(near), low=0.0, finite=False)
                for field, value in vars(one).items()
            ]
            for one in given
        ]
        self.complete(near)
        new = len(self.lonlat)
        self.lonlat.append(None)
        self.moved_m.append(None)
        self._grow(new + 1)
        for p, (to_m, to_s, from_m, from_s) in enumerate(clean):
            for table, row, column in (
                (self.distance_m[p], to_m, from_m),
                (self.duration_s[p], to_s, from_s),
            ):
                table[new, near], table[near, new] = row, column
        return new

    def complete(self, near: Sequence[int]) -> None:
        """Ask for the rows and columns that are missing.

        Args:
            near: places that new ones must be known to and from.
        """
        first, last = len(self.distance_m[0]), len(self.lonlat)
        if first == last:
            return
        self._grow(last)
        for p, roads in enumerate(self._roads):
            new = [place for place in range(first, last) if place not in self._closed[p]]
            old = [place for place in near if place < first and place not in self._closed[p]]
            if not new:
                continue
            points, others = self._points(new), self._points(old)
            away = roads.matrix(points, targets=np.concatenate([others, points]))
            back = roads.matrix(others, targets=points)
            for table, there, here in (
                (self.distance_m[p], away.distance_m, back.distance_m),
                (self.duration_s[p], away.duration_s, back.duration_s),
            ):
                table[np.ix_(new, [*old, *new])] = there
                table[np.ix_(old, new)] = here
                table[new, new] = 0.0

    def _points(self, places: Sequence[int]) -> Floats:
        return np.array([self.lonlat[place] for place in places]).reshape(-1, 2)

    def _grow(self, size: int) -> None:
        for tables in (self.distance_m, self.duration_s):
            for p, known in enumerate(tables):
                grown = np.full((size, size), np.inf)
                np.fill_diagonal(grown, 0.0)
                grown[: len(known), : len(known)] = known
                tables[p] = grown


def _cut_off(distance_m: Floats) -> set[int]:
    """Places that no way leads to."""
    inward = np.isfinite(distance_m).sum(axis=0) <= 1
    return set(np.flatnonzero(inward & (len(distance_m) > 1)).tolist())


def roads_of(city: Roads | Sequence[Roads] | None) -> list[Roads]:
    """What is asked for rows, one a profile, as quick to answer as it soon can be.

    Raises:
        InputError: it is the name of a city.
    """
    if city is None:
        return []
    cities = city if isinstance(city, list | tuple) else [city]
    return [_quick(given_city(one, Roads)) for one in cities]  # type: ignore[type-abstract]


def _quick(roads: Roads) -> Roads:
    if not isinstance(roads, City) or roads.changes is not None:
        return roads  # of a variant, which may be gone tomorrow, that would take too long
    try:
        return roads.contracted(most_streets=SOON_CONTRACTED)
    except (CityError, StorageError) as error:  # it serves as it is: nothing is lost but time
        log.warning("rows of new places will take longer: %s", error)
        return roads
