"""The independent checker: feasibility, cost and its parts, from the matrices alone.

Nothing here is shared with the solvers or with `nco.problem.evaluate`: the walk below is written
from the definition of a `Problem`, stop by stop, so that an error in one is seen in the other.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from nco.arguments import of_kind
from nco.errors import ProblemError, quoted
from nco.problem.check_ties import broken_ties
from nco.problem.given import given_problem
from nco.problem.problem import Problem
from nco.problem.solution import Solution
from nco.problem.vehicle import Vehicle

SLACK = 1e-6  # what rounding may add to a load, or to a time since the first one given, as a share
COST_SLACK = 1e-9  # the same of a cost, as a share of its parts


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        kind: as in `evaluate.Violation`, or "unserved", "unknown vehicle", "unknown stop",
            "cost" (the solution claims another cost).
        message: what is wrong, where and by how much.
        route: index into `Solution.routes`, if it concerns one.
        stop: node number, if it concerns one.
    """

    kind: str
    message: str
    route: int | None = None
    stop: int | None = None


@dataclass(frozen=True)
class Report:
    """What the checker found.

    Attributes:
        findings: everything wrong, in order of the routes; empty for a feasible solution.
        parts: the recomputed cost parts, by the names of `nco.problem.evaluate.Cost`.
        distance_m: metres driven.
        duration_s: seconds on duty.
    """

    findings: tuple[Finding, ...]
    parts: dict[str, float]
    distance_m: float
    duration_s: float

    @property
    def feasible(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings

    @property
    def cost(self) -> float:
        """The recomputed objective."""
        return math.fsum(self.parts.values())

    def __bool__(self) -> bool:
        return self.feasible

    def __str__(self) -> str:
        if self.feasible:
            return f"feasible, cost {self.cost:.6g}"
        count = "1 finding" if len(self.findings) == 1 else f"{len(self.findings)} findings"
        lines = [f"NOT feasible ({count}), cost {self.cost:.6g}"]
        return "\n".join(lines + [f"  {finding.message}" for finding in self.findings])


@dataclass
class _Tally:
    """What the walk adds up, and the first time that the problem names."""

    first: float
    findings: list[Finding] = field(default_factory=list)
    metres: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    distance: list[float] = field(default_factory=list)
    duration: list[float] = field(default_factory=list)
    fixed: list[float] = field(default_factory=list)
    preference: list[float] = field(default_factory=list)
    times_served: dict[int, int] = field(default_factory=dict)

    def add(self, kind: str, message: str, route: int | None, stop: int | None = None) -> None:
        self.findings.append(Finding(kind, message, route, stop))


def check(problem: Problem, solution: Solution) -> Report:
    """Recompute a solution from the problem's matrices and explain everything that is wrong.

    Args:
        problem: what was to be solved.
        solution: only its routes and its claimed total cost are looked at.

    Returns:
        A report that is true if and only if the solution is feasible and its claimed cost
        is right to 1e-9 of the sum of its parts.

    Raises:
        ProblemError: one of the two is something else.
    """
    given_problem(problem)
    give = "an nco.Solution, as nco.solve and nco.Solution.from_routes make one"
    of_kind(solution, Solution, "solution", give, ProblemError)
    tally = _Tally(first=_first_time(problem))
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
    measured = tally.metres if weights.longest_by == "distance" else tally.seconds
    parts = {
        "distance": _weigh(weights.distance, math.fsum(tally.distance)),
        "duration": _weigh(weights.duration, math.fsum(tally.duration)),
        "fixed": weights.fixed * math.fsum(tally.fixed),
        "preference": 0.0 - weights.preference * math.fsum(tally.preference),
        "unserved": weights.unserved * unserved,
        "longest_route": _weigh(weights.longest_route, max(measured, default=0.0)),
    }
    total, claimed = math.fsum(parts.values()), solution.cost.total
    allowed = COST_SLACK * math.fsum(abs(part) for part in parts.values())
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


def _weigh(weight: float, amount: float) -> float:
    return 0.0 if weight == 0 else weight * amount


def _over(amount: float, limit: float) -> bool:
    return amount > limit * (1.0 + SLACK)


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


@dataclass
class _Clock:
    """The time of one vehicle.

    Attributes:
        first: time that the problem names first; whatever the clock counts from, not before.
        now: seconds.
        driven: seconds of driving and service so far, whose rounding adds up.
    """

    first: float
    now: float
    driven: float = 0.0

    def past(self, limit: float) -> bool:
        """Whether it is later than a limit, by more than rounding explains."""
        if math.isinf(self.now) or math.isinf(limit):
            return False
        return self.now > limit + SLACK * (abs(limit - self.first) + self.driven)

    def spend(self, seconds: float) -> None:
        """Goes on."""
        self.now += seconds
        self.driven += seconds


def _walk(
    problem: Problem, solution: Solution, v: int, its_routes: list[int], tally: _Tally
) -> None:
    """Drive one vehicle's routes in order, from the earliest possible departure."""
    vehicle = problem.vehicles[v]
    if len(its_routes) > vehicle.max_trips:
        tally.add(
            "trips",
            f"vehicle {v} drives {len(its_routes)} routes; it may drive {vehicle.max_trips}",
            its_routes[-1],
        )
    clock, closes = _departure(problem, v, its_routes[0], solution, tally)
    log = [_Passage(clock.now, clock.now, closes, 0.0)]
    here, metres, at_wheel = vehicle.start, 0.0, 0.0
    for n, r in enumerate(its_routes):
        stops = solution.routes[r].stops
        if n:
            back, clock.now = clock.now, max(clock.now, _goods_ready(problem, stops))
            log[-1] = log[-1]._replace(start=clock.now)
            if clock.now > back:
                _check_time(problem, vehicle, r, here, clock, closes, tally)
        for k, j in enumerate((*stops, vehicle.end)):
            first = vehicle.open_start and n == 0 and k == 0
            last = vehicle.open_end and n == len(its_routes) - 1 and k == len(stops)
            if not (first or last):
                metres += float(problem.profiles[vehicle.profile].distance_m[here][j])
                drive = float(problem.profiles[vehicle.profile].duration_s[here][j])
                drive /= vehicle.speed
                at_wheel += drive
                clock.spend(drive)
            clock.spend(
                _handled(problem, vehicle, here, j, from_depot=not first, to_depot=not last)
            )
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
                _check_stop(problem, vehicle, v, r, j, tally)
        _check_load(problem, vehicle, v, r, stops, tally)
    tally.metres.append(metres)
    tally.distance.append(_weigh(vehicle.cost_per_m, metres))
    seconds = _shortest_duty(vehicle, log)
    tally.seconds.append(seconds)
    tally.duration.append(_weigh(vehicle.cost_per_s, seconds))
    tally.fixed.append(vehicle.fixed_cost)
    served = sum(len(solution.routes[r].stops) for r in its_routes)
    _check_limits(problem, v, its_routes[-1], metres, at_wheel, seconds, served, tally)


def _handled(
    problem: Problem, vehicle: Vehicle, here: int, j: int, *, from_depot: bool, to_depot: bool
) -> float:
    """Seconds of loading before a way, and of set-up or unloading at the end of it."""
    profile = problem.profiles[vehicle.profile]
    stays = float(profile.distance_m[here][j]) == 0 == float(profile.duration_s[here][j])
    spent = 0.0
    if here < problem.depots and from_depot:
        spent += vehicle.loading_s
    if j < problem.depots and to_depot:
        spent += vehicle.unloading_s
    elif not (stays and from_depot):
        spent += float(problem.setup_s[j])
    return spent


def _departure(
    problem: Problem, v: int, r: int, solution: Solution, tally: _Tally
) -> tuple[_Clock, float]:
    """The clock when a vehicle leaves for its first route, and when its depot closes."""
    vehicle = problem.vehicles[v]
    leaves, closes = max(0.0, vehicle.shift_s[0]), math.inf
    if not vehicle.open_start:
        leaves = max(leaves, float(problem.window_s[vehicle.start][0]))
        closes = float(problem.window_s[vehicle.start][1])
    leaves = max(leaves, _goods_ready(problem, solution.routes[r].stops))
    clock = _Clock(tally.first, leaves)
    if clock.past(closes):
        message = (
            f"route {r}: vehicle {v} leaves {quoted(problem.names[vehicle.start])} at "
            f"{problem.times.at(leaves)}, {problem.times.during(leaves - closes)} after it closes"
        )
        tally.add("time window", message, r, vehicle.start)
    return clock, closes


def _goods_ready(problem: Problem, stops: Sequence[int]) -> float:
    """When a trip that serves these stops can be loaded."""
    return max((float(problem.release_s[j]) for j in stops), default=0.0)


def _check_load(
    problem: Problem, vehicle: Vehicle, v: int, r: int, stops: Sequence[int], tally: _Tally
) -> None:
    """Carry the goods of one trip from stop to stop."""
    amounts = {s.pickup: (s, 1.0) for s in problem.shipments}
    amounts.update({s.delivery: (s, -1.0) for s in problem.shipments})
    collected: set[int] = set()
    picked_up = False
    for k, most in enumerate(vehicle.capacity):
        load = math.fsum(float(problem.demand[j][k]) for j in stops)
        peak = load
        collected.clear()
        for place, j in enumerate(stops):
            load += float(problem.pickup[j][k]) - float(problem.demand[j][k])
            shipment, sign = amounts.get(j, (None, 0.0))
            if shipment is not None:
                if sign > 0 and shipment.delivery in stops[place + 1 :]:
                    load += shipment.amount[k]
                    collected.add(j)
                elif sign < 0 and shipment.pickup in collected:
                    load -= shipment.amount[k]
            peak = max(peak, load)
        if _over(peak, most):
            message = f"route {r}: vehicle {v} loads {peak:g} of dimension {k}, holds {most:g}"
            tally.add("capacity", message, r)
    for j in stops:
        if problem.linehauls_first and picked_up and any(problem.demand[j]):
            message = (
                f"route {r}: {quoted(problem.names[j])} is delivered to after something was "
                "picked up"
            )
            tally.add("backhaul", message, r, j)
        picked_up = picked_up or any(problem.pickup[j])


def _check_limits(
    problem: Problem,
    v: int,
    r: int,
    metres: float,
    at_wheel: float,
    seconds: float,
    served: int,
    tally: _Tally,
) -> None:
    """Compare what a vehicle did in all with what it may do."""
    vehicle, during = problem.vehicles[v], problem.times.during
    for kind, amount, most in (
        ("longest duty", seconds, vehicle.max_duration_s),
        ("longest driving", at_wheel, vehicle.max_driving_s),
        ("longest distance", metres, vehicle.max_distance_m),
        ("stops", float(served), math.inf if vehicle.max_stops is None else vehicle.max_stops),
    ):
        slack = SLACK * max(1.0, most) if kind != "stops" else 0.0
        if math.isfinite(amount) and amount > most + slack:
            have, may = (
                (during(amount), during(most))
                if kind in ("longest duty", "longest driving")
                else (f"{amount:g}", f"{most:g}")
            )
            tally.add(kind, f"route {r}: {kind} of vehicle {v} is {have}; it may be {may}", r)


def _check_time(
    problem: Problem,
    vehicle: Vehicle,
    r: int,
    j: int,
    clock: _Clock,
    closes: float,
    tally: _Tally,
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


def _check_stop(problem: Problem, vehicle: Vehicle, v: int, r: int, j: int, tally: _Tally) -> None:
    tally.times_served[j] = tally.times_served.get(j, 0) + 1
    if tally.times_served[j] == 2:
        message = f"route {r}: stop {quoted(problem.names[j])} was already served"
        tally.add("served twice", message, r, j)
    if vehicle.allowed is not None and not vehicle.allowed[j]:
        message = f"route {r}: vehicle {v} may not serve stop {quoted(problem.names[j])}"
        tally.add("not allowed", message, r, j)
    for word in sorted(problem.skills.get(j, ())):
        if word not in vehicle.skills:
            message = (
                f"route {r}: stop {quoted(problem.names[j])} asks for {word}, vehicle {v} has it "
                "not"
            )
            tally.add("skills", message, r, j)
    if vehicle.preference is not None:
        tally.preference.append(float(vehicle.preference[j]))


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


def _check_served(problem: Problem, tally: _Tally) -> float:
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


def _check_shipments(problem: Problem, solution: Solution, tally: _Tally) -> None:
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
