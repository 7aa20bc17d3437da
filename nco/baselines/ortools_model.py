"""A problem as OR-Tools' routing library wants it, and its solutions as ours."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from ortools.constraint_solver import pywrapcp

from nco.arrays import Ints
from nco.baselines.ortools_counts import counted
from nco.baselines.ortools_hours import add_hours, penalties
from nco.baselines.ortools_makespan import add_makespan
from nco.baselines.ortools_rules import add_loads, add_rules
from nco.fleet.costs import Costs
from nco.fleet.kinds import Kind
from nco.fleet.scaling import Ticks, timed, up
from nco.problem import Problem
from nco.problem.objective import CLASSICAL
from nco.problem.route import Route

MOST_TICKS = 1e9  # in which time is counted
MOST_TICKS_OF_GAPS = 1e6  # OR-Tools counts gaps and breaks tick by tick, whatever its time limit
SPAN_COST = 10  # cost units in a unit of the dimension that measures the longest route


class Model:
    """A problem in OR-Tools' terms; nodes are ours, vehicles a selection of ours.

    Args:
        problem: what is to be solved.
        kinds: of its vehicles.
        seen: numbers of the vehicles of each kind among which OR-Tools chooses.

    Attributes:
        routing: OR-Tools' model.
        problem: what is to be solved.
        kinds: of its vehicles.
        vehicles: kind and number of each vehicle that OR-Tools sees.
        stops: that some vehicle may be able to serve.
        nodes: of ours, in the order of OR-Tools.
        ticks: in which time is counted; None where time does not matter.
        costs: in whole units.
    """

    def __init__(
        self, problem: Problem, kinds: Sequence[Kind], seen: Sequence[Sequence[int]]
    ) -> None:
        self.problem, self.kinds = problem, kinds
        self.vehicles = [(k, v) for k, numbers in enumerate(seen) for v in numbers]
        starts = [kinds[k].vehicle.start for k, _ in self.vehicles]
        ends = [kinds[k].vehicle.end for k, _ in self.vehicles]
        served = np.any([kind.stops for kind in kinds], axis=0)
        self.stops = [int(j) for j in np.flatnonzero(served)]
        # OR-Tools would visit the other depots as if they were stops.
        self.nodes = sorted({*starts, *ends}) + self.stops
        self._place = {node: place for place, node in enumerate(self.nodes)}
        self._manager = pywrapcp.RoutingIndexManager(
            len(self.nodes),
            len(self.vehicles),
            [self._place[node] for node in starts],
            [self._place[node] for node in ends],
        )
        self.routing = pywrapcp.RoutingModel(self._manager)
        gaps = bool(problem.more_windows_s) or any(kind.vehicle.breaks for kind in kinds)
        most = MOST_TICKS_OF_GAPS if gaps else MOST_TICKS
        counts = timed(problem, kinds) or problem.objective.makespan > 0
        self.ticks = Ticks.of(problem, kinds, most) if counts else None
        waits = problem.timetabled or bool((problem.window_s[:, 0] > 0).any())
        charged = self.ticks if waits and any(kind.cost_per_s for kind in kinds) else None
        prices = penalties(problem, kinds, self.ticks) if self.ticks else []
        if self.ticks is not None and problem.objective.makespan:
            prices.append((problem.objective.makespan / self.ticks.per_s, self.ticks.horizon))
        self.costs = Costs.of(problem, kinds, charged, prices=prices)
        self._add_costs()
        add_loads(self)
        if self.ticks is not None:
            self._add_time(self.ticks, charged is not None)
            if problem.timetabled:
                add_hours(self, self.ticks)
            if problem.objective.makespan:
                add_makespan(self, self.ticks)
        if problem.objective.longest_route:
            self._add_span()
        add_rules(self)

    @property
    def ruled(self) -> bool:
        """Whether there are rules beyond loads, windows and trips."""
        return bool(self.problem.features - CLASSICAL)

    @cached_property
    def turns(self) -> Any:
        """The dimension of how many nodes a vehicle has been to before each."""
        most = [len(self.stops) + 1] * len(self.vehicles)
        return counted(self, np.ones(self.problem.size, np.int64), most, "turns")

    def index(self, stop: int) -> int:
        """OR-Tools' number of a stop."""
        return int(self._manager.NodeToIndex(self._place[stop]))

    def registered(self, matrices: Sequence[Ints]) -> list[int]:
        """Transit callbacks of the matrices of each kind, equal ones registered once."""
        known: dict[bytes, int] = {}
        callbacks = []
        for full in matrices:
            matrix = full[np.ix_(self.nodes, self.nodes)]
            key = matrix.tobytes()
            if key not in known:
                known[key] = self.routing.RegisterTransitMatrix(matrix.tolist())
            callbacks.append(known[key])
        return callbacks

    def _add_costs(self) -> None:
        routing, costs = self.routing, self.costs
        callbacks = self.registered(costs.arcs)
        if len(set(callbacks)) == 1:
            routing.SetArcCostEvaluatorOfAllVehicles(callbacks[0])
        for v, (k, _) in enumerate(self.vehicles):
            if len(set(callbacks)) > 1:
                routing.SetArcCostEvaluatorOfVehicle(callbacks[k], v)
            if costs.fixed[k]:
                routing.SetFixedCostOfVehicle(costs.fixed[k], v)
        grouped = set[int]()
        for group in self.problem.groups:
            among = [j for j in group.stops if j in self._place]
            grouped.update(among)
            if among:
                indices = [self.index(j) for j in among]
                routing.AddDisjunction(indices, int(costs.prize[among[0]]), 1)
        served = np.array([kind.stops for kind in self.kinds])
        for j in self.stops:
            index = self.index(j)
            if j not in grouped:
                routing.AddDisjunction([index], int(costs.prize[j]))
            if not served[:, j].all():
                # The wrapper of SetAllowedVehiclesForIndex takes no list; -1 is "left out".
                fit = [v for v, (k, _) in enumerate(self.vehicles) if served[k, j]]
                routing.VehicleVar(index).SetValues([-1, *fit])

    def drives(self, ticks: Ticks) -> list[Ints]:
        """Ticks of service and the drive onward of each kind."""
        service = ticks.up(self.problem.service_s)[:, None]
        drives = [
            service + ticks.up(np.where(np.isinf(kind.duration_s), 0.0, kind.duration_s))
            for kind in self.kinds
        ]
        for drive in drives:
            np.fill_diagonal(drive, 0)
        return drives

    def _add_time(self, ticks: Ticks, charged: bool) -> None:
        problem, routing, most = self.problem, self.routing, ticks.horizon
        callbacks = self.registered(self.drives(ticks))
        vehicles = [callbacks[k] for k, _ in self.vehicles]
        routing.AddDimensionWithVehicleTransitAndCapacity(
            vehicles, most, [most] * len(vehicles), False, "time"
        )
        time = routing.GetDimensionOrDie("time")
        opens, closes = ticks.up(problem.hours_s[:, 0]), ticks.down(problem.hours_s[:, 1])
        for j in self.stops:
            if opens[j] > 0 or closes[j] < most:
                variable = time.CumulVar(self.index(j))
                variable.SetRange(int(opens[j]), int(max(opens[j], closes[j])))
        for v, (k, _) in enumerate(self.vehicles):
            kind = self.kinds[k]
            begin, end = int(ticks.up(kind.opens_s)), int(ticks.down(kind.closes_s))
            latest = max(begin, min(end, int(closes[kind.vehicle.start])))
            time.CumulVar(routing.Start(v)).SetRange(begin, latest)
            opening = max(begin, int(opens[kind.vehicle.end]))
            time.CumulVar(routing.End(v)).SetRange(opening, max(opening, end))
            if np.isfinite(kind.vehicle.max_duration_s):
                limit = int(ticks.down(kind.vehicle.max_duration_s))
                time.SetSpanUpperBoundForVehicle(limit, v)
            if charged:
                time.SetSpanCostCoefficientForVehicle(self.costs.per_tick[k], v)
        if problem.release_s.any():
            self._add_releases(ticks, time)

    def _add_releases(self, ticks: Ticks, time: Any) -> None:
        """No vehicle leaves before all is there that it carries."""
        solver, routing = self.routing.solver(), self.routing
        # In front of all starts stands one that is never too early, for stops that are left out.
        never = solver.IntVar(ticks.horizon, ticks.horizon)
        starts = [never, *(time.CumulVar(routing.Start(v)) for v in range(len(self.vehicles)))]
        release = ticks.up(self.problem.release_s)
        for j in self.stops:
            if release[j] > 0:
                leaves = solver.Element(starts, (routing.VehicleVar(self.index(j)) + 1).Var())
                solver.Add(leaves >= int(release[j]))

    def _add_span(self) -> None:
        """A dimension from 0 whose largest end is the longest route, in `SPAN_COST` units."""
        problem, weights = self.problem, self.problem.objective
        unit = weights.longest_route * self.costs.scale / SPAN_COST
        lengths = []
        for kind in self.kinds:
            length = kind.duration_s + problem.service_s[:, None]
            if weights.longest_by == "distance":
                length = problem.profiles[kind.vehicle.profile].distance_m
            whole = up(np.where(np.isinf(length), 0.0, length) * unit).astype(np.int64)
            np.fill_diagonal(whole, 0)
            lengths.append(whole)
        most = int(max(length.max(axis=0).sum() + length.max() for length in lengths))
        callbacks = self.registered(lengths)
        vehicles = [callbacks[k] for k, _ in self.vehicles]
        self.routing.AddDimensionWithVehicleTransitAndCapacity(
            vehicles, 0, [most] * len(vehicles), True, "length"
        )
        self.routing.GetDimensionOrDie("length").SetGlobalSpanCostCoefficient(SPAN_COST)

    def assignment(self, routes: Iterable[Route]) -> Any:
        """Routes in OR-Tools' terms; None where it refuses them."""
        place = {number: v for v, (_, number) in enumerate(self.vehicles)}
        stops: list[list[int]] = [[] for _ in self.vehicles]
        for route in routes:
            stops[place[route.vehicle]] = [self.index(j) for j in route.stops if j in self._place]
        return self.routing.ReadAssignmentFromRoutes(stops, True)

    def routes(self, value: Callable[[Any], int]) -> list[Route]:
        """Routes by the values of OR-Tools' variables."""
        routing, routes = self.routing, []
        for v, (_, number) in enumerate(self.vehicles):
            index, stops = value(routing.NextVar(routing.Start(v))), []
            while not routing.IsEnd(index):
                stops.append(self.nodes[self._manager.IndexToNode(index)])
                index = value(routing.NextVar(index))
            if stops:
                routes.append(Route(number, tuple(stops)))
        return routes
