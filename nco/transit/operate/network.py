"""The network that a feed describes, on the streets of a city: lines, headways, vehicles."""

from __future__ import annotations

import logging
import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nco.arrays import ByValue, Floats
from nco.data.cities.roads import haversine_m
from nco.errors import CityError, InputError, counted, quoted
from nco.transit.instance.bus_speeds import BusSpeeds
from nco.transit.instance.city import demand_of, names_by_streets, ways_on_foot
from nco.transit.instance.links import neighbour_links
from nco.transit.instance.stops import draw_stops, spread
from nco.transit.instance.transit_instance import TransitInstance
from nco.transit.operate.blocks import blocks_of
from nco.transit.operate.periods import DayType, Period, Trip
from nco.transit.sources.gtfs_feed import FeedDay, FeedTrip, read_feed
from nco.transit.sources.gtfs_stops import read_gtfs_stop_names, read_gtfs_stops

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable
    from datetime import date

    from numpy.typing import ArrayLike

    from nco.transit.instance.lines import Lines
    from nco.transit.instance.streets import SampledCity

logger = logging.getLogger("nco")

PERIODS_H = ((5.0, 6.5), (6.5, 9.0), (9.0, 15.0), (15.0, 18.5), (18.5, 24.0))
_SPACING_M = 150.0  # stops on both sides of a street are one
_LEAST_SHARE = 0.15  # of a route's trips, for a pattern to be a line of its own
_LEAST_S = 5.0  # of a link
_NUMBERS = re.compile(r"([0-9]{1,9})")
_ONE_WAY = 0.05  # share of a line's trips, at most, that run against all others


@dataclass(frozen=True, eq=False)
class Network(ByValue):
    """Lines as they run, on an instance that has a link wherever they go.

    Attributes:
        instance: stops and links; links that lines use take what the timetable says.
        lines: nodes of each.
        names: of the lines.
        periods: of the day that was read.
        per_h: `[P, R]` buses an hour and direction of each line in each period.
        fleet: vehicles that the timetable takes, as many as are out at once: its blocks, or, where
            it has none, those that could run its trips without changing routes.
        blocks: whether that is what the feed says.
        kept: share of the trips of the feed that lines stand for.
        dwell_s: how long doors are open, which the links' times are without.
        layover_s: at the ends.
        one_way: names of lines that nearly all trips run in one direction only, rings among them.
            Lines run both ways here, so that half of their buses are taken to run in either.
    """

    instance: TransitInstance
    lines: Lines
    names: tuple[str, ...]
    periods: tuple[Period, ...]
    per_h: Floats
    fleet: int
    blocks: bool
    kept: float
    dwell_s: float
    layover_s: float
    one_way: tuple[str, ...] = ()

    def busiest(self) -> int:
        """The period in which most buses run."""
        rounds = np.array([_round_s(self, line) for line in self.lines])
        return int((self.per_h * rounds).sum(axis=1).argmax())


def _round_s(network: Network, line: tuple[int, ...]) -> float:
    link_s, steps = network.instance.link_s, list(pairwise(line))
    both = sum(link_s[a, b] + link_s[b, a] for a, b in steps)
    return float(both + 2 * len(steps) * network.dwell_s + 2 * network.layover_s)


