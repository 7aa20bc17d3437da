"""PyVRP: iterated local search on an integer copy of the problem."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pyvrp
import pyvrp.search
from pyvrp import Activity, ActivityType, PenaltyManager, ProblemData
from pyvrp.PenaltyManager import PenaltyParams

from nco.baselines.costs import Costs
from nco.baselines.fleet import Kind, duties_of, kinds_of, numbered
from nco.baselines.mending import completed, finished
from nco.baselines.quick import quick_routes
from nco.baselines.scaling import Ints, Loads, Ticks, timed
from nco.problem import Feature, Problem
from nco.route import Route
from nco.solution import Solution
from nco.solver import Clock, ThreadClock

# Measured on 100 directed stops at 1 s, with and without windows.
OWN_START_S = 5e-3  # a stop: with less time, PyVRP gets further from routes by savings
SET_UP_S = 4.5e-4  # a stop: what PyVRP needs to read a problem and to improve its first routes
WAITING = 0.1  # of the dearest arc, for waiting as long as the longest drive
LATE_LOAD = (5000.0, 5.0)  # of the dearest arc, for the longest drive late or a mean stop too much
MOST = 3.0  # of the dearest arc, for a unit of either
PATIENCE = 0.4  # share of the limit after which a search without feasible answer is given up
SEED = 1  # of what policies are measured by or learn from


@dataclass(frozen=True)
class PyVRP:
    """PyVRP's iterated local search (N. A. Wouda et al., 2024).

    A problem without a feasible answer (or where none is found in 40 % of the limit) is
    searched again with every stop optional at a reward that no saving outweighs, so that as
    many stops as possible are served and no rule is broken. Under 5 ms a stop it starts
    from routes by savings (or nearest neighbour), and under 0.45 ms a stop, which is too short
    for PyVRP to start at all, these are what comes back.

    Attributes:
        max_iterations: ends the search; None leaves it to the time limit.
        clock: what the time limit is measured by.
    """

    name: ClassVar[str] = "pyvrp"
    supports: ClassVar[frozenset[Feature]] = frozenset(Feature) - {Feature.LONGEST_ROUTE}
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
        if initial is not None and initial.violations:
            routes = completed(problem, routes, clock, kinds)
        too_short = time_limit_s < SET_UP_S * problem.size
        if initial is None and time_limit_s < OWN_START_S * problem.size:
            routes = quick_routes(problem, kinds, clock)
        model = None if too_short else _Model(problem, kinds)
        if model and model.stops:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", pyvrp.exceptions.ScalingWarning)
                warnings.simplefilter("ignore", pyvrp.exceptions.PenaltyBoundWarning)
                routes = self._search(problem, kinds, model, routes, seed, clock)
        return finished(problem, routes, initial, clock, method=self.name, seed=seed)

    def _search(
        self,
        problem: Problem,
        kinds: Sequence[Kind],
        model: _Model,
        routes: list[Route],
        seed: int,
        clock: Clock,
    ) -> list[Route]:
        limit = _Limit(clock, self.max_iterations, reserve_s=0.01 + 2e-5 * problem.size)
        if not model.overloaded:
            limit.patience, limit.hopeless_cost = PATIENCE, model.costs.barred
            routes = model.run(routes, seed, limit, optional=False)
            if not Solution.from_routes(problem, routes).violations and not limit.stuck:
                return routes
        limit.patience = 1.0
        start = completed(problem, routes, clock, kinds)
        return model.run(start, seed, limit, optional=True)


class _Limit:
    """Stops PyVRP by our clock, by iterations, or when it is stuck without a feasible answer."""

    def __init__(self, clock: Clock, max_iterations: int | None, reserve_s: float) -> None:
        self._clock, self._reserve_s, self._most = clock, reserve_s, max_iterations
        self._whole_s = clock.left_s
        self._iterations = 0
        self.patience = 1.0
        self.hopeless_cost = 0
        self.stuck = False

    def __call__(self, best_cost: float) -> bool:
        self._iterations += 1
        left = self._clock.left_s - self._reserve_s
        used = 1.0 - left / self._whole_s
        if self._most is not None:
            used = max(used, self._iterations / self._most)
            if self._iterations > self._most:
                used = 1.0
        self.stuck = best_cost >= self.hopeless_cost
        return used >= (self.patience if self.stuck else 1.0)


class _Model:
    """A problem in PyVRP's terms; locations are our nodes, vehicle types our kinds."""

    def __init__(self, problem: Problem, kinds: Sequence[Kind]) -> None:
        self._problem = problem
        kinds = [kind for kind in kinds if kind.stops.any()]
        self._kinds = kinds
        served = np.any([kind.stops for kind in kinds], axis=0) if kinds else np.zeros(0)
        self.stops = [int(j) for j in np.flatnonzero(served)]
        if not self.stops:
            return
        self._client = {j: c for c, j in enumerate(self.stops)}
        self._ticks = Ticks.of(problem, kinds, 1e7) if timed(problem, kinds) else None
        ticks = self._ticks if any(kind.cost_per_s for kind in kinds) else None
        self.costs = Costs.of(problem, kinds, ticks)
        self._loads = Loads.of(problem, kinds)
        required = problem.required[self.stops]
        wanted = self._loads.demand[self.stops][required].sum(axis=0)
        offered = sum(
            capacity * kind.vehicle.max_trips * len(kind.numbers)
            for capacity, kind in zip(self._loads.capacity, kinds, strict=True)
        )
        self.overloaded = bool((wanted > offered).any())
        self._matrices()
        self._longest = max(1, *(int(drive.max()) for drive in self._durations))

    def _matrices(self) -> None:
        """Distance and duration matrices, one profile for each different pair of them."""
        self._distances: list[Ints] = []
        self._durations: list[Ints] = []
        self._profile: list[int] = []
        known: dict[tuple[bytes, int], int] = {}
        for kind, arcs in zip(self._kinds, self.costs.arcs, strict=True):
            key = (arcs.tobytes(), kind.vehicle.profile)
            if key not in known:
                known[key] = len(self._distances)
                self._distances.append(arcs)
                self._durations.append(
                    np.zeros_like(arcs)
                    if self._ticks is None
                    else self._ticks.up(np.where(np.isinf(kind.duration_s), 0.0, kind.duration_s))
                )
            self._profile.append(known[key])

    def _data(self, optional: bool) -> ProblemData:
        problem, costs, ticks = self._problem, self.costs, self._ticks
        required = problem.required & (not optional)
        service = np.zeros(problem.size, int) if ticks is None else ticks.up(problem.service_s)
        opens, closes = self._windows()
        clients = [
            pyvrp.Client(
                location=j,
                delivery=self._loads.demand[j].tolist(),
                service_duration=int(service[j]),
                tw_early=int(opens[j]),
                tw_late=int(closes[j]),
                prize=0 if required[j] else int(costs.prize[j]),
                required=bool(required[j]),
            )
            for j in self.stops
        ]
        depots = [
            pyvrp.Depot(location=d, tw_early=int(opens[d]), tw_late=int(closes[d]))
            for d in range(problem.depots)
        ]
        return ProblemData(
            [pyvrp.Location(0, 0) for _ in range(problem.size)],
            clients,
            depots,
            [self._vehicle_type(k) for k in range(len(self._kinds))],
            self._distances,  # type: ignore[arg-type]
            self._durations,  # type: ignore[arg-type]
        )

    def _windows(self) -> tuple[np.ndarray, np.ndarray]:
        n, window = self._problem.size, self._problem.window_s
        if self._ticks is None:
            return np.zeros(n, int), np.full(n, np.iinfo(np.int64).max)
        opens = self._ticks.up(window[:, 0])
        return opens, np.maximum(opens, self._ticks.down(window[:, 1]))

    def _vehicle_type(self, k: int) -> pyvrp.VehicleType:
        kind, costs, ticks = self._kinds[k], self.costs, self._ticks
        vehicle = kind.vehicle
        opens, closes = 0, int(np.iinfo(np.int64).max)
        if ticks is not None:
            depot_opens, depot_closes = self._windows()  # no overlap would be an error
            opens = int(min(ticks.up(kind.opens_s), depot_closes[vehicle.start]))
            closes = int(max(ticks.down(kind.closes_s), opens, depot_opens[vehicle.end]))
        return pyvrp.VehicleType(
            num_available=len(kind.numbers),
            capacity=self._loads.capacity[k].tolist(),
            start_depot=vehicle.start,
            end_depot=vehicle.end,
            fixed_cost=costs.fixed[k],
            unit_distance_cost=1,
            unit_duration_cost=costs.per_tick[k],
            profile=self._profile[k],
            tw_early=opens,
            tw_late=closes,
            reload_depots=[vehicle.end] if vehicle.max_trips > 1 else [],
            max_reloads=vehicle.max_trips - 1,
        )

    def run(
        self, routes: Sequence[Route], seed: int, limit: _Limit, *, optional: bool
    ) -> list[Route]:
        """Search from routes, or from PyVRP's own start if there are none."""
        data = self._data(optional)
        rng = pyvrp.RandomNumberGenerator(seed=seed)
        search = pyvrp.search.LocalSearch(
            data,
            rng,
            pyvrp.search.compute_neighbours(data, self._neighbourhood()),
            pyvrp.search.PerturbationManager(),
        )
        for operator in pyvrp.search.OPERATORS:
            if operator.supports(data):
                search.add_operator(operator(data))
        penalties = self._penalties(optional)
        if routes:
            start = self._solution(data, routes)
        else:
            random = pyvrp.Solution.make_random(data, rng)
            start = search(random, penalties.max_cost_evaluator(), exhaustive=True)
        algorithm = pyvrp.IteratedLocalSearch(data, penalties, search, start)
        return self._routes(algorithm.run(limit, collect_stats=False).best)

    def _neighbourhood(self) -> pyvrp.search.NeighbourhoodParams:
        """PyVRP weighs a tick of waiting against a unit of cost: make that independent of both."""
        weight = WAITING * self.costs.dearest / self._longest
        return pyvrp.search.NeighbourhoodParams(weight_wait_time=weight)

    def _penalties(self, optional: bool) -> PenaltyManager:
        """Penalties on the scale of our costs.

        Within the seconds that a search has here PyVRP hardly adapts them, and its defaults
        are meant for arcs of about a thousand units.
        """
        unit = float(self.costs.reward if optional else self.costs.dearest)
        total = self._loads.demand.sum(axis=0)
        load = LATE_LOAD[1] * unit * len(self.stops) / np.maximum(total, 1)
        late = LATE_LOAD[0] * unit / self._longest
        horizon = self._ticks.horizon if self._ticks else 1
        most = min(MOST * unit, 1e18 / (horizon * self._problem.size))
        params = PenaltyParams(max_penalty=max(most, 1.0))
        return PenaltyManager((load.tolist(), late, 1.0), params)

    def _solution(self, data: ProblemData, routes: Sequence[Route]) -> pyvrp.Solution:
        made, depot, client = [], ActivityType.DEPOT, ActivityType.CLIENT
        for k, trips in duties_of(self._kinds, routes):
            vehicle = self._kinds[k].vehicle
            visits: list[Activity] = []  # the depot stands between trips only
            for trip in trips:
                visits += [Activity(depot, vehicle.end)] if visits else []
                visits += [Activity(client, self._client[j]) for j in trip if j in self._client]
            made.append(pyvrp.Route(data, visits, k))
        return pyvrp.Solution(data, made)

    def _routes(self, solution: pyvrp.Solution) -> list[Route]:
        duties = []
        for route in solution.routes():
            trips: list[list[int]] = [[]]
            for activity in route:
                if activity.is_client():
                    trips[-1].append(self.stops[activity.idx])
                else:
                    trips.append([])
            duties.append((route.vehicle_type(), trips))
        return numbered(self._kinds, duties)


def solve_by_cpu(problem: Problem, cpu_s: float) -> Solution:
    """What PyVRP finds in some CPU seconds of its thread, which other load does not shorten."""
    return PyVRP(clock=ThreadClock).solve(problem, cpu_s, SEED)


SOLVER = PyVRP()
