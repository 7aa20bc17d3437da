"""What stands on the sheets, before it is laid out: vehicles, their stops, the day as a whole."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from nco.data.formats.tables.places import FOUND, HOW, SURE, WORD
from nco.problem import Problem
from nco.problem.check import check
from nco.problem.schedule import RouteSchedule, Visit, schedule
from nco.problem.solution import Solution
from nco.sheets.clock import Clock, amounts, km, length

_LATE_S = 0.5  # less is rounding
# What neither XML nor a PDF can hold.
_NO_LETTER = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_OWN_PLACE = (
    "address", "street", "house_number", "postcode", "city", "phone", "notes",
    FOUND, WORD, SURE, HOW,
)  # fmt: skip


@dataclass(frozen=True)
class Line:
    """One visit of a vehicle, in words.

    Attributes:
        node: number of the node.
        number: place among the stops of the vehicle from 1; 0 at depots.
        name: of the stop.
        address: empty where it is not known.
        phone: likewise.
        notes: likewise.
        others: further columns of the stop's table.
        window: empty for any time.
        arrival: clock time.
        departure: clock time.
        remark: waiting and lateness.
        late_s: how late service begins; 0 in time.
        load: on board afterwards.
        leg_km: from the visit before.
        km: since the vehicle left.
        lonlat: degrees, None without geography.
    """

    node: int
    number: int
    name: str
    address: str
    phone: str
    notes: str
    others: Mapping[str, str]
    window: str
    arrival: str
    departure: str
    remark: str
    late_s: float
    load: str
    leg_km: str
    km: str
    lonlat: tuple[float, float] | None


@dataclass(frozen=True)
class Sheet:
    """The day of one vehicle.

    Attributes:
        vehicle: its number.
        name: of the vehicle, or its number in words.
        others: what else is known of it, by title.
        lines: all visits in order, depots between trips once.
        routes: numbers of its routes in the solution.
        stops: how many.
        km: of all trips.
        duty: from its departure to the end.
        driving: of that.
        departure: clock time.
        end: clock time.
        most_load: the most on board at any time.
        late: how many stops are late.
        breaks: rules that its routes break, in words.
    """

    vehicle: int
    name: str
    others: dict[str, str]
    lines: tuple[Line, ...]
    routes: tuple[int, ...]
    stops: int
    km: str
    duty: str
    driving: str
    departure: str
    end: str
    most_load: str
    late: int
    breaks: tuple[str, ...]


@dataclass(frozen=True)
class Day:
    """All vehicles, and what is left.

    Attributes:
        title: name of the problem.
        date: empty where it is not known.
        sheets: of vehicles that drive.
        idle: how many do not.
        unserved: name and reason of each stop on no route.
        breaks: rules that are broken, in words.
        km: of all.
        duty: hours of all.
        stops: served.
        late: how many of those.
        located: whether there are coordinates.
    """

    title: str
    date: str
    sheets: tuple[Sheet, ...]
    idle: int
    unserved: tuple[tuple[str, str], ...]
    breaks: tuple[str, ...]
    km: str
    duty: str
    stops: int
    late: int
    located: bool


def day_of(problem: Problem, solution: Solution, begin_s: float = 0.0) -> Day:
    """What the sheets of a solution say.

    Args:
        problem: what it is for.
        solution: feasible or not.
        begin_s: time of day at which times begin that count from nowhere.
    """
    solution = solution.on(problem).with_reasons(problem)
    timetables = schedule(problem, solution)
    starts = [t.visits[0].departure_s for t in timetables]
    clock = Clock.of(problem.times, min(starts, default=0.0), begin_s)
    of: dict[int, list[int]] = {}
    for r, timetable in enumerate(timetables):
        of.setdefault(timetable.vehicle, []).append(r)
    told: dict[int | None, list[str]] = {}
    for finding in check(problem, solution).findings:
        if finding.kind != "unserved":
            route = finding.route
            vehicle = None if route is None else solution.routes[route].vehicle
            told.setdefault(vehicle, []).append(_clean(finding.message))
    sheets = [
        _sheet(problem, clock, [timetables[r] for r in numbers], numbers, told.get(vehicle, ()))
        for vehicle, numbers in sorted(of.items())
    ]
    spans = [(timetables[n[0]], timetables[n[-1]]) for n in of.values()]
    return Day(
        title=_clean(problem.name),
        date=clock.date,
        sheets=tuple(sheets),
        idle=len(problem.vehicles) - len(sheets),
        unserved=tuple(
            (_clean(problem.names[u.stop]), _clean(u.reason)) for u in solution.unassigned
        ),
        breaks=tuple(message for messages in told.values() for message in messages),
        km=km(sum(t.distance_m for t in timetables)),
        duty=length(sum(last.visits[-1].departure_s - _begin(first) for first, last in spans)),
        stops=sum(sheet.stops for sheet in sheets),
        late=sum(sheet.late for sheet in sheets),
        located=problem.lonlat is not None,
    )


def _begin(first: RouteSchedule) -> float:
    return first.visits[0].arrival_s


def _sheet(
    problem: Problem,
    clock: Clock,
    trips: list[RouteSchedule],
    routes: list[int],
    breaks: Iterable[str],
) -> Sheet:
    """The day of a vehicle that drives some trips."""
    vehicle = problem.vehicles[trips[0].vehicle]
    visits = [visit for trip in trips for visit in trip.visits[:-1]] + [trips[-1].visits[-1]]
    if vehicle.open_start:
        visits = visits[1:]
    if vehicle.open_end:
        visits = visits[:-1]
    lines: list[Line] = []
    number, before = 0, None
    for visit in visits:
        number += visit.node >= problem.depots
        last = visit is visits[-1]
        lines.append(_line(problem, clock, visit, before, number, last=last))
        before = visit
    loads = np.array([visit.load for visit in visits]).reshape(len(visits), -1)
    first, last_visit = trips[0].visits[0], trips[-1].visits[-1]
    return Sheet(
        vehicle=trips[0].vehicle,
        name=_clean(vehicle.name) or f"vehicle {trips[0].vehicle}",
        others={_clean(title): _clean(text) for title, text in vehicle.details.items()},
        lines=tuple(lines),
        routes=tuple(routes),
        stops=number,
        km=km(sum(trip.distance_m for trip in trips)),
        duty=length(last_visit.departure_s - first.arrival_s),
        driving=length(sum(trip.driving_s for trip in trips)),
        departure=lines[0].departure,
        end=lines[-1].departure,
        most_load=amounts(tuple(loads.max(axis=0).tolist())),
        late=sum(line.late_s > 0 for line in lines),
        breaks=tuple(breaks),
    )


def _line(
    problem: Problem, clock: Clock, visit: Visit, before: Visit | None, number: int, *, last: bool
) -> Line:
    node = visit.node
    given = problem.details.get(node, {})
    words = {_clean(title): _clean(text) for title, text in given.items()}
    windows = problem.windows[node]
    late_s = _late_s(windows, visit.start_s)
    remarks = [f"{length(late_s)} late"] * (late_s > 0)
    if math.isinf(visit.start_s):
        late_s, remarks = 0.0, ["no street leads there"]
    elif round(visit.waiting_s / 60) and node >= problem.depots:
        remarks.append(f"waits {length(visit.waiting_s)}")
    wished = tuple(problem.soft_window_s[node].tolist())
    if math.isfinite(visit.start_s) and _late_s((wished,), visit.start_s):
        remarks.append(f"wished {clock.window(*wished)}")
    remarks += [f"then a break at {clock.at(at)}, {length(rest)}" for at, rest in visit.pauses]
    if words.get(WORD, "exact") not in ("exact", "place"):
        remarks.append(f"place is {words[WORD]}: {words.get(FOUND, '')}")
    if node in problem.moved:
        remarks.append(f"{problem.moved[node]:.0f} m from the street")
    leg_m = 0.0 if before is None else visit.distance_m - before.distance_m
    lonlat = None
    if problem.lonlat is not None:
        lon, lat = problem.lonlat[node].tolist()
        lonlat = (lon, lat)
    return Line(
        node=node,
        number=number if node >= problem.depots else 0,
        name=_clean(problem.names[node]),
        address=_address(words),
        phone=words.get("phone", ""),
        notes=words.get("notes", ""),
        others={title: text for title, text in words.items() if title not in _OWN_PLACE and text},
        window="; ".join(filter(None, (clock.window(*window) for window in windows))),
        arrival=clock.at(visit.departure_s if before is None else visit.arrival_s),
        departure=clock.at(visit.departure_s),
        remark=", ".join(remarks),
        late_s=late_s,
        load="" if last and node < problem.depots else amounts(visit.load),
        leg_km="" if before is None else km(leg_m),
        km=km(visit.distance_m),
        lonlat=lonlat,
    )


def _late_s(windows: Iterable[tuple[float, float]], start_s: float) -> float:
    """Seconds after the last window that has ended, 0 within a window or before the first."""
    spans = tuple(windows)
    if any(begin <= start_s <= end + _LATE_S for begin, end in spans):
        return 0.0
    return start_s - max((end for _, end in spans if end < start_s), default=start_s)


def _clean(text: str) -> str:
    return _NO_LETTER.sub("\ufffd", text)


def _address(words: Mapping[str, str]) -> str:
    """The address in a stop's columns, on one line."""
    front = words.get("address") or f"{words.get('street', '')} {words.get('house_number', '')}"
    parts = [words.get("postcode", ""), words.get("city", "")]
    behind = " ".join(part.strip() for part in parts if part.strip() and part not in front)
    return ", ".join(part for part in (front.strip(), behind) if part)
