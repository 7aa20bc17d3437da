"""The cost of routes and what they violate, as every solver reports it.

`nco.check` recomputes the same quantities with code of its own; the two must agree.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass, fields

import numpy as np

from nco.errors import ProblemError
from nco.problem.duty import duty
from nco.problem.normal import normal
from nco.problem.problem import Problem
from nco.problem.route import Route
from nco.problem.violations import Violation, between_routes, of_vehicle


@dataclass(frozen=True)
class Cost:
    """The parts of a solution's cost, and the lengths they come from.

    Attributes:
        distance_m: metres driven by all vehicles.
        duration_s: seconds on duty of all vehicles (driving, waiting and service).
        vehicles: how many are in use, where that counts before the total
            (`Objective.fewest_vehicles`), else 0.
        distance: weighted cost of the metres.
        duration: weighted cost of the seconds.
        fixed: weighted fixed costs of the vehicles used.
        preference: weighted preferences of the served stops, a negative number.
        unserved: weighted prizes of the optional stops not served.
        longest_route: weighted metres or seconds of the longest vehicle.
        longest_leg: weighted metres or seconds of the longest way between two places.
        makespan: weighted seconds until the last vehicle is back.
        soft_windows: weighted cost of what is early or late in soft windows.
        overtime: weighted cost of overtime.
    """

    distance_m: float = 0.0
    duration_s: float = 0.0
    vehicles: int = 0
    distance: float = 0.0
    duration: float = 0.0
    fixed: float = 0.0
    preference: float = 0.0
    unserved: float = 0.0
    longest_route: float = 0.0
    longest_leg: float = 0.0
    makespan: float = 0.0
    soft_windows: float = 0.0
    overtime: float = 0.0

    @property
    def total(self) -> float:
        """The objective: the sum of the weighted parts."""
        return float(sum(getattr(self, f.name) for f in fields(self)[3:]))


def evaluate(problem: Problem, routes: Sequence[Route]) -> tuple[Cost, tuple[Violation, ...]]:
    """Cost and violations of non-empty routes.

    Raises:
        ProblemError: a route names a vehicle or a stop that does not exist.
    """
    trips: dict[int, list[Route]] = {}
    stops = problem.stops
    for r, route in enumerate(routes):
        _check_numbers(problem, stops, r, route)
        trips.setdefault(route.vehicle, []).append(route)
    weights, form = problem.objective, normal(problem)
    found: list[Violation] = []
    metres = seconds = distance = duration = fixed = preference = longest = 0.0
    penalty = overtime = leg = back_s = 0.0
    by_distance = weights.longest_by == "distance"
    for v, its_trips in trips.items():
        vehicle = problem.vehicles[v]
        plan = duty(form.problem, form.problem.vehicles[v], its_trips)
        on_duty_s = plan.duration_s / form.per_s
        metres += plan.distance_m
        seconds += on_duty_s
        distance += _product(vehicle.cost_per_m, plan.distance_m)
        duration += _product(vehicle.cost_per_s, on_duty_s)
        fixed += vehicle.fixed_cost
        penalty += plan.penalty / form.per_s
        overtime += _product(vehicle.cost_per_overtime_s, plan.overtime_s / form.per_s)
        longest = max(longest, plan.distance_m if by_distance else on_duty_s)
        metres_of_leg, seconds_of_leg = plan.longest_leg
        leg = max(leg, metres_of_leg if by_distance else seconds_of_leg / form.per_s)
        back_s = max(back_s, form.time_s(plan.start_s[-1]) - problem.begins_s)
        if vehicle.preference is not None:
            preference -= sum(
                float(vehicle.preference[j]) for trip in its_trips for j in trip.stops
            )
        found += of_vehicle(problem, form, v, its_trips, plan)
    found += between_routes(problem, routes)
    served = {stop for route in routes for stop in route.stops}
    unserved = _prizes(problem, served)
    cost = Cost(
        distance_m=metres,
        duration_s=seconds,
        vehicles=len(trips) if weights.fewest_vehicles else 0,
        distance=_product(weights.distance, distance),
        duration=_product(weights.duration, duration),
        fixed=weights.fixed * fixed,
        preference=weights.preference * preference,
        unserved=weights.unserved * unserved,
        longest_route=_product(weights.longest_route, longest),
        longest_leg=_product(weights.longest_leg, leg),
        makespan=_product(weights.makespan, back_s),
        soft_windows=_product(weights.soft_windows, penalty),
        overtime=_product(weights.overtime, overtime),
    )
    return cost, tuple(found)


def _product(weight: float, amount: float) -> float:
    """Weight times amount, 0 where the weight is 0 even if the amount is infinite."""
    return weight * amount if weight else 0.0


def _check_numbers(problem: Problem, stops: range, r: int, route: Route) -> None:
    if not 0 <= route.vehicle < len(problem.vehicles):
        raise ProblemError(
            f"routes[{r}]: vehicle {route.vehicle} does not exist; "
            f"vehicles are 0 to {len(problem.vehicles) - 1}"
        )
    if route.reload_at is not None and not 0 <= route.reload_at < problem.depots:
        raise ProblemError(
            f"routes[{r}]: reload_at is node {route.reload_at}; depots are 0 to "
            f"{problem.depots - 1}"
        )
    for k, stop in enumerate(route.stops):
        if stop not in stops:
            raise ProblemError(
                f"routes[{r}].stops[{k}]: {stop} is not a stop; stops are nodes "
                f"{problem.depots} to {problem.size - 1}"
            )


def _prizes(problem: Problem, served: Container[int]) -> float:
    """Prizes of the optional stops and groups that nobody serves."""
    grouped = {j for group in problem.groups for j in group.stops}
    lost = [
        float(problem.prize[j])
        for j in problem.stops
        if j not in served and j not in grouped and np.isfinite(problem.prize[j])
    ]
    lost += [
        group.prize
        for group in problem.groups
        if np.isfinite(group.prize) and not any(j in served for j in group.stops)
    ]
    return sum(lost)
