"""Compiled: programs that put stops in; `nco.search.evolve.language` says what they mean."""

# mypy: allow-untyped-defs, allow-untyped-calls
# Numba types these functions by what they are called with.

from __future__ import annotations

import numpy as np

from nco.kernels.draws import below
from nco.search.evolve.code import FEATURE_CODES
from nco.search.evolve.language import BIG, FUEL
from nco.search.evolve.machine import (
    BEST,
    COST,
    COST_UNIT,
    begin,
    memory,
    tame,
    value,
)
from nco.search.evolve.machine import FUEL as LEFT_OVER
from nco.search.lns.changes import insert
from nco.search.lns.insertion import choose
from nco.search.lns.options import compiled, inner
from nco.search.lns.pairs import pair_delta
from nco.search.lns.places import NEVER, cost_behind, everywhere, near, worth_of
from nco.search.lns.segments import owner
from nco.search.lns.ties import keeps_ties

_FUEL, _COST = FUEL["insertion"], FEATURE_CODES["cost"]
_ORDER, _PLACE = np.int64(0), np.int64(1)
_MOST_MERIT = 0.5 * BIG  # below what is known of a route that has no place
_AT, _KEY, _MERIT, _ON = 0, 1, 2, 3  # columns of `SearchState.found`; merit and route of each


@compiled
def run_insertion(instance, state, count, code):
    """Puts stops back as a program says."""
    m, left = memory(), choose(instance, state)
    begin(instance, state, m, _FUEL * left)
    wanted = np.int64(-1)
    if code.shape[0, 2] != 0 and len(instance.first) > 2:
        wanted = np.int64(below(state.bits, len(instance.first) - 1))
    if code.shape[0, 0] != 0:
        _by_regret(instance, state, code, left, wanted, m)
    else:
        _in_order(instance, state, code, left, wanted, m)


@inner
def _in_order(instance, state, code, count, wanted, m):
    """One stop after the other, in an order that is reckoned before."""
    nowhere = np.int64(-1)
    for n in range(count):
        j = np.int64(state.chosen[n])
        key = value(instance, state, code, _ORDER, j, nowhere, nowhere, m)
        at = n
        while at > 0 and state.found[at - 1, _AT] < key:
            state.found[at, _AT], state.chosen[at] = state.found[at - 1, _AT], state.chosen[at - 1]
            at -= 1
        state.found[at, _AT], state.chosen[at] = key, j
    for n in range(count):
        if _rank(instance, state, code, np.int64(n), wanted, m):
            _put(instance, state, np.int64(n))


@inner
def _by_regret(instance, state, code, left, wanted, m):
    """First the stop that wants most to be, which changes with each that is put in."""
    found, width = state.found, 2 + 2 * code.shape[0, 1]
    for n in range(left):
        _reckon(instance, state, code, np.int64(n), wanted, m)
    while left > 0:
        pick = _next(found, left)
        if pick < 0:
            return
        j, place = np.int64(state.chosen[pick]), np.int64(found[pick, _AT])
        if len(instance.ties) > 0 and not keeps_ties(instance, state, j, place):
            _reckon(instance, state, code, pick, wanted, m)
            place = np.int64(found[pick, _AT])
            if place >= 0 and not keeps_ties(instance, state, j, place):
                found[pick, _AT] = -1.0
            continue
        vehicle, g = owner(instance, np.int64(state.vehicle[place])), instance.group[j]
        if not _put(instance, state, pick):
            found[pick, _AT] = -1.0
            continue
        left -= 1
        state.chosen[pick] = state.chosen[left]
        for c in range(width):
            found[pick, c] = found[left, c]
        for n in range(left):
            if g >= 0 and instance.group[state.chosen[n]] == g:
                found[n, _AT] = -1.0
            elif found[n, _AT] >= 0.0 and owner(instance, np.int64(found[n, _ON])) == vehicle:
                # Where it is second, its cost is a moment old.
                _reckon(instance, state, code, np.int64(n), wanted, m)


@inner
def _next(found, left):
    """The chosen stop that wants most to be the next; -1 if there is none."""
    pick = np.int64(-1)
    for n in range(left):
        if found[n, _AT] >= 0.0 and (pick < 0 or found[n, _KEY] > found[pick, _KEY]):
            pick = np.int64(n)
    return pick


@inner
def _reckon(instance, state, code, n, wanted, m):
    """Finds the best places of a chosen stop, and how much it wants to be the next."""
    found, nowhere = state.found, np.int64(-1)
    if not _rank(instance, state, code, n, wanted, m):
        return
    for r in range(4):
        m[BEST + r] = found[n, _MERIT + 2 * r] if r < code.shape[0, 1] else BIG
    j = np.int64(state.chosen[n])
    found[n, _KEY] = value(instance, state, code, _ORDER, j, nowhere, nowhere, m)


@inner
def _put(instance, state, n):
    """Puts a chosen stop where it is best; whether it could be."""
    j, place = np.int64(state.chosen[n]), np.int64(state.found[n, _AT])
    # Where the delivery of a shipment goes is known of the last place that was tried.
    if instance.mate[j] >= 0 and pair_delta(instance, state, j, place, 1.0, NEVER) >= NEVER:
        return False
    insert(instance, state, j, place)
    return True


@inner
def _rank(instance, state, code, n, wanted, m):
    """Finds the least merit of a chosen stop on each of the best routes; whether it can be put in.

    Fills its row of `found`: the place, then, from `_MERIT` on, merit and route of each.
    """
    found, last = state.found[n], code.shape[0, 1] - 1
    j, plain = np.int64(state.chosen[n]), _plain(code)
    found[_AT], worth = -1.0, worth_of(instance, state, j)
    for r in range(last + 1):
        found[_MERIT + 2 * r], found[_ON + 2 * r] = BIG, -1.0
    if worth <= -NEVER:
        return False
    many = state.bank_size[0] > len(state.chosen) and worth < instance.reward
    count = near(instance, state, j, code.share[0], wanted)
    opening = 0.0 if wanted >= 0 else 1.0
    for turn in range(2):
        for t in range(count):
            i = np.int64(state.trial[t])
            bound = worth
            if plain:
                bound = min(worth, found[_MERIT + 2 * last] * m[COST_UNIT])
            delta = cost_behind(instance, state, j, i, opening, bound)
            if delta >= bound:
                continue
            v, merit = np.int64(state.vehicle[i]), tame(delta / m[COST_UNIT])
            m[COST] = merit
            if not plain and m[LEFT_OVER] > 0.0:
                merit = value(instance, state, code, _PLACE, j, i, v, m)
            _keep(found, i, v, min(merit, _MOST_MERIT), last)
        if found[_AT] >= 0.0 or turn or many:
            break
        count, opening = everywhere(instance, state, j, wanted), 1.0
    return found[_AT] >= 0.0


@inner
def _keep(found, i, v, merit, last):
    """Keeps a place if it is the best on its route, and that one of the best routes."""
    r = 0
    while r < last and found[_ON + 2 * r] != v:
        r += 1
    if merit >= found[_MERIT + 2 * r]:
        return
    while r > 0 and found[2 * r] > merit:
        found[_MERIT + 2 * r], found[_ON + 2 * r] = found[2 * r], found[1 + 2 * r]
        r -= 1
    found[_MERIT + 2 * r], found[_ON + 2 * r] = merit, v
    if r == 0:
        found[_AT] = i


@inner
def _plain(code):
    """Whether the best place is simply that with the least cost."""
    at = code.first[_PLACE]
    return code.first[_PLACE + 1] == at + 1 and code.nodes[at] == _COST
