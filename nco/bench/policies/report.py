"""What was measured: rows, their table, and the card of a policy."""

from __future__ import annotations

import json
import math
import statistics
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nco import console
from nco.baselines.pyvrp import SEED
from nco.bench.policies.references import LONG_S
from nco.bench.policies.sets import SETS
from nco.data.cities.cache import read_json
from nco.errors import PolicyError
from nco.files import locked, write_atomic
from nco.models.files import WEIGHTS, shipped
from nco.versions import machine, versions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nco.bench.policies.measure import Answers
    from nco.bench.policies.sets import Cell


@dataclass(frozen=True)
class Mean:
    """A mean of percentages.

    Attributes:
        percent: the mean.
        standard_error: of the mean, in points; None of a single number.
        count: how many numbers.
    """

    percent: float
    standard_error: float | None
    count: int

    @classmethod
    def of(cls, shares: Sequence[float]) -> Mean:
        """The mean of shares, 0.01 being 1 %."""
        spread = statistics.stdev(shares) if len(shares) > 1 else None
        return cls(
            percent=100 * statistics.mean(shares),
            standard_error=None if spread is None else 100 * spread / math.sqrt(len(shares)),
            count=len(shares),
        )

    def __add__(self, other: Mean) -> Mean:
        """The sum of two independent means."""
        errors = [self.standard_error, other.standard_error]
        known = [error for error in errors if error is not None]
        return Mean(
            percent=self.percent + other.percent,
            standard_error=math.hypot(*known) if len(known) == len(errors) else None,
            count=min(self.count, other.count),
        )

    def __str__(self) -> str:
        if self.standard_error is None:
            return f"{self.percent:.2f} %"
        return f"{self.percent:.2f} ± {self.standard_error:.2f} %"


@dataclass(frozen=True)
class Row:
    """One method on one cell.

    Attributes:
        set: of the instances.
        problem: of the instances.
        stops: of the instances.
        instances: how many.
        policy: its name or file; None for a method without a policy.
        method: how it decodes, or the method's name.
        gap: to the references; None if an answer is wrong.
        reference: solver and version, `cpu_s` of its thread for each instance, seed.
        behind: how much more the references cost than PyVRP's in 20 s, on the first instances;
            None where those are not known.
        errors: what is wrong with the answers.
        time_ms: mean of an instance, decoded in batches where the method can.
        latency_ms: median of one instance at a time on one thread.
        threads: of `time_ms`.
        device: that decoded.
        clock: of `time_ms`, see `measure.Answers`.
        cost_m: one an instance.
    """

    set: str
    problem: str
    stops: int
    instances: int
    policy: str | None
    method: str
    gap: Mean | None
    reference: dict[str, Any]
    behind: Mean | None
    errors: tuple[str, ...]
    time_ms: float
    latency_ms: float | None
    threads: int
    device: str
    clock: str
    cost_m: tuple[float, ...]

    @property
    def gap_long(self) -> Mean | None:
        """An estimate of the gap to PyVRP's 20 s: the gap and what the references lack to it."""
        return None if self.gap is None or self.behind is None else self.gap + self.behind

    def line(self) -> dict[str, Any]:
        """Everything as plain data, with versions, machine and date."""
        return {
            **asdict(self),
            "cost_m": [round(cost, 1) for cost in self.cost_m],
            f"gap_{LONG_S:g}s": None if self.gap_long is None else asdict(self.gap_long),
            **{name: versions()[name] for name in ("nco", "python", "torch")},
            **machine(),
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
        }


def row(
    cell: Cell,
    who: tuple[str | None, str],
    answers: Answers,
    reference_m: Sequence[float],
    long_m: Sequence[float],
    reference: dict[str, Any],
) -> Row:
    """Compare answers with references.

    Args:
        cell: what was solved.
        who: the policy, if any, and the decoding or method.
        answers: of the cell's instances.
        reference_m: cost of each instance's reference.
        long_m: costs in 20 s of the first instances, or of none.
        reference: how the references were found.
    """
    gaps = [a / b - 1 for a, b in zip(answers.cost_m, reference_m, strict=True)]
    behind = [a / b - 1 for a, b in zip(reference_m, long_m, strict=False)]
    return Row(
        set=cell.set,
        problem=cell.problem,
        stops=cell.stops,
        instances=len(gaps),
        policy=who[0],
        method=who[1],
        gap=None if answers.errors else Mean.of(gaps),
        reference=reference,
        behind=Mean.of(behind) if behind else None,
        errors=answers.errors,
        time_ms=1000 * answers.time_s,
        latency_ms=None if answers.latency_s is None else 1000 * answers.latency_s,
        threads=answers.threads,
        device=answers.device,
        clock=answers.clock,
        cost_m=answers.cost_m,
    )


