"""Which places were moved far onto a street, so that reports list them."""

from __future__ import annotations

from collections.abc import Container

import numpy as np

from nco.arrays import Floats

MOVED_FAR_M = 50.0
"""A place farther than this from the one on a street that stands for it is listed in reports."""


def moved_far(moved_m: Floats | None, but: Container[int] = ()) -> dict[int, float]:
    """Metres of places that were moved far, by node.

    Args:
        moved_m: `[N]`; None where no city was asked.
        but: nodes that are left out, because nothing stands for them.
    """
    if moved_m is None:
        return {}
    far = np.flatnonzero(moved_m > MOVED_FAR_M).tolist()
    return {node: float(moved_m[node]) for node in far if node not in but}
