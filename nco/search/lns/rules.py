"""Compiled rules on loads that go up and down, on limits of vehicles and on release times.

A part of a route carries `D` for its own stops when it begins, has `P` more on board when it ends
than it was given from outside, and at most `M` in between. Two parts in a row carry `D1 + D2`,
`P1 + P2` and `max(M1 + D2, M2 + P1)` (T. Vidal et al. 2014, "A unified solution framework for
multi-attribute vehicle routing problems"). What a shipment leaves at its second stop is a negative
`P`.

Only where `Instance.ruled` says so is any of this looked at.
"""

# mypy: allow-untyped-defs, allow-untyped-calls
# Numba types these functions by what they are called with.

from __future__ import annotations

import numpy as np

from nco.search.lns.options import inner
from nco.search.lns.segments import loaded_in_time, stops_of
from nco.search.lns.ties import keeps_ties


@inner
def carried(loads, c, delivered, given, most):
    """Appends a part to the loads of a row, in one dimension."""
    peak = max(loads[3 * c + 2] + delivered, most + loads[3 * c + 1])
    loads[3 * c] += delivered
    loads[3 * c + 1] += given
    loads[3 * c + 2] = peak


@inner
def carried_there(instance, loads, j):
    """Appends a stop to the loads of a row."""
    for c in range(instance.demand.shape[1]):
        d, p = instance.demand[j, c], instance.given[j, c]
        carried(loads, c, d, p, max(d, p))


@inner
def follow_loads(instance, state, v):
    """Works out the loads of a route anew."""
    begin = len(instance.service) + 2 * v
    end, width = begin + 1, state.carry.shape[1]
    for c in range(width):
        state.carry[0, c] = state.ahead[begin, c] = state.rest[end, c] = 0.0
    i = begin
    while i != end:
        i = state.next[i]
        if i != end:
            carried_there(instance, state.carry[0], i)
        for c in range(width):
            state.ahead[i, c] = state.carry[0, c]
    i = state.prev[end]
    while True:
        behind = state.rest[state.next[i]]
        for c in range(width // 3):
            d = p = m = 0.0
            if i != begin:
                d, p = instance.demand[i, c], instance.given[i, c]
                m = max(d, p)
            state.rest[i, 3 * c] = d + behind[3 * c]
            state.rest[i, 3 * c + 1] = p + behind[3 * c + 1]
            state.rest[i, 3 * c + 2] = max(m + behind[3 * c], behind[3 * c + 2] + p)
        if i == begin:
            return
        i = state.prev[i]


@inner
def overloaded(instance, state, v, row, n):
    """Whether what a row carries is too much, with the route from a place on behind it."""
    for c in range(instance.capacity.shape[1]):
        peak = max(
            state.carry[row, 3 * c + 2] + state.rest[n, 3 * c],
            state.rest[n, 3 * c + 2] + state.carry[row, 3 * c + 1],
        )
        if peak > instance.capacity[v, c]:
            return True
    return False


@inner
def beyond(instance, v, stops, seconds, metres, driving):
    """Whether a route is longer than its vehicle may go."""
    most = instance.most
    return seconds > most[v, 0] or metres > most[v, 1] or driving > most[v, 2] or stops > most[v, 3]


@inner
def detour(arcs, k, a, j, b, replaced):
    """What a stop between two nodes adds to a sum of arcs; `replaced` if an arc goes in return."""
    more = arcs[k, a, j] + arcs[k, j, b]
    if replaced:
        more -= arcs[k, a, b]
    return more


@inner
def allowed(instance, state, j, i, seconds, latest):
    """Whether a stop may come behind a place, windows and plain loads aside.

    Args:
        instance: what is searched.
        state: where the search stands.
        j: stop.
        i: place.
        seconds: of the route with it.
        latest: when that may begin.
    """
    v, n = np.int64(state.vehicle[i]), state.next[i]
    if len(instance.ties) > 0 and not keeps_ties(instance, state, j, i):
        return False
    if instance.loads:
        for c in range(state.carry.shape[1]):
            state.carry[0, c] = state.ahead[i, c]
        carried_there(instance, state.carry[0], j)
        if overloaded(instance, state, v, 0, n):
            return False
    if instance.limited:
        k, a, b = instance.kind[v], state.place[i], state.place[n]
        replaced = state.served[v] > 0
        metres = driving = 0.0
        if len(instance.length) > 1 or instance.length.shape[1] > 1:
            metres = state.driven[v, 0] + detour(instance.length, k, a, j, b, replaced)
        if instance.most[v, 2] < np.inf:
            driving = state.driven[v, 1] + detour(instance.drive, k, a, j, b, replaced)
        stops = stops_of(instance, state, v) + 1
        if beyond(instance, v, stops, seconds, metres, driving):
            return False
    if len(instance.release) == 1:
        return True
    if instance.chained:
        ready, nobody = instance.release[j], np.int64(-1)
        new, none = (np.int64(j), np.int64(i)), (nobody, nobody)
        return ready <= state.released[v] or loaded_in_time(instance, state, ready, new, none)
    return max(state.released[v], instance.release[j]) <= latest


@inner
def follow_rules(instance, state, v, seconds, latest):
    """Works out anew what rules ask of a route; whether it breaks one.

    Args:
        instance: what is searched.
        state: where the search stands.
        v: vehicle.
        seconds: of its route.
        latest: when that may begin.
    """
    begin = len(instance.service) + 2 * v
    end, k = begin + 1, instance.kind[v]
    if instance.loads:
        follow_loads(instance, state, v)
    metres = driving = ready = 0.0
    measured = len(instance.length) > 1 or instance.length.shape[1] > 1
    i = begin
    while i != end and state.served[v] > 0:
        j = state.next[i]
        a, b = state.place[i], state.place[j]
        driving += instance.drive[k, a, b]
        if measured:
            metres += instance.length[k, a, b]
        if j != end and len(instance.release) > 1:
            ready = max(ready, instance.release[j])
        i = j
    state.driven[v, 0], state.driven[v, 1], state.released[v] = metres, driving, ready
    if ready > latest:
        return True
    return instance.limited and beyond(instance, v, state.served[v], seconds, metres, driving)
