"""A problem as PyVRP wants it, and its solutions as ours."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pyvrp
import pyvrp.search
from pyvrp import Activity, ActivityType, PenaltyManager, ProblemData
from pyvrp.PenaltyManager import PenaltyParams

from nco.arrays import Ints
from nco.fleet.columns import Columns
from nco.fleet.costs import Costs
from nco.fleet.kinds import Kind, renumbered, routes_of
from nco.fleet.scaling import Loads, Ticks, timed
from nco.problem import Problem, Shipment
from nco.problem.route import Route

# Measured on 100 directed stops at 1 s, with and without windows.
WAITING = 0.1  # of the dearest arc, for waiting as long as the longest drive
LATE_LOAD = (5000.0, 5.0)  # of the dearest arc, for the longest drive late or a mean stop too much
MOST = 3.0  # of the dearest arc, for a unit of either

type KindTrips = tuple[int, tuple[Route, ...]]
"""The kind of a vehicle, by its number in a model, and its trips; their own numbers say nothing."""


class Model:
    """A problem in PyVRP's terms; locations are our nodes, vehicle types our kinds.

    Args:
        problem: what is to be solved.
        kinds: of its vehicles.

    Attributes:
        stops: that a vehicle may be able to serve; if there are none, nothing else is here.
        costs: of the problem in whole units.
        vehicles: how many there are of each kind, in the order of vehicle types.
        overloaded: whether the required stops are more than the vehicles can hold.
    """

    def __init__(self, problem: Problem, kinds: Sequence[Kind]) -> None:
        self._problem = problem
        kinds = [kind for kind in kinds if kind.stops.any()]
        self._kinds = kinds
        self.vehicles = [len(kind.numbers) for kind in kinds]
        able = np.any([kind.stops for kind in kinds], axis=0) if kinds else np.zeros(problem.size)
        served = [bool(able[j] and able[problem.mates.get(j, j)]) for j in range(problem.size)]
        self.stops = [int(j) for j in np.flatnonzero(served)]
        if not self.stops:
            return
        self._clients = [j for j in self.stops if j not in problem.mates]
        self._client = {j: c for c, j in enumerate(self._clients)}
        self._shipments = [s for s, one in enumerate(problem.shipments) if served[one.pickup]]
        self._ends = [(one.pickup, one.delivery) for one in self._shipped()]
        visits = [(ActivityType.CLIENT, c, j) for j, c in self._client.items()]
        for s, (pickup, delivery) in enumerate(self._ends):
            visits.append((ActivityType.PICKUP, s, pickup))
            visits.append((ActivityType.DELIVERY, s, delivery))
        self._visit = {j: Activity(kind, index) for kind, index, j in visits}
        self._node = {(kind, index): j for kind, index, j in visits}
        self._ticks = Ticks.of(problem, kinds, 1e7) if timed(problem, kinds) else None
        ticks = self._ticks if any(kind.cost_per_s for kind in kinds) else None
        self.costs = Costs.of(problem, kinds, ticks)
        self._loads = Loads.of(problem, kinds)
        required = problem.required[self.stops]
        chosen = np.array(self.stops)[required]
        wanted = np.maximum(
            self._loads.demand[chosen].sum(axis=0), self._loads.pickup[chosen].sum(axis=0)
        )
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

    def data(self, optional: bool) -> ProblemData:
        """What PyVRP reads.

        Args:
            optional: whether every stop may be left out, required ones at a cost that no saving
                outweighs.
        """
        problem, costs, ticks = self._problem, self.costs, self._ticks
        required = problem.required & (not optional)
        groups, group_of = self._groups(optional)
        asked = {j for j in self.stops if required[j]}
        asked |= {j for j, g in group_of.items() if groups[g].required}
        release = np.zeros(problem.size, int) if ticks is None else ticks.up(problem.release_s)
        opens, closes, service = self._times()
        clients = [
            pyvrp.Client(
                location=j,
                delivery=self._loads.demand[j].tolist(),
                pickup=self._loads.pickup[j].tolist(),
                service_duration=int(service[j]),
                tw_early=int(opens[j]),
                tw_late=int(closes[j]),
                release_time=int(min(release[j], closes[j])),
                prize=0 if j in asked else int(costs.prize[j]),
                required=bool(required[j]),
                group=group_of.get(j),
            )
            for j in self._clients
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
            groups,
            [self._shipment(s, bool(required[ends[0]])) for s, ends in enumerate(self._ends)],
        )

    def _shipped(self) -> list[Shipment]:
        """Our shipments that some vehicle may be able to serve both ends of."""
        return [self._problem.shipments[s] for s in self._shipments]

    def _shipment(self, s: int, required: bool) -> pyvrp.Shipment:
        pickup, delivery = self._ends[s]
        opens, closes, service = self._times()
        prize = 0 if required else int(self.costs.prize[[pickup, delivery]].sum())
        return pyvrp.Shipment(
            pickup_location=pickup,
            delivery_location=delivery,
            pickup_tw_early=int(opens[pickup]),
            pickup_tw_late=int(closes[pickup]),
            pickup_service_duration=int(service[pickup]),
            delivery_tw_early=int(opens[delivery]),
            delivery_tw_late=int(closes[delivery]),
            delivery_service_duration=int(service[delivery]),
            amount=self._loads.shipped[self._shipments[s]].tolist(),
            prize=prize,
            required=required,
        )

    def _groups(self, optional: bool) -> tuple[list[pyvrp.ClientGroup], dict[int, int]]:
        """Alternatives that some vehicle can serve, and the number of the group of each."""
        made: list[pyvrp.ClientGroup] = []
        group_of: dict[int, int] = {}
        for group in self._problem.groups:
            stops = [j for j in group.stops if j in self._client]
            if stops:
                group_of |= dict.fromkeys(stops, len(made))
                required = bool(np.isinf(group.prize)) and not optional
                clients = [self._client[j] for j in stops]
                made.append(pyvrp.ClientGroup(clients, required=required))
        return made, group_of

    def _times(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """`[N]` of each node: when it opens and closes, and how long service takes."""
        n, window = self._problem.size, self._problem.window_s
        if self._ticks is None:
            return np.zeros(n, int), np.full(n, np.iinfo(np.int64).max), np.zeros(n, int)
        opens = self._ticks.up(window[:, 0])
        closes = np.maximum(opens, self._ticks.down(window[:, 1]))
        return opens, closes, self._ticks.up(self._problem.service_s)

    def _vehicle_type(self, k: int) -> pyvrp.VehicleType:
        kind, costs, ticks = self._kinds[k], self.costs, self._ticks
        vehicle = kind.vehicle
        opens, closes = 0, int(np.iinfo(np.int64).max)
        shift = closes
        if ticks is not None:
            depot_opens, depot_closes, _ = self._times()  # no overlap would be an error
            opens = int(min(ticks.up(kind.opens_s), depot_closes[vehicle.start]))
            closes = int(max(ticks.down(kind.closes_s), opens, depot_opens[vehicle.end]))
            if np.isfinite(vehicle.max_duration_s):
                shift = int(ticks.down(vehicle.max_duration_s))
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
            shift_duration=shift,
            reload_depots=list(vehicle.reloads) if vehicle.max_trips > 1 else [],
            max_reloads=vehicle.max_trips - 1,
        )

    def _neighbourhood(self) -> pyvrp.search.NeighbourhoodParams:
        """PyVRP weighs a tick of waiting against a unit of cost: make that independent of both."""
        weight = WAITING * self.costs.dearest / self._longest
        return pyvrp.search.NeighbourhoodParams(weight_wait_time=weight)

    def local_search(
        self, data: ProblemData, rng: pyvrp.RandomNumberGenerator
    ) -> pyvrp.search.LocalSearch:
        """PyVRP's local search with all operators that the data may need."""
        search = pyvrp.search.LocalSearch(
            data,
            rng,
            pyvrp.search.compute_neighbours(data, self._neighbourhood()),
            pyvrp.search.PerturbationManager(),
        )
        for operator in pyvrp.search.OPERATORS:
            if operator.supports(data):
                search.add_operator(operator(data))
        return search

    def penalties(self, optional: bool, every: int = 500) -> PenaltyManager:
        """Penalties on the scale of our costs.

        Within the seconds that a search has here PyVRP hardly adapts them, and its defaults
        are meant for arcs of about a thousand units.

        Args:
            optional: as in `data`.
            every: how many solutions are registered before penalties change.
        """
        unit = float(self.costs.reward if optional else self.costs.dearest)
        total = self._loads.moved
        load = LATE_LOAD[1] * unit * len(self.stops) / np.maximum(total, 1)
        late = LATE_LOAD[0] * unit / self._longest
        horizon = self._ticks.horizon if self._ticks else 1
        most = min(MOST * unit, 1e18 / (horizon * self._problem.size))
        params = PenaltyParams(solutions_between_updates=every, max_penalty=max(most, 1.0))
        return PenaltyManager((load.tolist(), late, 1.0), params)

    def solution(self, data: ProblemData, duties: Iterable[KindTrips]) -> pyvrp.Solution:
        """Duties in PyVRP's terms, without stops that no vehicle can serve."""
        made, depot = [], ActivityType.DEPOT
        for k, trips in duties:
            vehicle = self._kinds[k].vehicle
            visits: list[Activity] = []  # depots stand between trips only
            again = vehicle.loads_at(None)
            for trip in trips:
                visits += [Activity(depot, again)] if visits else []
                visits += [self._visit[j] for j in trip.stops if j in self._visit]
                again = vehicle.loads_at(trip.reload_at)
            made.append(pyvrp.Route(data, visits, k))
        return pyvrp.Solution(data, made)

    def duties(self, solution: pyvrp.Solution) -> list[KindTrips]:
        """The kind and the trips of each vehicle that a solution uses."""
        duties = []
        for route in solution.routes():
            trips, stops = list[Route](), list[int]()
            for activity in route:
                node = self._node.get((activity.type, activity.idx))
                if node is not None:
                    stops.append(node)
                elif stops:
                    trips.append(Route(0, tuple(stops), activity.idx))
                    stops = []
            if stops:
                trips.append(Route(0, tuple(stops)))
            if trips:
                duties.append((route.vehicle_type(), tuple(trips)))
        return duties

    def note(self, solution: pyvrp.Solution, columns: Columns) -> None:
        """Notes the routes, each of a single trip, of a solution that breaks no rule.

        Those on arcs that do not exist are none.
        """
        routes = [route for route in solution.routes() if len(route)]
        for route, (k, trips) in zip(routes, self.duties(solution), strict=True):
            stops = trips[0].stops
            units = route.distance_cost() + route.duration_cost() + route.fixed_vehicle_cost()
            cost = units / self.costs.scale - float(self.costs.shift[list(stops)].sum())
            if units < self.costs.barred:
                columns.note(self._kinds[k].numbers[0], stops, cost)

    def duties_of(self, routes: Iterable[Route]) -> list[KindTrips]:
        """The kind and the trips of each vehicle that routes use."""
        return [(k, tuple(trips)) for k, trips in routes_of(self._kinds, routes)]

    def routes(self, duties: Iterable[KindTrips]) -> list[Route]:
        """Duties on our vehicles."""
        return renumbered(self._kinds, duties)
