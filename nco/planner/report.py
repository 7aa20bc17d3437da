"""Trips as they were reported from the road."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nco.planner.day import Call

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nco.planner.day import Stop, VehicleDay
    from nco.planner.places import Places
    from nco.problem import Problem


def drive(
    day: Problem, places: Places, duty: VehicleDay, stops: Sequence[Stop], ready_s: float
) -> None:
    """Fills the present trip of a vehicle; what was known of its first stops stays.

    Args:
        day: the problem that the day began with.
        places: complete.
        duty: has a trip.
        stops: all of the trip, in order.
        ready_s: when the last one is left, or the depot reached by a vehicle of several trips.
    """
    vehicle, trip = duty.vehicle, duty.trips[-1]
    metres, seconds = places.distance_m[vehicle.profile], places.duration_s[vehicle.profile]
    known, trip.calls, trip.end = trip.calls, [], None
    here, before = vehicle.start, trip.start
    for n, stop in enumerate(stops):
        if n < len(known) and known[n].name == stop.name:
            call = known[n]
        else:
            known = []
            arrival = before.departure_s + float(seconds[here, stop.place])
            start = stop.opened_s(arrival)
            far = before.distance_m + float(metres[here, stop.place])
            call = Call(stop.name, arrival, start, start + stop.service_s, far, begun=True)
        trip.calls.append(call)
        here, before = stop.place, call
    left = ready_s - float(seconds[here, vehicle.end]) if duty.by_trips else ready_s
    trip.calls[-1] = replace(
        before,
        arrival_s=min(before.arrival_s, left),
        start_s=min(before.start_s, left),
        departure_s=left,
    )
    if duty.by_trips:
        far = before.distance_m + float(metres[here, vehicle.end])
        trip.end = Call(day.names[vehicle.end], ready_s, ready_s, ready_s, far, begun=True)


def departure(
    day: Problem, places: Places, duty: VehicleDay, stops: Sequence[Stop], ready_s: float
) -> Call:
    """The depot, which a vehicle must have left unseen in time for what it reports."""
    vehicle = duty.vehicle
    seconds = places.duration_s[vehicle.profile]
    took, here = 0.0, vehicle.start
    for stop in stops:
        took += float(seconds[here, stop.place]) + stop.service_s
        here = stop.place
    left = min(max(vehicle.shift_s[0], ready_s - took), ready_s)
    return Call(day.names[vehicle.start], left, left, left, duty.metres, begun=True)
