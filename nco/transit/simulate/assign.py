"""Compiled passenger itineraries by shortest expected time, and the loads that follow from them.

The graph is that of lines and stops: a state is a line in one direction at one of its stops. From a
state a bus dwells, drives to the next stop, and there a passenger stays on board or alights. At a
stop a passenger takes whichever of the attractive lines comes first: those by which less time is
left, once on board, than waiting on is expected to bring (optimal strategies, H. Spiess and
M. Florian 1989, Transportation Research Part B 23(2); regular headways, so that the expected wait
is half the headway of the attractive lines together). A bus that leads away from the destination is
never attractive, because it takes more time than waiting does.

Expected times are the least fixed point of two updates, which begin with "never" and are repeated
until nothing changes, which takes as many rounds as itineraries have legs: along each line
backwards, and at each stop over its lines. All destinations are treated at once, in rows that fit
vector registers.

Shapes: `N` stops (as origins, `D` as destinations), `R` lines, `S` states, twice the stops of all
lines; those of line `r` are `2 begin[r]` to `2 begin[r + 1]`, first all there, then all back.
"""

# mypy: allow-untyped-defs, allow-untyped-calls
# Numba types these functions by what they are called with.

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nco.arrays import Floats
from nco.kernels.compiled import compiled as kernel
from nco.kernels.products import larger

# Sums may be taken in any order, which lets them use whole vectors; infinity keeps its meaning.
_options: dict[str, Any] = {"nogil": True, "error_model": "numpy"}
compiled: Any = kernel(fastmath={"reassoc", "contract", "nsz"}, **_options)

HALF_HOUR = np.float32(1800.0)  # expected wait in seconds times buses an hour


class Network(NamedTuple):
    """States of lines and stops.

    Attributes:
        begin: `[R + 1]` where the stops of each line begin among those of all lines.
        node: `[S]` stop of a state.
        line: `[S]` line of a state.
        place: `[S]` which stop of its line a state is, counted in the line's first direction.
        ride_s: `[S]` seconds to the next stop without dwell; `inf` at the end of a direction.
        boards: `[B]` the states in which one can board, ordered by stop.
        first: `[N + 1]` where those of each stop begin.
    """

    begin: NDArray[np.int64]
    node: NDArray[np.int32]
    line: NDArray[np.int32]
    place: NDArray[np.int16]
    ride_s: Floats
    boards: NDArray[np.int32]
    first: NDArray[np.int64]


class Itineraries(NamedTuple):
    """Expected seconds to every destination.

    Attributes:
        expected_s: `[N, D]` from a stop, wait included; `inf` where no lines lead.
        leave_s: `[N, D]` from a stop for somebody who alights there: the same and what a transfer
            is held to be worth.
        ride_s: `[S, D]` from the moment a bus reaches a state, for somebody who stays on board.
    """

    expected_s: NDArray[np.float32]
    leave_s: NDArray[np.float32]
    ride_s: NDArray[np.float32]


@compiled
def network(flat, begin, link_s):
    """The states of lines, given as the stops of all of them in one row."""
    states, n = 2 * len(flat), len(link_s)
    node, line = np.empty(states, np.int32), np.empty(states, np.int32)
    place, ride_s = np.empty(states, np.int16), np.empty(states, np.float64)
    first = np.zeros(n + 1, np.int64)
    for r in range(len(begin) - 1):
        count = begin[r + 1] - begin[r]
        for k in range(2 * count):
            s, i = 2 * begin[r] + k, k if k < count else 2 * count - 1 - k
            node[s], line[s], place[s] = flat[begin[r] + i], r, i
            if k in (count - 1, 2 * count - 1):
                ride_s[s] = np.inf
            else:
                ride_s[s] = link_s[node[s], flat[begin[r] + (i + 1 if k < count else i - 1)]]
                first[node[s] + 1] += 1
    for v in range(n):
        first[v + 1] += first[v]
    boards, filled = np.empty(first[n], np.int32), first.copy()
    for s in range(states):
        if ride_s[s] < np.inf:
            boards[filled[node[s]]] = s
            filled[node[s]] += 1
    return Network(begin, node, line, place, ride_s, boards, first)


@compiled
def _ride(network, leave_s, ride_s, dwell_s):
    """Along each line backwards: to stay on board or to alight, whichever takes less time."""
    for s in range(len(network.node) - 1, -1, -1):
        if network.ride_s[s] < np.inf:
            v, step = network.node[s + 1], np.float32(dwell_s + network.ride_s[s])
            for d in range(ride_s.shape[1]):
                off, on = leave_s[v, d], ride_s[s + 1, d]
                ride_s[s, d] = step + (off if off < on else on)


