"""Compiled changes of a line, each of one signature: `move(streets, line, trial, mark, bits)`.

A move writes a changed line into `trial` and returns how many stops it has, or 0 where it found
nothing to do. Stops never repeat and consecutive ones are linked; whether the line is as long and
begins and ends where it must is asked afterwards (`legal`). `mark` `[N]` is 0 everywhere before and
after. `MOVES` lists them by name.
"""

# mypy: allow-untyped-defs, allow-untyped-calls
# Numba types these functions by what they are called with.

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy.sparse.csgraph import dijkstra

from nco.kernels.compiled import compiled as kernel
from nco.kernels.draws import below, uniform
from nco.transit.evaluate.kernels import stops_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nco.transit.instance.transit_instance import TransitInstance

_options: dict[str, Any] = {"nogil": True, "error_model": "numpy", "_nrt": False}
compiled: Any = kernel(**_options)
inline: Any = kernel(cache=False, **_options)

REACH = 6  # stops, at most, that a detour is behind where it begins
TABLES = 12  # of shortest ways, under times that differ
SPREAD = 0.8  # a link takes up to so much longer in a table, as a share; nothing in the first

MOVES = ("grow", "shrink", "shift", "detour", "regrow", "renew", "substitute")


class Streets(NamedTuple):
    """What moves know of an instance.

    Attributes:
        near: `[N, D]` nodes that links lead to, -1 behind the last.
        degree: `[N]` how many.
        linked: `[N, N]` whether there is a link.
        hop: `[T, N, N]` the node after the first on the way from row to column.
        pairs: `[N * N]` cumulative chances of pairs of nodes: half by demand, half all alike.
        terminals: `[N]` where lines may begin and end.
        bounds: fewest and most stops, and the hub or -1.
    """

    near: NDArray[np.int16]
    degree: NDArray[np.int16]
    linked: NDArray[np.bool_]
    hop: NDArray[np.int16]
    pairs: NDArray[np.float64]
    terminals: NDArray[np.bool_]
    bounds: tuple[int, int, int]


def streets_of(instance: TransitInstance, seed: int) -> Streets:
    """Tables for the moves; the seed is that of the times under which ways are shortest."""
    size = instance.size
    linked = np.isfinite(instance.link_s) & ~np.eye(size, dtype=bool)
    degree = linked.sum(1).astype(np.int16)
    near = np.full((size, int(degree.max())), -1, np.int16)
    for k, row in enumerate(linked):
        near[k, : degree[k]] = np.flatnonzero(row)
    generator = np.random.default_rng(seed)
    hop = np.empty((TABLES, size, size), np.int16)
    for t in range(TABLES):
        longer = 1 + SPREAD * generator.random((size, size)) * (t > 0)
        times = np.where(linked, np.maximum(instance.link_s, 1e-3) * longer, 0.0)
        # The last node before the goal, seen from the goal backwards, is the first one after it.
        hop[t] = dijkstra(times.T, return_predecessors=True)[1].T
    chance = np.full((size, size), 0.5 / size**2)
    if instance.demand.any():
        chance += 0.5 * instance.demand / instance.demand.sum()
    terminals = np.ones(size, bool) if instance.terminals is None else instance.terminals
    hub = -1 if instance.hub is None else int(instance.hub)
    pairs = np.cumsum(chance)
    bounds = (int(instance.min_stops), int(instance.max_stops), hub)
    return Streets(near, degree, linked, hop, pairs / pairs[-1], terminals.copy(), bounds)


@inline
def legal(streets, trial, stops):
    """Whether a line has as many stops as it may and begins and ends where it must."""
    fewest, most, hub = streets.bounds
    if stops < fewest or stops > most or stops < 2:
        return False
    if hub >= 0:
        return trial[0] == hub and streets.terminals[trial[stops - 1]]
    return streets.terminals[trial[0]] and streets.terminals[trial[stops - 1]]


@inline
def _copied(line, trial, count):
    for k in range(count):
        trial[k] = line[k]


@inline
def _fresh(streets, node, mark, bits):
    """A random neighbour that is not marked, or -1."""
    free = 0
    for d in range(streets.degree[node]):
        free += mark[streets.near[node, d]] == 0
    if free == 0:
        return -1
    wanted = below(bits, free)
    for d in range(streets.degree[node]):
        other = streets.near[node, d]
        if mark[other] == 0:
            if wanted == 0:
                return int(other)
            wanted -= 1
    return -1


@inline
def _pair(streets, bits):
    """A random pair of nodes, as a number."""
    draw, low, high = uniform(bits), 0, len(streets.pairs) - 1
    while low < high:
        middle = (low + high) // 2
        if streets.pairs[middle] > draw:
            high = middle
        else:
            low = middle + 1
    return low


@inline
def _marked(line, count, mark, value):
    for k in range(count):
        mark[line[k]] = value


@inline
def _grown(streets, trial, stops, front, mark, bits):
    """One stop more at an end, unless there is none."""
    if stops >= len(trial):
        return 0
    node = _fresh(streets, trial[0 if front else stops - 1], mark, bits)
    if node < 0:
        return 0
    if front:
        for k in range(stops, 0, -1):
            trial[k] = trial[k - 1]
        trial[0] = node
    else:
        trial[stops] = node
    mark[node] = 1
    return stops + 1


