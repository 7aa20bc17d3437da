"""Random numbers in compiled loops: S. Vigna's xorshift64*, its state an array of one number."""

# mypy: allow-untyped-defs, allow-untyped-calls
# Numba types these functions by what they are called with.

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nco.kernels.compiled import compiled

_inline: Any = compiled(cache=False, nogil=True, error_model="numpy", _nrt=False)
_12, _25, _27, _11 = np.uint64(12), np.uint64(25), np.uint64(27), np.uint64(11)
_MULTIPLIER = np.uint64(0x2545F4914F6CDD1D)


def seeded(seed: int) -> NDArray[np.uint64]:
    """`[1]` the state that a seed stands for; never 0, which would stay 0."""
    return np.array([(seed + 1) * 0x9E3779B97F4A7C15 % 2**64 or 1], np.uint64)


@_inline
def uniform(bits):
    """A random number from 0 to below 1."""
    x = bits[0]
    x ^= x >> _12
    x ^= x << _25
    x ^= x >> _27
    bits[0] = x
    return np.float64((x * _MULTIPLIER) >> _11) * 1.1102230246251565e-16


@_inline
def below(bits, count):
    """A random whole number from 0 to below `count`."""
    return int(uniform(bits) * count)
