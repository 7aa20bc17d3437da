"""PyVRP: iterated local search on an integer copy of the problem."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter
from typing import ClassVar

import pyvrp

from nco import progress
from nco.baselines.pyvrp_model import Model
from nco.baselines.quick import quick_routes
from nco.fleet.columns import collector
from nco.fleet.kinds import Kind, kinds_of
from nco.fleet.mending import completed, finished
from nco.problem import Feature, Problem
from nco.problem.objective import CLASSICAL
from nco.problem.route import Route
from nco.problem.solution import CONSTRUCTION, INITIAL, Solution
from nco.solver import Clock, ThreadClock

# Measured on 100 directed stops at 1 s, with and without windows.
OWN_START_S = 5e-3  # a stop: with less time, PyVRP gets further from routes by savings
SET_UP_S = 4.5e-4  # a stop: what PyVRP needs to read a problem and to improve its first routes,
KIND_S = 3e-8  # and a pair of nodes for each kind of vehicles
PATIENCE = 0.4  # share of the limit after which a search without feasible answer is given up
NOTING_SHARE = 0.03  # of the time, for routes that may be wanted later
SEED = 1  # of what policies are measured by or learn from


@dataclass(frozen=True)
class PyVRP:
    """PyVRP's iterated local search (N. A. Wouda et al., 2024).

    A problem without a feasible answer (or where none is found in 40 % of the limit) is
    searched again with every stop optional at a reward that no saving outweighs, so that as
    many stops as possible are served and no rule is broken. Under 5 ms a stop it starts
    from routes by savings (or nearest neighbour), and under 0.45 ms a stop, which is too short
    for PyVRP to start at all, these are what comes back, marked as a fallback.

    Attributes:
        max_iterations: ends the search; None leaves it to the time limit.
        clock: what the time limit is measured by.
    """

    name: ClassVar[str] = "pyvrp"
    supports: ClassVar[frozenset[Feature]] = (CLASSICAL - {Feature.LONGEST_ROUTE}) | {
        Feature.PICKUPS,
        Feature.SHIPMENTS,
        Feature.GROUPS,
        Feature.RELEASES,
        Feature.LONGEST_DUTY,
        Feature.RELOADS,
    }
    max_iterations: int | None = None
    clock: type[Clock] = Clock

    def solve(
        self,
        problem: Problem,
        time_limit_s: float,
        seed: int,
        initial: Solution | None = None,
    ) -> Solution:
        """See `nco.solver.Solver`."""
        clock = self.clock(time_limit_s)
        kinds = kinds_of(problem)
        routes = list(initial.routes) if initial is not None else []
        limit = Limit(clock, self.max_iterations, reserve_s(problem))
        if initial is not None and initial.violations:
            routes = completed(problem, routes, clock, kinds)
        if initial is None and time_limit_s < OWN_START_S * problem.size:
            routes = quick_routes(problem, kinds, clock)
        given = bool(routes)
        too_short = clock.left_s < set_up_s(problem, kinds)
        model = None if too_short else Model(problem, kinds)
        if model and model.stops:
            with quiet():
                routes = feasible_first(
                    problem, kinds, model, routes, limit,
                    lambda start, optional: _run(model, start, seed, limit, optional=optional),
                )  # fmt: skip
        fallback = ""
        if (too_short or given) and problem.stops and not limit.ran:
            fallback = CONSTRUCTION if initial is None else INITIAL
        return finished(
            problem, routes, initial, clock, method=self.name, seed=seed, fallback=fallback
        )


@contextmanager
def quiet() -> Iterator[None]:
    """Silences what PyVRP warns of: scales and penalties, which are chosen here."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", pyvrp.exceptions.ScalingWarning)
        warnings.simplefilter("ignore", pyvrp.exceptions.PenaltyBoundWarning)
        yield


def set_up_s(problem: Problem, kinds: Sequence[Kind]) -> float:
    """Seconds that PyVRP needs until it can be interrupted."""
    return SET_UP_S * problem.size + KIND_S * len(kinds) * problem.size**2


def reserve_s(problem: Problem) -> float:
    """Seconds to keep for what comes after a search."""
    return 0.01 + 2e-5 * problem.size


