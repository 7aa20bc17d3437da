"""Compiled loops of the exact evaluator; `nco.transit.evaluate` says what they do.

Shapes: `N` nodes, `R` lines of up to `L` stops, `B` sets of lines, rows of `S` entries, where `S`
is `N` rounded up to whole vectors. `dist` is `[N * S]`: the entry from node i to node j holds
`2^bits * (time + transfer for each ride) + rides` of the best way, `far` without one.
"""

# mypy: allow-untyped-defs, allow-untyped-calls
# Numba types these functions by what they are called with.

from __future__ import annotations

from typing import Any

import numpy as np

from nco.kernels.compiled import compiled
from nco.transit.evaluate.lanes import relax

# These functions allocate nothing: without numba's counting of references they are faster.
_options: dict[str, Any] = {"nogil": True, "error_model": "numpy", "_nrt": False}
# Sums of trips may be taken in any order: where trips are whole numbers they are exact anyway.
_sums: Any = compiled(fastmath={"reassoc", "nsz", "contract"}, **_options)
_compiled: Any = compiled(**_options)
_inline: Any = compiled(cache=False, **_options)  # by LLVM, as far as it pays

(MISSING_LINK, REPEATED, TOO_SHORT, TOO_LONG, HUB, TERMINAL, UNCONNECTED, NUMBER) = range(8)
"""Columns of violations, in the order of `exact.KINDS`."""

(TRAVEL, OPERATOR, DIRECT, ONE, TWO, UNSERVED, UNREACHED) = range(7)
"""Columns of values, in the order of the fields of `nco.transit.evaluate.Evaluation`."""


@_inline
def stops_of(line):
    """How many stops a padded line has."""
    count = 0
    while count < len(line) and line[count] >= 0:
        count += 1
    return count


@_compiled
def check(given, line, mark, stamp, violations):
    """Adds what a line breaks; `mark` `[N]` holds no `stamp` and no `-stamp`."""
    stops = stops_of(line)
    hub, terminals = given.hub, given.terminals
    for k in range(stops):
        node = line[k]
        violations[MISSING_LINK] += k > 0 and given.link[line[k - 1], node] < 0
        violations[REPEATED] += mark[node] == stamp
        mark[node] = -stamp if mark[node] in (stamp, -stamp) else stamp
    violations[TOO_SHORT] += stops < given.min_stops
    violations[TOO_LONG] += stops > given.max_stops
    violations[HUB] += hub >= 0 and line[0] != hub
    violations[TERMINAL] += hub < 0 and not terminals[line[0]]
    violations[TERMINAL] += stops > 1 and not terminals[line[stops - 1]]


@_compiled
def add_rides(dist, stride, line, link, boarding, bits, there, back, on):
    """Lowers entries to the rides on a line; a missing link ends all rides.

    Args:
        dist: lowered.
        stride: S.
        line: `[L]` nodes, -1 after its end.
        link: `[N, N]` times, -1 where there is no link.
        boarding: what every ride costs besides its time, encoded.
        bits: of the number of rides.
        there: `[L]`, overwritten.
        back: `[L]`, overwritten.
        on: `[N]` how many stops lines have there, counted on.

    Returns:
        The time of the line there and back.
    """
    stops = stops_of(line)
    both = 0
    for k in range(stops):
        on[line[k]] += 1
        if k:
            step = link[line[k - 1], line[k]]
            there[k], back[k] = -1, 0
            if step >= 0:
                other = link[line[k], line[k - 1]]
                both += step + other
                there[k], back[k] = step << bits, other << bits
    for k in range(stops - 1):
        a, out, home = line[k], boarding, boarding
        for m in range(k + 1, stops):
            if there[m] < 0:
                break
            b = line[m]
            out += there[m]
            home += back[m]
            # Entries are never above `far`, so that none becomes larger than its type holds.
            dist[a * stride + b] = min(out, dist[a * stride + b])
            dist[b * stride + a] = min(home, dist[b * stride + a])
    return both


@_compiled
def through(dist, nodes, vectors, stride, rows, one, two, far):
    """Lowers all entries to the ways with transfers at node `one`, at `two` or at both.

    These are two steps of Floyd and Warshall's algorithm in one, which ends with what one after the
    other would. The nodes may be the same. `rows` `[2 * S]` is overwritten.
    """
    by = dist[two * stride + one]
    for j in range(stride):
        rows[j] = dist[one * stride + j]
        rows[stride + j] = min(dist[two * stride + j], by + rows[j])
    between = rows[two]
    for i in range(nodes):
        first = dist[i * stride + one]
        second = min(dist[i * stride + two], first + between)
        if min(first, second) < far:
            for v in range(vectors):
                relax(dist, i * vectors + v, rows, v, vectors + v, first, second)


@_sums
def measure(given, dist, values):
    """Fills the values that depend on trips.

    Returns:
        How many pairs of nodes have entries at or above the limit.
    """
    nodes, stride, bits, limit = len(given.link), given.stride, given.bits, given.limit
    mask, trips = (1 << bits) - 1, given.trips
    time, reached, direct, one, two, beyond = 0.0, 0.0, 0.0, 0.0, 0.0, 0
    for at in range(nodes * stride):
        entry, asked = dist[at], given.demand[at]
        rides = entry & mask
        arrive = asked if entry < limit else 0.0
        beyond += entry >= limit
        reached += arrive
        time += arrive * (entry >> bits)
        direct += arrive if rides == 1 else 0.0
        one += arrive if rides == 2 else 0.0
        two += arrive if rides == 3 else 0.0
    values[TRAVEL] = 0.0
    for column in range(DIRECT, UNREACHED + 1):
        values[column] = 0.0
    if trips > 0.0:
        values[TRAVEL] = np.inf
        if reached:
            values[TRAVEL] = (time - given.transfer * reached) * given.minutes / reached
        values[DIRECT], values[ONE], values[TWO] = direct / trips, one / trips, two / trips
        values[UNSERVED] = max(0.0, 1.0 - (direct + one + two) / trips)
        values[UNREACHED] = max(0.0, 1.0 - reached / trips)
    return beyond - nodes * (stride - nodes)


