"""The compiled loop: remove, insert, accept or take back."""

# mypy: allow-untyped-defs, allow-untyped-calls
# Numba types these functions by what they are called with.

from __future__ import annotations

import numpy as np

from nco.kernels.draws import below, uniform
from nco.search.lns.changes import copy, objective, settle, take_back
from nco.search.lns.insertion import in_order
from nco.search.lns.operators import call
from nco.search.lns.options import compiled, inner

BEST, BETTER, ACCEPTED = 10.0, 4.0, 1.0  # scores of an operator (Ropke and Pisinger 2006)


@inner
def drawn(state, weights):
    """An operator, by cumulative weights."""
    draw, operator = uniform(state.bits), 0
    while operator < len(weights) - 1 and weights[operator] <= draw:
        operator += 1
    return operator


@compiled
def construct(instance, state, wanted):
    """Inserts all stops that fit, one after the other where they cost least.

    `wanted` is the kind of vehicles that begin routes if they can, at no fixed cost; -1 for none.
    """
    left = -1
    while state.bank_size[0] and state.bank_size[0] != left:
        left = state.bank_size[0]
        state.log_size[0] = 0
        in_order(instance, state, 0.0, 0.0, wanted)
    state.log_size[0] = 0


@compiled
def anneal(
    instance, state, best, best_cost, iterations, hot, cold, most, codes, weights, scores, stop
):
    """Searches from a state; how many iterations it made.

    Args:
        instance: what the state is for.
        state: changed; where the search stands.
        best: `[N + 2 M]` successors of the best routes so far, changed.
        best_cost: `[1]` of these, changed.
        iterations: how many, unless it is stopped.
        hot: temperature of the first iteration, in units of cost.
        cold: temperature of the one that would come next.
        most: stops that are removed at most, about.
        codes: `[2, O]` addresses of removal and insertion operators.
        weights: `[2, O]` cumulative, of each.
        scores: `[2, O, 2]` what each of them earned and how often it was used, added to.
        stop: `[1]` ends the search when another thread makes it other than 0.
    """
    current = objective(instance, state)
    ratio = (cold / hot) ** (1.0 / max(1, iterations)) if cold > 0.0 else 0.0
    temperature = hot
    for made in range(iterations):
        if stop[0] != 0:
            return made
        total = state.total[0]
        out, back = drawn(state, weights[0]), drawn(state, weights[1])
        state.log_size[0] = 0
        call(codes[0, out], instance, state, np.int64(1 + below(state.bits, most)))
        settle(instance, state)
        call(codes[1, back], instance, state, np.int64(state.bank_size[0]))
        cost = objective(instance, state)
        earned = 0.0
        if cost < current - temperature * np.log(1.0 - uniform(state.bits)):
            if cost < best_cost[0] - 1e-9 * abs(best_cost[0]):
                earned = BEST
                best_cost[0] = cost
                copy(best, state.next)
            elif cost < current:
                earned = BETTER
            elif cost > current:
                earned = ACCEPTED
            current = cost
        else:
            take_back(instance, state, total)
        scores[0, out, 0] += earned
        scores[0, out, 1] += 1.0
        scores[1, back, 0] += earned
        scores[1, back, 1] += 1.0
        temperature *= ratio
    return iterations
