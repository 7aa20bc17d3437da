"""What the checker takes down, and what it reports."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

DIGITS = 1e-14  # what a number holds of itself, some sums of such numbers later
SLACK = 1e-6  # what rounding may add to a load, or to a time since the first one given, as a share


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        kind: as in `evaluate.Violation`, or "unserved", "unknown vehicle", "unknown stop",
            "cost" (the solution claims another cost).
        message: what is wrong, where and by how much.
        route: index into `Solution.routes`, if it concerns one.
        stop: node number, if it concerns one.
    """

    kind: str
    message: str
    route: int | None = None
    stop: int | None = None


@dataclass(frozen=True)
class Report:
    """What the checker found.

    Attributes:
        findings: everything wrong, in order of the routes; empty for a feasible solution.
        parts: the recomputed cost parts, by the names of `nco.problem.evaluate.Cost`.
        distance_m: metres driven.
        duration_s: seconds on duty.
    """

    findings: tuple[Finding, ...]
    parts: dict[str, float]
    distance_m: float
    duration_s: float

    @property
    def feasible(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings

    @property
    def cost(self) -> float:
        """The recomputed objective."""
        return math.fsum(self.parts.values())

    def __bool__(self) -> bool:
        return self.feasible

    def __str__(self) -> str:
        if self.feasible:
            return f"feasible, cost {self.cost:.6g}"
        count = "1 finding" if len(self.findings) == 1 else f"{len(self.findings)} findings"
        lines = [f"NOT feasible ({count}), cost {self.cost:.6g}"]
        return "\n".join(lines + [f"  {finding.message}" for finding in self.findings])


@dataclass
class Tally:
    """What the walk adds up, and the first time that the problem names."""

    first: float
    findings: list[Finding] = field(default_factory=list)
    metres: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    distance: list[float] = field(default_factory=list)
    duration: list[float] = field(default_factory=list)
    fixed: list[float] = field(default_factory=list)
    preference: list[float] = field(default_factory=list)
    penalty: list[float] = field(default_factory=list)
    overtime: list[float] = field(default_factory=list)
    legs_m: list[float] = field(default_factory=list)
    legs_s: list[float] = field(default_factory=list)
    back: list[float] = field(default_factory=list)
    times_served: dict[int, int] = field(default_factory=dict)

    def add(self, kind: str, message: str, route: int | None, stop: int | None = None) -> None:
        """Take down something that is wrong."""
        self.findings.append(Finding(kind, message, route, stop))


def weigh(weight: float, amount: float) -> float:
    """Weight times amount, 0 where the weight is 0 even if the amount is infinite."""
    return 0.0 if weight == 0 else weight * amount


def over(amount: float, limit: float) -> bool:
    """Whether an amount is more than a limit, by more than rounding explains."""
    return amount > limit * (1.0 + SLACK)


@dataclass
class Clock:
    """The time of one vehicle.

    Attributes:
        first: time that the problem names first; whatever the clock counts from, not before.
        now: seconds.
        driven: seconds of driving and service so far, whose rounding adds up.
    """

    first: float
    now: float
    driven: float = 0.0

    def past(self, limit: float) -> bool:
        """Whether it is later than a limit, by more than rounding explains."""
        if math.isinf(self.now) or math.isinf(limit):
            return False
        spent = SLACK * (abs(limit - self.first) + self.driven)
        return self.now > limit + spent + DIGITS * abs(limit)

    def spend(self, seconds: float) -> None:
        """Goes on."""
        self.now += seconds
        self.driven += seconds
