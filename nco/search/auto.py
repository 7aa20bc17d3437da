"""The default method: picks and combines others by what a problem asks, its size and the time."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from nco.baselines.pyvrp import PyVRP, quiet, set_up_s
from nco.baselines.quick import quick_routes
from nco.fleet.columns import Columns, collecting, separable
from nco.fleet.kinds import kinds_of
from nco.fleet.mending import finished, unexplained
from nco.problem import Feature
from nco.problem.solution import CONSTRUCTION, Solution
from nco.search.genetic.solver import Genetic
from nco.search.lns.islands import at_once
from nco.search.lns.solver import GUIDED, LNS, setup_s
from nco.solver import MAX_SEED, Clock

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nco.problem import Problem
    from nco.search.lns.operators import Operator

PLAIN = frozenset({Feature.CAPACITY, Feature.UNREACHABLE})
"""What a problem may ask for the genetic search to get further than the neighbourhood search."""

SMALL, MEDIUM, LARGE = 150, 350, 1500  # stops
TIMED_SHARE = 0.5  # of the time for the neighbourhood search, up to SMALL stops with windows
ONWARD = 0.5  # of PyVRP's time then for going on; the rest is begun from nothing, as that may be a
# trap
CHOOSING_SHARE = 0.05  # of the time for it with groups, or fleets of several kinds up to SMALL
# without windows: PyVRP gets further then, from nothing
BOTH_SHARE = 0.5  # the same where some stops give and others take, up to LARGE / 2
JOINED_SHARE = 0.2  # the same for trips that are joined, up to MEDIUM stops
MIXED_SHARE = 0.4  # the same for fleets of several kinds with windows, up to SMALL
# Where the genetic search goes on, up to such a size: iterations a stop of the neighbourhood search
# before it, which do not depend on the limit, so that a longer one begins like a shorter one, and
# the share of the time that they may take.
BEFORE = {SMALL: (200, 0.5), MEDIUM: (800, 0.7)}
SHORT = 10  # stops of a route, up to which routes of several plans often fit together
RECOMBINED_SHARE = 0.1  # of the time for a choice among all routes seen,
AGAIN = 0.25  # and of PyVRP's for going on from there
LEAST_S = 0.4  # with less time the neighbourhood search gets all
RUN_S = 5.0  # up to SMALL stops, with twice as much time something else is tried as well
OPTIONAL = 0.2  # share of optional stops, from which on PyVRP is ahead in choosing among them
COLLECTING_SHARE = 0.8  # of the time for PyVRP then; the neighbourhood search goes on from there
QUICK_SHARE = 0.5  # of the time, after which quick routes are there at last
LAST = 0.1  # share of the time of islands, below which they do not begin once more


@dataclass(frozen=True)
class Auto:
    """Neighbourhood search; on small plain problems its routes then seed the genetic search.

    Measured on whole cities with instances of their own: the genetic search alone is behind at
    first and ahead in the end at 100 and 200 stops, with windows and at 500 stops it is behind.
    Up to 150 stops both have come to an end after some seconds. What then finds more is a second
    run by another seed or, with windows, PyVRP, which goes on from the neighbourhood search and
    then begins from nothing. More time lengthens the last stage or adds one: those before it are
    what they are with less time, so that an answer does not get worse.

    Beyond 350 stops a policy's routes and arcs guide the neighbourhood search, which is worth 0.3
    to 0.4 points of the gap at 500 and 1000 stops, its time included; beyond 1500 that was not
    measured.

    Several trips a vehicle are other vehicles where nothing joins them
    (`nco.fleet.reductions.trips`), and else known to the neighbourhood search, from whose routes
    PyVRP goes on sooner. Where some stops give and others take, the two share the time; among
    groups of alternatives, and in small fleets of several kinds, PyVRP has nearly all of a long
    time, and begins from nothing.

    From some seconds on, routes seen on the way are kept where none depends on the others, and the
    best choice among them counts (`nco.fleet.columns`), if routes are so short that many of them
    fit together.

    No stage is begun that is not expected to end in time, and quick routes are there before any.

    Attributes:
        lns: the neighbourhood search.
        genetic: the genetic search.
        pyvrp: goes on from the neighbourhood search where that pays.
        guided: the neighbourhood search with a policy.
        jobs: islands. The neighbourhood search has its own, see `lns.islands`; of the others
            one runs on each core, by seeds of their own, and the best counts.
    """

    name: ClassVar[str] = "auto"
    supports: ClassVar[frozenset[Feature]] = LNS.supports
    lns: LNS = field(default_factory=LNS)
    genetic: Genetic = field(default_factory=lambda: Genetic("genetic", ()))
    pyvrp: PyVRP = field(default_factory=PyVRP)
    guided: LNS = GUIDED
    jobs: int = 1

    def with_jobs(self, jobs: int) -> Auto:
        """See `nco.solver.Parallel`."""
        lns, guided = self.lns.with_jobs(jobs), self.guided.with_jobs(jobs)
        return replace(self, jobs=jobs, lns=lns, guided=guided)

    def with_operators(self, removals: Sequence[Operator], insertions: Sequence[Operator]) -> Auto:
        """See `nco.solver.Extensible`: they join the neighbourhood search."""
        lns, guided = (x.with_operators(removals, insertions) for x in (self.lns, self.guided))
        return replace(self, lns=lns, guided=guided)

    def prepare(self, problem: Problem) -> None:
        """See `nco.solver.Prepares`."""
        (self.guided if _guided(problem) else self.lns).prepare(problem)
        if _plain(problem):
            self.genetic.prepare(problem)
        elif separable(problem):
            import scipy.optimize  # noqa: F401 (what takes a moment is loaded before the clock)

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
        with unexplained():
            found = self._runs(problem, clock, seed, initial)
        return finished(
            problem, found.routes, found, clock,
            method=self.name, seed=seed, fallback=found.fallback,
        )  # fmt: skip

    def _runs(
        self, problem: Problem, clock: Clock, seed: int, initial: Solution | None
    ) -> Solution:
        """One run, or on small plain problems several by other seeds while there is time."""
        again = _plain(problem) and _small(problem) and self.genetic.max_iterations is None
        whole_s = clock.left_s + clock.elapsed_s
        found = self._run(problem, _run_s(whole_s, again), seed, initial)
        while again and clock.left_s >= RUN_S * (1 - LAST):
            other = (found.seed + self.jobs) % (MAX_SEED + 1)
            run = self._run(problem, _run_s(clock.left_s, again), other, None)
            found = run if run.better_than(found) else replace(found, seed=other)
        return found

    def _run(
        self, problem: Problem, time_limit_s: float, seed: int, initial: Solution | None
    ) -> Solution:
        """The neighbourhood search, and what goes on from its routes."""
        clock = Clock(time_limit_s)
        if _collecting(problem) and problem.features <= self.pyvrp.supports:
            return self._collected(problem, clock, seed, initial)
        first, share, then, onward = self._stages(problem, time_limit_s, begun=initial is not None)
        columns = Columns() if self._recombines(problem, time_limit_s) else None
        choice_s = 0.0 if columns is None else RECOMBINED_SHARE * time_limit_s
        with collecting(columns):
            first_s = share * time_limit_s - (choice_s if then is None else 0.0)
            found = first.solve(problem, first_s, seed, initial)
            if then is not None and onward < 1.0:
                rest_s = clock.left_s - choice_s
                found = self._onward(then, problem, onward * rest_s, seed, found)
                fresh_s = clock.left_s - choice_s
                if fresh_s > 0.0:
                    other = self._best_of(then, problem, fresh_s, seed, None)
                    found = other if other.better_than(found) else found
            elif then is not None and columns is not None:
                # What PyVRP goes on from has to be good: the choice comes before its last part.
                rest_s = (1 - AGAIN) * clock.left_s - choice_s
                found = self._onward(then, problem, rest_s, seed, found)
                found = _recombined(problem, columns, found, min(choice_s, clock.left_s))
                found, columns = self._onward(then, problem, clock.left_s, seed, found), None
            elif then is not None:
                found = self._onward(then, problem, clock.left_s, seed, found)
            if columns is not None:
                found = _recombined(problem, columns, found, clock.left_s)
        return replace(found, seed=seed)

    def _onward(
        self, then: Genetic | PyVRP, problem: Problem, time_limit_s: float, seed: int,
        found: Solution,
    ) -> Solution:  # fmt: skip
        """What a method makes of what was found."""
        if time_limit_s <= 0.0:
            return found
        further = self._best_of(then, problem, time_limit_s, seed, found)
        # Where that found nothing, it gives back what it began from.
        return replace(further, fallback=found.fallback) if further.fallback else further

    def _recombines(self, problem: Problem, time_limit_s: float) -> bool:
        """Whether routes are kept, to choose the best ones among all of them."""
        counted = (self.lns.max_iterations, self.pyvrp.max_iterations) != (None, None)
        chosen = not _plain(problem) and separable(problem) and _short_routes(problem)
        return chosen and time_limit_s >= RUN_S and not counted

    def _collected(
        self, problem: Problem, clock: Clock, seed: int, initial: Solution | None
    ) -> Solution:
        """Many optional stops: PyVRP from quick routes, and the neighbourhood search from its own.

        PyVRP's own start takes long, and many of the stops that it serves do not pay.
        """
        kinds = kinds_of(problem)
        if initial is None:  # savings serve far more stops, and are soon done beside what follows
            routes = quick_routes(problem, kinds, Clock(QUICK_SHARE * clock.left_s))
            initial = Solution.from_routes(problem, routes, explain=False)
            if clock.left_s <= setup_s(problem, kinds):
                return replace(initial, seed=seed, fallback=CONSTRUCTION)
        # PyVRP gets further in the same time, as long as it can begin at all.
        share = COLLECTING_SHARE if clock.left_s > 2 * set_up_s(problem, kinds) else 1.0
        first_s = share * clock.left_s
        if first_s > set_up_s(problem, kinds):
            found = self._best_of(self.pyvrp, problem, first_s, seed, initial)
            if clock.left_s < 2 * setup_s(problem, kinds):
                return replace(found, seed=seed)
            initial = found
        return replace(self.lns.solve(problem, clock.left_s, seed, initial), seed=seed)

    def _stages(
        self, problem: Problem, time_limit_s: float, *, begun: bool
    ) -> tuple[LNS, float, Genetic | PyVRP | None, float]:
        """The neighbourhood search, its share of the time, and what goes on from there.

        The last is the share of the time that is left then for going on; in the rest it begins from
        nothing.

        Args:
            problem: to solve.
            time_limit_s: for all stages.
            begun: whether there are routes to begin with.
        """
        first = self.guided if _guided(problem) and not begun else self.lns
        size = len(problem.stops)
        if _plain(problem) and time_limit_s >= LEAST_S and size <= MEDIUM:
            each, share = next(own for most, own in BEFORE.items() if size <= most)
            if first.max_iterations is None:
                first = replace(first, max_iterations=each * size)
            return first, share, self.genetic, 1.0
        share, least_s, onward = _before_pyvrp(problem)
        if time_limit_s >= least_s and problem.features <= self.pyvrp.supports:
            return first, share, self.pyvrp, onward
        return first, 1.0, None, 1.0

    def _best_of(
        self,
        method: Genetic | PyVRP,
        problem: Problem,
        time_limit_s: float,
        seed: int,
        initial: Solution | None,
    ) -> Solution:
        """What a method finds, on every core by another seed.

        HGS-CVRP counts the processor time of all threads together, so that islands end early: they
        begin again, all from the best, until time is up.
        """
        if self.jobs == 1:
            return method.solve(problem, time_limit_s, seed, initial)
        clock = Clock(time_limit_s)
        # Filters of warnings are the same for all threads: they are put back when all have ended.
        with quiet(), ThreadPoolExecutor(self.jobs) as pool:
            while True:
                seeds = [(seed + k) % (MAX_SEED + 1) for k in range(self.jobs)]
                tasks = [partial(method.solve, problem, clock.left_s, s, initial) for s in seeds]
                initial = min(at_once(pool, tasks), key=lambda found: found.rank)
                seed += self.jobs
                if method.max_iterations is not None or clock.left_s < LAST * time_limit_s:
                    return initial


def _recombined(problem: Problem, columns: Columns, found: Solution, limit_s: float) -> Solution:
    """The best choice among all routes seen, where it is better than what was found."""
    if limit_s <= 0.0 or not found.feasible:
        return found
    routes = columns.best(problem, kinds_of(problem), found, limit_s)
    if routes is None:
        return found
    other = Solution.from_routes(problem, routes, explain=False)
    return other if not other.violations and other.better_than(found) else found


def _plain(problem: Problem) -> bool:
    """Whether the genetic search may get further than the neighbourhood search."""
    return problem.features <= PLAIN and len(problem.vehicles) > 1


def _collecting(problem: Problem) -> bool:
    """Whether many stops may be left out, at a price that some of them are not worth."""
    prizes = problem.prize[problem.depots :]
    return int(np.isfinite(prizes).sum()) > OPTIONAL * len(prizes)


def _guided(problem: Problem) -> bool:
    """Whether a policy is worth its time; where none is for the problem, it takes none."""
    return _plain(problem) and MEDIUM < len(problem.stops) <= LARGE


def _before_pyvrp(problem: Problem) -> tuple[float, float, float]:
    """The neighbourhood search's share of the time before PyVRP goes on, and from which time on.

    The last is the share of PyVRP's time in which it goes on, before it begins from nothing.

    Where whom a stop suits counts, or trips depend on one another, it comes to an end sooner.
    """
    features, size = problem.features, len(problem.stops)
    if Feature.TRIPS in features and size <= MEDIUM:
        return JOINED_SHARE, RUN_S, 1.0
    if Feature.GROUPS in features and size <= MEDIUM:
        return CHOOSING_SHARE, 2 * RUN_S, 0.0
    both = not features.isdisjoint({Feature.BACKHAULS, Feature.PICKUPS})
    if both and size <= LARGE / 2 and not _asked(problem):
        return BOTH_SHARE, 2 * RUN_S, 1.0
    if _small(problem) and Feature.PREFERENCES in features and _asked(problem):
        return TIMED_SHARE, RUN_S, ONWARD
    if _small(problem) and Feature.MIXED_FLEET in features:
        timed = Feature.TIME_WINDOWS in features
        return (MIXED_SHARE, 2 * RUN_S, 1.0) if timed else (CHOOSING_SHARE, 2 * RUN_S, 0.0)
    if _small(problem) and _asked(problem):
        return TIMED_SHARE, 2 * RUN_S, ONWARD
    return 1.0, math.inf, 1.0


def _short_routes(problem: Problem) -> bool:
    """Whether vehicles are full after so few stops that many of the routes seen fit together."""
    wanted = np.maximum(problem.demand.sum(axis=0), problem.pickup.sum(axis=0))
    room = np.array([vehicle.capacity for vehicle in problem.vehicles]).mean(axis=0)
    least = float((wanted / np.maximum(room, 1e-9)).max(initial=0.0))
    return len(problem.stops) <= SHORT * least


def _asked(problem: Problem) -> bool:
    return not problem.features.isdisjoint({Feature.TIME_WINDOWS, Feature.MIXED_FLEET})


def _small(problem: Problem) -> bool:
    return len(problem.stops) <= SMALL


def _run_s(left_s: float, again: bool) -> float:
    """How long the next run takes, if there may be one more after it."""
    return left_s if not again or left_s < 2 * RUN_S else max(RUN_S, left_s / 2)


SOLVER = Auto()