def from_feed(
    city: SampledCity,
    feed: str | Path,
    *,
    day: str | date | None = None,
    spacing_m: float = _SPACING_M,
    speeds: BusSpeeds | None = None,
    dwell_s: float = 20.0,
    layover_s: float = 120.0,
    more_stops: int = 0,
    foot: SampledCity | None = None,
    demand: str | Path | ArrayLike | None = None,
    trips_per_hour: float = 10_000.0,
    seed: int = 0,
    **fields: Any,
) -> Network:
    """Read a feed as a network on the streets of a city.

    Stops nearer to one another than `spacing_m` become one. Each route has as many lines as it has
    patterns that run often and are no part of a longer one; trips of the others count for the
    nearest. Links that lines use take what the timetable says in the mean, less the dwell; all
    other links between neighbours take what buses take on the streets.

    Args:
        city: measures times; stops outside of it are left out, and lines are cut there.
        feed: a `.zip` or a folder.
        day: see `nco.transit.sources.gtfs_feed.read_feed`.
        spacing_m: see above.
        speeds: of buses on links without lines; None for the defaults.
        dwell_s: how long doors are open at a stop, where the feed has vehicles stand nowhere: its
            times from stop to stop then hold the dwell.
        layover_s: least time at the ends.
        more_stops: how many stops to draw where no line runs today, so that lines can lead there.
        foot: see `nco.transit.instance.city.from_city`.
        demand: see `nco.transit.instance.city.from_city`; names are those of the feed's stops, or
            their ids.
        trips_per_hour: see there.
        seed: see there; of further stops as well.
        **fields: further fields of `TransitInstance`: fleet, capacity, name.

    Raises:
        CityError: fewer than two stops lie in the city, or some do not reach one another.
        FormatError: the feed is wrong; the message names file and line.
        InputError: nothing runs on that day, or no line lies in the city.
        StorageError: the feed cannot be read.
    """
    found = read_feed(feed, day)
    lonlat, names, node_of = _stops(city, feed, found, spacing_m)
    if more_stops:
        lonlat, names = _with_more(city, lonlat, names, more_stops, spacing_m, seed)
    patterns = _patterns(found, node_of)
    lines, titles, departures, one_way = _lines(patterns)
    if not lines:
        raise InputError(f"no line of {feed} has two stops in {city.name}; is it the right city?")
    stood_s = _stood_s(found)
    within_s, dwell_s = (0.0, stood_s) if stood_s >= 1.0 else (dwell_s, dwell_s)
    instance = _instance(
        city, lonlat, names, lines, patterns, speeds or BusSpeeds(), within_s, fields
    )
    instance = instance.changed(walk_m=ways_on_foot(foot, lonlat))
    gravity = {"trips_per_hour": trips_per_hour, "decay_s": 900.0, "walk_m": 1000.0}
    instance = instance.changed(demand=demand_of(instance, demand, node_of, seed, gravity, foot))
    periods = tuple(
        Period(DayType("day read", (found.day.strftime("%A").lower(),)), 3600 * a, 3600 * b)
        for a, b in PERIODS_H
    )
    per_h = np.array(
        [
            [
                sum(period.first_s <= start_s < period.last_s for start_s in starts)
                / (2.0 * period.hours)
                for starts in departures
            ]
            for period in periods
        ]
    )
    fleet, blocks = _fleet(found, patterns, layover_s)
    kept = sum(map(len, departures)) / max(len(found.trips), 1)
    return Network(
        instance, lines, titles, periods, per_h, fleet, blocks, kept, dwell_s, layover_s, one_way
    )


def _stops(
    city: SampledCity, feed: str | Path, found: FeedDay, spacing_m: float
) -> tuple[Floats, tuple[str, ...], dict[str, int]]:
    """Places and names of nodes, and the node of each stop that lies in the city."""
    (ids, everywhere), titles = read_gtfs_stops(feed), read_gtfs_stop_names(feed)
    used = {stop for trip in found.trips for stop in trip.stops}
    unknown = sorted(used - set(ids))
    if unknown:
        logger.warning(
            "%s: trips call at %s, which %s not in stops.txt; they pass there",
            feed, counted(len(unknown), "stop"), "is" if len(unknown) == 1 else "are",
        )  # fmt: skip
    inside = city.covers(everywhere)
    here = [k for k, one in enumerate(ids) if one in used and inside[k]]
    if len(here) < 2:
        raise CityError(f"{len(here)} stops of {feed} lie in {city.name}; a line needs 2 or more")
    logger.info("%d of %d stops in use lie in %s", len(here), len(used), city.name)
    lonlat = everywhere[here]
    kept = np.sort(spread(lonlat, len(lonlat), spacing_m))
    nearest = haversine_m(lonlat[:, None], lonlat[kept][None]).argmin(axis=1)
    node_of = {ids[k]: int(node) for k, node in zip(here, nearest, strict=True)}
    names = _different([titles.get(ids[here[k]], ids[here[k]]) for k in kept])
    return lonlat[kept], names, node_of


def _with_more(
    city: SampledCity,
    lonlat: Floats,
    names: tuple[str, ...],
    count: int,
    spacing_m: float,
    seed: int,
) -> tuple[Floats, tuple[str, ...]]:
    """Stops of the feed and further ones, no nearer to them than these are to one another."""
    drawn = draw_stops(city, count, seed)
    away_m = haversine_m(drawn[:, None], lonlat[None]).min(axis=1)
    fresh = drawn[away_m >= spacing_m]
    called = names_by_streets(city, fresh) or tuple(f"new stop {k + 1}" for k in range(len(fresh)))
    return np.concatenate([lonlat, fresh]), _different([*names, *called])


