"""Routes that grow by cheapest insertion and never break anything."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from nco.arrays import Floats
from nco.fleet.kinds import Kind, kinds_of, slack
from nco.problem import Problem
from nco.problem.route import Route
from nco.solver import Clock


@dataclass(frozen=True)
class _Slots:
    """The gaps of one vehicle's duty into which a stop can go; arrays of one entry a gap.

    Attributes:
        before: node before the gap.
        after: node behind it.
        leaves_s: when the vehicle can leave `before`.
        latest_s: when it must start at `after`, so that all behind it stays on time.
        room: `[S, K]` free capacity of the trip.
        extra: cost of taking the vehicle into use.
        driven: whether the gap is driven now; that of an idle vehicle is not.
        where: vehicle number, trip, position in the trip.
    """

    before: np.ndarray
    after: np.ndarray
    leaves_s: Floats
    latest_s: Floats
    room: Floats
    extra: Floats
    driven: np.ndarray
    where: np.ndarray


class Construction:
    """Routes under construction that never break anything.

    Args:
        problem: what the routes are for.
        kinds: of its vehicles, if known already.
    """

    def __init__(self, problem: Problem, kinds: Sequence[Kind] | None = None) -> None:
        self._problem = problem
        self._kinds = kinds_of(problem) if kinds is None else kinds
        self._costs = [kind.driving_cost for kind in self._kinds]
        self._kind_of = {v: k for k, kind in enumerate(self._kinds) for v in kind.numbers}
        self._idle = [list(reversed(kind.numbers)) for kind in self._kinds]
        self._trips: dict[int, list[list[int]]] = {}
        self._slots: list[dict[int, _Slots]] = [{} for _ in self._kinds]
        self._flat: list[_Slots | None] = [None] * len(self._kinds)
        for k in range(len(self._kinds)):
            self._offer_idle(k)

    @property
    def routes(self) -> list[Route]:
        """The routes as they are."""
        return [Route(v, tuple(trip)) for v, trips in self._trips.items() for trip in trips if trip]

    @property
    def served(self) -> set[int]:
        """The stops on the routes."""
        return {j for trips in self._trips.values() for trip in trips for j in trip}

    def keep(self, routes: Iterable[Route]) -> None:
        """Take over routes into an empty plan, without the stops that break something."""
        seen: set[int] = set()
        trips: dict[int, list[tuple[int, ...]]] = {}
        for route in routes:
            trips.setdefault(route.vehicle, []).append(route.stops)
        for v, its_trips in trips.items():
            k = self._kind_of[v]
            kept = _feasible_part(self._problem, self._kinds[k], its_trips, seen)
            if kept:
                self._trips[v] = kept
                self._idle[k].remove(v)
        for k in range(len(self._kinds)):
            self._slots[k].clear()
            self._offer_idle(k)
        for v in self._trips:
            self._update(v)

    def insert(self, stop: int, worth: float = np.inf) -> bool:
        """Insert a stop where it is cheapest, if it fits anywhere and costs less than `worth`."""
        best, place, kind = worth, None, -1
        for k in range(len(self._kinds)):
            slots = self._all_slots(k)
            if slots is None:
                continue
            delta = self._deltas(k, slots, stop)
            s = int(np.argmin(delta))
            if delta[s] < best:
                best, place, kind = float(delta[s]), slots.where[s], k
        if place is None:
            return False
        v, trip, position = (int(x) for x in place)
        if v not in self._trips:
            self._trips[v] = []
            self._idle[kind].remove(v)
            self._offer_idle(kind)
        if trip == len(self._trips[v]):
            self._trips[v].append([])
        self._trips[v][trip].insert(position, stop)
        self._update(v)
        return True

    def make_room(self, stop: int, clock: Clock) -> bool:
        """Move one other stop elsewhere so that a stop fits where it was."""
        for v in list(self._trips):
            for other in [j for trip in self._trips[v] for j in trip]:
                if clock.over:
                    return False
                before = [list(trip) for trip in self._trips[v]]
                self._remove(v, other)
                if self._intact(v) and self.insert(stop):
                    if self.insert(other):
                        return True
                    self._remove(next(u for u in self._trips if self._serves(u, stop)), stop)
                self._trips[v] = before
                self._update(v)
        return False

    def _intact(self, v: int) -> bool:
        """Whether a vehicle still breaks nothing: the arc around a stop may be the longer way."""
        trips = [trip for trip in self._trips[v] if trip]
        return _feasible_part(self._problem, self._kinds[self._kind_of[v]], trips, set()) == trips

    def _serves(self, v: int, stop: int) -> bool:
        return any(stop in trip for trip in self._trips[v])

    def _remove(self, v: int, stop: int) -> None:
        self._trips[v] = [[j for j in trip if j != stop] for trip in self._trips[v]]
        self._update(v)

    def _deltas(self, k: int, slots: _Slots, stop: int) -> Floats:
        problem, cost, drive = self._problem, self._costs[k], self._kinds[k].duration_s
        opens, closes = problem.window_s[stop]
        start = np.maximum(slots.leaves_s + drive[slots.before, stop], opens)
        back = start + problem.service_s[stop] + drive[stop, slots.after]
        fits = (start <= closes + slack(closes)) & (back <= slots.latest_s + slack(slots.latest_s))
        fits &= (problem.demand[stop] <= slots.room).all(axis=1)
        there, onward = cost[slots.before, stop], cost[stop, slots.after]
        fits &= np.isfinite(there) & np.isfinite(onward)
        delta = np.full(len(fits), np.inf)
        saved = cost[slots.before, slots.after]
        detour = there + onward - np.where(np.isfinite(saved) & slots.driven, saved, 0.0)
        delta[fits] = (detour + slots.extra)[fits]
        return delta

    def _offer_idle(self, k: int) -> None:
        """Keep one idle vehicle of a kind in the running."""
        if self._idle[k]:
            v = self._idle[k][-1]
            self._slots[k][v] = _slots(self._problem, self._kinds[k], v, [])
        self._flat[k] = None

    def _update(self, v: int) -> None:
        k = self._kind_of[v]
        self._slots[k][v] = _slots(self._problem, self._kinds[k], v, self._trips[v])
        self._flat[k] = None

    def _all_slots(self, k: int) -> _Slots | None:
        if self._flat[k] is None and self._slots[k]:
            every = list(self._slots[k].values())
            self._flat[k] = _Slots(
                *(np.concatenate([getattr(s, name) for s in every]) for name in _FIELDS)
            )
        return self._flat[k]


_FIELDS = tuple(_Slots.__dataclass_fields__)


def _slots(problem: Problem, kind: Kind, v: int, trips: Sequence[Sequence[int]]) -> _Slots:
    vehicle, window, service = kind.vehicle, problem.window_s, problem.service_s
    idle = not trips
    if len(trips) < vehicle.max_trips:
        trips = [*trips, []]
    nodes, where, room = [vehicle.start], [], []
    for t, trip in enumerate(trips):
        nodes += [*trip, vehicle.end]
        free = np.array(vehicle.capacity) - problem.demand[list(trip)].sum(axis=0)
        free += np.where(np.isinf(vehicle.capacity), 0.0, slack(np.array(vehicle.capacity)))
        where += [(v, t, p) for p in range(len(trip) + 1)]
        room += [free] * (len(trip) + 1)
    leaves, start = [], kind.opens_s
    for i, j in pairwise(nodes):
        leaves.append(start + float(service[i]))
        start = max(leaves[-1] + float(kind.duration_s[i, j]), float(window[j, 0]))
    latest, limit = [], kind.closes_s
    for i, j in zip(nodes[-2::-1], nodes[:0:-1], strict=True):
        latest.append(limit)
        limit = min(limit - float(kind.duration_s[i, j] + service[i]), float(window[i, 1]))
    return _Slots(
        before=np.array(nodes[:-1]),
        after=np.array(nodes[1:]),
        leaves_s=np.array(leaves),
        latest_s=np.array(latest[::-1]),
        room=np.array(room).reshape(len(where), problem.dimensions),
        extra=np.full(len(where), kind.fixed if idle else 0.0),
        driven=np.full(len(where), not idle),
        where=np.array(where),
    )


def _feasible_part(
    problem: Problem, kind: Kind, trips: Sequence[Sequence[int]], seen: set[int]
) -> list[list[int]]:
    """Walk the trips of a vehicle and keep each stop after which it can still return in time."""
    vehicle, window, drive = kind.vehicle, problem.window_s, kind.duration_s
    capacity, kept = np.array(vehicle.capacity), []
    most = capacity + np.where(np.isinf(capacity), 0.0, slack(capacity))
    clock = kind.opens_s
    for trip in trips[: vehicle.max_trips]:
        here, load, chosen = vehicle.start, np.zeros(problem.dimensions), list[int]()
        for j in trip:
            start = max(clock + float(drive[here, j]), float(window[j, 0]))
            leaves = start + float(problem.service_s[j])
            back = max(leaves + float(drive[j, vehicle.end]), float(window[vehicle.end, 0]))
            if (
                j not in seen
                and np.isfinite(kind.cost[here, j])
                and np.isfinite(back)
                and start <= window[j, 1] + slack(window[j, 1])
                and back <= kind.closes_s + slack(kind.closes_s)
                and (load + problem.demand[j] <= most).all()
            ):
                chosen.append(j)
                seen.add(j)
                here, clock, load = j, leaves, load + problem.demand[j]
        if chosen:
            kept.append(chosen)
            clock += float(drive[here, vehicle.end])
            clock = max(clock, float(window[vehicle.end, 0]))
    return kept
