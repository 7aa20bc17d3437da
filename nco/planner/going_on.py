"""A plan that goes on: what vehicles have begun of it by a time."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

from nco.planner.day import Trip

if TYPE_CHECKING:
    from nco.planner.day import Day
    from nco.planner.plan import Plan, WholeRoute


def begin(day: Day, plan: Plan, now_s: float) -> None:
    """Fixes what a plan has begun by a time.

    A stop is begun when a vehicle sets out for it, or begins to load for it, and with the first of
    stops in a row the others; a trip is begun as a whole if the vehicle may drive several.

    Args:
        day: as it is known.
        plan: that is driven.
        now_s: until then.
    """
    follows = {pair for row in day.rows for pair in pairwise(row)}
    planned: dict[int, list[WholeRoute]] = {}
    for route in plan.routes:
        planned.setdefault(route.vehicle, []).append(route)
    for vehicle, routes in planned.items():
        duty = day.duties[vehicle]
        done = sum(trip.end is not None for trip in duty.trips)
        for route in () if duty.over else routes[done:]:
            if not duty.under_way:
                if route.start.start_s > now_s:
                    break
                duty.trips.append(Trip(replace(route.start, begun=True), []))
                ready_s = route.start.start_s  # who is loading does not begin anew
            else:
                ready_s = duty.last.departure_s
            trip = duty.trips[-1]
            for call in route.calls[len(trip.calls) :]:
                in_row = (trip.last.name, call.name) in follows
                if ready_s > now_s and not duty.by_trips and not in_row:
                    break
                trip.calls.append(replace(call, begun=True))
                day.begun[call.name] = vehicle
                ready_s = call.departure_s
            if len(trip.calls) < len(route.calls):
                break
            if route.end and (ready_s <= now_s or duty.by_trips):
                trip.end = replace(route.end, begun=True)
            duty.ended = duty.by_trips and route.end is None
            if duty.under_way or duty.over:
                break
