"""A map drawn from costs, for problems that have no coordinates."""

from __future__ import annotations

import numpy as np

from nco.arrays import Floats

WHOLE = 300  # nodes, up to which all eigenvectors are cheap
WIDTH, ROUNDS = 8, 12  # of the iteration beyond; on streets the map is then the same to 1e-5


def plane_of(cost: Floats) -> Floats:
    """`[N, 2]` the plane in which squared costs are reproduced best (classical scaling).

    Of a thousand nodes all eigenvectors take a third of a second on a quiet machine and many times
    as long on a busy one, whatever time limit there is: beyond `WHOLE` nodes a few of the largest
    are iterated together, from a start that is always the same.

    Args:
        cost: `[N, N]` finite costs; the two directions of a pair count alike.
    """
    squared = ((cost + cost.T) / 2) ** 2
    centred = squared - squared.mean(0) - squared.mean(1)[:, None] + squared.mean()
    products = -centred / 2
    if len(cost) <= WHOLE:
        values, vectors = np.linalg.eigh(products)
    else:
        axes = np.random.default_rng(0).normal(size=(len(cost), WIDTH))
        for _ in range(ROUNDS):
            axes, _ = np.linalg.qr(products @ axes)
        values, turned = np.linalg.eigh(axes.T @ products @ axes)
        vectors = axes @ turned
    plane: Floats = vectors[:, -2:] * np.sqrt(np.maximum(values[-2:], 0.0))
    return np.pad(plane, ((0, 0), (0, 2 - plane.shape[1])))
