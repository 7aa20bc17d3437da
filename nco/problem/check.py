"""The independent checker: feasibility, cost and its parts, from the matrices alone.

Nothing here is shared with the solvers or with `nco.problem.evaluate`: the walk below is written
from the definition of a `Problem`, stop by stop, so that an error in one is seen in the other.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from nco.arguments import of_kind
from nco.errors import ProblemError, quoted
from nco.problem.check_hours import walk_by_hours
from nco.problem.check_parts import (
    add_up,
    check_load,
    check_stop,
    depot_behind,
    goods_ready,
    handled,
)
from nco.problem.check_tally import Clock, Report, Tally, weigh
from nco.problem.check_ties import broken_ties
from nco.problem.given import given_problem
from nco.problem.problem import Problem
from nco.problem.solution import Solution
from nco.problem.vehicle import Vehicle

COST_SLACK = 1e-9  # the same of a cost, as a share of its parts
TIMED_SLACK = 1e-6  # of a cost for which times are chosen, where the same holds for each of them


def check(problem: Problem, solution: Solution) -> Report:
    """Recompute a solution from the problem's matrices and explain everything that is wrong.

    Args:
        problem: what was to be solved.
        solution: only its routes and its claimed total cost are looked at.

    Returns:
        A report that is true if and only if the solution is feasible and its claimed cost
        is right to 1e-9 of the sum of its parts (1e-6 where the times of a route are chosen).

    Raises:
        ProblemError: one of the two is something else.
    """
    given_problem(problem)
    give = "an nco.Solution, as nco.solve and nco.Solution.from_routes make one"
    of_kind(solution, Solution, "solution", give, ProblemError)
    tally = Tally(first=_first_time(problem))
    by_vehicle: dict[int, list[int]] = {}
    for r, route in enumerate(solution.routes):
        if not (0 <= route.vehicle < len(problem.vehicles)):
            message = f"route {r} is driven by vehicle {route.vehicle}, which does not exist"
            tally.add("unknown vehicle", message, r)
            continue
        strange = [j for j in route.stops if not (problem.depots <= j < problem.size)]
        for j in strange:
            tally.add("unknown stop", f"route {r} visits node {j}, which is not a stop", r, j)
        if not strange:
            by_vehicle.setdefault(route.vehicle, []).append(r)
    for v, its_routes in by_vehicle.items():
        _walk(problem, solution, v, its_routes, tally)
    unserved = _check_served(problem, tally)
    _check_shipments(problem, solution, tally)
    for finding in broken_ties(problem, solution):
        tally.add(*finding)
    weights = problem.objective
    by_distance = weights.longest_by == "distance"
    measured = tally.metres if by_distance else tally.seconds
    legs = tally.legs_m if by_distance else tally.legs_s
    first = _first_departure(problem)
    parts = {
        "distance": weigh(weights.distance, math.fsum(tally.distance)),
        "duration": weigh(weights.duration, math.fsum(tally.duration)),
        "fixed": weights.fixed * math.fsum(tally.fixed),
        "preference": 0.0 - weights.preference * math.fsum(tally.preference),
        "unserved": weights.unserved * unserved,
        "longest_route": weigh(weights.longest_route, max(measured, default=0.0)),
        "longest_leg": weigh(weights.longest_leg, max(legs, default=0.0)),
        "makespan": weigh(weights.makespan, max(tally.back, default=first) - first),
        "soft_windows": weigh(weights.soft_windows, math.fsum(tally.penalty)),
        "overtime": weigh(weights.overtime, math.fsum(tally.overtime)),
    }
    used = len(by_vehicle) if weights.fewest_vehicles else 0
    if solution.cost.vehicles != used:
        counted = f"the solution claims {solution.cost.vehicles} vehicles that count first"
        tally.add("cost", f"{counted}; they are {used}", None)
    total, claimed = math.fsum(parts.values()), solution.cost.total
    allowed = (TIMED_SLACK if problem.timetabled else COST_SLACK) * math.fsum(
        abs(part) for part in parts.values()
    )
    if total != claimed and not (math.isfinite(total) and abs(total - claimed) <= allowed):
        tally.add("cost", f"the solution claims a cost of {claimed:.9g}; it is {total:.9g}", None)
    return Report(
        findings=tuple(tally.findings),
        parts=parts,
        distance_m=math.fsum(tally.metres),
        duration_s=math.fsum(tally.seconds),
    )


def _first_time(problem: Problem) -> float:
    """The first time that is no default, in seconds: whatever the clock counts from, not before."""
    given = [float(time) for pair in problem.window_s for time in pair]
    given += [float(time) for vehicle in set(problem.vehicles) for time in vehicle.shift_s]
    return min((time for time in given if 0 < time < math.inf), default=0.0)


def _first_departure(problem: Problem) -> float:
    """When anybody at all may leave, which is where a makespan begins."""
    found = math.inf
    for vehicle in problem.vehicles:
        leaves = max(0.0, vehicle.shift_s[0])
        if not vehicle.open_start:
            leaves = max(leaves, float(problem.window_s[vehicle.start][0]))
        found = min(found, leaves)
    return found


class _Passage(NamedTuple):
    """A node on a vehicle's way.

    Attributes:
        arrival: when it gets there.
        start: when service starts.
        closes: latest start there.
        serves: seconds of service.
    """

    arrival: float
    start: float
    closes: float
    serves: float


def _walk(
    problem: Problem, solution: Solution, v: int, its_routes: list[int], tally: Tally
) -> None:
    """Drive one vehicle's routes in order, from the earliest possible departure."""
    vehicle = problem.vehicles[v]
    if len(its_routes) > vehicle.max_trips:
        tally.add(
            "trips",
            f"vehicle {v} drives {len(its_routes)} routes; it may drive {vehicle.max_trips}",
            its_routes[-1],
        )
    if problem.timetabled:
        walk_by_hours(problem, solution, v, its_routes, tally)
        return
    clock, closes = _departure(problem, v, its_routes[0], solution, tally)
    log = [_Passage(clock.now, clock.now, closes, 0.0)]
    here, metres, at_wheel = vehicle.start, 0.0, 0.0
    for n, r in enumerate(its_routes):
        stops = solution.routes[r].stops
        if n:
            back, clock.now = clock.now, max(clock.now, goods_ready(problem, stops))
            log[-1] = log[-1]._replace(start=clock.now)
            if clock.now > back:
                _check_time(problem, vehicle, r, here, clock, closes, tally)
        for k, j in enumerate((*stops, depot_behind(problem, solution, v, its_routes, n, tally))):
            first = vehicle.open_start and n == 0 and k == 0
            last = vehicle.open_end and n == len(its_routes) - 1 and k == len(stops)
            if not (first or last):
                leg = float(problem.profiles[vehicle.profile].distance_m[here][j])
                metres += leg
                tally.legs_m.append(leg)
                drive = float(problem.profiles[vehicle.profile].duration_s[here][j])
                drive /= vehicle.speed
                at_wheel += drive
                tally.legs_s.append(drive)
                clock.spend(drive)
            clock.spend(handled(problem, vehicle, here, j, from_depot=not first, to_depot=not last))
            if math.isinf(clock.now) and not math.isinf(log[-1].start):
                message = (
                    f"route {r}: vehicle {v} cannot get from {quoted(problem.names[here])} "
                    f"to {quoted(problem.names[j])}"
                )
                tally.add("unreachable", message, r, j)
            opens, closes = (float(time) for time in problem.window_s[j])
            if last:
                opens, closes = 0.0, math.inf
            arrival = clock.now
            clock.now = max(arrival, opens)
            serves = float(problem.service_s[j])
            if vehicle.service_s is not None:
                serves = float(vehicle.service_s[j])
            log.append(_Passage(arrival, clock.now, closes, serves))
            _check_time(problem, vehicle, r, j, clock, closes, tally)
            clock.spend(serves)
            here = j
            if j >= problem.depots:
                check_stop(problem, vehicle, v, r, j, tally)
        check_load(problem, vehicle, v, r, stops, tally)
    seconds = _shortest_duty(vehicle, log)
    tally.back.append(log[-1].start)
    add_up(problem, solution, v, its_routes, (metres, at_wheel, seconds), tally)


