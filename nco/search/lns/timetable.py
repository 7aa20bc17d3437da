"""Compiled: the cheapest times of a route, with breaks, rests, traffic and all kinds of windows.

This is compiled by itself and called by address, so that other problems need not load it. The
labels of `nco.problem.timetable` lie in rows of `state.curve`: three banks of `LABELS` rows, where
a node is begun, where it is left, and where the next one is reached. Where there are more labels
than rows the later ones are dropped, which may cost too much and never too little.
"""

# mypy: allow-untyped-defs, allow-untyped-calls
# Numba types these functions by what they are called with.

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nco.search.lns.curves import begun, copied, cost_at, cut, later, never_above, opened
from nco.search.lns.operators import call
from nco.search.lns.options import compiled, inner
from nco.search.lns.segments import owner

if TYPE_CHECKING:
    from nco.search.lns.records import Instance, SearchState

LABELS = 32
ROWS = 3 * LABELS + 2  # two more for what is being worked out
NEVER = np.inf
_NEVER = 1e300


@inner
def arrival(instance, k, now, seconds):
    """When one arrives who drives so many usual seconds, by the traffic of a table of arcs."""
    factor = 1.0
    for n in range(instance.traffic_first[k], instance.traffic_first[k + 1]):
        begin = instance.traffic[n, 0]
        if begin > now:
            if seconds <= (begin - now) * factor:
                return now + seconds / factor
            seconds -= (begin - now) * factor
            now = begin
        factor = instance.traffic[n, 1]
    return now + seconds / factor


@inner
def _departure(instance, k, now, seconds):
    """When one must leave to arrive at a time."""
    for n in range(instance.traffic_first[k + 1] - 1, instance.traffic_first[k] - 1, -1):
        begin, factor = instance.traffic[n, 0], instance.traffic[n, 1]
        if begin < now:
            if seconds <= (now - begin) * factor:
                return now - seconds / factor
            seconds -= (now - begin) * factor
            now = begin
    return now - seconds


@inner
def _bend(state, row, time):
    """Puts a point into a curve where one is needed."""
    n = state.points[row]
    if n == 0 or n == state.curve.shape[1] or time <= state.curve[row, 0, 0]:
        return
    k = 1
    while k < n and state.curve[row, k, 0] < time:
        k += 1
    if k == n or state.curve[row, k, 0] == time:
        return
    cost = cost_at(state, row, time)
    for m in range(n, k, -1):
        state.curve[row, m, 0] = state.curve[row, m - 1, 0]
        state.curve[row, m, 1] = state.curve[row, m - 1, 1]
    state.curve[row, k, 0], state.curve[row, k, 1] = time, cost
    state.points[row] = n + 1


@inner
def _drive_on(instance, state, k, row, seconds):
    """Moves a curve by a drive."""
    if instance.traffic_first[k] == instance.traffic_first[k + 1]:
        later(state, row, seconds)
        return
    for n in range(instance.traffic_first[k], instance.traffic_first[k + 1]):
        begin = instance.traffic[n, 0]
        _bend(state, row, begin)
        _bend(state, row, _departure(instance, k, begin, seconds))
    for n in range(state.points[row]):
        state.curve[row, n, 0] = arrival(instance, k, state.curve[row, n, 0], seconds)


@inner
def _keep(state, bank, count, row):
    """Adds a label to a bank unless one there beats it; how many there are then."""
    if state.points[row] == 0 or count == LABELS:
        return count
    for n in range(bank, bank + count):
        if (
            state.taken[n] >= state.taken[row]
            and state.since_rest[n] <= state.since_rest[row]
            and never_above(state, n, row)
        ):
            return count
    to = bank + count
    copied(state, row, to)
    state.taken[to], state.since_rest[to] = state.taken[row], state.since_rest[row]
    return count + 1


@inner
def _breaks(instance, state, v, bank, count):
    """Adds to a bank what its labels become by breaks; how many there are then."""
    extra, moved = 3 * LABELS, 3 * LABELS + 1
    n = bank
    while n < bank + count:
        b = state.taken[n]
        if b < instance.breaks[v]:
            opens, closes = instance.pause[v, b, 0], instance.pause[v, b, 1]
            length = instance.pause[v, b, 2]
            copied(state, n, extra)
            if cut(state, extra, closes):
                opened(state, extra, moved, opens)
                later(state, moved, length)
                state.taken[moved], state.since_rest[moved] = b + 1, state.since_rest[n]
                if length >= instance.rest[v, 1]:
                    state.since_rest[moved] = 0.0
                count = _keep(state, bank, count, moved)
        n += 1
    return count


