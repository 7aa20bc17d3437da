"""The duty of a vehicle where breaks, rests, traffic or several, soft and late hours decide it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from nco._validate import MOST
from nco.problem.handling import handling
from nco.problem.passages import Duty, Trips, hops, nodes_of, openings, services
from nco.problem.problem import Problem
from nco.problem.timetable import LITTLE, timetable
from nco.problem.tolerance import slack
from nco.problem.vehicle import Vehicle
from nco.problem.way import Node, Times, Way, soonest


def cheapest_duty(problem: Problem, vehicle: Vehicle, trips: Trips) -> Duty:
    """The cheapest times that keep all hours and breaks.

    Where these make a duty that is longer than it may be, those of the shortest duty count. Where
    there are none, all is done as soon as possible, and some of it too late.
    """
    nodes = nodes_of(vehicle, trips)
    metres, seconds = (x.tolist() for x in hops(problem, vehicle, nodes))
    way = _way(problem, vehicle, trips, seconds)
    missed: tuple[int, ...] = ()
    times = timetable(way) if all(math.isfinite(s) for s in seconds) else None
    if times is not None and _length(times) > vehicle.max_duration_s:
        times = timetable(_shortest(way))
    if times is None:
        times, missed = soonest(way)
    return Duty(
        distance_m=sum(metres),
        driving_s=sum(seconds),
        longest_leg=(max(metres, default=0.0), max(seconds, default=0.0)),
        duration_s=_length(times),
        departure_s=times.starts[0],
        nodes=tuple(nodes),
        arrival_s=times.arrivals,
        start_s=times.starts,
        pauses=times.pauses,
        missed=missed,
        penalty=_penalty(problem, nodes, times.starts),
        overtime_s=max(0.0, times.starts[-1] - vehicle.overtime_after_s),
    )


def _length(times: Times) -> float:
    return times.starts[-1] - times.starts[0]


def _way(problem: Problem, vehicle: Vehicle, trips: Trips, seconds: Sequence[float]) -> Way:
    nodes, weights = nodes_of(vehicle, trips), problem.objective
    opens, closes = openings(problem, vehicle, trips)
    closes[-1] = min(closes[-1], vehicle.shift_s[1])
    # As late as evaluation forgives: sums on the way are rounded.
    closes = closes + np.where(np.isinf(closes), 0.0, slack(np.minimum(closes, MOST)))
    last = min(vehicle.shift_s[1], float(closes[0]))
    closes[0] = min(last, max(float(opens[0]), problem.last_event_s))
    service = services(problem, vehicle)
    found = []
    for node, begin, end in zip(nodes, opens.tolist(), closes.tolist(), strict=True):
        if node < problem.depots:
            found.append(Node(((begin, end),)))
            continue
        found.append(
            Node(
                windows=problem.windows[node],
                service_s=float(service[node]),
                soft=(float(problem.soft_window_s[node, 0]), float(problem.soft_window_s[node, 1])),
                early=weights.soft_windows * float(problem.early_per_s[node]),
                late=weights.soft_windows * float(problem.late_per_s[node]),
            )
        )
    return Way(
        nodes=tuple(found),
        drives=tuple(seconds),
        beside=tuple(handling(problem, vehicle, nodes).tolist()),
        breaks=vehicle.breaks,
        rest=vehicle.rest,
        traffic=problem.profiles[vehicle.profile].traffic,
        per_s=weights.duration * vehicle.cost_per_s,
        overtime=(vehicle.overtime_after_s, weights.overtime * vehicle.cost_per_overtime_s),
    )


def _shortest(way: Way) -> Way:
    """The same way, on which a long duty costs more than all else."""
    return replace(way, per_s=max(way.rates, default=LITTLE) / LITTLE)


def _penalty(problem: Problem, nodes: Sequence[int], starts: Sequence[float]) -> float:
    early, late = problem.early_per_s, problem.late_per_s
    total = 0.0
    for node, start in zip(nodes, starts, strict=True):
        first, last = problem.soft_window_s[node].tolist()
        if early[node]:
            total += float(early[node]) * max(0.0, first - start)
        if late[node]:
            total += float(late[node]) * max(0.0, start - last)
    return total
