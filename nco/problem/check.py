"""The independent checker: feasibility, cost and its parts, from the matrices alone.

Nothing here is shared with the solvers or with `nco.problem.evaluate`: the walk below is written
from the definition of a `Problem`, stop by stop, so that an error in one is seen in the other.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

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
        lines = [f"NOT feasible ({len(self.findings)} findings), cost {self.cost:.6g}"]
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
    """
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
    leaves = max(vehicle.shift_s[0], float(problem.window_s[vehicle.start][0]))
    clock = _Clock(tally.first, leaves)
    log = [(vehicle.start, leaves, leaves)]  # node, arrival, start of service
    closes = float(problem.window_s[vehicle.start][1])
    if clock.past(closes):
        message = (
            f"route {its_routes[0]}: vehicle {v} leaves {problem.names[vehicle.start]!r} at "
            f"{problem.times.at(leaves)}, {problem.times.during(leaves - closes)} after it closes"
        )
        tally.add("time window", message, its_routes[0], vehicle.start)
    here, metres = vehicle.start, 0.0
    for r in its_routes:
        load = [0.0] * problem.dimensions
        for j in (*solution.routes[r].stops, vehicle.end):
            metres += float(problem.profiles[vehicle.profile].distance_m[here][j])
            clock.spend(float(problem.profiles[vehicle.profile].duration_s[here][j]))
            if math.isinf(clock.now) and not math.isinf(log[-1][2]):
                message = (
                    f"route {r}: vehicle {v} cannot get from {problem.names[here]!r} "
                    f"to {problem.names[j]!r}"
                )
                tally.add("unreachable", message, r, j)
            arrival = clock.now
            clock.now = max(arrival, float(problem.window_s[j][0]))
            log.append((j, arrival, clock.now))
            _check_time(problem, vehicle, r, j, clock, tally)
            clock.spend(float(problem.service_s[j]))
            here = j
            if j >= problem.depots:
                _check_stop(problem, vehicle, v, r, j, tally)
                load = [have + float(problem.demand[j][k]) for k, have in enumerate(load)]
        for k, (have, most) in enumerate(zip(load, vehicle.capacity, strict=True)):
            if _over(have, most):
                message = f"route {r}: vehicle {v} loads {have:g} of dimension {k}, holds {most:g}"
                tally.add("capacity", message, r)
    tally.metres.append(metres)
    tally.distance.append(_weigh(vehicle.cost_per_m, metres))
    seconds = _shortest_duty(problem, vehicle, log)
    tally.seconds.append(seconds)
    tally.duration.append(_weigh(vehicle.cost_per_s, seconds))
    tally.fixed.append(vehicle.fixed_cost)


def _check_time(
    problem: Problem, vehicle: Vehicle, r: int, j: int, clock: _Clock, tally: _Tally
) -> None:
    at, during = problem.times.at, problem.times.during
    closes, start = float(problem.window_s[j][1]), clock.now
    if clock.past(closes):
        message = (
            f"route {r}: {problem.names[j]!r} is reached at {at(start)}, "
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
        message = f"route {r}: stop {problem.names[j]!r} was already served"
        tally.add("served twice", message, r, j)
    if vehicle.allowed is not None and not vehicle.allowed[j]:
        message = f"route {r}: vehicle {v} may not serve stop {problem.names[j]!r}"
        tally.add("not allowed", message, r, j)
    if vehicle.preference is not None:
        tally.preference.append(float(vehicle.preference[j]))


def _shortest_duty(
    problem: Problem, vehicle: Vehicle, log: list[tuple[int, float, float]]
) -> float:
    """Return minus departure when the vehicle leaves as late as its earliest return allows.

    Walks backwards: the latest start at each node that delays nothing behind it.
    """
    finish = log[-1][2]
    if math.isinf(finish):
        return math.inf
    latest, arrived = finish, log[-1][1]
    for here, arrival, start in log[-2::-1]:
        leg = arrived - start  # the service here and the drive behind it
        latest = max(start, min(latest - leg, float(problem.window_s[here][1])))
        arrived = arrival
    return finish - max(log[0][2], min(latest, vehicle.shift_s[1]))


def _check_served(problem: Problem, tally: _Tally) -> float:
    """Prizes of the optional stops left out; a finding for each required one."""
    lost = []
    for j in range(problem.depots, problem.size):
        if j in tally.times_served:
            continue
        prize = float(problem.prize[j])
        if math.isinf(prize):
            tally.add("unserved", f"stop {problem.names[j]!r} is served by no route", None, j)
        else:
            lost.append(prize)
    return math.fsum(lost)
