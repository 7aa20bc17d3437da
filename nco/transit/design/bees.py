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

from nco.errors import ProblemError
from nco.transit.design.changes import extend, renew, shorten
from nco.transit.design.start import searched
from nco.transit.design.ways import Line, padded
from nco.transit.instance import TransitInstance

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nco.transit.design.method import Budget, Progress
    from nco.transit.design.objective import Objective
    from nco.transit.design.result import Design
    from nco.transit.design.ways import Ways
    from nco.transit.lines import Lines
    from nco.vehicle import Floats

Replan = Callable[[TransitInstance, tuple[Line, ...], int, Random], Line]
"""Another line in place of one: of the instance, all lines, the number of the one, and draws."""

_SHORTEN = 0.2  # share of changes at an end that take a stop away
_TRIES = 10


@dataclass(frozen=True)
class Bees:
    """A colony of which every bee has a set of lines.

    Attributes:
        bees: how many.
        changes: each bee tries on its way, before bees compare what they have.
        meetings: until all bees begin again with the best set.
        replan: a policy's change of a line; None takes ways between nodes of much demand.
        name: see `DesignMethod`.
    """

    bees: int = 10
    changes: int = 10
    meetings: int = 5
    replan: Replan | None = None
    name: str = "bees"

    def design(
        self,
        objective: Objective,
        budget: Budget,
        seed: int = 0,
        initial: Sequence[Lines] = (),
    ) -> Design:
        """See `DesignMethod`."""
        return searched(self.name, self.bees, self._search, objective, budget, seed, initial)

    def _search(
        self, progress: Progress, ways: Ways, sets: list[list[Line]], costs: Floats, rng: Random
    ) -> None:
        best, lowest = list(sets[int(costs.argmin())]), float(costs.min())
        while not progress.over:
            sets, costs = [best] * self.bees, np.full(self.bees, lowest)
            for meeting in range(self.meetings):
                for _ in range(self.changes):
                    if progress.share >= 1:
                        return
                    self._fly(progress, ways, sets, costs, rng)
                if costs.min() < lowest:
                    best, lowest = sets[int(costs.argmin())], float(costs.min())
                _recruit(sets, costs, meeting + 1, rng)

    def _fly(
        self, progress: Progress, ways: Ways, sets: list[list[Line]], costs: Floats, rng: Random
    ) -> None:
        """Every bee tries a change and keeps it if it makes nothing worse."""
        flying = range(min(self.bees, progress.left))
        tried = [self._changed(ways, sets[bee], bee, rng) for bee in flying]
        found = progress.costs(padded(tried, ways))
        for bee in flying:
            if found[bee] <= costs[bee]:
                sets[bee], costs[bee] = tried[bee], found[bee]

    def _changed(self, ways: Ways, lines: list[Line], bee: int, rng: Random) -> list[Line]:
        if bee % 2 == 0 and self.replan is not None:
            r = rng.randrange(len(lines))
            line = self.replan(ways.instance, tuple(lines), r, rng)
            if not ways.legal(line):
                raise ProblemError(
                    f"replan returned the line {line} for line {r}, which breaks a rule of "
                    f"{ways.instance.name!r}; it must return lines within the bounds"
                )
            return [*lines[:r], line, *lines[r + 1 :]]
        for _ in range(_TRIES):
            if bee % 2 == 0:
                found = renew(ways, lines, rng)
            else:
                found = (shorten if rng.random() < _SHORTEN else extend)(ways, lines, rng)
            if found is not None:
                return found
        return lines


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


METHOD = Bees()
