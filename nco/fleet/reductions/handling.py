"""Set-up, loading and unloading as part of the ways that lead there."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from nco.fleet.reductions.open_routes import open_routes
from nco.fleet.reductions.vehicles import changed, driving_counts
from nco.problem import Feature
from nco.problem.handling import same_place

if TYPE_CHECKING:
    from collections.abc import Hashable

    from nco.problem import Problem, Profile, Vehicle


def handling(problem: Problem) -> Problem | None:
    """A profile for each speed, place of loading and time that it takes.

    Where routes are open, they first begin and end at a depot of their own, at which nothing is
    loaded, and from which every way leads to another place. Not where driving itself counts, or is
    interrupted.
    """
    if driving_counts(problem):
        return None
    opened: Problem | None = problem
    if Feature.OPEN_ROUTES in problem.features:
        opened = open_routes(problem)
    if opened is None:
        return None
    anywhere = opened.depots - 1 if opened is not problem else -1
    known: dict[Hashable, int] = {}
    made: list[Profile] = []

    def folded(vehicle: Vehicle) -> Vehicle:
        again = vehicle.reloads if vehicle.max_trips > 1 else ()
        leaves, comes = {vehicle.start, *again}, {vehicle.end, *again}
        at = (*map(frozenset, (leaves, comes)), vehicle.loading_s, vehicle.unloading_s)
        key = (vehicle.profile, vehicle.speed, *at)
        if key not in known:
            known[key] = len(made)
            moved = ~same_place(opened, vehicle)
            if anywhere >= 0:
                moved[anywhere] = True
            profile = opened.profiles[vehicle.profile]
            duration = profile.duration_s / vehicle.speed + moved * opened.setup_s
            duration[list(leaves - {anywhere})] += vehicle.loading_s
            duration[:, list(comes - {anywhere})] += vehicle.unloading_s
            np.fill_diagonal(duration, 0.0)
            made.append(replace(profile, duration_s=duration))
        return replace(vehicle, profile=known[key], speed=1.0, loading_s=0.0, unloading_s=0.0)

    vehicles = changed(opened, folded)
    none = np.zeros(opened.size)
    return replace(opened, vehicles=vehicles, profiles=tuple(made), setup_s=none)
