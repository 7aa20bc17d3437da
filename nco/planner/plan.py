"""Whole routes of a day: what is done and what is planned, with times and what all of it costs."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from nco.errors import counted, quoted
from nco.planner.day import Call
from nco.problem.evaluate import Cost
from nco.problem.schedule import schedule
from nco.problem.times import Times
from nco.snapped import moved_far

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nco.planner.day import Stop, VehicleDay
    from nco.planner.places import Places
    from nco.planner.rest import Remaining
    from nco.problem import Problem
    from nco.problem.schedule import RouteSchedule
    from nco.problem.solution import Solution


@dataclass(frozen=True)
class WholeRoute:
    """One trip of a vehicle, from its depot on.

    Attributes:
        vehicle: number on the day.
        start: the depot that it leaves.
        calls: the stops, in order.
        end: the depot that it comes home to; None for a vehicle that dropped out on the way.
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
    def distance_m(self) -> float:
        """Metres of this trip."""
        last = self.end or (self.calls[-1] if self.calls else self.start)
        return last.distance_m - self.start.distance_m


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


def plan_of(
    day: Problem,
    places: Places,
    stops: Mapping[str, Stop],
    duties: Sequence[VehicleDay],
    rest: Remaining,
    solution: Solution | None,
    now_s: float,
) -> Plan:
    """Joins what is done with what is planned.

    Args:
        day: the problem that the day began with.
        places: complete.
        stops: by name, served ones included.
        duties: what vehicles have done.
        rest: what was left.
        solution: of it, if there is a problem.
        now_s: when it was made.
    """
    planned: dict[int, list[RouteSchedule]] = {}
    if rest.problem is not None and solution is not None:
        for timed in schedule(rest.problem, solution):
            planned.setdefault(rest.vehicles[timed.vehicle], []).append(timed)
    routes: list[WholeRoute] = []
    for number, duty in enumerate(duties):
        routes += _routes(day, places, stops, number, duty, rest, planned.get(number, []), now_s)
    unassigned = dict(rest.refused)
    if solution is not None:
        unassigned |= {
            rest.names[u.stop]: u.reason for u in solution.unassigned if u.stop in rest.names
        }
    violations = [
        f"vehicle {v} is back {day.times.during(late)} late whatever it does"
        for v, late in rest.overdue.items()
    ]
    violations += [violation.message for violation in (solution.violations if solution else ())]
    required = [name for name in unassigned if np.isinf(stops[name].prize)]
    return Plan(
        routes=tuple(routes),
        unassigned=unassigned,
        violations=tuple(violations),
        cost=_cost(day, stops, duties, routes, unassigned),
        feasible=not violations and not required,
        now_s=now_s,
        rest=rest.problem,
        solution=solution,
        moved=_moved(places, stops, routes),
        times=day.times,
    )


def _moved(
    places: Places, stops: Mapping[str, Stop], routes: Sequence[WholeRoute]
) -> dict[str, float]:
    """Stops on routes that were moved far."""
    served = [name for route in routes for name in route.stops]
    metres = np.array([places.moved_m[stops[name].place] or 0.0 for name in served])
    return {served[k]: far_m for k, far_m in moved_far(metres).items()}


def _routes(
    day: Problem,
    places: Places,
    stops: Mapping[str, Stop],
    number: int,
    duty: VehicleDay,
    rest: Remaining,
    planned: Sequence[RouteSchedule],
    now_s: float,
) -> list[WholeRoute]:
    """The trips of one vehicle."""
    vehicle = duty.vehicle
    metres, seconds = places.distance_m[vehicle.profile], places.duration_s[vehicle.profile]
    home = day.names[vehicle.end]
    found = [WholeRoute(number, trip.start, tuple(trip.calls), trip.end) for trip in duty.trips]
    driven, going_on = duty.metres, duty.under_way
    if going_on and not planned:  # nothing is left for it: home it goes
        here, ready = stops[duty.last.name].place, max(duty.last.departure_s, now_s)
        at = driven + float(metres[here, vehicle.end])
        end = _passed(home, ready + float(seconds[here, vehicle.end]), day, vehicle.end, at)
        found[-1] = replace(found[-1], end=end)
    for timed in planned:
        first, *visits = timed.visits
        here = vehicle.start
        start = _passed(day.names[here], first.departure_s, day, here, driven)
        calls: list[Call] = []
        if going_on:
            begun = found.pop()
            start, calls, going_on = begun.start, list(begun.calls), False
            here = stops[duty.last.name].place
        for visit in visits:
            place = rest.place[visit.node]
            driven += float(metres[here, place])
            here = place
            if visit.node in rest.names:
                times = (visit.arrival_s, visit.start_s, visit.departure_s)
                calls.append(Call(rest.names[visit.node], *times, driven, begun=False))
        end = _passed(home, visits[-1].arrival_s, day, vehicle.end, driven)
        found.append(WholeRoute(number, start, tuple(calls), end))
    return found


def _passed(name: str, arrival_s: float, day: Problem, depot: int, metres: float) -> Call:
    """A depot, once it is open."""
    start_s = max(arrival_s, float(day.window_s[depot, 0]))
    return Call(name, arrival_s, start_s, start_s, metres, begun=False)


def _cost(
    day: Problem,
    stops: Mapping[str, Stop],
    duties: Sequence[VehicleDay],
    routes: Sequence[WholeRoute],
    unassigned: Mapping[str, str],
) -> Cost:
    """What the whole day costs, by the parts of `nco.problem.evaluate.Cost`."""
    weights = day.objective
    trips: dict[int, list[WholeRoute]] = {}
    for route in routes:
        trips.setdefault(route.vehicle, []).append(route)
    metres = seconds = distance = duration = fixed = gain = longest = overtime = 0.0
    for number, its_routes in trips.items():
        vehicle, final = duties[number].vehicle, its_routes[-1]
        last = final.end or (final.calls[-1] if final.calls else final.start)
        far, long = last.distance_m, last.departure_s - its_routes[0].start.departure_s
        metres, seconds = metres + far, seconds + long
        distance += vehicle.cost_per_m * far if weights.distance else 0.0
        duration += vehicle.cost_per_s * long if weights.duration else 0.0
        fixed += vehicle.fixed_cost
        late = max(0.0, last.departure_s - vehicle.overtime_after_s)
        overtime += vehicle.cost_per_overtime_s * late if vehicle.cost_per_overtime_s else 0.0
        longest = max(longest, far if weights.longest_by == "distance" else long)
        if vehicle.preference is not None:
            known = (stops[name].node for route in its_routes for name in route.stops)
            gain += sum(float(vehicle.preference[node]) for node in known if node is not None)
    prizes = sum(stops[name].prize for name in unassigned if np.isfinite(stops[name].prize))
    calls = [call for route in routes for call in route.calls]
    penalty = sum(stops[call.name].penalty(call.start_s) for call in calls)
    return Cost(
        distance_m=metres,
        duration_s=seconds,
        distance=weights.distance * distance,
        duration=weights.duration * duration,
        fixed=weights.fixed * fixed,
        preference=-weights.preference * gain,
        unserved=weights.unserved * prizes,
        longest_route=weights.longest_route * longest if weights.longest_route else 0.0,
        soft_windows=weights.soft_windows * penalty if weights.soft_windows else 0.0,
        overtime=weights.overtime * overtime if weights.overtime else 0.0,
    )
