"""Compiled: the trips that a vehicle drives one after the other, at any of several depots between.

Each vehicle has places for several trips in a row, more than it may drive, so that there is nearly
always an empty one between two others. What is known of a part of a trip is known of the whole day
up to it, or behind it, so that a stop is tried on one of several trips as on a single one. Between
two trips a vehicle loads where that costs least, of the depots from which the next one begins in
time; so where trips begin and end follows from their stops.

This is compiled by itself and called by address, so that other problems need not load it.
"""

# mypy: allow-untyped-defs, allow-untyped-calls
# Numba types these functions by what they are called with.

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nco.search.lns.options import compiled, inner
from nco.search.lns.peaks import follow_peaks
from nco.search.lns.rules import beyond, follow_loads
from nco.search.lns.segments import last_trip, merged, middle
from nco.search.lns.timetable import times_of

if TYPE_CHECKING:
    from nco.search.lns.records import Instance, SearchState

_NEVER = 1e300


@inner
def _keep(row, part):
    """Writes a segment down; seconds that it is late are handed back."""
    row[0], row[1], row[2], late = part
    return late


@inner
def _drive_to(state, i, leaving):
    """Puts the cost of the arc that leaves a place in order."""
    state.total[0] += leaving - state.leaving[i]
    state.leaving[i] = leaving


@inner
def _ready(instance, state, s):
    """When the goods of a trip are at the depot."""
    ready = 0.0
    if len(instance.release) > 1:
        j = np.int64(state.next[len(instance.service) + 2 * s])
        while j < len(instance.service):
            ready = max(ready, instance.release[j])
            j = np.int64(state.next[j])
    return ready


@inner
def _lateness(instance, state, k, i, s, d):
    """Seconds that a trip is late behind a place if its vehicle loads at a depot in between."""
    size, prefix = len(instance.service), state.prefix[i]
    seconds, early, latest, late = merged(
        prefix[0], prefix[1], prefix[2], 0.0, instance.opens[d], instance.closes[d],
        instance.drive[k, i, d],
    )  # fmt: skip
    here, j = d, np.int64(state.next[size + 2 * s])
    seconds, early, latest, more = merged(
        seconds, early, latest, 0.0, max(instance.opens[d], state.released[s]), instance.closes[d],
        0.0,
    )  # fmt: skip
    late += more
    while j < size:
        seconds, early, latest, more = merged(
            seconds, early, latest, instance.service[j], instance.opens[j], instance.closes[j],
            instance.drive[k, here, j],
        )  # fmt: skip
        late += more
        here, j = j, np.int64(state.next[j])
    return late


@inner
def _between(instance, state, h, i, s):
    """The depot between a stop and the trip behind it: in time if it can be, and cheap."""
    k, first = instance.kind[h], state.next[len(instance.service) + 2 * s]
    best = np.int64(instance.reload[h, 0])
    if instance.reload.shape[1] == 1 or instance.reload[h, 1] < 0:
        return best
    least_late, least = np.inf, np.inf
    for n in range(instance.reload.shape[1]):
        d = np.int64(instance.reload[h, n])
        if d < 0:
            break
        cost = np.float64(instance.cost[k, i, d]) + np.float64(instance.cost[k, d, first])
        late = _lateness(instance, state, k, i, s, d)
        if late < least_late or (late == least_late and cost < least):
            best, least_late, least = d, late, cost
    return best


@inner
def _nearest(instance, h, known, j, into):
    """The depot to load at nearest to a stop, or a known one if the vehicle may load there."""
    k, best, least = instance.kind[h], np.int64(instance.reload[h, 0]), np.inf
    for n in range(instance.reload.shape[1]):
        d = np.int64(instance.reload[h, n])
        if d < 0:
            break
        if d == known:
            return d
        cost = np.float64(instance.cost[k, j, d] if into else instance.cost[k, d, j])
        if cost < least:
            best, least = d, cost
    return best


