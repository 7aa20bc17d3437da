"""Compiled event loop of the passenger simulation; docs/transit-simulator.md states its rules.

Three things happen: passengers appear at their stop, buses open their doors at a stop, and buses
leave it. Times are seconds since the beginning. Buses wait in a heap by the time of their next
event; passengers are links of lists: one list a queue at a stop, one a bus and stop to get off at.
"""

# mypy: allow-untyped-defs, allow-untyped-calls
# Numba types these functions by what they are called with.

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from nco.vehicle import Floats

UNSERVED, WAITING, RIDING, ARRIVED = range(4)
_NONE = np.int64(2**62)  # the ticket of an empty queue

_compiled: Any = njit(nogil=True, cache=True)
# The loop allocates nothing and is faster without numba's counting of references to its arrays.
_options: dict[str, Any] = {"nogil": True, "error_model": "numpy", "_nrt": False}
_loop: Any = njit(cache=True, **_options)
_inline: Any = njit(**_options)


class Trips(NamedTuple):
    """Passengers by the time they appear.

    Attributes:
        time_s: `[P]` ascending.
        origin: `[P]` stop.
        destination: `[P]` stop.
    """

    time_s: Floats
    origin: NDArray[np.int32]
    destination: NDArray[np.int32]


class Service(NamedTuple):
    """How lines are run.

    Attributes:
        buses: `[R]` buses of each line.
        begin_s: `[V]` when each bus, line by line, first opens its doors.
        at_end: `[V]` whether it does so at the last stop of its line.
        due_s: `[V]` earliest time to open at the first stop again.
        period_s: `[V]` by which that grows with every round; 0 without a timetable.
    """

    buses: NDArray[np.int64]
    begin_s: Floats
    at_end: NDArray[np.bool_]
    due_s: Floats
    period_s: Floats


class Rules(NamedTuple):
    """What the event loop needs of the settings.

    Attributes:
        horizon_s: when the simulation ends.
        capacity: passengers a bus holds.
        dwell_s: seconds that doors are open.
        board_s: further seconds for each who boards when they open.
        alight_s: further seconds for each who alights.
        layover_s: seconds between arriving at a terminal and opening there.
        latecomers: whether those who come while doors are open still board.
    """

    horizon_s: float
    capacity: int
    dwell_s: float
    board_s: float
    alight_s: float
    layover_s: float
    latecomers: bool


class World(NamedTuple):
    """Passengers, queues and buses, as they are and at the end as they were.

    Attributes:
        status: `[P]` `UNSERVED` (no itinerary, or still to come), `WAITING`, `RIDING`, `ARRIVED`.
        wait_s: `[P]` seconds at stops, transfers included.
        ride_s: `[P]` seconds on board.
        boardings: `[P]` how often a passenger boarded.
        boarded_s: `[P]` when a passenger boarded last; `inf` if never.
        since_s: `[P]` when a passenger began to wait or to ride.
        after: `[P]` the next passenger in the same list; -1 for none.
        ticket: `[P]` number of a waiting passenger, in the order of coming to stops.
        head: `[Q]` first passenger of a queue; -1 for none.
        tail: `[Q]` last passenger of a queue.
        front: `[Q]` ticket of the first passenger.
        line: `[V]` line of a bus.
        state: `[V]` where it stands, or where it drives to.
        load: `[V]` passengers on board.
        lists: `[V]` where its lists begin in `off`.
        off: `[...]` of each bus, stop by stop of its line, the first passenger who gets off there.
        opened: `[V]` whether its doors are open.
        due_s: `[V]` when it may open at its first stop again.
        time_s: `[V]` of its next event.
        order: `[V]` the heap of buses.
        full: `[V, 2]` sum of the shares of places taken, and of how many departures.
        carried: `[S]` passengers on board of the buses that left a state.
        departures: `[S]` buses that left a state.
        counts: `[3]` passengers who have come, tickets given, most passengers ever on one bus.
    """

    status: NDArray[np.int8]
    wait_s: Floats
    ride_s: Floats
    boardings: NDArray[np.int16]
    boarded_s: Floats
    since_s: Floats
    after: NDArray[np.int32]
    ticket: NDArray[np.int64]
    head: NDArray[np.int32]
    tail: NDArray[np.int32]
    front: NDArray[np.int64]
    line: NDArray[np.int64]
    state: NDArray[np.int64]
    load: NDArray[np.int64]
    lists: NDArray[np.int64]
    off: NDArray[np.int32]
    opened: NDArray[np.bool_]
    due_s: Floats
    time_s: Floats
    order: NDArray[np.int64]
    full: Floats
    carried: NDArray[np.int64]
    departures: NDArray[np.int64]
    counts: NDArray[np.int64]