@inner
def _reach(instance, state, v, row, bank, count, seconds):
    """Adds to a bank what a label becomes by a drive; how many there are then."""
    k, extra, moved = instance.kind[v], 3 * LABELS, 3 * LABELS + 1
    longest, length = instance.rest[v, 0], instance.rest[v, 1]
    copied(state, row, extra)
    _drive_on(instance, state, k, extra, seconds)
    state.taken[extra], state.since_rest[extra] = state.taken[row], 0.0
    if longest == np.inf:
        count = _keep(state, bank, count, extra)
    else:
        driven, needed = state.since_rest[row] + seconds, 0
        while driven > longest * (1.0 + 1e-9):
            driven -= longest
            needed += 1
        later(state, extra, needed * length)
        state.since_rest[extra] = driven
        count = _keep(state, bank, count, extra)
        later(state, extra, length)
        state.since_rest[extra] = 0.0
        return _keep(state, bank, count, extra)
    b = state.taken[row]
    if b < instance.breaks[v] and instance.traffic_first[k] == instance.traffic_first[k + 1]:
        copied(state, row, extra)
        if cut(state, extra, instance.pause[v, b, 1]):  # a break on the road, or waiting behind it
            later(state, extra, seconds)
            opened(state, extra, moved, instance.pause[v, b, 0])
            later(state, moved, instance.pause[v, b, 2])
            state.taken[moved], state.since_rest[moved] = b + 1, 0.0
            count = _keep(state, bank, count, moved)
    return count


@inner
def _leave(instance, state, v, rate, released):
    """Fills the first bank with departures; how many labels there are."""
    count, rested, extra = 0, -np.inf, 3 * LABELS
    opens, closes = max(instance.leaves[v, 0], released), instance.leaves[v, 1]
    for b in range(instance.breaks[v] + 1):
        if b > 0:
            rested = max(rested, instance.pause[v, b - 1, 0]) + instance.pause[v, b - 1, 2]
        first, last = max(opens, rested), max(closes, min(released, instance.leaves[v, 2]))
        if first <= last:
            state.points[extra] = 2 if last > first else 1
            state.curve[extra, 0, 0], state.curve[extra, 0, 1] = first, -rate * first
            state.curve[extra, 1, 0], state.curve[extra, 1, 1] = last, -rate * last
            state.taken[extra], state.since_rest[extra] = b, 0.0
            count = _keep(state, 0, count, extra)
    return count


@inner
def _start(instance, state, bank, count, j, ready):
    """Fills the first bank with what it costs to begin at a node, for labels of another one.

    That is not before it is ready.
    """
    extra, kept = 3 * LABELS, 0
    for row in range(bank, bank + count):
        state.points[extra] = 0
        for w in range(instance.window_first[j], instance.window_first[j + 1]):
            opens, closes = max(instance.window[w, 0], ready), instance.window[w, 1]
            if opens <= closes:
                begun(instance, state, row, extra, j, opens, closes)
        state.taken[extra], state.since_rest[extra] = state.taken[row], state.since_rest[row]
        kept = _keep(state, 0, kept, extra)
    return kept


@inner
def _end(instance, state, v, count, rate):
    """What the cheapest label costs when the vehicle is back; infinite if none may be."""
    best, opens, closes = NEVER, instance.returns[v, 0], instance.returns[v, 1]
    after, price = instance.overtime[v, 0], instance.overtime[v, 1]
    for row in range(LABELS, LABELS + count):
        latest = closes
        for b in range(instance.breaks[v] - 1, state.taken[row] - 1, -1):
            latest = min(latest, instance.pause[v, b, 1])
            if b > state.taken[row]:
                latest -= instance.pause[v, b - 1, 2]
        extra, moved = 3 * LABELS, 3 * LABELS + 1
        copied(state, row, extra)
        opened(state, extra, moved, opens)
        if not cut(state, moved, latest):
            continue
        if price > 0.0:
            _bend(state, moved, after)
        for n in range(state.points[moved]):
            time = state.curve[moved, n, 0]
            over = price * max(0.0, time - after) if price > 0.0 else 0.0
            best = min(best, state.curve[moved, n, 1] + rate * time + over)
    return best


@inner
def _released(instance, state, place, first, second):
    """When a route may leave that begins at a place, for goods of its stops and of new ones."""
    ready = 0.0
    if len(instance.release) == 1:
        return ready
    j = np.int64(state.next[place])
    while j < len(instance.service):
        ready = max(ready, instance.release[j])
        j = np.int64(state.next[j])
    if first[0] >= 0 and state.vehicle[first[1]] == state.vehicle[place]:
        ready = max(ready, instance.release[first[0]])
        if second[0] >= 0:
            ready = max(ready, instance.release[second[0]])
    return ready


@inner
def _trip_from(instance, state, h, s, first):
    """The first trip of a vehicle from one of its places on, with a new stop; -1 if there is none.

    Of who drives a single trip it is that one.
    """
    if not instance.chained:
        return h
    new = np.int64(-1)
    if first[0] >= 0:
        new = np.int64(state.vehicle[first[1]])
    for n in range(s, h + instance.slots[h]):
        if state.served[n] > 0 or n == new:
            return np.int64(n)
    return np.int64(-1)


@inner
def _behind(place, ahead, first, second):
    """What comes behind a place: a new stop, or what is ahead on the route as it is."""
    if first[0] >= 0 and place == first[1]:
        return np.int64(first[0])
    if second[0] >= 0 and place == second[1]:
        return np.int64(second[0])
    return ahead


