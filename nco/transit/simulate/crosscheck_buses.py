"""Buses among cars in UXsim, which moves every vehicle by Newell's car-following model.

UXsim (T. Seo, 2025, Journal of Open Source Software 10(106)) knows no buses, no stops and no
passengers. A bus stop is made of a node beside the street and a link to it and from it, each of
which takes half of the dwell; a bus is a vehicle that is told its links, once for each direction,
and begins the next when it has arrived.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from nco.errors import InputError, ProblemError

if TYPE_CHECKING:
    from nco.transit.instance.transit_instance import TransitInstance
    from nco.transit.simulate.assign import Network
    from nco.transit.simulate.kernels import Trips
    from nco.transit.simulate.simulation import Prepared, Settings

STEP_S = 1.0  # of UXsim: one vehicle at a time, which reacts within a second
_STOP_M = 50.0  # length of the links to and from a stop; any will do
_CITY_M_PER_S = 50 / 3.6  # for instances without metres


class Visit(NamedTuple):
    """A bus at a stop.

    Attributes:
        open_s: when it arrives and opens its doors.
        close_s: when it closes them; `inf` where the horizon came before.
        bus: which one.
        state: line, direction and stop, as in `nco.transit.simulate.assign.Network`.
        ends: whether a direction ends here, so that nobody boards.
    """

    open_s: float
    close_s: float
    bus: int
    state: int
    ends: bool


def drive(
    instance: TransitInstance, prepared: Prepared, settings: Settings, cars: Trips
) -> list[Visit]:
    """Let buses and cars drive, and report where buses were when.

    Args:
        instance: stops and links.
        prepared: lines and buses.
        settings: dwell, layover, horizon, and the seed of who goes first at junctions.
        cars: one a trip, on the ways that are fastest at the time.

    Raises:
        InputError: UXsim is not installed.
        ProblemError: there is no dwell, or it depends on passengers.
    """
    if settings.dwell_s < 2 * STEP_S or settings.board_s or settings.alight_s:
        raise ProblemError(
            f"dwell_s is {settings.dwell_s:g}, board_s {settings.board_s:g} and alight_s "
            f"{settings.alight_s:g}; UXsim needs a dwell of {2 * STEP_S:g} s or more that does not "
            "depend on passengers: set the other two to 0"
        )
    try:
        import uxsim
    except ImportError as error:
        raise InputError(
            "the cross-check needs UXsim, which is not installed; install nco-routing[uxsim]"
        ) from error
    world = uxsim.World(
        deltan=1,
        reaction_time=STEP_S,
        tmax=settings.horizon_s,
        random_seed=settings.seed,
        vehicle_logging_timestep_interval=-1,
        print_mode=0,
        save_mode=0,
        show_mode=0,
    )
    _streets(world, instance, settings)
    fleet = _Fleet(world, prepared, settings)
    coming = _Cars(world, cars)

    def step(_: Any) -> None:
        fleet.step()
        coming.step()

    world.user_function = step
    world.exec_simulation()
    return fleet.visits()


def _streets(world: Any, instance: TransitInstance, settings: Settings) -> None:
    link_s = instance.link_s * settings.road_factor
    metres = _CITY_M_PER_S * link_s if instance.link_m is None else instance.link_m
    half_s = settings.dwell_s / 2
    for v in range(len(link_s)):
        world.addNode(str(v), 0.0, 0.0)
        world.addNode(f"stop {v}", 0.0, 0.0)
        for name, a, b in ((f"to stop {v}", v, f"stop {v}"), (f"from stop {v}", f"stop {v}", v)):
            world.addLink(name, str(a), str(b), _STOP_M, free_flow_speed=_STOP_M / half_s)
    for a, b in np.argwhere(np.isfinite(link_s) & (link_s > 0)).tolist():
        length = max(float(metres[a, b]), 1.0)
        speed = length / max(float(link_s[a, b]), STEP_S)
        world.addLink(f"{a}-{b}", str(a), str(b), length, free_flow_speed=speed)


class _Cars:
    """Cars that come when it is their time: UXsim looks at every vehicle it knows in every step."""

    def __init__(self, world: Any, cars: Trips) -> None:
        self._world, self._cars, self._next = world, cars, 0

    def step(self) -> None:
        """What is done once a step."""
        time_s, origin, destination = self._cars
        while self._next < len(time_s) and time_s[self._next] < (self._world.T + 1) * STEP_S:
            k, self._next = self._next, self._next + 1
            car = self._world.addVehicle(str(origin[k]), str(destination[k]), float(time_s[k]))
            car.route_pref_update()  # otherwise it drives at random until all are told the ways


class _Run(NamedTuple):
    """One direction of a line, driven once: a vehicle of UXsim from a first to a last state."""

    vehicle: Any
    bus: int
    first: int
    last: int
    open_s: float

    def visits(self) -> list[Visit]:
        """Where it was when, as far as it came."""
        # [time, link] of every link entered: from its first stop, along a street, to a stop, from
        # it, ...; at last "end".
        times = [float(time_s) for time_s, _ in self.vehicle.log_t_link[1:]]
        found = []
        for k, state in enumerate(range(self.first, self.last + 1)):
            opened = self.open_s if k == 0 else _at(times, 3 * k - 1)
            closed, ends = _at(times, 3 * k + 1), state == self.last
            if opened < math.inf:
                found.append(Visit(opened, closed, self.bus, state, ends))
        return found


class _Fleet:
    """All buses: begins the next direction of those that have arrived."""

    def __init__(self, world: Any, prepared: Prepared, settings: Settings) -> None:
        self._world, self._network = world, prepared.network
        self._settings, self._service = settings, prepared.service
        self._due_s = prepared.service.due_s.copy()
        self._line = np.repeat(np.arange(len(prepared.service.buses)), prepared.service.buses)
        self._done: list[_Run] = []
        self._under_way = [
            self._leave(bus, *self._first_opening(bus, int(state), float(begin_s)))
            for bus, (state, begin_s) in enumerate(
                zip(prepared.service.state, prepared.service.begin_s, strict=True)
            )
        ]

    def step(self) -> None:
        """What is done once a step."""
        for bus, run in enumerate(self._under_way):
            if run.vehicle.state != "end":
                continue
            self._done.append(run)
            self._under_way[bus] = self._leave(
                bus, *self._turned(bus, run.last, self._world.T * STEP_S)
            )

    def visits(self) -> list[Visit]:
        """Of all buses, in order of time."""
        runs = [*self._done, *self._under_way]
        # A bus comes to the end of a direction before it opens in the other one.
        return sorted(
            (visit for run in runs for visit in run.visits()), key=lambda v: (v.open_s, not v.ends)
        )

    def _first_opening(self, bus: int, state: int, open_s: float) -> tuple[int, float]:
        """Where and when a bus first opens that is somewhere on its line at time 0."""
        while open_s < 0:
            if self._network.ride_s[state] == math.inf:
                state, open_s = self._turned(bus, state, open_s)
            else:
                open_s += self._settings.dwell_s + float(self._network.ride_s[state])
                state += 1
        if self._network.ride_s[state] == math.inf:
            return self._turned(bus, state, open_s)
        return state, open_s

    def _turned(self, bus: int, state: int, now_s: float) -> tuple[int, float]:
        """Where and when a bus opens next that came to the end of a direction."""
        begin, line = self._network.begin, self._line[bus]
        ready_s = now_s + self._settings.layover_s
        if state + 1 < 2 * begin[line + 1]:
            return state + 1, ready_s
        ready_s = max(ready_s, float(self._due_s[bus]))
        self._due_s[bus] += self._service.period_s[bus]
        return int(2 * begin[line]), ready_s

    def _leave(self, bus: int, first: int, open_s: float) -> _Run:
        begin, line = self._network.begin, self._line[bus]
        middle = int(begin[line] + begin[line + 1])
        last = middle - 1 if first < middle else int(2 * begin[line + 1]) - 1
        stops = last - first + 1
        route = _route(self._network, first, stops)
        # Half of the dwell passes before it is on the link from its stop.
        leaves = math.ceil((open_s + self._settings.dwell_s / 2) / STEP_S)
        vehicle = self._world.addVehicle(
            f"stop {self._network.node[first]}",
            str(self._network.node[last]),
            leaves,
            departure_time_is_time_step=1,
        )
        vehicle.enforce_route(route)
        return _Run(vehicle, bus, first, last, open_s)


def _route(network: Network, first: int, stops: int) -> list[str]:
    """Names of links, from the first stop to the street at the last."""
    nodes = network.node[first : first + stops].tolist()
    route = [f"from stop {nodes[0]}"]
    for a, b in pairwise(nodes):
        route += [f"{a}-{b}", f"to stop {b}", f"from stop {b}"]
    return route[:-2]


def _at(times: list[float], k: int) -> float:
    return times[k] if k < len(times) else math.inf
