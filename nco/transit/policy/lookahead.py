"""Whether a line under way can still become a legal one, by a search of bounded length.

A line is legal once it has enough stops and both ends may be ends. The search goes on from a line
in one fixed order of moves and gives up after so many. So it may call a line hopeless that is not,
but never leads into a dead end: a line that it vouches for is legal or has a move after which the
same search, which is then a part of this one and shorter, vouches for it again.
"""

# mypy: allow-untyped-defs, allow-untyped-calls
# Numba types these functions by what they are called with.

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from nco.kernels.compiled import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nco.transit.instance.transit_instance import TransitInstance

_compiled: Any = compiled(nogil=True, error_model="numpy")

STEPS = 20_000
"""Moves of a search before it gives up."""


class Rules(NamedTuple):
    """What a legal line is.

    Attributes:
        near: `[N, D]` nodes that links lead to, -1 behind the last.
        terminal: `[N]` where lines may end.
        hops: `[N]` fewest links to a terminal.
        fewest: stops of a line.
        most: stops of a line.
        hub: whether lines begin at a hub, which may be any node.
        both: whether lines grow at both ends.
    """

    near: NDArray[np.int64]
    terminal: NDArray[np.bool_]
    hops: NDArray[np.int64]
    fewest: int
    most: int
    hub: bool
    both: bool


def rules_of(instance: TransitInstance, both: bool) -> Rules:
    """The rules of an instance; lines that begin at a hub grow at their other end only."""
    size = instance.size
    near = np.full((size, max(map(len, instance.neighbours))), -1)
    for row, others in zip(near, instance.neighbours, strict=True):
        row[: len(others)] = others
    terminals = instance.terminals
    terminal = np.ones(size, bool) if terminals is None else terminals.copy()
    hub = instance.hub is not None
    bounds = int(instance.min_stops), int(instance.max_stops)
    return Rules(near, terminal, _hops(near, terminal), *bounds, hub, both and not hub)


def _hops(near: NDArray[np.int64], terminal: NDArray[np.bool_]) -> NDArray[np.int64]:
    hops = np.where(terminal, 0, len(near))
    for _ in range(len(near)):
        behind = np.where(near >= 0, hops[near], len(near)).min(axis=1) + 1
        if (behind >= hops).all():
            break
        hops = np.minimum(hops, behind)
    return hops


@_compiled
def _ends(rules, first, last, count):
    """Whether a line may be closed as it is."""
    return (
        count >= max(2, rules.fewest)
        and rules.terminal[last]
        and (rules.hub or rules.terminal[first])
    )


@_compiled
def _hopeless(rules, first, last, count):
    """Whether a line needs more stops than it may have to get to terminals."""
    missing = rules.hops[last]
    if rules.both:
        missing += rules.hops[first]
    elif not rules.hub and not rules.terminal[first]:
        return True
    return count + missing > rules.most


@_compiled
def completable(rules, used, first, last, count, limit):
    """Whether a line can become legal.

    Args:
        rules: of lines.
        used: `[N]` whether a node is on the line; left as it was.
        first: its first node.
        last: its last node.
        count: its stops.
        limit: moves of the search.
    """
    if _ends(rules, first, last, count):
        return True
    if _hopeless(rules, first, last, count):
        return False
    degree, depth = rules.near.shape[1], 0
    moves = 2 * degree if rules.both else degree
    room = rules.most + 1
    head, tail = np.empty(room, np.int64), np.empty(room, np.int64)
    place, node = np.zeros(room, np.int64), np.empty(room, np.int64)
    head[0], tail[0] = first, last
    found = False
    while depth >= 0 and limit > 0 and not found:
        k = place[depth]
        if k == moves:
            if depth:
                used[node[depth]] = False
            depth -= 1
            continue
        place[depth] += 1
        front = k >= degree
        other = rules.near[head[depth] if front else tail[depth], k - degree if front else k]
        if other < 0 or used[other]:
            continue
        limit -= 1
        begin, end = (other, tail[depth]) if front else (head[depth], other)
        stops = count + depth + 1
        if _ends(rules, begin, end, stops):
            found = stops <= rules.most
        elif stops < rules.most and not _hopeless(rules, begin, end, stops):
            depth += 1
            head[depth], tail[depth], node[depth], place[depth] = begin, end, other, 0
            used[other] = True
    while depth > 0:
        used[node[depth]] = False
        depth -= 1
    return found


@_compiled
def check_moves(rules, move, used, first, last, count, limit):
    """Replaces moves by -1 after which a line can no longer become legal.

    Args:
        rules: of lines.
        move: `[B, K]` actions; a node, or a node plus `N` at the front; others stay as they are.
        used: `[B, N]` nodes on the lines.
        first: `[B]`.
        last: `[B]`.
        count: `[B]` stops; 0 where a move is the first stop.
        limit: moves of a search.
    """
    size = used.shape[1]
    for b in range(len(move)):
        for k in range(move.shape[1]):
            action = move[b, k]
            if action < 0 or action >= 2 * size:
                continue
            node = action % size
            begin, end = first[b], last[b]
            if count[b] == 0:
                begin, end = node, node
            elif action < size:
                end = node
            else:
                begin = node
            used[b, node] = True
            if not completable(rules, used[b], begin, end, count[b] + 1, limit):
                move[b, k] = -1
            used[b, node] = False
