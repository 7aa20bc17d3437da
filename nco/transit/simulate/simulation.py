"""Passenger simulation of bus lines; docs/transit-simulator.md states its rules.

`simulate` is for one set of lines. A `Simulator` is for many: what depends on the instance and the
settings alone (passengers, road times) is made once, and sets of lines are shared among threads.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain, pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nco import _validate as validate
from nco.arrays import Floats
from nco.errors import ProblemError, quoted
from nco.transit.instance.lines import Lines, LinesLike, refuse_bad_lines
from nco.transit.instance.transit_instance import TransitInstance
from nco.transit.simulate import assign, boarding, kernels, one_line
from nco.transit.simulate.demand import trips
from nco.transit.simulate.result import (
    PUBLISHED_WEIGHTS,
    Passengers,
    RewardWeights,
    Simulation,
    ratio,
    reward,
)
from nco.transit.simulate.roads import road_s
from nco.transit.simulate.service import buses_for, planned_per_h, runs_per_h, service
from nco.transit.simulate.settings import Settings

__all__ = [
    "PUBLISHED_WEIGHTS",
    "Passengers",
    "RewardWeights",
    "Settings",
    "Simulation",
    "Simulator",
    "reward",
    "simulate",
]

_FIRST_PER_H = 6.0  # of every line, for the itineraries that the first loads follow from


def simulate(
    instance: TransitInstance,
    lines: LinesLike,
    settings: Settings | None = None,
    *,
    per_h: ArrayLike | None = None,
    passengers: bool = False,
) -> Simulation:
    """Simulate passengers on lines.

    Args:
        instance: stops, links and demand; `fleet` bounds the buses, `capacity` is theirs.
        lines: nodes in order; each line runs both ways.
        settings: None for the defaults.
        per_h: `[R]` buses an hour of each line, instead of planned ones.
        passengers: whether to report every passenger.

    Raises:
        ProblemError: a line cannot be run, or there are fewer buses than lines.
    """
    return Simulator(instance, settings).run(lines, per_h=per_h, passengers=passengers)


class Prepared(NamedTuple):
    """Lines and how they are run, before anybody has come.

    Attributes:
        lines: as given.
        network: their states, with driving times.
        boarding: who boards what.
        service: buses and when they begin.
        per_h: `[R]` buses an hour.
        planned_load: `[S]` passengers an hour that this was planned for, if it was.
    """

    lines: Lines
    network: assign.Network
    boarding: boarding.Boarding
    service: kernels.Service
    per_h: Floats
    planned_load: Floats | None


class Simulator:
    """Simulations of many sets of lines for one instance under the same settings.

    Args:
        instance: stops, links and demand.
        settings: None for the defaults.

    Attributes:
        trips: the passengers.
        rules: times and capacity.
    """

    def __init__(self, instance: TransitInstance, settings: Settings | None = None) -> None:
        self.instance = instance
        self.settings = settings or Settings()
        self.trips = trips(instance.demand, self.settings)
        self._road_s = road_s(instance, self.settings)
        # Without metres, seconds are the next best measure of a link.
        self._length = instance.link_s if instance.link_m is None else instance.link_m
        self._demand = instance.demand * self.settings.demand_share
        self._total = instance.trips
        given = self.settings
        self.rules = kernels.Rules(
            float(given.horizon_s),
            int(instance.capacity),
            float(given.dwell_s),
            float(given.board_s),
            float(given.alight_s),
            float(given.layover_s),
            bool(given.latecomers),
            given.count_s,
        )

    def run(
        self, lines: LinesLike, *, per_h: ArrayLike | None = None, passengers: bool = False
    ) -> Simulation:
        """Simulate one set of lines.

        Args:
            lines: nodes in order; each line runs both ways. None at all serve nobody.
            per_h: `[R]` buses an hour of each line, instead of planned ones.
            passengers: whether to report every passenger.

        Raises:
            ProblemError: a line cannot be run, or there are fewer buses than lines.
        """
        prepared = self.prepare(lines, per_h=per_h)
        network, boarding, service = prepared.network, prepared.boarding, prepared.service
        world = kernels.world(network, boarding, self.trips, service)
        kernels.run(world, network, boarding, self.trips, service, self.rules)
        return self._result(prepared, world, passengers)

    def prepare(self, lines: LinesLike, *, per_h: ArrayLike | None = None) -> Prepared:
        """What runs and who would board it, before anybody has come.

        Args:
            lines: nodes in order; each line runs both ways.
            per_h: `[R]` buses an hour of each line, instead of planned ones.

        Raises:
            ProblemError: a line cannot be run, or there are fewer buses than lines.
        """
        given, known = self.settings, refuse_bad_lines(self.instance, lines)
        flat = np.fromiter(chain.from_iterable(known), np.int64)
        begin = np.concatenate([[0], np.cumsum([len(line) for line in known], dtype=np.int64)])
        network = assign.network(flat, begin, self._road_s)
        cycle_s = assign.cycles(network, float(given.dwell_s), float(given.layover_s))
        wanted, load = self._frequencies(network, len(known), per_h)
        total_s = cycle_s.sum(axis=1)
        buses = buses_for(wanted, total_s, self.instance.fleet, given)
        frequency = runs_per_h(wanted, buses, total_s, given)
        begins = service(buses, frequency, total_s, network, given)
        return Prepared(known, network, self._boarding(network, frequency), begins, frequency, load)

    def batch(
        self, line_sets: Iterable[LinesLike], *, threads: int | None = None
    ) -> list[Simulation]:
        """Simulate many sets of lines.

        Args:
            line_sets: each as for `run`.
            threads: how many work at the same time; None takes all cores. The results do not
                depend on it.
        """
        threads = os.cpu_count() or 1 if threads is None else threads
        if threads < 1:
            raise ProblemError(
                f"threads is {quoted(threads)}; give 1 or more, or None for all cores"
            )
        if threads == 1:
            return [self.run(lines) for lines in line_sets]
        with ThreadPoolExecutor(threads) as pool:
            return list(pool.map(self.run, line_sets))

    def _frequencies(
        self, network: assign.Network, lines: int, per_h: ArrayLike | None
    ) -> tuple[Floats, Floats | None]:
        """Buses an hour of each line, and the loads `[S]` that they were planned for, if any."""
        given = self.settings
        if per_h is not None:
            return validate.vector(per_h, "per_h", lines, low=1e-3), None
        if given.fixed_per_h is not None:
            return np.full(lines, float(given.fixed_per_h)), None
        if given.assignment == "one-line":
            peak = one_line.peaks(network, self._demand)
            return planned_per_h(peak, self.instance.capacity, given), None
        frequency = np.full(lines, max(_FIRST_PER_H, given.min_per_h))
        load = np.zeros(len(network.node))
        for _ in range(given.planning_rounds):
            plan = self._itineraries(network, frequency)
            load, _ = assign.loads(network, frequency, self._demand, plan)
            peak = assign.line_peaks(network, load)
            frequency = planned_per_h(peak, self.instance.capacity, given)
        return frequency, load

    def _itineraries(self, network: assign.Network, frequency: Floats) -> assign.Itineraries:
        given = self.settings
        plan: assign.Itineraries = assign.itineraries(
            network, frequency, float(given.dwell_s), float(given.transfer_penalty_s)
        )
        return plan

    def _boarding(self, network: assign.Network, frequency: Floats) -> boarding.Boarding:
        table: boarding.Boarding
        if self.settings.assignment == "one-line":
            table = one_line.boarding(network, self._length)
        else:
            table = boarding.boarding(network, self._itineraries(network, frequency))
        return table

    def _result(self, prepared: Prepared, world: kernels.World, passengers: bool) -> Simulation:
        network, load = prepared.network, prepared.planned_load
        buses = prepared.service.buses
        sums: kernels.Tally = kernels.tally(world)
        people, served = len(world.person), sums.riding + sums.arrived
        connected = float((self.instance.demand * (prepared.boarding.queue >= 0)).sum())
        length = self._lengths(network)
        forward = np.isfinite(network.ride_s)
        fullness = world.full[:, 0] / np.maximum(world.full[:, 1], 1.0)
        return Simulation(
            generated=people,
            arrived=sums.arrived,
            riding=sums.riding,
            waiting=sums.waiting,
            unserved=sums.unserved,
            service_rate_of_connected=ratio(served, people - sums.unserved),
            service_rate_of_all=ratio(served, people),
            coverage=ratio(connected, self._total),
            demand_share=self.settings.demand_share,
            mean_wait_s=ratio(sums.wait_s, served),
            mean_ride_s=ratio(sums.ride_s, served),
            transfer_share=ratio(sums.changed, sums.arrived),
            mean_transfers=ratio(sums.changes, sums.arrived),
            fleet=int(buses.sum()),
            buses=buses,
            per_h=prepared.per_h,
            utilisation=ratio(float(fullness.sum()), len(fullness)),
            peak_load=int(world.counts[kernels.PEAK]),
            route_m=float(length[forward].sum()) / 2.0,
            bus_m=float((world.departures[forward] * length[forward]).sum()),
            overlap=_overlap(prepared.lines),
            load=_by_line(network, world.carried),
            planned_per_h=None if load is None else _by_line(network, load),
            passengers=self._passengers(world) if passengers else None,
        )

    def _lengths(self, network: assign.Network) -> Floats:
        """`[S]` metres to the next stop."""
        after = np.roll(network.node, -1)
        lengths: Floats = self._length[network.node, after]
        return lengths

    def _passengers(self, world: kernels.World) -> Passengers:
        boarded = world.person[:, kernels.BOARDINGS] > 0
        return Passengers(
            time_s=self.trips.time_s,
            origin=self.trips.origin,
            destination=self.trips.destination,
            status=world.person[:, kernels.STATUS],
            wait_s=world.clock_s[:, kernels.WAIT],
            ride_s=world.clock_s[:, kernels.RIDE],
            boardings=world.person[:, kernels.BOARDINGS],
            boarded_s=np.where(boarded, world.clock_s[:, kernels.BOARDED], np.inf),
        )


def _by_line[Number: np.int64 | np.float64](
    network: assign.Network, values: NDArray[Number]
) -> NDArray[Number]:
    """Values of states as `[R, 2, L - 1]`, in the order of the stops of each line."""
    ends = list(pairwise(network.begin.tolist()))
    longest = max((b - a for a, b in ends), default=1)
    array = np.zeros((len(ends), 2, longest - 1), values.dtype)
    for row, (a, b) in zip(array, ends, strict=True):
        row[0, : b - a - 1] = values[2 * a : a + b - 1]
        row[1, : b - a - 1] = values[a + b : 2 * b - 1][::-1]
    return array


def _overlap(lines: Sequence[Sequence[int]]) -> float:
    """Mean over road segments of how many other lines use them, as a share of all other lines."""
    users: dict[tuple[int, int], int] = {}
    for line in lines:
        for segment in {(min(a, b), max(a, b)) for a, b in pairwise(line)}:
            users[segment] = users.get(segment, 0) + 1
    others = (len(lines) - 1) * len(users)
    return ratio(sum(users.values()) - len(users), others)
