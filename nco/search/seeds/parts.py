"""Cutting a large problem into parts that lie together on the roads, and are solved alone.

Stops are placed in the plane around the depot in which road distances are reproduced best
(classical scaling with the depot as origin), and cut in two again and again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nco.arrays import Floats

_ROUNDS = 12  # of the power iteration, after which the order along the plane hardly changes


def plane(cost: Floats, seed: int = 0) -> Floats:
    """`[N, 2]` places around node 0 whose distances are the costs as nearly as in any plane.

    Args:
        cost: `[N, N]` finite costs; the two directions of a pair count alike.
        seed: of where the iteration begins.
    """
    squared = ((cost + cost.T) / 2) ** 2
    products = (squared[0][:, None] + squared[0] - squared) / 2
    axes = np.random.default_rng(seed).normal(size=(len(cost), 2))
    for _ in range(_ROUNDS):
        axes, _ = np.linalg.qr(products @ axes)
    images: Floats = products @ axes
    stretched = np.linalg.norm(images, axis=0)  # by the eigenvalues, whose roots places have
    return images / np.sqrt(np.maximum(stretched, np.finfo(float).tiny))


def halves(places: Floats, parts: int) -> list[NDArray[np.int64]]:
    """Nodes 1 and up in `parts` sets of nearly the same size.

    Args:
        places: `[N, 2]`; each set is cut across the direction in which it is longest.
        parts: at most one a node.
    """

    def cut(nodes: NDArray[np.int64], pieces: int) -> list[NDArray[np.int64]]:
        if pieces == 1:
            return [nodes]
        centred = places[nodes] - places[nodes].mean(0)
        longest = np.linalg.svd(centred, full_matrices=False)[2][0]
        nodes = nodes[np.argsort(centred @ longest, kind="stable")]
        first = pieces // 2
        middle = len(nodes) * first // pieces
        return cut(nodes[:middle], first) + cut(nodes[middle:], pieces - first)

    return cut(np.arange(1, len(places)), parts)
