"""Why a stop is on no route, in words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nco.arrays import Bools, Floats
from nco.problem.evaluate import TOLERANCE, duty, exceeds
from nco.problem.problem import Problem
from nco.problem.route import Route
from nco.problem.vehicle import Vehicle

MOST = 20  # kinds of vehicles, of which obstacles are told


def reasons_unassigned(
    problem: Problem, routes: Sequence[Route], missing: Sequence[int]
) -> list[str]:
    """One reason for each missing stop: what stops every vehicle, or how far all are used."""
    if not missing:
        return []
    kinds = [vehicle for vehicle, _ in problem.fleet]
    used = {route.vehicle for route in routes}
    idle = [v for v in range(len(problem.vehicles)) if v not in used]
    kind_of = {v: k for k, (_, numbers) in enumerate(problem.fleet) for v in numbers}
    room = _free_capacity(problem, routes)
    reasons = []
    able = np.array([_able(problem, vehicle) for vehicle in kinds])
    for stop in missing:
        if stop in problem.off_street:
            reasons.append(problem.off_street[stop])
        elif not able[:, stop].any():
            obstacles = [_obstacle(problem, vehicle, stop) for vehicle in kinds[:MOST]]
            reasons.append("; ".join(dict.fromkeys(obstacles)))
        elif np.isfinite(problem.prize[stop]):
            reasons.append("left out: serving it was not found worth its prize")
        elif any(able[kind_of[v], stop] for v in idle):
            reasons.append("the method left it out although an unused vehicle could serve it")
        elif not (room >= problem.demand[stop]).all(axis=1).any():
            need = ", ".join(f"{amount:g}" for amount in problem.demand[stop])
            most = ", ".join(f"{amount:g}" for amount in room.max(axis=0, initial=0.0))
            reasons.append(
                f"all {len(problem.vehicles)} vehicles are in use and none has room for its demand "
                f"of {need} (free: {most} at most); add vehicles"
            )
        else:
            reasons.append(
                f"all {len(problem.vehicles)} vehicles are in use and it was not found to fit into "
                "any of their routes; add vehicles or relax windows and shifts"
            )
    return reasons


def _able(problem: Problem, vehicle: Vehicle) -> Bools:
    """`[N]` to which nodes nothing keeps a vehicle from driving a trip for them alone."""
    profile, window = problem.profiles[vehicle.profile], problem.window_s
    over = (problem.demand - np.array(vehicle.capacity)).max(axis=1, initial=-1.0)
    start, end = vehicle.start, vehicle.end
    opens = max(vehicle.shift_s[0], float(window[start, 0])) + float(problem.service_s[start])
    begin = np.maximum(opens + profile.duration_s[start], window[:, 0])
    finish = begin + problem.service_s + profile.duration_s[:, end]
    finish = np.maximum(finish, window[end, 0])
    closing = min(vehicle.shift_s[1], float(window[end, 1]))
    able = ~(_over(over, 0.0) | _over(begin, window[:, 1]) | _over(finish, closing))
    able &= np.isfinite(profile.distance_m[start]) & np.isfinite(profile.distance_m[:, end])
    return able if vehicle.allowed is None else able & vehicle.allowed


def _over(amount: Floats, limit: Floats | float) -> Bools:
    """As `exceeds`, of many amounts."""
    return amount > limit + TOLERANCE * np.maximum(1.0, np.abs(limit))


def _free_capacity(problem: Problem, routes: Sequence[Route]) -> np.ndarray:
    """`[R, K]` what each route could still carry."""
    free = [
        np.array(problem.vehicles[route.vehicle].capacity)
        - problem.demand[list(route.stops)].sum(axis=0)
        for route in routes
    ]
    return np.array(free).reshape(len(routes), problem.dimensions)


def _obstacle(problem: Problem, vehicle: Vehicle, stop: int) -> str:
    """What keeps a vehicle from serving a stop on a trip of its own; empty if nothing does."""
    profile = problem.profiles[vehicle.profile]
    if vehicle.allowed is not None and not vehicle.allowed[stop]:
        return "no vehicle that could come is allowed to serve it"
    if exceeds(float((problem.demand[stop] - vehicle.capacity).max(initial=-1.0)), 0.0):
        return "its demand is more than a vehicle holds"
    if not np.isfinite(profile.distance_m[vehicle.start, stop]):
        return "no street leads to it from the depot"
    if not np.isfinite(profile.distance_m[stop, vehicle.end]):
        return "no street leads from it back to the depot"
    plan = duty(problem, vehicle, [[stop]])
    start, finish = plan.start_s[1], plan.start_s[2]
    if exceeds(start, float(problem.window_s[stop, 1])):
        return (
            f"no vehicle can be there before {start:.0f} s and its window closes at "
            f"{problem.window_s[stop, 1]:.0f} s"
        )
    closing = min(vehicle.shift_s[1], float(problem.window_s[vehicle.end, 1]))
    if exceeds(finish, closing):
        return (
            f"a vehicle that serves it is back at {finish:.0f} s, after closing at {closing:.0f} s"
        )
    return ""
