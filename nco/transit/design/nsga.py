"""NSGA-II: whole fronts of what passengers and what the operator spend, in one run.

K. Deb, A. Pratap, S. Agarwal and T. Meyarivan, "A fast and elitist multiobjective genetic
algorithm: NSGA-II", IEEE Transactions on Evolutionary Computation 6 (2002); children come about as
in the genetic algorithm with a single objective.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

import numpy as np

from nco.errors import UnsupportedError, quoted
from nco.transit.design.genetic import Genetic
from nco.transit.design.objective import BROKEN_MIN, ExactObjective
from nco.transit.design.start import searched
from nco.transit.design.ways import padded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from nco.arrays import Floats
    from nco.transit.design.method import Budget, Progress
    from nco.transit.design.objective import LineObjective
    from nco.transit.design.result import Design
    from nco.transit.design.ways import Line, Ways
    from nco.transit.evaluate.exact import Evaluations
    from nco.transit.instance.lines import Lines


@dataclass(frozen=True)
class Nsga:
    """Generations in which sets remain that few others beat in both, and that stand apart.

    The design that comes out is the best by the objective; for the front, give it
    `nco.transit.design.fronts.Recorded`.

    Attributes:
        population: sets of lines.
        name: see `DesignMethod`.
    """

    population: int = 100
    name: str = "nsga2"

    def design(
        self,
        objective: LineObjective,
        budget: Budget,
        seed: int = 0,
        initial: Sequence[Lines] = (),
    ) -> Design:
        """See `DesignMethod`.

        Raises:
            UnsupportedError: the objective has no passengers' and operator's part.
        """
        if not isinstance(objective, ExactObjective):
            raise UnsupportedError(
                f"method {quoted(self.name)} weighs passengers against the operator and takes an "
                f"ExactObjective, not {type(objective).__name__}; choose another method"
            )

        def search(
            progress: Progress, ways: Ways, sets: list[list[Line]], _costs: Floats, rng: Random
        ) -> None:
            self._search(progress, objective, ways, sets, rng)

        return searched(self.name, self.population, search, objective, budget, seed, initial)

    def _search(
        self,
        progress: Progress,
        objective: ExactObjective,
        ways: Ways,
        sets: list[list[Line]],
        rng: Random,
    ) -> None:
        breed = Genetic()
        given = padded(sets, ways)
        # These were counted when they were evaluated to begin with.
        points = both(objective.evaluator.batch(given))
        while not progress.over:
            order = np.lexsort((-crowding(points), ranks(points))).tolist()
            children = []
            for _ in range(min(self.population, progress.left)):
                first, second = (sets[order[_lower(len(order), rng)]] for _ in range(2))
                children.append(breed.child(ways, first, second, rng))
            packed = padded(children, ways)
            values = objective.values(packed)
            costs = objective.of(values)
            progress.keep(packed[int(costs.argmin())], float(costs.min()))
            sets, points = sets + children, np.concatenate([points, both(values)])
            kept = survivors(points, self.population)
            sets, points = [sets[k] for k in kept], points[kept]


def both(values: Evaluations) -> Floats:
    """`[B, 2]` minutes of passengers and operator, both raised by what breaks a rule."""
    broken = BROKEN_MIN * (values.violations.sum(axis=1) + values.unreached)
    travel = np.minimum(values.travel_min, BROKEN_MIN)
    return np.stack([travel + broken, values.operator_min + broken], axis=1)


def ranks(points: Floats) -> NDArray[np.int64]:
    """`[k]` 0 for rows `[k, 2]` that no other beats, 1 for those only these beat, and so on."""
    no_worse = (points[:, None] <= points[None]).all(axis=2)
    beats = no_worse & (points[:, None] < points[None]).any(axis=2)
    rank = np.full(len(points), -1)
    level, beaten = 0, beats.sum(axis=0)
    while (rank < 0).any():
        now = (rank < 0) & (beaten == 0)
        rank[now] = level
        beaten = beaten - beats[now].sum(axis=0)
        level += 1
    return rank


def crowding(points: Floats) -> Floats:
    """`[k]` how far the neighbours of each row are apart within its rank; `inf` at the ends."""
    rank, apart = ranks(points), np.zeros(len(points))
    for level in range(int(rank.max(initial=-1)) + 1):
        members = np.flatnonzero(rank == level)
        for column in points[members].T:
            order = np.argsort(column, kind="stable")
            wide = float(np.ptp(column)) or 1.0
            gaps = np.full(len(members), np.inf)
            gaps[1:-1] = (column[order[2:]] - column[order[:-2]]) / wide
            apart[members[order]] += gaps
    return apart


def survivors(points: Floats, count: int) -> list[int]:
    """Numbers of the rows that go on: by rank, then by crowding; the same point once."""
    _, once = np.unique(points, axis=0, return_index=True)
    once = np.sort(once)
    rank, apart = ranks(points[once]), crowding(points[once])
    order = np.lexsort((-apart, rank))[:count]
    return list(once[order].tolist())


def _lower(count: int, rng: Random) -> int:
    """The lower of two places: a tournament of two."""
    return min(rng.randrange(count), rng.randrange(count))


METHOD = Nsga()
