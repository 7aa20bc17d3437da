"""OR-Tools' routing library: guided local search on an integer copy of the problem."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar
from weakref import ref

import numpy as np
from ortools.constraint_solver import pywrapcp, routing_enums_pb2

from nco.arrays import Ints
from nco.baselines.apart import Tell, searched
from nco.baselines.quick import quick_routes, vehicles_seen
from nco.fleet.costs import Costs
from nco.fleet.kinds import Kind, kinds_of
from nco.fleet.mending import finished
from nco.fleet.scaling import Loads, Ticks, timed, up
from nco.problem import Feature, Problem
from nco.problem.objective import CLASSICAL
from nco.problem.route import Route
from nco.problem.solution import CONSTRUCTION, INITIAL, Solution
from nco.solver import Clock

SPAN_COST = 10  # cost units in a unit of the dimension that measures the longest route
TELLING = 0.02  # share of the time to tell of better routes in
SET_UP_S = 4e-4  # a stop: what OR-Tools needs before it can search at all


@dataclass(frozen=True)
class ORTools:
    """OR-Tools' guided local search from routes by savings (or nearest neighbour).

    OR-Tools' own first solutions take longer to come and to improve on directed matrices.
    Every stop may be left out at a penalty that no saving outweighs, so that a problem without
    a feasible answer gives a partial one. Of many identical vehicles OR-Tools sees those that
    a heuristic needs to serve everything and a quarter more: each costs it time. Waiting is
    left out of the longest route while it searches.

    Attributes:
        max_iterations: accepted solutions after which the search ends; None leaves it to the
            time limit.
    """

    name: ClassVar[str] = "ortools"
    supports: ClassVar[frozenset[Feature]] = CLASSICAL - {Feature.TRIPS}
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
            model = _Model(problem, kinds, seen)
            found = model.run(routes, seed, clock, self.max_iterations)
            if found:
                routes, fallback = found, ""
        return finished(
            problem, routes, initial, clock, method=self.name, seed=seed, fallback=fallback
        )


class _Model:
    """A problem in OR-Tools' terms; nodes are ours, vehicles a selection of ours."""

    def __init__(
        self, problem: Problem, kinds: Sequence[Kind], seen: Sequence[Sequence[int]]
    ) -> None:
        self._problem, self._kinds = problem, kinds
        self._vehicles = [(k, v) for k, numbers in enumerate(seen) for v in numbers]
        starts = [kinds[k].vehicle.start for k, _ in self._vehicles]
        ends = [kinds[k].vehicle.end for k, _ in self._vehicles]
        served = np.any([kind.stops for kind in kinds], axis=0)
        self._stops = [int(j) for j in np.flatnonzero(served)]
        # OR-Tools would visit the other depots as if they were stops.
        self._nodes = sorted({*starts, *ends}) + self._stops
        self._place = {node: place for place, node in enumerate(self._nodes)}
        self._manager = pywrapcp.RoutingIndexManager(
            len(self._nodes),
            len(self._vehicles),
            [self._place[node] for node in starts],
            [self._place[node] for node in ends],
        )
        self._routing = pywrapcp.RoutingModel(self._manager)
        self._ticks = Ticks.of(problem, kinds, 1e9) if timed(problem, kinds) else None
        waits = bool((problem.window_s[:, 0] > 0).any())
        charged = self._ticks if waits and any(kind.cost_per_s for kind in kinds) else None
        self._costs = Costs.of(problem, kinds, charged)
        self._add_costs()
        self._add_loads()
        if self._ticks is not None:
            self._add_time(self._ticks, charged is not None)
        if problem.objective.longest_route:
            self._add_span()

    def _index(self, stop: int) -> int:
        return int(self._manager.NodeToIndex(self._place[stop]))

    def _registered(self, matrices: Sequence[Ints]) -> list[int]:
        """Transit callbacks of the matrices of each kind, equal ones registered once."""
        known: dict[bytes, int] = {}
        callbacks = []
        for full in matrices:
            matrix = full[np.ix_(self._nodes, self._nodes)]
            key = matrix.tobytes()
            if key not in known:
                known[key] = self._routing.RegisterTransitMatrix(matrix.tolist())
            callbacks.append(known[key])
        return callbacks

    def _add_costs(self) -> None:
        routing, costs = self._routing, self._costs
        callbacks = self._registered(costs.arcs)
        if len(set(callbacks)) == 1:
            routing.SetArcCostEvaluatorOfAllVehicles(callbacks[0])
        for v, (k, _) in enumerate(self._vehicles):
            if len(set(callbacks)) > 1:
                routing.SetArcCostEvaluatorOfVehicle(callbacks[k], v)
            if costs.fixed[k]:
                routing.SetFixedCostOfVehicle(costs.fixed[k], v)
        served = np.array([kind.stops for kind in self._kinds])
        for j in self._stops:
            index = self._index(j)
            routing.AddDisjunction([index], int(costs.prize[j]))
            if not served[:, j].all():
                # The wrapper of SetAllowedVehiclesForIndex takes no list; -1 is "left out".
                fit = [v for v, (k, _) in enumerate(self._vehicles) if served[k, j]]
                routing.VehicleVar(index).SetValues([-1, *fit])

    def _add_loads(self) -> None:
        loads = Loads.of(self._problem, self._kinds)
        for d in range(self._problem.dimensions):
            demand = self._routing.RegisterUnaryTransitVector(loads.demand[self._nodes, d].tolist())
            most = [int(loads.capacity[k, d]) for k, _ in self._vehicles]
            self._routing.AddDimensionWithVehicleCapacity(demand, 0, most, True, f"load {d}")

    def _drives(self, ticks: Ticks) -> list[Ints]:
        service = ticks.up(self._problem.service_s)[:, None]
        drives = [
            service + ticks.up(np.where(np.isinf(kind.duration_s), 0.0, kind.duration_s))
            for kind in self._kinds
        ]
        for drive in drives:
            np.fill_diagonal(drive, 0)
        return drives

    def _add_time(self, ticks: Ticks, charged: bool) -> None:
        problem, routing, most = self._problem, self._routing, ticks.horizon
        callbacks = self._registered(self._drives(ticks))
        vehicles = [callbacks[k] for k, _ in self._vehicles]
        routing.AddDimensionWithVehicleTransitAndCapacity(
            vehicles, most, [most] * len(vehicles), False, "time"
        )
        time = routing.GetDimensionOrDie("time")
        opens, closes = ticks.up(problem.window_s[:, 0]), ticks.down(problem.window_s[:, 1])
        for j in self._stops:
            if opens[j] > 0 or closes[j] < most:
                variable = time.CumulVar(self._index(j))
                variable.SetRange(int(opens[j]), int(max(opens[j], closes[j])))
        for v, (k, _) in enumerate(self._vehicles):
            kind = self._kinds[k]
            begin, end = int(ticks.up(kind.opens_s)), int(ticks.down(kind.closes_s))
            latest = max(begin, min(end, int(closes[kind.vehicle.start])))
            time.CumulVar(routing.Start(v)).SetRange(begin, latest)
            opening = max(begin, int(opens[kind.vehicle.end]))
            time.CumulVar(routing.End(v)).SetRange(opening, max(opening, end))
            if charged:
                time.SetSpanCostCoefficientForVehicle(self._costs.per_tick[k], v)

    def _add_span(self) -> None:
        """A dimension from 0 whose largest end is the longest route, in `SPAN_COST` units."""
        problem, weights = self._problem, self._problem.objective
        unit = weights.longest_route * self._costs.scale / SPAN_COST
        lengths = []
        for kind in self._kinds:
            length = kind.duration_s + problem.service_s[:, None]
            if weights.longest_by == "distance":
                length = problem.profiles[kind.vehicle.profile].distance_m
            whole = up(np.where(np.isinf(length), 0.0, length) * unit).astype(np.int64)
            np.fill_diagonal(whole, 0)
            lengths.append(whole)
        most = int(max(length.max(axis=0).sum() + length.max() for length in lengths))
        callbacks = self._registered(lengths)
        vehicles = [callbacks[k] for k, _ in self._vehicles]
        self._routing.AddDimensionWithVehicleTransitAndCapacity(
            vehicles, 0, [most] * len(vehicles), True, "length"
        )
        self._routing.GetDimensionOrDie("length").SetGlobalSpanCostCoefficient(SPAN_COST)

    def run(
        self, start: Sequence[Route], seed: int, clock: Clock, max_iterations: int | None
    ) -> list[Route]:
        """Search from routes, or from OR-Tools' own first solution if it refuses them.

        Empty where it is interrupted before it has a solution.
        """
        parameters = pywrapcp.DefaultRoutingSearchParameters()
        parameters.first_solution_strategy = (
            routing_enums_pb2.FirstSolutionStrategy.PATH_CHEAPEST_ARC
        )
        parameters.local_search_metaheuristic = (
            routing_enums_pb2.LocalSearchMetaheuristic.GUIDED_LOCAL_SEARCH
        )
        if max_iterations is not None:
            parameters.solution_limit = max_iterations
        best = _Best(self)
        self._routing.AddAtSolutionCallback(best.improved)
        self._routing.solver().ReSeed(seed)
        parameters.time_limit.FromMicroseconds(max(1, int(1e6 * clock.left_s)))
        self._routing.CloseModelWithParameters(parameters)
        left = clock.left_s - 0.01 - 2e-5 * self._problem.size
        if left <= 0:
            return []
        parameters.time_limit.FromMicroseconds(int(1e6 * left))
        given = self._assignment(start)

        def search(tell: Tell[list[Route]]) -> list[Route]:
            best.begin(tell)
            if given is not None:
                found = self._routing.SolveFromAssignmentWithParameters(given, parameters)
            else:
                found = self._routing.SolveWithParameters(parameters)
            return self.routes(found.Value) if found is not None else []

        return searched(search, clock.left_s) or []

    def _assignment(self, routes: Iterable[Route]) -> Any:
        place = {number: v for v, (_, number) in enumerate(self._vehicles)}
        stops: list[list[int]] = [[] for _ in self._vehicles]
        for route in routes:
            stops[place[route.vehicle]] = [self._index(j) for j in route.stops if j in self._place]
        return self._routing.ReadAssignmentFromRoutes(stops, True)

    def routes(self, value: Callable[[Any], int]) -> list[Route]:
        """Routes by the values of OR-Tools' variables."""
        routing, routes = self._routing, []
        for v, (_, number) in enumerate(self._vehicles):
            index, stops = value(routing.NextVar(routing.Start(v))), []
            while not routing.IsEnd(index):
                stops.append(self._nodes[self._manager.IndexToNode(index)])
                index = value(routing.NextVar(index))
            if stops:
                routes.append(Route(number, tuple(stops)))
        return routes


class _Best:
    """Tells of better routes as OR-Tools finds them, as far as that takes next to no time.

    Args:
        model: searches, and holds the callback: were it held in turn, nothing would be freed.
    """

    def __init__(self, model: _Model) -> None:
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
