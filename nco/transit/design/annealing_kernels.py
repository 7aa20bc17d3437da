"""The compiled loop of the annealing: change a line, look what it costs, keep it or not.

Lines are changed one at a time, many times in a row: what all others give is worked out once, and
each change of the one is inserted into that (`nco.transit.evaluate.kernels.insert_batch`).
"""

# mypy: allow-untyped-defs, allow-untyped-calls
# Numba types these functions by what they are called with.

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from nco.kernels.compiled import compiled as kernel
from nco.kernels.draws import below, uniform
from nco.transit.design.moves import compiled, inline, legal, propose_legal
from nco.transit.evaluate.kernels import add_rides, root_of, stops_of, through

if TYPE_CHECKING:
    from numpy.typing import NDArray

_options: dict[str, Any] = {"nogil": True, "error_model": "numpy", "_nrt": False}
# Sums may be taken in any order.
_sums: Any = kernel(cache=False, fastmath={"reassoc", "nsz", "contract"}, **_options)


class Times(NamedTuple):
    """An instance in the code of its evaluator (`nco.transit.evaluate.times.Code`).

    Attributes:
        link: `[N, N]` times, -1 where there is no link.
        demand: `[N * S]` share of all trips.
        code: bits of the number of rides, `boarding`, `far`, `limit`.
        row: entries of a row, and how many vectors these are.
        weights: cost of a unit of time of the mean journey and of all lines there and back, of each
            node outside of the largest part, and how long a journey without a way is taken to be.
    """

    link: NDArray[Any]
    demand: NDArray[np.float32]
    code: tuple[int, int, int, int]
    row: tuple[int, int]
    weights: tuple[float, float, float, int]


class Room(NamedTuple):
    """What is overwritten.

    Attributes:
        dist: `[N * S]` best ways of all lines.
        base: `[N * S]` best ways without one line.
        rows: `[2 * S]`.
        there: `[L]`.
        back: `[L]`.
        on: `[N]` stops that lines have at each node.
        base_on: `[N]` the same without one line.
        group: `[N]`.
        base_group: `[N]`.
        mark: `[N]` zeros.
        trial: `[2, L]`.
    """

    dist: NDArray[Any]
    base: NDArray[Any]
    rows: NDArray[Any]
    there: NDArray[np.int64]
    back: NDArray[np.int64]
    on: NDArray[np.int32]
    base_on: NDArray[np.int32]
    group: NDArray[np.int32]
    base_group: NDArray[np.int32]
    mark: NDArray[np.int32]
    trial: NDArray[np.int16]


class Shelf(NamedTuple):
    """The best lines that were seen, by the time of all lines; a front has points between optima.

    Attributes:
        journey: `[K]` the least mean journey at each time of all lines, in units of time; none
            where nothing is asked for.
        lines: `[K, R, L]` that have it.
        first: time of all lines there and back where the first place begins.
        width: of a place.
    """

    journey: NDArray[np.float64]
    lines: NDArray[np.int16]
    first: int
    width: int


@inline
def _join(group, line):
    for k in range(1, stops_of(line)):
        group[root_of(group, line[k])] = root_of(group, line[k - 1])


@inline
def _outside(group, size):
    """How many nodes are outside of the largest part; `size` is overwritten."""
    for k in range(len(group)):
        size[k] = 0
    largest = 0
    for k in range(len(group)):
        root = root_of(group, k)
        size[root] += 1
        largest = max(largest, size[root])
    return len(group) - largest


@_sums
def _journeys(dist, nodes, stride, bits, limit, longest, demand):
    """Mean time of a journey, as if boarding first were a transfer; `longest` without a way."""
    total = 0.0
    for i in range(nodes):
        time: Any = np.float32(0.0)
        for at in range(i * stride, (i + 1) * stride):
            entry = dist[at]
            time += demand[at] * np.float32(longest if entry >= limit else entry >> bits)
        total += time
    return total


@inline
def _cleared(dist, on, group, nodes, stride, far):
    for at in range(nodes * stride):
        dist[at] = far
    for k in range(nodes):
        dist[k * stride + k] = 0
        on[k] = 0
        group[k] = k