_COMING, _TICKETS, PEAK = range(3)  # in `World.counts`


@_compiled
def world(network, boarding, trips, service):
    """The world before anything has happened."""
    begin, people, fleet = network.begin, len(trips.time_s), len(service.begin_s)
    states, queues = len(network.node), boarding.queues[0]
    line, state = np.empty(fleet, np.int64), np.empty(fleet, np.int64)
    lists, total, bus = np.empty(fleet, np.int64), 0, 0
    for r in range(len(begin) - 1):
        stops = begin[r + 1] - begin[r]
        for _ in range(service.buses[r]):
            line[bus], lists[bus] = r, total
            state[bus] = 2 * begin[r] + (stops if service.at_end[bus] else 0)
            total += stops
            bus += 1
    return World(
        np.zeros(people, np.int8), np.zeros(people), np.zeros(people),
        np.zeros(people, np.int16), np.full(people, np.inf), trips.time_s.copy(),
        np.empty(people, np.int32), np.empty(people, np.int64),
        np.full(queues, -1, np.int32), np.empty(queues, np.int32),
        np.full(queues, _NONE, np.int64),
        line, state, np.zeros(fleet, np.int64), lists, np.full(total, -1, np.int32),
        np.zeros(fleet, np.bool_), service.due_s.copy(), service.begin_s.copy(),
        # In the order of time, which makes it a heap; buses at the same time in their own order.
        np.argsort(service.begin_s, kind="mergesort"),
        np.zeros((fleet, 2)), np.zeros(states, np.int64), np.zeros(states, np.int64),
        np.zeros(3, np.int64),
    )  # fmt: skip


@_inline
def _before(world, a, b):
    """Whether bus `a` has its event before bus `b`; in the order of buses if at the same time."""
    x, y = world.time_s[a], world.time_s[b]
    return x < y or (x == y and a < b)


@_inline
def _sink(world):
    """Restores the heap after the first event was moved to a later time."""
    order, k, bus = world.order, 0, world.order[0]
    while 2 * k + 1 < len(order):
        child = 2 * k + 1
        if child + 1 < len(order) and _before(world, order[child + 1], order[child]):
            child += 1
        if not _before(world, order[child], bus):
            break
        order[k] = order[child]
        k = child
    order[k] = bus


@_inline
def _join(world, q, p, now):
    """Puts a passenger at the end of a queue."""
    ticket = world.counts[_TICKETS]
    world.counts[_TICKETS] = ticket + 1
    world.status[p] = WAITING
    world.since_s[p] = now
    world.after[p] = -1
    world.ticket[p] = ticket
    if world.head[q] < 0:
        world.head[q] = p
        world.front[q] = ticket
    else:
        world.after[world.tail[q]] = p
    world.tail[q] = p


@_inline
def _appear(world, boarding, trips, until):
    """Passengers come to their stops up to a time."""
    p = world.counts[_COMING]
    while p < len(trips.time_s) and trips.time_s[p] <= until:
        q = boarding.queue[trips.origin[p], trips.destination[p]]
        if q >= 0:
            _join(world, q, p, trips.time_s[p])
        p += 1
    world.counts[_COMING] = p


@_inline
def _longest_waiting(world, boarding, s):
    """The queue served in a state whose first passenger came before those of the others, or -1."""
    chosen, lowest = -1, _NONE
    for k in range(boarding.first[s], boarding.first[s + 1]):
        q = boarding.serves[k]
        if world.front[q] < lowest:
            chosen, lowest = q, world.front[q]
    return chosen


@_inline
def _board(world, boarding, trips, bus, from_s, capacity):
    """Passengers board a bus until none waits for it or it is full; returns how many.

    Each boards at `from_s`, or at once if coming later, to doors that are open.
    """
    s, before = world.state[bus], world.load[bus]
    while world.load[bus] < capacity:
        q = _longest_waiting(world, boarding, s)
        if q < 0:
            break
        p = world.head[q]
        behind = world.after[p]
        world.head[q] = behind
        world.front[q] = world.ticket[behind] if behind >= 0 else _NONE
        place = world.lists[bus] + boarding.alight[s, trips.destination[p]]
        world.after[p] = world.off[place]
        world.off[place] = p
        world.status[p] = RIDING
        now = max(from_s, world.since_s[p])
        world.wait_s[p] += now - world.since_s[p]
        world.since_s[p] = world.boarded_s[p] = now
        world.boardings[p] += 1
        world.load[bus] += 1
    return world.load[bus] - before