@inner
def _depot_behind(instance, state, end, further):
    """Where a trip ends, before a further one or as the last."""
    if further < 0:
        return np.int64(instance.place[end])
    if state.served[further] == 0:  # which is new
        return np.int64(state.place[len(instance.service) + 2 * further])
    return np.int64(state.place[end])


@inner
def cost_of_times(instance, state, v, rate, first, second):
    """What the cheapest times of a route cost; infinite if none keep all hours and breaks.

    Args:
        instance: what is searched.
        state: where the search stands.
        v: vehicle.
        rate: cost of a second on duty.
        first: a stop that is not on the route yet, and the place behind which it goes; or -1.
        second: another one behind it.
    """
    size, k = len(instance.service), np.int64(instance.kind[v])
    head = owner(instance, v)
    trip = _trip_from(instance, state, head, head, first)
    place, end = np.int64(size + 2 * trip), np.int64(size + 2 * trip + 1)
    here = np.int64(instance.place[place])
    count = _leave(instance, state, v, rate, _released(instance, state, place, first, second))
    at_stops = (
        instance.rest[v, 0] < np.inf or instance.traffic_first[k] < instance.traffic_first[k + 1]
    )
    ahead = np.int64(state.next[place])  # the next place of the route as it is
    while True:
        j, further = _behind(place, ahead, first, second), np.int64(-1)
        if j == ahead and ahead != end:
            ahead = np.int64(state.next[ahead])
        service = instance.service[place] if place < size else 0.0
        for row in range(count):
            later(state, row, service)
        if at_stops:
            count = _breaks(instance, state, v, 0, count)
        there = np.int64(state.place[j])
        if instance.chained and j == end:
            further = _trip_from(instance, state, head, trip + 1, first)
            there = _depot_behind(instance, state, end, further)
        seconds, reached = instance.drive[k, here, there], 0
        for row in range(count):
            reached = _reach(instance, state, v, row, LABELS, reached, seconds)
        reached = _breaks(instance, state, v, LABELS, reached)
        if reached == 0:
            return NEVER
        here = there
        if j != end:
            count, place = _start(instance, state, LABELS, reached, j, 0.0), j
        elif further < 0:
            return _end(instance, state, v, reached, rate)
        else:
            trip = further
            place, end = np.int64(size + 2 * trip), np.int64(size + 2 * trip + 1)
            ahead = np.int64(state.next[place])
            ready = _released(instance, state, place, first, second)
            count = _start(instance, state, LABELS, reached, here, ready)
        if count == 0:
            return NEVER


@compiled
def _price(instance, state, v):
    """Answers what `state.asked` asks of a vehicle: fills `state.answer`, see `ask`."""
    first, second = (state.asked[0], state.asked[1]), (state.asked[2], state.asked[3])
    state.answer[0] = cost_of_times(instance, state, v, instance.rate[v], first, second)
    if instance.watched and state.answer[0] < NEVER:
        dear = instance.dear  # a second on duty beside which nothing else counts
        state.answer[1] = cost_of_times(instance, state, v, dear, first, second) / dear


def address(instance: Instance, state: SearchState) -> int:
    """Where the compiled code of this file begins, which is loaded where it is needed alone."""
    return int(_price.address(instance, state, 0))


def loaded() -> bool:
    """Whether it has been compiled before."""
    return bool(_price.loaded)


@inner
def ask(instance, state, v, first, second):
    """What the cheapest times of a route cost; 1e300 if none keep all hours and breaks.

    `state.answer[1]` is then its shortest duty, where that must be known; a little more where hours
    are missed at a price.

    Args:
        instance: what is searched.
        state: where the search stands.
        v: vehicle.
        first: a stop that is not on the route yet, and the place behind which it goes; or -1.
        second: another one behind it.
    """
    state.asked[0], state.asked[1] = first
    state.asked[2], state.asked[3] = second
    call(instance.timetable, instance, state, v)
    cost = state.answer[0]
    if cost == NEVER or (
        instance.watched and instance.limited and state.answer[1] > instance.most[v, 0]
    ):
        return _NEVER
    return cost


@inner
def times_of(instance, state, v, used):
    """What the times of a vehicle cost if it is used, its shortest duty, and whether none do."""
    nobody = (np.int64(-1), np.int64(-1))
    cost, duty = 0.0, 0.0
    if used > 0:
        cost = ask(instance, state, v, nobody, nobody)
        duty = state.answer[1]
    broken = cost >= _NEVER
    return 0.0 if broken else cost, duty, broken


@inner
def follow_times(instance, state, v):
    """Works out anew what the times of a route cost; whether none keep all hours and breaks."""
    cost, duty, broken = times_of(instance, state, v, state.served[v])
    if instance.by_time:
        state.measure[v] = duty
    state.total[0] += cost - state.times_cost[v]
    state.times_cost[v] = cost
    return broken
