"""How far an amount may exceed its limit before that counts.

Amounts may exceed their limits by `TOLERANCE` (relative, and absolute below 1), so that
sums of floating-point numbers are not mistaken for violations. Amounts are those of the normal
form of a problem (`nco.problem.normal`), so this holds at any zero of the clock and in any unit.
"""

from __future__ import annotations

import numpy as np

from nco.arrays import Floats

TOLERANCE = 1e-9


def exceeds(amount: float, limit: float) -> bool:
    """Whether an amount is over its limit by more than the tolerance."""
    return amount > limit + TOLERANCE * max(1.0, abs(limit))


def slack(limit: float | Floats) -> float | Floats:
    """How far an amount may exceed its limit before that counts as a violation."""
    return TOLERANCE * np.maximum(1.0, np.abs(limit))