@_inline
def root_of(group, node):
    """The node that stands for the part of a node; `group` `[N]` leads there, and is shortened."""
    while group[node] != node:
        group[node] = group[group[node]]
        node = group[node]
    return node


@_compiled
def parts(lines, link, group, size):
    """Joins the nodes of each line up to its missing links; both vectors `[N]` are overwritten.

    Returns:
        How many nodes are outside of the largest part, and how many ordered pairs of nodes are in
        different parts.
    """
    nodes = len(group)
    for k in range(nodes):
        group[k], size[k] = k, 0
    for r in range(len(lines)):
        line = lines[r]
        for k in range(1, stops_of(line)):
            if link[line[k - 1], line[k]] >= 0:
                group[root_of(group, line[k])] = root_of(group, line[k - 1])
    for k in range(nodes):
        size[root_of(group, k)] += 1
    largest, apart = 0, nodes * nodes
    for k in range(nodes):
        largest = max(largest, size[k])
        apart -= size[k] * size[k]
    return nodes - largest, apart


@_inline
def _finish(given, room, lines, values, violations):
    """Values and the parts of a finished `dist`; whether all of its entries are exact."""
    beyond = measure(given, room.dist, values)
    if beyond == 0:
        return True
    violations[UNCONNECTED], apart = parts(lines, given.link, room.group, room.size)
    return beyond == apart


@_inline
def _add_line(given, room, line):
    """Lowers entries to the rides on a line; its time there and back."""
    return add_rides(
        room.dist, given.stride, line, given.link, given.boarding, given.bits, room.there,
        room.back, room.on,
    )  # fmt: skip


@_inline
def _change_at(given, room, one, two):
    """Lowers entries to the ways with transfers at two nodes, which may be the same."""
    through(room.dist, len(given.link), given.vectors, given.stride, room.rows, one, two, given.far)


@_compiled
def evaluate_batch(lines, given, room, found):
    """Evaluates sets of lines from scratch.

    Args:
        lines: `[B, R, L]` nodes, -1 after the end of a line and in rows without one.
        given: the instance.
        room: overwritten; `dist` and `on` in the end are those of the last set.
        found: filled.
    """
    nodes, stride, far = len(given.link), given.stride, given.far
    for b in range(len(lines)):
        for at in range(nodes * stride):
            room.dist[at] = far
        for k in range(nodes):
            room.dist[k * stride + k] = 0
            room.on[k] = room.group[k] = 0
        for column in range(found.violations.shape[1]):
            found.violations[b, column] = 0
        count, length = 0, 0
        for r in range(lines.shape[1]):
            if lines[b, r, 0] >= 0:
                count += 1
                check(given, lines[b, r], room.group, count, found.violations[b])
                length += _add_line(given, room, lines[b, r])
        waiting = -1
        for k in range(nodes):
            # Nobody changes where there is only one line.
            if room.on[k] > 1 and waiting < 0:
                waiting = k
            elif room.on[k] > 1:
                _change_at(given, room, waiting, k)
                waiting = -1
        if waiting >= 0:
            _change_at(given, room, waiting, waiting)
        found.violations[b, NUMBER] = count != given.line_count
        found.values[b, OPERATOR] = length * given.minutes / 2.0
        found.exact[b] = _finish(given, room, lines[b], found.values[b], found.violations[b])


@_compiled
def insert_batch(base, candidates, given, room, found):
    """Evaluates lines, each added alone to a set that was evaluated before.

    Every new way is one of old ways and rides on the new line, so that all transfers between them
    are at stops of the new line: only these have to be gone through.

    Args:
        base: the set.
        candidates: `[B, L]` what is added.
        given: the instance.
        room: overwritten.
        found: filled.
    """
    nodes, lines, held = len(given.link), base.lines, len(base.lines) - 1
    count = 0
    for r in range(held):
        count += lines[r, 0] >= 0
    for b in range(len(candidates)):
        line = candidates[b]
        for at in range(nodes * given.stride):
            room.dist[at] = base.dist[at]
        for k in range(nodes):
            room.on[k], room.group[k] = base.on[k], 0
        for column in range(found.violations.shape[1]):
            found.violations[b, column] = base.violations[column]
        for k in range(lines.shape[1]):
            lines[held, k] = line[k] if k < len(line) else -1
        found.violations[b, UNCONNECTED] = 0
        found.violations[b, NUMBER] = count + 1 != given.line_count
        check(given, line, room.group, 1, found.violations[b])
        length = base.length + _add_line(given, room, line)
        found.values[b, OPERATOR] = length * given.minutes / 2.0
        waiting = -1
        for k in range(stops_of(line)):
            if room.on[line[k]] > 1 and waiting < 0:
                waiting = line[k]
            elif room.on[line[k]] > 1:
                _change_at(given, room, waiting, line[k])
                waiting = -1
        if waiting >= 0:
            _change_at(given, room, waiting, waiting)
        found.exact[b] = _finish(given, room, lines, found.values[b], found.violations[b])
