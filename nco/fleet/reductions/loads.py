"""Pickups and limits on stops as further dimensions of demand, backhauls as missing arcs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from nco.fleet.reductions.vehicles import changed

if TYPE_CHECKING:
    from nco.problem import Problem, Profile, Vehicle


def backhauls(problem: Problem) -> Problem | None:
    """No arc leads from a stop with pickup to one with demand.

    Not where a stop has neither: a way might lead from one to the other by it.
    """
    gives, takes = problem.demand.any(axis=1), problem.pickup.any(axis=1)
    if not (gives | takes)[problem.depots :].all():
        return None
    barred = takes[:, None] & gives[None]
    np.fill_diagonal(barred, val=False)

    def without(profile: Profile) -> Profile:
        return replace(
            profile,
            distance_m=np.where(barred, np.inf, profile.distance_m),
            duration_s=np.where(barred, np.inf, profile.duration_s),
        )

    profiles = tuple(map(without, problem.profiles)) if barred.any() else problem.profiles
    return replace(problem, profiles=profiles, linehauls_first=False)


def pickups(problem: Problem) -> Problem | None:
    """Where no trip carries both at once, pickups take room as demand does.

    That is so in a dimension in which nothing is delivered, or nothing picked up; and where all
    deliveries come first: there pickups are a dimension of their own. Not where shipments take room
    beside them.
    """
    other: Problem | None = problem
    if problem.linehauls_first and problem.demand.any():
        other = backhauls(problem)
    if other is None:
        return None
    gives, takes = problem.demand.any(axis=0), problem.pickup.any(axis=0)
    shipped = np.zeros(problem.dimensions, bool)
    for shipment in problem.shipments:
        shipped |= np.array(shipment.amount) > 0
    both = np.flatnonzero(gives & takes)
    if (takes & shipped).any() or (len(both) and not problem.linehauls_first):
        return None
    demand = np.where(gives, problem.demand, problem.pickup)

    def with_room(vehicle: Vehicle) -> Vehicle:
        more = tuple(vehicle.capacity[k] for k in both)
        return replace(vehicle, capacity=vehicle.capacity + more)

    return replace(
        other,
        demand=np.concatenate([demand, problem.pickup[:, both]], axis=1),
        pickup=np.zeros((problem.size, problem.dimensions + len(both))),
        linehauls_first=False,
        vehicles=changed(problem, with_room),
        shipments=tuple(
            replace(s, amount=s.amount + (0.0,) * len(both)) for s in problem.shipments
        ),
    )


def most_stops(problem: Problem) -> Problem | None:
    """Stops take one each of a dimension of their own.

    Not where a limit is on several trips, nor where what has demand must be served first.
    """
    limited = [vehicle for vehicle, _ in problem.fleet if vehicle.max_stops is not None]
    if problem.linehauls_first or any(vehicle.max_trips > 1 for vehicle in limited):
        return None
    none = np.zeros((problem.size, 1))
    one = none.copy()
    one[problem.depots :] = 1.0

    def with_room(vehicle: Vehicle) -> Vehicle:
        most = np.inf if vehicle.max_stops is None else float(vehicle.max_stops)
        return replace(vehicle, capacity=(*vehicle.capacity, most), max_stops=None)

    return replace(
        problem,
        demand=np.concatenate([problem.demand, one], axis=1),
        pickup=np.concatenate([problem.pickup, none], axis=1),
        vehicles=changed(problem, with_room),
        shipments=tuple(replace(s, amount=(*s.amount, 0.0)) for s in problem.shipments),
    )
