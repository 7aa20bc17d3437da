"""Genetic search as a method, for all that its two engines can do."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar

from nco.baselines.hgs import HGS
from nco.baselines.pyvrp import KIND_S, Limit, feasible_first, quiet, reserve_s
from nco.baselines.pyvrp_model import Model
from nco.baselines.quick import quick_routes
from nco.fleet.kinds import kinds_of
from nco.fleet.mending import explained, finished
from nco.problem import Feature
from nco.problem.objective import CLASSICAL
from nco.problem.solution import SEED, Solution
from nco.search.genetic.evolution import Evolution, Parameters
from nco.search.seeds import Seed, prepare, starts
from nco.solver import Clock

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nco.fleet.kinds import Kind
    from nco.problem import Problem
    from nco.problem.route import Route

SEEDS_SHARE = 0.7  # of the time, which seeds may take at most
GRACE_S = 0.04  # what may be overrun where no source had an answer in time
EVOLVE_S = 2.5e-4  # a stop: what it takes until a first member is educated,
EVOLVE_STOPS = 600  # up to so many; beyond, as many times longer as there are more
SEED_S = 1.5e-4  # a stop: what a seed by a rule takes
# Shares of the time for the seeds of one rule: HGS lives from many, of others the best one counts.
HGS_BUILDING, BUILDING = 0.15, 0.05
MOST_SEEDS = 5  # of each source
# Small populations: random members are educated for seconds before HGS's own size is reached.
HGS_SETTINGS = {"mu": 4, "lambda_": 20, "nbElite": 2, "nbGranular": 12}
HGS_STOPS = 150  # beyond, PyVRP's engine is ahead within a second and not behind in two


@dataclass(frozen=True)
class Genetic:
    """Hybrid genetic search from seeds; see `nco.search.genetic`.

    Attributes:
        name: of the method.
        sources: of seeds, see `nco.search.seeds.SOURCES`; random members join them in any case.
        max_iterations: ends the search; None leaves it to the time limit. PyVRP's local searches
            are counted, or HGS's generations without improvement.
        hgs_stops: plain capacity problems of up to so many stops are for HGS-CVRP's engine.
        hgs_sources: of seeds where that engine searches; none takes `sources`.
        plan: of PyVRP's engine.
        clock: what the time limit is measured by.
    """

    name: str
    sources: tuple[str, ...]
    max_iterations: int | None = None
    hgs_stops: int = HGS_STOPS
    hgs_sources: tuple[str, ...] = ()
    plan: Parameters = field(default_factory=Parameters)
    clock: type[Clock] = Clock

    supports: ClassVar[frozenset[Feature]] = CLASSICAL - {Feature.LONGEST_ROUTE, Feature.TRIPS}

    def prepare(self, problem: Problem) -> None:
        """See `nco.solver.Prepares`."""
        prepare(problem, self.sources)

    def solve(
        self,
        problem: Problem,
        time_limit_s: float,
        seed: int,
        initial: Solution | None = None,
    ) -> Solution:
        """See `nco.solver.Solver`."""
        self.prepare(problem)
        clock = self.clock(time_limit_s)
        kinds = kinds_of(problem)
        given = self._given(problem, kinds, clock, seed, initial)
        fallback = ""
        if self._by_hgs(problem):
            engine = HGS(self.max_iterations, HGS_SETTINGS)
            routes = engine.improved(problem, kinds, given, seed, clock)
        else:
            routes = self._evolved(problem, kinds, given, seed, clock)
        if not routes:
            routes, fallback = given[0], SEED
        found = finished(
            problem, routes, initial, clock, method=self.name, seed=seed, fallback=fallback
        )
        if not fallback:
            known = Solution.from_routes(problem, given[0], explain=False)
            if known.better_than(found):
                found = replace(explained(problem, known), fallback=SEED)
        return found.stamped(method=self.name, seed=seed, time_s=clock.elapsed_s)

    def _by_hgs(self, problem: Problem) -> bool:
        """Whether HGS-CVRP's engine is for a problem."""
        return problem.features <= HGS.supports and len(problem.stops) <= self.hgs_stops

    def _given(
        self,
        problem: Problem,
        kinds: Sequence[Kind],
        clock: Clock,
        seed: int,
        initial: Solution | None,
    ) -> list[list[Route]]:
        """Solutions that break no rule, at least one, the best first."""
        sources, building = self.sources, BUILDING
        if self._by_hgs(problem):
            sources, building = self.hgs_sources or sources, HGS_BUILDING
        affordable = int(building * clock.left_s / (SEED_S * problem.size))
        share = self.clock(SEEDS_SHARE * clock.left_s)
        # In little time one source that answers is enough.
        turns = [sources] if affordable else [(source,) for source in sources]
        seeds: list[Seed] = []
        for asked in turns:
            count = min(MOST_SEEDS, max(1, affordable))
            seeds = seeds or starts(problem, asked, count, share, seed)
        ranked = [((s.unserved, s.cost), s.routes) for s in seeds]
        if initial is not None and not initial.violations:
            _, unserved, _, cost = initial.rank
            ranked.append(((unserved, cost), list(initial.routes)))
        if not ranked or (not seeds and ranked[0][0][0]):  # nothing, or what leaves stops out
            routes = quick_routes(problem, kinds, self.clock(max(clock.left_s, GRACE_S)))
            quick = Solution.from_routes(problem, routes, explain=False)
            _, unserved, _, cost = quick.rank
            ranked.append(((unserved, cost), routes))
        return [routes for _, routes in sorted(ranked, key=lambda pair: pair[0])]

    def _evolved(
        self,
        problem: Problem,
        kinds: Sequence[Kind],
        given: Sequence[list[Route]],
        seed: int,
        clock: Clock,
    ) -> list[Route]:
        """What PyVRP's engine finds; nothing where it has no time."""
        longer = max(1.0, problem.size / EVOLVE_STOPS)
        least_s = EVOLVE_S * problem.size * longer + KIND_S * len(kinds) * problem.size**2
        if clock.left_s < least_s:
            return []
        model = Model(problem, kinds)
        if not model.stops:
            return []
        limit = Limit(clock, self.max_iterations, reserve_s(problem))
        apart = kinds[0].driving_cost + kinds[0].driving_cost.T

        def run(routes: list[Route], optional: bool) -> list[Route]:
            evolution = Evolution(
                model, apart, optional=optional, seed=seed, limit=limit, plan=self.plan
            )
            first = [routes, *(known for known in given if known is not routes)]
            return model.routes(evolution.run(model.duties_of(start) for start in first))

        with quiet():
            found = feasible_first(problem, kinds, model, given[0], limit, run)
        return found if limit.ran else []


# A small problem is searched by HGS sooner than the policy answers.
SOLVER = Genetic("genetic", ("policy", "savings"), hgs_sources=("savings",))
POLICY = Genetic("genetic-policy", ("policy",))
SAVINGS = Genetic("genetic-savings", ("savings",))
NEAREST = Genetic("genetic-nearest", ("nearest",))
RANDOM = Genetic("genetic-random", ("random",))
