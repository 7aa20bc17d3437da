"""What routes must not do, found vehicle by vehicle."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from operator import le

import numpy as np

from nco.errors import counted, listed, quoted
from nco.problem.duty import loads
from nco.problem.normal import Normal
from nco.problem.objective import Feature
from nco.problem.passages import Duty, Trips
from nco.problem.problem import Problem
from nco.problem.route import Route
from nco.problem.tied import places_of
from nco.problem.tolerance import exceeds


@dataclass(frozen=True)
class Violation:
    """Something that routes must not do.

    Attributes:
        kind: "capacity", "time window", "shift", "unreachable", "not allowed", "skills",
            "served twice", "trips", "reload", "backhaul", "shipment", "group", "break",
            "longest duty", "longest distance", "longest driving", "stops" or the kind of a tie.
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


def of_vehicle(
    problem: Problem, form: Normal, v: int, trips: Trips, plan: Duty
) -> Iterator[Violation]:
    """What one vehicle does that it must not.

    Args:
        problem: as given.
        form: its normal form.
        v: number of the vehicle.
        trips: its routes, in order.
        plan: its duty, in the normal form.
    """
    if len(trips) > problem.vehicles[v].max_trips:
        limit = problem.vehicles[v].max_trips
        text = f"vehicle {v} drives {len(trips)} trips; it may drive {limit}"
        yield Violation("trips", text, v, amount=len(trips) - limit)
    for trip in trips:
        yield from _overloaded(problem, form.problem, v, trip.stops)
        yield from _not_permitted(problem, v, trip.stops)
        yield from _out_of_order(problem, v, trip.stops)
    yield from _loaded_elsewhere(problem, v, trips)
    yield from _over_limits(problem, form, v, trips, plan)
    yield from _unreachable(problem, v, plan)
    yield from _late(problem, form, v, plan)
    for k in plan.missed:
        pause, at = problem.vehicles[v].breaks[k], problem.times.at
        text = (
            f"vehicle {v} misses its break of {problem.times.during(pause.length_s)} that begins "
            f"between {at(pause.window_s[0])} and {at(pause.window_s[1])}"
        )
        yield Violation("break", text, v, amount=pause.length_s)


def _loaded_elsewhere(problem: Problem, v: int, trips: Trips) -> Iterator[Violation]:
    """Depots between two trips at which a vehicle may not load again."""
    may = problem.vehicles[v].reloads
    for trip in trips[:-1]:
        if trip.reload_at is not None and trip.reload_at not in may:
            where, others = problem.names[trip.reload_at], [problem.names[d] for d in may]
            text = f"vehicle {v} loads again at {quoted(where)}; it may at {listed(others)}"
            yield Violation("reload", text, v, trip.reload_at, 1.0)


def between_routes(
    problem: Problem, routes: Sequence[Route], *, ties: bool = True
) -> Iterator[Violation]:
    """What routes break together: stops served twice, torn shipments, several of a group.

    Args:
        problem: as given.
        routes: all of them, or those of one vehicle.
        ties: whether ties count, for which all routes are needed.
    """
    counts = Counter(stop for route in routes for stop in route.stops)
    for j, count in counts.items():
        if count > 1:
            text = f"stop {quoted(problem.names[j])} is served {count} times"
            yield Violation("served twice", text, stop=j, amount=count - 1.0)
    yield from _torn(problem, routes)
    if ties:
        yield from broken_ties(problem, routes)
    for group in problem.groups:
        served = [j for j in group.stops if j in counts]
        if len(served) > 1:
            names = " and ".join(repr(problem.names[j]) for j in served[:3])
            text = f"{names} are served, of a group of which one at most is"
            yield Violation("group", text, stop=served[1], amount=len(served) - 1.0)


def broken_ties(problem: Problem, routes: Sequence[Route]) -> Iterator[Violation]:
    """Ties that routes do not keep."""
    if problem.ties:
        places = places_of(routes)
        for tie in problem.ties:
            for j, text in tie.broken(places, problem.names):
                yield Violation(tie.kind, text, places[j].vehicle, j, 1.0)


def _overloaded(
    problem: Problem, scaled: Problem, v: int, trip: Sequence[int]
) -> Iterator[Violation]:
    """Dimensions in which a trip carries too much, as the problem in its normal form has it."""
    if not problem.dimensions:
        return
    if problem.shipments or Feature.PICKUPS in problem.features:
        most = loads(scaled, trip).max(axis=0)
    else:
        most = scaled.demand[list(trip)].sum(axis=0)
    limits = scaled.vehicles[v].capacity
    for k, (have, limit) in enumerate(zip(most.tolist(), limits, strict=True)):
        if exceeds(have, limit):
            carried = float(loads(problem, trip)[:, k].max())
            holds = problem.vehicles[v].capacity[k]
            text = f"vehicle {v} carries {carried:g} in dimension {k}; it holds {holds:g}"
            yield Violation("capacity", text, v, amount=carried - holds)


def _not_permitted(problem: Problem, v: int, trip: Sequence[int]) -> Iterator[Violation]:
    vehicle = problem.vehicles[v]
    if vehicle.allowed is None and not problem.skills:
        return
    for j in trip:
        if vehicle.allowed is not None and not vehicle.allowed[j]:
            text = f"vehicle {v} may not serve stop {quoted(problem.names[j])}"
            yield Violation("not allowed", text, v, j, 1.0)
        lacking = problem.skills.get(j, frozenset()) - vehicle.skills
        if lacking:
            words = ", ".join(sorted(lacking))
            text = f"vehicle {v} lacks what stop {quoted(problem.names[j])} asks for: {words}"
            yield Violation("skills", text, v, j, float(len(lacking)))


