"""The vehicles that can still be sent, with what is left to them of their rules."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from nco.planner.driving import breaks_left, driven_since_rest, leg, loads_of
from nco.problem.tolerance import exceeds, slack
from nco.problem.work_rules import arrival, departure

if TYPE_CHECKING:
    from nco.arrays import Floats
    from nco.planner.day import Day, VehicleDay
    from nco.problem.vehicle import Vehicle

ROUNDED = 4.0  # times the tolerance of times


@dataclass(frozen=True)
class Begin:
    """How a vehicle goes on that has left its depot.

    Attributes:
        place: where it stands, or is bound for.
        ready_s: when it can leave.
        leaves_s: when it leaves the depot that stands for that, so that it is ready then.
        arrives_s: when it comes from there to its anchor.
        waits: whether it may leave later, as from a depot.
        metres: driven before that the longest route has to count, else 0.
        seconds: on duty before, likewise, apart from what it drives again.
        driven_s: since its last rest, if it has to rest, else 0.
        carried: `[K]` the most that its trip has carried so far.
        kept: `[K]` what stays on board to the end of the trip.
        departed_s: when it left its depot with goods; none comes along that arrived there later.
        collecting: whether it picks up, so that it delivers nothing any more that is in the way.
    """

    place: int
    ready_s: float
    leaves_s: float
    arrives_s: float
    waits: bool
    metres: float
    seconds: float
    driven_s: float
    carried: Floats
    kept: Floats
    departed_s: float = np.inf
    collecting: bool = False


@dataclass(frozen=True)
class Sent:
    """Vehicles of what is left.

    Attributes:
        vehicles: number on the day, and the vehicle.
        begins: how those go on that have a depot of their own, by their number.
        overdue: those that are late whatever they do, and how many seconds.
    """

    vehicles: list[tuple[int, Vehicle]]
    begins: dict[int, Begin]
    overdue: dict[int, float]


def sent_of(day: Day) -> Sent:
    """Those that can still be sent."""
    sent = Sent([], {}, {})
    idle: dict[int, Vehicle] = {}
    for number, duty in enumerate(day.duties):
        vehicle, now_s = duty.vehicle, day.now_s
        begin, end = vehicle.shift_s
        if duty.over:
            continue
        if duty.trips:
            _going_on(day, number, duty, sent)
        elif now_s <= begin:
            sent.vehicles.append((number, vehicle))
        elif now_s <= end:
            if id(vehicle) not in idle:
                idle[id(vehicle)] = replace(vehicle, shift_s=(now_s, end))
            sent.vehicles.append((number, idle[id(vehicle)]))
    return sent


def _going_on(day: Day, number: int, duty: VehicleDay, sent: Sent) -> None:
    """A vehicle that stands at a stop, or at a depot between two trips."""
    vehicle, here = duty.vehicle, day.place(duty.last.name)
    ready = max(duty.last.departure_s, day.now_s)
    if day.problem.timetabled:  # what rounding has cost so far is no lateness
        ready = max(ready - ROUNDED * float(slack(ready)), day.now_s)
    # Its duty has begun, so that the longest one ends it at a time that is known.
    end = min(vehicle.shift_s[1], duty.began_s + vehicle.max_duration_s)
    # Who has come home where it cannot load again has no trip left, however many it may drive.
    if not duty.under_way and (exceeds(ready, end) or here not in vehicle.reloads):
        return
    if duty.under_way:
        closing = end if vehicle.open_end else min(end, day.problem.window_s[vehicle.end, 1])
        home = _straight_home(day, vehicle, here, ready)
        if exceeds(home, closing) and exceeds(_home(day, vehicle, here, ready), closing):
            late = (duty.last.departure_s if vehicle.open_end else home) - closing
            if late > 0:  # else it stands where its work is over
                sent.overdue[number] = float(late)
            return
    begin = _begin(day, duty, here, ready, anchored=duty.under_way)
    anchored = duty.under_way or begin.driven_s > 0 or duty.last.name != _end_name(day, vehicle)
    counted = begin.driven_s if anchored else 0.0  # is driven once more in what is left
    stops = sum(1 for _ in duty.calls) - anchored
    if vehicle.max_stops is not None and stops >= vehicle.max_stops:
        return
    made = replace(
        vehicle,
        shift_s=(min(begin.leaves_s if anchored else ready, end), end),
        fixed_cost=0.0,
        max_trips=vehicle.max_trips - len(duty.trips) + duty.under_way,
        max_duration_s=np.inf,
        max_distance_m=max(0.0, vehicle.max_distance_m + begin.metres - duty.last.distance_m),
        max_driving_s=max(0.0, vehicle.max_driving_s + counted - duty.last.driving_s),
        max_stops=None if vehicle.max_stops is None else vehicle.max_stops - stops,
        breaks=breaks_left(duty, ready),
        open_start=False,
        loading_s=0.0 if duty.under_way else vehicle.loading_s,
    )
    if anchored:
        sent.begins[number] = begin
        made = replace(made, reload_at=vehicle.reloads if made.max_trips > 1 else ())
    sent.vehicles.append((number, made))


def _straight_home(day: Day, vehicle: Vehicle, here: int, ready_s: float) -> float:
    """When a vehicle under way ends its duty that serves nothing more."""
    if vehicle.open_end:
        return ready_s
    _, seconds = leg(day, vehicle, here, vehicle.end)
    traffic = day.problem.profiles[vehicle.profile].traffic
    return arrival(traffic, ready_s, seconds) + vehicle.unloading_s


def _home(day: Day, vehicle: Vehicle, here: int, ready_s: float) -> float:
    """When a vehicle under way can have ended its duty; the way by other stops may be quicker."""
    if vehicle.open_end:
        return ready_s
    others = [day.stops[name].place for name in day.waiting]
    table = day.places.duration_s[vehicle.profile]
    onward, seconds = table[np.ix_(others, others)], table[[here, *others], vehicle.end]
    for _ in others:
        by_others = np.concatenate([table[here, others][None], onward]) + seconds[1:]
        shorter = np.minimum(seconds, by_others.min(axis=1))
        if (shorter == seconds).all():
            break
        seconds = shorter
    traffic = day.problem.profiles[vehicle.profile].traffic
    return arrival(traffic, ready_s, float(seconds[0]) / vehicle.speed) + vehicle.unloading_s


def _end_name(day: Day, vehicle: Vehicle) -> str:
    return day.problem.names[vehicle.end]


def _begin(day: Day, duty: VehicleDay, here: int, ready_s: float, *, anchored: bool) -> Begin:
    weights, vehicle, trip = day.problem.objective, duty.vehicle, duty.trips[-1]
    counts = weights.longest_route > 0 and anchored
    by_duty = counts and weights.longest_by == "duration"
    driven = driven_since_rest(day, duty)
    traffic = day.problem.profiles[vehicle.profile].traffic
    leaves = departure(traffic, ready_s, driven)
    if by_duty:
        leaves = min(leaves, duty.began_s)
    arrives = arrival(traffic, leaves, driven)
    none = np.zeros(day.problem.dimensions)
    carried, kept = loads_of(day, duty) if duty.under_way else (none, none)
    taken = any(day.stops[call.name].pickup.any() for call in trip.calls)
    return Begin(
        place=here,
        ready_s=ready_s,
        leaves_s=leaves,
        waits=not duty.under_way,
        metres=duty.last.distance_m if counts and not by_duty else 0.0,
        arrives_s=arrives,
        seconds=max(0.0, ready_s - arrives) if by_duty else 0.0,
        driven_s=driven,
        carried=carried,
        kept=kept,
        departed_s=trip.start.departure_s if duty.under_way else np.inf,
        collecting=duty.under_way and taken and day.problem.linehauls_first,
    )
