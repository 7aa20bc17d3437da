"""Cutting a large problem into parts that lie together on the roads, and are solved alone.

Stops are placed in the plane around the depot in which road distances are reproduced best
(classical scaling with the depot as origin), and cut in two again and again.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import torch

from nco.envs.instances import each, pad
from nco.envs.observe import fill_frame

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from nco.arrays import Floats
    from nco.envs.rcvrp import RCVRPInstance

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


def divided[I: RCVRPInstance](whole: I, parts: Sequence[NDArray[np.int64]]) -> I:
    """One batch of the parts of an instance, each with the depot and its share of the vehicles.

    Args:
        whole: one instance.
        parts: nodes of each, without the depot.
    """
    total = max(1, int(whole.demand.sum()))

    def part(nodes: NDArray[np.int64]) -> I:
        kept = torch.as_tensor(np.concatenate([[0], nodes]))

        def chosen(name: str, value: torch.Tensor) -> torch.Tensor:
            if value.ndim == 1:
                return value
            return value[:, kept[:, None], kept] if name in whole.per_pair else value[:, kept]

        smaller = each(whole, chosen)
        load = int(smaller.demand.sum())
        least = -(-load // int(whole.capacity))
        share = int(whole.vehicles) * load // total
        vehicles = torch.full_like(whole.vehicles, max(1, least, share))
        return replace(smaller, xy=fill_frame(smaller.xy), vehicles=vehicles)

    return pad([part(nodes) for nodes in parts])
