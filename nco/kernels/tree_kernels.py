"""Compiled loops of tree search; `nco.kernels.tree` says what they do and what the arrays are.

Shapes: `T` trees of up to `M` positions, the first of which is the root, with up to `K` moves each.
"""

# mypy: allow-untyped-defs, allow-untyped-calls
# Numba types these functions by what they are called with.

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

UNTRIED, PENDING, CLOSED = -1, -2, -3  # in place of a child
_compiled: Any = njit(nogil=True, cache=True)


@_compiled
def _chosen(prior, child, visits, pending, total, best, blocked, low, scale, exploration, share):
    """The move of a position, of which all arrays `[K]` are; -1 where none is to be had."""
    visited, under_way = visits.sum(), pending.sum()
    mean = scale * (total.sum() / visited - low) if visited else 0.0
    factor = exploration * np.sqrt(max(1, visited + under_way))
    chosen, highest = -1, -np.inf
    for k in range(len(prior)):
        behind, n, q = child[k], visits[k], mean
        if behind in (PENDING, CLOSED) or (behind >= 0 and blocked[behind]):
            continue
        if n:
            q = scale * (share * best[k] + (1.0 - share) * total[k] / n - low)
        q += factor * prior[k] / (1 + n + pending[k])
        if q > highest:
            highest, chosen = q, k
    return chosen


@_compiled
def select(
    used, parent, via, prior, child, visits, pending, total, best, bounds, width,
    exploration, share, found,
):  # fmt: skip
    """Fills `found` `[T L, 3]` with tree, position and move; returns how many there are."""
    count = 0
    for t in range(len(used)):
        low, spread = bounds[t, 0], bounds[t, 1] - bounds[t, 0]
        scale = 1.0 / spread if 0.0 < spread < np.inf else 0.0
        blocked = np.zeros(used[t], np.bool_)  # nothing is to be had there in this round
        limit = count + width
        p = 0
        while used[t] and count < limit and not blocked[0]:
            k = _chosen(prior[t, p], child[t, p], visits[t, p], pending[t, p], total[t, p],
                        best[t, p], blocked, low, scale, exploration, share)  # fmt: skip
            if k >= 0 and child[t, p, k] >= 0:
                p = child[t, p, k]
                continue
            if k < 0:
                blocked[p] = True
            else:
                child[t, p, k] = PENDING
                found[count, 0], found[count, 1], found[count, 2] = t, p, k
                count += 1
                while p >= 0:
                    pending[t, p, k] += 1
                    k, p = via[t, p], parent[t, p]
            p = 0
    return count


@_compiled
def add_lines(
    used, parent, via, label, action, prior, child, visits, pending, total, best, bounds,
    leaf_tree, leaf_position, leaf_move, value, first, line_label, line_action, line_prior, taken,
):  # fmt: skip
    """Adds the positions of each leaf in turn; what is full takes no more."""
    for j in range(len(leaf_tree)):
        t, p, k, v = leaf_tree[j], leaf_position[j], leaf_move[j], value[j]
        bounds[t, 0], bounds[t, 1] = min(bounds[t, 0], v), max(bounds[t, 1], v)
        # The move that the next position is behind, and whether nothing more is.
        behind_p, behind_k, ends = p, k, True
        for i in range(first[j], first[j + 1]):
            n = used[t]
            if n == label.shape[1]:
                ends = True
                break
            used[t] = n + 1
            parent[t, n], via[t, n], label[t, n] = behind_p, behind_k, line_label[i]
            for m in range(child.shape[2]):
                action[t, n, m], prior[t, n, m] = line_action[i, m], line_prior[i, m]
                child[t, n, m] = UNTRIED if line_prior[i, m] > 0.0 else CLOSED
                visits[t, n, m], pending[t, n, m] = 0, 0
                total[t, n, m], best[t, n, m] = 0.0, -np.inf
            if behind_p >= 0:
                child[t, behind_p, behind_k] = n
            behind_p, behind_k, ends = n, taken[i], taken[i] >= 0
            if ends:
                visits[t, n, behind_k], total[t, n, behind_k], best[t, n, behind_k] = 1, v, v
        if ends and behind_p >= 0:
            child[t, behind_p, behind_k] = CLOSED
            # A position without a move left to try closes the move that led there.
            while True:
                open_moves = 0
                for m in range(child.shape[2]):
                    open_moves += child[t, behind_p, m] != CLOSED
                behind_p, behind_k = parent[t, behind_p], via[t, behind_p]
                if open_moves or behind_p < 0:
                    break
                child[t, behind_p, behind_k] = CLOSED
        while p >= 0:
            visits[t, p, k] += 1
            pending[t, p, k] -= 1
            total[t, p, k] += v
            best[t, p, k] = max(best[t, p, k], v)
            k, p = via[t, p], parent[t, p]


@_compiled
def advance(
    used, parent, via, label, action, prior, child, visits, total, best, move
):  # fmt: skip
    """Moves the positions behind a move up to the front."""
    for t in range(len(used)):
        if move[t] < 0 or child[t, 0, move[t]] < 0:
            continue
        # Positions come after those before them, so that they can be moved up in their order.
        top = child[t, 0, move[t]]
        place = np.full(used[t], -1, np.int32)
        count = 0
        for n in range(top, used[t]):
            if n != top and (parent[t, n] < top or place[parent[t, n]] < 0):
                continue
            place[n] = count
            parent[t, count] = place[parent[t, n]] if n != top else -1
            via[t, count] = via[t, n] if n != top else -1
            label[t, count] = label[t, n]
            for k in range(child.shape[2]):
                action[t, count, k], prior[t, count, k] = action[t, n, k], prior[t, n, k]
                visits[t, count, k], total[t, count, k] = visits[t, n, k], total[t, n, k]
                best[t, count, k] = best[t, n, k]
                child[t, count, k] = child[t, n, k]
            count += 1
        for n in range(count):
            for k in range(child.shape[2]):
                if child[t, n, k] >= 0:
                    child[t, n, k] = place[child[t, n, k]]
        used[t] = count
