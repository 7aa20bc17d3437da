"""What a whole day costs, driven and planned, by the parts of `nco.problem.evaluate.Cost`."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from nco.problem.evaluate import Cost

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nco.planner.day import Call, Day
    from nco.planner.plan import WholeRoute


def cost_of(day: Day, routes: Sequence[WholeRoute]) -> Cost:
    """What whole routes cost; nothing is paid twice.

    Args:
        day: as it is known now.
        routes: all of them.
    """
    weights = day.problem.objective
    trips: dict[int, list[WholeRoute]] = {}
    for route in routes:
        trips.setdefault(route.vehicle, []).append(route)
    by_distance = weights.longest_by == "distance"
    metres = seconds = distance = duration = fixed = gain = longest = overtime = 0.0
    longest_leg = back_s = 0.0
    for number, own in trips.items():
        vehicle, last = day.duties[number].vehicle, own[-1].last
        far, long = last.distance_m, last.departure_s - own[0].start.start_s
        metres, seconds = metres + far, seconds + long
        distance += vehicle.cost_per_m * far if weights.distance else 0.0
        duration += vehicle.cost_per_s * long if weights.duration else 0.0
        fixed += vehicle.fixed_cost
        late = max(0.0, last.departure_s - vehicle.overtime_after_s)
        overtime += vehicle.cost_per_overtime_s * late if vehicle.cost_per_overtime_s else 0.0
        longest = max(longest, far if by_distance else long)
        back_s = max(back_s, last.departure_s - day.problem.begins_s)
        for before, call in _legs(own):
            way = (call.distance_m - before.distance_m, call.driving_s - before.driving_s)
            longest_leg = max(longest_leg, way[0] if by_distance else way[1])
        if vehicle.preference is not None:
            known = (day.stops[name].node for route in own for name in route.stops)
            gain += sum(float(vehicle.preference[node]) for node in known if node is not None)
    calls = [call for route in routes for call in route.calls]
    penalty = sum(day.stops[call.name].penalty(call.start_s) for call in calls)
    return Cost(
        distance_m=metres,
        duration_s=seconds,
        vehicles=len(trips) if weights.fewest_vehicles else 0,
        distance=weights.distance * distance,
        duration=weights.duration * duration,
        fixed=weights.fixed * fixed,
        preference=-weights.preference * gain,
        unserved=weights.unserved * _prizes(day, {call.name for call in calls}),
        longest_route=weights.longest_route * longest if weights.longest_route else 0.0,
        longest_leg=weights.longest_leg * longest_leg if weights.longest_leg else 0.0,
        makespan=weights.makespan * back_s if weights.makespan else 0.0,
        soft_windows=weights.soft_windows * penalty if weights.soft_windows else 0.0,
        overtime=weights.overtime * overtime if weights.overtime else 0.0,
    )


def _legs(routes: Sequence[WholeRoute]) -> Iterator[tuple[Call, Call]]:
    for route in routes:
        yield from pairwise([route.start, *route.calls, *([route.end] if route.end else [])])


def _prizes(day: Day, served: set[str]) -> float:
    """Of optional stops and groups that nobody serves."""
    grouped = {name for names, _ in day.groups for name in names}
    open_stops = day.stops.keys() - served - day.cancelled
    lost = [day.stops[name].prize for name in open_stops - grouped if np.isfinite(day.prize(name))]
    for names, prize in day.groups:
        if np.isfinite(prize) and served.isdisjoint(names) and open_stops & {*names}:
            lost.append(prize)
    return sum(sorted(lost))
