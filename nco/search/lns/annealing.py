"""The compiled loop: remove, insert, accept or take back."""

# mypy: allow-untyped-defs, allow-untyped-calls
# Numba types these functions by what they are called with.

from __future__ import annotations

import numpy as np

from nco.search.lns.insertion import in_order
from nco.search.lns.links import (
    below,
    compiled,
    copy,
    inner,
    objective,
    settle,
    take_back,
    uniform,
)
from nco.search.lns.operators import call

BEST, BETTER, ACCEPTED = 10.0, 4.0, 1.0  # points of an operator (Ropke and Pisinger 2006)


@inner
def _drawn(plan, chances):
    """An operator, by cumulative chances."""
    draw, operator = uniform(plan), 0
    while operator < len(chances) - 1 and chances[operator] <= draw:
        operator += 1
    return operator


@compiled
def construct(instance, plan, wanted):
    """Inserts all stops that fit, one after the other where they cost least.

    `wanted` is the kind of vehicles that begin routes if they can, at no fixed cost; -1 for none.
    """
    left = -1
    while plan.number[0] and plan.number[0] != left:
        left = plan.number[0]
        plan.number[1] = 0
        in_order(instance, plan, 0.0, 0.0, wanted)
    plan.number[1] = 0


@compiled
def anneal(
    instance, plan, best, best_cost, iterations, hot, cold, most, codes, chances, points, stop
):
    """Searches from a plan; how many iterations it made.

    Args:
        instance: what the plan is for.
        plan: changed; where the search stands.
        best: `[N + 2 M]` links of the best routes so far, changed.
        best_cost: `[1]` of these, changed.
        iterations: how many, unless it is stopped.
        hot: temperature of the first iteration, in units of cost.
        cold: temperature of the one that would come next.
        most: stops that are removed at most, about.
        codes: `[2, O]` addresses of removal and insertion operators.
        chances: `[2, O]` cumulative, of each.
        points: `[2, O, 2]` what each of them earned and how often it was used, added to.
        stop: `[1]` ends the search when another thread makes it other than 0.
    """
    current = objective(instance, plan)
    ratio = (cold / hot) ** (1.0 / max(1, iterations)) if cold > 0.0 else 0.0
    temperature = hot
    for made in range(iterations):
        if stop[0] != 0:
            return made
        total = plan.total[0]
        out, back = _drawn(plan, chances[0]), _drawn(plan, chances[1])
        plan.number[1] = 0
        call(codes[0, out], instance, plan, np.int64(1 + below(plan, most)))
        settle(instance, plan)
        call(codes[1, back], instance, plan, np.int64(plan.number[0]))
        cost = objective(instance, plan)
        earned = 0.0
        if cost < current - temperature * np.log(1.0 - uniform(plan)):
            if cost < best_cost[0] - 1e-9 * abs(best_cost[0]):
                earned = BEST
                best_cost[0] = cost
                copy(best, plan.next)
            elif cost < current:
                earned = BETTER
            elif cost > current:
                earned = ACCEPTED
            current = cost
        else:
            take_back(instance, plan, total)
        points[0, out, 0] += earned
        points[0, out, 1] += 1.0
        points[1, back, 0] += earned
        points[1, back, 1] += 1.0
        temperature *= ratio
    return iterations
