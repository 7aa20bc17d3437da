"""Compiled: the places where a stop may go, and what it costs there.

A stop is tried beside its nearest nodes and on an idle vehicle of each kind; everywhere, if it fits
nowhere there.
"""

# mypy: allow-untyped-defs, allow-untyped-calls
# Numba types these functions by what they are called with.

from __future__ import annotations

import numpy as np

from nco.kernels.draws import below, uniform
from nco.search.lns.changes import longer_price
from nco.search.lns.options import inner, pasted
from nco.search.lns.pairs import pair_delta
from nco.search.lns.peaks import more_for_peaks
from nco.search.lns.prices import more_for_times
from nco.search.lns.rules import allowed
from nco.search.lns.segments import merged, middle, opened

BLINK = 0.01  # chance that a place is overlooked (Christiaens and Vanden Berghe 2020)
NEVER = 1e300  # more than anything costs
LOG_SEEN = np.log(1.0 - BLINK)


@pasted
def _delta(instance, state, j, i, opening, bound):
    """What it costs to put a stop behind a place; `NEVER` if it cannot be, or exceeds a bound.

    `opening` is the share of a vehicle's fixed cost that counts.
    """
    v, n = state.vehicle[i], state.next[i]
    for c in range(state.load.shape[1]):
        if state.load[v, c] + instance.demand[j, c] > instance.capacity[v, c]:
            return NEVER
    k, a, b = instance.kind[v], state.place[i], state.place[n]
    delta = np.float64(instance.cost_into[k, j, a]) + np.float64(instance.cost[k, j, b])
    delta -= state.leaving[i]
    if not state.served[v]:
        delta += opened(instance, state, v, opening)
    if delta >= bound and not _saves(instance, v, k, a, j, b):
        return NEVER
    if instance.times:
        prefix, suffix = state.prefix[i], state.suffix[n]
        seconds, early, latest, time_warp = merged(
            prefix[0], prefix[1], prefix[2], instance.service[j], instance.opens[j],
            instance.closes[j], instance.drive[k, a, j],
        )  # fmt: skip
        if time_warp > 0.0:
            return NEVER
        seconds, early, latest, time_warp = merged(
            seconds, early, latest, suffix[0], suffix[1], suffix[2], instance.drive[k, j, b]
        )
        if time_warp > 0.0:
            return NEVER
        if instance.ruled and not allowed(instance, state, j, i, seconds, latest):
            return NEVER
        delta += _more_time(instance, state, j, i, seconds)
        if delta >= NEVER:
            return NEVER
    if instance.longest > 0.0 and not instance.by_time:
        metres = instance.metres
        longer = state.measure[v] + np.float64(metres[k, a, j]) + np.float64(metres[k, j, b])
        if state.served[v]:
            longer -= np.float64(metres[k, a, b])
        delta += longer_price(instance, state, v, longer)
    return delta


@inner
def _more_time(instance, state, j, i, seconds):
    """What a stop behind a place adds to prices of time; at least `NEVER` if it cannot be.

    Those of makespan and longest leg are among them.
    """
    v, nobody, price = np.int64(state.vehicle[i]), np.int64(-1), 0.0
    new, none = (np.int64(j), np.int64(i)), (nobody, nobody)
    if instance.peaks != 0:
        price = more_for_peaks(instance, state, v, new, none)
    if instance.timetabled:
        return price + more_for_times(instance, state, v, new, none)
    price += instance.per_s[v] * (seconds - state.duty[v])
    if instance.longest > 0.0 and instance.by_time:
        price += longer_price(instance, state, v, seconds)
    return price


@pasted
def _saves(instance, v, k, a, j, b):
    """Whether a detour may lower what is priced beside arcs: time on duty, or a longest route.

    It does not where it takes as long as the arc that it replaces: without the stop, a vehicle
    could wait instead, so that the route takes no longer then (and likewise with metres).
    """
    if instance.peaks != 0:
        return True
    timed = instance.per_s[v] > 0.0 or instance.timetabled
    if instance.longest > 0.0:
        if instance.by_time:
            timed = True
        else:
            metres = instance.metres
            if metres[k, a, j] + metres[k, j, b] < metres[k, a, b]:
                return True
    if not timed:
        return False
    drive = instance.drive
    return drive[k, a, j] + instance.service[j] + drive[k, j, b] < drive[k, a, b]