@inline
def _changed(times, room, dist, waiting, node):
    """Transfers at a node; two nodes are gone through at once, the first of them waits."""
    if waiting < 0:
        return int(node)
    stride, vectors = times.row
    through(dist, len(times.link), vectors, stride, room.rows, waiting, node, times.code[2])
    return -1


@compiled
def _time_of(line, link):
    both = 0
    for k in range(1, stops_of(line)):
        both += link[line[k - 1], line[k]] + link[line[k], line[k - 1]]
    return both


@compiled
def whole(times, room, lines, skipped, dist, on, group):
    """Fills best ways, stops and parts of all lines but one (-1: of all); their time both ways."""
    bits, boarding, far, _ = times.code
    stride, vectors = times.row
    nodes, both = len(times.link), 0
    _cleared(dist, on, group, nodes, stride, far)
    for r in range(len(lines)):
        if r == skipped:
            continue
        _join(group, lines[r])
        if times.weights[0] > 0.0:
            both += add_rides(
                dist, stride, lines[r], times.link, boarding, bits, room.there, room.back, on
            )
        else:
            both += _time_of(lines[r], times.link)
    if times.weights[0] > 0.0:
        waiting = -1
        for k in range(nodes):
            if on[k] > 1:
                waiting = _changed(times, room, dist, waiting, k)
        if waiting >= 0:
            through(dist, nodes, vectors, stride, room.rows, waiting, waiting, far)
    return both


@compiled
def cost_of(times, room, both):
    """Cost of what `room.dist` and `room.group` hold, and how many nodes are outside."""
    per_journey, per_line, per_node, longest = times.weights
    outside = _outside(room.group, room.on)
    cost = per_line * both + per_node * outside
    if per_journey > 0.0:
        nodes, stride = len(times.link), times.row[0]
        cost += per_journey * _journeys(
            room.dist, nodes, stride, times.code[0], times.code[3], longest, times.demand
        )
    return cost, outside


@inline
def _with(times, room, line, both):
    """Fills `room.dist` and `room.group` with a line added to the base; the time of all lines."""
    bits, boarding, far, _ = times.code
    stride, vectors = times.row
    nodes = len(times.link)
    for k in range(nodes):
        room.group[k] = room.base_group[k]
        room.on[k] = room.base_on[k]
    _join(room.group, line)
    if times.weights[0] <= 0.0:
        return both + _time_of(line, times.link)
    for at in range(nodes * stride):
        room.dist[at] = room.base[at]
    both += add_rides(
        room.dist, stride, line, times.link, boarding, bits, room.there, room.back, room.on
    )
    waiting = -1
    for k in range(stops_of(line)):
        if room.on[line[k]] > 1:
            waiting = _changed(times, room, room.dist, waiting, line[k])
    if waiting >= 0:
        through(room.dist, nodes, vectors, stride, room.rows, waiting, waiting, far)
    return both


@inline
def _kept(line, given):
    for k in range(len(line)):
        line[k] = given[k]


@inline
def _simple(line, mark):
    """Whether no stop repeats."""
    twice, stops = False, stops_of(line)
    for k in range(stops):
        twice |= mark[line[k]] != 0
        mark[line[k]] = 1
    for k in range(stops):
        mark[line[k]] = 0
    return not twice


@inline
def _spliced(line, given, i, j, rest):
    """A line up to its stop `i`, gone on as the given one `rest` long behind its stop `j`."""
    count = i + rest - j
    if count > len(line):
        return False
    for k in range(i + 1, len(line)):
        line[k] = given[j + k - i] if k < count else -1
    return True