def _departure(
    problem: Problem, v: int, r: int, solution: Solution, tally: Tally
) -> tuple[Clock, float]:
    """The clock when a vehicle leaves for its first route, and when its depot closes."""
    vehicle = problem.vehicles[v]
    leaves, closes = max(0.0, vehicle.shift_s[0]), math.inf
    if not vehicle.open_start:
        leaves = max(leaves, float(problem.window_s[vehicle.start][0]))
        closes = float(problem.window_s[vehicle.start][1])
    leaves = max(leaves, goods_ready(problem, solution.routes[r].stops))
    clock = Clock(tally.first, leaves)
    if clock.past(closes):
        message = (
            f"route {r}: vehicle {v} leaves {quoted(problem.names[vehicle.start])} at "
            f"{problem.times.at(leaves)}, {problem.times.during(leaves - closes)} after it closes"
        )
        tally.add("time window", message, r, vehicle.start)
    return clock, closes


def _check_time(
    problem: Problem,
    vehicle: Vehicle,
    r: int,
    j: int,
    clock: Clock,
    closes: float,
    tally: Tally,
) -> None:
    at, during = problem.times.at, problem.times.during
    start = clock.now
    if clock.past(closes):
        message = (
            f"route {r}: {quoted(problem.names[j])} is reached at {at(start)}, "
            f"{during(start - closes)} after it closes"
        )
        tally.add("time window", message, r, j)
    if j < problem.depots and clock.past(vehicle.shift_s[1]):
        message = (
            f"route {r}: the vehicle returns at {at(start)}, "
            f"{during(start - vehicle.shift_s[1])} after its shift"
        )
        tally.add("shift", message, r)


