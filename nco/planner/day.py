"""What is asked on a day, and what vehicles have done of it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from nco.problem import Sequence

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nco.arrays import Floats
    from nco.planner.places import Places
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
        pickup: `[K]` taken there to the end of the trip.
        setup_s: seconds on arrival.
        release_s: when its goods are at the depot.
        skills: words that a vehicle must have.
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
    pickup: Floats = field(default_factory=lambda: np.zeros(0))
    setup_s: float = 0.0
    release_s: float = 0.0
    skills: frozenset[str] = frozenset()
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
        driving_s: seconds of driving since then, as `duration_s` counts them.
        pauses: breaks and rests since the place before: begin and seconds of each.
    """

    name: str
    arrival_s: float
    start_s: float
    departure_s: float
    distance_m: float
    begun: bool
    driving_s: float = 0.0
    pauses: tuple[tuple[float, float], ...] = ()


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
        ended: whether it ends its work at the last stop of its last trip, of several.
    """

    vehicle: Vehicle
    trips: list[Trip] = field(default_factory=list)
    dropped: bool = False
    ended: bool = False

    @property
    def by_trips(self) -> bool:
        """Whether what leaves the depot is fixed up to the return: further trips follow."""
        return self.vehicle.max_trips > 1

    @property
    def over(self) -> bool:
        """Whether nothing more can be planned for it."""
        home = bool(self.trips) and self.trips[-1].end is not None
        return self.dropped or self.ended or (home and len(self.trips) >= self.vehicle.max_trips)

    @property
    def under_way(self) -> bool:
        """Whether it stands at a stop, or is bound for one, from where it may go anywhere."""
        return bool(self.trips) and self.trips[-1].end is None and not (self.dropped or self.ended)

    @property
    def last(self) -> Call:
        """Where it is, or is bound for."""
        return self.trips[-1].last

    @property
    def began_s(self) -> float:
        """When its duty began."""
        return self.trips[0].start.start_s

    @property
    def calls(self) -> Iterator[Call]:
        """All its stops so far."""
        return (call for trip in self.trips for call in trip.calls)


@dataclass(frozen=True)
class Goods:
    """A shipment by the names of its stops.

    Attributes:
        pickup: where the goods are.
        delivery: where they go.
        amount: `[K]` room that they take in between.
    """

    pickup: str
    delivery: str
    amount: Floats


@dataclass
class Day:
    """A day as it is known now.

    Attributes:
        problem: that it began with.
        places: of all stops.
        stops: by name, those that are served or cancelled included.
        duties: of all vehicles.
        shipments: those of the problem, and those that were added.
        groups: alternatives by their names, and what it costs to serve none of them.
        rows: stops that follow directly after one another.
        begun: vehicle of each stop that is served or that a vehicle is bound for.
        cancelled: names.
        now_s: present time.
    """

    problem: Problem
    places: Places
    stops: dict[str, Stop]
    duties: list[VehicleDay]
    shipments: list[Goods]
    groups: list[tuple[tuple[str, ...], float]]
    rows: list[tuple[str, ...]]
    begun: dict[str, int] = field(default_factory=dict)
    cancelled: set[str] = field(default_factory=set)
    now_s: float = 0.0

    @property
    def waiting(self) -> list[str]:
        """Names of the stops that nobody has begun."""
        gone = self.begun.keys() | self.cancelled
        return [name for name in self.stops if name not in gone]

    @property
    def settled(self) -> set[str]:
        """Names of the alternatives to stops that are begun."""
        members = (names for names, _ in self.groups if any(n in self.begun for n in names))
        return {name for names in members for name in names if name not in self.begun}

    def place(self, name: str) -> int:
        """The place of a stop or a depot."""
        known = self.stops.get(name)
        return self.problem.names.index(name) if known is None else known.place

    def tied(self, name: str) -> set[str]:
        """A stop and those that are served with it or not at all."""
        found = {name}
        while True:
            pairs = [(goods.pickup, goods.delivery) for goods in self.shipments]
            more = {n for unit in (*pairs, *self.rows) if found & {*unit} for n in unit}
            if more <= found:
                return found
            found |= more

    def prize(self, name: str) -> float:
        """What it costs not to serve a stop; infinite if one that goes with it is required.

        Goods that are on board must be delivered.
        """
        unit = self.tied(name) - self.cancelled
        if any(n in self.begun for n in unit - {name}):
            return math.inf
        return (
            math.inf
            if any(math.isinf(self.stops[n].prize) for n in unit)
            else (self.stops[name].prize)
        )


def day_of(problem: Problem, places: Places) -> Day:
    """A day before it begins."""
    names = problem.names
    return Day(
        problem=problem,
        places=places,
        stops=stops_of(problem),
        duties=[VehicleDay(vehicle) for vehicle in problem.vehicles],
        shipments=[
            Goods(names[s.pickup], names[s.delivery], np.array(s.amount)) for s in problem.shipments
        ],
        groups=[(tuple(names[j] for j in group.stops), group.prize) for group in problem.groups],
        rows=[tuple(names[j] for j in t.stops) for t in problem.ties if isinstance(t, Sequence)],
    )


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
            pickup=problem.pickup[j],
            setup_s=float(problem.setup_s[j]),
            release_s=float(problem.release_s[j]),
            skills=problem.skills.get(j, frozenset()),
            node=j,
        )
        for j in problem.stops
    }
