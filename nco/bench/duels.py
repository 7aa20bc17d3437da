"""One method against each other one, instance by instance: won, tied, lost, and by how much."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from nco.bench.result import AGREEMENT, Result
from nco.bench.summary import Best, by, gap, groups
from nco.errors import InputError, quoted
from nco.stats import interval

_CHAMPION = "auto"


@dataclass(frozen=True)
class Duel:
    """A method against another one at one budget on one group of instances.

    Attributes:
        group: of the instances.
        budget_s: time limit of both.
        method: the one.
        against: the other.
        won: on how many instances the one is better, or the only one with an answer that counts.
        tied: on how many both cost the same, as far as rounding lets one say.
        lost: on how many the other is better.
        fallbacks: on how many of all these the other's answer is not its own, see `nco.Solution`.
        share_won: of the three together; None without any.
        lead: mean, over instances that both answer, of the gap of the other minus that of the
            one, 0.01 being one point; None without any.
        lead_low: lower end of the interval of 95 % of the lead; None for fewer than two.
        lead_high: its upper end.
    """

    group: str
    budget_s: float
    method: str
    against: str
    won: int
    tied: int
    lost: int
    fallbacks: int
    share_won: float | None
    lead: float | None
    lead_low: float | None
    lead_high: float | None


def champion(results: Sequence[Result], wanted: str | None = None) -> str:
    """The method that is compared with the others: the wanted one, else "auto", else the first.

    Raises:
        InputError: the wanted one has no results.
    """
    methods = list(dict.fromkeys(result.method for result in results))
    if wanted is None:
        return _CHAMPION if _CHAMPION in methods else methods[0]
    if wanted not in methods:
        raise InputError(
            f"method {quoted(wanted)} was not run, so it cannot be compared; choose one of "
            f"{', '.join(methods)}"
        )
    return wanted


def duels(results: Sequence[Result], known: dict[str, Best], method: str) -> list[Duel]:
    """A method against each other one, by group, budget and name of the other."""
    cells = by(results, lambda r: (r.group, r.budget_s))
    others = sorted({result.method for result in results} - {method})
    found = []
    for group in groups(results):
        for budget_s in sorted(budget_s for name, budget_s in cells if name == group):
            of = by(cells[group, budget_s], lambda r: r.method)
            found += [
                _duel(of[method], of[other], known)
                for other in others
                if method in of and other in of
            ]
    return found


def _duel(ours: list[Result], theirs: list[Result], known: dict[str, Best]) -> Duel:
    rivals = {_instance(result): result for result in theirs}
    pairs = [(one, rivals[_instance(one)]) for one in ours if _instance(one) in rivals]
    verdicts = [_verdict(one, other) for one, other in pairs]
    leads = []
    for one, other in pairs:
        mine, other_gap = gap(one, known), gap(other, known)
        if mine is not None and other_gap is not None:
            leads.append(other_gap - mine)
    ends, judged = interval(leads), [verdict for verdict in verdicts if verdict is not None]
    return Duel(
        group=ours[0].group,
        budget_s=ours[0].budget_s,
        method=ours[0].method,
        against=theirs[0].method,
        won=judged.count(1),
        tied=judged.count(0),
        lost=judged.count(-1),
        fallbacks=sum(
            bool(other.fallback)
            for (_, other), verdict in zip(pairs, verdicts, strict=True)
            if verdict is not None
        ),
        share_won=judged.count(1) / len(judged) if judged else None,
        lead=statistics.fmean(leads) if leads else None,
        lead_low=ends[0] if ends else None,
        lead_high=ends[1] if ends else None,
    )


def _instance(result: Result) -> tuple[str, int]:
    return result.fingerprint, result.seed


def _verdict(one: Result, other: Result) -> int | None:
    """1 for the one, -1 for the other, 0 for a tie.

    None if neither has an answer that counts, or one refuses: that is no victory of the other.
    """
    if one.refused is not None or other.refused is not None:
        return None
    if not one.counts or not other.counts or one.cost is None or other.cost is None:
        return int(one.counts) - int(other.counts) if one.counts or other.counts else None
    if abs(one.cost - other.cost) <= AGREEMENT * max(abs(one.cost), abs(other.cost)):
        return 0
    return 1 if one.cost < other.cost else -1
