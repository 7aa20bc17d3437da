"""The end of every solver: drop what breaks a rule, insert what is missing, say what is left.

Where a solver found no feasible answer, a partial one comes back.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace

import numpy as np

from nco.fleet.ending import ending_s
from nco.fleet.insertion import Construction
from nco.fleet.kinds import Kind, unserved_cost
from nco.fleet.trying import Trial
from nco.problem import Problem
from nco.problem.objective import CLASSICAL
from nco.problem.route import Route
from nco.problem.solution import INITIAL, Solution
from nco.solver import Clock


def kept(problem: Problem, routes: Sequence[Route], clock: Clock) -> list[Route]:
    """Routes without the stops that break something.

    Args:
        problem: what the routes are for.
        routes: of any quality.
        clock: when it is over, trips that break a rule of a rare kind are left out whole.
    """
    if problem.features - CLASSICAL:
        trial = Trial(problem, clock)
        trial.keep(routes)
        return trial.routes
    plan = Construction(problem)
    plan.keep(routes)
    return plan.routes


MENDING = 2.0  # times that routes are evaluated to insert what is missing

_explains: ContextVar[bool] = ContextVar("explains", default=True)


@contextmanager
def unexplained() -> Iterator[None]:
    """Solutions that are `finished` within are parts of another: nobody is told what they lack.

    Reasons for hundreds of stops and vehicles take a tenth of a second.
    """
    token = _explains.set(False)
    try:
        yield
    finally:
        _explains.reset(token)


def explained(problem: Problem, found: Solution) -> Solution:
    """A solution with reasons for what it leaves out, unless it is part of another."""
    return found.with_reasons(problem) if _explains.get() else found


def completed(
    problem: Problem,
    routes: Sequence[Route],
    clock: Clock,
    kinds: Sequence[Kind] | None = None,
    *,
    thorough: bool = False,
) -> list[Route]:
    """Routes without the stops that break something, with the missing ones where they fit.

    Required stops come first, those with the largest demand ahead; optional ones follow
    where they cost less than their prize. Where there are rules beyond loads, windows and trips,
    each place is tried by evaluation.

    Args:
        problem: what the routes are for.
        routes: of any quality.
        clock: insertion stops when it is over.
        kinds: of the problem's vehicles, if known already.
        thorough: move other stops to make room for required ones, which takes longer.
    """
    if problem.features - CLASSICAL:
        trial = Trial(problem, clock)
        trial.keep(routes)
        trial.insert_all()
        return trial.routes
    plan = Construction(problem, kinds)
    plan.keep(routes)
    served, worth = plan.served, unserved_cost(problem)
    capacity = np.array([vehicle.capacity for vehicle, _ in problem.fleet])
    scale = np.where(np.isinf(capacity), 0.0, capacity).max(axis=0, initial=0.0)
    share = problem.demand / np.where(scale > 0, scale, np.inf)
    size = share.max(axis=1, initial=0.0)
    possible = np.any([kind.stops for kind in plan.kinds], axis=0)
    missing = [j for j in problem.stops if possible[j] and j not in served]
    for j in sorted(missing, key=lambda j: -size[j]):
        if clock.over:
            return plan.routes
        if np.isinf(worth[j]) and not plan.insert(j) and thorough:
            plan.make_room(j, clock)
    optional = [j for j in missing if np.isfinite(worth[j])]
    while optional and not clock.over:
        left = [j for j in optional if clock.over or not plan.insert(j, float(worth[j]))]
        if left == optional:
            break
        optional = left
    return plan.routes


def _too_late(problem: Problem, routes: Sequence[Route], clock: Clock) -> bool:
    """Whether the time left is not enough to mend routes, which are evaluated anew for that."""
    return MENDING * ending_s(problem, routes) > clock.left_s


def finished(
    problem: Problem,
    routes: Sequence[Route],
    initial: Solution | None,
    clock: Clock,
    *,
    method: str,
    seed: int,
    fallback: str = "",
    known: Solution | None = None,
) -> Solution:
    """The solution that a solver returns: its routes, mended if need be, or the initial ones.

    Args:
        problem: what was to be solved.
        routes: what the solver found; they may break rules or leave stops out.
        initial: what it was given to start from, evaluated on this problem; never returned if it
            breaks a rule.
        clock: mending stops when it is over, and it tells the time taken.
        method: name of the solver.
        seed: recorded.
        fallback: what the routes are if the solver did not find them, see `Solution`.
        known: a solution that counts in place of the routes, where it is evaluated already.
    """
    if known is not None:
        found, routes = known, known.routes
    elif initial is not None and routes is initial.routes:  # evaluated before
        found = initial
    else:
        found = Solution.from_routes(problem, routes, explain=False)
    if found.violations or not (found.feasible or clock.over or _too_late(problem, routes, clock)):
        routes = completed(problem, routes, clock)
        mended = Solution.from_routes(problem, routes, explain=False)
        if found.violations or mended.better_than(found):
            found = mended
    if initial is not None and not initial.violations and initial.better_than(found):
        found, fallback = initial, INITIAL
    found = explained(problem, found).stamped(method=method, seed=seed, time_s=clock.elapsed_s)
    return replace(found, fallback=fallback)