@compiled
def _combine(network, frequency, v, ride_s, best, rate, cost):
    """At one stop: fills `best` `[D]` with the expected times by the best set of lines.

    The expected time by all lines that take less than `x` on board is a function of `x` whose
    fixed point is sought; Newton's method finds it from the best single line in a few steps.
    """
    a, b = network.first[v], network.first[v + 1]
    best[:] = np.float32(np.inf)
    for k in range(a, b):
        s = network.boards[k]
        wait = HALF_HOUR / frequency[network.line[s]]
        for d in range(len(best)):
            # The smaller of two; a comparison would be turned into slow stores under a mask.
            best[d] = -larger(-(ride_s[s, d] + wait), -best[d])
    for _ in range(1, b - a):
        rate[:] = np.float32(0.0)
        cost[:] = HALF_HOUR
        for k in range(a, b):
            s = network.boards[k]
            f = frequency[network.line[s]]
            for d in range(len(best)):
                x = ride_s[s, d]
                better = x < best[d]
                rate[d] += f if better else np.float32(0.0)
                cost[d] += f * x if better else np.float32(0.0)
        improved = np.float32(0.0)
        for d in range(len(best)):
            old = best[d]
            best[d] = -larger(-(cost[d] / rate[d]), -old)
            improved += np.float32(1.0) if best[d] < old else np.float32(0.0)
        if improved == 0.0:
            break


@compiled
def itineraries(network, per_h, dwell_s, penalty_s):
    """Expected times by lines of so many buses an hour.

    Args:
        network: states.
        per_h: `[R]` buses an hour.
        dwell_s: seconds at each stop.
        penalty_s: seconds that a transfer is held to be worth beyond its wait.
    """
    n, states = len(network.first) - 1, len(network.node)
    frequency = per_h.astype(np.float32)
    never, penalty = np.float32(np.inf), np.float32(penalty_s)
    expected_s, leave_s = np.full((n, n), never), np.full((n, n), never)
    ride_s = np.full((states, n), never)
    best, rate, cost = np.empty(n, np.float32), np.empty(n, np.float32), np.empty(n, np.float32)
    for v in range(n):
        expected_s[v, v] = leave_s[v, v] = np.float32(0.0)
    for _ in range(states):  # more legs than states no itinerary has
        _ride(network, leave_s, ride_s, dwell_s)
        changed = np.float32(0.0)
        for v in range(n):
            if network.first[v] < network.first[v + 1]:
                _combine(network, frequency, v, ride_s, best, rate, cost)
                best[v] = np.float32(0.0)
                for d in range(n):
                    changed += np.float32(1.0) if best[d] != expected_s[v, d] else np.float32(0.0)
                    expected_s[v, d] = best[d]
                    leave_s[v, d] = best[d] + penalty
                leave_s[v, v] = np.float32(0.0)
        if changed == 0.0:
            break
    return Itineraries(expected_s, leave_s, ride_s)


@compiled
def loads(network, per_h, demand, plan):
    """Passengers an hour that leave each state on board, if buses had room for all.

    Args:
        network: states.
        per_h: `[R]` buses an hour; lines that attract the same passengers share them accordingly.
        demand: `[N, D]` trips an hour; those without an itinerary are left out.
        plan: itineraries.

    Returns:
        `[S]` passengers an hour, and `[R]` of them who board each line.
    """
    n, states = len(demand), len(network.node)
    boarded = np.zeros(len(network.begin) - 1)
    load, zero = np.zeros(states), np.float32(0.0)
    frequency = per_h.astype(np.float32)
    together = np.zeros((n, n), np.float32)  # buses an hour of the attractive lines
    for s in network.boards:
        v, f = network.node[s], frequency[network.line[s]]
        for d in range(n):
            together[v, d] += f if plan.ride_s[s, d] < plan.expected_s[v, d] else zero
    waiting, on, moved = demand.astype(np.float32), np.empty(n, np.float32), 1.0
    while moved > 0.0:  # once a leg
        for v in range(n):
            for d in range(n):
                f = together[v, d]
                waiting[v, d] = waiting[v, d] / f if f > zero else zero  # passengers a bus
        then = np.zeros((n, n), np.float32)
        begins = True
        for s in range(states):
            v, f, total = network.node[s], frequency[network.line[s]], zero
            joined = zero
            if begins:
                on[:] = zero
            for d in range(n):
                stays = plan.ride_s[s, d] <= plan.leave_s[v, d]
                boards = plan.ride_s[s, d] < plan.expected_s[v, d]
                then[v, d] += zero if stays else on[d]
                joins = f * waiting[v, d] if boards else zero
                x = (on[d] if stays else zero) + joins
                joined += joins
                on[d] = x
                total += x
            begins = network.ride_s[s] == np.inf
            load[s] += zero if begins else total
            boarded[network.line[s]] += joined
        moved = 0.0
        for v in range(n):
            then[v, v] = zero
            for d in range(n):
                moved += then[v, d]
        waiting = then
    return load, boarded


@compiled
def line_peaks(network, load):
    """`[R]` the largest load of any segment of a line."""
    peak = np.zeros(len(network.begin) - 1)
    for s in range(len(load)):
        peak[network.line[s]] = max(peak[network.line[s]], load[s])
    return peak


@compiled
def cycles(network, dwell_s, layover_s):
    """`[R, 2]` seconds from opening at the first stop to opening at the last, and back again."""
    cycle = np.full((len(network.begin) - 1, 2), layover_s)
    for s in range(len(network.node)):
        r = network.line[s]
        back = s >= network.begin[r] + network.begin[r + 1]
        if network.ride_s[s] < np.inf:
            cycle[r, 1 if back else 0] += dwell_s + network.ride_s[s]
    return cycle
