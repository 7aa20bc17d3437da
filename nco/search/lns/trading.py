"""A removal operator that changes who drives: routes go to vehicles of another kind as they are.

Taking a route out and inserting its stops one by one seldom gives the same route on a larger
vehicle, as the first stops do not pay for it. After a trade there is room, or too little, at once.
"""

# mypy: allow-untyped-defs, allow-untyped-calls
# Numba types these functions by what they are called with.

from __future__ import annotations

import numpy as np

from nco.kernels.draws import below, uniform
from nco.search.lns.changes import insert, remove, settle
from nco.search.lns.operators import removal, traded
from nco.search.lns.options import inner
from nco.search.lns.places import NEVER, cost_behind
from nco.search.lns.removal import any_served, strings_near

IDLE = 0.5  # chance that the other vehicle is an idle one
TRIES = 10  # stops near a route, of which one on a vehicle of another kind is looked for
LONG = 100  # stops of both routes, up to which they are put on vehicles one by one


@inner
def _alike(instance, v, w):
    """Whether two vehicles are of one kind."""
    for kind in range(len(instance.first) - 1):
        if v < instance.first[kind + 1]:
            return instance.first[kind] <= w < instance.first[kind + 1]
    return False


@inner
def _idle_of_another(instance, state, v):
    """An idle vehicle of a random other kind; -1 if luck finds none."""
    kind = below(state.bits, len(instance.first) - 1)
    for w in range(instance.first[kind], instance.first[kind + 1]):
        if state.served[w] == 0:
            return np.int64(-1) if _alike(instance, v, w) else np.int64(w)
    return np.int64(-1)


@inner
def _neighbour_of_another(instance, state, j):
    """A vehicle of another kind that serves a stop near one; -1 if luck finds none."""
    v = state.vehicle[j]
    for _ in range(TRIES):
        k = below(state.bits, min(5 * TRIES, instance.related.shape[1]))
        other = instance.related[j, k]
        if other >= 0:
            w = state.vehicle[other]
            if w >= 0 and not _alike(instance, v, w):
                return np.int64(w)
    return np.int64(-1)


@inner
def _listed(instance, state, v, count):
    """Puts the stops of a route into `trial`, in order; how many there are then."""
    size = len(instance.service)
    j = state.next[size + 2 * v]
    while j < size:
        state.trial[count] = j
        count += 1
        j = state.next[j]
    return count


@inner
def _appended(instance, state, w, begin, end):
    """Puts stops of `trial` at the end of a route, those that fit."""
    last = len(instance.service) + 2 * w + 1
    for n in range(begin, end):
        j, before = np.int64(state.trial[n]), np.int64(state.prev[last])
        if cost_behind(instance, state, j, before, 1.0, NEVER) < NEVER:
            insert(instance, state, j, before)


@removal("trade", 2.0, when=traded)
def trade(instance, state, count):
    """A route goes to a vehicle of another kind, whose own goes back; strings near it go out."""
    seed = any_served(instance, state)
    if seed < 0:
        return
    v, w = np.int64(state.vehicle[seed]), np.int64(-1)
    if uniform(state.bits) < IDLE:
        w = _idle_of_another(instance, state, v)
    if w < 0:
        w = _neighbour_of_another(instance, state, seed)
    if w >= 0 and state.served[v] + state.served[w] <= LONG:
        middle = _listed(instance, state, v, 0)
        end = _listed(instance, state, w, middle)
        for n in range(end):
            remove(instance, state, np.int64(state.trial[n]))
        settle(instance, state)
        _appended(instance, state, w, 0, middle)
        _appended(instance, state, v, middle, end)
    strings_near(instance, state, seed, count)
