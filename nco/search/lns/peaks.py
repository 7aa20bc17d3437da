"""Compiled: what the largest of all routes costs beside the longest: makespan and longest leg.

This is compiled by itself and called by address, so that other problems need not load it. A further
part of the objective that is a maximum over vehicles, or over what they drive, is a column of
`state.peak` with its weight in `Instance.peak`.
"""

# mypy: allow-untyped-defs, allow-untyped-calls
# Numba types these functions by what they are called with.

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nco.search.lns.operators import call
from nco.search.lns.options import compiled, inner
from nco.search.lns.segments import last_trip, merged

if TYPE_CHECKING:
    from nco.search.lns.records import Instance, SearchState

BACK, LEG, SQUARES = 0, 1, 2  # columns of `state.peak`
SMOOTH = 1e-3  # weight of the mean square, beside the largest


@inner
def _leg(instance, k, a, b):
    """Length of a leg between nodes."""
    if instance.legs_by_time:
        return instance.drive[k, a, b]
    return np.float64(instance.metres[k, a, b])


@inner
def _onward(instance, so_far, k, a, j):
    """A part of a route that ends at a node with a stop behind it."""
    seconds, early, latest, _ = merged(
        so_far[0], so_far[1], so_far[2], instance.service[j], instance.opens[j],
        instance.closes[j], instance.drive[k, a, j],
    )  # fmt: skip
    return seconds, early, latest


@inner
def _ready(instance, j, ready):
    """When a route may leave that serves a stop as well; of several trips the days say it."""
    if instance.chained:
        return 0.0
    return max(ready, instance.release[j]) if len(instance.release) > 1 else ready


@inner
def _back(instance, state, v, first, second):
    """When a route with new stops is back, in seconds from the first departure of any."""
    k, j, i = np.int64(instance.kind[v]), np.int64(first[0]), np.int64(first[1])
    begun, n = state.prefix[i], np.int64(state.next[i])
    so_far = _onward(instance, (begun[0], begun[1], begun[2]), k, state.place[i], j)
    ready, here = _ready(instance, j, state.released[v]), j
    if second[0] >= 0:
        while here != second[1]:
            so_far = _onward(instance, so_far, k, here, n)
            here, n = n, np.int64(state.next[n])
        d = np.int64(second[0])
        so_far = _onward(instance, so_far, k, here, d)
        ready, here = _ready(instance, d, ready), d
    behind = state.suffix[n]
    seconds, early, _, _ = merged(
        so_far[0], so_far[1], so_far[2], behind[0], behind[1], behind[2],
        instance.drive[k, here, state.place[n]],
    )  # fmt: skip
    return max(early, ready) + seconds - instance.begins


@inner
def _legs(instance, state, v, first, second):
    """The longest leg of a route with new stops, and the sum of squares of all."""
    size, k = len(instance.service), np.int64(instance.kind[v])
    i, n = np.int64(first[1]), np.int64(state.next[first[1]])
    a, b, j = state.place[i], state.place[n], np.int64(first[0])
    new, gone, squares = _leg(instance, k, a, j), 0.0, state.peak[v, SQUARES]
    squares += new * new
    last, d = j, np.int64(second[0])
    if d >= 0 and second[1] == j:
        leg = _leg(instance, k, j, d)
        new, squares, last = max(new, leg), squares + leg * leg, d
    leg = _leg(instance, k, last, b)
    new, squares = max(new, leg), squares + leg * leg
    if state.served[v] > 0:
        gone = _leg(instance, k, a, b)
        squares -= gone * gone
    apart = d >= 0 and second[1] != j
    m = np.int64(second[1])
    if apart:
        u, w = state.place[m], state.place[state.next[m]]
        there, away = _leg(instance, k, u, d), _leg(instance, k, d, w)
        other = _leg(instance, k, u, w)
        new, gone = max(new, max(there, away)), max(gone, other)
        squares += there * there + away * away - other * other
    kept = state.peak[v, LEG]
    if gone >= kept and new < kept:  # the longest one may have gone
        kept, place = 0.0, np.int64(size + 2 * v)
        while place != size + 2 * v + 1 and state.served[v] > 0:
            behind = np.int64(state.next[place])
            if place != i and not (apart and place == m):
                kept = max(kept, _leg(instance, k, state.place[place], state.place[behind]))
            place = behind
    return max(kept, new), max(squares, 0.0)


