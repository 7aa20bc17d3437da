"""Routes that grow by cheapest insertion and never break anything."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from nco.arrays import Floats
from nco.fleet.kinds import Kind, kinds_of
from nco.problem import Problem
from nco.problem.route import Route
from nco.problem.tolerance import slack
from nco.solver import Clock


@dataclass(frozen=True)
class _Slots:
    """The gaps of one vehicle's duty, or of many, into which a stop can go: `[S]` of each.

    Attributes:
        before: node before the gap.
        after: node behind it.
        leaves_s: when the vehicle can leave `before`.
        latest_s: when it must start at `after`, so that all behind it stays on time.
        room: `[S, K]` free capacity of the trip.
        extra: cost of taking the vehicle into use, less that of the arc that is driven no more.
        costs: number of the vehicle's table of costs.
        drive: number of its table of driving times.
        where: `[S, 3]` vehicle number, trip, position in the trip.
    """

    before: np.ndarray
    after: np.ndarray
    leaves_s: Floats
    latest_s: Floats
    room: Floats
    extra: Floats
    costs: np.ndarray
    drive: np.ndarray
    where: np.ndarray


class Construction:
    """Routes under construction that never break anything.

    Args:
        problem: what the routes are for.
        kinds: of its vehicles, if known already.

    Attributes:
        kinds: of its vehicles.
    """

    def __init__(self, problem: Problem, kinds: Sequence[Kind] | None = None) -> None:
        self._problem = problem
        self.kinds = kinds_of(problem) if kinds is None else kinds
        self._costs, self._costs_of = _distinct([kind.table for kind in self.kinds])
        self._drives, self._drive_of = _distinct([kind.duration_s for kind in self.kinds])
        self._kind_of = {v: k for k, kind in enumerate(self.kinds) for v in kind.numbers}
        self._idle = [list(reversed(kind.numbers)) for kind in self.kinds]
        self._trips: dict[int, list[list[int]]] = {}
        # Of the vehicles of each kind that are in use, and of an idle one; None where not known.
        self._slots: list[dict[int, _Slots | None]] = [{} for _ in self.kinds]
        self._flat: _Slots | None = None
        for k in range(len(self.kinds)):
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
            kept = _feasible_part(self._problem, self.kinds[k], its_trips, seen)
            if kept:
                self._trips[v] = kept
                self._idle[k].remove(v)
        for k in range(len(self.kinds)):
            self._slots[k].clear()
            self._offer_idle(k)
        for v in self._trips:
            self._update(v)

    def insert(self, stop: int, worth: float = np.inf) -> bool:
        """Insert a stop where it is cheapest, if it fits anywhere and costs less than `worth`."""
        slots = self._all_slots()
        if slots is None:
            return False
        delta = self._deltas(slots, stop)
        s = int(np.argmin(delta))
        if not delta[s] < worth:
            return False
        v, trip, position = (int(x) for x in slots.where[s])
        if v not in self._trips:
            kind = self._kind_of[v]
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
        return _feasible_part(self._problem, self.kinds[self._kind_of[v]], trips, set()) == trips

    def _serves(self, v: int, stop: int) -> bool:
        return any(stop in trip for trip in self._trips[v])

    def _remove(self, v: int, stop: int) -> None:
        self._trips[v] = [[j for j in trip if j != stop] for trip in self._trips[v]]
        self._update(v)

    def _deltas(self, slots: _Slots, stop: int) -> Floats:
        problem = self._problem
        into = np.stack([table.into(stop) for table in self._costs])
        away = np.stack([table.leaving(stop) for table in self._costs])
        there, onward = into[slots.costs, slots.before], away[slots.costs, slots.after]
        into = np.stack([drive[:, stop] for drive in self._drives])
        away = np.stack([drive[stop] for drive in self._drives])
        opens, closes = problem.window_s[stop]
        start = np.maximum(slots.leaves_s + into[slots.drive, slots.before], opens)
        back = start + problem.service_s[stop] + away[slots.drive, slots.after]
        fits = (start <= closes + slack(closes)) & (back <= slots.latest_s + slack(slots.latest_s))
        fits &= (problem.demand[stop] <= slots.room).all(axis=1)
        fits &= np.isfinite(there) & np.isfinite(onward)
        delta = np.full(len(fits), np.inf)
        delta[fits] = (there + onward + slots.extra)[fits]
        return delta

    def _offer_idle(self, k: int) -> None:
        """Keep one idle vehicle of a kind in the running."""
        if self._idle[k]:
            self._slots[k][self._idle[k][-1]] = None
        self._flat = None

    def _update(self, v: int) -> None:
        self._slots[self._kind_of[v]][v] = None
        self._flat = None

    def _all_slots(self) -> _Slots | None:
        if self._flat is None:
            for k, known in enumerate(self._slots):
                for v in (v for v, slots in known.items() if slots is None):
                    known[v] = self._slots_of(k, v)
            every = [slots for known in self._slots for slots in known.values()]
            if every:
                self._flat = _Slots(
                    *(np.concatenate([getattr(s, name) for s in every]) for name in _FIELDS)
                )
        return self._flat

    def _slots_of(self, k: int, v: int) -> _Slots:
        problem, kind, trips = self._problem, self.kinds[k], self._trips.get(v, [])
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
        before, after = np.array(nodes[:-1]), np.array(nodes[1:])
        saved = kind.table.arcs(before, after)
        driven = np.isfinite(saved) & (not idle)
        return _Slots(
            before=before,
            after=after,
            leaves_s=np.array(leaves),
            latest_s=np.array(latest[::-1]),
            room=np.array(room).reshape(len(where), problem.dimensions),
            extra=(kind.fixed if idle else 0.0) - np.where(driven, saved, 0.0),
            costs=np.full(len(where), self._costs_of[k]),
            drive=np.full(len(where), self._drive_of[k]),
            where=np.array(where),
        )


_FIELDS = tuple(_Slots.__dataclass_fields__)


def _distinct[T](tables: Sequence[T]) -> tuple[list[T], list[int]]:
    """Tables without those that are the same object as another, and the number of each."""
    known: dict[int, int] = {}
    numbers = [known.setdefault(id(table), len(known)) for table in tables]
    return [tables[numbers.index(n)] for n in range(len(known))], numbers


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
                and np.isfinite(kind.table.arcs(*np.array([[here], [j]]))[0])
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
