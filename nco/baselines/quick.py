"""Routes to start a search from."""

from __future__ import annotations

from collections.abc import Sequence

from nco.baselines.fleet import Kind
from nco.baselines.insertion import completed
from nco.baselines.nearest import nearest_routes
from nco.baselines.savings import Savings, savings_routes
from nco.problem import Problem
from nco.route import Route
from nco.solver import Clock

SAVINGS_S = 1e-3  # a stop: with less time, nearest neighbour gets further


def quick_routes(problem: Problem, kinds: Sequence[Kind], clock: Clock) -> list[Route]:
    """Routes that break nothing, within milliseconds: by savings where they apply, else nearest.

    Args:
        problem: what the routes are for.
        kinds: of its vehicles.
        clock: construction stops when it is over.
    """
    if problem.features <= Savings.supports and clock.left_s > SAVINGS_S * problem.size:
        start = savings_routes(problem, kinds[0], clock)
    else:
        start = nearest_routes(problem, kinds, clock)
    return completed(problem, start, clock, kinds)
