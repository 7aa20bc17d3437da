"""Why a stop is left out of routes with rules beyond loads, windows and trips, found by trying.

Each stop left out, with the other end of its shipment, is put into every place on the routes as
they are, and alone on an idle vehicle of each kind; what is broken in the place where that is least
is the reason. This knows no rule by name, so a further one needs nothing here.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from nco.problem.duty import duty
from nco.problem.normal import normal
from nco.problem.problem import Problem
from nco.problem.route import Route
from nco.problem.violations import Violation, between_routes, of_vehicle

LIMIT_S = 0.5  # of trying, for all stops together; what is found until then counts
# Kinds of violations that are a last resort, the later the less likely to be said.
RANK = ("trips", "skills", "not allowed", "unreachable")

Trips = list[list[int]]


@dataclass(frozen=True)
class _Place:
    """What breaks where a stop is tried, in the order of how much that is."""

    weight: tuple[int, int, float]
    text: str


def reasons_by_trying(
    problem: Problem, routes: Sequence[Route], missing: Sequence[int]
) -> list[str]:
    """One reason for each missing stop, in words; see the module.

    Args:
        problem: as given.
        routes: of its vehicles.
        missing: stops on none of them.
    """
    trips: dict[int, Trips] = {}
    for route in routes:
        trips.setdefault(route.vehicle, []).append(list(route.stops))
    end_s = time.perf_counter() + LIMIT_S
    found = []
    for n, stop in enumerate(missing):
        share_s = (end_s - time.perf_counter()) / (len(missing) - n)
        found.append(_reason(problem, trips, stop, time.perf_counter() + share_s))
    return found


def _reason(problem: Problem, trips: dict[int, Trips], stop: int, end_s: float) -> str:
    grouped = next((group.stops for group in problem.groups if stop in group.stops), (stop,))
    best = _Place((len(RANK) + 2, 0, 0.0), "the method left it out")
    for candidate in grouped:
        for v, others in _duties(problem, trips, candidate):
            best = min(best, _tried(problem, v, others), key=lambda place: place.weight)
            if best.weight[0] == 0 or time.perf_counter() > end_s:
                break
    worth = _prize(problem, stop) * problem.objective.unserved
    if best.weight[0] == 0 and math.isfinite(worth):
        return f"it is optional, and leaving it out costs {worth:.6g}"
    return best.text


def _prize(problem: Problem, stop: int) -> float:
    """What counts when a stop is left out: its group's prize, or its own and its mate's."""
    for group in problem.groups:
        if stop in group.stops:
            return group.prize
    mate = problem.mates.get(stop)
    return float(problem.prize[stop] + (0.0 if mate is None else problem.prize[mate]))


def _duties(problem: Problem, trips: dict[int, Trips], stop: int) -> Iterator[tuple[int, Trips]]:
    """Vehicles with the trips they would drive: idle ones first, then those in use."""
    mate = problem.mates.get(stop)
    pair = [stop] if mate is None else [stop, mate]
    if any(s.delivery == stop for s in problem.shipments):
        pair.reverse()
    for _, numbers in problem.fleet:
        idle = next((v for v in numbers if v not in trips), None)
        if idle is not None:
            yield idle, [pair]
    for v, own in trips.items():
        for t, trip in enumerate(own):
            for place in range(len(trip) + 1):
                with_first = [*trip[:place], pair[0], *trip[place:]]
                if mate is None:
                    yield v, [*own[:t], with_first, *own[t + 1 :]]
                    continue
                for second in range(place + 1, len(with_first) + 1):
                    both = [*with_first[:second], pair[1], *with_first[second:]]
                    yield v, [*own[:t], both, *own[t + 1 :]]
        yield v, [*own, pair]


def _tried(problem: Problem, v: int, trips: Trips) -> _Place:
    """What a vehicle breaks that drives such trips."""
    form = normal(problem)
    plan = duty(form.problem, form.problem.vehicles[v], trips)
    routes = [Route(v, tuple(trip)) for trip in trips]
    broken: list[Violation] = [*of_vehicle(problem, form, v, trips, plan)]
    broken += between_routes(problem, routes)
    if not broken:
        return _Place((0, 0, 0.0), f"the method left it out although vehicle {v} could serve it")
    kinds = {violation.kind for violation in broken}
    rank = max(RANK.index(kind) + 1 if kind in RANK else 0 for kind in kinds)
    first = {violation.kind: violation for violation in reversed(broken)}
    text = " and ".join(violation.message for violation in first.values())
    amount = sum(violation.amount for violation in broken)
    return _Place((1 + rank, len(broken), amount), f"with it, {text}")
