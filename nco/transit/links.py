"""Which stops are neighbours: the road between them passes no other stop."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nco.vehicle import Bools, Floats

# Engines round times to a tenth of a second, and a bus that turns at a stop loses a few.
_SLACK_S = 5.0


def neighbour_links(duration_s: Floats, *, detour: float = 1.1, nearest: int = 8) -> Bools:
    """Choose links between stops, so that all stops stay connected.

    Two stops are linked if no third one, nearer to both than they are to one another, lies on
    their way: no way over a third is shorter than `detour` times their own. Times of both
    directions count as their mean. Links that are long for both ends go, unless they belong to the
    minimum spanning tree: its links are the longest side of no triangle, so they all pass the
    first test, and the network cannot fall apart.

    Args:
        duration_s: `[N, N]` seconds between all stops, finite, positive off the diagonal.
        detour: how much longer a way over a third stop may be to count as passing it, 1 or more.
        nearest: a link is kept if one end is among so many stops nearest to the other.

    Returns:
        `[N, N]` symmetric, whether there is a link.
    """
    n = len(duration_s)
    apart_s = (duration_s + duration_s.T) / 2
    linked = ~np.eye(n, dtype=bool)
    for k in range(n):
        there, back = apart_s[:, k, None], apart_s[None, k]
        over = (there + back <= detour * apart_s + _SLACK_S) & (np.maximum(there, back) < apart_s)
        linked &= ~over
    rank = np.argsort(np.argsort(apart_s, axis=1, kind="stable"), axis=1, kind="stable")
    near = rank <= nearest
    linked &= near | near.T
    for i, j in spanning_tree(apart_s):
        linked[i, j] = linked[j, i] = True
    return linked


def spanning_tree(length: Floats) -> NDArray[np.int64]:
    """The minimum spanning tree of a complete graph (Prim, 1957).

    Args:
        length: `[N, N]` symmetric.

    Returns:
        `[N - 1, 2]` its links.
    """
    n = len(length)
    best, source = length[0].copy(), np.zeros(n, dtype=np.int64)
    outside = np.ones(n, dtype=bool)
    outside[0] = False
    links = []
    for _ in range(n - 1):
        node = int(np.where(outside, best, np.inf).argmin())
        links.append((int(source[node]), node))
        outside[node] = False
        closer = length[node] < best
        best, source = np.where(closer, length[node], best), np.where(closer, node, source)
    return np.array(links, dtype=np.int64).reshape(-1, 2)
