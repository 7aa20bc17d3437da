"""Trips dealt out among vehicles that are alike, so that none drives much longer than others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nco.route import Route
from nco.solution import Solution

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nco.problem import Problem


def dealt_out(problem: Problem, found: Solution) -> Solution:
    """The same trips on other vehicles of the same kind, if that is better.

    The longest trip first, each to the vehicle that has driven least (R. L. Graham 1969, "Bounds on
    multiprocessing timing anomalies"). Within windows that may be worse, or break something.

    Args:
        problem: what was solved.
        found: its solution.
    """
    if found.violations:
        return found
    routes: list[Route] = []
    for _, numbers in problem.fleet:
        driven = dict.fromkeys(numbers, 0.0)
        trips = dict.fromkeys(numbers, 0)
        own = [route for route in found.routes if route.vehicle in driven]
        for route in sorted(own, key=lambda route: -_length(problem, route)):
            free = [v for v in numbers if trips[v] < problem.vehicles[v].max_trips]
            vehicle = min(free, key=driven.__getitem__)
            driven[vehicle] += _length(problem, route)
            trips[vehicle] += 1
            routes.append(Route(vehicle, route.stops))
    other = Solution.from_routes(problem, routes)
    return other if other.better_than(found) else found


def _length(problem: Problem, route: Route) -> float:
    """Of a trip, in what the longest route is measured in."""
    vehicle = problem.vehicles[route.vehicle]
    profile = problem.profiles[vehicle.profile]
    by_distance = problem.objective.longest_by == "distance"
    arcs = profile.distance_m if by_distance else profile.duration_s
    path: Sequence[int] = [vehicle.start, *route.stops, vehicle.end]
    return float(arcs[path[:-1], path[1:]].sum())
