"""How sure is a mean? Percentile intervals of the bootstrap (Efron 1979), seeded."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

LEVEL = 0.95
_RESAMPLES = 4000
_OF_GROUPS = 2000  # resamples, where whole groups are drawn
_SEED = 1979
_AT_ONCE = 1_000_000  # numbers of a block of resamples


def interval(values: Sequence[float], level: float = LEVEL) -> tuple[float, float] | None:
    """An interval that holds the mean of the population with a probability of `level`.

    The same values in the same order give the same interval.

    Args:
        values: one an instance.
        level: between 0 and 1.

    Returns:
        Its ends; None for fewer than two values, which say nothing about their spread.
    """
    if len(values) < 2:
        return None
    array, rng = np.asarray(values, float), np.random.default_rng(_SEED)
    block = max(1, _AT_ONCE // len(array))
    means = np.concatenate(
        [
            array[rng.integers(len(array), size=(min(block, _RESAMPLES - k), len(array)))].mean(1)
            for k in range(0, _RESAMPLES, block)
        ]
    )
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def grouped_interval(values: Sequence[float], groups: Sequence[str]) -> tuple[float, float]:
    """An interval of 95 % of the mean when whole groups are drawn again.

    Args:
        values: one a case.
        groups: of each, such as who drove; cases of one group depend on one another.

    Returns:
        Its ends; not a number where there are no values.
    """
    if not len(values):
        return float("nan"), float("nan")
    _, of = np.unique(np.array(groups), return_inverse=True)
    total, count = np.bincount(of, weights=values), np.bincount(of)
    drawn = np.random.default_rng(_SEED).integers(len(count), size=(_OF_GROUPS, len(count)))
    means = total[drawn].sum(axis=1) / count[drawn].sum(axis=1)
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)