def _out_of_order(problem: Problem, v: int, trip: Sequence[int]) -> Iterator[Violation]:
    if not problem.linehauls_first:
        return
    collected = False
    for j in trip:
        if collected and problem.demand[j].any():
            text = (
                f"vehicle {v} delivers to {quoted(problem.names[j])} after it has picked "
                "something up"
            )
            yield Violation("backhaul", text, v, j, 1.0)
        collected |= bool(problem.pickup[j].any())


def _torn(problem: Problem, routes: Sequence[Route]) -> Iterator[Violation]:
    """Shipments of which one end is served alone, too early, or on another trip."""
    if not problem.shipments:
        return
    trip_of: dict[int, tuple[int, int]] = {}
    for r, route in enumerate(routes):
        trip_of.update({stop: (r, place) for place, stop in enumerate(route.stops)})
    for shipment in problem.shipments:
        begin, end = trip_of.get(shipment.pickup), trip_of.get(shipment.delivery)
        pickup, delivery = problem.names[shipment.pickup], problem.names[shipment.delivery]
        stop, (r, _) = shipment.delivery, end or begin or (0, 0)
        if begin is None and end is None:
            continue
        if end is None:
            stop = shipment.pickup
            text = (
                f"stop {quoted(pickup)} is served without {quoted(delivery)}, the other end of "
                "its shipment"
            )
        elif begin is None:
            text = (
                f"stop {quoted(delivery)} is served without {quoted(pickup)}, the other end of "
                "its shipment"
            )
        elif begin[0] != end[0]:
            text = (
                f"{quoted(pickup)} and {quoted(delivery)}, ends of one shipment, are on "
                "different trips"
            )
        elif begin[1] > end[1]:
            text = (
                f"{quoted(delivery)} is served before {quoted(pickup)}, where its goods are "
                "picked up"
            )
        else:
            continue
        yield Violation("shipment", text, routes[r].vehicle, stop, 1.0)


def _over_limits(
    problem: Problem, form: Normal, v: int, trips: Trips, plan: Duty
) -> Iterator[Violation]:
    vehicle, scaled = problem.vehicles[v], form.problem.vehicles[v]
    during = problem.times.during
    for kind, seconds, most, limit_s in (
        ("longest duty", plan.duration_s, scaled.max_duration_s, vehicle.max_duration_s),
        ("longest driving", plan.driving_s, scaled.max_driving_s, vehicle.max_driving_s),
    ):
        if np.isfinite(seconds) and exceeds(seconds, most):
            does = "is on duty" if kind == "longest duty" else "drives"
            over = seconds / form.per_s - limit_s
            text = f"vehicle {v} {does} {during(over)} longer than it may ({during(limit_s)})"
            yield Violation(kind, text, v, amount=over)
    if np.isfinite(plan.distance_m) and exceeds(plan.distance_m, vehicle.max_distance_m):
        over = plan.distance_m - vehicle.max_distance_m
        text = f"vehicle {v} drives {plan.distance_m:g} m; it may drive {vehicle.max_distance_m:g}"
        yield Violation("longest distance", text, v, amount=over)
    stops = sum(len(trip.stops) for trip in trips)
    if vehicle.max_stops is not None and stops > vehicle.max_stops:
        text = f"vehicle {v} serves {counted(stops, 'stop')}; it may serve {vehicle.max_stops}"
        yield Violation("stops", text, v, amount=stops - vehicle.max_stops)


def _unreachable(problem: Problem, v: int, plan: Duty) -> Iterator[Violation]:
    if np.isfinite(plan.distance_m):
        return
    vehicle, last = problem.vehicles[v], len(plan.nodes) - 2
    reachable = problem.profile_of(v).distance_m
    for k, (i, j) in enumerate(pairwise(plan.nodes)):
        if (k == 0 and vehicle.open_start) or (k == last and vehicle.open_end):
            continue
        if not np.isfinite(reachable[i, j]):
            text = (
                f"vehicle {v} cannot get from {quoted(problem.names[i])} to "
                f"{quoted(problem.names[j])}"
            )
            yield Violation("unreachable", text, v, j, np.inf)


def _late(problem: Problem, form: Normal, v: int, plan: Duty) -> Iterator[Violation]:
    names, during = problem.names, problem.times.during
    windows, vehicle = form.problem.hours_s, problem.vehicles[v]
    last = len(plan.nodes) - 1
    closes = windows[list(plan.nodes), 1].tolist()
    on_time = all(map(le, plan.start_s, closes))
    for k, (j, start) in () if on_time else enumerate(zip(plan.nodes, plan.start_s, strict=True)):
        if (k == 0 and vehicle.open_start) or (k == last and vehicle.open_end):
            continue  # no depot is visited there
        if np.isfinite(start) and exceeds(start, float(windows[j, 1])):
            late = form.time_s(start) - float(problem.hours_s[j, 1])
            text = f"vehicle {v} reaches {quoted(names[j])} {during(late)} after its window"
            yield Violation("time window", text, v, j, late)
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
        yield Violation("shift", text, v, amount=late)
