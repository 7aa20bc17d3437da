"""Routes to start a search from, and the vehicles that it needs to see."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nco.baselines.nearest import nearest_routes
from nco.baselines.savings import Savings, savings_routes
from nco.fleet.kinds import Kind
from nco.fleet.mending import completed
from nco.problem import Problem
from nco.problem.objective import CLASSICAL
from nco.problem.route import Route
from nco.problem.solution import Solution
from nco.solver import Clock

SAVINGS_S = 5e-4  # a stop: with less time, savings are not tried
SURE = 2000  # stops, for which nearest neighbour is quick enough to look at no clock
SPARE = 1.25  # vehicles to see for each one that known routes need
SPARE_AT_LEAST = 5


def quick_routes(problem: Problem, kinds: Sequence[Kind], clock: Clock) -> list[Route]:
    """Routes that break nothing, within milliseconds: nearest neighbour, or savings if better.

    Neither knows rules beyond loads, windows and trips: where there are such, there are no routes.
    Neither is better everywhere: where vehicles hold many stops savings leave vehicles that drive
    far for few. Nearest neighbour is there in any case, however little time is left.

    Args:
        problem: what the routes are for.
        kinds: of its vehicles.
        clock: no savings are begun that it does not leave time for, and stops that nearest
            neighbour does not reach are inserted until it is over.
    """
    if problem.features - CLASSICAL:
        return []
    routes = nearest_routes(problem, kinds, clock if problem.size > SURE else None)
    routes = complete(problem, kinds, routes, clock)
    if problem.features <= Savings.supports and clock.left_s > SAVINGS_S * problem.size:
        merged = savings_routes(problem, kinds[0], clock)
        routes = better_of(problem, routes, complete(problem, kinds, merged, clock))
    return routes


def better_of(problem: Problem, first: list[Route], second: list[Route]) -> list[Route]:
    """The better one of two lists of routes, the first of equals."""
    one, other = (Solution.from_routes(problem, x, explain=False) for x in (first, second))
    return second if other.better_than(one) else first


def complete(
    problem: Problem, kinds: Sequence[Kind], routes: list[Route], clock: Clock
) -> list[Route]:
    """Routes that break nothing with the missing stops where they fit."""
    if sum(len(route.stops) for route in routes) == len(problem.stops):
        return routes
    return completed(problem, routes, clock, kinds)


def vehicles_seen(
    problem: Problem, kinds: Sequence[Kind], routes: Sequence[Route]
) -> list[list[int]]:
    """Numbers of the vehicles of each kind among which a solver may choose.

    Each identical vehicle costs solvers time, so of those in excess only a few are shown: never
    more than there are stops and, if the routes serve everything, about as many as they use. Where
    the longest route counts, or waiting is paid for, more vehicles may be better than fewer.

    Args:
        problem: what is to be solved.
        kinds: of its vehicles.
        routes: known to break nothing; their vehicles are among those seen.

    Returns:
        One list a kind; empty if no vehicle can serve anything.
    """
    used = {route.vehicle for route in routes}
    complete = sum(len(route.stops) for route in routes) == len(problem.stops)
    most = len(problem.vehicles)
    if complete and not problem.objective.longest_route and not any(k.cost_per_s for k in kinds):
        most = int(np.ceil(SPARE * len(used))) + SPARE_AT_LEAST
    seen = []
    for kind in kinds:
        wanted = sorted(kind.numbers, key=lambda v: v not in used)
        seen.append(wanted[: min(most, int(kind.stops.sum()))])
    return seen if any(seen) else []
