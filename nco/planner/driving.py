"""What vehicles have driven, rested and loaded so far, as what is left of their rules asks."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nco.arrays import Floats
    from nco.planner.day import Call, Day, VehicleDay
    from nco.problem.vehicle import Vehicle
    from nco.problem.work_rules import Break, Traffic

LITTLE_S = 1e-6  # by which sums of seconds may differ from what they were planned to be


def leg(day: Day, vehicle: Vehicle, here: int, there: int) -> tuple[float, float]:
    """Metres and usual seconds of a vehicle's way from one place to another."""
    metres = float(day.places.distance_m[vehicle.profile][here, there])
    seconds = float(day.places.duration_s[vehicle.profile][here, there]) / vehicle.speed
    return metres, seconds


def setup_of(day: Day, vehicle: Vehicle, here: int, name: str) -> float:
    """Seconds of set-up at a stop for who comes from a place."""
    stop = day.stops[name]
    return stop.setup_s if any(leg(day, vehicle, here, stop.place)) else 0.0


def service_of(day: Day, vehicle: Vehicle, name: str) -> float:
    """Seconds of service at a stop; one that was changed takes as long for all vehicles."""
    stop = day.stops[name]
    if stop.node is None or vehicle.service_s is None:
        return stop.service_s
    changed = stop.service_s != day.problem.service_s[stop.node]
    return stop.service_s if changed else float(vehicle.service_s[stop.node])


def legs_behind(duty: VehicleDay) -> Iterator[tuple[Call, Call]]:
    """Places that a vehicle has driven between, in order."""
    for trip in duty.trips:
        yield from pairwise([trip.start, *trip.calls, *([trip.end] if trip.end else [])])


def driven_since_rest(day: Day, duty: VehicleDay) -> float:
    """Seconds of driving since the last rest, or break that counts as one."""
    rest = duty.vehicle.rest
    if rest is None:
        return 0.0
    traffic = day.problem.profiles[duty.vehicle.profile].traffic
    total = 0.0
    for before, call in legs_behind(duty):
        driven = call.driving_s - before.driving_s
        ends = [b + s for b, s in call.pauses if s >= rest.length_s - LITTLE_S]
        if ends:
            total = min(driven, _usual(traffic, ends[-1], call.arrival_s))
        else:
            total += driven
    return min(total, rest.after_driving_s)


def _usual(traffic: Traffic, begin_s: float, end_s: float) -> float:
    """Seconds that one drives in usual traffic as far as between two times."""
    total, now, factor = 0.0, begin_s, 1.0
    for change_s, following in traffic:
        if now < change_s < end_s:
            total += (change_s - now) * factor
            now = change_s
        if change_s <= now:
            factor = following
    return total + max(0.0, end_s - now) * factor


def breaks_left(duty: VehicleDay, ready_s: float) -> tuple[Break, ...]:
    """Breaks that a vehicle still has to take, which it cannot begin before a time.

    Any pause within the window of a break that is as long counts as that break.
    """
    pauses = sorted(pause for _, call in legs_behind(duty) for pause in call.pauses)
    left = []
    for one in duty.vehicle.breaks:
        begin, end = one.window_s
        taken = next(
            (
                pause
                for pause in pauses
                if begin - LITTLE_S <= pause[0] <= end + LITTLE_S
                and pause[1] >= one.length_s - LITTLE_S
            ),
            None,
        )
        if taken is not None:
            pauses.remove(taken)
        elif end >= ready_s:
            left.append(_from(one, ready_s))
    return tuple(left)


def _from(one: Break, ready_s: float) -> Break:
    begin, end = one.window_s
    return type(one)(window_s=(max(begin, ready_s), end), length_s=one.length_s)


def loads_of(day: Day, duty: VehicleDay) -> tuple[Floats, Floats]:
    """What the present trip has carried at most, and what it keeps to its end, `[K]` each.

    Goods that are still to be delivered on it are no part of the second.
    """
    calls = [day.stops[call.name] for call in duty.trips[-1].calls]
    gives = np.array([stop.demand for stop in calls]).reshape(len(calls), -1)
    takes = np.array([stop.pickup for stop in calls]).reshape(len(calls), -1)
    dimensions = day.problem.dimensions
    place = {stop.name: k for k, stop in enumerate(calls)}
    carried, kept = np.zeros((len(calls) + 1, dimensions)), takes.sum(axis=0)
    if len(calls):
        carried[:-1] += np.cumsum(gives[::-1], axis=0)[::-1]
        carried[1:] += np.cumsum(takes, axis=0)
    for goods in day.shipments:
        if goods.pickup in place:
            last = place.get(goods.delivery, len(calls))
            carried[place[goods.pickup] + 1 : last + 1] += goods.amount
            if goods.delivery in day.cancelled:
                kept = kept + goods.amount
    return carried.max(axis=0), kept


def on_board(day: Day) -> dict[str, tuple[int, Floats]]:
    """Deliveries of goods that are picked up: the vehicle that has them, and how much it is."""
    return {
        goods.delivery: (day.begun[goods.pickup], goods.amount)
        for goods in day.shipments
        if goods.pickup in day.begun
        and goods.delivery not in day.begun
        and goods.delivery not in day.cancelled
    }
