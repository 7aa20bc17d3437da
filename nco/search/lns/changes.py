"""Compiled changes of routes: a stop put in, a stop taken out, changes taken back.

Times of a route follow from segments, after T. Vidal et al. (2013, "A hybrid genetic algorithm with
adaptive diversity management for a large class of vehicle routing problems with time windows"):
of a part of a route one needs to know how many seconds it takes at least, and between which times
it then begins; two parts are merged in a few operations.
"""

# mypy: allow-untyped-defs, allow-untyped-calls
# Numba types these functions by what they are called with.

from __future__ import annotations

import numpy as np

from nco.search.lns.operators import call
from nco.search.lns.options import compiled, inner, pasted
from nco.search.lns.peaks import cost_of_peaks, follow_peaks
from nco.search.lns.rules import follow_rules
from nco.search.lns.segments import merged, owner
from nco.search.lns.timetable import follow_times

SMOOTH = 1e-3  # weight of the mean square of routes, beside the longest


@compiled
def nearest(far, columns, values):
    """Fills rows of `columns` with those of the smallest entries of rows of `far`, in order.

    Where fewer entries are finite, the rest is left. `values` is overwritten.
    """
    for row in range(len(far)):
        count = 0
        for column in range(far.shape[1]):
            x = far[row, column]
            if x < np.inf and (count < len(values) or x < values[count - 1]):
                place = min(count, len(values) - 1)
                count = min(count + 1, len(values))
                while place > 0 and values[place - 1] > x:
                    values[place] = values[place - 1]
                    columns[row, place] = columns[row, place - 1]
                    place -= 1
                values[place], columns[row, place] = x, column


@inner
def copy(to, given):
    """Fills a vector; assignment of arrays would allocate."""
    for n in range(len(to)):
        to[n] = given[n]


@inner
def arc(instance, state, k, i, j):
    """Cost of an arc between places, for a kind of vehicle."""
    return np.float64(instance.cost[k, state.place[i], state.place[j]])


@inner
def _put_in(instance, state, j, before):
    """Puts a stop behind a place: costs, loads and neighbours."""
    v, behind = state.vehicle[before], state.next[before]
    k = instance.kind[v]
    there, away = arc(instance, state, k, before, j), arc(instance, state, k, j, behind)
    delta = there + away - state.leaving[before]
    state.leaving[before], state.leaving[j] = there, away
    if not state.served[v]:
        delta += instance.fixed[v]
    state.total[0] += delta - instance.prize[j]
    g = instance.group[j]
    if g >= 0:
        if not state.group_served[g]:
            state.total[0] -= instance.group_prize[g]
        state.group_served[g] += 1
    if instance.longest > 0.0 and not instance.by_time:
        a, b, n = state.place[before], state.place[behind], instance.metres
        state.measure[v] += np.float64(n[k, a, j]) + np.float64(n[k, j, b])
        if state.served[v]:
            state.measure[v] -= np.float64(n[k, a, b])
    for c in range(state.load.shape[1]):
        state.load[v, c] += instance.demand[j, c]
    state.served[v] += 1
    state.next[before], state.prev[j], state.next[j], state.prev[behind] = j, before, behind, j
    state.vehicle[j] = v
    if instance.follows[j]:
        return
    at, last = state.bank_at[j], state.bank_size[0] - 1
    other = state.bank[last]
    state.bank[at], state.bank_at[other] = other, at
    state.bank_at[j] = -1
    state.bank_size[0] = last


@inner
def _take_out(instance, state, j):
    """Takes a stop out: costs, loads and neighbours."""
    v, before, behind = state.vehicle[j], state.prev[j], state.next[j]
    k = instance.kind[v]
    state.served[v] -= 1
    delta = state.leaving[before] + state.leaving[j]
    state.leaving[before] = 0.0
    if state.served[v]:
        state.leaving[before] = arc(instance, state, k, before, behind)
        delta -= state.leaving[before]
    else:
        delta += instance.fixed[v]
    state.total[0] += instance.prize[j] - delta
    g = instance.group[j]
    if g >= 0:
        state.group_served[g] -= 1
        if not state.group_served[g]:
            state.total[0] += instance.group_prize[g]
    if instance.longest > 0.0 and not instance.by_time:
        a, b, n = state.place[before], state.place[behind], instance.metres
        state.measure[v] -= np.float64(n[k, a, j]) + np.float64(n[k, j, b])
        if state.served[v]:
            state.measure[v] += np.float64(n[k, a, b])
    for c in range(state.load.shape[1]):
        state.load[v, c] -= instance.demand[j, c]
    state.next[before], state.prev[behind] = behind, before
    state.vehicle[j] = -1
    state.moves[0] += 1
    state.moved[j] = state.moves[0]
    _bank(instance, state, j)


