"""Vehicles as solvers see them: kinds with arc costs, and routes back on numbered vehicles."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from weakref import ReferenceType, ref

import numpy as np

from nco.arrays import Bools, Floats
from nco.fleet.tables import Priced, Table
from nco.problem import Problem, Vehicle
from nco.problem.route import Route
from nco.problem.tolerance import slack


@dataclass(frozen=True)
class Kind:
    """Vehicles that are alike.

    Attributes:
        vehicle: one of them.
        numbers: of all of them in `Problem.vehicles`.
        table: costs of arcs.
        duration_s: `[N, N]` driving time, `inf` where there is no street.
        cost_per_s: cost of a second on duty.
        fixed: cost of using one of them.
        opens_s: earliest departure.
        closes_s: latest return.
        gain: `[N]` weighted preference for each stop, which costs of arcs hold; None for none.
        stops: `[N]` stops that it may be able to serve. False only where it is certain that it
            cannot: the stop is not allowed or too large, no street leads there or away, or even
            the shortest arcs there and away are too slow.
    """

    vehicle: Vehicle
    numbers: tuple[int, ...]
    table: Table
    duration_s: Floats
    cost_per_s: float
    fixed: float
    opens_s: float
    closes_s: float
    stops: Bools
    gain: Floats | None = None

    @property
    def cost(self) -> Floats:
        """See `Table`."""
        return self.table.cost

    @property
    def driving_cost(self) -> Floats:
        """See `Table`."""
        return self.table.driving_cost


REMEMBERED = 3  # problems: one, and what methods make of it to ask others for help
_recent: tuple[tuple[ReferenceType[Problem], tuple[Kind, ...]], ...] = ()


class _Tables:
    """Tables of a problem, one for all vehicles that cannot be told apart by them.

    Re-planning makes a kind of its own of every vehicle under way: what `[N, N]` they share is
    built once, and not before it is asked for.
    """

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self._known: dict[Hashable, tuple[Table, Floats]] = {}
        self._drives: dict[int, tuple[Floats, Floats]] = {}
        self._whole: dict[int, bool] = {}

    def of(self, vehicle: Vehicle, *, closed: bool) -> tuple[Table, Floats]:
        """The table of a vehicle, whose depot may be closed all day, and the fastest arcs there."""
        problem, weights = self._problem, self._problem.objective
        rate, rate_s = weights.distance * vehicle.cost_per_m, weights.duration * vehicle.cost_per_s
        gains = vehicle.preference if weights.preference else None
        parts = (a if a is None else a.tobytes() for a in (gains, vehicle.allowed))
        key = (vehicle.profile, rate, rate_s, closed, *parts)
        if key not in self._known:
            barred = self._barred(vehicle, closed=closed)
            gain = gain_of(problem, vehicle)
            profile = problem.profiles[vehicle.profile]
            whole = self._is_whole(vehicle.profile) and not barred.any()
            table = Priced(profile, rate, rate_s, gain, barred, whole=whole)
            away = np.where(barred, np.inf, self.drive(vehicle.profile)[0])
            self._known[key] = table, away
        return self._known[key]

    def _is_whole(self, profile: int) -> bool:
        """Whether every street of a profile exists."""
        if profile not in self._whole:
            metres = self._problem.profiles[profile].distance_m
            self._whole[profile] = bool(np.isfinite(metres).all())
        return self._whole[profile]

    def drive(self, profile: int) -> tuple[Floats, Floats]:
        """`[N]` the fastest drive to each node, and from each."""
        if profile not in self._drives:
            drive = self._problem.profiles[profile].duration_s.copy()
            np.fill_diagonal(drive, np.inf)
            self._drives[profile] = drive.min(axis=0), drive.min(axis=1)
        return self._drives[profile]

    def _barred(self, vehicle: Vehicle, *, closed: bool) -> Bools:
        """`[N]` nodes that a vehicle must not drive to."""
        if closed or vehicle.allowed is None:
            return np.full(self._problem.size, closed)
        barred = ~vehicle.allowed
        barred[: self._problem.depots] = False
        return barred


def kinds_of(problem: Problem) -> tuple[Kind, ...]:
    """The kinds of vehicles of a problem, in order of first appearance.

    Kinds share the arrays in which they do not differ: the same table is the same object. Those of
    the last problems are remembered, since methods ask one another for help.
    """
    global _recent
    for known, kinds in _recent:
        if known() is problem:
            return kinds
    kinds = _kinds(problem)
    _recent = ((ref(problem), kinds), *_recent[: REMEMBERED - 1])
    return kinds


def _kinds(problem: Problem) -> tuple[Kind, ...]:
    weights, tables = problem.objective, _Tables(problem)
    kinds = []
    for vehicle, numbers in problem.fleet:
        begin, end = vehicle.shift_s
        opens = max(begin, float(problem.window_s[vehicle.start, 0]))
        latest = float(problem.window_s[vehicle.start, 1])
        table, away_s = tables.of(vehicle, closed=bool(opens > latest + slack(latest)))
        closes = min(end, float(problem.window_s[vehicle.end, 1]))
        onward_s = tables.drive(vehicle.profile)[1]
        kinds.append(
            Kind(
                vehicle=vehicle,
                numbers=numbers,
                table=table,
                duration_s=problem.profiles[vehicle.profile].duration_s,
                cost_per_s=weights.duration * vehicle.cost_per_s,
                fixed=weights.fixed * vehicle.fixed_cost,
                opens_s=opens,
                closes_s=closes,
                stops=_servable(problem, vehicle, away_s, onward_s, opens, closes),
                gain=gain_of(problem, vehicle),
            )
        )
    return tuple(kinds)


def _servable(
    problem: Problem,
    vehicle: Vehicle,
    away_s: Floats,
    onward_s: Floats,
    opens: float,
    closes: float,
) -> Bools:
    stops = np.arange(problem.size) >= problem.depots
    if problem.dimensions:
        capacity = np.array(vehicle.capacity)
        limit = capacity + np.where(np.isinf(capacity), 0.0, slack(capacity))
        stops &= (np.maximum(problem.demand, problem.pickup) <= limit).all(axis=1)
        for shipment in problem.shipments:
            if (np.array(shipment.amount) > limit).any():
                stops[[shipment.pickup, shipment.delivery]] = False
    if problem.size == 1:
        return stops
    window = problem.hours_s
    traffic = problem.profiles[vehicle.profile].traffic
    if traffic:
        fastest = max(1.0, *(factor for _, factor in traffic))
        away_s, onward_s = away_s / fastest, onward_s / fastest
    start = np.maximum(np.maximum(opens, problem.release_s) + away_s, window[:, 0])
    service_s = problem.service_s if vehicle.service_s is None else vehicle.service_s
    finish = start + service_s + onward_s
    finish = np.maximum(finish, window[vehicle.end, 0])
    with np.errstate(invalid="ignore"):
        stops &= np.isfinite(finish) & (start <= window[:, 1] + slack(window[:, 1]))
    stops &= finish <= closes + slack(closes)
    return stops


def gain_of(problem: Problem, vehicle: Vehicle) -> Floats | None:
    """`[N]` weighted preference of a vehicle for stops, 0 at depots; None where it has none."""
    if vehicle.preference is None or not problem.objective.preference:
        return None
    is_stop = np.arange(problem.size) >= problem.depots
    return problem.objective.preference * np.where(is_stop, vehicle.preference, 0.0)


def unserved_cost(problem: Problem) -> Floats:
    """`[N]` cost of leaving a stop out: its weighted prize, `inf` where it is required."""
    prize = problem.prize
    required = np.isinf(prize)  # whatever the weight, be it 0
    return np.where(required, np.inf, problem.objective.unserved * np.where(required, 0.0, prize))


def numbered(
    kinds: Sequence[Kind], duties: Iterable[tuple[int, Sequence[Sequence[int]]]]
) -> list[Route]:
    """Put duties on vehicles.

    Args:
        kinds: of the problem.
        duties: index of the kind and the trips of each vehicle in use; not more of a kind
            than it has vehicles.
    """
    routes = ((k, [Route(0, tuple(int(j) for j in trip)) for trip in trips]) for k, trips in duties)
    return renumbered(kinds, routes)


def renumbered(kinds: Sequence[Kind], duties: Iterable[tuple[int, Sequence[Route]]]) -> list[Route]:
    """The same of routes, whose own numbers do not matter."""
    free = [iter(kind.numbers) for kind in kinds]
    routes = list[Route]()
    for k, given in duties:
        trips = [trip for trip in given if trip.stops]
        if trips:
            number = next(free[k])
            routes += [Route(number, trip.stops, trip.reload_at) for trip in trips]
    return routes


def duties_of(
    kinds: Sequence[Kind], routes: Iterable[Route]
) -> list[tuple[int, list[tuple[int, ...]]]]:
    """The kind and the trips of each vehicle that routes use: the inverse of `numbered`.

    Vehicles of other kinds than those given are passed over.
    """
    return [(k, [trip.stops for trip in trips]) for k, trips in routes_of(kinds, routes)]


def routes_of(kinds: Sequence[Kind], routes: Iterable[Route]) -> list[tuple[int, list[Route]]]:
    """The same with the routes themselves: the inverse of `renumbered`."""
    kind_of = {number: k for k, kind in enumerate(kinds) for number in kind.numbers}
    trips: dict[int, list[Route]] = {}
    for route in routes:
        trips.setdefault(route.vehicle, []).append(route)
    return [
        (kind_of[number], its_trips) for number, its_trips in trips.items() if number in kind_of
    ]