@pasted
def cost_behind(instance, state, j, i, opening, bound):
    """`_delta` of a stop, or of a shipment with its pickup behind a place."""
    if instance.mate[j] >= 0:
        return pair_delta(instance, state, j, i, opening, bound)
    return _delta(instance, state, j, i, opening, bound)


@pasted
def near(instance, state, j, log_seen, wanted):
    """Fills `trial` with places beside a stop's nearest nodes and on idle vehicles; how many.

    `log_seen` is the logarithm of the chance that a place is seen; at 0 none is overlooked. Of
    idle vehicles one of each kind is tried, or one of a wanted kind.
    """
    count = 0
    for side in range(2):
        for n in instance.before[j] if side == 0 else instance.behind[j]:
            if n < 0:
                break
            if state.vehicle[n] >= 0:
                state.until_blink[0] -= 1
                if state.until_blink[0] < 0 and log_seen < 0.0:
                    state.until_blink[0] = int(np.log(1.0 - uniform(state.bits)) / log_seen)
                    continue
                state.trial[count] = n if side == 0 else state.prev[n]
                count += 1
    kinds = len(instance.first) - 1
    # Where two kinds cost the same for a stop, either may be the better one for those that follow.
    other = wanted if wanted >= 0 else below(state.bits, kinds) if kinds > 1 else 0
    for _ in range(1 if wanted >= 0 else kinds):
        count = _idle(instance, state, other, count)
        other = (other + 1) % kinds
    return count


@inner
def _idle(instance, state, kind, count):
    """Puts the first idle vehicle of a kind into `trial`; how many there are then."""
    if instance.chained:
        return _further(instance, state, kind, count)
    for v in range(instance.first[kind], instance.first[kind + 1]):
        if state.served[v] == 0:
            state.trial[count] = len(instance.service) + 2 * v
            return count + 1
    return count


@inner
def _further(instance, state, kind, count):
    """Puts further trips into `trial`: of vehicles in use, one of each, and of one that is idle."""
    size, idle = len(instance.service), True
    h = np.int64(instance.first[kind])
    while h < instance.first[kind + 1]:
        slots = instance.slots[h]
        if state.trips[h] > 0:
            for s in range(h, h + slots):
                if state.served[s] == 0 and state.opening[s] < NEVER:
                    state.trial[count] = size + 2 * s
                    count += 1
        elif idle:
            state.trial[count] = size + 2 * middle(instance, h)
            count, idle = count + 1, False
        h += slots
    return count


@pasted
def everywhere(instance, state, j, wanted):
    """Fills `trial` with all places on vehicles that have room for a stop; how many.

    Where a kind was wanted, idle vehicles of the others have not been tried.
    """
    count, size = 0, len(instance.service)
    if wanted >= 0:
        for kind in range(len(instance.first) - 1):
            count = _idle(instance, state, kind, count)
    for v in range(len(state.served)):
        if state.served[v] and _fits(instance, state, j, v):
            i = size + 2 * v
            while i != size + 2 * v + 1:
                state.trial[count] = i
                count += 1
                i = state.next[i]
    return count


@inner
def worth_of(instance, state, j):
    """What a stop may cost to be inserted rather than left out; of a shipment, both stops."""
    worth, g = instance.prize[j], instance.group[j]
    if g >= 0:
        if state.group_served[g]:
            return -NEVER
        worth = instance.group_prize[g]
    if instance.mate[j] >= 0:
        worth += instance.prize[instance.mate[j]]
    if worth < instance.reward and uniform(state.bits) < state.bold[0]:
        worth = instance.reward
    return worth


@pasted
def _fits(instance, state, j, v):
    """Whether a vehicle has room for a stop."""
    for c in range(state.load.shape[1]):
        if state.load[v, c] + instance.demand[j, c] > instance.capacity[v, c]:
            return False
    return True