@inner
def _bank(instance, state, j):
    """Notes that a stop is left out; the delivery of a shipment comes with its pickup."""
    if not instance.follows[j]:
        count = state.bank_size[0]
        state.bank[count], state.bank_at[j] = j, count
        state.bank_size[0] = count + 1


@inner
def refresh(instance, state, v):
    """Works out the times of a route anew, and what its duty costs."""
    if instance.chained:
        call(instance.chain, instance, state, owner(instance, v))
        return
    begin = len(instance.service) + 2 * v
    end, k = begin + 1, instance.kind[v]
    prefix, suffix = state.prefix, state.suffix
    prefix[begin, 0], prefix[begin, 1] = 0.0, instance.opens[begin]
    prefix[begin, 2] = instance.closes[begin]
    i, time_warp = begin, 0.0
    while i != end:
        j = state.next[i]
        a, b = state.place[i], state.place[j]
        service = instance.service[b]
        prefix[j, 0], prefix[j, 1], prefix[j, 2], missed = merged(
            prefix[i, 0], prefix[i, 1], prefix[i, 2], service, instance.opens[j],
            instance.closes[j], instance.drive[k, a, b],
        )  # fmt: skip
        time_warp += missed
        i = j
    broken = time_warp > 0.0
    if instance.ruled and follow_rules(instance, state, v, prefix[end, 0], prefix[end, 2]):
        broken = True
    if instance.timetabled and follow_times(instance, state, v):
        broken = True
    if instance.peaks != 0:
        follow_peaks(instance, state, v)
    if state.late[v] != (broken and state.served[v] > 0):
        state.late[v] = not state.late[v]
        state.total[0] += instance.barred if state.late[v] else -instance.barred
    suffix[end, 0], suffix[end, 1], suffix[end, 2] = 0.0, instance.opens[end], instance.closes[end]
    j = end
    while j != begin:
        i = state.prev[j]
        a, b = state.place[i], state.place[j]
        service = instance.service[a]
        suffix[i, 0], suffix[i, 1], suffix[i, 2], _ = merged(
            service, instance.opens[i], instance.closes[i], suffix[j, 0], suffix[j, 1],
            suffix[j, 2], instance.drive[k, a, b],
        )  # fmt: skip
        j = i
    duty = prefix[end, 0] if state.served[v] else 0.0
    state.total[0] += instance.per_s[v] * (duty - state.duty[v])
    state.duty[v] = duty
    if instance.longest > 0.0 and instance.by_time and not instance.timetabled:
        state.measure[v] = duty


@inner
def _soil(state, v):
    """Notes that the times of a route are out of date."""
    if not state.dirty[v]:
        state.dirty[v] = True
        state.stale[state.stale_size[0]] = v
        state.stale_size[0] += 1


@inner
def insert(instance, state, j, before):
    """Puts a stop behind a place, and keeps all that is known of routes up to date.

    The other end of its shipment, if there is one, comes behind the place `state.second[0]`.
    """
    _put_in(instance, state, j, before)
    _note(state, j, np.int64(-1))
    mate = np.int64(instance.mate[j])
    if mate >= 0:
        _put_in(instance, state, mate, state.second[0])
        _note(state, mate, np.int64(-1))
    if instance.times:
        refresh(instance, state, np.int64(state.vehicle[j]))


@inner
def _note(state, j, before):
    """Logs a change of a stop: the place that it was taken from, or -1."""
    entry = state.log_size[0]
    state.log[entry, 0], state.log[entry, 1] = j, before
    state.log_size[0] = entry + 1


@compiled
def remove(instance, state, j):
    """Takes a stop out, with the other end of its shipment if there is one.

    Times of the route are out of date until `settle`.
    """
    _remove(instance, state, j)
    mate = np.int64(instance.mate[j])
    if mate >= 0:
        _remove(instance, state, mate)


@inner
def _remove(instance, state, j):
    """Takes a single stop out."""
    _note(state, j, np.int64(state.prev[j]))
    _soil(state, state.vehicle[j])
    _take_out(instance, state, j)


@inner
def following(instance, state, j):
    """The place behind a stop when that has been removed."""
    behind = np.int64(state.next[j])
    return np.int64(state.next[behind]) if behind == instance.mate[j] else behind


