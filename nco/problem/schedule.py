"""The timetable of a solution: when each vehicle is where, with what on board.

Vehicles leave as late as they can without being later anywhere than with the earliest
departure, which is also how `Cost.duration_s` counts.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nco.problem.duty import duty, loads
from nco.problem.handling import handling
from nco.problem.normal import Normal, normal
from nco.problem.passages import Trips, hops, nodes_of, openings, services
from nco.problem.problem import Problem
from nco.problem.solution import Solution


@dataclass(frozen=True)
class Visit:
    """One node on a route.

    Attributes:
        node: node number; the first and the last of a route are depots.
        arrival_s: when the vehicle gets there.
        start_s: when service starts, after waiting for the window to open.
        departure_s: when the vehicle leaves, or ends its duty.
        load: on board when it leaves, one number a dimension of demand.
        distance_m: metres driven since the vehicle first left its depot.
        duration_s: seconds spent driving since then.
        setup_s: seconds of set-up after the arrival, or of unloading at a depot.
        pauses: breaks and rests before the next node is reached, or while it is waited for:
            begin and seconds of each.
    """

    node: int
    arrival_s: float
    start_s: float
    departure_s: float
    load: tuple[float, ...]
    distance_m: float
    duration_s: float
    setup_s: float = 0.0
    pauses: tuple[tuple[float, float], ...] = ()

    @property
    def waiting_s(self) -> float:
        """Seconds between the end of set-up (or of unloading) and start."""
        ready_s = self.arrival_s + self.setup_s
        return self.start_s - ready_s if self.start_s > ready_s else 0.0


@dataclass(frozen=True)
class RouteSchedule:
    """One route of a solution with its times and loads.

    Attributes:
        vehicle: number of the vehicle in `Problem.vehicles`.
        trip: 0 for the first route of its vehicle, 1 for the next, ...
        visits: start depot, stops, end depot.
    """

    vehicle: int
    trip: int
    visits: tuple[Visit, ...]

    @property
    def distance_m(self) -> float:
        """Metres of this route."""
        return _since(self.visits[0].distance_m, self.visits[-1].distance_m)

    @property
    def duration_s(self) -> float:
        """Seconds from leaving the start depot to reaching the end depot."""
        return _since(self.visits[0].departure_s, self.visits[-1].arrival_s)

    @property
    def driving_s(self) -> float:
        """Seconds of that spent driving."""
        return _since(self.visits[0].duration_s, self.visits[-1].duration_s)


def schedule(problem: Problem, solution: Solution) -> tuple[RouteSchedule, ...]:
    """The timetable of every route, in the order of `solution.routes`.

    Args:
        problem: what the solution is for.
        solution: feasible or not; what lies behind an unreachable pair is at time `inf`.
    """
    routes_of: dict[int, list[int]] = {}
    for r, route in enumerate(solution.routes):
        routes_of.setdefault(route.vehicle, []).append(r)
    done: dict[int, RouteSchedule] = {}
    form = normal(problem)
    for v, numbers in routes_of.items():
        trips = [solution.routes[r] for r in numbers]
        done.update(zip(numbers, _drive(problem, form, v, trips), strict=True))
    return tuple(done[r] for r in range(len(solution.routes)))


def _since(first: float, last: float) -> float:
    """The difference, infinite where the way is unreachable (even before it begins)."""
    return last - first if np.isfinite(last) else np.inf


def _drive(problem: Problem, form: Normal, v: int, trips: Trips) -> list[RouteSchedule]:
    """Walk one vehicle's trips from the departure that `duty` found."""
    vehicle = problem.vehicles[v]
    plan = duty(form.problem, form.problem.vehicles[v], trips)
    now = form.time_s(plan.departure_s)
    if not problem.timetabled and form.zero_s > openings(problem, vehicle, trips)[0][0]:
        # Idle hours that the normal form leaves out count for people: who may leave at 8 does.
        now = duty(problem, vehicle, trips).departure_s
    starts = [form.time_s(time) for time in plan.start_s]
    arrivals = [form.time_s(time) for time in plan.arrival_s]
    pauses: dict[int, list[tuple[float, float]]] = {}
    for begin, length, place in plan.pauses:
        pauses.setdefault(place, []).append((form.time_s(begin), length / form.per_s))
    nodes = nodes_of(vehicle, trips)
    hop_m, hop_s = (x.tolist() for x in hops(problem, vehicle, nodes))
    beside = handling(problem, vehicle, nodes).tolist()
    opens = openings(problem, vehicle, trips)[0].tolist()
    service = services(problem, vehicle)
    metres = seconds = 0.0
    result, k = [], 0
    for t, trip in enumerate(trips):
        left = [tuple(load) for load in loads(problem, trip.stops).tolist()]
        loaded = 0.0 if vehicle.open_start and not t else vehicle.loading_s
        own = tuple(pauses.get(k, ()))
        visits = [Visit(nodes[k], now, now, now + loaded, left[0], metres, seconds, 0.0, own)]
        for n, load in enumerate((*left[1:], left[-1])):
            node = nodes[k + 1]
            begin = now + loaded if n == 0 else now
            setup = beside[k] - loaded if n == 0 else beside[k]
            metres, seconds, arrival = metres + hop_m[k], seconds + hop_s[k], begin + hop_s[k]
            k += 1
            # Back at the depot, that is when the next trip's goods are.
            start = max(arrival + setup, opens[k])
            if problem.timetabled:
                arrival, start = arrivals[k] - setup, starts[k]
            now = start + float(service[node])
            own = tuple(pauses.get(k, ())) if k < len(nodes) - 1 else ()
            visits.append(Visit(node, arrival, start, now, load, metres, seconds, setup, own))
        result.append(RouteSchedule(v, t, tuple(visits)))
    return result
