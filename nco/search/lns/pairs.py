"""Compiled: where the two stops of a shipment go, one after the other on one route.

The pickup is tried behind a place and the delivery behind each place from there on. What lies
before the delivery is merged stop by stop while it moves on, so a place takes a few operations
however long the route is (after M. W. P. Savelsbergh 1990, "An efficient implementation of local
search algorithms for constrained routing problems").
"""

# mypy: allow-untyped-defs, allow-untyped-calls
# Numba types these functions by what they are called with.

from __future__ import annotations

import numpy as np

from nco.search.lns.changes import longer_price
from nco.search.lns.options import inner
from nco.search.lns.peaks import more_for_peaks
from nco.search.lns.prices import more_for_times
from nco.search.lns.rules import beyond, carried_there, overloaded
from nco.search.lns.segments import loaded_in_time, merged, opened, stops_of
from nco.search.lns.ties import keeps_ties

_NEVER = 1e300


@inner
def _added(arcs, k, route, nodes, replaced):
    """What a shipment adds to a sum of arcs.

    `route` are the nodes before and behind the pickup and the delivery, `nodes` these two, and
    `replaced` says whether the route was driven before.
    """
    a, b, m, x = route
    p, d = nodes
    if m == p:  # one directly behind the other
        more = arcs[k, a, p] + arcs[k, p, d] + arcs[k, d, x]
        if replaced:
            more -= arcs[k, a, x]
        return more
    return (
        arcs[k, a, p] + arcs[k, p, b] - arcs[k, a, b]
        + arcs[k, m, d] + arcs[k, d, x] - arcs[k, m, x]
    )  # fmt: skip


@inner
def _within_limits(instance, state, v, route, nodes, seconds):
    """Whether a vehicle may go as far as it would with a shipment."""
    k, replaced = instance.kind[v], state.served[v] > 0
    metres = driving = 0.0
    if len(instance.length) > 1 or instance.length.shape[1] > 1:
        metres = state.driven[v, 0] + _added(instance.length, k, route, nodes, replaced)
    if instance.most[v, 2] < np.inf:
        driving = state.driven[v, 1] + _added(instance.drive, k, route, nodes, replaced)
    stops = stops_of(instance, state, v) + 2
    return not beyond(instance, v, stops, seconds, metres, driving)


@inner
def _fits_on(instance, state, v, n, d):
    """Whether loads are not too much with a delivery behind those in `carry[0]`, before place n."""
    for c in range(state.carry.shape[1]):
        state.carry[1, c] = state.carry[0, c]
    carried_there(instance, state.carry[1], d)
    return not overloaded(instance, state, v, 1, n)


@inner
def _too_much(instance, state, v):
    """Whether what `carry[0]` holds is more than a vehicle does."""
    for c in range(instance.capacity.shape[1]):
        if state.carry[0, 3 * c + 2] > instance.capacity[v, c]:
            return True
    return False


@inner
def _seconds_with(instance, state, v, route, nodes, ends, so_far):
    """Seconds of a route with a delivery before place `ends[1]`; -1 where a rule is broken.

    `so_far` is the segment up to place `ends[0]`, with the pickup behind place `ends[2]`.
    """
    k, (p, d), (_, _, u, w), (m, x, i) = instance.kind[v], nodes, route, ends
    whole, latest = 0.0, np.inf
    if len(instance.ties) > 0 and not keeps_ties(instance, state, d, np.int64(state.prev[x])):
        return -1.0
    if instance.times:
        whole, first, last, time_warp = merged(
            so_far[0], so_far[1], so_far[2], instance.service[d], instance.opens[d],
            instance.closes[d], instance.drive[k, u, d],
        )  # fmt: skip
        if time_warp > 0.0:
            return -1.0
        behind = state.suffix[x]
        whole, first, latest, time_warp = merged(
            whole, first, last, behind[0], behind[1], behind[2], instance.drive[k, d, w]
        )
        if time_warp > 0.0:
            return -1.0
    if instance.loads and not _fits_on(instance, state, v, x, d):
        return -1.0
    if instance.limited and not _within_limits(instance, state, v, route, nodes, whole):
        return -1.0
    if len(instance.release) > 1:
        ready = max(state.released[v], instance.release[p], instance.release[d])
        if instance.chained:
            first, second = (p, i), (d, m)
            late = ready > state.released[v]
            if late and not loaded_in_time(instance, state, ready, first, second):
                return -1.0
        elif ready > latest:
            return -1.0
    return whole


