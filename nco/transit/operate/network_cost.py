"""What a bus network costs passengers and operator together: the objective for cities.

Passengers weigh walking, waiting, riding and transfers, choose the stops at both ends among those
that they can walk to, and take itineraries of least expected cost (optimal strategies, as in
`nco.transit.simulate.assign`, with waits weighed). Frequencies follow from what waiting and driving
cost: a line that `b` passengers an hour board, whose round takes `c` hours, costs least with the
square root of `wait * b / (2 * bus * c)` buses an hour (H. Mohring 1972, "Optimization and scale
economies in urban bus transportation", American Economic Review 62(4)), or with as many as its
fullest stretch takes, if that is more.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from nco.arrays import ByValue, Floats
from nco.transit.instance.lines import refuse_bad_lines
from nco.transit.operate.access import Reached, nearest_stops, walks_s, with_walking
from nco.transit.operate.prices import Prices
from nco.transit.operate.timetable import Timetable
from nco.transit.simulate import assign
from nco.transit.simulate.roads import road_s
from nco.transit.simulate.service import buses_for, runs_per_h
from nco.transit.simulate.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from nco.transit.instance.lines import Lines, LinesLike
    from nco.transit.instance.transit_instance import TransitInstance

_ROUNDS = 2  # of frequencies and itineraries from each other
_FIRST_PER_H = 6.0
_MOST_KNOWN = 100_000  # lines whose detours are kept; searches come by the same ones again


@dataclass(frozen=True, kw_only=True, eq=False)
class NetworkCost(ByValue):
    """What lines cost an hour, and what that is made of.

    Attributes:
        per_h: `[R]` buses an hour of each line and direction.
        buses: `[R]` buses of each line.
        bus_km: kilometres driven an hour; hours of driving times 30 where no metres are known.
        peak: `[R]` passengers an hour on the fullest stretch of each line.
        boardings: `[R]` passengers an hour who board each line.
        trips: an hour, of all.
        walked: trips an hour that are shorter on foot alone.
        lost: trips an hour to which the network offers nothing that anybody would take.
        walk_h: hours of walking an hour, of those who ride.
        wait_h: hours of waiting.
        ride_h: hours on board.
        stand_h: of these, hours of standing where more ride than there are seats.
        transfers: an hour.
        weighed_h: hours on board that all trips are worth, the lost and the walked included, and
            standing not counted more than sitting.
        overload: passengers an hour above what the most frequent service has room for.
        line_detour: `[R]` each line's time against the fastest way between its ends, the worse of
            both directions.
        cost: of passengers and operator together, in money an hour.
        operator: of the operator alone.
        weighed_s: `[N, N]` seconds on board that a trip is worth; the journey's, or what it is
            held to be worth not to be made by bus.
        by_bus: `[N, N]` whether a trip is made by bus.
        taken: `[N, N]` trips an hour between the stops where buses are boarded and left: the
            demand that a simulation of the same lines is to be given, as nobody walks there.
    """

    per_h: Floats
    buses: NDArray[np.int64]
    bus_km: float
    peak: Floats
    boardings: Floats
    trips: float
    walked: float
    lost: float
    walk_h: float
    wait_h: float
    ride_h: float
    stand_h: float
    transfers: float
    weighed_h: float
    overload: float
    line_detour: Floats
    cost: float
    operator: float
    weighed_s: Floats
    by_bus: NDArray[np.bool_]
    taken: Floats

    @property
    def fleet(self) -> int:
        """Buses of all lines."""
        return int(self.buses.sum())

    @property
    def ridden(self) -> float:
        """Trips an hour by bus."""
        return self.trips - self.walked - self.lost

    @property
    def minutes(self) -> float:
        """Minutes on board that a trip is worth in the mean, the operator's cost not counted."""
        return 60.0 * self.weighed_h / self.trips if self.trips else 0.0

    @property
    def transfer_share(self) -> float:
        """Transfers by trips by bus."""
        return self.transfers / self.ridden if self.ridden else 0.0

    @property
    def transfers_or_lost(self) -> float:
        """Transfers by trips that are not made on foot; a trip that is lost counts as one.

        A network that drives away whoever would have to change has no transfers either.
        """
        rest = self.trips - self.walked
        return (self.transfers + self.lost) / rest if rest else 0.0

    def facts(self) -> dict[str, float]:
        """Means and sums, ready for JSON."""
        riders = max(self.ridden, 1e-9)
        return {
            "cost_per_h": self.cost,
            "operator_per_h": self.operator,
            "minutes": self.minutes,
            "fleet": self.fleet,
            "bus_km_per_h": self.bus_km,
            "trips_per_h": self.trips,
            "by_bus": self.ridden / max(self.trips, 1e-9),
            "on_foot": self.walked / max(self.trips, 1e-9),
            "lost": self.lost / max(self.trips, 1e-9),
            "mean_walk_min": 60.0 * self.walk_h / riders,
            "mean_wait_min": 60.0 * self.wait_h / riders,
            "mean_ride_min": 60.0 * self.ride_h / riders,
            "mean_stand_min": 60.0 * self.stand_h / riders,
            "transfers_per_trip": self.transfer_share,
            "overload_per_h": self.overload,
            "largest_line_detour": float(self.line_detour.max(initial=0.0)),
        }


