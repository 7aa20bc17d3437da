"""OR-Tools' routing library: guided local search on an integer copy of the problem."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar
from weakref import ref

from ortools.constraint_solver import pywrapcp, routing_enums_pb2

from nco.baselines.apart import Tell, searched
from nco.baselines.ortools_model import Model
from nco.baselines.quick import quick_routes, vehicles_seen
from nco.fleet.kinds import kinds_of
from nco.fleet.mending import finished
from nco.problem import Feature, Problem
from nco.problem.objective import CLASSICAL, RULES
from nco.problem.route import Route
from nco.problem.solution import CONSTRUCTION, INITIAL, Solution
from nco.solver import Clock

TELLING = 0.02  # share of the time to tell of better routes in
SET_UP_S = 4e-4  # a stop: what OR-Tools needs before it can search at all


@dataclass(frozen=True)
class ORTools:
    """OR-Tools' guided local search from routes by savings (or nearest neighbour).

    OR-Tools' own first solutions take longer to come and to improve on directed matrices; it makes
    them itself where there are rules that those heuristics do not know.
    Every stop may be left out at a penalty that no saving outweighs, so that a problem without
    a feasible answer gives a partial one. Of many identical vehicles OR-Tools sees those that
    a heuristic needs to serve everything and a quarter more: each costs it time. Waiting is
    left out of the longest route while it searches.

    Attributes:
        max_iterations: accepted solutions after which the search ends; None leaves it to the
            time limit.
    """

    name: ClassVar[str] = "ortools"
    supports: ClassVar[frozenset[Feature]] = (
        (CLASSICAL - {Feature.TRIPS})
        | RULES
        | {Feature.BACKHAULS, Feature.SEQUENCES, Feature.MAKESPAN}
        | {Feature.SEVERAL_WINDOWS, Feature.SOFT_WINDOWS, Feature.BREAKS, Feature.OVERTIME}
    )
    max_iterations: int | None = None

    def solve(
        self,
        problem: Problem,
        time_limit_s: float,
        seed: int,
        initial: Solution | None = None,
    ) -> Solution:
        """See `nco.solver.Solver`."""
        clock = Clock(time_limit_s)
        kinds = kinds_of(problem)
        routes, fallback = quick_routes(problem, kinds, clock), CONSTRUCTION
        if initial is not None and not initial.violations:
            routes, fallback = list(initial.routes), INITIAL
        seen = vehicles_seen(problem, kinds, routes)
        if seen and clock.left_s > SET_UP_S * problem.size:
            model = Model(problem, kinds, seen)
            found = _run(model, routes, seed, clock, self.max_iterations)
            if found:
                routes, fallback = found, ""
        return finished(
            problem, routes, initial, clock, method=self.name, seed=seed, fallback=fallback
        )


def _run(
    model: Model, start: Sequence[Route], seed: int, clock: Clock, max_iterations: int | None
) -> list[Route]:
    """Search from routes, or from OR-Tools' own first solution if it refuses them.

    Empty where it is interrupted before it has a solution.
    """
    routing, parameters = model.routing, pywrapcp.DefaultRoutingSearchParameters()
    parameters.first_solution_strategy = (
        routing_enums_pb2.FirstSolutionStrategy.PARALLEL_CHEAPEST_INSERTION
        if model.ruled
        else routing_enums_pb2.FirstSolutionStrategy.PATH_CHEAPEST_ARC
    )
    parameters.local_search_metaheuristic = (
        routing_enums_pb2.LocalSearchMetaheuristic.GUIDED_LOCAL_SEARCH
    )
    if max_iterations is not None:
        parameters.solution_limit = max_iterations
    best = _Best(model)
    routing.AddAtSolutionCallback(best.improved)
    routing.solver().ReSeed(seed)
    parameters.time_limit.FromMicroseconds(max(1, int(1e6 * clock.left_s)))
    routing.CloseModelWithParameters(parameters)
    left = clock.left_s - 0.01 - 2e-5 * model.problem.size
    if left <= 0:
        return []
    parameters.time_limit.FromMicroseconds(int(1e6 * left))
    given = model.assignment(start) if start else None

    def search(tell: Tell[list[Route]]) -> list[Route]:
        best.begin(tell)
        if given is not None:
            found = routing.SolveFromAssignmentWithParameters(given, parameters)
        else:
            found = routing.SolveWithParameters(parameters)
        return model.routes(found.Value) if found is not None else []

    return searched(search, clock.left_s) or []


class _Best:
    """Tells of better routes as OR-Tools finds them, as far as that takes next to no time.

    Args:
        model: searches, and holds the callback: were it held in turn, nothing would be freed.
    """

    def __init__(self, model: Model) -> None:
        self._model = ref(model)
        self._tell: Tell[list[Route]] | None = None
        self._begin_s = self._spent_s = 0.0

    def begin(self, tell: Tell[list[Route]]) -> None:
        """From now on there is somebody to tell."""
        self._tell, self._begin_s = tell, time.perf_counter()

    def improved(self) -> None:
        """Called by OR-Tools when it has found better routes."""
        begin_s, model = time.perf_counter(), self._model()
        affordable_s = TELLING * (begin_s - self._begin_s)
        if self._tell is None or model is None or self._spent_s > affordable_s:
            return
        self._tell(model.routes(lambda variable: int(variable.Value())))
        self._spent_s += time.perf_counter() - begin_s


SOLVER = ORTools()