def _different(names: list[str]) -> tuple[str, ...]:
    seen: Counter[str] = Counter()
    taken, found = set(names), []
    for name in names:
        seen[name] += 1
        own, number = name, seen[name]
        while seen[name] > 1 and (own in taken):
            own = f"{name} ({number})"
            number += 1
        taken.add(own)
        found.append(own)
    return tuple(found)


@dataclass
class _Pattern:
    """Trips of a route over the same nodes in the same order."""

    route: str
    nodes: tuple[int, ...]
    trips: list[tuple[FeedTrip, tuple[int, ...]]]


def _patterns(found: FeedDay, node_of: dict[str, int]) -> list[_Pattern]:
    """Patterns of all routes, the most frequent first."""
    by_key: dict[tuple[str, tuple[int, ...]], _Pattern] = {}
    for trip in found.trips:
        # The longest stretch in the city, stops that are one taken once.
        for places in _stretches(trip, node_of):
            nodes = tuple(node_of[trip.stops[k]] for k in places)
            own = by_key.setdefault((trip.route, nodes), _Pattern(trip.route, nodes, []))
            own.trips.append((trip, places))
    return sorted(by_key.values(), key=lambda one: (-len(one.trips), -len(one.nodes), one.nodes))


def _stretches(trip: FeedTrip, node_of: dict[str, int]) -> list[tuple[int, ...]]:
    best: list[int] = []
    own: list[int] = []
    for k, stop in enumerate(trip.stops):
        if stop not in node_of:
            own = []
            continue
        if not own or node_of[trip.stops[own[-1]]] != node_of[stop]:
            own.append(k)
        if len(own) > len(best):
            best = list(own)
    return [tuple(best)] if len(best) > 1 else []


def _lines(
    patterns: list[_Pattern],
) -> tuple[Lines, tuple[str, ...], list[list[float]], tuple[str, ...]]:
    """Lines, their names, the departures that each stands for, and which run one way only.

    Departures are those of both directions together.
    """
    by_route: dict[str, list[_Pattern]] = defaultdict(list)
    for one in patterns:
        by_route[one.route].append(one)
    lines: list[tuple[int, ...]] = []
    names: list[str] = []
    departures: list[list[float]] = []
    one_way: list[str] = []
    for route in sorted(by_route, key=_as_counted):
        own = by_route[route]
        total = sum(len(one.trips) for one in own)
        mains: list[tuple[int, ...]] = []
        for one in own:
            often = len(one.trips) >= _LEAST_SHARE * total
            if not mains or (often and not any(_part(one.nodes, main) for main in mains)):
                mains = [main for main in mains if not _part(main, one.nodes)] + [one.nodes]
        starts: list[list[float]] = [[] for _ in mains]
        ways = [Counter[bool]() for _ in mains]
        for one in own:
            shared = [len(set(one.nodes) & set(main)) / len(set(main)) for main in mains]
            k = int(np.argmax(shared))
            starts[k] += [trip.leave_s[places[0]] for trip, places in one.trips]
            ways[k][_forward(one.nodes, mains[k])] += len(one.trips)
        for k, main in enumerate(mains):
            lines.append(main)
            names.append(route if len(mains) == 1 else f"{route}{chr(97 + k % 26)}")
            departures.append(starts[k])
            if min(ways[k][True], ways[k][False]) <= _ONE_WAY * ways[k].total():
                one_way.append(names[-1])
    return tuple(lines), tuple(names), departures, tuple(one_way)


def _as_counted(name: str) -> list[tuple[int, str]]:
    """A key by which line 2 comes before line 10."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in _NUMBERS.split(name)]


def _forward(nodes: tuple[int, ...], main: tuple[int, ...]) -> bool:
    """Whether a pattern comes by the stops of a line in the line's order rather than backwards."""
    place = {node: k for k, node in reversed(list(enumerate(main)))}
    at = [place[node] for node in nodes if node in place]
    # A ring comes back to its first stop: that one step says nothing.
    return sum(int(np.sign(b - a)) for a, b in pairwise(at)) >= 0


def _part(short: tuple[int, ...], long: tuple[int, ...]) -> bool:
    """Whether nearly all stops of a pattern are another's, in whatever direction."""
    return len(set(short) & set(long)) >= 0.8 * len(set(short))


