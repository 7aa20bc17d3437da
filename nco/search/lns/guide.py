"""What a policy's routes tell the search: which arcs are likely.

Removal then prefers stops behind arcs that the policy hardly ever drives, and insertion likes the
arcs that it often does: the operators called "policy".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nco.problem.solution import Solution

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nco.fleet.kinds import Kind
    from nco.problem import Problem
    from nco.problem.route import Route
    from nco.search.lns.arrays import Singles
    from nco.solver import Clock

SHARE = 0.4  # of the time left that the policy's routes may take


@dataclass(frozen=True)
class Guide:
    """The routes of a policy as a search uses them.

    Attributes:
        routes: its best ones, which break no rule; none if they do.
        heatmap: `[N, N]` share of its solutions that drive an arc.
    """

    routes: list[Route]
    heatmap: Singles


def prepare(problem: Problem) -> None:
    """Loads the policy, so that no clock is charged for it."""
    from nco.search.seeds.policy import PLENTY

    PLENTY.prepare(problem)


def guide_of(
    problem: Problem, kinds: Sequence[Kind], count: int, clock: Clock, seed: int
) -> Guide | None:
    """Asks the policy that fits a problem; None where there is none, or too little time.

    Args:
        problem: to solve.
        kinds: of its vehicles.
        count: solutions that are wanted; the policy's best ones, as many as there is time for.
        clock: what all time is charged to.
        seed: of the policy's first moves.
    """
    from nco.search.seeds.policy import PLENTY

    within = type(clock)(SHARE * clock.left_s)
    solutions = PLENTY(problem, kinds, count, within, seed)
    if not solutions:
        return None
    best = Solution.from_routes(problem, solutions[0], explain=False)
    return Guide([] if best.violations else solutions[0], heat_of(problem, solutions))


def heat_of(problem: Problem, solutions: Sequence[Sequence[Route]]) -> Singles:
    """`[N, N]` share of solutions that drive an arc, those from and to depots among them.

    Args:
        problem: what was solved.
        solutions: routes of each; at least one.
    """
    heatmap = np.zeros((problem.size, problem.size), np.float32)
    for routes in solutions:
        for route in routes:
            vehicle = problem.vehicles[route.vehicle]
            path = np.array([vehicle.start, *route.stops, vehicle.end])
            heatmap[path[:-1], path[1:]] += 1.0
    return heatmap / np.float32(len(solutions))
