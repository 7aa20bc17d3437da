"""The checker's own way to the cheapest times of a vehicle: it tries them.

In cheapest times, whatever is done one after the other without waiting touches some hour that the
problem names: a window, a soft window, a break, a shift, a change of traffic. So there are finitely
many times worth trying at each place: these hours, and what must be done by then further on.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from nco.problem.problem import Problem
from nco.problem.vehicle import Vehicle

SLACK_S = 1e-6  # seconds by which rounding may make something late
LITTLE = 1e-6  # price of a second on duty beside penalties where it costs nothing
ROUND = 7  # digits behind the point at which two times are the same


def place_of(
    problem: Problem,
    vehicle: Vehicle,
    j: int,
    hours: tuple[float, float],
    onward: tuple[float, float],
) -> Place:
    """A node of a problem.

    Args:
        problem: that it is of.
        vehicle: that serves it.
        j: node.
        hours: when a depot is passed; stops have windows of their own.
        onward: seconds to the next node: of driving, and of anything else.
    """
    weight, serves = problem.objective.soft_windows, float(problem.service_s[j])
    if vehicle.service_s is not None:
        serves = float(vehicle.service_s[j])
    windows = [hours]
    if j >= problem.depots:
        opens, closes = map(float, problem.window_s[j])
        windows = [(opens, closes), *problem.more_windows_s.get(j, ())]
    return Place(
        windows=sorted(windows),
        serves=serves,
        soft=(float(problem.soft_window_s[j][0]), float(problem.soft_window_s[j][1])),
        early=weight * float(problem.early_per_s[j]),
        late=weight * float(problem.late_per_s[j]),
        drive=onward[0],
        beside=onward[1],
    )


class Place(NamedTuple):
    """A node on the way.

    Attributes:
        windows: when one may begin.
        serves: seconds of service.
        soft: when it costs nothing.
        early: price of a second before.
        late: price of a second after.
        drive: seconds to the next place in usual traffic.
        beside: seconds of loading, unloading and set-up on that way, at its end.
    """

    windows: Sequence[tuple[float, float]]
    serves: float
    soft: tuple[float, float]
    early: float
    late: float
    drive: float
    beside: float

    def price(self, start: float) -> float:
        """What it costs to begin at a time."""
        early = self.early * max(0.0, self.soft[0] - start) if self.early else 0.0
        return early + (self.late * max(0.0, start - self.soft[1]) if self.late else 0.0)


@dataclass(frozen=True)
class Timing:
    """Times of a vehicle.

    Attributes:
        starts: at each place.
        arrivals: at each place.
        missed: breaks that it does not take.
        kept: whether all hours are kept.
    """

    starts: tuple[float, ...]
    arrivals: tuple[float, ...]
    missed: tuple[int, ...]
    kept: bool


class _Stand(NamedTuple):
    """What one has done: cost so far, when, breaks taken, driven since a rest, all times."""

    cost: float
    now: float
    taken: int
    driven: float
    starts: tuple[float, ...]
    arrivals: tuple[float, ...]


class Driver:
    """A vehicle on its way.

    Args:
        problem: whose weights count.
        vehicle: with its breaks.
        places: in order.
        priced: False to look for the shortest duty before anything else.
    """

    def __init__(
        self, problem: Problem, vehicle: Vehicle, places: Sequence[Place], *, priced: bool = True
    ) -> None:
        weights = problem.objective
        self._vehicle = vehicle
        self._places = places
        self._traffic = problem.profiles[vehicle.profile].traffic
        self._over = weights.overtime * vehicle.cost_per_overtime_s
        self._rate = weights.duration * vehicle.cost_per_s
        prices = [x for p in places for x in (p.early, p.late) if x]
        prices += [self._over] if self._over else []
        if not priced:
            self._rate = max(prices) / LITTLE if prices else 1.0
        elif not self._rate:
            self._rate = LITTLE * min(prices) if prices else 1.0
        self._at_stops = vehicle.rest is not None or bool(self._traffic)

    def drive(self, leaves: float, seconds: float) -> float:
        """When one arrives, period after period."""
        begins = [begin for begin, _ in self._traffic] + [math.inf]
        factors = [1.0] + [factor for _, factor in self._traffic]
        for begin, factor in zip(begins, factors, strict=True):
            if leaves >= begin:
                continue
            if (begin - leaves) * factor >= seconds:
                return leaves + seconds / factor
            seconds -= (begin - leaves) * factor
            leaves = begin
        return math.inf

    def _leaves(self, arrives: float, seconds: float) -> float:
        """When one must leave, period before period."""
        for begin, factor in reversed(self._traffic):
            if begin < arrives:
                if (arrives - begin) * factor >= seconds:
                    return arrives - seconds / factor
                seconds -= (arrives - begin) * factor
                arrives = begin
        return arrives - seconds

    def _hours(self) -> list[set[float]]:
        """Times worth trying at each place, from the last one backwards."""
        vehicle, found = self._vehicle, list[set[float]]()
        soonest, latest = self._bounds()
        lengths = {0.0}
        for one in vehicle.breaks:
            lengths |= {length + one.length_s for length in lengths}
        if vehicle.rest is not None:
            driven = sum(p.drive for p in self._places)
            most = 2 + int(driven / vehicle.rest.after_driving_s) if math.isfinite(driven) else 2
            rests = [n * vehicle.rest.length_s for n in range(most + 1)]
            lengths = {length + rest for length in lengths for rest in rests}
        behind: set[tuple[float, float]] = set()  # with what breaks and rests took until then
        for n in range(len(self._places) - 1, -1, -1):
            place = self._places[n]
            own = {t for window in place.windows for t in window}
            own |= set(place.soft) if place.early or place.late else set()
            for one in vehicle.breaks:
                opens, closes = one.window_s
                own |= {opens, opens + one.length_s, opens - place.serves, closes - place.serves}
                own |= {closes, closes + one.length_s}
            for begin, _ in self._traffic:
                own |= {begin, begin - place.serves}
            if n == len(self._places) - 1 and self._over:
                own.add(vehicle.overtime_after_s)
            before = {
                (self._leaves(time - place.beside - length, place.drive), spent + length)
                for time, spent in behind
                for length in lengths
                if spent + length in lengths
            }
            behind = {(t, 0.0) for t in own if math.isfinite(t)}
            behind |= {(t - place.serves, spent) for t, spent in before}
            behind = {(t, spent) for t, spent in behind if t <= latest[n]}
            found.append({round(t, ROUND) for t, _ in behind if t >= soonest[n]})
        return found[::-1]

    def _bounds(self) -> tuple[list[float], list[float]]:
        """When each place is begun at the soonest and at the latest, without any break."""
        soonest, latest = [self._places[0].windows[0][0]], [self._places[-1].windows[-1][1]]
        for place, there in pairwise(self._places):
            now = self.drive(soonest[-1] + place.serves, place.drive) + place.beside
            soonest.append(max(now, there.windows[0][0]))
        for place in reversed(self._places[:-1]):
            leaves = math.inf
            if math.isfinite(latest[-1]):
                leaves = self._leaves(latest[-1] - place.beside, place.drive)
            latest.append(min(leaves - place.serves, place.windows[-1][1]))
        return soonest, latest[::-1]

    def cheapest(self) -> Timing | None:
        """Times that keep all hours and breaks at least cost; None if there are none."""
        hours = self._hours()
        stands = list(self._departures(hours[0]))
        for n in range(len(self._places) - 1):
            arrived = list(self._onward(stands, n))
            waited = self._begun(arrived, self._places[n + 1], hours[n + 1])
            stands = _best(waited)
        ends = [
            (stand.cost + self._rate * stand.now + self._overtime(stand.now), stand.now, stand)
            for stand in self._ended(stands)
        ]
        if not ends:
            return None
        least = min(cost for cost, *_ in ends)
        close = least + 1e-12 * max(1.0, abs(least))
        stand = min((end for end in ends if end[0] <= close), key=lambda end: end[1])[2]
        return Timing(stand.starts, stand.arrivals, (), kept=True)

    def _overtime(self, end: float) -> float:
        after = self._vehicle.overtime_after_s
        return self._over * (end - after) if self._over and end > after else 0.0

    def _departures(self, hours: Iterable[float]) -> Iterator[_Stand]:
        free = -math.inf
        for taken in range(len(self._vehicle.breaks) + 1):
            if taken:
                one = self._vehicle.breaks[taken - 1]
                free = max(free, one.window_s[0]) + one.length_s
            for opens, closes in self._places[0].windows:
                for time in {*hours, opens, max(opens, free)}:
                    if max(opens, free) <= time <= _by(closes):
                        yield _Stand(-self._rate * time, time, taken, 0.0, (time,), (time,))

    def _ended(self, stands: Iterable[_Stand]) -> Iterator[_Stand]:
        """Ends of duty; the breaks that are left are taken afterwards."""
        for stand in stands:
            now, fits = stand.now, True
            for one in self._vehicle.breaks[stand.taken :]:
                fits = fits and now <= _by(one.window_s[1])
                now = max(now, one.window_s[0]) + one.length_s
            if fits:
                yield stand

    def _breaks_here(self, stands: Iterable[_Stand]) -> Iterator[_Stand]:
        rest = self._vehicle.rest
        for stand in stands:
            while stand.taken < len(self._vehicle.breaks):
                one = self._vehicle.breaks[stand.taken]
                begin = max(stand.now, one.window_s[0])
                if begin > _by(one.window_s[1]):
                    break
                rested = rest is not None and one.length_s >= rest.length_s
                stand = stand._replace(
                    now=begin + one.length_s,
                    taken=stand.taken + 1,
                    driven=0.0 if rested else stand.driven,
                )
                yield stand

    def _onward(self, stands: Sequence[_Stand], n: int) -> Iterator[_Stand]:
        """Arrivals at the next place, breaks taken there included."""
        place, vehicle = self._places[n], self._vehicle
        ready = [stand._replace(now=stand.now + place.serves) for stand in stands]
        if self._at_stops:
            ready += list(self._breaks_here(ready))
        arrived = []
        for stand in ready:
            there = self.drive(stand.now, place.drive)
            here = stand._replace(arrivals=(*stand.arrivals, there), now=there)
            if vehicle.rest is None:
                arrived.append(here)
            else:
                arrived += self._rested(here, place.drive)
            if not self._at_stops and stand.taken < len(vehicle.breaks):
                one = vehicle.breaks[stand.taken]
                begin = max(stand.now, one.window_s[0])
                if begin <= _by(one.window_s[1]):
                    late = there + one.length_s if begin < there else there
                    arrived.append(
                        here._replace(
                            now=max(there, one.window_s[0]) + one.length_s,
                            taken=stand.taken + 1,
                            arrivals=(*stand.arrivals, late),
                        )
                    )
        for stand in (*arrived, *self._breaks_here(arrived)):
            yield stand._replace(now=stand.now + place.beside)

    def _rested(self, stand: _Stand, drive: float) -> list[_Stand]:
        rest = self._vehicle.rest
        if rest is None or not math.isfinite(drive):
            return []
        driven, needed = stand.driven + drive, 0
        while driven > rest.after_driving_s * (1 + 1e-9):
            driven -= rest.after_driving_s
            needed += 1
        late = stand.now + needed * rest.length_s
        arrivals = (*stand.arrivals[:-1], late)
        return [
            stand._replace(now=late, driven=driven, arrivals=arrivals),
            stand._replace(now=late + rest.length_s, driven=0.0, arrivals=arrivals),
        ]

    def _begun(
        self, stands: Iterable[_Stand], place: Place, hours: Iterable[float]
    ) -> Iterator[_Stand]:
        for stand in stands:
            times = [stand.now]
            if place.early:
                first = place.soft[0]  # which `hours` has too, rounded
                times += [t for t in hours if stand.now < t < first]
                times += [first] if stand.now < first else []
            for time in times:
                start = _opened(place, time)
                if start <= _by(place.windows[-1][1]):
                    cost = stand.cost + place.price(start)
                    yield stand._replace(now=start, cost=cost, starts=(*stand.starts, start))

    def soonest(self) -> Timing:
        """Times of who does all as soon as possible, windows and breaks missed or not."""
        vehicle, places = self._vehicle, self._places
        now = places[0].windows[0][0]
        starts, arrivals, missed = [now], [now], list[int]()
        owed = [k for k, b in enumerate(vehicle.breaks) if b.window_s[0] + b.length_s > now]
        driven, rest = 0.0, vehicle.rest
        for place, there in pairwise(places):
            now, drive = now + place.serves, place.drive
            while owed and vehicle.breaks[owed[0]].window_s[1] < now:
                missed.append(owed.pop(0))
            while owed:
                one = vehicle.breaks[owed[0]]
                begin = max(now, one.window_s[0])
                if begin > one.window_s[1] or one.window_s[0] > _opened(
                    there, self.drive(now, drive)
                ):
                    break
                if self._at_stops or one.window_s[0] <= now:
                    now = begin + one.length_s
                else:  # driven until then, as far as there is a way to drive
                    now = max(now, one.window_s[0] - drive) + one.length_s
                if rest is not None and one.length_s >= rest.length_s:
                    driven = 0.0
                owed.pop(0)
            if rest is not None and math.isfinite(drive):
                while driven + drive > rest.after_driving_s * (1 + 1e-9):
                    part = rest.after_driving_s - driven
                    now, drive, driven = self.drive(now, part) + rest.length_s, drive - part, 0.0
                driven += drive
            now = self.drive(now, drive) + place.beside
            arrivals.append(now)
            now = _opened(there, now)
            starts.append(now)
        missed += [k for k in owed if vehicle.breaks[k].window_s[1] < now]
        return Timing(tuple(starts), tuple(arrivals), tuple(missed), kept=False)


def _opened(place: Place, time: float) -> float:
    for opens, closes in place.windows:
        if time <= _by(closes):
            return max(time, opens)
    return time


def _by(limit: float) -> float:
    """A limit with what rounding may add to it."""
    return limit + SLACK_S * max(1.0, abs(limit) * 1e-6) if math.isfinite(limit) else limit


def _best(stands: Iterable[_Stand]) -> list[_Stand]:
    """Those that no other one beats in cost, time, breaks and driving."""
    alike: dict[tuple[int, float], list[_Stand]] = {}
    for stand in stands:
        alike.setdefault((stand.taken, round(stand.driven, ROUND)), []).append(stand)
    kept: dict[tuple[int, float], list[_Stand]] = {}
    for key, own in alike.items():
        own.sort(key=lambda s: (s.now, s.cost))
        kept[key] = []
        for stand in own:
            if not kept[key] or stand.cost < kept[key][-1].cost:
                kept[key].append(stand)
    found = []
    for (taken, driven), own in kept.items():
        others = [
            ([s.now for s in known], [s.cost for s in known])
            for (more, less), known in kept.items()
            if more >= taken and less <= driven and (more, less) != (taken, driven)
        ]
        for stand in own:
            places = [(bisect_right(times, stand.now), costs) for times, costs in others]
            if not any(k and costs[k - 1] <= stand.cost for k, costs in places):
                found.append(stand)
    return found
