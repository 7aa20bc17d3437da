"""Places on routes into which one more stop could go, and what keeps it out of each of them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nco.arrays import Bools, Floats
from nco.problem.problem import Problem
from nco.problem.tolerance import slack
from nco.problem.vehicle import Vehicle

Ints = NDArray[np.int64]


class Limit(IntEnum):
    """What can keep a stop out of a slot."""

    STREET = 0  # no way there, or on from there
    PERMISSION = 1  # the vehicle may not serve it
    ROOM = 2  # of the trip
    WINDOW = 3  # of the stop
    LATER_WINDOWS = 4  # of the stops behind it
    DEPOT_HOURS = 5
    SHIFT = 6  # its end
    TRIPS = 7  # another one would begin


class Segment(NamedTuple):
    """Nodes in a row, or arrays of such (T. Vidal et al. 2013, "Time-window relaxations").

    Attributes:
        duration: least time from the start at the first node to the end of service at the last.
        earliest: start at the first node that takes no longer; sooner means to wait.
        latest: start at the first node by which no window is missed.
    """

    duration: Any
    earliest: Any
    latest: Any

    @property
    def done(self) -> Any:
        """When it can be left behind."""
        return self.earliest + self.duration

    def then(self, drive: Any, other: Segment) -> Segment:
        """This one and another, so far apart."""
        gone = self.duration + drive
        waited = np.maximum(other.earliest - gone - self.latest, 0.0)
        return Segment(
            gone + other.duration + waited,
            np.maximum(other.earliest - gone, self.earliest) - waited,
            np.minimum(other.latest - gone, self.latest),
        )


class _Slot(NamedTuple):
    """One slot: see `Slots`, of which it is an entry."""

    vehicle: int
    trip: int
    position: int
    before: int
    after: int
    driven: bool
    further: bool
    closed: float
    ahead: Segment
    behind: Segment
    latest: tuple[float, float, float]
    room: Floats


@dataclass(frozen=True)
class Slots:
    """Slots as arrays of one entry each, times and amounts in a problem's normal form.

    Attributes:
        vehicle: number in `Problem.vehicles`.
        trip: of the vehicle.
        position: in the trip; -1 for a trip of its own before that one.
        before: node before.
        after: node behind.
        driven: whether the vehicle is in use.
        further: whether the vehicle would drive more trips than it may.
        closed: by how much the vehicle begins after its first depot has closed.
        ahead: the route up to `before`.
        behind: the route from `after` on.
        latest: `[3, S]` start at `after` by which later windows of stops, hours of depots and the
            end of the shift are met.
        room: `[S, K]` free capacity.
    """

    vehicle: Ints
    trip: Ints
    position: Ints
    before: Ints
    after: Ints
    driven: Bools
    further: Bools
    closed: Floats
    ahead: Segment
    behind: Segment
    latest: Floats
    room: Floats

    @classmethod
    def of(cls, problem: Problem, duties: Mapping[int, Sequence[Sequence[int]]]) -> Slots:
        """The slots of some vehicles with their trips; without any, the one of an empty vehicle."""
        found = [slot for v, trips in duties.items() for slot in _slots(problem, v, trips)]
        whole = np.array([slot[:5] for slot in found], np.int64).reshape(-1, 5).T
        flags = np.array([slot[5:7] for slot in found], bool).reshape(-1, 2).T
        return cls(
            vehicle=whole[0],
            trip=whole[1],
            position=whole[2],
            before=whole[3],
            after=whole[4],
            driven=flags[0],
            further=flags[1],
            closed=np.array([slot.closed for slot in found]),
            ahead=Segment(*np.array([slot.ahead for slot in found]).reshape(-1, 3).T),
            behind=Segment(*np.array([slot.behind for slot in found]).reshape(-1, 3).T),
            latest=np.array([slot.latest for slot in found]).reshape(-1, 3).T,
            room=np.array([slot.room for slot in found]).reshape(len(found), problem.dimensions),
        )


def _slots(problem: Problem, v: int, trips: Sequence[Sequence[int]]) -> Iterator[_Slot]:
    vehicle, window = problem.vehicles[v], problem.window_s
    nodes, gaps = [vehicle.start], []
    for t, trip in enumerate(trips or [()]):
        gaps += [(t, p) for p in range(len(trip) + 1)]
        nodes += [*trip, vehicle.end]
    opens = max(vehicle.shift_s[0], float(window[vehicle.start, 0]))
    closes = min(vehicle.shift_s[1], float(window[vehicle.start, 1]))
    legs = problem.profiles[vehicle.profile].duration_s[nodes[:-1], nodes[1:]]
    drives = np.where(np.isinf(legs), 0.0, legs).tolist()  # a fault of the routes, not of the stop
    ahead = [Segment(0.0, opens, closes)]
    for j, drive in zip(nodes[1:], drives, strict=True):
        ahead.append(ahead[-1].then(drive, _alone(problem, j)))
    behind, latest = _backwards(problem, vehicle, nodes, drives)
    most = np.array(vehicle.capacity)
    most = most + np.where(np.isinf(most), 0.0, slack(most))
    room = [most - problem.demand[list(trip)].sum(axis=0) for trip in trips or [()]]
    closed = float(_beyond(np.array(opens), window[vehicle.start, 1]))
    driven = bool(trips)
    for k, (t, p) in enumerate(gaps):
        yield _Slot(
            v, t, p, nodes[k], nodes[k + 1], driven, False, closed, ahead[k], behind[k + 1],
            latest[k + 1], room[t],
        )  # fmt: skip
    if not driven or vehicle.start != vehicle.end:
        return
    further = len(trips) >= vehicle.max_trips
    for t, k in enumerate(k for k, j in enumerate(nodes) if j < problem.depots):
        yield _Slot(
            v, t, -1, nodes[k], nodes[k], True, further, closed, ahead[k], behind[k], latest[k],
            most,
        )  # fmt: skip


def _alone(problem: Problem, j: int) -> Segment:
    opens, closes = problem.window_s[j]
    return Segment(float(problem.service_s[j]), float(opens), float(closes))


def _backwards(
    problem: Problem, vehicle: Vehicle, nodes: Sequence[int], drives: Sequence[float]
) -> tuple[list[Segment], list[tuple[float, float, float]]]:
    """Of each node the route from it on, and its latest starts as `Slots.latest` has them."""
    end, closing = _alone(problem, nodes[-1]), vehicle.shift_s[1]
    behind = [end._replace(latest=min(end.latest, closing))]
    latest = [(math.inf, float(end.latest), closing)]
    for j, drive in zip(nodes[-2::-1], drives[::-1], strict=True):
        here = _alone(problem, j)
        stops, depots, shift = (time - here.duration - drive for time in latest[-1])
        if j < problem.depots:
            depots = min(depots, here.latest)
        else:
            stops = min(stops, here.latest)
        behind.append(here.then(drive, behind[-1]))
        latest.append((stops, depots, shift))
    return behind[::-1], latest[::-1]


@dataclass(frozen=True)
class Trial:
    """Stops tried in slots: arrays `[J, S]` of an entry for each of either.

    Attributes:
        amounts: `[8, J, S]` by how much each `Limit` is broken, 0 where it is not: time, or 1
            where there is no more to say. Of room it is that of the dimension that lacks most.
        whole: the routes with the stop in them.
        start: when the stop is served.
        onward: when the vehicle is at the node behind it.
    """

    amounts: Floats
    whole: Segment
    start: Floats
    onward: Floats

    @classmethod
    def of(cls, problem: Problem, slots: Slots, stops: Ints) -> Trial:
        """Try stops in slots of a problem in its normal form."""
        drives = [profile.duration_s for profile in problem.profiles]
        there, back = legs(problem, drives, slots, stops)
        cut = np.isinf(there) | np.isinf(back)
        there, back = np.where(cut, 0.0, there), np.where(cut, 0.0, back)
        window, column = problem.window_s[stops], np.s_[:, None]
        stop = Segment(problem.service_s[stops][column], window[:, :1], window[:, 1:])
        so_far = slots.ahead.then(there, stop)
        start = np.maximum(slots.ahead.done + there, window[:, :1])
        onward = np.maximum(start + stop.duration + back, problem.window_s[slots.after, 0])
        amounts = np.zeros((len(Limit), *cut.shape))
        amounts[Limit.STREET] = cut
        amounts[Limit.PERMISSION] = ~_permitted(problem, slots, stops)
        for k in range(problem.dimensions):
            short = problem.demand[stops, k][column] - slots.room[:, k]
            amounts[Limit.ROOM] = np.maximum(amounts[Limit.ROOM], short)
        amounts[Limit.WINDOW] = _beyond(start, stop.latest)
        for limit, latest in zip(_LATER, slots.latest, strict=True):
            amounts[limit] = _beyond(onward, latest)
        amounts[Limit.DEPOT_HOURS] = np.maximum(amounts[Limit.DEPOT_HOURS], slots.closed)
        amounts[Limit.TRIPS] = slots.further
        return cls(amounts, so_far.then(back, slots.behind), start, onward)


_LATER = (Limit.LATER_WINDOWS, Limit.DEPOT_HOURS, Limit.SHIFT)


def _beyond(time: Floats, latest: Floats) -> Floats:
    """How far times are past a limit; 0 where that is nothing."""
    past = np.where(np.isinf(latest), 0.0, time - latest)
    return np.where(past > slack(latest), past, 0.0)


def legs(
    problem: Problem, matrices: Sequence[Floats], slots: Slots, stops: Ints
) -> tuple[Floats, Floats]:
    """`[J, S]` entries of the matrices of profiles, from before to stops and from there behind."""
    profile = np.array([vehicle.profile for vehicle in problem.vehicles])[slots.vehicle]
    there, back = np.empty((2, len(stops), len(profile)))
    for p in sorted(set(profile.tolist())):  # np.unique would import masked arrays
        chosen = np.flatnonzero(profile == p)
        there[:, chosen] = matrices[p][slots.before[chosen][None], stops[:, None]]
        back[:, chosen] = matrices[p][stops[:, None], slots.after[chosen][None]]
    return there, back


def _permitted(problem: Problem, slots: Slots, stops: Ints) -> Bools:
    """`[J, S]` whether vehicles may serve stops."""
    vehicles = sorted(set(slots.vehicle.tolist()))
    rows = np.searchsorted(vehicles, slots.vehicle)
    allowed = [problem.vehicles[v].allowed for v in vehicles]
    table = np.array([np.ones(len(stops)) if a is None else a[stops] for a in allowed], bool)
    return table.reshape(len(vehicles), len(stops))[rows].T