@inner
def _price(instance, state, v, route, nodes, put):
    """What a shipment adds to prices of time on duty and of the longest route.

    `put` are the places behind which its stops go, and the seconds of the route with them.
    """
    (i, m, seconds), (p, d) = put, nodes
    more = 0.0
    if instance.peaks != 0:
        more = more_for_peaks(instance, state, v, (np.int64(p), i), (d, m))
    if instance.timetabled:
        more += more_for_times(instance, state, v, (np.int64(p), i), (d, m))
        if instance.longest == 0.0 or instance.by_time:
            return more
        return more + _longer(instance, state, v, route, nodes, seconds)
    price = more + instance.per_s[v] * (seconds - state.duty[v])
    if instance.longest > 0.0:
        price += _longer(instance, state, v, route, nodes, seconds)
    return price


@inner
def _longer(instance, state, v, route, nodes, seconds):
    """What a shipment adds to the price of the longest route."""
    measure = seconds
    if not instance.by_time:
        replaced = state.served[v] > 0
        more = _added(instance.metres, instance.kind[v], route, nodes, replaced)
        measure = state.measure[v] + np.float64(more)
    return longer_price(instance, state, v, measure)


@inner
def _onward(instance, so_far, k, u, x):
    """A segment that ends at node u with the stop x behind it, and whether no window is missed."""
    if not instance.times:
        return so_far, True
    seconds, early, latest, time_warp = merged(
        so_far[0], so_far[1], so_far[2], instance.service[x], instance.opens[x],
        instance.closes[x], instance.drive[k, u, x],
    )  # fmt: skip
    return (seconds, early, latest), time_warp == 0.0


@inner
def pair_delta(instance, state, p, i, opening, bound):
    """What it costs to put a shipment on a route with its pickup behind a place.

    Fills `state.second` with the place behind which its delivery costs least.

    Args:
        instance: what is searched.
        state: where the search stands.
        p: pickup.
        i: place.
        opening: share of a vehicle's fixed cost that counts.
        bound: beyond which the cost does not matter.

    Returns:
        The cost, or 1e300 where the shipment fits nowhere so or costs more than the bound.
    """
    v, d, size = np.int64(state.vehicle[i]), np.int64(instance.mate[p]), len(instance.service)
    m, x = np.int64(p), np.int64(state.next[i])  # places between which the delivery is tried
    k, a, b = instance.kind[v], state.place[i], state.place[x]
    base = np.float64(instance.cost_into[k, p, a]) - state.leaving[i]
    if not state.served[v]:
        base += opened(instance, state, v, opening)
    apart = base + np.float64(instance.cost[k, p, b])
    begun = state.prefix[i if instance.times else 0]
    so_far, in_time = _onward(instance, (begun[0], begun[1], begun[2]), k, a, m)
    if not in_time or (len(instance.ties) > 0 and not keeps_ties(instance, state, p, i)):
        return _NEVER
    if instance.loads:
        for c in range(state.carry.shape[1]):
            state.carry[0, c] = state.ahead[i, c]
        carried_there(instance, state.carry[0], p)
    # What is priced beside arcs may be saved, so that dearer arcs are no reason to pass over.
    priced = instance.per_s[v] > 0.0 or instance.longest > 0.0 or instance.timetabled
    priced = priced or instance.peaks != 0
    best = bound
    while not (instance.loads and _too_much(instance, state, v)):
        u, w = state.place[m], state.place[x]
        delta = base if m == p else apart - state.leaving[m]
        delta += np.float64(instance.cost_into[k, d, u]) + np.float64(instance.cost[k, d, w])
        if delta < best or priced:
            route, nodes = (a, b, u, w), (p, d)
            whole = _seconds_with(instance, state, v, route, nodes, (m, x, np.int64(i)), so_far)
            if whole >= 0.0:
                delta += _price(instance, state, v, route, nodes, (np.int64(i), m, whole))
            if whole >= 0.0 and delta < best:
                best, state.second[0] = delta, m
        if x >= size:
            break
        so_far, in_time = _onward(instance, so_far, k, u, x)
        if not in_time:
            break
        if instance.loads:
            carried_there(instance, state.carry[0], x)
        m, x = x, np.int64(state.next[x])
    return best if best < bound else _NEVER
