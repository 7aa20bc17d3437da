"""Why a stop is left out of routes with rules beyond loads, windows and trips, found by trying.

Each stop left out, with the other end of its shipment, is put into every place on the routes as
they are, and alone on an idle vehicle of each kind; what is broken in the place where that is least
is the reason. This knows no rule by name, so a further one needs nothing here.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from nco.problem.duty import duty
from nco.problem.normal import normal
from nco.problem.problem import Problem
from nco.problem.route import Route
from nco.problem.violations import Violation, between_routes, broken_ties, of_vehicle

LIMIT_S = 0.5  # of trying, for all stops together; what is found until then counts
SURE = 5  # stops for which one place at least is tried, however late it is
NO_TIME = "the method left it out; there was no time to look for the reason"
# Kinds of violations that are a last resort, the later the less likely to be said.
RANK = ("trips", "skills", "not allowed", "unreachable")

type Trips = tuple[Route, ...]
type Unit = tuple[tuple[int, ...], ...]
"""What is served together: stops in a row, and behind them others that need not follow at once.

A stop alone, a sequence of them, or the pickup and the delivery of a shipment.
"""


@dataclass(frozen=True)
class _Place:
    """What breaks where a stop is tried, in the order of how much that is."""

    weight: tuple[int, int, float]
    text: str


def reasons_by_trying(
    problem: Problem, routes: Sequence[Route], missing: Sequence[int], within_s: float = LIMIT_S
) -> list[str]:
    """One reason for each missing stop, in words; see the module.

    Args:
        problem: as given.
        routes: of its vehicles.
        missing: stops on none of them.
        within_s: seconds; those whose turn comes later are only said to be left out.
    """
    trips: dict[int, Trips] = {}
    for route in routes:
        trips[route.vehicle] = (*trips.get(route.vehicle, ()), route)
    unit = units(problem)
    end_s = time.perf_counter() + min(within_s, LIMIT_S)
    found = []
    for n, stop in enumerate(missing):
        left_s = end_s - time.perf_counter()
        if n >= SURE and left_s < 0:
            found += [NO_TIME] * (len(missing) - n)
            break
        share_s = left_s / (len(missing) - n)
        found.append(_reason(problem, trips, unit, stop, time.perf_counter() + share_s))
    return found


def units(problem: Problem) -> dict[int, Unit]:
    """What each stop is served together with."""
    found: dict[int, Unit] = {j: ((j,),) for j in problem.stops}
    for s in problem.shipments:
        found |= dict.fromkeys((s.pickup, s.delivery), ((s.pickup,), (s.delivery,)))
    for tie in problem.ties:
        if tie.whole:
            found |= dict.fromkeys(tie.stops, (tie.stops,))
    return found


def stops_of(unit: Unit) -> tuple[int, ...]:
    """All stops of a unit."""
    return tuple(j for row in unit for j in row)


def left_out_cost(problem: Problem, unit: Unit) -> float:
    """What it costs to leave a unit out: the prize of its group, or those of its stops, weighed."""
    stops = stops_of(unit)
    prize = sum(float(problem.prize[j]) for j in stops)
    for group in problem.groups:
        if stops[0] in group.stops:
            prize = group.prize
    return prize if math.isinf(prize) else problem.objective.unserved * prize


def places(problem: Problem, trips: Mapping[int, Trips], unit: Unit) -> Iterator[tuple[int, Trips]]:
    """Vehicles with the trips that they would drive with a unit on them, one trip more at most.

    First idle vehicles, one of each kind, then every place on those in use.
    """
    for _, numbers in problem.fleet:
        idle = next((v for v in numbers if v not in trips), None)
        if idle is not None:
            yield idle, (Route(idle, stops_of(unit)),)
    for v, own in list(trips.items()):
        for t, trip in enumerate(own):
            for longer in _inserted(trip.stops, unit):
                yield v, (*own[:t], replace(trip, stops=longer), *own[t + 1 :])
        yield from ((v, longer) for longer in further(problem, own, Route(v, stops_of(unit))))


def further(problem: Problem, own: Trips, trip: Route) -> Iterator[Trips]:
    """The trips of a vehicle with one more behind them, loaded at each depot where it may be."""
    depots = problem.vehicles[trip.vehicle].reloads if own else ()
    if len(depots) < 2:
        yield (*own, trip)
    for depot in depots if len(depots) > 1 else ():
        yield (*own[:-1], replace(own[-1], reload_at=depot), trip)


def _inserted(trip: tuple[int, ...], unit: Unit) -> Iterator[tuple[int, ...]]:
    """A trip with a unit in every place; what may come apart does so everywhere behind it."""
    if not unit:
        yield trip
        return
    for k in range(len(trip) + 1):
        for rest in _inserted(trip[k:], unit[1:]):
            yield (*trip[:k], *unit[0], *rest)


def _reason(
    problem: Problem, trips: dict[int, Trips], unit: dict[int, Unit], stop: int, end_s: float
) -> str:
    grouped = next((group.stops for group in problem.groups if stop in group.stops), (stop,))
    best = _Place((len(RANK) + 2, 0, 0.0), "the method left it out")
    for candidate in grouped:
        for v, others in places(problem, trips, unit[candidate]):
            tried = _tried(problem, trips | {v: others}, v)
            best = min(best, tried, key=lambda place: place.weight)
            if best.weight[0] == 0 or time.perf_counter() > end_s:
                break
    worth = left_out_cost(problem, unit[stop])
    if best.weight[0] == 0 and math.isfinite(worth):
        return f"it is optional, and leaving it out costs {worth:.6g}"
    return best.text


def broken_by(problem: Problem, duties: Mapping[int, Trips], v: int) -> Iterator[Violation]:
    """What one of the vehicles breaks, all of which drive some trips."""
    form, trips = normal(problem), duties[v]
    plan = duty(form.problem, form.problem.vehicles[v], trips)
    yield from of_vehicle(problem, form, v, trips, plan)
    yield from between_routes(problem, trips, ties=False)
    if problem.ties:
        routes = [trip for own in duties.values() for trip in own]
        yield from broken_ties(problem, routes)


def _tried(problem: Problem, duties: Mapping[int, Trips], v: int) -> _Place:
    """What a vehicle breaks."""
    broken: list[Violation] = [*broken_by(problem, duties, v)]
    if not broken:
        return _Place((0, 0, 0.0), f"the method left it out although vehicle {v} could serve it")
    kinds = {violation.kind for violation in broken}
    rank = max(RANK.index(kind) + 1 if kind in RANK else 0 for kind in kinds)
    first = {violation.kind: violation for violation in reversed(broken)}
    text = " and ".join(violation.message for violation in first.values())
    amount = sum(violation.amount for violation in broken)
    return _Place((1 + rank, len(broken), amount), f"with it, {text}")
