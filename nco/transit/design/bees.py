"""Bee colony optimisation, with changes of its own or with those of a learned policy.

After M. Nikolic and D. Teodorovic, "Transit network design by bee colony optimization", Expert
Systems with Applications 40 (2013): half of the bees put another way in place of a line, half
lengthen or shorten one; then bees of poor sets follow others to theirs. A policy can replan lines
in place of the first half (A. Holliday and G. Dudek call that neural evolution).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

import numpy as np

from nco.errors import ProblemError, quoted
from nco.solver import MAX_SEED
from nco.transit.design.changes import extend, renew, shorten
from nco.transit.design.start import searched
from nco.transit.design.ways import Line, padded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nco.arrays import Floats
    from nco.transit.design.method import Budget, Progress
    from nco.transit.design.objective import LineObjective
    from nco.transit.design.result import Design
    from nco.transit.design.ways import Ways
    from nco.transit.instance.lines import Lines

type Replan = Callable[[list[list[Line]], list[int]], list[Line]]
"""Another line in place of one of each set, given the sets and the numbers of the ones."""

_SHORTEN = 0.2  # share of changes at an end that take a stop away
_TRIES = 10


@dataclass(frozen=True)
class Bees:
    """A colony of which every bee has a set of lines.

    Attributes:
        bees: how many.
        changes: each bee tries on its way, before bees compare what they have.
        meetings: until all bees begin again with the best set.
        replanning: makes what replans lines, such as a policy, of an objective and a seed; None
            takes ways between nodes of much demand.
        name: see `DesignMethod`.
    """

    bees: int = 10
    changes: int = 10
    meetings: int = 5
    replanning: Callable[[LineObjective, int], Replan] | None = None
    name: str = "bees"

    def design(
        self,
        objective: LineObjective,
        budget: Budget,
        seed: int = 0,
        initial: Sequence[Lines] = (),
    ) -> Design:
        """See `DesignMethod`."""
        return searched(self.name, self.bees, self._search, objective, budget, seed, initial)

    def _search(
        self, progress: Progress, ways: Ways, sets: list[list[Line]], costs: Floats, rng: Random
    ) -> None:
        replan = None
        if self.replanning is not None:
            replan = self.replanning(progress.objective, rng.randrange(MAX_SEED))
        best, lowest = list(sets[int(costs.argmin())]), float(costs.min())
        while not progress.over:
            sets, costs = [best] * self.bees, np.full(self.bees, lowest)
            for meeting in range(self.meetings):
                for _ in range(self.changes):
                    if progress.share >= 1:
                        return
                    flying = min(self.bees, progress.left)
                    tried = _changed(ways, sets[:flying], replan, rng)
                    found = progress.costs(padded(tried, ways))
                    for bee in range(flying):
                        # Bees keep what makes nothing worse.
                        if found[bee] <= costs[bee]:
                            sets[bee], costs[bee] = tried[bee], found[bee]
                if costs.min() < lowest:
                    best, lowest = sets[int(costs.argmin())], float(costs.min())
                _recruit(sets, costs, meeting + 1, rng)


def _changed(
    ways: Ways, sets: list[list[Line]], replan: Replan | None, rng: Random
) -> list[list[Line]]:
    """What bees try: every other one another line, the rest a line that is longer or shorter."""
    replanned = [] if replan is None else _replanned(ways, sets[::2], replan, rng)
    return [
        replanned[bee // 2] if replanned and bee % 2 == 0 else _drawn(ways, lines, bee, rng)
        for bee, lines in enumerate(sets)
    ]


def _drawn(ways: Ways, lines: list[Line], bee: int, rng: Random) -> list[Line]:
    """The first change that is possible, in some tries."""
    for _ in range(_TRIES):
        if bee % 2 == 0:
            found = renew(ways, lines, rng)
        else:
            found = (shorten if rng.random() < _SHORTEN else extend)(ways, lines, rng)
        if found is not None:
            return found
    return lines


def _replanned(ways: Ways, sets: list[list[Line]], replan: Replan, rng: Random) -> list[list[Line]]:
    numbers = [rng.randrange(len(lines)) for lines in sets]
    found = []
    for lines, r, line in zip(sets, numbers, replan(sets, numbers), strict=True):
        if not ways.legal(line):
            raise ProblemError(
                f"replanning returned the line {line} for line {r}, which breaks a rule of "
                f"{quoted(ways.instance.name)}; it must return lines within the bounds"
            )
        found.append([*lines[:r], line, *lines[r + 1 :]])
    return found


def _recruit(sets: list[list[Line]], costs: Floats, meeting: int, rng: Random) -> None:
    """Bees of poor sets leave these, likelier the poorer they are, and follow others to theirs."""
    width = float(costs.max() - costs.min())
    if not width:
        return
    worth = (costs.max() - costs) / width
    loyal = [rng.random() < math.exp((value - 1) / meeting) for value in worth.tolist()]
    loyal[int(costs.argmin())] = True
    dancing = [bee for bee, stays in enumerate(loyal) if stays]
    for bee, stays in enumerate(loyal):
        if not stays:
            (other,) = rng.choices(dancing, [worth[k] for k in dancing])
            sets[bee], costs[bee] = sets[other], costs[other]


def _shipped(objective: LineObjective, seed: int) -> Replan:
    # PyTorch takes a second to load, which the colony without a policy need not wait for.
    from nco.transit.design.replan import replanner

    return replanner(objective, seed)


METHOD = Bees()
NEURAL = Bees(replanning=_shipped, name="bees-policy")