class Limit:
    """Stops PyVRP by our clock, by iterations, or when it is stuck without a feasible answer.

    Args:
        clock: when to end.
        max_iterations: ends the search as well; None leaves it to the clock.
        reserve_s: seconds to leave on the clock.

    Attributes:
        patience: share of the limit after which a search without feasible answer is given up.
        hopeless_cost: what an answer costs that is not feasible, at least.
        stuck: whether the best answer was not feasible when last asked.
        ran: whether the search went on at all.
    """

    def __init__(self, clock: Clock, max_iterations: int | None, reserve_s: float) -> None:
        self.clock, self._reserve_s, self._most = clock, reserve_s, max_iterations
        self._whole_s = clock.left_s
        self._iterations = 0
        self.patience = 1.0
        self.hopeless_cost = 0
        self.stuck = self.ran = False

    def __call__(self, best_cost: float) -> bool:
        """Whether to end, where the best answer costs so much."""
        self._iterations += 1
        left = self.clock.left_s - self._reserve_s
        used = 1.0 - left / self._whole_s if self._whole_s > 0 else 1.0
        if self._most is not None:
            used = max(used, self._iterations / self._most)
            if self._iterations > self._most:
                used = 1.0
        self.stuck = best_cost >= self.hopeless_cost
        over = used >= (self.patience if self.stuck else 1.0)
        self.ran |= not over
        return over


def feasible_first(
    problem: Problem,
    kinds: Sequence[Kind],
    model: Model,
    routes: list[Route],
    limit: Limit,
    run: Callable[[list[Route], bool], list[Route]],
) -> list[Route]:
    """Search for a feasible answer and, if there is none in time, for one that leaves stops out.

    Args:
        problem: what is to be solved.
        kinds: of its vehicles.
        model: of the problem.
        routes: to start from; none are needed.
        limit: that `run` asks.
        run: searches from routes, with every stop optional or not.
    """
    if not model.overloaded:
        limit.patience, limit.hopeless_cost = PATIENCE, model.costs.barred
        routes = run(routes, False)
        found = Solution.from_routes(problem, routes, explain=False)
        if not found.violations and not limit.stuck:
            return routes
    limit.patience = 1.0
    routes = completed(problem, routes, limit.clock, kinds)
    return run(routes, True) if limit.clock.left_s > set_up_s(problem, kinds) / 2 else routes


def _run(
    model: Model, routes: Sequence[Route], seed: int, limit: Limit, *, optional: bool
) -> list[Route]:
    """Search from routes, or from PyVRP's own start if there are none."""
    data = model.data(optional)
    rng = pyvrp.RandomNumberGenerator(seed=seed)
    search = model.local_search(data, rng)
    penalties = model.penalties(optional)
    if routes:
        start = model.solution(data, model.duties_of(routes))
    else:
        random = pyvrp.Solution.make_random(data, rng)
        start = search(random, penalties.max_cost_evaluator(), exhaustive=True)
    params = pyvrp.IteratedLocalSearchParams(callbacks=_Telling(model))
    algorithm = pyvrp.IteratedLocalSearch(data, penalties, search, start, params)
    best = algorithm.run(limit, collect_stats=False).best
    return model.routes(model.duties(best))


class _Telling(pyvrp.IteratedLocalSearchCallbacks):
    """Tells of PyVRP's best solutions, and notes routes of others now and then."""

    def __init__(self, model: Model) -> None:
        self._model, self._columns, self._next_s = model, collector(), 0.0

    def on_best(self, best: pyvrp.Solution) -> None:
        """See PyVRP."""
        if best.is_feasible():
            progress.tell(lambda: self._model.routes(self._model.duties(best)))
            if self._columns is not None:
                self._model.note(best, self._columns)

    def on_iteration(
        self,
        current: pyvrp.Solution,  # noqa: ARG002 (PyVRP names what it gives)
        candidate: pyvrp.Solution,
        best: pyvrp.Solution,  # noqa: ARG002
        cost_evaluator: pyvrp.CostEvaluator,  # noqa: ARG002
    ) -> None:
        """See PyVRP."""
        if self._columns is None or perf_counter() < self._next_s or not candidate.is_feasible():
            return
        begun_s = perf_counter()
        self._model.note(candidate, self._columns)
        self._next_s = begun_s + (perf_counter() - begun_s) / NOTING_SHARE


def solve_by_cpu(problem: Problem, cpu_s: float) -> Solution:
    """What PyVRP finds in some CPU seconds of its thread, which other load does not shorten."""
    return PyVRP(clock=ThreadClock).solve(problem, cpu_s, SEED)


SOLVER = PyVRP()
