"""The passenger simulation against another one: UXsim's traffic, and passengers in plain Python.

Nothing is shared with `nco.transit.simulate` but lines, timetable, passengers, and who would board
what; how buses move, who gets on board, and what adds up is worked out anew.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from nco.transit.simulate.crosscheck_buses import Visit, drive
from nco.transit.simulate.demand import trips
from nco.transit.simulate.result import ratio
from nco.transit.simulate.simulation import Settings, Simulation, Simulator

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import ArrayLike

    from nco.transit.instance.lines import LinesLike
    from nco.transit.instance.transit_instance import TransitInstance
    from nco.transit.simulate.kernels import Rules, Trips
    from nco.transit.simulate.simulation import Prepared


@dataclass(frozen=True, kw_only=True)
class CrossCheck:
    """What both simulations say.

    Attributes:
        ours: of `nco.transit.simulate`.
        cars: that drove in UXsim beside the buses.
        arrived: passengers at their destination at the horizon, with UXsim's buses.
        riding: on board then.
        waiting: at a stop then.
        unserved: without any connection.
        mean_wait_s: of those who ride or have arrived, at stops.
        mean_ride_s: of the same, on board.
        drive_ratio: seconds that buses drove in UXsim, by what the same stretches take in ours.
    """

    ours: Simulation
    cars: int
    arrived: int
    riding: int
    waiting: int
    unserved: int
    mean_wait_s: float
    mean_ride_s: float
    drive_ratio: float

    @property
    def service_rate_of_all(self) -> float:
        """Share of all passengers who ride or have arrived."""
        served = self.arrived + self.riding
        return ratio(served, served + self.waiting + self.unserved)

    def facts(self) -> dict[str, float]:
        """What UXsim's buses led to, ready for JSON."""
        counted = {
            name: value for name, value in vars(self).items() if not isinstance(value, Simulation)
        }
        return counted | {"service_rate_of_all": self.service_rate_of_all}

    def __str__(self) -> str:
        ours = self.ours
        return (
            f"service rate {self.service_rate_of_all:.1%} (ours {ours.service_rate_of_all:.1%}), "
            f"wait {self.mean_wait_s / 60:.1f} ({ours.mean_wait_s / 60:.1f}) min, "
            f"ride {self.mean_ride_s / 60:.1f} ({ours.mean_ride_s / 60:.1f}) min; driving takes "
            f"{self.drive_ratio:.3f} times as long among {self.cars} cars"
        )


def crosscheck(
    instance: TransitInstance,
    lines: LinesLike,
    settings: Settings | None = None,
    *,
    per_h: ArrayLike | None = None,
    cars: bool = False,
) -> CrossCheck:
    """Simulate passengers on lines twice, the second time with buses in UXsim.

    Takes a second for each ten buses and hour, and more with cars.

    Args:
        instance: stops, links and demand.
        lines: nodes in order; each line runs both ways.
        settings: None for the defaults; dwell must not depend on passengers.
        per_h: `[R]` buses an hour of each line, instead of planned ones.
        cars: whether the demand that does not take the bus drives, one person a car.

    Raises:
        InputError: UXsim is not installed; it is an extra, `nco-routing[uxsim]`.
        ProblemError: a line cannot be run, there are fewer buses than lines, or there is no dwell
            that UXsim could do.
    """
    given = settings or Settings()
    simulator = Simulator(instance, given)
    prepared = simulator.prepare(lines, per_h=per_h)
    drivers = replace(given, demand_share=1.0 - given.demand_share if cars else 0.0)
    traffic = trips(instance.demand, drivers)
    visits = drive(instance, prepared, given, traffic)
    people = _People(prepared, simulator.trips, simulator.rules)
    people.travel(visits)
    return CrossCheck(
        ours=simulator.run(lines, per_h=per_h),
        cars=len(traffic.time_s),
        arrived=people.arrived,
        riding=len(people.riding),
        waiting=sum(map(len, people.waiting.values())),
        unserved=people.unserved,
        mean_wait_s=ratio(people.wait_s, people.arrived + len(people.riding)),
        mean_ride_s=ratio(people.ride_s, people.arrived + len(people.riding)),
        drive_ratio=_drive_ratio(prepared, visits),
    )