def _instance(
    city: SampledCity,
    lonlat: Floats,
    names: tuple[str, ...],
    lines: Lines,
    patterns: list[_Pattern],
    speeds: BusSpeeds,
    within_s: float,
    fields: dict[str, Any],
) -> TransitInstance:
    """Stops and links; `within_s` of the feed's time from stop to stop is dwell."""
    table = city.matrix(lonlat, names=names)
    if np.isinf(table.duration_s).any():
        i, j = (int(k) for k in np.argwhere(np.isinf(table.duration_s))[0])
        raise CityError(
            f"no street leads from stop {quoted(names[i])} to {quoted(names[j])} in {city.name}; "
            "a larger extract may have one"
        )
    bus_s = speeds.run_s(np.maximum(table.duration_s, 1.0), np.maximum(table.distance_m, 1.0))
    here = np.eye(len(lonlat), dtype=bool)
    linked = neighbour_links(np.where(here, 0.0, np.maximum(table.duration_s, 1.0)))
    for line in lines:
        for a, b in pairwise(line):
            linked[a, b] = linked[b, a] = True
    link_s = np.where(linked, np.maximum(bus_s, _LEAST_S), np.inf)
    took: dict[tuple[int, int], list[float]] = defaultdict(list)
    for one in patterns:
        for trip, places in one.trips:
            for (a, b), (i, j) in zip(pairwise(one.nodes), pairwise(places), strict=True):
                took[a, b].append(trip.arrive_s[j] - trip.leave_s[i])
    for (a, b), times_s in took.items():
        if linked[a, b]:
            link_s[a, b] = max(_LEAST_S, float(np.mean(times_s)) - within_s)
    np.fill_diagonal(link_s, 0.0)
    link_m = np.where(linked, np.maximum(table.distance_m, 1.0), np.inf)
    np.fill_diagonal(link_m, 0.0)
    given: dict[str, Any] = {
        "name": city.name,
        "lines": len(lines),
        "max_stops": max(map(len, lines)),
    } | fields
    return TransitInstance(
        link_s=link_s,
        link_m=link_m,
        lonlat=lonlat,
        names=names,
        moved_m=table.moved_m if table.moved_m is not None else np.zeros(len(lonlat)),
        **given,
    )


def _stood_s(found: FeedDay) -> float:
    """Seconds that vehicles stand at a stop by the feed, in the mean; many feeds say none."""
    stood = [
        leave_s - arrive_s
        for trip in found.trips
        for arrive_s, leave_s in zip(trip.arrive_s[1:-1], trip.leave_s[1:-1], strict=True)
    ]
    return float(np.mean(stood)) if stood else 0.0


def _at_once(blocks: Iterable[Hashable], out_s: Iterable[tuple[float, float]]) -> int:
    """Most blocks that are out at the same time.

    Args:
        blocks: of each trip.
        out_s: when each trip begins and ends.
    """
    first: dict[Hashable, float] = {}
    last: dict[Hashable, float] = {}
    for block, (begin_s, end_s) in zip(blocks, out_s, strict=True):
        first[block] = min(begin_s, first.get(block, np.inf))
        last[block] = max(end_s, last.get(block, -np.inf))
    moments = [(at_s, 1) for at_s in first.values()] + [(at_s, -1) for at_s in last.values()]
    out = np.cumsum([step for _, step in sorted(moments)])
    return int(out.max())


def _fleet(found: FeedDay, patterns: list[_Pattern], layover_s: float) -> tuple[int, bool]:
    """Vehicles of the day, and whether the feed's blocks say so."""
    trips = [trip for one in patterns for trip, _ in one.trips]
    if trips and all(trip.block for trip in trips):
        times_s = [(trip.leave_s[0], trip.arrive_s[-1]) for trip in trips]
        return _at_once([trip.block for trip in trips], times_s), True
    numbers = {name: k for k, name in enumerate(found.routes)}
    runs = [
        Trip(
            "day",
            numbers[one.route],
            0,
            one.nodes,
            trip.leave_s[places[0]],
            (trip.leave_s[places[0]], trip.arrive_s[places[-1]]),
            0.0,
            trip.arrive_s[places[-1]] + layover_s,
            0,
        )
        for one in patterns
        for trip, places in one.trips
    ]
    nodes = 1 + max((node for run in runs for node in run.nodes), default=0)
    # A vehicle goes on from where it ends; another end of its route is a short walk of the bus.
    empty_s = np.full((nodes, nodes), 600.0)
    np.fill_diagonal(empty_s, 0.0)
    blocks = blocks_of(runs, empty_s, interline=False)
    # A vehicle that went home after the morning's peak is there for the evening's.
    return _at_once(blocks, [(run.start_s, run.ready_s) for run in runs]), False
