"""Distances between points of classical instances, under a stated rounding rule.

Costs can be compared only under the same rule:

- "round": to the nearest whole number, halves up. The TSPLIB meaning of `EUC_2D`, with which
  the best-known costs of CVRPLIB (sets A to X) are stated; the default for `EUC_2D`.
- "trunc", "ceil": to the next whole number below or above; the default for `FLOOR_2D`, `CEIL_2D`.
- "dimacs": to one decimal, cut off. The DIMACS challenge and CVRPLIB state costs of Solomon
  instances so (C101: 827.3); the default for Solomon and for families with windows.
- "exact": to three decimals, halves up. PyVRP states costs of MDVRPTW and SDVRPTW so, in
  thousandths.
- "none": not rounded. SINTEF states costs of Solomon instances so (C101: 828.94).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np

from nco.arrays import Floats
from nco.errors import InputError, ProblemError, quoted
from nco.memory import require_matrices

Rounding = Literal["none", "round", "trunc", "ceil", "dimacs", "exact"]

_RULES: dict[str, Callable[[Floats], Floats]] = {
    "none": lambda distance: distance,
    "round": lambda distance: np.floor(distance + 0.5),
    "trunc": np.floor,
    "ceil": np.ceil,
    "dimacs": lambda distance: np.floor(10 * distance) / 10,
    "exact": lambda distance: np.floor(1000 * distance + 0.5) / 1000,
}


def check_rounding(rounding: str | None) -> None:
    """Refuse a rule that does not exist; None stands for the default of a format.

    Raises:
        InputError: the rule is unknown.
    """
    if rounding is not None and rounding not in _RULES:
        raise InputError(f"rounding is {quoted(rounding)}; use one of {', '.join(_RULES)}")


def rounded(distance: Floats, rounding: Rounding) -> Floats:
    """Distances under a rule."""
    return _RULES[rounding](distance)


def euclidean(xy: Floats, rounding: Rounding) -> Floats:
    """`[N, N]` distances between points `[N, 2]` under a rule.

    Raises:
        ProblemError: points are farther apart than numbers reach.
        InputError: there are more points than fit into the memory.
    """
    require_matrices(len(xy), len(xy), 3)
    with np.errstate(over="ignore"):
        x, y = (np.square(axis[:, None] - axis[None]) for axis in xy.T)
        x += y
    if not np.isfinite(x).all():
        raise ProblemError("coordinates are too far apart for numbers; scale them")
    return rounded(np.sqrt(x, out=x), rounding)