@_inline
def _alight(world, network, boarding, trips, bus, now):
    """Passengers get off a bus and arrive, or queue for the next one; returns how many."""
    s = world.state[bus]
    v, place, count = network.node[s], world.lists[bus] + network.place[s], 0
    p = world.off[place]
    world.off[place] = -1
    while p >= 0:
        behind = world.after[p]
        world.ride_s[p] += now - world.since_s[p]
        if trips.destination[p] == v:
            world.status[p] = ARRIVED
        else:
            _join(world, boarding.queue[v, trips.destination[p]], p, now)
        count += 1
        p = behind
    world.load[bus] -= count
    return count


@_inline
def _turn(world, network, service, bus, ready):
    """A bus at the end of a direction opens again as one of the other direction."""
    s, r = world.state[bus], world.line[bus]
    if s < network.begin[r] + network.begin[r + 1]:
        world.state[bus] = s + 1
    else:
        world.state[bus] = 2 * network.begin[r]
        ready = max(ready, world.due_s[bus])
        world.due_s[bus] += service.period_s[bus]
    world.time_s[bus] = ready


@_inline
def _leave(world, network, bus, now, capacity):
    """A bus closes its doors and drives to the next stop."""
    s, load = world.state[bus], world.load[bus]
    world.opened[bus] = False
    world.carried[s] += load
    world.departures[s] += 1
    world.counts[PEAK] = max(world.counts[PEAK], load)
    world.full[bus, 0] += load / capacity
    world.full[bus, 1] += 1.0
    world.time_s[bus] = now + network.ride_s[s]
    world.state[bus] = s + 1


@_loop
def run(world, network, boarding, trips, service, rules):
    """Lets everything happen until the horizon; changes `world`.

    Args:
        world: as `world` made it.
        network: states of lines and stops (`nco.transit.assign`).
        boarding: queues (`nco.transit.simulate_boarding`).
        trips: passengers.
        service: buses.
        rules: times and capacity.
    """
    while len(world.order):
        bus = world.order[0]
        now = world.time_s[bus]
        if now > rules.horizon_s:
            break
        _appear(world, boarding, trips, now)
        if world.opened[bus]:
            if rules.latecomers:
                # All who waited when the doors opened are on board, unless the bus is full.
                _board(world, boarding, trips, bus, 0.0, rules.capacity)
            _leave(world, network, bus, now, rules.capacity)
        else:
            off_s = rules.alight_s * _alight(world, network, boarding, trips, bus, now)
            if network.ride_s[world.state[bus]] == np.inf:
                _turn(world, network, service, bus, now + rules.layover_s + off_s)
            else:
                on = _board(world, boarding, trips, bus, now, rules.capacity)
                world.opened[bus] = True
                world.time_s[bus] = now + rules.dwell_s + off_s + rules.board_s * on
        _sink(world)
    _appear(world, boarding, trips, rules.horizon_s)
    for p in range(len(world.status)):
        if world.status[p] == WAITING:
            world.wait_s[p] += rules.horizon_s - world.since_s[p]
        elif world.status[p] == RIDING:
            world.ride_s[p] += rules.horizon_s - world.since_s[p]


class Tally(NamedTuple):
    """Sums over passengers.

    Attributes:
        unserved: without itinerary.
        waiting: at a stop at the horizon.
        riding: on board at the horizon.
        arrived: at their destination.
        changed: of the arrived, those who changed buses.
        changes: how often they did.
        wait_s: seconds at stops of those who ride or have arrived.
        ride_s: seconds on board of the same.
    """

    unserved: int
    waiting: int
    riding: int
    arrived: int
    changed: int
    changes: int
    wait_s: float
    ride_s: float


@_compiled
def tally(world):
    """The sums at the end."""
    count = np.zeros(4, np.int64)
    changed, changes, wait_s, ride_s = 0, 0, 0.0, 0.0
    for p in range(len(world.status)):
        status = world.status[p]
        count[status] += 1
        if status >= RIDING:
            wait_s += world.wait_s[p]
            ride_s += world.ride_s[p]
        if status == ARRIVED and world.boardings[p] > 1:
            changed += 1
            changes += world.boardings[p] - 1
    return Tally(
        count[UNSERVED], count[WAITING], count[RIDING], count[ARRIVED],
        changed, changes, wait_s, ride_s,
    )  # fmt: skip
