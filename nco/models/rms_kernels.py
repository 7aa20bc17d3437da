"""Compiled normalisation by root mean squares on CPUs: one pass forwards, one backwards.

`nco.models.rms` says what is computed. Shapes: `R` rows of width `E`.
"""

# mypy: allow-untyped-defs, allow-untyped-calls
# Numba types these functions by what they are called with.

from __future__ import annotations

from typing import Any

import numpy as np

from nco.kernels.compiled import compiled
from nco.kernels.products import take

PIECE = 64
"""Rows that a thread takes in one go."""

_ZERO, _ONE = np.float32(0.0), np.float32(1.0)
_compiled: Any = compiled(nogil=True, fastmath=True, error_model="numpy")


@_compiled
def normalise(node, small, taken, direction, inverse):
    """Normalises rows.

    Args:
        node: `[R, E]`.
        small: what is added to the mean of squares.
        taken: number of pieces begun; shared by threads.
        direction: `[R, E]`, filled with `node * inverse`.
        inverse: `[R]`, filled with 1 over the root of the mean of squares.
    """
    count, width = node.shape
    begin = take(taken) * PIECE
    while begin < count:
        for i in range(begin, min(begin + PIECE, count)):
            row, out, total = node[i], direction[i], _ZERO
            for e in range(width):
                total += row[e] * row[e]
            factor = _ONE / np.sqrt(total / np.float32(width) + small)
            for e in range(width):
                out[e] = row[e] * factor
            inverse[i] = factor
        begin = take(taken) * PIECE


@_compiled
def normalise_back(direction, inverse, gain, beside, taken, out):
    """The gradient of `node`.

    Args:
        direction: what `normalise` had filled.
        inverse: what `normalise` had filled.
        gain: gradient of `direction`.
        beside: what else is added, `[R, E]`.
        taken: number of pieces begun; shared by threads.
        out: `[R, E]`, filled.
    """
    count, width = direction.shape
    begin = take(taken) * PIECE
    while begin < count:
        for i in range(begin, min(begin + PIECE, count)):
            row, to_row, other, result = direction[i], gain[i], beside[i], out[i]
            total, factor = _ZERO, inverse[i]
            for e in range(width):
                total += row[e] * to_row[e]
            mean = total / np.float32(width)
            for e in range(width):
                result[e] = other[e] + factor * (to_row[e] - mean * row[e])
        begin = take(taken) * PIECE
