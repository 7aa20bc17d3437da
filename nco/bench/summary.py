"""What the lines of a suite say: one row a method and budget."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from nco import console

AGREEMENT = 1e-6  # relative difference of costs by solver and by checker that rounding explains


@dataclass(frozen=True)
class Summary:
    """All runs of one method at one budget.

    Attributes:
        method: name of the method.
        budget_s: its time limit.
        runs: how many instances.
        feasible: how many of them with a feasible answer.
        cost: mean over the feasible answers; None without any.
        gap: mean over the feasible answers of how much more they cost than the best known.
        time_s: mean over all runs.
        slowest_s: the longest run.
        disagreement: largest relative difference of costs by solver and by checker.
    """

    method: str
    budget_s: float
    runs: int
    feasible: int
    cost: float | None
    gap: float | None
    time_s: float
    slowest_s: float
    disagreement: float


def gaps(lines: Sequence[dict[str, Any]]) -> list[float | None]:
    """How much more each run costs than the best feasible run on its instance.

    Runs of all methods and budgets count; None for runs that are not feasible.
    """
    least: dict[str, float] = {}
    for line in lines:
        if line["feasible"]:
            name = _instance(line)
            least[name] = min(line["cost"], least.get(name, line["cost"]))
    return [
        line["cost"] / least[_instance(line)] - 1
        if line["feasible"] and least[_instance(line)] > 0
        else (0.0 if line["feasible"] else None)
        for line in lines
    ]


def summarise(lines: Sequence[dict[str, Any]]) -> list[Summary]:
    """One row a method and budget, budgets in order, the best method first."""
    groups: dict[tuple[float, str], list[tuple[dict[str, Any], float | None]]] = {}
    for line, gap in zip(lines, gaps(lines), strict=True):
        groups.setdefault((line["budget_s"], line["method"]), []).append((line, gap))
    rows = []
    for (budget_s, method), group in groups.items():
        good = [(line["cost"], gap) for line, gap in group if gap is not None]
        times = [line["time_s"] for line, _ in group]
        rows.append(
            Summary(
                method=method,
                budget_s=budget_s,
                runs=len(group),
                feasible=len(good),
                cost=sum(cost for cost, _ in good) / len(good) if good else None,
                gap=sum(gap for _, gap in good) / len(good) if good else None,
                time_s=sum(times) / len(times),
                slowest_s=max(times),
                disagreement=max(line["disagreement"] for line, _ in group),
            )
        )
    return sorted(
        rows, key=lambda r: (r.budget_s, -r.feasible, r.gap if r.gap is not None else 1e9)
    )


def sound(lines: Sequence[dict[str, Any]]) -> bool:
    """Whether every run is feasible and costs what its solver says."""
    return all(line["feasible"] and line["disagreement"] <= AGREEMENT for line in lines)


def table(lines: Sequence[dict[str, Any]]) -> str:
    """The summary as text."""
    header = ("method", "limit s", "mean km", "mean gap", "mean s", "max s", "feasible", "differ")
    rows = [
        (
            row.method,
            f"{row.budget_s:g}",
            "-" if row.cost is None else f"{row.cost / 1000:.3f}",
            "-" if row.gap is None else f"{100 * row.gap:.2f} %",
            f"{row.time_s:.3f}",
            f"{row.slowest_s:.3f}",
            f"{row.feasible}/{row.runs}",
            f"{row.disagreement:.0e}",
        )
        for row in summarise(lines)
    ]
    return console.table(header, rows)


def _instance(line: dict[str, Any]) -> str:
    return f"{line['city']} {line['problem']} {line['size']} {line['seed']} {line['within_km']}"
