"""Ideas of RADAR (2026) for directed matrices: singular vectors as features, balanced attention."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

_CLOSED = -1e4  # logarithm of a weight that is nothing, and that gradients survive


@torch.no_grad()
def singular_factors(matrix: Tensor, rank: int) -> tuple[Tensor, Tensor]:
    """The leading singular vectors, scaled: `rows @ columns^T` is nearly the matrix.

    The sign of each pair of vectors is that in which the cubes of their entries sum to 0 or more,
    so that it does not depend on the order of nodes. Nothing is differentiated.

    Args:
        matrix: `[B, N, N]`; rows and columns of zeros get factors of zero.
        rank: number of factors; those beyond `N` are zero.

    Returns:
        `[B, N, rank]` factors of rows and of columns, of order one where the matrix is.
    """
    with torch.autocast(matrix.device.type, enabled=False):
        rows, columns = _factors(matrix.float(), min(rank, matrix.shape[-1]))
    missing = (0, rank - rows.shape[-1])
    return F.pad(rows, missing), F.pad(columns, missing)


def _factors(matrix: Tensor, kept: int) -> tuple[Tensor, Tensor]:
    # Eigenvectors of the square cost half of a singular value decomposition, and what they lose in
    # precision lies far below the leading factors.
    squares, left = torch.linalg.eigh(matrix @ matrix.transpose(1, 2))
    squares, left = squares[:, -kept:].flip(1), left[..., -kept:].flip(2)
    value = squares.clamp_min(0.0).sqrt()[:, None]
    real = value > 1e-3 * value.amax(2, keepdim=True).clamp_min(torch.finfo(value.dtype).tiny)
    rows = left * value.sqrt()
    columns = matrix.transpose(1, 2) @ left / torch.where(real, value, 1.0).sqrt()
    lopsided = (rows**3).sum(1, keepdim=True) + (columns**3).sum(1, keepdim=True)
    sign = torch.where(lopsided < 0, -1.0, 1.0) * real
    return rows * sign, columns * sign


def balanced(logits: Tensor, iterations: int, present: Tensor | None = None) -> Tensor:
    """Logarithms of weights of which every row, and nearly every column, sums to one (Sinkhorn).

    Args:
        logits: `[..., N, N]`.
        iterations: columns, then rows are normalised so many times, in logarithms.
        present: `[..., N]` which nodes are there, broadcast; None where all are. Others get and
            give no weight.
    """
    both = None if present is None else present[..., :, None] & present[..., None, :]
    if both is not None:
        logits = torch.where(both, logits, _CLOSED)
    for _ in range(iterations):
        for dim in (-2, -1):
            logits = logits - logits.logsumexp(dim, keepdim=True)
            if both is not None:
                logits = torch.where(both, logits, _CLOSED)
    return logits
