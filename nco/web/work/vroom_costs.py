"""Costs as VROOM counts them: of driving, and of tasks by a rate of their own, not of waiting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from nco.arrays import Floats
from nco.problem import Objective, Problem, Profile
from nco.problem.handling import same_place
from nco.problem.passages import services
from nco.problem.vehicle import Vehicle

_HOUR_S = 3600.0


def task_rates(costs: Sequence[Mapping[str, Any]]) -> list[float]:
    """What a second of a task costs each vehicle.

    Args:
        costs: VROOM's `costs` of each.
    """
    return [float(one.get("per_task_hour", 0)) / _HOUR_S for one in costs]


def as_charged(problem: Problem, per_task_s: Sequence[float]) -> Problem:
    """A problem of the same nodes, vehicles and rules whose cost is the one that VROOM minimises.

    Ours counts the whole time on duty, VROOM driving alone. So what a way and the task at its end
    cost is put in the place of its metres, and time costs nothing any more. Routes of one are
    routes of the other; limits on metres, which there would be none of, leave the problem as it
    is.

    Args:
        problem: read from VROOM's JSON.
        per_task_s: what a second of a task costs each vehicle.
    """
    if any(np.isfinite(vehicle.max_distance_m) for vehicle in problem.vehicles):
        return problem
    known: dict[Any, int] = {}
    profiles: list[Profile] = []
    vehicles = []
    for vehicle, rate in zip(problem.vehicles, per_task_s, strict=True):
        weights = problem.objective
        per_m, per_s = weights.distance * vehicle.cost_per_m, weights.duration * vehicle.cost_per_s
        own = b"" if vehicle.service_s is None or not rate else vehicle.service_s.tobytes()
        key = vehicle.profile, vehicle.speed, per_m, per_s, rate, own
        if key not in known:
            known[key] = len(profiles)
            costs = _arcs(problem, vehicle, per_m, per_s, rate)
            profiles.append(
                replace(problem.profiles[vehicle.profile], distance_m=costs, name=str(known[key]))
            )
        paid = None
        if rate and problem.setup_s.any():
            paid = -rate * services(problem, vehicle)
        vehicles.append(
            replace(vehicle, profile=known[key], cost_per_m=1.0, cost_per_s=0.0, preference=paid)
        )
    objective = Objective(distance=1.0, duration=0.0, fixed=problem.objective.fixed)
    return replace(problem, profiles=tuple(profiles), vehicles=tuple(vehicles), objective=objective)


def _arcs(problem: Problem, vehicle: Vehicle, per_m: float, per_s: float, rate: float) -> Floats:
    """`[N, N]` what it costs a vehicle to get from one node to the next, and what is done there.

    Set-up is paid only where a vehicle has moved, which is told by metres and seconds: where there
    are set-ups, ways within a place must stay without metres, and service is a preference.
    """
    profile = problem.profiles[vehicle.profile]
    costs = np.zeros_like(profile.duration_s)
    if per_m:
        costs += per_m * profile.distance_m
    if per_s:
        costs += per_s * profile.duration_s / vehicle.speed
    if rate and problem.setup_s.any():
        costs += np.where(same_place(problem, vehicle), 0.0, rate * problem.setup_s)
    elif rate:
        costs += rate * services(problem, vehicle)
    np.fill_diagonal(costs, 0.0)
    costs[np.isinf(profile.duration_s)] = np.inf
    return costs