@compiled
def settle(instance, state):
    """Brings the times of all routes up to date."""
    for n in range(state.stale_size[0]):
        v = state.stale[n]
        state.dirty[v] = False
        if instance.times and not (instance.chained and _another_waits(instance, state, n)):
            refresh(instance, state, v)
    state.stale_size[0] = 0


@inner
def _another_waits(instance, state, n):
    """Whether behind a route whose times are out of date there is another of its vehicle."""
    h = owner(instance, np.int64(state.stale[n]))
    for m in range(n + 1, state.stale_size[0]):
        if owner(instance, np.int64(state.stale[m])) == h:
            return True
    return False


@compiled
def take_back(instance, state, total):
    """Undoes all that the log holds; the cost becomes what it was, to the last digit."""
    for entry in range(state.log_size[0] - 1, -1, -1):
        j, before = state.log[entry]
        if before < 0:
            _soil(state, state.vehicle[j])
            _take_out(instance, state, j)
        else:
            _put_in(instance, state, j, before)
            _soil(state, state.vehicle[j])
    state.log_size[0] = 0
    settle(instance, state)
    state.total[0] = total


@pasted
def _empty(instance, state):
    """Takes all stops out of a state but for its successors. Loops compile faster than slices."""
    for i in range(len(state.leaving)):
        state.leaving[i] = 0.0
    for j in range(len(instance.service)):
        state.vehicle[j] = state.bank_at[j] = -1
    state.bank_size[0] = state.log_size[0] = state.stale_size[0] = state.until_blink[0] = 0
    state.total[0] = 0.0
    for g in range(len(instance.group_prize)):
        state.group_served[g] = 0
    for v in range(len(instance.kind)):
        state.served[v], state.measure[v], state.duty[v] = 0, 0.0, 0.0
        state.times_cost[v] = state.paid[v] = 0.0
        state.late[v] = state.dirty[v] = False
        for c in range(state.load.shape[1]):
            state.load[v, c] = 0.0


@inner
def _sum_up(instance, state, v):
    """What a route costs and holds, from its successors; neighbours and vehicles of its stops."""
    begin, k = len(instance.service) + 2 * v, instance.kind[v]
    end = begin + 1
    state.vehicle[begin] = state.vehicle[end] = v
    i = begin
    while i != end:
        j = state.next[i]
        state.prev[j] = i
        if j != end or state.served[v]:
            state.leaving[i] = arc(instance, state, k, i, j)
            state.total[0] += state.leaving[i]
            if instance.longest > 0.0 and not instance.by_time:
                a, b = state.place[i], state.place[j]
                state.measure[v] += np.float64(instance.metres[k, a, b])
        if j != end:
            state.vehicle[j] = v
            state.served[v] += 1
            if instance.group[j] >= 0:
                state.group_served[instance.group[j]] += 1
            for c in range(state.load.shape[1]):
                state.load[v, c] += instance.demand[j, c]
        i = j


@compiled
def rebuild(instance, state, successors):
    """Fills a state from successors `[N + 2 M]`; also frees sums from what rounding added up to."""
    copy(state.next, successors)
    _empty(instance, state)
    for v in range(len(instance.kind)):
        _sum_up(instance, state, v)
        if state.served[v]:
            state.total[0] += instance.fixed[v]
        if instance.times and not instance.chained:
            refresh(instance, state, v)
    if instance.chained:
        for v in range(len(instance.kind)):
            if instance.head[v] == v:
                refresh(instance, state, v)
    for j in instance.stops:
        if state.vehicle[j] < 0:
            _bank(instance, state, j)
            state.total[0] += instance.prize[j]
    for g in range(len(instance.group_prize)):
        if not state.group_served[g]:
            state.total[0] += instance.group_prize[g]


@compiled
def objective(instance, state):
    """What is minimised: the total, and the longest route where that counts."""
    total = state.total[0]
    if instance.longest > 0.0:
        longest, squares = 0.0, 0.0
        for measure in state.measure:
            longest = max(longest, measure)
            squares += measure * measure
        if longest > 0.0:
            squares /= len(state.measure) * longest
            total += instance.longest * (longest + SMOOTH * squares)
    if instance.peaks != 0:
        total += cost_of_peaks(instance, state)
    return total


@inner
def longer_price(instance, state, v, measure):
    """Price of a longer route: of what is beyond the longest one, and of being longer at all.

    The latter is linear in squares, so that of two routes the shorter one grows.
    """
    own, longest = state.measure[v], 0.0
    for other in state.measure:
        longest = max(longest, other)
    if measure <= 0.0:
        return 0.0
    squares = (measure * measure - own * own) / (2.0 * max(longest, measure))
    return instance.longest * (max(0.0, measure - longest) + squares)
