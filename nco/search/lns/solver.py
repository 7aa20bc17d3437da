"""The methods that search neighbourhoods."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from nco.baselines.quick import quick_routes
from nco.fleet.ending import ending_s, least_ending_s
from nco.fleet.kinds import kinds_of
from nco.fleet.mending import finished
from nco.problem import Feature, Problem
from nco.problem.objective import CLASSICAL, PEAKED, RULES, TIMETABLED
from nco.problem.reasons import ROUTE_S, STOP_S
from nco.problem.solution import CONSTRUCTION, SEED, Solution
from nco.search import seeds
from nco.search.lns import chaining, guide, operators, peaks, timetable
from nco.search.lns.annealing import anneal
from nco.search.lns.arrays import tables_of
from nco.search.lns.islands import run_islands
from nco.search.lns.pace import Pace, stopped
from nco.search.lns.search import Search
from nco.search.lns.settings import DEFAULT, Settings
from nco.search.lns.shrinking import complete, shrink
from nco.solver import Clock

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nco.fleet.kinds import Kind
    from nco.problem.route import Route
    from nco.search.lns.operators import Operator

# Seconds of bringing a problem into arrays, which cannot be interrupted, those a pair of nodes, and
# those a pair in each table of arcs.
SETUP_S, PAIR_S, TABLE_S = 5e-3, 7e-8, 3e-8
TRYING_S = 4e-3  # for the reason of a stop left out, where it is found by trying
REASONS_SHARE = 0.1  # of the time, for all of them together
GRACE_S = 0.03  # for quick routes, where there is no time
SEARCHED = CLASSICAL | RULES | TIMETABLED | PEAKED | {Feature.PRIORITIES, Feature.RELOADS}
SHRINKING = 0.5  # share of the time for fewer vehicles, at most, where they are dear
COMPLETING = 0.3  # share of the time, at most, to serve all stops where too few fit at first
FEW = 1000  # iterations, up to which quick routes may still be better when time is over
FEW_S = 0.2  # with less time, there will be no more
NEAREST_S = 5e-5  # of nearest neighbour, a stop
MOST = 0.9  # of the time that is left, for what comes behind the search


@dataclass(frozen=True)
class LNS:
    """Adaptive large neighbourhood search under simulated annealing.

    Removes strings of stops (Christiaens and Vanden Berghe 2020, "Slack induction by string
    removals") or others (Ropke and Pisinger 2006), and inserts them again, in compiled loops.

    Attributes:
        name: of the method.
        sources: of routes to start from, see `nco.search.seeds`; the best ones count. Without any,
            stops are inserted one by one, which is soon as good.
        max_iterations: after which the search ends whatever the time limit; None leaves it to
            the time limit. Each island makes as many.
        jobs: islands, a thread each, see `nco.search.lns.islands`.
        guided: solutions that a policy is asked for to guide the search, which then also starts
            from the best of them where there are no other routes; see `nco.search.lns.guide`.
        clock: what the time limit is measured by.
        settings: operators beside the registered ones, and how hot a search begins.
    """

    supports: ClassVar[frozenset[Feature]] = SEARCHED
    name: str = "lns"
    sources: tuple[str, ...] = ()
    max_iterations: int | None = None
    jobs: int = 1
    guided: int = 0
    clock: type[Clock] = Clock
    settings: Settings = DEFAULT

    def with_jobs(self, jobs: int) -> LNS:
        """See `nco.solver.Parallel`."""
        return replace(self, jobs=jobs)

    def with_operators(self, removals: Sequence[Operator], insertions: Sequence[Operator]) -> LNS:
        """See `nco.solver.Extensible`; these join what there is."""
        known = self.settings
        settings = replace(
            known,
            removals=(*known.removals, *removals),
            insertions=(*known.insertions, *insertions),
        )
        return replace(self, settings=settings)

    def prepare(self, problem: Problem) -> None:
        """See `nco.solver.Prepares`: loads what seeds take, and the compiled loops."""
        seeds.prepare(problem, self.sources)
        if self.guided:
            guide.prepare(problem)
        peaked = not problem.features.isdisjoint(PEAKED)
        known = timetable.loaded() or not problem.timetabled
        known = known and (peaks.loaded() or not peaked)
        chained = Feature.TRIPS in problem.features
        known = known and (chaining.loaded() or not chained)
        known = known and self.settings.compiled
        if anneal.loaded and operators.prepared() and known:
            return
        # Loops are loaded, or compiled, by using them; how large the problem is does not matter.
        small = Problem.from_matrices(np.ones((2, 2)) - np.eye(2), demand=[0, 1], capacity=1)
        search = Search(small, kinds_of(small), [], 0)
        operators.prepare(search.instance, search.state)
        self.settings.prepare(search.instance, search.state)
        if problem.timetabled:
            timetable.address(search.instance, search.state)
        if peaked:
            peaks.address(search.instance, search.state)
        if chained:
            chaining.address(search.instance, search.state)
        search.run(1, 0.0, 1.0)
        search.serve_all(np.zeros(2), 1)

    def solve(
        self,
        problem: Problem,
        time_limit_s: float,
        seed: int,
        initial: Solution | None = None,
    ) -> Solution:
        """See `nco.solver.Solver`; starts from an initial solution if it is the best."""
        self.prepare(problem)
        clock = self.clock(time_limit_s)
        kinds = kinds_of(problem)
        routes: list[Route] = []
        fallback, hasty, warm = "", False, False
        known: Solution | None = None
        if any(kind.stops.any() for kind in kinds):
            found = seeds.starts(problem, self.sources, 1, clock, seed)
            routes = found[0].routes if found else []
            if initial is not None and not initial.violations:
                unserved = sum(u.required for u in initial.unassigned)
                if not found or (unserved, initial.cost.total) < found[0].rank:
                    routes, warm = list(initial.routes), True
            hint = None
            if self.guided:
                hint = guide.guide_of(problem, kinds, self.guided, clock, seed)
            if hint is not None and not routes:
                routes = hint.routes
            search = None
            plain = problem.features <= CLASSICAL  # quick routes know no other rules
            quick_s = least_ending_s(problem) + NEAREST_S * len(problem.stops) if plain else 0.0
            if clock.left_s > setup_s(problem, kinds) + (quick_s if not routes else 0.0):
                heatmap = None if hint is None else hint.heatmap
                search = Search(problem, kinds, routes, seed, heatmap, self.settings)
                if len(search.instance.stops):
                    # To say why stops are left out takes time behind the search.
                    begun, left_out = search.routes, int(search.state.bank_size[0])
                    reasons_s = (STOP_S if plain else TRYING_S) * left_out
                    reasons_s += ROUTE_S * len(begun) if plain and left_out else 0.0
                    reasons_s = min(reasons_s, REASONS_SHARE * time_limit_s)
                    after_s = reasons_s + ending_s(problem, begun)
                    if plain and clock.left_s < FEW_S:
                        after_s += quick_s
                    until = self.clock(max(0.0, clock.left_s - min(after_s, MOST * clock.left_s)))
                    self._run(problem, kinds, search, until, seed, warm=warm)
                    hasty = search.iterations < FEW and until.over
                routes = search.routes
            elif routes:
                fallback = SEED
            if plain and (search is None or hasty):
                quick = quick_routes(problem, kinds, Clock(max(clock.left_s, GRACE_S)))
                other = Solution.from_routes(problem, quick, explain=False)
                known = Solution.from_routes(problem, routes, explain=False) if routes else None
                if other.better_than(known):
                    known, fallback = other, CONSTRUCTION
        return finished(
            problem, routes, initial, clock,
            method=self.name, seed=seed, fallback=fallback, known=known,
        )  # fmt: skip

    def _run(
        self,
        problem: Problem,
        kinds: Sequence[Kind],
        search: Search,
        clock: Clock,
        seed: int,
        *,
        warm: bool,
    ) -> None:
        """Runs a search until the clock or the iterations end it; `warm` is for `Pace`."""
        if (
            search.incomplete and problem.features <= CLASSICAL
        ):  # vehicles are nearly full: another order may fit
            search.offer(quick_routes(problem, kinds, clock))
        with stopped(search, clock):
            if self.max_iterations is None:
                complete(search, clock, clock.elapsed_s + COMPLETING * clock.left_s, seed)
                shrink(search, clock, clock.elapsed_s + SHRINKING * clock.left_s, seed)
            if self.jobs == 1:
                Pace(clock, self.max_iterations).run_rounds(search, warm=warm)
            else:
                run_islands(search, self.jobs, clock, self.max_iterations, seed)


def setup_s(problem: Problem, kinds: Sequence[Kind]) -> float:
    """Seconds until a search of a problem can begin."""
    tables = max(tables_of(kinds)) + 1
    return SETUP_S + (PAIR_S + TABLE_S * tables) * problem.size**2


SOLVER = LNS()
GUIDED = LNS("lns-policy", guided=32)