@inline
def _cut(trial, stops, front):
    """One stop less at an end."""
    if front:
        for k in range(1, stops):
            trial[k - 1] = trial[k]
    return stops - 1


@inline
def _front(streets, bits):
    """Whether a change is at the first stop; that stays where it is with a hub."""
    return streets.bounds[2] < 0 and uniform(bits) < 0.5


@inline
def _way(streets, trial, stops, goal, most, mark, bits):
    """Goes on towards a node by a random table; until a marked node or `most` stops."""
    table = below(bits, len(streets.hop))
    node = int(trial[stops - 1])
    while node != goal and stops < most:
        node = int(streets.hop[table, node, goal])
        if node < 0 or mark[node]:
            break
        trial[stops] = node
        mark[node] = 1
        stops += 1
    return stops


@inline
def _filled(streets, trial, stops, mark, bits):
    """Grows at its ends until it has as many stops as it must; 0 where that fails."""
    while stops < streets.bounds[0]:
        front = _front(streets, bits)
        more = _grown(streets, trial, stops, front, mark, bits)
        if not more and streets.bounds[2] < 0:
            more = _grown(streets, trial, stops, not front, mark, bits)
        if not more:
            return 0
        stops = more
    return stops


@inline
def _ended(move, streets, line, trial, mark, bits):
    """Grow, shrink or shift: one stop more at an end, one less, or both at different ends."""
    stops, front, hub = stops_of(line), _front(streets, bits), streets.bounds[2]
    _copied(line, trial, stops)
    _marked(line, stops, mark, 1)
    if move:
        stops = _cut(trial, stops, front if move == 1 else not front and hub < 0)
    if move == 1:
        return stops
    return _grown(streets, trial, stops, front, mark, bits)


@inline
def _detoured(streets, line, trial, mark, bits):
    """Another way between two of its stops, by a neighbour or by any node."""
    stops = stops_of(line)
    i = below(bits, stops - 1)
    j = min(stops - 1, i + 1 + below(bits, REACH))
    _copied(line, trial, i + 1)
    _marked(line, stops, mark, 1)
    for k in range(i + 1, j + 1):
        mark[line[k]] = 0
    via = _fresh(streets, line[i], mark, bits)
    if uniform(bits) < 0.5:
        via = below(bits, len(mark))
    if via < 0 or mark[via]:
        return 0
    goal, tail = line[j], stops - 1 - j
    room = min(streets.bounds[1], len(trial)) - tail
    count = _way(streets, trial, i + 1, via, room, mark, bits)
    count = _way(streets, trial, count, goal, room, mark, bits)
    if trial[count - 1] != goal:
        return 0
    for k in range(tail):
        trial[count + k] = line[j + 1 + k]
    return count + tail


@inline
def _regrown(streets, line, trial, mark, bits):
    """The same up to one of its stops, then on towards any node."""
    stops, most = stops_of(line), min(streets.bounds[1], len(trial))
    keep = 1 + below(bits, stops - 1)
    back = _front(streets, bits)
    for k in range(keep):
        trial[k] = line[stops - 1 - k if back else k]
    _marked(trial, keep, mark, 1)
    count = _way(streets, trial, keep, below(bits, len(mark)), most, mark, bits)
    return _filled(streets, trial, count, mark, bits)


@inline
def _renewed(streets, trial, mark, bits):
    """From anywhere to anywhere, rather between stops with much demand."""
    pair, hub = _pair(streets, bits), streets.bounds[2]
    trial[0] = hub if hub >= 0 else pair // len(mark)
    mark[trial[0]] = 1
    most = min(streets.bounds[1], len(trial))
    count = _way(streets, trial, 1, pair % len(mark), most, mark, bits)
    return _filled(streets, trial, count, mark, bits)


@inline
def _substituted(streets, line, trial, mark, bits):
    """One inner stop left out, a stop more before it, or another in its place."""
    stops, choice = stops_of(line), below(bits, 3)
    if stops < 3:
        return 0
    k = 1 + below(bits, stops - 2)
    _marked(line, stops, mark, 1)
    begin = k if choice == 1 else k + 1  # what follows
    node = int(line[k - 1])
    if choice:
        node = _fresh(streets, node, mark, bits)
    count = k + (choice > 0) + stops - begin
    if node < 0 or not streets.linked[node, line[begin]]:
        return 0
    if count > min(streets.bounds[1], len(trial)):
        return 0
    _copied(line, trial, k)
    if choice:
        trial[k] = node
    for m in range(begin, stops):
        trial[k + (choice > 0) + m - begin] = line[m]
    return count


@compiled
def propose(move, streets, line, trial, mark, bits):
    """Makes the move of a number in `MOVES`; see above."""
    if move <= 2:
        count = _ended(move, streets, line, trial, mark, bits)
    elif move == 3:
        count = _detoured(streets, line, trial, mark, bits)
    elif move == 4:
        count = _regrown(streets, line, trial, mark, bits)
    elif move == 5:
        count = _renewed(streets, trial, mark, bits)
    else:
        count = _substituted(streets, line, trial, mark, bits)
    for k in range(len(mark)):
        mark[k] = 0
    for k in range(count, len(trial)):
        trial[k] = -1
    return count


@compiled
def propose_legal(move, streets, line, trial, mark, bits):
    """Makes a move; whether it found a line that may be run."""
    return legal(streets, trial, propose(move, streets, line, trial, mark, bits))