@inner
def _largest(state, column):
    """The largest entry of all vehicles."""
    largest = 0.0
    for v in range(len(state.peak)):
        largest = max(largest, state.peak[v, column])
    return largest


@inner
def _rise(largest, then, squares):
    """Price of an amount that grows to `then`: of what is beyond the largest one, and of squares.

    The latter have a share even below it, so that of two routes the one with less grows.
    """
    most = max(largest, then)
    return max(0.0, then - largest) + squares / (2.0 * most) if most > 0.0 else 0.0


@inner
def _price(instance, state, v, first, second):
    """What new stops on a route add to the price of the makespan and of the longest leg."""
    price = 0.0
    if instance.peak[BACK] > 0.0:
        back, own = _back(instance, state, v, first, second), state.peak[v, BACK]
        rise = _rise(_largest(state, BACK), back, back * back - own * own)
        price += instance.peak[BACK] * rise
    if instance.peak[LEG] > 0.0:
        leg, squares = _legs(instance, state, v, first, second)
        rise = _rise(_largest(state, LEG), leg, squares - state.peak[v, SQUARES])
        price += instance.peak[LEG] * rise
    return price


@inner
def _whole(instance, state):
    """What all routes cost; a little more where others are long as well."""
    cost = 0.0
    for column in (BACK, LEG):
        largest, squares = _largest(state, column), 0.0
        if instance.peak[column] > 0.0 and largest > 0.0:
            count = len(state.peak)
            for v in range(len(state.peak)):
                if column == LEG:
                    squares += state.peak[v, SQUARES]
                else:
                    squares += state.peak[v, BACK] * state.peak[v, BACK]
            if column == LEG:
                count += len(instance.stops)
            cost += instance.peak[column] * (largest + SMOOTH * squares / (count * largest))
    return cost


@inner
def _follow(instance, state, v):
    """Works out anew what is known of a route."""
    begin, k = len(instance.service) + 2 * v, np.int64(instance.kind[v])
    end = begin + 1
    state.peak[v, BACK] = state.peak[v, LEG] = state.peak[v, SQUARES] = 0.0
    last = last_trip(instance, state, v)
    if state.served[last] > 0:
        home = len(instance.service) + 2 * last + 1
        early = state.prefix[home, 1]
        if not instance.chained:
            early = max(early, state.released[v])
        state.peak[v, BACK] = early + state.prefix[home, 0] - instance.begins
    if state.served[v] > 0:
        i = np.int64(begin)
        while i != end and instance.peak[LEG] > 0.0:
            j = np.int64(state.next[i])
            leg = _leg(instance, k, state.place[i], state.place[j])
            state.peak[v, LEG] = max(state.peak[v, LEG], leg)
            state.peak[v, SQUARES] += leg * leg
            i = j
    if instance.longest == 0.0:  # what is looked at where the largest route is sought
        measure = instance.peak[BACK] * state.peak[v, BACK]
        state.measure[v] = measure + instance.peak[LEG] * state.peak[v, LEG]


@compiled
def _answer(instance, state, v):
    """Answers what is asked: of a vehicle as it is, with new stops, or (-1) of all of them."""
    if v < 0:
        state.answer[2] = _whole(instance, state)
    elif state.asked[0] < 0:
        _follow(instance, state, v)
    else:
        first, second = (state.asked[0], state.asked[1]), (state.asked[2], state.asked[3])
        state.answer[2] = _price(instance, state, v, first, second)


def address(instance: Instance, state: SearchState) -> int:
    """Where the compiled code of this file begins, which is loaded where it is needed alone."""
    return int(_answer.address(instance, state, 0))


def loaded() -> bool:
    """Whether it has been compiled before."""
    return bool(_answer.loaded)


@inner
def cost_of_peaks(instance, state):
    """What makespan and longest leg cost."""
    call(instance.peaks, instance, state, np.int64(-1))
    return state.answer[2]


@inner
def follow_peaks(instance, state, v):
    """Works out anew what is known of a route."""
    state.asked[0] = -1
    call(instance.peaks, instance, state, v)


@inner
def more_for_peaks(instance, state, v, first, second):
    """What one or two new stops on a route add to the price of makespan and longest leg.

    Args:
        instance: what is searched.
        state: where the search stands.
        v: vehicle.
        first: a stop, and the place behind which it goes.
        second: another one behind it; -1 for none.
    """
    state.asked[0], state.asked[1] = first
    state.asked[2], state.asked[3] = second
    call(instance.peaks, instance, state, v)
    return state.answer[2]