def _shortest_duty(vehicle: Vehicle, log: list[_Passage]) -> float:
    """Return minus departure when the vehicle leaves as late as its earliest return allows.

    Walks backwards: the latest start at each node that delays nothing behind it.
    """
    finish = log[-1].start
    if math.isinf(finish):
        return math.inf
    latest, arrived = finish, log[-1].arrival
    for passage in log[-2::-1]:
        leg = arrived - passage.start  # the service here and the drive behind it
        latest = max(passage.start, min(latest - leg, passage.closes))
        arrived = passage.arrival
    return finish - max(log[0].start, min(latest, vehicle.shift_s[1]))


def _check_served(problem: Problem, tally: Tally) -> float:
    """Prizes of the optional stops left out; a finding for each required one."""
    lost = []
    grouped: set[int] = set()
    for g, group in enumerate(problem.groups):
        grouped.update(group.stops)
        served = [j for j in group.stops if j in tally.times_served]
        if not served and math.isinf(group.prize):
            tally.add("unserved", f"no stop of group {g} is served", None, group.stops[0])
        elif not served:
            lost.append(group.prize)
        for j in served[1:]:
            names = problem.names[served[0]], problem.names[j]
            tally.add(
                "group",
                f"group {g}: {quoted(names[0])} and {quoted(names[1])} are both served",
                None,
                j,
            )
    for j in range(problem.depots, problem.size):
        if j in tally.times_served or j in grouped:
            continue
        prize = float(problem.prize[j])
        if math.isinf(prize):
            tally.add("unserved", f"stop {quoted(problem.names[j])} is served by no route", None, j)
        else:
            lost.append(prize)
    return math.fsum(lost)


def _check_shipments(problem: Problem, solution: Solution, tally: Tally) -> None:
    """Look up both ends of each shipment."""
    for n, shipment in enumerate(problem.shipments):
        seen = [
            (r, place, j)
            for r, route in enumerate(solution.routes)
            for place, j in enumerate(route.stops)
            if j in (shipment.pickup, shipment.delivery)
        ]
        if not seen:
            continue
        good = (
            len(seen) == 2
            and seen[0][0] == seen[1][0]
            and (seen[0][2], seen[1][2]) == (shipment.pickup, shipment.delivery)
        )
        if not good and len({j for *_, j in seen}) == len(seen):
            names = problem.names[shipment.pickup], problem.names[shipment.delivery]
            message = (
                f"route {seen[-1][0]}: shipment {n} from {quoted(names[0])} to "
                f"{quoted(names[1])} is not "
                "carried on one trip, its pickup first"
            )
            tally.add("shipment", message, seen[-1][0], seen[-1][2])