class _People:
    """Passengers at stops and on board, one by one; the rules are in docs/transit-simulator.md."""

    def __init__(self, prepared: Prepared, trips: Trips, rules: Rules) -> None:
        self._network, self._boarding = prepared.network, prepared.boarding
        self._trips, self._rules = trips, rules
        self._next = 0
        self._waits = np.zeros(len(trips.time_s))
        self._rides = np.zeros(len(trips.time_s))
        self._since = trips.time_s.copy()
        self.waiting: dict[int, list[int]] = defaultdict(list)  # at a stop, as they came
        self.riding: dict[int, tuple[int, int]] = {}  # on which bus, and to which place of its line
        self.aboard: dict[int, set[int]] = defaultdict(set)
        self.arrived = self.unserved = 0
        self.wait_s = self.ride_s = 0.0

    def travel(self, visits: Iterable[Visit]) -> None:
        """Let them board and alight where buses stop, until the horizon."""
        moments = []
        for visit in visits:
            moments.append((visit.open_s, 0, not visit.ends, visit))
            if visit.close_s < math.inf:
                moments.append((visit.close_s, 1, not visit.ends, visit))
        for now, closing, _, visit in sorted(moments):
            if now > self._rules.horizon_s:
                break
            self._appear(now)
            if not closing:
                self._alight(visit, now)
            if not visit.ends and (self._rules.latecomers or not closing):
                self._board(visit)
        self._appear(self._rules.horizon_s)
        for waiting in self.waiting.values():
            self._waits[waiting] += self._rules.horizon_s - self._since[waiting]
        served = list(self.riding)
        self._rides[served] += self._rules.horizon_s - self._since[served]
        still = {p for waiting in self.waiting.values() for p in waiting}
        counted = [p for p in range(self._next) if p not in still]  # the unserved have 0
        self.wait_s = float(self._waits[counted].sum())
        self.ride_s = float(self._rides[counted].sum())

    def _appear(self, until_s: float) -> None:
        times = self._trips.time_s
        while self._next < len(times) and times[self._next] <= until_s:
            p, self._next = self._next, self._next + 1
            if self._boarding.queue[self._trips.origin[p], self._trips.destination[p]] < 0:
                self.unserved += 1
            else:
                self.waiting[int(self._trips.origin[p])].append(p)

    def _alight(self, visit: Visit, now: float) -> None:
        stop, place = int(self._network.node[visit.state]), int(self._network.place[visit.state])
        for p in [p for p in self.aboard[visit.bus] if self.riding[p][1] == place]:
            self.aboard[visit.bus].remove(p)
            del self.riding[p]
            self._rides[p] += now - self._since[p]
            self._since[p] = now
            if self._trips.destination[p] == stop:
                self.arrived += 1
            else:
                self.waiting[stop].append(p)

    def _board(self, visit: Visit) -> None:
        table, stop = self._boarding, int(self._network.node[visit.state])
        first, after = table.first[visit.state : visit.state + 2]
        served, stay = set(table.serves[first:after].tolist()), []
        for p in self.waiting[stop]:
            to = int(self._trips.destination[p])
            full = len(self.aboard[visit.bus]) >= self._rules.capacity
            if full or int(table.queue[stop, to]) not in served:
                stay.append(p)
                continue
            boarded_s = max(visit.open_s, self._since[p])
            self._waits[p] += boarded_s - self._since[p]
            self._since[p] = boarded_s
            self.aboard[visit.bus].add(p)
            self.riding[p] = (visit.bus, int(table.alight[visit.state, to]))
        self.waiting[stop] = stay


def _drive_ratio(prepared: Prepared, visits: Iterable[Visit]) -> float:
    """Of all stretches between stops that were driven whole."""
    before: dict[int, Visit] = {}
    theirs = ours = 0.0
    for visit in visits:
        last = before.get(visit.bus)
        if last is not None and not last.ends and last.state + 1 == visit.state:
            theirs += visit.open_s - last.close_s
            ours += float(prepared.network.ride_s[last.state])
        before[visit.bus] = visit
    return ratio(theirs, ours)