@inner
def _ahead(instance, state, h):
    """Follows the day from its beginning: depots, arcs and times; whether something is late."""
    size, k = len(instance.service), instance.kind[h]
    last, late, broken = np.int64(-1), 0.0, False  # the last stop of the trip before
    for s in range(h, h + instance.slots[h]):
        state.released[s] = 0.0
        if state.served[s] == 0:
            continue
        b, e = np.int64(size + 2 * s), np.int64(size + 2 * s + 1)
        state.released[s] = _ready(instance, state, s)
        opens, closes = instance.opens[b], instance.closes[b]
        if last < 0:
            state.place[b] = instance.place[b]
            late += _keep(state.prefix[b], (0.0, max(opens, state.released[s]), closes, 0.0))
        else:
            d, before = _between(instance, state, h, last, s), state.next[last]
            state.place[before] = state.place[b] = d
            _drive_to(state, last, np.float64(instance.cost[k, last, d]))
            opens, closes, prefix = instance.opens[d], instance.closes[d], state.prefix[last]
            late += _keep(
                state.prefix[before],
                merged(
                    prefix[0], prefix[1], prefix[2], 0.0, opens, closes, instance.drive[k, last, d]
                ),
            )
            prefix = state.prefix[before]
            late += _keep(
                state.prefix[b],
                merged(
                    prefix[0], prefix[1], prefix[2], 0.0, max(opens, state.released[s]), closes, 0.0
                ),
            )
        broken |= state.released[s] > closes
        i, j = b, np.int64(state.next[b])
        _drive_to(state, b, np.float64(instance.cost[k, state.place[b], j]))
        while j != e:
            prefix = state.prefix[i]
            late += _keep(
                state.prefix[j],
                merged(
                    prefix[0], prefix[1], prefix[2], instance.service[j], instance.opens[j],
                    instance.closes[j], instance.drive[k, state.place[i], j],
                ),
            )  # fmt: skip
            i, j = j, np.int64(state.next[j])
        last = i
    if last >= 0:
        e = np.int64(state.next[last])
        d = instance.place[e]
        state.place[e] = d
        _drive_to(state, last, np.float64(instance.cost[k, last, d]))
        prefix = state.prefix[last]
        late += _keep(
            state.prefix[e],
            merged(
                prefix[0], prefix[1], prefix[2], 0.0, instance.opens[e], instance.closes[e],
                instance.drive[k, last, d],
            ),
        )  # fmt: skip
    return broken or late > 0.0


@inner
def _back(instance, state, h, earliest):
    """Follows the day from its end backwards; `earliest` is its first trip."""
    size, k = len(instance.service), instance.kind[h]
    first = np.int64(-1)  # where the trip behind begins
    for s in range(h + instance.slots[h] - 1, h - 1, -1):
        if state.served[s] == 0:
            continue
        b, e = np.int64(size + 2 * s), np.int64(size + 2 * s + 1)
        d = state.place[e]
        if first < 0:
            _keep(state.suffix[e], (0.0, instance.opens[e], instance.closes[e], 0.0))
        else:
            behind = state.suffix[first]
            _keep(
                state.suffix[e],
                merged(
                    0.0, instance.opens[d], instance.closes[d], behind[0], behind[1], behind[2], 0.0
                ),
            )
        j, i = e, np.int64(state.prev[e])
        while i != b:
            behind = state.suffix[j]
            _keep(
                state.suffix[i],
                merged(
                    instance.service[i], instance.opens[i], instance.closes[i], behind[0],
                    behind[1], behind[2], instance.drive[k, i, state.place[j]],
                ),
            )  # fmt: skip
            j, i = i, np.int64(state.prev[i])
        first = b
        _begin(instance, state, s, np.int64(state.place[b]), b, s != earliest)


@inner
def _begin(instance, state, s, d, place, again):
    """The segment of a trip from a depot and what follows it, if another one came before or not."""
    size, k = len(instance.service), instance.kind[s]
    b = size + 2 * s
    opens, closes = instance.opens[b], instance.closes[b]
    if again:
        opens, closes = instance.opens[d], instance.closes[d]
    j = np.int64(state.next[b])
    behind = state.suffix[j]
    _keep(
        state.suffix[place],
        merged(
            0.0, max(opens, state.released[s]), closes, behind[0], behind[1], behind[2],
            instance.drive[k, d, j],
        ),
    )  # fmt: skip


@inner
def _gaps(instance, state, h):
    """What is known of further trips: where and when they begin and end, and the price.

    Of empty places in a row the first one is filled, of an idle vehicle the one in the middle.
    """
    count = state.trips[h]
    before, s, last = np.int64(-1), np.int64(h), np.int64(h + instance.slots[h])
    if count == 0:
        _gap(instance, state, h, middle(instance, h), before, last)
        return
    while s < last:
        if state.served[s] > 0:
            before, s = s, s + 1
            continue
        n = s
        while n < last and state.served[n] == 0:
            n += 1
        _gap(instance, state, h, s, before, n)
        s = n


