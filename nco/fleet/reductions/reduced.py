"""What a solver sees of a problem: without the features that can be said otherwise."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING

from nco.fleet.reductions.durations import longest_duty, own_service, speeds
from nco.fleet.reductions.fewest import fewest_vehicles
from nco.fleet.reductions.handling import handling
from nco.fleet.reductions.loads import backhauls, most_stops, pickups
from nco.fleet.reductions.open_routes import open_routes
from nco.fleet.reductions.sequences import sequences
from nco.fleet.reductions.skills import skills
from nco.fleet.reductions.trips import owners_of, trips
from nco.problem import Feature, Problem, Sequence
from nco.problem.normal import normal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from collections.abc import Set as AbstractSet

    from nco.problem.route import Route
    from nco.problem.solution import Solution

REDUCTIONS: MappingProxyType[Feature, Callable[[Problem], Problem | None]] = MappingProxyType(
    {
        Feature.TRIPS: trips,  # first, for copies are told apart by the vehicles that were given
        Feature.FEWEST_VEHICLES: fewest_vehicles,
        Feature.SKILLS: skills,
        Feature.PICKUPS: pickups,
        Feature.BACKHAULS: backhauls,
        Feature.MOST_STOPS: most_stops,
        Feature.LONGEST_DUTY: longest_duty,
        Feature.SPEEDS: speeds,
        Feature.SETUP: handling,
        Feature.LOADING: handling,
        Feature.OPEN_ROUTES: open_routes,  # before service is part of arcs, which open ends are not
        Feature.SEQUENCES: sequences,  # before what service takes is part of arcs
        Feature.OWN_SERVICE: own_service,
    }
)
"""The reduction that takes a feature away, in the order in which they are applied."""

ALWAYS = frozenset({Feature.TRIPS})
"""What is better said otherwise even to solvers that know it: PyVRP finds better routes for copies
of vehicles than for vehicles that come back."""

ADVICE: MappingProxyType[Feature, str] = MappingProxyType(
    dict.fromkeys(
        (Feature.SETUP, Feature.LOADING, Feature.OWN_SERVICE),
        "beside breaks, rests, traffic, max_driving_s or a longest leg by duration, make such "
        "times part of service_s, the same for all vehicles",
    )
    | {
        Feature.SEQUENCES: "where a sequence cannot be joined to a single stop (beside breaks, "
        "rests, traffic, longest_leg, open ends, or where its stops have several or soft windows), "
        "state it as nco.SameVehicle and nco.Precedence, between whose stops others may come",
        Feature.BACKHAULS: "where stops have neither demand nor pickup, as ends of shipments may, "
        "give each of them a little of one, which says whether it comes before or after",
    }
)
"""What to state in place of a feature that a reduction cannot say here."""


def advice(problem: Problem, supports: AbstractSet[Feature]) -> str:
    """What to do about features that a problem has and a solver lacks; empty where nothing helps.

    Args:
        problem: reduced.
        supports: of the solver.
    """
    lacking = sorted(problem.features - supports)
    return "; ".join(dict.fromkeys(ADVICE[f] for f in lacking if f in ADVICE))


@dataclass(frozen=True)
class Reduced:
    """A problem in other words, and the way there and back.

    Attributes:
        given: the problem as it was given.
        problem: the same without some of its features, in its normal form.
    """

    given: Problem
    problem: Problem

    @cached_property
    def _there(self) -> dict[str, int]:
        """Nodes of the other problem by their names, which they keep."""
        return {name: j for j, name in enumerate(self.problem.names)}

    @cached_property
    def _owners(self) -> tuple[int, ...] | None:
        """The given vehicle that each of the other problem stands for; None where it is itself."""
        copied = len(self.problem.vehicles) != len(self.given.vehicles)
        return owners_of(self.given) if copied else None

    @cached_property
    def _rows(self) -> dict[int, tuple[int, ...]]:
        """What each stop of the given problem stands for that the other one has."""
        rows: dict[int, tuple[int, ...]]
        rows = {j: (j,) for j in self.given.stops if self.given.names[j] in self._there}
        if Feature.SEQUENCES not in self.problem.features:
            rows |= {t.stops[0]: t.stops for t in self.given.ties if isinstance(t, Sequence)}
        return rows

    def there(self, solution: Solution) -> Solution:
        """A solution of the given problem as one of the other.

        Raises:
            ProblemError: a route names a vehicle or a stop that the given problem does not have.
        """
        renamed = self.problem.names != self.given.names
        if renamed or self._owners is not None:
            solution = solution.on(self.given)
        if renamed:
            routes = tuple(replace(r, stops=tuple(self._joined(r.stops))) for r in solution.routes)
            entries = tuple(
                replace(u, stop=self._there[self.given.names[u.stop]])
                for u in solution.unassigned
                if u.stop in self._rows
            )
            solution = replace(solution, routes=routes, unassigned=entries)
        if self._owners is not None:
            solution = replace(solution, routes=_on_copies(solution.routes, self._owners))
        return solution.on(self.problem)

    def _joined(self, stops: tuple[int, ...]) -> Iterator[int]:
        """A trip of the given problem in the other one, without sequences that it tears."""
        k = 0
        while k < len(stops):
            row = self._rows.get(stops[k], ())
            if row and stops[k : k + len(row)] == row:
                yield self._there[self.given.names[stops[k]]]
                k += len(row)
            else:
                k += 1

    def back(self, routes: Iterable[Route]) -> list[Route]:
        """Routes of the given problem, from those of the other."""
        owners = self._owners
        if owners is not None:
            routes = [replace(r, vehicle=owners[r.vehicle]) for r in routes]
        if self.problem.names == self.given.names:
            return list(routes)
        given = {self._there[self.given.names[j]]: row for j, row in self._rows.items()}
        return [replace(r, stops=tuple(i for j in r.stops for i in given[j])) for r in routes]


def _on_copies(routes: Iterable[Route], owners: tuple[int, ...]) -> tuple[Route, ...]:
    """Each trip on a copy of its vehicle; those that are too many on the last one."""
    copies: dict[int, list[int]] = {}
    for copy, owner in enumerate(owners):
        copies.setdefault(owner, []).append(copy)
    moved = []
    for route in routes:
        own = copies[route.vehicle]
        moved.append(replace(route, vehicle=own.pop(0) if len(own) > 1 else own[0]))
    return tuple(moved)


def reduced(problem: Problem, supports: AbstractSet[Feature]) -> Reduced:
    """A problem without the features that can be said by supported ones.

    Args:
        problem: as given.
        supports: features that stay as they are. What else there is stays only where it cannot be
            said exactly, or not without a feature that is not supported either.
    """
    other = problem
    for feature, reduction in REDUCTIONS.items():
        if feature in other.features and (feature not in supports or feature in ALWAYS):
            simpler = reduction(other)
            if simpler is not None and simpler.features - other.features <= supports:
                other = simpler
    return Reduced(problem, normal(other).problem)
