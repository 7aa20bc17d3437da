"""A selection hyper-heuristic: short sequences of changes, chosen by what led to improvements.

After L. Ahmed, C. Mumford and A. Kheiri, "Solving urban transit route design problem using
selection hyper-heuristics", EJOR 274 (2019), whose best one chose sequences by a hidden Markov
model (A. Kheiri and E. Keedwell, 2015) and accepted by a great deluge. Here neighbours are
evaluated in batches, as large as the share of them that is accepted allows.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

import numpy as np

from nco.transit.design.changes import CHANGES
from nco.transit.design.objective import BROKEN_MIN, RuleKnowing
from nco.transit.design.start import searched
from nco.transit.design.ways import padded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nco.arrays import Floats
    from nco.transit.design.method import Budget, Progress
    from nco.transit.design.objective import LineObjective
    from nco.transit.design.result import Design
    from nco.transit.design.ways import Line, Ways
    from nco.transit.instance.lines import Lines

_KINDS = tuple(CHANGES.values())
_TRIES = 20  # changes that find nothing to do before a sequence is given up


@dataclass(frozen=True)
class Hyper:
    """Sequences of changes of one set of lines.

    Attributes:
        starts: sets of lines, of which the best is changed.
        longest: most changes of a sequence.
        batch: most neighbours evaluated in one go.
        deluge: at the beginning a set may be worse than the best by so many times what a change
            worsens it in the middle; in the end by nothing.
        rebuild: how often a few lines are built anew at once, where the objective can.
        name: see `DesignMethod`.
    """

    starts: int = 16
    longest: int = 4
    batch: int = 16
    deluge: float = 0.3
    rebuild: float = 0.1
    name: str = "hyper"

    def design(
        self,
        objective: LineObjective,
        budget: Budget,
        seed: int = 0,
        initial: Sequence[Lines] = (),
    ) -> Design:
        """See `DesignMethod`."""
        return searched(self.name, self.starts, self._search, objective, budget, seed, initial)

    def _search(
        self, progress: Progress, ways: Ways, sets: list[list[Line]], costs: Floats, rng: Random
    ) -> None:
        best = int(costs.argmin())
        current, cost, lowest = sets[best], float(costs[best]), float(costs[best])
        learnt = _Sequences(self.longest)
        allowed = self.deluge * _usual_loss(progress, ways, current, cost, rng)
        accepted = 1.0  # share of late neighbours
        while not progress.over:
            count = min(progress.left, self.batch, max(1, round(0.5 / accepted)))
            tried = [self._neighbour(learnt, progress, ways, current, rng) for _ in range(count)]
            found = progress.costs(padded([lines for lines, _ in tried], ways))
            level = lowest + allowed * (1 - progress.share) ** 2
            k = int(found.argmin())
            for value in found.tolist():
                accepted += 0.02 * ((value <= max(level, cost)) - accepted)
            accepted = max(accepted, 0.5 / self.batch)
            if found[k] < lowest:
                learnt.reward(tried[k][1])
                lowest = float(found[k])
            if found[k] <= max(level, cost):
                current, cost = tried[k][0], float(found[k])

    def _neighbour(
        self,
        learnt: _Sequences,
        progress: Progress,
        ways: Ways,
        lines: list[Line],
        rng: Random,
    ) -> tuple[list[Line], list[int]]:
        """Other lines; from lawful ones lawful ones, as far as the objective knows."""
        objective = progress.objective
        if not isinstance(objective, RuleKnowing):
            return learnt.applied(ways, lines, rng)
        if rng.random() < self.rebuild:
            count = min(len(lines), rng.randint(1, 3))
            fresh = objective.rebuilt(lines, rng.sample(range(len(lines)), count))
            if fresh is not None and list(fresh) != lines:
                return list(fresh), []
        found = learnt.applied(ways, lines, rng)
        for _ in range(_TRIES if objective.lawful(lines) else 0):
            if objective.lawful(found[0]):
                break
            found = learnt.applied(ways, lines, rng)
        return found


class _Sequences:
    """Which change follows which, and after which a sequence ends: counts, all 1 at first."""

    def __init__(self, longest: int) -> None:
        self._longest = longest
        self._next = [[1.0] * len(_KINDS) for _ in _KINDS]
        self._ends = [[1.0, 1.0] for _ in _KINDS]
        self._last = 0

    def applied(self, ways: Ways, lines: list[Line], rng: Random) -> tuple[list[Line], list[int]]:
        """Another set of lines, and the numbers of the changes that led there."""
        numbers: list[int] = []
        for _ in range(_TRIES):
            (number,) = rng.choices(range(len(_KINDS)), self._next[self._last])
            self._last = number
            found = _KINDS[number](ways, lines, rng)
            if found is None:
                continue
            lines = found
            numbers.append(number)
            go_on, end = self._ends[number]
            if len(numbers) >= self._longest or rng.random() * (go_on + end) < end:
                break
        return lines, numbers

    def reward(self, numbers: list[int]) -> None:
        """Makes a sequence likelier that led to the best set so far."""
        for k, number in enumerate(numbers):
            last = k == len(numbers) - 1
            self._ends[number][last] += 1.0
            if not last:
                self._next[number][numbers[k + 1]] += 1.0


def _usual_loss(
    progress: Progress, ways: Ways, lines: list[Line], cost: float, rng: Random
) -> float:
    """Median of what single changes worsen a set, rules broken left out; 0 if nothing does."""
    sequences = _Sequences(1)
    count = min(progress.left, 32)
    tried = [sequences.applied(ways, lines, rng)[0] for _ in range(count)]
    worse = progress.costs(padded(tried, ways)) - cost
    usual = worse[(worse > 0) & (worse < BROKEN_MIN / 2)]
    return float(np.median(usual)) if len(usual) else 0.0


METHOD = Hyper()
