"""What results say: how far each method is from the best known, and whether it kept the rules."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass

from nco.bench.result import AGREEMENT as AGREEMENT
from nco.bench.result import Result
from nco.stats import interval


@dataclass(frozen=True)
class Best:
    """The best known cost of an instance.

    Attributes:
        cost: by the checker.
        origin: "runs", "file" (a `.sol` beside the instance) or "references".
    """

    cost: float
    origin: str


@dataclass(frozen=True)
class Summary:
    """All runs of one method at one budget on one group of instances.

    Attributes:
        group: of the instances.
        budget_s: time limit.
        method: name of the method.
        runs: on how many instances.
        feasible: how many of them with a feasible answer that the checker does not dispute;
            what follows is over these alone, but for times.
        fallbacks: how many of these are not the method's own answers, see `nco.Solution`.
        refused: how many of them ask for what the method cannot do.
        cost: mean; None without any.
        gap: mean of how much more they cost than the best known, 0.01 being 1 %; None
            without any.
        gap_low: lower end of the interval of 95 % of the mean gap; None for fewer than two.
        gap_high: its upper end.
        time_s: mean over all runs.
        slowest_s: the longest run.
        setup_s: mean of what loading the method took before its time.
    """

    group: str
    budget_s: float
    method: str
    runs: int
    feasible: int
    fallbacks: int
    refused: int
    cost: float | None
    gap: float | None
    gap_low: float | None
    gap_high: float | None
    time_s: float
    slowest_s: float
    setup_s: float


@dataclass(frozen=True)
class Soundness:
    """Whether a method can be trusted, over all its runs.

    Attributes:
        method: name of the method.
        versions: of the package behind it.
        runs: how many.
        feasible: how many answers the checker finds feasible.
        fallbacks: how many answers are not the method's own, see `nco.Solution`.
        disputed: how many of all answers cost other than the method says.
        refused: how many instances it cannot handle.
        crashed: how many runs ended by an error.
        late: how many took longer than the limit, 10 % and 50 ms.
        overrun_s: the most that a run took beyond that; negative where all kept it.
        overrun_limit_s: time limit of that run.
        disagreement: largest relative difference of costs by method and by checker.
    """

    method: str
    versions: tuple[str, ...]
    runs: int
    feasible: int
    fallbacks: int
    disputed: int
    refused: int
    crashed: int
    late: int
    overrun_s: float
    overrun_limit_s: float
    disagreement: float


def best_known(results: Iterable[Result], references: Iterable[Result] = ()) -> dict[str, Best]:
    """The least cost of each instance, by fingerprint.

    Args:
        results: all of them count, of every method and budget, and the files beside instances.
        references: results of earlier runs.
    """
    found: dict[str, Best] = {}
    for origin, given in (("runs", results), ("references", references)):
        for result in given:
            costs = {origin: result.cost if result.counts else None, "file": result.best_known}
            for where, cost in costs.items():
                known = found.get(result.fingerprint)
                if cost is not None and (known is None or cost < known.cost):
                    found[result.fingerprint] = Best(cost, where)
    return found


def gap(result: Result, known: dict[str, Best]) -> float | None:
    """How much more a result costs than the best known, 0.01 being 1 %.

    None where it does not count, and where the best known cost is 0 and this one is not.
    """
    if not result.counts or result.cost is None:
        return None
    least = known[result.fingerprint].cost
    if result.cost == least:
        return 0.0
    return (result.cost - least) / abs(least) if least else None


def groups(results: Iterable[Result]) -> list[str]:
    """Names of the groups, those of small instances first."""
    smallest: dict[str, int] = {}
    for result in results:
        smallest[result.group] = min(result.size, smallest.get(result.group, result.size))
    return sorted(smallest, key=lambda group: (smallest[group], group))


def summarise(results: Sequence[Result], known: dict[str, Best]) -> list[Summary]:
    """One row a group, budget and method; the best method of each budget first."""
    order = {group: k for k, group in enumerate(groups(results))}
    rows = [
        _summary(place, members, known)
        for place, members in by(results, lambda r: (r.group, r.budget_s, r.method)).items()
    ]
    return sorted(
        rows,
        key=lambda r: (order[r.group], r.budget_s, r.gap is None, r.gap or 0.0, r.method),
    )


def _summary(
    place: tuple[str, float, str], members: list[Result], known: dict[str, Best]
) -> Summary:
    gaps = [found for found in (gap(result, known) for result in members) if found is not None]
    costs = [result.cost for result in members if result.counts and result.cost is not None]
    ends = interval(gaps)
    return Summary(
        *place,
        runs=len(members),
        feasible=len(costs),
        fallbacks=sum(result.counts and bool(result.fallback) for result in members),
        refused=sum(result.refused is not None for result in members),
        cost=statistics.fmean(costs) if costs else None,
        gap=statistics.fmean(gaps) if gaps else None,
        gap_low=ends[0] if ends else None,
        gap_high=ends[1] if ends else None,
        time_s=statistics.fmean(result.time_s for result in members),
        slowest_s=max(result.time_s for result in members),
        setup_s=statistics.fmean(result.setup_s for result in members),
    )


def soundness(results: Iterable[Result]) -> list[Soundness]:
    """One row a method, by name."""
    rows = []
    for method, members in sorted(by(results, lambda r: r.method).items()):
        slowest = max(members, key=lambda r: r.overrun_s)
        rows.append(
            Soundness(
                method=method,
                versions=tuple(sorted({result.version for result in members})),
                runs=len(members),
                feasible=sum(result.feasible for result in members),
                fallbacks=sum(bool(result.fallback) for result in members),
                disputed=sum(result.disputed for result in members),
                refused=sum(result.refused is not None for result in members),
                crashed=sum(result.crashed is not None for result in members),
                late=sum(result.overrun_s > 0 for result in members),
                overrun_s=slowest.overrun_s,
                overrun_limit_s=slowest.budget_s,
                disagreement=max(result.disagreement or 0.0 for result in members),
            )
        )
    return rows


def by[K: Hashable](
    results: Iterable[Result], place: Callable[[Result], K]
) -> dict[K, list[Result]]:
    """Results that have the same place together."""
    found: dict[K, list[Result]] = {}
    for result in results:
        found.setdefault(place(result), []).append(result)
    return found