class _Assigned(NamedTuple):
    """Passengers under given frequencies.

    Attributes:
        reached: the best journeys by bus.
        by_bus: `[N, N]` whether they are taken.
        taken: `[N, N]` trips an hour between the stops where they board and alight.
        load: `[S]` passengers an hour leaving each state.
        boarded: `[R]` passengers an hour boarding each line.
    """

    reached: Reached
    by_bus: NDArray[np.bool_]
    taken: Floats
    load: Floats
    boarded: Floats


class CostModel:
    """Costs of many sets of lines on one instance.

    Args:
        instance: stops, links, demand; `fleet` bounds the buses, `capacity` is theirs.
        prices: None for the defaults.
        settings: dwell, layover, and how buses drive; None for `Settings.city()`.

    Attributes:
        fastest_s: `[N, N]` of a bus that stops nowhere.
        limit_s: `[N, N]` what a journey is worth at most that anybody makes.
        on_foot_s: `[N, N]` what walking all the way is worth; `inf` where it is too far.
    """

    def __init__(
        self,
        instance: TransitInstance,
        prices: Prices | None = None,
        settings: Settings | None = None,
    ) -> None:
        self.instance = instance
        self.prices = prices or Prices()
        self.settings = settings or Settings.city()
        self.drive_s = road_s(instance, self.settings)
        self._demand = instance.demand * self.settings.demand_share
        self.fastest_s = instance.drive_s * (self.settings.road_factor)
        given = self.prices
        self.limit_s = given.most_journey_detour * self.fastest_s + 60.0 * given.patience_min
        self.on_foot_s = given.walk * walks_s(instance, given, 2.0 * given.most_way_m)
        self._near = nearest_stops(given.walk * walks_s(instance, given, given.most_way_m))
        self._detours: dict[tuple[int, ...], float] = {}

    @property
    def demand(self) -> Floats:
        """`[N, N]` trips an hour that may take the bus."""
        return self._demand

    def detours(self, lines: Iterable[tuple[int, ...]]) -> Floats:
        """`[R]` driving along each line by the fastest way between its ends (`line_detours`)."""
        if len(self._detours) > _MOST_KNOWN:
            self._detours.clear()
        found = []
        for line in lines:
            if line not in self._detours:
                (self._detours[line],) = line_detours(self.drive_s, self.fastest_s, (line,))
            found.append(self._detours[line])
        return np.array(found)

    def priced(self, prices: Prices) -> CostModel:
        """The same with other prices."""
        return CostModel(self.instance, prices, self.settings)

    def timetable(self, cost: NetworkCost) -> Timetable:
        """How lines are run that cost so much."""
        return Timetable(
            cost.per_h,
            cost.buses,
            self.drive_s,
            float(self.settings.dwell_s),
            float(self.settings.layover_s),
        )

    def of(
        self, lines: LinesLike, *, demand: Floats | None = None, per_h: Floats | None = None
    ) -> NetworkCost:
        """What lines cost.

        Args:
            lines: nodes in order.
            demand: `[N, N]` trips an hour; None for the instance's.
            per_h: `[R]` buses an hour, where they are given.

        Raises:
            ProblemError: a line cannot be run, or there are fewer buses than lines.
        """
        known = refuse_bad_lines(self.instance, lines)
        trips = self._demand if demand is None else demand
        flat = np.fromiter(chain.from_iterable(known), np.int64)
        begin = np.concatenate([[0], np.cumsum([len(line) for line in known], dtype=np.int64)])
        net = assign.network(flat, begin, self.drive_s)
        round_s = assign.cycles(
            net, float(self.settings.dwell_s), float(self.settings.layover_s)
        ).sum(axis=1)
        frequency = np.full(len(known), max(_FIRST_PER_H, self.prices.min_per_h))
        fixed = None if per_h is None else np.asarray(per_h, np.float64)
        for _ in range(0 if fixed is not None else _ROUNDS):
            found = self._assigned(net, frequency, trips)
            peak = assign.line_peaks(net, found.load)
            frequency = self._frequencies(found.boarded, peak, round_s)
        wanted = frequency if fixed is None else fixed
        buses = buses_for(wanted, round_s, self.instance.fleet, self.settings)
        frequency = runs_per_h(wanted, buses, round_s, self.settings)
        found = self._assigned(net, frequency, trips)
        return self._summed(known, net, trips, frequency, buses, found)

    def _assigned(self, net: assign.Network, per_h: Floats, trips: Floats) -> _Assigned:
        """Who travels how under given frequencies."""
        given = self.prices
        # Waits count `wait` times as much where buses come so many times as seldom.
        seldom = per_h / max(given.wait, 1e-6)
        plan = assign.itineraries(
            net, seldom, float(self.settings.dwell_s), 60.0 * given.transfer_min
        )
        reached = with_walking(plan.expected_s, *self._near)
        by_bus = reached.weighed_s < np.minimum(self.on_foot_s, self.limit_s)
        between = (reached.first * len(trips) + reached.last).ravel()
        moved = np.bincount(between, np.where(by_bus, trips, 0.0).ravel(), trips.size)
        taken = np.asarray(moved.reshape(trips.shape))
        load, boarded = assign.loads(net, seldom, taken, plan)
        return _Assigned(reached, by_bus, taken, load, boarded)

    def _frequencies(self, boarded: Floats, peak: Floats, round_s: Floats) -> Floats:
        given, hours = self.prices, round_s / 3600.0
        speed_km = 0.0 if self.instance.link_m is None else 20.0 * given.bus_km
        bus = given.bus_hour + speed_km
        best = np.sqrt(given.hour * given.wait * boarded / (2.0 * max(bus, 1e-9) * hours))
        needed = peak / (given.comfort * self.instance.capacity)
        return np.asarray(np.clip(np.maximum(best, needed), given.min_per_h, given.max_per_h))

    def _summed(
        self,
        lines: Lines,
        net: assign.Network,
        trips: Floats,
        per_h: Floats,
        buses: NDArray[np.int64],
        found: _Assigned,
    ) -> NetworkCost:
        reached, by_bus, taken, load, boarded = found
        given, moving = self.prices, np.isfinite(net.ride_s)
        best_s = np.minimum(np.minimum(reached.weighed_s, self.on_foot_s), self.limit_s)
        on_foot = ~by_bus & (self.on_foot_s <= self.limit_s)
        weighed_h = float((trips * best_s)[trips > 0].sum()) / 3600.0
        steps_s = np.where(moving, net.ride_s, 0.0) + self.settings.dwell_s
        ride_h = float((load * steps_s)[moving].sum()) / 3600.0
        seats = given.seats * self.instance.capacity * per_h[net.line]
        stand_h = float((np.maximum(load - seats, 0.0) * steps_s)[moving].sum()) / 3600.0
        walk_h = float((trips[by_bus] * reached.walk_s[by_bus]).sum()) / 3600.0
        walk_h /= max(given.walk, 1e-9)
        transfers = max(0.0, float(boarded.sum()) - float(trips[by_bus].sum()))
        rides_s = reached.weighed_s[by_bus] - reached.walk_s[by_bus]
        between_h = float((trips[by_bus] * rides_s).sum())
        wait_h = between_h / 3600.0 - ride_h - given.transfer_min / 60.0 * transfers
        peak = assign.line_peaks(net, load)
        metres = self.drive_s if self.instance.link_m is None else self.instance.link_m
        after = np.roll(net.node, -1)
        unit = 30.0 / 3600.0 if self.instance.link_m is None else 1e-3
        lengths = np.where(moving, metres[net.node, after], 0.0)
        bus_km = unit * float((lengths * per_h[net.line])[moving].sum())
        room = per_h * self.instance.capacity
        overload = float(np.maximum(peak - room, 0.0).sum())
        operator = given.bus_hour * float(buses.sum()) + given.bus_km * bus_km
        # Who finds no room waits for a bus that has some: as if an hour were lost.
        stood_h = (given.stand - 1.0) * stand_h
        cost = operator + given.hour * (weighed_h + stood_h + overload)
        return NetworkCost(
            per_h=per_h,
            buses=buses,
            bus_km=bus_km,
            peak=peak,
            boardings=boarded,
            trips=float(trips.sum()),
            walked=float(trips[on_foot].sum()),
            lost=float(trips[~by_bus & ~on_foot].sum()),
            walk_h=walk_h,
            wait_h=max(0.0, wait_h / max(given.wait, 1e-9)),
            ride_h=ride_h,
            stand_h=stand_h,
            transfers=transfers,
            weighed_h=weighed_h,
            overload=overload,
            line_detour=self.detours(lines),
            cost=cost,
            operator=operator,
            weighed_s=best_s,
            by_bus=by_bus,
            taken=taken,
        )


def line_detours(drive_s: Floats, fastest_s: Floats, lines: Lines) -> Floats:
    """`[R]` driving along each line by the fastest way between its ends, the worse direction.

    A ring, which ends where it begins, is held to be two lines to its farthest stop.

    Args:
        drive_s: `[N, N]` seconds of links.
        fastest_s: `[N, N]` seconds of the fastest ways.
        lines: nodes of each.
    """
    return np.array([_detour(drive_s, fastest_s, line) for line in lines])


def _detour(drive_s: Floats, fastest_s: Floats, line: tuple[int, ...]) -> float:
    if line[0] == line[-1] and len(line) > 2:
        far = int(fastest_s[line[0], list(line)].argmax())
        halves = line[: far + 1], line[far:]
        return max(_detour(drive_s, fastest_s, half) for half in halves)
    worst = 1.0
    for nodes in (line, line[::-1]):
        along = float(drive_s[list(nodes[:-1]), list(nodes[1:])].sum())
        direct = float(fastest_s[nodes[0], nodes[-1]])
        worst = max(worst, along / direct if direct > 0 else np.inf)
    return worst
