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
from numpy.typing import NDArray

from nco.arrays import Floats
from nco.kernels.compiled import compiled

UNSERVED, WAITING, RIDING, ARRIVED = range(4)
_NONE = np.int64(2**62)  # the ticket of an empty queue
_TIE = 1e-10  # seconds by which a bus comes after the one before it, if at the same time

_compiled: Any = compiled(nogil=True)
# The loop allocates nothing and is faster without numba's counting of references to its arrays.
_options: dict[str, Any] = {"nogil": True, "error_model": "numpy", "_nrt": False}
_loop: Any = compiled(**_options)
# A call that is not inlined hands over all arrays of the world, which takes longer than its work.
_inline: Any = compiled(cache=False, inline="always", **_options)


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
        begin_s: `[V]` when each bus, line by line, first opens its doors; 0 or earlier where buses
            are under way as the simulation begins.
        state: `[V]` where it does so.
        due_s: `[V]` earliest time to open at the first stop again.
        period_s: `[V]` by which that grows with every round; 0 without a timetable.
    """

    buses: NDArray[np.int64]
    begin_s: Floats
    state: NDArray[np.int64]
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
        count_s: from when to when departures count.
    """

    horizon_s: float
    capacity: int
    dwell_s: float
    board_s: float
    alight_s: float
    layover_s: float
    latecomers: bool
    count_s: tuple[float, float]


class World(NamedTuple):
    """Passengers, queues and buses, as they are and at the end as they were.

    Attributes:
        person: `[P, 4]` of each passenger: the next in the same list (-1 for none), the number
            drawn on coming to a stop, the status, and how often they boarded.
        clock_s: `[P, 4]` of each passenger: seconds at stops, seconds on board, when they began to
            wait or to ride, and when they boarded last.
        head: `[Q]` first passenger of a queue; -1 for none.
        tail: `[Q]` last passenger of a queue.
        front: `[Q]` ticket of the first passenger.
        size: `[Q]` passengers in a queue.
        line: `[V]` line of a bus.
        state: `[V]` where it stands, or where it drives to.
        load: `[V]` passengers on board.
        lists: `[V]` where its lists begin in `off`.
        off: `[...]` of each bus, stop by stop of its line, the first passenger who gets off there.
        opened: `[V]` whether its doors are open.
        due_s: `[V]` when it may open at its first stop again.
        time_s: `[V]` of its next event.
        key: `[V]` the heap of the times of events; buses at the same time are told apart.
        order: `[V]` the buses of these events.
        full: `[V, 2]` sum of the shares of places taken, and of how many departures that count.
        carried: `[S]` passengers on board of the buses that left a state.
        departures: `[S]` buses that left a state while that counts.
        counts: `[3]` passengers who have come, tickets given, most passengers ever on one bus.
    """

    person: NDArray[np.int32]
    clock_s: Floats
    head: NDArray[np.int32]
    tail: NDArray[np.int32]
    front: NDArray[np.int64]
    size: NDArray[np.int64]
    line: NDArray[np.int64]
    state: NDArray[np.int64]
    load: NDArray[np.int64]
    lists: NDArray[np.int64]
    off: NDArray[np.int32]
    opened: NDArray[np.bool_]
    due_s: Floats
    time_s: Floats
    key: Floats
    order: NDArray[np.int64]
    full: Floats
    carried: NDArray[np.int64]
    departures: NDArray[np.int64]
    counts: NDArray[np.int64]


# Columns: what is read together lies together.
_AFTER, _TICKET, STATUS, BOARDINGS = range(4)  # of `World.person`
WAIT, RIDE, _SINCE, BOARDED = range(4)  # of `World.clock_s`
_COMING, _TICKETS, PEAK = range(3)  # in `World.counts`


@_compiled
def world(network, boarding, trips, service):
    """The world before anything has happened."""
    begin, people, fleet = network.begin, len(trips.time_s), len(service.begin_s)
    states, queues = len(network.node), boarding.queues[0]
    line, lists, total, bus = np.empty(fleet, np.int64), np.empty(fleet, np.int64), 0, 0
    for r in range(len(begin) - 1):
        stops = begin[r + 1] - begin[r]
        for _ in range(service.buses[r]):
            line[bus], lists[bus] = r, total
            total += stops
            bus += 1
    key = service.begin_s + _TIE * np.arange(fleet)
    order = np.argsort(key)
    return World(
        np.zeros((people, 4), np.int32), np.zeros((people, 4)),
        np.full(queues, -1, np.int32), np.empty(queues, np.int32),
        np.full(queues, _NONE, np.int64), np.zeros(queues, np.int64),
        line, service.state.copy(), np.zeros(fleet, np.int64), lists, np.full(total, -1, np.int32),
        np.zeros(fleet, np.bool_), service.due_s.copy(), service.begin_s.copy(),
        key[order], order,  # sorted, which makes it a heap
        np.zeros((fleet, 2)), np.zeros(states, np.int64), np.zeros(states, np.int64),
        np.zeros(3, np.int64),
    )  # fmt: skip


