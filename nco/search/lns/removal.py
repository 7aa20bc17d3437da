"""Removal operators: which stops to take out of their routes; see `nco.search.lns.operators`.

They leave times of routes out of date; `changes.settle` follows.
"""

# mypy: allow-untyped-defs, allow-untyped-calls
# Numba types these functions by what they are called with.

from __future__ import annotations

import numpy as np

from nco.kernels.draws import below, uniform
from nco.search.lns.changes import following, remove
from nco.search.lns.operators import balanced, guided, mixed, removal, tied
from nco.search.lns.options import inner, pasted

STRING = 10  # most stops of a route that string removal takes in one piece
TOURNAMENT = 6  # stops of which the worst one goes
SKIP = 0.3  # chance that a related stop is passed over


@inner
def any_served(instance, state):
    """A random stop on a route; -1 if luck finds none."""
    for _ in range(10):
        j = instance.stops[below(state.bits, len(instance.stops))]
        if state.vehicle[j] >= 0:
            return j
    return -1


@removal("string", 6.0)
def strings(instance, state, count):
    """Strings of routes near a stop, whole or with a gap (Christiaens and Vanden Berghe 2020)."""
    seed = any_served(instance, state)
    if seed >= 0:
        strings_near(instance, state, seed, count)


@removal("longest", 3.0, when=balanced)
def longest(instance, state, count):
    """Strings of the longest route and of routes near a stop of it."""
    v = 0
    for other in range(len(state.measure)):
        if state.served[other] and state.measure[other] > state.measure[v]:
            v = other
    if state.served[v]:
        seed = state.next[len(instance.service) + 2 * v]
        for _ in range(below(state.bits, state.served[v])):
            seed = state.next[seed]
        strings_near(instance, state, seed, count)


@inner
def strings_near(instance, state, seed, count):
    """Strings of the routes that are nearest to a stop, its own first."""
    left, k = count, -1
    while left > 0 and k < instance.related.shape[1]:
        j = seed if k < 0 else instance.related[seed, k]
        k += 1
        if j < 0:
            return
        # A route that lost a string is dirty: it loses only one.
        if state.vehicle[j] < 0 or state.dirty[state.vehicle[j]]:
            continue
        size = state.served[state.vehicle[j]]
        length = 1 + below(state.bits, min(size, STRING, left))
        kept = 0
        if length > 1 and length < size and uniform(state.bits) < 0.5:
            kept = 1
            while length + kept < size and uniform(state.bits) < 0.5:
                kept += 1
        string_out(instance, state, j, length, kept)
        left -= length


@pasted
def string_out(instance, state, j, length, kept):
    """Takes a string around a stop; `kept` stops in a row within it stay."""
    span, size = length + kept, len(instance.service)
    back, i = 0, state.prev[j]
    while back < span - 1 and i < size:
        back, i = back + 1, state.prev[i]
    behind, i = 0, state.next[j]
    while behind < span - 1 and i < size:
        behind, i = behind + 1, state.next[i]
    least = max(0, span - 1 - behind)
    steps = least + below(state.bits, back - least + 1)
    for _ in range(steps):
        j = state.prev[j]
    gap = span if kept == 0 else 1 + below(state.bits, length - 1)
    for position in range(span):
        if j >= size:  # other ends of shipments went with those before
            return
        if gap <= position < gap + kept:
            j = np.int64(state.next[j])
        else:
            behind = following(instance, state, j)
            remove(instance, state, j)
            j = behind


@removal("related")
def related(instance, state, count):
    """A stop and others near it."""
    seed = any_served(instance, state)
    if seed < 0:
        return
    remove(instance, state, seed)
    left = count - 1
    for k in range(instance.related.shape[1]):
        j = np.int64(instance.related[seed, k])
        if j < 0 or left <= 0:
            return
        if state.vehicle[j] >= 0 and uniform(state.bits) >= SKIP:
            remove(instance, state, j)
            left -= 1


@removal("worst")
def worst(instance, state, count):
    """Stops that cost a long detour."""
    for _ in range(count):
        worst, most = np.int64(-1), -1e300
        for _ in range(TOURNAMENT):
            j = instance.stops[below(state.bits, len(instance.stops))]
            if state.vehicle[j] >= 0:
                i, k = state.prev[j], instance.kind[state.vehicle[j]]
                a, b = state.place[i], state.place[state.next[j]]
                detour = state.leaving[i] + state.leaving[j] - instance.cost[k, a, b]
                if detour > most:
                    worst, most = j, detour
        if worst >= 0:
            remove(instance, state, worst)


@removal("tied", when=tied)
def of_a_tie(instance, state, count):
    """The stops of a tie, and any others."""
    t = below(state.bits, len(instance.ties))
    for m in range(1, instance.ties.shape[1]):
        j = np.int64(instance.ties[t, m])
        if j < 0:
            break
        if state.vehicle[j] >= 0:
            remove(instance, state, j)
    _any(instance, state, count)


@removal("random")
def random(instance, state, count):
    """Any stops."""
    _any(instance, state, count)


@inner
def _any(instance, state, count):
    """Removes random stops."""
    for _ in range(count):
        j = any_served(instance, state)
        if j >= 0:
            remove(instance, state, j)


@inner
def take_from(instance, state, j, most):
    """Takes a stop and those behind it out of their route, so many at most; how many."""
    count, size = 0, len(instance.service)
    while j < size and count < most:
        behind = following(instance, state, j)
        remove(instance, state, j)
        count += 1
        j = behind
    return count


@removal("route", 0.5)
def route(instance, state, count):
    """A route, or as much of a long one as other operators take at most."""
    j, size = any_served(instance, state), len(instance.service)
    if j < 0:
        return
    left = 2 * count
    if state.served[state.vehicle[j]] <= left:
        while state.prev[j] < size:
            j = state.prev[j]
    take_from(instance, state, np.int64(j), left)


@removal("routes", 2.0, when=mixed)
def routes(instance, state, count):
    """Whole routes near a stop, so that vehicles of another kind may drive in their place."""
    seed, size = any_served(instance, state), len(instance.service)
    if seed < 0:
        return
    left, k = 2 * count, -1
    while left > 0 and k < instance.related.shape[1]:
        j = seed if k < 0 else np.int64(instance.related[seed, k])
        k += 1
        if j < 0:
            return
        if state.vehicle[j] < 0 or state.served[state.vehicle[j]] > max(left, count):
            continue
        while state.prev[j] < size:
            j = np.int64(state.prev[j])
        left -= take_from(instance, state, j, np.int64(size))


@removal("policy", when=guided)
def unlikely(instance, state, count):
    """Stops behind arcs that the policy hardly ever drives, and others near them."""
    size = len(instance.service)
    seed, least = np.int64(-1), 2.0
    for _ in range(TOURNAMENT):
        j = any_served(instance, state)
        if j >= 0:
            share = _heat(instance, state, j)
            if share < least:
                seed, least = j, share
    if seed < 0:
        return
    remove(instance, state, seed)
    left = count - 1
    for k in range(instance.related.shape[1]):
        j = np.int64(instance.related[seed, k])
        if j < 0 or left <= 0:
            return
        if j < size and state.vehicle[j] >= 0 and uniform(state.bits) >= _heat(instance, state, j):
            remove(instance, state, j)
            left -= 1


@inner
def _heat(instance, state, j):
    """Share of the policy's routes that drive the arc into a stop."""
    return instance.heatmap[state.place[state.prev[j]], j]
