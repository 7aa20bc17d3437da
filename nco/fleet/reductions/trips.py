"""Several trips of a vehicle as vehicles of one trip each.

That is the same problem where nothing joins the trips of a vehicle: no hours that one trip takes
from the next, no limit or fixed cost of all together, and nobody who minds which vehicle it was.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from nco.problem.objective import LIMITS, TIES, TIMETABLED, Feature

if TYPE_CHECKING:
    from nco.problem import Problem, Vehicle

MOST = 20_000  # vehicles, beyond which searches would be slower for those that never leave

JOINING = (
    LIMITS
    | TIES
    | TIMETABLED
    | {
        Feature.TIME_WINDOWS,
        Feature.SHIFTS,
        Feature.RELEASES,
        Feature.FIXED_COST,
        Feature.LONGEST_ROUTE,
        Feature.FEWEST_VEHICLES,
        Feature.OPEN_ROUTES,
        Feature.RELOADS,
    }
)
"""What joins the trips of a vehicle, or may."""


def trips(problem: Problem) -> Problem | None:
    """Every vehicle once for each of its trips; None where something joins them."""
    if problem.features & JOINING:
        return None
    owners = owners_of(problem)
    if len(owners) > MOST:
        return None
    known = {id(v): replace(v, max_trips=1) for v in problem.vehicles}
    return replace(problem, vehicles=tuple(known[id(problem.vehicles[v])] for v in owners))


def owners_of(problem: Problem) -> tuple[int, ...]:
    """The vehicle that each copy stands for, in order."""
    most = {id(v): most_trips(problem, v) for v in problem.vehicles}
    return tuple(k for k, v in enumerate(problem.vehicles) for _ in range(most[id(v)]))


def most_trips(problem: Problem, vehicle: Vehicle) -> int:
    """How many trips of a vehicle are of use, at most.

    No more than there are stops. Where going on costs no more than going by the depot, two trips
    that fit into one are not better than one: then all but one are more than half full, in one
    dimension or another.
    """
    most = min(vehicle.max_trips, max(1, len(problem.stops)))
    if most == 1 or problem.pickup.any() or problem.shipments or not _shorter(problem, vehicle):
        return most
    capacity = np.array(vehicle.capacity)
    amounts = problem.demand.sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        full = np.where(amounts > 0, amounts / capacity, 0.0)
    return int(min(most, 1 + np.floor(2 * full.sum()))) if np.isfinite(full).all() else most


def _shorter(problem: Problem, vehicle: Vehicle) -> bool:
    """Whether no way onward costs more than that by the depot."""
    profile, weights = problem.profiles[vehicle.profile], problem.objective
    stops = np.arange(problem.depots, problem.size)
    parts = (
        (profile.distance_m, weights.distance * vehicle.cost_per_m),
        (profile.duration_s, weights.duration * vehicle.cost_per_s),
    )
    for matrix, rate in parts:
        onward = matrix[np.ix_(stops, stops)]
        by_depot = matrix[stops, vehicle.end][:, None] + matrix[vehicle.start, stops][None]
        if rate and not (onward <= by_depot).all():
            return False
    return True
