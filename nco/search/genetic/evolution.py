"""Genetic search in PyVRP's terms: its local search educates, ours is the rest."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pyvrp

from nco import progress
from nco.search.genetic.crossover import exchanged
from nco.search.genetic.population import Member, Population, Sizes, arcs_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from nco.arrays import Floats
    from nco.baselines.pyvrp import Limit
    from nco.baselines.pyvrp_model import KindTrips, Model

_REPAIR = 0.5  # chance that an infeasible child is educated once more at high penalties
_PENALTIES_EVERY = 50  # educations, after which penalties follow what share was feasible


@dataclass(frozen=True)
class Parameters:
    """How evolution goes.

    Attributes:
        sizes: of the population.
        first: members of the first generation, random ones besides those given.
        climb: how many perturbations end the education of a member, each kept if it gains, as a
            share of the square of the stops: the more of them, the more a good member is worth
            against many.
        patience: children without a new best solution, after which all begins anew.
    """

    sizes: Sizes = field(default_factory=Sizes)
    first: int = 4
    climb: float = 0.01
    patience: int = 1000


class Evolution:
    """A genetic search of one problem.

    Args:
        model: of the problem.
        apart: `[N, N]` how far two stops are from one another, both ways together.
        optional: whether every stop may be left out, see `Model.data`.
        seed: of the random numbers.
        limit: when to end.
        plan: how to go on until then.
    """

    def __init__(
        self,
        model: Model,
        apart: Floats,
        *,
        optional: bool,
        seed: int,
        limit: Limit,
        plan: Parameters,
    ) -> None:
        self._model, self._apart, self._limit, self._plan = model, apart, limit, plan
        self._climb = int(plan.climb * len(model.stops) ** 2)
        self._data = model.data(optional)
        self._random = pyvrp.RandomNumberGenerator(seed=seed)
        self._search = model.local_search(self._data, self._random)
        self._penalties = model.penalties(optional, _PENALTIES_EVERY)
        self._rng = np.random.default_rng(seed)
        self._population: Population[pyvrp.Solution] = Population(plan.sizes, self._rng)

    def run(self, starts: Iterable[Sequence[KindTrips]]) -> list[KindTrips]:
        """Evolves from some solutions, the best ones first; the best duties found.

        Args:
            starts: may be none.
        """
        for start in starts:
            if self._over():
                break
            self._take(self._model.solution(self._data, start))
        barren = 0
        while not self._over():
            if len(self._population) < self._plan.first:
                child = pyvrp.Solution.make_random(self._data, self._random)
            else:
                child = self._model.solution(self._data, self._child())
            barren = 0 if self._take(child) else barren + 1
            if barren > self._plan.patience:
                self._population.clear()
                barren = 0
        best = self._population.best
        if best is None:
            best = min(self._population.members, key=lambda member: member.cost, default=None)
        return list(best.duties) if best else []

    def _over(self) -> bool:
        best = self._population.best
        return self._limit(np.inf if best is None else best.cost)

    def _child(self) -> list[KindTrips]:
        first, second = self._population.parents()
        return exchanged(first.duties, second.duties, self._apart, self._model.vehicles, self._rng)

    def _take(self, solution: pyvrp.Solution) -> bool:
        """Educates a solution and takes it in; whether it is the best so far."""
        costs = self._penalties.cost_evaluator()
        found = self._search(solution, costs, exhaustive=True)
        self._penalties.register(found)
        found = self._climbed(found, costs)
        better = self._add(found, costs)
        if not found.is_feasible() and self._rng.random() < _REPAIR and not self._over():
            costs = self._penalties.max_cost_evaluator()
            better |= self._add(self._search(found, costs, exhaustive=True), costs)
        return better

    def _climbed(self, found: pyvrp.Solution, costs: pyvrp.CostEvaluator) -> pyvrp.Solution:
        """A solution after some perturbations, each kept if it gains."""
        cost = costs.penalised_cost(found)
        for _ in range(self._climb):
            if self._over():
                break
            other = self._search(found, costs, exhaustive=False)
            self._penalties.register(other)
            changed = costs.penalised_cost(other)
            if changed < cost:
                found, cost = other, changed
        return found

    def _add(self, found: pyvrp.Solution, costs: pyvrp.CostEvaluator) -> bool:
        duties = tuple(self._model.duties(found))
        if not duties:
            return False
        member = Member(
            solution=found,
            duties=duties,
            arcs=arcs_of(duties, len(self._apart)),
            cost=costs.penalised_cost(found),
            feasible=found.is_feasible(),
        )
        better = self._population.add(member)
        if better and member.feasible:
            progress.tell(lambda: self._model.routes(list(duties)))
        return better
