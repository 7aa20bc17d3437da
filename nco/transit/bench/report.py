"""The table of a comparison of methods: means over seeds, with standard errors."""

from __future__ import annotations

import math
import statistics
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from nco import console

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nco.transit.bench.result import RunResult

_HEADER = (
    "method", "runs", "sound", "cost", "+-", "best", "CP min", "CO min", "served", "buses",
    "evaluations", "s",
)  # fmt: skip


@dataclass(frozen=True)
class Row:
    """All seeds of a method in a group; means are None where there is nothing to average.

    Attributes:
        group: what is compared.
        method: name.
        runs: how many.
        sound: how many of them have lines that break no rule; costs are over these alone.
        cost: mean.
        error: standard error of the mean cost; None for fewer than two.
        best: lowest cost.
        travel_min: mean, over all lines.
        operator_min: mean, over all lines.
        service_rate: mean, over all lines.
        fleet: mean, over all lines.
        evaluations: mean.
        time_s: mean wall-clock seconds.
    """

    group: str
    method: str
    runs: int
    sound: int
    cost: float | None
    error: float | None
    best: float | None
    travel_min: float | None
    operator_min: float | None
    service_rate: float | None
    fleet: float | None
    evaluations: float
    time_s: float


def rows(results: Sequence[RunResult]) -> list[Row]:
    """One row a method in each group; the best first."""
    found = []
    for group in dict.fromkeys(result.run.group for result in results):
        mine = [result for result in results if result.run.group == group]
        methods = dict.fromkeys(result.run.method for result in mine)
        table = [_row(group, [r for r in mine if r.run.method == name]) for name in methods]
        found += sorted(table, key=lambda row: math.inf if row.cost is None else row.cost)
    return found


def text(results: Sequence[RunResult]) -> str:
    """The tables, one a group."""
    blocks = []
    table = rows(results)
    for group in dict.fromkeys(row.group for row in table):
        cells = [_cells(row) for row in table if row.group == group]
        blocks.append(f"{group}\n{console.table(_HEADER, cells)}")
    refused = dict.fromkeys(result.refused for result in results if result.refused)
    blocks += [f"refused: {message}" for message in refused]
    processors = sorted({result.processor for result in results})
    blocks.append(f"one thread a run, {', '.join(processors)}, code {results[0].code}")
    return "\n\n".join(blocks)


def data(results: Sequence[RunResult]) -> dict[str, Any]:
    """The same as plain data."""
    return {
        "sound": sound(results),
        "rows": [asdict(row) for row in rows(results)],
        "processors": sorted({result.processor for result in results}),
    }


def sound(results: Sequence[RunResult]) -> bool:
    """Whether all lines break no rule; a method may refuse what it cannot do."""
    return all(result.feasible or result.refused is not None for result in results)


def _row(group: str, runs: Sequence[RunResult]) -> Row:
    costs = [run.cost for run in runs if run.feasible and run.cost is not None]

    def mean(name: str) -> float | None:
        values = [value for run in runs if (value := getattr(run, name)) is not None]
        return statistics.fmean(values) if values else None

    several = len(costs) > 1
    return Row(
        group=group,
        method=runs[0].run.method,
        runs=len(runs),
        sound=len(costs),
        cost=statistics.fmean(costs) if costs else None,
        error=statistics.stdev(costs) / math.sqrt(len(costs)) if several else None,
        best=min(costs, default=None),
        travel_min=mean("travel_min"),
        operator_min=mean("operator_min"),
        service_rate=mean("service_rate"),
        fleet=mean("fleet"),
        evaluations=statistics.fmean(run.evaluations for run in runs),
        time_s=statistics.fmean(run.time_s for run in runs),
    )


def _cells(row: Row) -> list[str]:
    def cell(value: float | None, form: str) -> str:
        return "-" if value is None else format(value, form)

    return [
        row.method,
        str(row.runs),
        str(row.sound),
        cell(row.cost, ".4f"),
        cell(row.error, ".4f"),
        cell(row.best, ".4f"),
        cell(row.travel_min, ".3f"),
        cell(row.operator_min, ".1f"),
        cell(row.service_rate, ".2%"),
        cell(row.fleet, ".1f"),
        cell(row.evaluations, ".0f"),
        cell(row.time_s, ".2f"),
    ]
