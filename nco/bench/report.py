"""The report of a benchmark: tables as text, the same as plain data, and what was measured on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property, partial
from typing import Any

from nco import console
from nco.bench import merge
from nco.bench.duels import Duel, champion, duels
from nco.bench.result import Result
from nco.bench.summary import Best, Summary, best_known, gap, groups, soundness, summarise

_FALLBACKS = (
    "*n: n of these answers are not the method's own, because its search did not run or found "
    "nothing better:\n"
    "    they are those of a construction heuristic, or what the search began from"
)


@dataclass(frozen=True)
class Report:
    """Everything that is said about results.

    Attributes:
        results: of a suite, or of several joined ones.
        references: results of earlier runs, which may know better answers.
        compare: the method whose wins are counted; None for "auto", or the first without it.

    Raises:
        InputError: the method to compare was not run.
    """

    results: Sequence[Result]
    references: Sequence[Result] = ()
    compare: str | None = None

    def __post_init__(self) -> None:
        champion(self.results, self.compare)

    @cached_property
    def known(self) -> dict[str, Best]:
        """The best known cost of each instance, by fingerprint."""
        drawn = {result.fingerprint for result in self.results}
        return best_known(self.results, (r for r in self.references if r.fingerprint in drawn))

    @cached_property
    def rows(self) -> list[Summary]:
        """Gaps by group, budget and method."""
        return summarise(self.results, self.known)

    @cached_property
    def duels(self) -> list[Duel]:
        """The compared method against each other one."""
        return duels(self.results, self.known, champion(self.results, self.compare))

    @property
    def sound(self) -> bool:
        """Whether every answer is feasible, undisputed and in time."""
        return all(result.sound for result in self.results)

    def gaps(self, group: str) -> list[tuple[str, float, float]]:
        """Method, budget and gap of each run of a group that counts, for the anytime curve."""
        found = [(r, gap(r, self.known)) for r in self.results if r.group == group]
        return [(r.method, r.budget_s, share) for r, share in found if share is not None]

    def fallbacks(self, group: str) -> dict[tuple[str, float], int]:
        """How many fallbacks count in a group, by method and budget."""
        rows = (row for row in self.rows if row.group == group and row.fallbacks)
        return {(row.method, row.budget_s): row.fallbacks for row in rows}

    def data(self) -> dict[str, Any]:
        """The report as plain data."""
        return {
            "sound": self.sound,
            "incomplete": merge.missing(self.results),
            "rows": [asdict(row) for row in self.rows],
            "duels": [asdict(duel) for duel in self.duels],
            "soundness": [asdict(row) for row in soundness(self.results)],
            "best_known": self._origins(),
            "provenance": provenance(self.results),
        }

    def text(self) -> str:
        """The report as text."""
        blocks = []
        for group in groups(self.results):
            mine = [result for result in self.results if result.group == group]
            count = len({result.fingerprint for result in mine})
            cell = partial(_gap_cell, instances=count)
            blocks.append(
                f"{group}: {count} instance{'' if count == 1 else 's'}; mean gap to the best "
                f"known in % [95 % interval], by time limit\n"
                + _pivot("method", (row for row in self.rows if row.group == group), cell)
            )
            fights = [duel for duel in self.duels if duel.group == group]
            if fights:
                blocks.append(
                    f"{group}: {fights[0].method} against each other method, won/tied/lost, "
                    f"share won\n" + _pivot("against", fights, _duel_cell)
                )
                blocks.append(
                    f"{group}: gap of each other method minus that of {fights[0].method}, in "
                    f"points [95 % interval]\n" + _pivot("against", fights, _lead_cell)
                )
        if any(result.fallback for result in self.results):
            blocks.append(_FALLBACKS)
        blocks += [_soundness_table(self.results), *self._remarks()]
        return "\n\n".join(blocks)

    def _origins(self) -> dict[str, int]:
        origins = [best.origin for best in self.known.values()]
        return {origin: origins.count(origin) for origin in ("runs", "file", "references")}

    def _remarks(self) -> list[str]:
        sources = self._origins()
        lines = [
            f"best known answers of {len(self.known)} instances: {sources['runs']} by these runs, "
            f"{sources['file']} by .sol files, {sources['references']} by references"
        ]
        for name, values in provenance(self.results).items():
            told = values if isinstance(values, str) else ", ".join(map(str, values))
            lines.append(f"{name}: {told}")
        blocks = (lines, merge.missing(self.results), _faults(self.results))
        return ["\n".join(block) for block in blocks if block]


def provenance(results: Sequence[Result]) -> dict[str, Any]:
    """What was measured with what, and where: lists of different values."""

    def different(value: Callable[[Result], Any]) -> list[Any]:
        return sorted({value(result) for result in results})

    seeds, ends = different(lambda r: r.seed), different(lambda r: r.at)
    return {
        "suites": different(lambda r: r.suite),
        "seeds": f"{seeds[0]} to {seeds[-1]}" if len(seeds) > 1 else f"{seeds[0]}",
        "versions": different(lambda r: r.version),
        "nco": different(lambda r: r.nco),
        "code": different(lambda r: r.code),
        "python": different(lambda r: r.python),
        "processor": different(lambda r: r.processor),
        "processors": different(lambda r: r.processors),
        "runs at a time": different(lambda r: r.jobs),
        "threads": different(lambda r: r.threads),
        "system": different(lambda r: r.system),
        "measured": f"{ends[0]} to {ends[-1]}",
    }


def _pivot(first: str, rows: Iterable[Any], cell: Callable[[Any], str]) -> str:
    """A table with a line a method and a column a budget."""
    cells: dict[str, dict[float, str]] = {}
    for row in rows:
        cells.setdefault(getattr(row, first), {})[row.budget_s] = cell(row)
    budgets = sorted({budget_s for line in cells.values() for budget_s in line})
    header = (first, *(f"{budget_s:g} s" for budget_s in budgets))
    lines = [
        (name, *(line.get(budget_s, "-") for budget_s in budgets)) for name, line in cells.items()
    ]
    return console.table(header, lines)


def _gap_cell(row: Summary, instances: int) -> str:
    if row.refused == row.runs:
        return "refuses"
    # A mean over fewer instances is no mean of them all: say so in its place.
    short = "" if row.feasible == instances else f" ({row.feasible}/{instances})"
    return f"{_percent(row.gap, row.gap_low, row.gap_high)}{short}{_star(row.fallbacks)}"


def _duel_cell(duel: Duel) -> str:
    if duel.share_won is None:
        return "none"
    share = f"{100 * duel.share_won:.0f} %"
    return f"{duel.won}/{duel.tied}/{duel.lost} {share}{_star(duel.fallbacks)}"


def _lead_cell(duel: Duel) -> str:
    return _percent(duel.lead, duel.lead_low, duel.lead_high, sign="+") + _star(duel.fallbacks)


def _star(fallbacks: int) -> str:
    """The mark of a number that so many fallbacks are part of."""
    return f" *{fallbacks}" if fallbacks else ""


def _percent(mean: float | None, low: float | None, high: float | None, sign: str = "") -> str:
    if mean is None:
        return "none"
    ends = "" if low is None or high is None else f" [{100 * low:.2f}, {100 * high:.2f}]"
    return f"{100 * mean:{sign}.2f}{ends}"


def _soundness_table(results: Sequence[Result]) -> str:
    header = ("method", "runs", "feasible", "fallback", "disputed", "refused", "crashed", "late")
    lines = [
        (
            row.method,
            *map(str, (row.runs, row.feasible, row.fallbacks, row.disputed)),
            *map(str, (row.refused, row.crashed, row.late)),
            f"{1000 * row.overrun_s:.0f} ms of {row.overrun_limit_s:g} s" if row.late else "none",
            f"{row.disagreement:.0e}",
        )
        for row in soundness(results)
    ]
    return (
        "all runs; late is beyond the limit + 10 % + 50 ms, differ is between costs by method and "
        "checker\n" + console.table((*header, "largest overrun", "differ"), lines)
    )


def _faults(results: Sequence[Result], most: int = 10) -> list[str]:
    """What is not sound, one line a run."""
    lines = [f"{_where(result)}: {_fault(result)}" for result in results if not result.sound]
    more = [f"and {len(lines) - most} more runs that are not sound"] if len(lines) > most else []
    return lines[:most] + more


def _where(result: Result) -> str:
    return f"{result.method} on {result.instance} in {result.budget_s:g} s"


def _fault(result: Result) -> str:
    if result.crashed is not None:
        return f"crashed, {result.crashed}"
    if not result.feasible:
        return f"not feasible, {result.findings[0]}"
    if result.disputed:
        return f"claims a cost of {result.claimed}, the checker finds {result.cost}"
    return f"took {result.time_s:.3f} s (and {result.setup_s:.3f} s before, to load it)"
