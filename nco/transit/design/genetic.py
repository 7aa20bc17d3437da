"""A genetic algorithm over sets of lines.

A child takes lines of both parents in turn, always the one that serves most nodes it does not yet
serve (C. L. Mumford, "New heuristic and evolutionary operators for the multi-objective urban
transit routing problem", CEC 2013), or each line of either parent at random, as AlphaTransit's
does (arXiv 2605.28730). Then some of its lines are changed.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

import numpy as np

from nco.transit.design.changes import changed_at_random
from nco.transit.design.joining import joined
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


@dataclass(frozen=True)
class Genetic:
    """Generations of sets of lines, of which the best remain.

    Attributes:
        population: sets of lines.
        tournament: sets of which the best becomes a parent.
        crossover: share of children of two parents.
        changes: in the mean, of each child.
        join: share of children whose nodes are joined again if they fell apart.
        name: see `DesignMethod`.
    """

    population: int = 50
    tournament: int = 3
    crossover: float = 0.6
    changes: float = 1.5
    join: float = 0.2
    name: str = "genetic"

    def design(
        self,
        objective: LineObjective,
        budget: Budget,
        seed: int = 0,
        initial: Sequence[Lines] = (),
    ) -> Design:
        """See `DesignMethod`."""
        return searched(self.name, self.population, self._search, objective, budget, seed, initial)

    def _search(
        self, progress: Progress, ways: Ways, sets: list[list[Line]], costs: Floats, rng: Random
    ) -> None:
        while not progress.over:
            order = np.argsort(costs, kind="stable").tolist()
            children = []
            for _ in range(min(self.population, progress.left)):
                first, second = (self._parent(order, rng) for _ in range(2))
                children.append(self.child(ways, sets[first], sets[second], rng))
            sets = sets + children
            costs = np.concatenate([costs, progress.costs(padded(children, ways))])
            kept = _survivors(sets, costs, self.population)
            sets, costs = [sets[k] for k in kept], costs[kept]

    def _parent(self, order: list[int], rng: Random) -> int:
        return order[min(rng.randrange(len(order)) for _ in range(self.tournament))]

    def child(
        self, ways: Ways, first: Sequence[Line], second: Sequence[Line], rng: Random
    ) -> list[Line]:
        """Lines of one parent or two, changed."""
        lines = list(first)
        if rng.random() < self.crossover:
            lines = (crossed if rng.random() < 0.5 else mixed)(first, second, rng)
            if rng.random() < self.join:
                lines = joined(ways, lines, rng)
        count = 1
        while rng.random() < 1 - 1 / max(self.changes, 1.0):
            count += 1
        for _ in range(count):
            lines = changed_at_random(ways, lines, rng)
        return lines


def crossed(first: Sequence[Line], second: Sequence[Line], rng: Random) -> list[Line]:
    """Lines of two sets in turn, each time the one with most nodes that none has so far."""
    sources = [list(first), list(second)]
    turn = rng.randrange(2)
    lines = [sources[turn].pop(rng.randrange(len(first)))]
    served = set(lines[0])
    while len(lines) < len(first):
        turn = 1 - turn
        source = sources[turn]
        fresh = [
            (bool(served.intersection(line)), len(served.union(line)) / len(line), rng.random())
            for line in source
        ]
        lines.append(source.pop(max(range(len(source)), key=fresh.__getitem__)))
        served.update(lines[-1])
    return lines


def mixed(first: Sequence[Line], second: Sequence[Line], rng: Random) -> list[Line]:
    """Each line of either set, in random order of the second's."""
    others = rng.sample(list(second), len(second))
    return [rng.choice(pair) for pair in zip(first, others, strict=True)]


def _survivors(sets: Sequence[Sequence[Line]], costs: Floats, count: int) -> list[int]:
    """The best sets, each once: sets of the same lines are one."""
    kept: dict[frozenset[Line], int] = {}
    for k in np.argsort(costs, kind="stable").tolist():
        kept.setdefault(frozenset(min(line, line[::-1]) for line in sets[k]), k)
        if len(kept) == count:
            break
    return list(kept.values())


METHOD = Genetic()
