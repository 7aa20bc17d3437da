"""Trips as they were reported from the road."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nco.errors import InputError, quoted
from nco.planner.day import Call
from nco.planner.driving import leg, service_of, setup_of
from nco.problem.work_rules import arrival

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nco.planner.day import Day, VehicleDay


def refuse_torn(day: Day, duty: VehicleDay, names: Sequence[str]) -> None:
    """Refuse a report that tears apart what belongs together.

    Args:
        day: as it is known now.
        duty: of the vehicle.
        names: all stops of the trip, in order.

    Raises:
        InputError: goods are delivered that were not picked up before, or not at all by a vehicle
            that is back, or part of a sequence is missing.
    """
    place = {name: k for k, name in enumerate(names)}
    for goods in day.shipments:
        first, second = place.get(goods.pickup), place.get(goods.delivery)
        if second is not None and (first is None or first > second):
            raise InputError(
                f"stop {quoted(goods.delivery)} cannot be reported: its goods are picked up at "
                f"{quoted(goods.pickup)}, which the report does not name before it; name both"
            )
        kept = goods.delivery in day.cancelled
        if first is not None and second is None and duty.by_trips and not kept:
            raise InputError(
                f"stop {quoted(goods.pickup)} is reported for a trip that is over, without "
                f"{quoted(goods.delivery)}, where its goods go; name both, or cancel the delivery"
            )
    for row in day.rows:
        asked = [name for name in row if name not in day.cancelled]
        there = [name for name in asked if name in place]
        if there and (
            there != asked
            or [place[name] - place[there[0]] for name in there] != list(range(len(there)))
        ):
            raise InputError(
                f"{quoted(list(row))} follow directly after one another, but are reported as "
                f"{quoted(list(names))}; name all of them in a row, or none"
            )


def drive(day: Day, duty: VehicleDay, names: Sequence[str], ready_s: float) -> None:
    """Fills the present trip of a vehicle; what was known of its first stops stays.

    Args:
        day: as it is known now; its places are complete.
        duty: has a trip.
        names: all stops of the trip, in order.
        ready_s: when the last one is left, or the depot reached by a vehicle of several trips.
    """
    vehicle, trip = duty.vehicle, duty.trips[-1]
    traffic = day.problem.profiles[vehicle.profile].traffic
    known, trip.calls, trip.end = trip.calls, [], None
    here, before = day.place(trip.start.name), trip.start
    moved = not (vehicle.open_start and len(duty.trips) == 1)
    for n, name in enumerate(names):
        stop = day.stops[name]
        if n < len(known) and known[n].name == name:
            call = known[n]
        else:
            known = []
            metres, seconds = leg(day, vehicle, here, stop.place) if moved or n else (0.0, 0.0)
            arrives = arrival(traffic, before.departure_s, seconds)
            start = stop.opened_s(arrives + setup_of(day, vehicle, here, name))
            left = start + service_of(day, vehicle, name)
            far, driven = before.distance_m + metres, before.driving_s + seconds
            call = Call(name, arrives, start, left, far, begun=True, driving_s=driven)
        trip.calls.append(call)
        here, before = stop.place, call
    metres, seconds = leg(day, vehicle, here, vehicle.end)
    left = max(0.0, ready_s - seconds - vehicle.unloading_s) if duty.by_trips else ready_s
    trip.calls[-1] = replace(
        before,
        arrival_s=min(before.arrival_s, left),
        start_s=min(before.start_s, left),
        departure_s=left,
    )
    if duty.by_trips:
        far, driven = before.distance_m + metres, before.driving_s + seconds
        home = day.problem.names[vehicle.end]
        trip.end = Call(home, ready_s, ready_s, ready_s, far, begun=True, driving_s=driven)


def departure(day: Day, duty: VehicleDay, names: Sequence[str], ready_s: float) -> Call:
    """The depot, which a vehicle must have left unseen in time for what it reports."""
    vehicle = duty.vehicle
    last = duty.last if duty.trips else None
    depot = day.problem.names[vehicle.start] if last is None else last.name
    took, here = 0.0, day.place(depot)
    for name in names:
        took += leg(day, vehicle, here, day.stops[name].place)[1] + service_of(day, vehicle, name)
        here = day.stops[name].place
    left = min(max(vehicle.shift_s[0], ready_s - took), ready_s)
    far, driven = (0.0, 0.0) if last is None else (last.distance_m, last.driving_s)
    return Call(depot, left, left, left, far, begun=True, driving_s=driven)
