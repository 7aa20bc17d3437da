"""The search for the rest of a day, from the plan that is being driven."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nco.fleet.mending import kept
from nco.fleet.reductions.reduced import reduced
from nco.problem.evaluate import Cost
from nco.problem.solution import Solution
from nco.search.lns.solver import LNS
from nco.solve import solve
from nco.solver import Clock

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nco.problem import Problem
    from nco.problem.route import Route
    from nco.solver import Solver

INSERTION_S = 0.5  # for insertion, at most, where a busy machine left no time for a search


def searched(
    problem: Problem,
    routes: Sequence[Route],
    method: str | Solver,
    time_limit_s: float,
    seed: int,
) -> Solution:
    """What a method finds from routes that need not fit any more.

    Args:
        problem: the rest.
        routes: of the plan so far.
        method: searches.
        time_limit_s: of the method.
        seed: of the method.

    Raises:
        UnsupportedError: the method cannot do what the problem asks.
    """
    initial = _initial(problem, routes, Clock(time_limit_s))
    found = solve(problem, method, time_limit_s=time_limit_s, seed=seed, initial=initial)
    if initial is not None and _starved(found, initial):
        found = _inserted(problem, found, seed)
    return found


def _starved(found: Solution, initial: Solution) -> bool:
    """Whether a search had no time even for the stops that its start left out."""
    served = sum(len(route.stops) for route in found.routes)
    return not found.feasible and served <= sum(len(route.stops) for route in initial.routes)


def _inserted(problem: Problem, found: Solution, seed: int) -> Solution:
    """The same with stops inserted where they are cheapest, which takes a moment."""
    if not reduced(problem, LNS.supports).problem.features <= LNS.supports:
        return found
    insertion = LNS(found.method, max_iterations=0)
    return solve(problem, insertion, time_limit_s=INSERTION_S, seed=seed, initial=found)


def _initial(problem: Problem, routes: Sequence[Route], clock: Clock) -> Solution | None:
    """Routes to begin with, without the stops that break something now."""
    if not routes:
        return None
    # Why stops are left out is of no interest before the search, and takes long to find out.
    initial = Solution(tuple(routes), (), (), Cost()).on(problem)
    if not initial.violations:
        return initial
    return replace(initial, routes=tuple(kept(problem, routes, clock))).on(problem)
