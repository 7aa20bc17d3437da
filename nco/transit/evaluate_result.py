"""What the exact evaluator of transit lines returns, for one set of lines or for many."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

KINDS = (
    "missing link", "repeated stop", "too short", "too long", "hub", "terminal", "unconnected",
    "number of lines",
)  # fmt: skip
"""Kinds of violations, as `nco.transit.lines.check_lines` names them."""

Floats = NDArray[np.float64]
Counts = NDArray[np.int32]


@dataclass(frozen=True)
class Evaluation:
    """What a set of lines is worth.

    Attributes:
        travel_min: mean minutes of a passenger who arrives, transfers included (CP, ATT).
        operator_min: minutes of all lines one way (CO, TRT).
        direct: share of the demand without a transfer (d0), 0 to 1.
        one_transfer: share with one (d1).
        two_transfers: share with two (d2).
        unserved: share with more, or that does not arrive (dun).
        unreached: the part of `unserved` that does not arrive.
        violations: how many there are of each of `KINDS`.
    """

    travel_min: float
    operator_min: float
    direct: float
    one_transfer: float
    two_transfers: float
    unserved: float
    unreached: float
    violations: tuple[int, ...] = (0,) * len(KINDS)

    @property
    def feasible(self) -> bool:
        """Whether nothing is violated."""
        return not any(self.violations)

    @property
    def broken(self) -> dict[str, int]:
        """The kinds of violations there are, and how many of each."""
        return {kind: n for kind, n in zip(KINDS, self.violations, strict=True) if n}


@dataclass(frozen=True, eq=False)
class Evaluations:
    """What sets of lines are worth; the attributes of `Evaluation`, all `[B]`.

    Attributes:
        travel_min: see there, and so on.
        operator_min: minutes.
        direct: share.
        one_transfer: share.
        two_transfers: share.
        unserved: share.
        unreached: share.
        violations: `[B, 8]` how many there are of each of `KINDS`.
    """

    travel_min: Floats
    operator_min: Floats
    direct: Floats
    one_transfer: Floats
    two_transfers: Floats
    unserved: Floats
    unreached: Floats
    violations: Counts

    def __len__(self) -> int:
        return len(self.travel_min)

    def __getitem__(self, number: int) -> Evaluation:
        return Evaluation(
            float(self.travel_min[number]),
            float(self.operator_min[number]),
            float(self.direct[number]),
            float(self.one_transfer[number]),
            float(self.two_transfers[number]),
            float(self.unserved[number]),
            float(self.unreached[number]),
            tuple(self.violations[number].tolist()),
        )

    @property
    def feasible(self) -> NDArray[np.bool_]:
        """`[B]` whether nothing is violated."""
        return np.asarray(~self.violations.any(axis=1))