@inline
def _crossed(a, b, trial, mark, bits):
    """Fills both rows of `trial` with lines that go on as each other behind a stop they share."""
    first, second = stops_of(a), stops_of(b)
    for k in range(second):
        mark[b[k]] = k + 1
    begin, i, j = below(bits, first), 0, -1
    for step in range(first):
        i = (begin + step) % first
        if mark[a[i]]:
            j = mark[a[i]] - 1
            break
    for k in range(second):
        mark[b[k]] = 0
    if j < 0:
        return False
    _kept(trial[0], a)
    _kept(trial[1], b)
    return (
        _spliced(trial[0], b, i, j, second)
        and _spliced(trial[1], a, j, i, first)
        and _simple(trial[0], mark)
        and _simple(trial[1], mark)
    )


@inline
def _swapped(line, other):
    for k in range(len(line)):
        line[k], other[k] = other[k], line[k]


@inline
def _shelved(cost, both, weights, lines, shelf):
    """Keeps lines that connect all nodes, if nothing as short was as good."""
    place = (both - shelf.first) // shelf.width
    if 0 <= place < len(shelf.journey):
        journey = (cost - weights[1] * both) / weights[0]
        if journey < shelf.journey[place] - 1e-9:
            shelf.journey[place] = journey
            for k in range(len(lines)):
                _kept(shelf.lines[place, k], lines[k])


@inline
def _accepted(cost, outside, both, times, temperature, lines, best, state, shelf, bits):
    """Whether a cost is accepted; best lines are kept."""
    state[2] += 1.0
    if outside == 0 and len(shelf.journey):
        _shelved(cost, both, times.weights, lines, shelf)
    if cost >= state[0] - temperature * np.log(1.0 - uniform(bits)):
        return False
    state[0] = cost
    if outside == 0 and cost < state[1] - 1e-9:
        state[1] = cost
        for k in range(len(lines)):
            _kept(best[k], lines[k])
    return True


@inline
def _exchanged(streets, times, room, lines, best, state, shelf, r, temperature, bits):
    """Two lines exchange what is behind a stop that they share, if that is accepted."""
    trial = room.trial
    s = (r + 1 + below(bits, len(lines) - 1)) % len(lines)
    if not _crossed(lines[r], lines[s], trial, room.mark, bits):
        return
    if not (
        legal(streets, trial[0], stops_of(trial[0]))
        and legal(streets, trial[1], stops_of(trial[1]))
    ):
        return
    _swapped(lines[r], trial[0])
    _swapped(lines[s], trial[1])
    both = whole(times, room, lines, -1, room.dist, room.on, room.group)
    cost, outside = cost_of(times, room, both)
    if not _accepted(cost, outside, both, times, temperature, lines, best, state, shelf, bits):
        _swapped(lines[r], trial[0])
        _swapped(lines[s], trial[1])


@compiled
def anneal(
    streets, times, room, lines, best, state, shelf, rounds, tries, temperature, chances, bits
):
    """Searches from lines.

    Args:
        streets: what moves know.
        times: what costs follow from.
        room: overwritten.
        lines: `[R, L]` where the search stands, changed.
        best: `[R, L]` the best lines without a violation, changed.
        state: `[3]` cost of the lines, cost of the best, and how many sets were evaluated.
        shelf: what else is kept, changed.
        rounds: how many; in each another line is changed.
        tries: changes in a round.
        temperature: in units of cost.
        chances: `[M]` cumulative, of moves.
        bits: state of the random numbers.
    """
    trial = room.trial[0]
    for _ in range(rounds):
        r = below(bits, len(lines))
        if len(lines) > 1 and uniform(bits) < 0.5:
            _exchanged(streets, times, room, lines, best, state, shelf, r, temperature, bits)
        rest = whole(times, room, lines, r, room.base, room.base_on, room.base_group)
        state[2] += 1.0
        for _ in range(tries):
            draw, move = uniform(bits), 0
            while move < len(chances) - 1 and chances[move] <= draw:
                move += 1
            if not propose_legal(move, streets, lines[r], trial, room.mark, bits):
                continue
            both = _with(times, room, trial, rest)
            cost, outside = cost_of(times, room, both)
            _swapped(lines[r], trial)
            if not _accepted(
                cost, outside, both, times, temperature, lines, best, state, shelf, bits
            ):
                _swapped(lines[r], trial)
