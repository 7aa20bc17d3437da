"""Vehicles as solvers see them: kinds with arc costs, and routes back on numbered vehicles."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from nco.evaluate import TOLERANCE
from nco.problem import Problem, Vehicle
from nco.route import Route
from nco.vehicle import Bools, Floats


@dataclass(frozen=True)
class Kind:
    """Vehicles that are alike.

    Attributes:
        vehicle: one of them.
        numbers: of all of them in `Problem.vehicles`.
        cost: `[N, N]` cost of an arc by distance, less the preference for the stop that it leads
            to (so it may be negative); `inf` where there is no street, where the stop is not
            allowed, and everywhere if the vehicle cannot leave its depot while that is open.
        duration_s: `[N, N]` driving time, `inf` where there is no street.
        cost_per_s: cost of a second on duty.
        fixed: cost of using one of them.
        opens_s: earliest departure.
        closes_s: latest return.
        stops: `[N]` stops that it may be able to serve. False only where it is certain that it
            cannot: the stop is not allowed or too large, no street leads there or away, or even
            the shortest arcs there and away are too slow.
    """

    vehicle: Vehicle
    numbers: tuple[int, ...]
    cost: Floats
    duration_s: Floats
    cost_per_s: float
    fixed: float
    opens_s: float
    closes_s: float
    stops: Bools

    @property
    def driving_cost(self) -> Floats:
        """`[N, N]` cost of an arc by distance, preference and driving time."""
        if not self.cost_per_s:
            return self.cost
        return self.cost + self.cost_per_s * self.duration_s


def kinds_of(problem: Problem) -> tuple[Kind, ...]:
    """The kinds of vehicles of a problem, in order of first appearance."""
    weights = problem.objective
    kinds = []
    for vehicle, numbers in problem.fleet:
        profile = problem.profiles[vehicle.profile]
        rate = weights.distance * vehicle.cost_per_m
        cost = profile.distance_m * rate if rate else np.zeros_like(profile.distance_m)
        if vehicle.preference is not None and weights.preference:
            cost = cost - weights.preference * np.where(
                np.arange(problem.size) < problem.depots, 0.0, vehicle.preference
            )
        if np.isinf(profile.distance_m).any():
            cost = np.where(np.isinf(profile.distance_m), np.inf, cost)
        if vehicle.allowed is not None:
            barred = ~vehicle.allowed
            barred[: problem.depots] = False
            cost = np.where(barred, np.inf, cost)
        begin, end = vehicle.shift_s
        opens = max(begin, float(problem.window_s[vehicle.start, 0]))
        latest = float(problem.window_s[vehicle.start, 1])
        if opens > latest + slack(latest):  # its depot is closed all day
            cost = np.full_like(profile.distance_m, np.inf)
        np.fill_diagonal(cost, 0.0)
        closes = min(end, float(problem.window_s[vehicle.end, 1]))
        kinds.append(
            Kind(
                vehicle=vehicle,
                numbers=numbers,
                cost=cost,
                duration_s=profile.duration_s,
                cost_per_s=weights.duration * vehicle.cost_per_s,
                fixed=weights.fixed * vehicle.fixed_cost,
                opens_s=opens,
                closes_s=closes,
                stops=_servable(problem, vehicle, cost, opens, closes),
            )
        )
    return tuple(kinds)


def _servable(
    problem: Problem, vehicle: Vehicle, cost: Floats, opens: float, closes: float
) -> Bools:
    stops = np.arange(problem.size) >= problem.depots
    if problem.dimensions:
        capacity = np.array(vehicle.capacity)
        limit = capacity + np.where(np.isinf(capacity), 0.0, slack(capacity))
        stops &= (problem.demand <= limit).all(axis=1)
    if problem.size == 1:
        return stops
    drive = problem.profiles[vehicle.profile].duration_s.copy()
    np.fill_diagonal(drive, np.inf)
    away = np.where(np.isinf(cost), np.inf, drive).min(axis=0)
    window = problem.window_s
    start = np.maximum(opens + away, window[:, 0])
    finish = start + problem.service_s + drive.min(axis=1)
    finish = np.maximum(finish, window[vehicle.end, 0])
    with np.errstate(invalid="ignore"):
        stops &= np.isfinite(finish) & (start <= window[:, 1] + slack(window[:, 1]))
    stops &= finish <= closes + slack(closes)
    return stops


def unserved_cost(problem: Problem) -> Floats:
    """`[N]` cost of leaving a stop out: its weighted prize, `inf` where it is required."""
    prize = problem.prize
    return np.where(np.isinf(prize), np.inf, problem.objective.unserved * prize)


def slack(limit: float | Floats) -> float | Floats:
    """How far an amount may exceed its limit before that counts as a violation."""
    return TOLERANCE * np.maximum(1.0, np.abs(limit))


def numbered(
    kinds: Sequence[Kind], duties: Iterable[tuple[int, Sequence[Sequence[int]]]]
) -> list[Route]:
    """Put duties on vehicles.

    Args:
        kinds: of the problem.
        duties: index of the kind and the trips of each vehicle in use; not more of a kind
            than it has vehicles.
    """
    free = [iter(kind.numbers) for kind in kinds]
    routes = []
    for k, trips in duties:
        trips = [trip for trip in trips if len(trip)]
        if trips:
            number = next(free[k])
            routes += [Route(number, tuple(int(j) for j in trip)) for trip in trips]
    return routes


def duties_of(
    kinds: Sequence[Kind], routes: Iterable[Route]
) -> list[tuple[int, list[tuple[int, ...]]]]:
    """The kind and the trips of each vehicle that routes use: the inverse of `numbered`.

    Vehicles of other kinds than those given are passed over.
    """
    kind_of = {number: k for k, kind in enumerate(kinds) for number in kind.numbers}
    trips: dict[int, list[tuple[int, ...]]] = {}
    for route in routes:
        trips.setdefault(route.vehicle, []).append(route.stops)
    return [
        (kind_of[number], its_trips) for number, its_trips in trips.items() if number in kind_of
    ]
