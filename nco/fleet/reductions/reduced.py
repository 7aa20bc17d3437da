"""What a solver sees of a problem: without the features that can be said otherwise."""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from nco.fleet.reductions.durations import longest_duty, own_service, speeds
from nco.fleet.reductions.handling import handling
from nco.fleet.reductions.loads import backhauls, most_stops, pickups
from nco.fleet.reductions.open_routes import open_routes
from nco.fleet.reductions.skills import skills
from nco.problem import Feature, Problem
from nco.problem.normal import normal
from nco.problem.route import Route

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from collections.abc import Set as AbstractSet

    from nco.problem.solution import Solution

REDUCTIONS: MappingProxyType[Feature, Callable[[Problem], Problem | None]] = MappingProxyType(
    {
        Feature.SKILLS: skills,
        Feature.PICKUPS: pickups,
        Feature.BACKHAULS: backhauls,
        Feature.MOST_STOPS: most_stops,
        Feature.LONGEST_DUTY: longest_duty,
        Feature.SPEEDS: speeds,
        Feature.SETUP: handling,
        Feature.LOADING: handling,
        Feature.OPEN_ROUTES: open_routes,  # before service is part of arcs, which open ends are not
        Feature.OWN_SERVICE: own_service,
    }
)
"""The reduction that takes a feature away, in the order in which they are applied."""


@dataclass(frozen=True)
class Reduced:
    """A problem in other words, and the way there and back.

    Attributes:
        given: the problem as it was given.
        problem: the same without some of its features, in its normal form.
    """

    given: Problem
    problem: Problem

    @property
    def _moved(self) -> int:
        return self.problem.depots - self.given.depots

    def there(self, solution: Solution) -> Solution:
        """A solution of the given problem as one of the other.

        Raises:
            ProblemError: a route names a vehicle or a stop that the given problem does not have.
        """
        if self._moved:
            known = solution.on(self.given)
            routes = tuple(_shifted(known.routes, self._moved))
            entries = tuple(replace(u, stop=u.stop + self._moved) for u in known.unassigned)
            solution = replace(known, routes=routes, unassigned=entries)
        return solution.on(self.problem)

    def back(self, routes: Iterable[Route]) -> list[Route]:
        """Routes of the given problem, from those of the other."""
        return list(_shifted(routes, -self._moved))


def reduced(problem: Problem, supports: AbstractSet[Feature]) -> Reduced:
    """A problem without the features that can be said by supported ones.

    Args:
        problem: as given.
        supports: features that stay as they are. What else there is stays only where it cannot be
            said exactly, or not without a feature that is not supported either.
    """
    other = problem
    for feature, reduction in REDUCTIONS.items():
        if feature in other.features and feature not in supports:
            simpler = reduction(other)
            if simpler is not None and simpler.features - other.features <= supports:
                other = simpler
    return Reduced(problem, normal(other).problem)


def _shifted(routes: Iterable[Route], by: int) -> Iterable[Route]:
    return (Route(route.vehicle, tuple(j + by for j in route.stops)) for route in routes)
