"""Removal operators: which stops to take out of their routes; see `nco.search.lns.operators`.

They leave times of routes out of date; `links.settle` follows.
"""

# mypy: allow-untyped-defs, allow-untyped-calls
# Numba types these functions by what they are called with.

from __future__ import annotations

import numpy as np

from nco.search.lns.links import below, inner, pasted, remove, uniform
from nco.search.lns.operators import balanced, guided, mixed, removal

STRING = 10  # most stops of a route that string removal takes in one piece
TOURNAMENT = 6  # stops of which the worst one goes
SKIP = 0.3  # chance that a related stop is passed over


@inner
def _served(instance, plan):
    """A random stop on a route; -1 if luck finds none."""
    for _ in range(10):
        j = instance.stops[below(plan, len(instance.stops))]
        if plan.vehicle[j] >= 0:
            return j
    return -1


@removal("string", 6.0)
def strings(instance, plan, count):
    """Strings of routes near a stop, whole or with a gap (Christiaens and Vanden Berghe 2020)."""
    seed = _served(instance, plan)
    if seed >= 0:
        _strings_near(instance, plan, seed, count)


@removal("longest", 3.0, when=balanced)
def longest(instance, plan, count):
    """Strings of the longest route and of routes near a stop of it."""
    v = 0
    for other in range(len(plan.measure)):
        if plan.measure[other] > plan.measure[v]:
            v = other
    if plan.served[v]:
        seed = plan.next[len(instance.service) + 2 * v]
        for _ in range(below(plan, plan.served[v])):
            seed = plan.next[seed]
        _strings_near(instance, plan, seed, count)


@inner
def _strings_near(instance, plan, seed, count):
    """Strings of the routes that are nearest to a stop, its own first."""
    left, k = count, -1
    while left > 0 and k < instance.related.shape[1]:
        j = seed if k < 0 else instance.related[seed, k]
        k += 1
        if j < 0:
            return
        # A route that lost a string is dirty: it loses only one.
        if plan.vehicle[j] < 0 or plan.dirty[plan.vehicle[j]]:
            continue
        size = plan.served[plan.vehicle[j]]
        length = 1 + below(plan, min(size, STRING, left))
        kept = 0
        if length > 1 and length < size and uniform(plan) < 0.5:
            kept = 1
            while length + kept < size and uniform(plan) < 0.5:
                kept += 1
        _string(instance, plan, j, length, kept)
        left -= length


@pasted
def _string(instance, plan, j, length, kept):
    """Takes a string around a stop; `kept` stops in a row within it stay."""
    span, size = length + kept, len(instance.service)
    back, i = 0, plan.prev[j]
    while back < span - 1 and i < size:
        back, i = back + 1, plan.prev[i]
    ahead, i = 0, plan.next[j]
    while ahead < span - 1 and i < size:
        ahead, i = ahead + 1, plan.next[i]
    least = max(0, span - 1 - ahead)
    steps = least + below(plan, back - least + 1)
    for _ in range(steps):
        j = plan.prev[j]
    gap = span if kept == 0 else 1 + below(plan, length - 1)
    for position in range(span):
        following = plan.next[j]
        if position < gap or position >= gap + kept:
            remove(instance, plan, j)
        j = following


@removal("related")
def related(instance, plan, count):
    """A stop and others near it."""
    seed = _served(instance, plan)
    if seed < 0:
        return
    remove(instance, plan, seed)
    left = count - 1
    for k in range(instance.related.shape[1]):
        j = np.int64(instance.related[seed, k])
        if j < 0 or left <= 0:
            return
        if plan.vehicle[j] >= 0 and uniform(plan) >= SKIP:
            remove(instance, plan, j)
            left -= 1


@removal("worst")
def worst(instance, plan, count):
    """Stops that cost a long detour."""
    for _ in range(count):
        worst, most = np.int64(-1), -1e300
        for _ in range(TOURNAMENT):
            j = instance.stops[below(plan, len(instance.stops))]
            if plan.vehicle[j] >= 0:
                i, k = plan.prev[j], instance.kind[plan.vehicle[j]]
                a, b = instance.place[i], instance.place[plan.next[j]]
                detour = plan.leaving[i] + plan.leaving[j] - instance.cost[k, a, b]
                if detour > most:
                    worst, most = j, detour
        if worst >= 0:
            remove(instance, plan, worst)


@removal("random")
def random(instance, plan, count):
    """Any stops."""
    for _ in range(count):
        j = _served(instance, plan)
        if j >= 0:
            remove(instance, plan, j)


@inner
def _from_here(instance, plan, j, most):
    """Takes a stop and those behind it out of their route, so many at most; how many."""
    count, size = 0, len(instance.service)
    while j < size and count < most:
        following = np.int64(plan.next[j])
        remove(instance, plan, j)
        count += 1
        j = following
    return count


@removal("route", 0.5)
def route(instance, plan, count):
    """A route, or as much of a long one as other operators take at most."""
    j, size = _served(instance, plan), len(instance.service)
    if j < 0:
        return
    left = 2 * count
    if plan.served[plan.vehicle[j]] <= left:
        while plan.prev[j] < size:
            j = plan.prev[j]
    _from_here(instance, plan, np.int64(j), left)


@removal("routes", 2.0, when=mixed)
def routes(instance, plan, count):
    """Whole routes near a stop, so that vehicles of another kind may drive in their place."""
    seed, size = _served(instance, plan), len(instance.service)
    if seed < 0:
        return
    left, k = 2 * count, -1
    while left > 0 and k < instance.related.shape[1]:
        j = seed if k < 0 else np.int64(instance.related[seed, k])
        k += 1
        if j < 0:
            return
        if plan.vehicle[j] < 0 or plan.served[plan.vehicle[j]] > max(left, count):
            continue
        while plan.prev[j] < size:
            j = np.int64(plan.prev[j])
        left -= _from_here(instance, plan, j, np.int64(size))


@removal("policy", when=guided)
def unlikely(instance, plan, count):
    """Stops behind arcs that the policy hardly ever drives, and others near them."""
    size = len(instance.service)
    seed, least = np.int64(-1), 2.0
    for _ in range(TOURNAMENT):
        j = _served(instance, plan)
        if j >= 0:
            heat = _heat(instance, plan, j)
            if heat < least:
                seed, least = j, heat
    if seed < 0:
        return
    remove(instance, plan, seed)
    left = count - 1
    for k in range(instance.related.shape[1]):
        j = np.int64(instance.related[seed, k])
        if j < 0 or left <= 0:
            return
        if j < size and plan.vehicle[j] >= 0 and uniform(plan) >= _heat(instance, plan, j):
            remove(instance, plan, j)
            left -= 1


@inner
def _heat(instance, plan, j):
    """Share of the policy's routes that drive the arc into a stop."""
    return instance.heat[instance.place[plan.prev[j]], j]