def sound(rows: Sequence[Row]) -> bool:
    """Whether every answer of every row is right."""
    return not any(row.errors for row in rows)


def table(rows: Sequence[Row]) -> str:
    """The rows as text, and below what their columns mean."""
    header = (
        "set", "problem", "stops", "policy", "method", "gap", "PyVRP s", f"to {LONG_S:g} s",
        "ms each", "ms alone",
    )  # fmt: skip
    text = console.table(header, [_cells(row) for row in rows])
    notes = [
        "gap: mean over the instances to PyVRP's cost in so many CPU seconds, ± standard error",
        f"to {LONG_S:g} s: estimate; the gap plus what PyVRP gains by {LONG_S:g} s on the first "
        "instances (or - where that was not computed)",
        "ms each: of an instance decoded in batches; ms alone: one at a time on one thread; CPU "
        "time where one thread does all the work, else wall-clock time",
    ]
    wrong = [
        f"WRONG {row.set} {row.problem} {row.stops} {row.policy or ''} {row.method}: {error}"
        for row in rows
        for error in row.errors[:3]
    ]
    return "\n".join([text, "", *notes, *wrong])


def _cells(row: Row) -> tuple[str, ...]:
    return (
        row.set,
        row.problem,
        str(row.stops),
        Path(row.policy).stem if row.policy else "-",
        row.method,
        "WRONG" if row.gap is None else str(row.gap),
        f"{row.reference['cpu_s']:g}",
        "-" if row.gap_long is None else str(row.gap_long),
        f"{row.time_ms:.1f}",
        "-" if row.latency_ms is None else f"{row.latency_ms:.1f}",
    )


def sentence(row: Row) -> str:
    """A row in one line, for progress."""
    who = f"{row.policy} {row.method}" if row.policy else row.method
    found = "WRONG" if row.gap is None else str(row.gap)
    return f"{row.set} {row.problem} {row.stops}: {who}: {found}, {row.time_ms:.1f} ms each"


def card_of(policy: str) -> Path:
    """The card of a policy.

    Raises:
        PolicyError: it has none.
    """
    if policy in shipped():
        return WEIGHTS / f"{policy}.json"
    path = Path(policy)
    if path.suffix != ".safetensors":
        raise PolicyError(f"{policy} has no card; save it as .safetensors first")
    return path.with_suffix(".json")


def write_card(policy: str, rows: Sequence[Row]) -> Path:
    """Put the rows of a policy on its card, in place of what was measured before.

    Raises:
        PolicyError: the policy has no card.
        StorageError: the card cannot be written.
    """
    path = card_of(policy)
    own = [row for row in rows if row.policy == policy]
    measured = {
        "by": "nco bench policies",
        "sets": {name: SETS[name].about for name in dict.fromkeys(row.set for row in own)},
        "cities": {name: SETS[name].cities for name in dict.fromkeys(row.set for row in own)},
        "reference": f"PyVRP, seed {SEED}, CPU seconds of one thread as in each row",
        "machine": machine(),
        "torch": versions()["torch"],
        "at": datetime.now(UTC).date().isoformat(),
        "rows": [_on_card(row) for row in own],
    }
    with locked(path):  # others may change it, too
        known = read_json(path)
        return write_atomic(path, json.dumps({**known, "measured": measured}, indent=2) + "\n")


def _on_card(row: Row) -> dict[str, Any]:
    """A row without the costs of single instances, and with few digits."""
    return {
        "set": row.set,
        "problem": row.problem,
        "stops": row.stops,
        "instances": row.instances,
        "decoding": row.method,
        "gap_percent": _short(row.gap),
        "reference_cpu_s": row.reference["cpu_s"],
        f"gap_percent_{LONG_S:g}s_estimate": _short(row.gap_long),
        "time_ms": round(row.time_ms, 1),
        "latency_ms": None if row.latency_ms is None else round(row.latency_ms, 1),
        "threads": row.threads,
        "device": row.device,
        "clock": row.clock,
    }


def _short(mean: Mean | None) -> list[float | None] | None:
    """Mean and standard error."""
    if mean is None:
        return None
    error = mean.standard_error
    return [round(mean.percent, 2), None if error is None else round(error, 2)]
