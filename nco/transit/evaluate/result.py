"""What the exact evaluator of transit lines returns, for one set of lines or for many."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nco.arrays import Floats

KINDS = (
    "missing link", "repeated stop", "too short", "too long", "hub", "terminal", "unconnected",
    "number of lines",
)  # fmt: skip
"""Kinds of violations, as `nco.transit.instance.lines.check_lines` names them."""

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
    """What sets of lines are worth.

    Attributes:
        values: `[B, 7]` the fields of `Evaluation` up to violations, in their order.
        violations: `[B, 8]` how many there are of each of `KINDS`.
    """

    values: Floats
    violations: Counts

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, number: int) -> Evaluation:
        travel, operator, direct, one, two, unserved, unreached = self.values[number].tolist()
        violations = tuple(self.violations[number].tolist())
        return Evaluation(travel, operator, direct, one, two, unserved, unreached, violations)

    @property
    def travel_min(self) -> Floats:
        """`[B]` mean minutes of a passenger who arrives."""
        return self.values[:, 0]

    @property
    def operator_min(self) -> Floats:
        """`[B]` minutes of all lines one way."""
        return self.values[:, 1]

    @property
    def direct(self) -> Floats:
        """`[B]` share of the demand without a transfer."""
        return self.values[:, 2]

    @property
    def one_transfer(self) -> Floats:
        """`[B]` share with one."""
        return self.values[:, 3]

    @property
    def two_transfers(self) -> Floats:
        """`[B]` share with two."""
        return self.values[:, 4]

    @property
    def unserved(self) -> Floats:
        """`[B]` share with more, or that does not arrive."""
        return self.values[:, 5]

    @property
    def unreached(self) -> Floats:
        """`[B]` share that does not arrive."""
        return self.values[:, 6]

    @property
    def feasible(self) -> NDArray[np.bool_]:
        """`[B]` whether nothing is violated."""
        return np.asarray(~self.violations.any(axis=1))
