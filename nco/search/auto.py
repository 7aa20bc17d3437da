"""The default method: picks and combines others by what a problem asks, its size and the time."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar

from nco.baselines.mending import finished
from nco.baselines.pyvrp import PyVRP
from nco.problem import Feature
from nco.search.genetic.solver import Genetic
from nco.search.lns.solver import LNS
from nco.solver import Clock

if TYPE_CHECKING:
    from nco.problem import Problem
    from nco.solution import Solution

PLAIN = frozenset({Feature.CAPACITY, Feature.UNREACHABLE})
"""What a problem may ask for the genetic search to get further than the neighbourhood search."""

SMALL, MEDIUM = 150, 350  # stops
SHARE = {SMALL: 0.2, MEDIUM: 0.7}  # of the time for the neighbourhood search, up to such a size
LEAST_S = 0.4  # with less time it gets all


@dataclass(frozen=True)
class Auto:
    """Neighbourhood search; on small plain problems its routes then seed the genetic search.

    Measured on whole cities with instances of their own: the genetic search alone is behind at
    first and ahead in the end at 100 and 200 stops, with windows and at 500 stops it is behind.
    Several trips a vehicle are left to PyVRP; where that cannot do what else is asked, the
    neighbourhood search drives one trip a vehicle, and what is left is inserted into further ones.

    Attributes:
        lns: the neighbourhood search.
        genetic: the genetic search.
        trips: for what the neighbourhood search cannot do.
    """

    name: ClassVar[str] = "auto"
    supports: ClassVar[frozenset[Feature]] = LNS.supports | PyVRP.supports
    lns: LNS = field(default_factory=LNS)
    genetic: Genetic = field(default_factory=lambda: Genetic("genetic", ()))
    trips: PyVRP = field(default_factory=PyVRP)

    def prepare(self, problem: Problem) -> None:
        """See `nco.solver.Prepares`."""
        if problem.features <= self.lns.supports or not problem.features <= self.trips.supports:
            self.lns.prepare(problem)
        if self._share(problem) < 1.0:
            self.genetic.prepare(problem)

    def solve(
        self,
        problem: Problem,
        time_limit_s: float,
        seed: int,
        initial: Solution | None = None,
    ) -> Solution:
        """See `nco.solver.Solver`."""
        self.prepare(problem)
        clock = Clock(time_limit_s)
        if not problem.features <= self.lns.supports:
            if problem.features <= self.trips.supports:
                found = self.trips.solve(problem, time_limit_s, seed, initial)
            else:
                found = self.lns.solve(_single_trips(problem), time_limit_s, seed)
            return finished(problem, found.routes, initial, clock, method=self.name, seed=seed)
        share = self._share(problem) if time_limit_s >= LEAST_S else 1.0
        found = self.lns.solve(problem, share * time_limit_s, seed, initial)
        if share < 1.0 and not clock.over:
            found = self.genetic.solve(problem, clock.left_s, seed, found)
        return finished(problem, found.routes, found, clock, method=self.name, seed=seed)

    def _share(self, problem: Problem) -> float:
        """Of the time that the neighbourhood search gets."""
        if not problem.features <= PLAIN or len(problem.vehicles) == 1:
            return 1.0
        return next((s for size, s in SHARE.items() if len(problem.stops) <= size), 1.0)


def _single_trips(problem: Problem) -> Problem:
    vehicles = [replace(vehicle, max_trips=1) for vehicle in problem.vehicles]
    return replace(problem, vehicles=tuple(vehicles))


SOLVER = Auto()
