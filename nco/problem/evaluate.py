"""The cost of routes and what they violate, as every solver reports it.

`nco.check` recomputes the same quantities with code of its own; the two must agree.
Amounts may exceed their limits by `TOLERANCE` (relative, and absolute below 1), so that
sums of floating-point numbers are not mistaken for violations. Amounts are those of the normal
form of a problem (`nco.problem.normal`), so this holds at any zero of the clock and in any unit.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, fields
from itertools import pairwise

import numpy as np

from nco.arrays import Floats
from nco.errors import ProblemError
from nco.problem.normal import Normal, normal
from nco.problem.problem import Problem
from nco.problem.route import Route
from nco.problem.vehicle import Vehicle

TOLERANCE = 1e-9


@dataclass(frozen=True)
class Cost:
    """The parts of a solution's cost, and the lengths they come from.

    Attributes:
        distance_m: metres driven by all vehicles.
        duration_s: seconds on duty of all vehicles (driving, waiting and service).
        distance: weighted cost of the metres.
        duration: weighted cost of the seconds.
        fixed: weighted fixed costs of the vehicles used.
        preference: weighted preferences of the served stops, a negative number.
        unserved: weighted prizes of the optional stops not served.
        longest_route: weighted metres or seconds of the longest vehicle.
    """

    distance_m: float = 0.0
    duration_s: float = 0.0
    distance: float = 0.0
    duration: float = 0.0
    fixed: float = 0.0
    preference: float = 0.0
    unserved: float = 0.0
    longest_route: float = 0.0

    @property
    def total(self) -> float:
        """The objective: the sum of the weighted parts."""
        return float(sum(getattr(self, f.name) for f in fields(self)[2:]))


@dataclass(frozen=True)
class Violation:
    """Something that routes must not do.

    Attributes:
        kind: "capacity", "time window", "shift", "unreachable", "not allowed",
            "served twice" or "trips".
        message: what, where and by how much.
        vehicle: number of the vehicle concerned, if one is.
        stop: node concerned, if one is.
        amount: by how much, in the unit of the thing violated.
    """

    kind: str
    message: str
    vehicle: int | None = None
    stop: int | None = None
    amount: float = 0.0


@dataclass(frozen=True)
class Duty:
    """All trips of one vehicle in a row.

    Attributes:
        distance_m: metres driven.
        duration_s: seconds between the latest departure that delays nothing and the return.
        departure_s: that departure.
        nodes: every node visited, depots included.
        start_s: when service (or the passage through a depot) starts at each of `nodes`.
    """

    distance_m: float
    duration_s: float
    departure_s: float
    nodes: tuple[int, ...]
    start_s: tuple[float, ...]


def duty(problem: Problem, vehicle: Vehicle, trips: Sequence[Sequence[int]]) -> Duty:
    """Schedule the trips of one vehicle as early as possible and leave as late as possible.

    The vehicle departs as late as it can without returning later or missing a window that
    the earliest departure meets, which gives the shortest duty.
    """
    profile = problem.profiles[vehicle.profile]
    nodes = [vehicle.start]
    for trip in trips:
        nodes += [*trip, vehicle.end]
    distance = sum(float(profile.distance_m[i, j]) for i, j in pairwise(nodes))
    window, service, drive = problem.window_s, problem.service_s, profile.duration_s
    earliest, latest = vehicle.shift_s
    starts = [max(earliest, float(window[nodes[0], 0]))]
    waited, slack = 0.0, float(min(latest, window[nodes[0], 1])) - starts[0]
    for i, j in pairwise(nodes):
        arrival = starts[-1] + float(service[i]) + float(drive[i, j])
        start = max(arrival, float(window[j, 0]))
        waited += start - arrival if np.isfinite(arrival) else 0.0
        # A late arrival is not made later, but the waiting before it may still be saved.
        slack = min(slack, max(0.0, float(window[j, 1]) - start) + waited)
        starts.append(start)
    delay = max(0.0, min(slack, waited))
    return Duty(
        distance_m=distance,
        duration_s=starts[-1] - starts[0] - delay,
        departure_s=starts[0] + delay,
        nodes=tuple(nodes),
        start_s=tuple(starts),
    )


def evaluate(problem: Problem, routes: Sequence[Route]) -> tuple[Cost, tuple[Violation, ...]]:
    """Cost and violations of non-empty routes.

    Raises:
        ProblemError: a route names a vehicle or a stop that does not exist.
    """
    trips: dict[int, list[tuple[int, ...]]] = {}
    for r, route in enumerate(routes):
        _check_numbers(problem, r, route)
        trips.setdefault(route.vehicle, []).append(route.stops)
    weights, form = problem.objective, normal(problem)
    found: list[Violation] = []
    metres = seconds = distance = duration = fixed = preference = longest = 0.0
    for v, its_trips in trips.items():
        vehicle = problem.vehicles[v]
        plan = duty(form.problem, form.problem.vehicles[v], its_trips)
        on_duty_s = plan.duration_s / form.per_s
        metres += plan.distance_m
        seconds += on_duty_s
        distance += _product(vehicle.cost_per_m, plan.distance_m)
        duration += _product(vehicle.cost_per_s, on_duty_s)
        fixed += vehicle.fixed_cost
        measure = plan.distance_m if weights.longest_by == "distance" else on_duty_s
        longest = max(longest, measure)
        if vehicle.preference is not None:
            preference -= sum(float(vehicle.preference[j]) for trip in its_trips for j in trip)
        found += _violations(problem, form, v, its_trips, plan)
    counts = Counter(stop for route in routes for stop in route.stops)
    found += [
        Violation(
            "served twice",
            f"stop {problem.names[j]!r} is served {count} times",
            stop=j,
            amount=count - 1.0,
        )
        for j, count in counts.items()
        if count > 1
    ]
    unserved = sum(
        float(problem.prize[j])
        for j in problem.stops
        if j not in counts and np.isfinite(problem.prize[j])
    )
    cost = Cost(
        distance_m=metres,
        duration_s=seconds,
        distance=_product(weights.distance, distance),
        duration=_product(weights.duration, duration),
        fixed=weights.fixed * fixed,
        preference=weights.preference * preference,
        unserved=weights.unserved * unserved,
        longest_route=_product(weights.longest_route, longest),
    )
    return cost, tuple(found)


def _product(weight: float, amount: float) -> float:
    """Weight times amount, 0 where the weight is 0 even if the amount is infinite."""
    return weight * amount if weight else 0.0


def _check_numbers(problem: Problem, r: int, route: Route) -> None:
    if not 0 <= route.vehicle < len(problem.vehicles):
        raise ProblemError(
            f"routes[{r}]: vehicle {route.vehicle} does not exist; "
            f"vehicles are 0 to {len(problem.vehicles) - 1}"
        )
    for k, stop in enumerate(route.stops):
        if stop not in problem.stops:
            raise ProblemError(
                f"routes[{r}].stops[{k}]: {stop} is not a stop; stops are nodes "
                f"{problem.depots} to {problem.size - 1}"
            )


def exceeds(amount: float, limit: float) -> bool:
    """Whether an amount is over its limit by more than the tolerance."""
    return amount > limit + TOLERANCE * max(1.0, abs(limit))


def slack(limit: float | Floats) -> float | Floats:
    """How far an amount may exceed its limit before that counts as a violation."""
    return TOLERANCE * np.maximum(1.0, np.abs(limit))


def _violations(
    problem: Problem, form: Normal, v: int, trips: Sequence[Sequence[int]], plan: Duty
) -> list[Violation]:
    found = []
    if len(trips) > problem.vehicles[v].max_trips:
        limit = problem.vehicles[v].max_trips
        text = f"vehicle {v} drives {len(trips)} trips; it may drive {limit}"
        found.append(Violation("trips", text, v, amount=len(trips) - limit))
    for trip in trips:
        found += _load_violations(problem, form.problem, v, trip)
    return found + _time_violations(problem, form, v, plan)


def _load_violations(
    problem: Problem, scaled: Problem, v: int, trip: Sequence[int]
) -> list[Violation]:
    """What a trip may not carry, as the problem in its normal form has it."""
    vehicle, found = problem.vehicles[v], []
    load = scaled.demand[list(trip)].sum(axis=0)
    for k, (have, most) in enumerate(zip(load, scaled.vehicles[v].capacity, strict=True)):
        if exceeds(have, most):
            carried, limit = float(problem.demand[list(trip), k].sum()), vehicle.capacity[k]
            text = f"vehicle {v} carries {carried:g} in dimension {k}; it holds {limit:g}"
            found.append(Violation("capacity", text, v, amount=carried - limit))
    for j in trip:
        if vehicle.allowed is not None and not vehicle.allowed[j]:
            text = f"vehicle {v} may not serve stop {problem.names[j]!r}"
            found.append(Violation("not allowed", text, v, j, 1.0))
    return found


def _time_violations(problem: Problem, form: Normal, v: int, plan: Duty) -> list[Violation]:
    names, found, during = problem.names, [], problem.times.during
    reachable, windows = problem.profile_of(v).distance_m, form.problem.window_s
    for i, j in pairwise(plan.nodes):
        if not np.isfinite(reachable[i, j]):
            text = f"vehicle {v} cannot get from {names[i]!r} to {names[j]!r}"
            found.append(Violation("unreachable", text, v, j, np.inf))
    for j, start in zip(plan.nodes, plan.start_s, strict=True):
        if np.isfinite(start) and exceeds(start, float(windows[j, 1])):
            late = form.time_s(start) - float(problem.window_s[j, 1])
            text = f"vehicle {v} reaches {names[j]!r} {during(late)} after its window"
            found.append(Violation("time window", text, v, j, late))
    # Not simply the last return: a later trip may never end where a pair is unreachable.
    returns = [
        start
        for j, start in zip(plan.nodes[1:], plan.start_s[1:], strict=True)
        if j < problem.depots and np.isfinite(start)
    ]
    finish = max(returns, default=0.0)
    if exceeds(finish, form.problem.vehicles[v].shift_s[1]):
        late = form.time_s(finish) - problem.vehicles[v].shift_s[1]
        text = f"vehicle {v} returns {during(late)} after its shift"
        found.append(Violation("shift", text, v, amount=late))
    return found
