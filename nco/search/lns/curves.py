"""Compiled: what it costs at least to have done something by a time, see `nco.problem.curves`.

Curves lie in `state.curve`, row by row: points `(time, cost)`, of which `state.points` says how
many there are. What does not fit into a row is left out, so that a curve may cost too much at late
times, and never too little.
"""

# mypy: allow-untyped-defs, allow-untyped-calls
# Numba types these functions by what they are called with.

from __future__ import annotations

import numpy as np

from nco.search.lns.options import inner

POINTS = 32  # of a curve


@inner
def _append(state, row, time, cost):
    """Appends a point, if there is room."""
    n = state.points[row]
    if n < state.curve.shape[1]:
        state.curve[row, n, 0], state.curve[row, n, 1] = time, cost
        state.points[row] = n + 1


@inner
def _between(state, row, k, time):
    """The cost at a time between point k - 1 and point k."""
    t0, c0 = state.curve[row, k - 1, 0], state.curve[row, k - 1, 1]
    t1, c1 = state.curve[row, k, 0], state.curve[row, k, 1]
    if t1 == t0:
        return c1
    return c0 + (time - t0) / (t1 - t0) * (c1 - c0)


@inner
def cost_at(state, row, time):
    """The cost at a time, infinite before the first point."""
    n = state.points[row]
    if n == 0 or time < state.curve[row, 0, 0]:
        return np.inf
    k = 1
    while k < n and state.curve[row, k, 0] <= time:
        k += 1
    return _between(state, row, k, time) if k < n else state.curve[row, n - 1, 1]


@inner
def later(state, row, seconds):
    """Moves a curve: of who then spends some seconds."""
    for k in range(state.points[row]):
        state.curve[row, k, 0] += seconds


@inner
def copied(state, row, to):
    """Fills a row with another one."""
    for k in range(state.points[row]):
        state.curve[to, k, 0], state.curve[to, k, 1] = (
            state.curve[row, k, 0],
            state.curve[row, k, 1],
        )
    state.points[to] = state.points[row]


@inner
def cut(state, row, end):
    """Ends a curve: nothing may be done after a time; whether anything is left."""
    n = state.points[row]
    if n == 0 or state.curve[row, 0, 0] > end:
        state.points[row] = 0
        return False
    k = n
    while state.curve[row, k - 1, 0] > end:
        k -= 1
    if k < n and state.curve[row, k - 1, 0] < end:
        cost = _between(state, row, k, end)
        state.curve[row, k, 0], state.curve[row, k, 1] = end, cost
        k += 1
    state.points[row] = k
    return True


@inner
def opened(state, row, to, opens):
    """Fills a row with the curve of who waits until a time."""
    state.points[to] = 0
    n = state.points[row]
    if opens <= state.curve[row, 0, 0]:
        copied(state, row, to)
        return
    _append(state, to, opens, cost_at(state, row, opens))
    for k in range(n):
        if state.curve[row, k, 0] > opens:
            _append(state, to, state.curve[row, k, 0], state.curve[row, k, 1])


@inner
def _start_piece(state, to, time, cost):
    """Begins a piece: appends it if it costs less than all before."""
    n = state.points[to]
    if n == 0:
        _append(state, to, time, cost)
    elif cost < state.curve[to, n - 1, 1]:
        _append(state, to, time, state.curve[to, n - 1, 1])
        _append(state, to, time, cost)


@inner
def _go_on(state, to, t0, c0, t1, c1):
    """Appends what a piece from one point to another costs less than all before."""
    n = state.points[to]
    least = state.curve[to, n - 1, 1]
    if c1 >= least:
        return
    if c0 >= least:
        time = t1
        if c0 > c1:
            time = t0 + (c0 - least) / (c0 - c1) * (t1 - t0)
        if time > state.curve[to, n - 1, 0]:
            _append(state, to, time, least)
    _append(state, to, t1, c1)


@inner
def penalty(instance, j, start):
    """What it costs to begin at a stop at a time."""
    cost = 0.0
    if instance.early[j] > 0.0:
        cost += instance.early[j] * max(0.0, instance.soft[j, 0] - start)
    if instance.late[j] > 0.0:
        cost += instance.late[j] * max(0.0, start - instance.soft[j, 1])
    return cost


@inner
def begun(instance, state, row, to, j, opens, closes):
    """Adds to a row what it costs to begin at a stop in a window, for who is ready by a curve."""
    n, first = state.points[row], state.curve[row, 0, 0]
    if n == 0 or first > closes:
        return
    now = max(opens, first)
    cost = cost_at(state, row, now) + penalty(instance, j, now)
    _start_piece(state, to, now, cost)
    k = 0
    while k < n and state.curve[row, k, 0] <= now:
        k += 1
    while now < closes:
        then = closes
        if k < n:
            then = min(then, state.curve[row, k, 0])
        if instance.early[j] > 0.0 and instance.soft[j, 0] > now:
            then = min(then, instance.soft[j, 0])
        if instance.late[j] > 0.0 and instance.soft[j, 1] > now:
            then = min(then, instance.soft[j, 1])
        if then == np.inf:
            return
        price = penalty(instance, j, then)
        reached = _between(state, row, k, then) if 0 < k < n else state.curve[row, n - 1, 1]
        _go_on(state, to, now, cost, then, reached + price)
        now, cost = then, reached + price
        while k < n and state.curve[row, k, 0] <= now:
            if state.curve[row, k, 1] + price < cost:
                cost = state.curve[row, k, 1] + price
                _start_piece(state, to, now, cost)
            k += 1


@inner
def _just_before(state, row, time):
    """The cost just before a time that is behind the first point."""
    n, k = state.points[row], 1
    while k < n and state.curve[row, k, 0] < time:
        k += 1
    if k == n:
        return state.curve[row, n - 1, 1]
    if state.curve[row, k, 0] > state.curve[row, k - 1, 0]:
        return _between(state, row, k, time)
    return state.curve[row, k - 1, 1]


@inner
def never_above(state, row, other):
    """Whether a curve costs nowhere more than another one."""
    begins = state.curve[other, 0, 0]
    if state.curve[row, 0, 0] > begins:
        return False
    for side in range(2):
        points = row if side == 0 else other
        for k in range(state.points[points]):
            time = state.curve[points, k, 0]
            if time < begins:
                continue
            if cost_at(state, row, time) > cost_at(state, other, time):
                return False
            if time > begins and _just_before(state, row, time) > _just_before(state, other, time):
                return False
    return True
