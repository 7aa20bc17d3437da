"""Compiled: a stop that fits nowhere takes the place of others that are easier to serve.

After Y. Nagata and O. Bräysy (2009, "A powerful route minimization heuristic for the vehicle
routing problem with time windows") and Y. Nagata and S. Kobayashi (2010, "Guided ejection search
for the pickup and delivery problem with time windows"): of one or two stops of a route that would
make room, those go that were hard to serve least often, and the routes are shaken in between.
"""

# mypy: allow-untyped-defs, allow-untyped-calls
# Numba types the compiled functions by what they are called with.

from __future__ import annotations

import numpy as np

from nco.kernels.draws import below
from nco.search.lns.changes import insert, remove, settle, take_back
from nco.search.lns.insertion import best_place
from nco.search.lns.options import compiled, inner
from nco.search.lns.places import cost_behind, near

CANDIDATES = 30  # stops of a route that are thought of to make room, at most
SHAKES = 10  # stops that are put elsewhere after each ejection


@inner
def _cost(instance, state, j, i, bound):
    """What it costs to put a stop behind a place, without the vehicle's own cost."""
    return cost_behind(instance, state, j, i, 0.0, bound)


@inner
def _place_on(instance, state, h, v):
    """The place on a route behind which a stop costs least, -1 if it fits nowhere.

    Where a vehicle may not drive, arcs cost more than any reward.
    """
    size = len(instance.service)
    best, place, second = instance.reward, np.int64(-1), np.int64(-1)
    i = np.int64(size + 2 * v)
    while i != size + 2 * v + 1:
        delta = _cost(instance, state, h, i, best)
        if delta < best:
            best, place, second = delta, i, np.int64(state.second[0])
        i = np.int64(state.next[i])
    state.second[0] = second
    return place


@inner
def _place_without(instance, state, h, a, b):
    """Takes one or two stops out (`b` < 0 for one); the place on their route where another fits.

    -1 where it does not, or where the route without them breaks rules that it kept: where there is
    no triangle inequality, or stops are tied.
    """
    v = np.int64(state.vehicle[a])
    state.log_size[0] = 0
    remove(instance, state, a)
    if b >= 0:
        remove(instance, state, b)
    settle(instance, state)
    return np.int64(-1) if state.late[v] else _place_on(instance, state, h, v)


@inner
def _fits_without(instance, state, h, a, b):
    """Whether a stop fits on a route without one or two others."""
    total = state.total[0]
    fits = _place_without(instance, state, h, a, b) >= 0
    take_back(instance, state, total)
    return fits


@inner
def _candidates(instance, state, v):
    """Fills `chosen` with stops of a route, in random order; how many."""
    count, seen = 0, 0
    i, size = np.int64(state.next[len(instance.service) + 2 * v]), len(instance.service)
    most = min(CANDIDATES, len(state.chosen))
    while i < size:
        if not instance.follows[i]:
            if count < most:
                state.chosen[count] = i
                count += 1
            else:
                at = below(state.bits, seen + 1)
                if at < most:
                    state.chosen[at] = i
            seen += 1
        i = np.int64(state.next[i])
    for n in range(count):
        other = n + below(state.bits, count - n)
        state.chosen[n], state.chosen[other] = state.chosen[other], state.chosen[n]
    return count


@inner
def _make_room(instance, state, h, absences, stop):
    """Puts a stop in the place of one or two that were absent less often in sum."""
    best, one, two = absences[h], np.int64(-1), np.int64(-1)
    first = below(state.bits, len(state.served))
    for turn in range(len(state.served)):
        v = np.int64((first + turn) % len(state.served))
        if stop[0] != 0:
            return
        if state.served[v] == 0:
            continue
        count = _candidates(instance, state, v)
        for n in range(count):
            a = np.int64(state.chosen[n])
            if absences[a] >= best:
                continue
            for m in range(n, count):
                b = np.int64(state.chosen[m]) if m > n else np.int64(-1)
                hard = absences[a] + (absences[b] if m > n else 0.0)
                if hard >= best:
                    continue
                if _fits_without(instance, state, h, a, b):
                    best, one, two = hard, a, b
    if one < 0:
        return
    place = _place_without(instance, state, h, one, two)
    if place >= 0:
        insert(instance, state, h, place)


@inner
def _shake(instance, state):
    """Puts a random stop somewhere else where it fits, whatever that costs."""
    j = np.int64(instance.stops[below(state.bits, len(instance.stops))])
    if state.vehicle[j] < 0 or instance.follows[j]:
        return
    total, v = state.total[0], np.int64(state.vehicle[j])
    state.log_size[0] = 0
    remove(instance, state, j)
    settle(instance, state)
    if state.late[v]:
        take_back(instance, state, total)
        return
    nobody, found = np.int64(-1), 0
    place = second = nobody
    count = near(instance, state, j, 0.0, nobody)
    for n in range(count):
        i = np.int64(state.trial[n])
        if _cost(instance, state, j, i, instance.reward) < instance.reward:
            found += 1
            if below(state.bits, found) == 0:
                place, second = i, np.int64(state.second[0])
    if place < 0:
        take_back(instance, state, total)
        return
    state.second[0] = second
    insert(instance, state, j, place)


@compiled
def serve_all(instance, state, absences, iterations, stop):
    """Serves stops that are left out in the place of others; how many iterations it made.

    Args:
        instance: what the state is for; all stops are required.
        state: changed; where the search stands.
        absences: `[N]` how often each stop could not be served, changed.
        iterations: how many at most.
        stop: `[1]` ends the search when another thread makes it other than 0.
    """
    for made in range(iterations):
        if stop[0] != 0 or state.bank_size[0] == 0:
            return made
        h = np.int64(state.bank[below(state.bits, state.bank_size[0])])
        state.log_size[0] = 0
        place, _ = best_place(instance, state, h, 0.0, 0.0, np.int64(-1))
        if place >= 0:
            insert(instance, state, h, place)
            continue
        absences[h] += 1.0
        _make_room(instance, state, h, absences, stop)
        for _ in range(SHAKES):
            _shake(instance, state)
    return iterations
