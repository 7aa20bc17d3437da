"""Stops that no answer can serve, whatever it does with all others, found before it is planned.

Only what is certain is said. Ways may lead through other stops, so that the fastest arc away and
the fastest one there count where they are faster than the direct one.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import pairwise
from time import perf_counter
from typing import NamedTuple

import numpy as np

from nco.arrays import Floats
from nco.errors import quoted
from nco.problem.given import given_problem
from nco.problem.passages import services
from nco.problem.problem import Problem
from nco.problem.tied.different_vehicles import DifferentVehicles
from nco.problem.tied.same_vehicle import SameVehicle
from nco.problem.tied.tie import Tie
from nco.problem.tolerance import slack
from nco.problem.trying import Unit, stops_of, units
from nco.problem.vehicle import Profile, Vehicle

UNITS = {"minutes": 60.0, "hours": 3600.0, "milliseconds": 1e-3}
"""What times may have been meant in, and the seconds of one."""


@dataclass(frozen=True)
class Contradiction:
    """Stops that must be served and cannot be.

    Attributes:
        stops: one, or those that are served together or of which one is.
        text: which they are and why, in words.
        reason: why alone; of several stops it names them.
    """

    stops: tuple[int, ...]
    text: str
    reason: str


def contradictions(problem: Problem) -> tuple[Contradiction, ...]:
    """Stops that must be served and that no vehicle can, each alone or with what it is tied to.

    Of stops that may be left out nothing is said. `nco.solve` leaves these out and plans the
    others; circular orders and the like are refused when a problem is made.

    Args:
        problem: to look at.

    Raises:
        ProblemError: it is something else.
    """
    return tuple(_found(given_problem(problem), problem.stops))


def reasons_of(
    problem: Problem, among: Iterable[int], within_s: float = math.inf
) -> dict[int, str]:
    """Why stops can be served by no answer, of those for which that is certain.

    Args:
        problem: that they are of.
        among: stops that are asked about.
        within_s: seconds, after which nothing is said of the others.
    """
    asked, end_s = set(among), perf_counter() + within_s
    found = {j: c.reason for c in _found(problem, sorted(asked), end_s) for j in c.stops}
    return {j: reason for j, reason in found.items() if j in asked}


def _found(
    problem: Problem, among: Sequence[int], end_s: float = math.inf
) -> Iterator[Contradiction]:
    known, required, asked = units(problem), problem.required, set(among)
    streets = [_Streets.of(profile) for profile in problem.profiles] if asked else []
    for unit in dict.fromkeys(known[j] for j in among if required[j]):
        if perf_counter() > end_s:
            return
        text, names = _fault(problem, unit, streets), _names(problem, stops_of(unit))
        if text:
            reason = text if len(stops_of(unit)) == 1 else f"{names}: {text}"
            yield Contradiction(stops_of(unit), f"{names}: {text}", reason)
    for t, tie in enumerate(problem.ties):
        text = "" if asked.isdisjoint(tie.stops) else _tied(problem, tie)
        if text and required[list(tie.stops)].all():
            text = f"ties[{t}]: {_names(problem, tie.stops)}: {text}"
            yield Contradiction(tie.stops, text, text)
    for g, group in enumerate(problem.groups):
        if not np.isinf(group.prize) or asked.isdisjoint(group.stops):
            continue
        texts = [_fault(problem, known[j], streets) for j in group.stops]
        if all(texts):
            names = _names(problem, group.stops)
            text = f"groups[{g}]: none of {names} can be served: {texts[0]}"
            yield Contradiction(group.stops, text, text)


def _names(problem: Problem, stops: Sequence[int]) -> str:
    names = [f"{j} ({quoted(problem.names[j])})" for j in stops]
    return f"stop {names[0]}" if len(names) == 1 else f"stops {', '.join(names)}"


class _Streets(NamedTuple):
    """Seconds between nodes, and the least of them away from each and to each.

    Attributes:
        drive: `[N, N]`.
        away: `[N]`, without the way from a node to itself.
        to: likewise.
    """

    drive: Floats
    away: Floats
    to: Floats

    @classmethod
    def of(cls, profile: Profile) -> _Streets:
        """Those of a profile."""
        others = profile.duration_s.copy()
        np.fill_diagonal(others, np.inf)
        return cls(profile.duration_s, others.min(axis=1), others.min(axis=0))


def _fault(problem: Problem, unit: Unit, streets: Sequence[_Streets]) -> str:
    """Why no vehicle can serve a unit; empty where one may be able to."""
    stops = stops_of(unit)
    barred = _barred(problem, stops)
    if barred or problem.more_windows_s or any(profile.traffic for profile in problem.profiles):
        return barred  # who has several windows, or streets that are faster later, may be in time
    first = ""
    for vehicle in _fit(problem, stops):
        late = _late(problem, vehicle, unit, streets[vehicle.profile])
        if not late:
            return ""
        first = first or late
    return first


def _fit(problem: Problem, stops: Sequence[int]) -> list[Vehicle]:
    """Vehicles that may serve all of some stops, one of each kind."""
    words = _words(problem, stops)
    return [
        v
        for v, _ in problem.fleet
        if words <= v.skills and (v.allowed is None or all(v.allowed[[*stops]]))
    ]


def _words(problem: Problem, stops: Sequence[int]) -> frozenset[str]:
    return frozenset().union(*(problem.skills.get(j, frozenset()) for j in stops))


def _barred(problem: Problem, stops: Sequence[int]) -> str:
    """Why no vehicle may serve all of some stops; empty where one may."""
    words, fleet = _words(problem, stops), [vehicle for vehicle, _ in problem.fleet]
    unknown = words - frozenset().union(*(vehicle.skills for vehicle in fleet))
    if unknown:
        meant = "".join(_meant(word, fleet) for word in sorted(unknown)[:1])
        return f"no vehicle has the skill {', '.join(map(quoted, sorted(unknown)))}{meant}"
    if not any(words <= vehicle.skills for vehicle in fleet):
        return f"no vehicle has all of the skills {', '.join(map(quoted, sorted(words)))}"
    if not _fit(problem, stops):
        return "no vehicle may serve all of them" if len(stops) > 1 else "no vehicle may serve it"
    return ""


def _meant(word: str, fleet: Sequence[Vehicle]) -> str:
    """A skill of a vehicle that is nearly the same word."""
    known = {skill.casefold(): skill for vehicle in fleet for skill in vehicle.skills}
    near = get_close_matches(word.casefold(), list(known), 1)
    return f"; did you mean {quoted(known[near[0]])}?" if near else ""


def _tied(problem: Problem, tie: Tie) -> str:
    """Why the stops of a tie cannot all be served, whatever each of them can alone."""
    stops = tie.stops
    if isinstance(tie, DifferentVehicles) and len(stops) > len(problem.vehicles):
        return f"they are for different vehicles, of which there are {len(problem.vehicles)}"
    if isinstance(tie, SameVehicle):
        return _barred(problem, stops)
    return ""


def _late(problem: Problem, vehicle: Vehicle, unit: Unit, streets: _Streets) -> str:
    """What of a unit a vehicle is too late for at the earliest; empty where it may be in time."""
    service, window = services(problem, vehicle), problem.window_s
    now, here = _leaves(problem, vehicle), vehicle.start
    direct = {pair for row in unit for pair in pairwise(row)}
    for j in stops_of(unit):
        anywhere = vehicle.open_start and here < problem.depots
        leg = 0.0 if anywhere else float(streets.drive[here, j]) / vehicle.speed
        if leg and (here, j) not in direct:
            least = float(streets.away[here] + streets.to[j]) / vehicle.speed
            leg = min(leg, least)
        ready = max(now + leg, float(problem.release_s[j]) if here < problem.depots else 0.0)
        closes = float(window[j, 1])
        if np.isinf(leg):
            return f"no street leads to {quoted(problem.names[j])}"
        if ready > closes + slack(closes):
            at = problem.times.at
            text = f"{quoted(problem.names[j])} is reached at {at(ready)} at the earliest and "
            return text + f"closes at {at(closes)}" + unit_hint(problem, j)
        now, here = max(ready, float(window[j, 0])) + float(service[j]), j
    if here >= problem.depots and not vehicle.open_end and np.isinf(streets.away[here]):
        return f"no street leads away from {quoted(problem.names[here])}"
    finish = float(vehicle.shift_s[1])
    if now > finish + slack(finish):
        at = problem.times.at
        text = f"it ends at {at(now)} at the earliest, after all shifts ({at(finish)})"
        return text + unit_hint(problem, here)
    return ""


def _leaves(problem: Problem, vehicle: Vehicle) -> float:
    begin = float(vehicle.shift_s[0])
    if vehicle.open_start:
        return begin
    return max(begin, float(problem.window_s[vehicle.start, 0])) + vehicle.loading_s


def unit_hint(problem: Problem, j: int) -> str:
    """Which unit a stop's window may have been meant in: one in which it lies within the shifts."""
    begin = min(vehicle.shift_s[0] for vehicle in problem.vehicles)
    end = max(vehicle.shift_s[1] for vehicle in problem.vehicles)
    opens, closes = (float(time) for time in problem.window_s[j])
    for name, seconds in UNITS.items():
        inside = begin <= opens * seconds and closes * seconds <= end
        if np.isfinite(closes * end) and inside and (opens < begin or closes > end):
            return f"; times are seconds: was its window given in {name}?"
    return ""
