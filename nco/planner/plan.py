"""Whole routes of a day: what is done and what is planned, with times and what all of it costs."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from nco.errors import counted, quoted
from nco.planner.cost import cost_of
from nco.planner.day import Call
from nco.planner.driving import leg
from nco.problem.schedule import schedule
from nco.problem.times import Times
from nco.problem.work_rules import arrival
from nco.snapped import moved_far

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from nco.planner.day import Day, VehicleDay
    from nco.planner.rest import Remaining
    from nco.problem import Problem
    from nco.problem.evaluate import Cost
    from nco.problem.schedule import RouteSchedule, Visit
    from nco.problem.solution import Solution


@dataclass(frozen=True)
class WholeRoute:
    """One trip of a vehicle, from its depot on.

    Attributes:
        vehicle: number on the day.
        start: the depot that it leaves.
        calls: the stops, in order.
        end: the depot that it comes home to, or loads again at; None for a vehicle that dropped out
            on the way, or whose work is over at its last stop (`Vehicle.open_end`).
    """

    vehicle: int
    start: Call
    calls: tuple[Call, ...]
    end: Call | None

    @property
    def stops(self) -> tuple[str, ...]:
        """Names of the stops, in order."""
        return tuple(call.name for call in self.calls)

    @property
    def last(self) -> Call:
        """Where it ends."""
        return self.end or (self.calls[-1] if self.calls else self.start)

    @property
    def distance_m(self) -> float:
        """Metres of this trip."""
        return self.last.distance_m - self.start.distance_m


@dataclass(frozen=True)
class Plan:
    """A plan for the rest of a day, and what came before.

    Attributes:
        routes: whole ones, of every vehicle that drives or has driven.
        unassigned: why stops are not served, by name.
        moved: metres of stops on the routes that were moved far onto a street, by name.
        violations: what the plan breaks, in words; being late included that is past help.
        cost: of the whole day; what is already driven is in it once.
        feasible: whether nothing is broken and every required stop is served.
        now_s: when it was made.
        rest: the problem that was solved; None where nothing was left to be decided.
        solution: of the rest.
        time_s: wall-clock seconds that it took.
        times: what its times count, see `Problem`.
    """

    routes: tuple[WholeRoute, ...]
    unassigned: dict[str, str]
    violations: tuple[str, ...]
    cost: Cost
    feasible: bool
    now_s: float
    rest: Problem | None
    solution: Solution | None
    time_s: float = 0.0
    moved: Mapping[str, float] = field(default_factory=dict)
    times: Times = Times.NUMBERS

    def route_of(self, name: str) -> WholeRoute | None:
        """The route that serves a stop; None if none does."""
        return next((route for route in self.routes if name in route.stops), None)

    def __str__(self) -> str:
        stops = sum(len(route.calls) for route in self.routes)
        fixed = sum(call.begun for route in self.routes for call in route.calls)
        lines = [
            f"at {self.times.at(self.now_s)}: "
            f"{'feasible' if self.feasible else 'NOT feasible'}, "
            f"{counted(stops, 'stop')} on {counted(len(self.routes), 'route')} ({fixed} of them "
            "begun), "
            f"{self.cost.distance_m / 1000:.2f} km, cost {self.cost.total:.2f}, "
            f"planned in {1000 * self.time_s:.0f} ms"
        ]
        lines += [f"  violation: {text}" for text in self.violations]
        lines += [
            f"  moved: {quoted(name)}, {far_m:.0f} m, onto the nearest street"
            for name, far_m in self.moved.items()
        ]
        lines += [f"  not served: {quoted(name)}, {why}" for name, why in self.unassigned.items()]
        return "\n".join(lines)


def plan_of(day: Day, rest: Remaining, solution: Solution | None) -> Plan:
    """Joins what is done with what is planned.

    Args:
        day: as it is known now.
        rest: what was left.
        solution: of it, if there is a problem.
    """
    planned: dict[int, list[RouteSchedule]] = {}
    if rest.problem is not None and solution is not None:
        for timed in schedule(rest.problem, solution):
            planned.setdefault(rest.vehicles[timed.vehicle], []).append(timed)
    routes: list[WholeRoute] = []
    for number in range(len(day.duties)):
        routes += _routes(day, number, rest, planned.get(number, []))
    served = {name for route in routes for name in route.stops}
    unassigned = {} if solution is None else _left_out(rest, solution)
    unassigned |= _refused(day, rest, served)
    times = day.problem.times
    violations = [
        f"vehicle {v} is back {times.during(late)} late whatever it does"
        for v, late in rest.overdue.items()
    ]
    if solution is not None:
        violations += [violation.message for violation in solution.violations]
        violations += _stranded(rest, solution)
    return Plan(
        routes=tuple(routes),
        unassigned=unassigned,
        violations=tuple(violations),
        cost=cost_of(day, routes),
        feasible=not violations and not any(_required(day, name) for name in unassigned),
        now_s=day.now_s,
        rest=rest.problem,
        solution=solution,
        moved=_moved(day, routes),
        times=times,
    )


def _left_out(rest: Remaining, solution: Solution) -> dict[str, str]:
    return {rest.names[u.stop]: u.reason for u in solution.unassigned if u.stop in rest.names}


def _refused(day: Day, rest: Remaining, served: set[str]) -> dict[str, str]:
    """Stops that are not in the rest, but for alternatives of those that are served or in it."""
    found = dict(rest.refused)
    for names, _ in day.groups:
        if any(name in served or name in rest.nodes for name in names):
            found = {name: why for name, why in found.items() if name not in names}
    return found


def _stranded(rest: Remaining, solution: Solution) -> Iterator[str]:
    """Vehicles under way that cannot come home within their limits."""
    reasons = {u.stop: u.reason for u in solution.unassigned}
    for k, anchor in rest.anchors.items():
        if anchor in reasons:
            why = f": {reasons[anchor]}" if reasons[anchor] else ""
            yield f"vehicle {rest.vehicles[k]} breaks its limits whatever it does{why}"


def _required(day: Day, name: str) -> bool:
    prizes = [prize for names, prize in day.groups if name in names]
    return bool(np.isinf(prizes[0] if prizes else day.prize(name)))


def _moved(day: Day, routes: Sequence[WholeRoute]) -> dict[str, float]:
    """Stops on routes that were moved far."""
    served = [name for route in routes for name in route.stops]
    metres = np.array([day.places.moved_m[day.stops[name].place] or 0.0 for name in served])
    return {served[k]: far_m for k, far_m in moved_far(metres).items()}


def _routes(
    day: Day, number: int, rest: Remaining, planned: Sequence[RouteSchedule]
) -> list[WholeRoute]:
    """The trips of one vehicle."""
    duty = day.duties[number]
    found = [WholeRoute(number, trip.start, tuple(trip.calls), trip.end) for trip in duty.trips]
    drive = _Drive(day, duty)
    if duty.under_way and not planned and not duty.vehicle.open_end:  # home it goes
        leaves = max(duty.last.departure_s, day.now_s)
        found[-1] = replace(found[-1], end=drive.home(leaves))
    for t, timed in enumerate(planned):
        first, *visits, last = timed.visits
        calls: list[Call] = []
        start = drive.call(drive.name, first)
        pauses = list(first.pauses)
        if t == 0 and duty.under_way:
            begun = found.pop()
            start, calls = begun.start, list(begun.calls)
        unmoved = t == 0 and duty.vehicle.open_start and not duty.trips
        for visit in visits:
            if visit.node in rest.names:
                drive.to(rest.place[visit.node], counts=not unmoved)
                unmoved = False
                calls.append(drive.call(rest.names[visit.node], visit, tuple(pauses)))
                pauses.clear()
            pauses += visit.pauses
        end = None
        if t < len(planned) - 1 or not duty.vehicle.open_end:
            drive.to(last.node)
            opened = max(last.arrival_s + last.setup_s, float(day.problem.window_s[last.node, 0]))
            there = replace(last, start_s=opened, departure_s=opened)
            end = drive.call(day.problem.names[last.node], there, tuple(pauses))
        if calls or end is None or end.distance_m > start.distance_m:
            found.append(WholeRoute(number, start, tuple(calls), end))
    return found


class _Drive:
    """Where a vehicle is on its way, and how far it has come.

    Args:
        day: as it is known now.
        duty: what it has begun.
    """

    def __init__(self, day: Day, duty: VehicleDay) -> None:
        self._day, self._vehicle = day, duty.vehicle
        last = duty.last if duty.trips else None
        self.name = day.problem.names[duty.vehicle.start] if last is None else last.name
        self._place = day.place(self.name)
        self._metres = 0.0 if last is None else last.distance_m
        self._seconds = 0.0 if last is None else last.driving_s

    def to(self, place: int, *, counts: bool = True) -> None:
        """Drives on."""
        if counts:
            metres, seconds = leg(self._day, self._vehicle, self._place, place)
            self._metres, self._seconds = self._metres + metres, self._seconds + seconds
        self._place = place
        if place < self._day.problem.depots:
            self.name = self._day.problem.names[place]

    def call(self, name: str, visit: Visit, pauses: tuple[tuple[float, float], ...] = ()) -> Call:
        """A visit at the present place."""
        times = (visit.arrival_s, visit.start_s, visit.departure_s)
        return Call(name, *times, self._metres, False, self._seconds, pauses)

    def home(self, leaves_s: float) -> Call:
        """The end, for who goes straight there."""
        vehicle, own = self._vehicle, self._day.problem
        before = self._seconds
        self.to(vehicle.end)
        traffic = own.profiles[vehicle.profile].traffic
        arrives = arrival(traffic, leaves_s, self._seconds - before)
        opened = max(arrives + vehicle.unloading_s, float(own.window_s[vehicle.end, 0]))
        return Call(self.name, arrives, opened, opened, self._metres, False, self._seconds)
