"""Fewest vehicles first as a fixed cost that all else together cannot outweigh."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from nco.fleet.reductions.vehicles import changed
from nco.problem.normal import day_s, most_of_hours

if TYPE_CHECKING:
    from nco.arrays import Floats
    from nco.problem import Problem, Vehicle

TIMES = 32  # by which a vehicle outweighs all else: the normal form lowers that to what it takes


def fewest_vehicles(problem: Problem) -> Problem:
    """Every vehicle costs more than all routes, fixed costs and prizes together."""
    weights, weight = problem.objective, problem.objective.fixed or 1.0
    dear = 2.0 ** math.ceil(math.log2(max(1.0, TIMES * _all_else(problem))))

    def dearer(vehicle: Vehicle) -> Vehicle:
        return replace(vehicle, fixed_cost=(weights.fixed * vehicle.fixed_cost + dear) / weight)

    objective = replace(weights, fixed=weight, fewest_vehicles=False)
    return replace(problem, vehicles=changed(problem, dearer), objective=objective)


def _all_else(problem: Problem) -> float:
    """No answer costs more but for the artificial cost of vehicles."""
    weights, vehicles = problem.objective, [vehicle for vehicle, _ in problem.fleet]
    stops = len(problem.stops)
    used, longest_s = min(stops, len(problem.vehicles)), day_s(problem)
    metres = [_largest(problem.profiles[v.profile].distance_m) for v in vehicles]
    per_m = max(m * v.cost_per_m for m, v in zip(metres, vehicles, strict=True))
    rest = weights.distance * 2 * stops * per_m
    rest += weights.duration * used * max(v.cost_per_s for v in vehicles) * longest_s
    rest += weights.fixed * used * max(v.fixed_cost for v in vehicles)
    gains = [_largest(np.abs(v.preference)) for v in vehicles if v.preference is not None]
    rest += weights.preference * 2 * stops * max(gains, default=0.0)
    prizes = sum(float(p) for p in problem.prize if np.isfinite(p))
    prizes += sum(group.prize for group in problem.groups if np.isfinite(group.prize))
    rest += weights.unserved * prizes + most_of_hours(problem, vehicles, longest_s)
    longest = max(longest_s, 2 * stops * max(metres))
    rest += (weights.longest_route + weights.longest_leg) * longest
    return rest + weights.makespan * longest_s


def _largest(values: Floats) -> float:
    return float(np.max(values, initial=0.0, where=np.isfinite(values)))
