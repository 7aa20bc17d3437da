"""Compiled loops of tree search; `nco.kernels.tree` says what they do and what the arrays are.

Shapes: `T` trees of up to `M` positions, the first of which is the root, with up to `K` moves each.
None allocates, see `nco.kernels.by_reference`.
"""

# mypy: allow-untyped-defs, allow-untyped-calls
# Numba types these functions by what they are called with.

from __future__ import annotations

from typing import Any

import numpy as np

from nco.kernels.compiled import compiled

UNTRIED, PENDING, CLOSED = -1, -2, -3  # in place of a child
_options: dict[str, Any] = {"nogil": True, "_nrt": False}
_compiled: Any = compiled(**_options)
_inner: Any = compiled(cache=False, **_options)


@_inner
def _chosen(trees, t, p, blocked, exploration, share):
    """The move of a position with the highest PUCT score; -1 where none is to be had."""
    low, spread = trees.bounds[t, 0], trees.bounds[t, 1] - trees.bounds[t, 0]
    scale = 1.0 / spread if 0.0 < spread < np.inf else 0.0
    moves = trees.child.shape[2]
    visited, under_way, total = 0, 0, 0.0
    for k in range(moves):
        visited += trees.visits[t, p, k]
        under_way += trees.pending[t, p, k]
        total += trees.total[t, p, k]
    mean = scale * (total / visited - low) if visited else 0.0
    factor = exploration * np.sqrt(max(1, visited + under_way))
    chosen, highest = -1, -np.inf
    for k in range(moves):
        behind, n, q = trees.child[t, p, k], trees.visits[t, p, k], mean
        if behind in (PENDING, CLOSED) or (behind >= 0 and blocked[behind]):
            continue
        if n:
            own = share * trees.best[t, p, k] + (1.0 - share) * trees.total[t, p, k] / n
            q = scale * (own - low)
        q += factor * trees.prior[t, p, k] / (1 + n + trees.pending[t, p, k])
        if q > highest:
            highest, chosen = q, k
    return chosen


@_compiled
def select(trees, width, exploration, share, blocked, found):
    """Fills `found` `[T L, 3]` with tree, position and move; returns how many there are.

    `blocked` `[M]` is room for which positions have nothing more to give in this round.
    """
    count = 0
    for t in range(len(trees.used)):
        for p in range(trees.used[t]):
            blocked[p] = False
        limit = count + width
        p = 0
        while trees.used[t] and count < limit and not blocked[0]:
            k = _chosen(trees, t, p, blocked, exploration, share)
            if k >= 0 and trees.child[t, p, k] >= 0:
                p = trees.child[t, p, k]
                continue
            if k < 0:
                blocked[p] = True
            else:
                trees.child[t, p, k] = PENDING
                found[count, 0], found[count, 1], found[count, 2] = t, p, k
                count += 1
                while p >= 0:
                    trees.pending[t, p, k] += 1
                    k, p = trees.via[t, p], trees.parent[t, p]
            p = 0
    return count


@_inner
def _add(trees, t, n, above, via, expansion, i):
    """Writes a position without visits, behind a move of another one or as a root."""
    trees.parent[t, n], trees.via[t, n], trees.label[t, n] = above, via, expansion.label[i]
    for k in range(trees.child.shape[2]):
        prior = expansion.prior[i, k]
        trees.action[t, n, k], trees.prior[t, n, k] = expansion.action[i, k], prior
        trees.child[t, n, k] = UNTRIED if prior > 0.0 else CLOSED
        trees.visits[t, n, k], trees.pending[t, n, k] = 0, 0
        trees.total[t, n, k], trees.best[t, n, k] = 0.0, -np.inf
    if above >= 0:
        trees.child[t, above, via] = n


@_inner
def _close(trees, t, p, k):
    """Closes a move behind which nothing is left, and those above that thereby have nothing."""
    while True:
        trees.child[t, p, k] = CLOSED
        for other in range(trees.child.shape[2]):
            if trees.child[t, p, other] != CLOSED:
                return
        p, k = trees.parent[t, p], trees.via[t, p]
        if p < 0:
            return


@_compiled
def expand_and_backup(trees, leaves, expansion):
    """Expansion and backup: adds the positions of each leaf in turn; what is full takes no more."""
    for j in range(len(leaves.tree)):
        t, p, k, v = leaves.tree[j], leaves.position[j], leaves.move[j], expansion.value[j]
        trees.bounds[t, 0] = min(trees.bounds[t, 0], v)
        trees.bounds[t, 1] = max(trees.bounds[t, 1], v)
        # The move that the next position is behind, and whether nothing more is.
        above, via, ends = p, k, True
        for i in range(expansion.first[j], expansion.first[j + 1]):
            n = trees.used[t]
            if n == trees.label.shape[1]:
                ends = True
                break
            trees.used[t] = n + 1
            _add(trees, t, n, above, via, expansion, i)
            above, via, ends = n, expansion.taken[i], expansion.taken[i] >= 0
            if ends:
                trees.visits[t, n, via] = 1
                trees.total[t, n, via] = trees.best[t, n, via] = v
        if ends and above >= 0:
            _close(trees, t, above, via)
        while p >= 0:
            trees.visits[t, p, k] += 1
            trees.pending[t, p, k] -= 1
            trees.total[t, p, k] += v
            trees.best[t, p, k] = max(trees.best[t, p, k], v)
            k, p = trees.via[t, p], trees.parent[t, p]


@_inner
def _move_up(trees, t, n, to):
    """Writes a position in another's place; its children are those of before."""
    trees.via[t, to], trees.label[t, to] = trees.via[t, n], trees.label[t, n]
    for k in range(trees.child.shape[2]):
        trees.action[t, to, k], trees.prior[t, to, k] = trees.action[t, n, k], trees.prior[t, n, k]
        trees.visits[t, to, k], trees.total[t, to, k] = trees.visits[t, n, k], trees.total[t, n, k]
        trees.best[t, to, k], trees.child[t, to, k] = trees.best[t, n, k], trees.child[t, n, k]


@_compiled
def advance(trees, move, place):
    """Moves the positions behind a move up to the front; `place` `[M]` is room for where to."""
    for t in range(len(trees.used)):
        if move[t] < 0 or trees.child[t, 0, move[t]] < 0:
            continue
        # Positions come after those before them, so that they can be moved up in their order.
        top = trees.child[t, 0, move[t]]
        count = 0
        for n in range(top, trees.used[t]):
            above = trees.parent[t, n]
            place[n] = -1
            if n != top and (above < top or place[above] < 0):
                continue
            place[n] = count
            _move_up(trees, t, n, count)
            if n == top:
                trees.parent[t, count] = trees.via[t, count] = -1
            else:
                trees.parent[t, count] = place[above]
            count += 1
        for n in range(count):
            for k in range(trees.child.shape[2]):
                if trees.child[t, n, k] >= 0:
                    trees.child[t, n, k] = place[trees.child[t, n, k]]
        trees.used[t] = count
