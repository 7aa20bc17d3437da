"""What is asked on a day, and what vehicles have done of it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from nco.arrays import Floats
    from nco.problem import Problem
    from nco.problem.vehicle import Vehicle


@dataclass(frozen=True)
class Stop:
    """A stop as it is asked for now.

    Attributes:
        name: by which it is known.
        place: number in `Places`.
        demand: `[K]`.
        window_s: earliest and latest start of service.
        service_s: seconds.
        prize: cost of not serving it.
        more_windows_s: further windows.
        soft_window_s: when service should begin.
        early_per_s: cost of a second before that.
        late_per_s: cost of a second after it.
        priority: see `Problem`.
        node: in the problem of the day, for what vehicles know of it; None if it was added.
        vehicles: numbers of those that may serve it, beside what they know; None means all.
    """

    name: str
    place: int
    demand: Floats
    window_s: tuple[float, float]
    service_s: float
    prize: float
    more_windows_s: tuple[tuple[float, float], ...] = ()
    soft_window_s: tuple[float, float] = (0.0, math.inf)
    early_per_s: float = 0.0
    late_per_s: float = 0.0
    priority: float = 0.0
    node: int | None = None
    vehicles: frozenset[int] | None = None

    def opened_s(self, time_s: float) -> float:
        """When service may begin at a time or later; at once if that is after all windows."""
        windows = sorted((self.window_s, *self.more_windows_s))
        return next((max(time_s, begin) for begin, end in windows if time_s <= end), time_s)

    def penalty(self, start_s: float) -> float:
        """What it costs to begin at a time, by its own rates."""
        early = self.early_per_s * max(0.0, self.soft_window_s[0] - start_s)
        late = max(0.0, start_s - self.soft_window_s[1])
        return early + (self.late_per_s * late if self.late_per_s else 0.0)


@dataclass(frozen=True)
class Call:
    """One place on a whole route.

    Attributes:
        name: of the stop, or of the depot.
        arrival_s: when the vehicle gets there.
        start_s: when service starts.
        departure_s: when the vehicle leaves, or ends its duty.
        distance_m: metres since the vehicle first left a depot.
        begun: whether the vehicle was there, or is bound for it: this is fixed.
    """

    name: str
    arrival_s: float
    start_s: float
    departure_s: float
    distance_m: float
    begun: bool


@dataclass
class Trip:
    """What a vehicle has begun since it left its depot.

    Attributes:
        start: the depot.
        calls: the stops, in order.
        end: the depot that it is back at or bound for; None before.
    """

    start: Call
    calls: list[Call]
    end: Call | None = None

    @property
    def last(self) -> Call:
        """Where the vehicle is, or is bound for."""
        return self.end or (self.calls[-1] if self.calls else self.start)


@dataclass
class VehicleDay:
    """What a vehicle has begun.

    Attributes:
        vehicle: as in the problem of the day.
        trips: in order.
        dropped: whether it is out of service.
    """

    vehicle: Vehicle
    trips: list[Trip] = field(default_factory=list)
    dropped: bool = False

    @property
    def by_trips(self) -> bool:
        """Whether what leaves the depot is fixed up to the return: further trips follow."""
        return self.vehicle.max_trips > 1

    @property
    def over(self) -> bool:
        """Whether nothing more can be planned for it."""
        ended = bool(self.trips) and self.trips[-1].end is not None
        return self.dropped or (ended and len(self.trips) >= self.vehicle.max_trips)

    @property
    def under_way(self) -> bool:
        """Whether it stands at a stop, or is bound for one, from where it may go anywhere."""
        return bool(self.trips) and self.trips[-1].end is None and not self.dropped

    @property
    def last(self) -> Call:
        """Where it is, or is bound for."""
        return self.trips[-1].last

    @property
    def departure_s(self) -> float:
        """When it first left its depot."""
        return self.trips[0].start.departure_s

    @property
    def metres(self) -> float:
        """Metres driven up to `last`."""
        return self.last.distance_m if self.trips else 0.0


def load_of(stops: list[Stop], dimensions: int) -> Floats:
    """`[K]` demand of some stops together."""
    return np.sum([stop.demand for stop in stops], axis=0) if stops else np.zeros(dimensions)


def stops_of(problem: Problem) -> dict[str, Stop]:
    """The stops of a problem as a day begins with them, by name."""

    def pair(table: Floats, j: int) -> tuple[float, float]:
        return float(table[j, 0]), float(table[j, 1])

    return {
        problem.names[j]: Stop(
            name=problem.names[j],
            place=j,
            demand=problem.demand[j],
            window_s=pair(problem.window_s, j),
            service_s=float(problem.service_s[j]),
            prize=float(problem.prize[j]),
            more_windows_s=problem.more_windows_s.get(j, ()),
            soft_window_s=pair(problem.soft_window_s, j),
            early_per_s=float(problem.early_per_s[j]),
            late_per_s=float(problem.late_per_s[j]),
            priority=float(problem.priority[j]),
            node=j,
        )
        for j in problem.stops
    }