@inner
def _gap(instance, state, h, gap, before, behind):
    """What is known of a place for a further trip between two others.

    `before` and `behind` are the places of these; -1, and that behind the last, if there is none.
    """
    size, k, count = len(instance.service), instance.kind[h], state.trips[h]
    b, e = np.int64(size + 2 * gap), np.int64(size + 2 * gap + 1)
    last = behind == h + instance.slots[h]
    price = 0.0 if count else instance.using[h]
    start, end = np.int64(instance.place[b]), np.int64(instance.place[e])
    _keep(state.prefix[b], (0.0, instance.opens[b], instance.closes[b], 0.0))
    _keep(state.suffix[e], (0.0, instance.opens[e], instance.closes[e], 0.0))
    if before >= 0 and not last:
        known = np.int64(size + 2 * before + 1)
        start = end = np.int64(state.place[known])
        prefix, suffix = state.prefix[known], state.suffix[known]
        _keep(state.prefix[b], (prefix[0], prefix[1], prefix[2], 0.0))
        _keep(state.suffix[e], (suffix[0], suffix[1], suffix[2], 0.0))
    elif before >= 0:
        i = np.int64(state.prev[size + 2 * before + 1])
        start = _nearest(instance, h, end, i, before >= 0)
        prefix = state.prefix[i]
        _keep(
            state.prefix[b],
            merged(
                prefix[0], prefix[1], prefix[2], 0.0, instance.opens[start],
                instance.closes[start], instance.drive[k, i, start],
            ),
        )  # fmt: skip
        price = np.float64(instance.cost[k, i, start]) - state.leaving[i]
    elif not last:
        first = np.int64(size + 2 * behind)
        j = np.int64(state.next[first])
        end = _nearest(instance, h, start, j, before >= 0)
        _begin(instance, state, behind, end, e, not last)
        price = np.float64(instance.cost[k, end, j]) - state.leaving[first]
    state.place[b], state.place[e] = start, end
    state.opening[gap] = _NEVER if count >= instance.most_trips[h] else price


@inner
def _limits(instance, state, h, seconds):
    """Metres, driving and stops of the day, for all of its trips; whether they are too many."""
    size, k = len(instance.service), instance.kind[h]
    metres = driving = far = stops = 0.0
    measured = len(instance.length) > 1 or instance.length.shape[1] > 1
    by_metres = instance.longest > 0.0 and not instance.by_time
    for s in range(h, h + instance.slots[h]):
        stops += state.served[s]
        i = np.int64(size + 2 * s)
        while (instance.limited or by_metres) and state.served[s] > 0 and i != size + 2 * s + 1:
            j = np.int64(state.next[i])
            a, c = state.place[i], state.place[j]
            driving += instance.drive[k, a, c]
            if measured:
                metres += instance.length[k, a, c]
            if by_metres:
                far += np.float64(instance.metres[k, a, c])
            i = j
    for s in range(h, h + instance.slots[h]):
        state.driven[s, 0], state.driven[s, 1], state.driven[s, 2] = metres, driving, stops
        if instance.longest > 0.0 and not instance.timetabled:
            state.measure[s] = far if by_metres else seconds
    return instance.limited and beyond(instance, h, stops, seconds, metres, driving)


@compiled
def _follow(instance, state, h):
    """Works out anew where the trips of a vehicle begin and end, their times and their costs.

    `h` is the first place for a trip that it has.
    """
    count, size, earliest = 0, len(instance.service), np.int64(-1)
    for s in range(h, h + instance.slots[h]):
        state.opening[s] = _NEVER
        if state.served[s] > 0:
            count += 1
            if earliest < 0:
                earliest = np.int64(s)
        if instance.loads:
            follow_loads(instance, state, np.int64(s))
    state.trips[h] = count
    broken = _ahead(instance, state, h)
    _back(instance, state, h, earliest)
    _gaps(instance, state, h)
    duty = 0.0
    if count:
        duty = state.prefix[size + 2 * last_trip(instance, state, h) + 1, 0]
    broken |= _limits(instance, state, h, duty)
    state.total[0] += instance.per_s[h] * (duty - state.duty[h])
    used = instance.using[h] if count else 0.0
    state.total[0] += used - state.paid[h]
    state.paid[h] = used
    if instance.timetabled:
        cost, seconds, missed = times_of(instance, state, h, count)
        state.total[0] += cost - state.times_cost[h]
        broken |= missed
        for s in range(h, h + instance.slots[h]):
            state.times_cost[s] = cost
            if instance.longest > 0.0 and instance.by_time:
                state.measure[s] = seconds
    for s in range(h, h + instance.slots[h]):
        state.duty[s] = duty
        if instance.peaks != 0:
            follow_peaks(instance, state, np.int64(s))
    broken &= count > 0
    if state.late[h] != broken:
        state.late[h] = broken
        state.total[0] += instance.barred if broken else -instance.barred


def address(instance: Instance, state: SearchState) -> int:
    """Where the compiled code of this file begins, which is loaded where it is needed alone."""
    return int(_follow.address(instance, state, 0))


def loaded() -> bool:
    """Whether it has been compiled before."""
    return bool(_follow.loaded)
