"""What the checker looks at on every route, whenever that is driven: loads, limits, permissions."""

from __future__ import annotations

import math
from collections.abc import Sequence

from nco.errors import quoted
from nco.problem.check_tally import SLACK, Tally, over, weigh
from nco.problem.problem import Problem
from nco.problem.solution import Solution
from nco.problem.vehicle import Vehicle


def goods_ready(problem: Problem, stops: Sequence[int]) -> float:
    """When a trip that serves these stops can be loaded."""
    return max((float(problem.release_s[j]) for j in stops), default=0.0)


def depot_behind(
    problem: Problem,
    solution: Solution,
    v: int,
    its_routes: Sequence[int],
    n: int,
    tally: Tally,
) -> int:
    """Where the n-th trip of a vehicle ends, which is where it loads for the one behind it."""
    vehicle, last = problem.vehicles[v], len(its_routes) - 1
    if n == last:
        return vehicle.end
    named = solution.routes[its_routes[n]].reload_at
    may = vehicle.reload_at if len(vehicle.reload_at) else (vehicle.end,)
    depot = may[0] if named is None else named
    if depot not in may:
        listed_depots = ", ".join(quoted(problem.names[d]) for d in may)
        where = quoted(problem.names[depot]) if 0 <= depot < problem.depots else f"node {depot}"
        message = (
            f"route {its_routes[n]}: vehicle {v} loads again at {where}; it may at {listed_depots}"
        )
        tally.add("reload", message, its_routes[n])
    return depot if 0 <= depot < problem.depots else may[0]


def check_load(
    problem: Problem, vehicle: Vehicle, v: int, r: int, stops: Sequence[int], tally: Tally
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
        if over(peak, most):
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
    tally: Tally,
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


def check_stop(problem: Problem, vehicle: Vehicle, v: int, r: int, j: int, tally: Tally) -> None:
    """Whether a vehicle may serve a stop, and nobody has yet."""
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


def add_up(
    problem: Problem,
    solution: Solution,
    v: int,
    its_routes: list[int],
    driven: tuple[float, float, float],
    tally: Tally,
) -> None:
    """Take down what a vehicle drove: metres, seconds at the wheel, seconds on duty."""
    vehicle, (metres, at_wheel, seconds) = problem.vehicles[v], driven
    tally.metres.append(metres)
    tally.distance.append(weigh(vehicle.cost_per_m, metres))
    tally.seconds.append(seconds)
    tally.duration.append(weigh(vehicle.cost_per_s, seconds))
    tally.fixed.append(vehicle.fixed_cost)
    served = sum(len(solution.routes[r].stops) for r in its_routes)
    _check_limits(problem, v, its_routes[-1], metres, at_wheel, seconds, served, tally)


def handled(
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