@_inline
def _sink(world):
    """Restores the heap after the first event was moved to a later time."""
    key, order, k = world.key, world.order, 0
    bus, child = order[0], 1
    x = world.time_s[bus] + _TIE * bus
    while child < len(order):
        # Without a branch, which could not be foreseen and would be half of the time.
        last = child + 1 == len(order)
        child += 0 if last else int(key[min(child + 1, len(order) - 1)] < key[child])
        if key[child] >= x:
            break
        key[k], order[k] = key[child], order[child]
        k, child = child, 2 * child + 1
    key[k], order[k] = x, bus


@_inline
def _join(world, q, p, now):
    """Puts a passenger at the end of a queue."""
    ticket = world.counts[_TICKETS]
    world.counts[_TICKETS] = ticket + 1
    world.person[p, STATUS] = WAITING
    world.clock_s[p, _SINCE] = now
    world.person[p, _AFTER] = -1
    world.person[p, _TICKET] = ticket
    if world.head[q] < 0:
        world.head[q] = p
        world.front[q] = ticket
    else:
        world.person[world.tail[q], _AFTER] = p
    world.tail[q] = p
    world.size[q] += 1


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
    """The queue served in a state whose first passenger came before those of the others."""
    chosen, lowest = -1, _NONE
    for k in range(boarding.first[s], boarding.first[s + 1]):
        q = boarding.serves[k]
        if world.front[q] < lowest:
            chosen, lowest = q, world.front[q]
    return chosen


@_inline
def _step_in(world, boarding, trips, bus, q, from_s):
    """The first passenger of a queue boards at `from_s`, or at once if coming later."""
    p = world.head[q]
    behind = world.person[p, _AFTER]
    world.head[q] = behind
    world.front[q] = world.person[behind, _TICKET] if behind >= 0 else _NONE
    world.size[q] -= 1
    place = world.lists[bus] + boarding.alight[world.state[bus], trips.destination[p]]
    world.person[p, _AFTER] = world.off[place]
    world.off[place] = p
    world.person[p, STATUS] = RIDING
    world.person[p, BOARDINGS] += 1
    now = max(from_s, world.clock_s[p, _SINCE])
    world.clock_s[p, WAIT] += now - world.clock_s[p, _SINCE]
    world.clock_s[p, _SINCE] = world.clock_s[p, BOARDED] = now


@_inline
def _board(world, boarding, trips, bus, from_s, capacity):
    """Passengers board a bus until none waits for it or it is full; returns how many."""
    s, wanting, room = world.state[bus], 0, capacity - world.load[bus]
    for k in range(boarding.first[s], boarding.first[s + 1]):
        wanting += world.size[boarding.serves[k]]
    if wanting > room:
        wanting = room
        for _ in range(room):
            _step_in(world, boarding, trips, bus, _longest_waiting(world, boarding, s), from_s)
    elif wanting:  # with room for all, their order does not matter
        for k in range(boarding.first[s], boarding.first[s + 1]):
            for _ in range(world.size[boarding.serves[k]]):
                _step_in(world, boarding, trips, bus, boarding.serves[k], from_s)
    world.load[bus] += wanting
    return wanting


@_inline
def _alight(world, network, boarding, trips, bus, now):
    """Passengers get off a bus and arrive, or queue for the next one; returns how many."""
    s = world.state[bus]
    v, place, count = network.node[s], world.lists[bus] + network.place[s], 0
    p = world.off[place]
    world.off[place] = -1
    while p >= 0:
        behind = world.person[p, _AFTER]
        world.clock_s[p, RIDE] += now - world.clock_s[p, _SINCE]
        if trips.destination[p] == v:
            world.person[p, STATUS] = ARRIVED
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
def _leave(world, network, bus, now, rules):
    """A bus closes its doors and drives to the next stop."""
    s, load = world.state[bus], world.load[bus]
    world.opened[bus] = False
    world.carried[s] += load
    world.counts[PEAK] = max(world.counts[PEAK], load)
    if rules.count_s[0] <= now <= rules.count_s[1]:
        world.departures[s] += 1
        world.full[bus, 0] += load / rules.capacity
        world.full[bus, 1] += 1.0
    world.time_s[bus] = now + network.ride_s[s]
    world.state[bus] = s + 1


@_loop
def run(world, network, boarding, trips, service, rules):
    """Lets everything happen until the horizon; changes `world`.

    Args:
        world: as `world` made it.
        network: states of lines and stops (`nco.transit.simulate.assign`).
        boarding: queues (`nco.transit.simulate.boarding`).
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
            _leave(world, network, bus, now, rules)
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
    for p in range(len(world.person)):
        if world.person[p, STATUS] == WAITING:
            world.clock_s[p, WAIT] += rules.horizon_s - world.clock_s[p, _SINCE]
        elif world.person[p, STATUS] == RIDING:
            world.clock_s[p, RIDE] += rules.horizon_s - world.clock_s[p, _SINCE]


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
    for p in range(len(world.person)):
        status = world.person[p, STATUS]
        count[status] += 1
        if status >= RIDING:
            wait_s += world.clock_s[p, WAIT]
            ride_s += world.clock_s[p, RIDE]
        if status == ARRIVED and world.person[p, BOARDINGS] > 1:
            changed += 1
            changes += world.person[p, BOARDINGS] - 1
    return Tally(
        count[UNSERVED], count[WAITING], count[RIDING], count[ARRIVED],
        changed, changes, wait_s, ride_s,
    )  # fmt: skip
