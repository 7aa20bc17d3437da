"""Trips dealt out among vehicles that are alike, so that none drives much longer than others."""

from __future__ import annotations

from heapq import heappop, heappush
from typing import TYPE_CHECKING

from nco.problem.route import Route
from nco.problem.solution import Solution

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
        alike = set(numbers)
        own = [
            (_length(problem, route), route.stops)
            for route in found.routes
            if route.vehicle in alike
        ]
        free = [(0.0, v, problem.vehicles[v].max_trips) for v in numbers[: len(own)]]
        for length, stops in sorted(own, key=lambda pair: -pair[0]):
            driven, vehicle, trips = heappop(free)
            routes.append(Route(vehicle, stops))
            if trips > 1:
                heappush(free, (driven + length, vehicle, trips - 1))
    other = Solution.from_routes(problem, routes, explain=False)
    return other if other.better_than(found) else found


def _length(problem: Problem, route: Route) -> float:
    """Of a trip, in what the longest route is measured in."""
    vehicle = problem.vehicles[route.vehicle]
    profile = problem.profiles[vehicle.profile]
    weights = problem.objective
    by_distance = weights.longest_by == "distance" and not weights.makespan
    arcs = profile.distance_m if by_distance else profile.duration_s
    path: Sequence[int] = [vehicle.start, *route.stops, vehicle.end]
    return float(arcs[path[:-1], path[1:]].sum())
