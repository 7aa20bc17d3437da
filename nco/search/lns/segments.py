"""Compiled: parts of routes, and what is known of two of them in a row."""

# mypy: allow-untyped-defs, allow-untyped-calls
# Numba types these functions by what they are called with.

from __future__ import annotations

import numpy as np

from nco.search.lns.options import inner


@inner
def merged(d1, e1, l1, d2, e2, l2, arc_s):
    """Two segments merged: seconds, earliest and latest begin, and time warp (seconds too late)."""
    later = d1 + arc_s
    wait = max(e2 - later - l1, 0.0)
    time_warp = max(e1 + later - l2, 0.0)
    earliest, latest = max(e2 - later, e1) - wait, min(l2 - later, l1) + time_warp
    return d1 + d2 + arc_s + wait, earliest, latest, time_warp


@inner
def owner(instance, v):
    """The vehicle that drives a trip, by the first place for trips that it has."""
    return np.int64(instance.head[v]) if instance.chained else np.int64(v)


@inner
def middle(instance, h):
    """The place for a first trip of a vehicle: in the middle, so that others fit on both sides."""
    return np.int64(h + instance.slots[h] // 2)


@inner
def last_trip(instance, state, v):
    """The last trip of the vehicle of a trip; that one where a vehicle drives no more."""
    if not instance.chained:
        return np.int64(v)
    h = owner(instance, v)
    last = np.int64(h + instance.slots[h] - 1)
    while last > h and state.served[last] == 0:
        last -= 1
    return last


@inner
def stops_of(instance, state, v):
    """How many stops the vehicle of a trip serves, on all of its trips."""
    return state.driven[v, 2] if instance.chained else np.float64(state.served[v])


@inner
def opened(instance, state, v, opening):
    """What it costs to drive an empty route, its arcs aside; `opening` is the share that counts."""
    if not instance.chained:
        return opening * instance.fixed[v]
    price = state.opening[v]
    return 0.0 if opening == 0.0 and price < 1e300 else price


@inner
def onward(instance, state, place):
    """The place behind one, on the vehicle's next trip behind the end of one."""
    size = len(instance.service)
    place = np.int64(state.next[place])
    while instance.chained and place >= size and (place - size) % 2 == 1:
        s = (place - size) // 2 + 1
        if s == len(instance.head) or instance.head[s] != instance.head[s - 1]:
            break
        place = np.int64(state.next[size + 2 * s])
    return place


@inner
def on_stop(instance, state, place):
    """A place, or where it begins a trip the last stop before that; as it is if there is none."""
    size = len(instance.service)
    while instance.chained and place >= size and (place - size) % 2 == 0:
        s = (place - size) // 2
        if instance.head[s] == s:
            break
        place = np.int64(state.prev[place - 1])
    return place


@inner
def loaded_in_time(instance, state, ready, first, second):
    """Whether a trip that waits for the goods of new stops is on time, and all behind it.

    Args:
        instance: what is searched.
        state: where the search stands.
        ready: when these goods are at the depot.
        first: a new stop, and the place behind which it goes.
        second: another one behind it; -1 for none.
    """
    size, v = len(instance.service), np.int64(state.vehicle[first[1]])
    place, end, k = np.int64(size + 2 * v), np.int64(size + 2 * v + 1), np.int64(instance.kind[v])
    here, ahead = np.int64(state.place[place]), np.int64(state.next[place])
    if ready > instance.closes[here]:
        return False
    prefix = state.prefix[place]
    seconds, early, latest, late = merged(prefix[0], prefix[1], prefix[2], 0.0, ready, np.inf, 0.0)
    while True:
        j = ahead
        if place == first[1]:
            j = np.int64(first[0])
        elif second[0] >= 0 and place == second[1]:
            j = np.int64(second[0])
        elif ahead != end:
            ahead = np.int64(state.next[ahead])
        there = np.int64(state.place[j])
        arc_s = instance.drive[k, here, there]
        if j == end:
            rest = state.suffix[end]
            _, _, _, late = merged(seconds, early, latest, rest[0], rest[1], rest[2], arc_s)
            return late == 0.0
        seconds, early, latest, late = merged(
            seconds, early, latest, instance.service[j], instance.opens[j], instance.closes[j],
            arc_s,
        )  # fmt: skip
        if late > 0.0:
            return False
        place, here = j, there
