"""Time on a way that is no driving: set-up at a stop, loading and unloading at a depot."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from nco.problem.objective import Feature

if TYPE_CHECKING:
    from nco.arrays import Bools, Floats
    from nco.problem.problem import Problem
    from nco.problem.vehicle import Vehicle


def same_place(problem: Problem, vehicle: Vehicle) -> Bools:
    """`[N, N]` pairs of nodes between which a vehicle goes no distance, in no time."""
    profile = problem.profiles[vehicle.profile]
    here: Bools = (profile.distance_m == 0) & (profile.duration_s == 0)
    return here


def handling(problem: Problem, vehicle: Vehicle, nodes: Sequence[int]) -> Floats:
    """`[len(nodes) - 1]` seconds beside driving between nodes in a row, depots included.

    Loading comes before leaving a depot, set-up and unloading on arrival; at an open end nobody
    is at the depot.
    """
    found = np.zeros(len(nodes) - 1)
    asked = vehicle.loading_s or vehicle.unloading_s or Feature.SETUP in problem.features
    if not len(found) or not asked:
        return found
    here, there = np.array(nodes[:-1], int), np.array(nodes[1:], int)
    profile = problem.profiles[vehicle.profile]
    moved = (profile.distance_m[here, there] > 0) | (profile.duration_s[here, there] > 0)
    leaves, comes = here < problem.depots, there < problem.depots
    if vehicle.open_start:
        moved[0], leaves[0] = True, False
    if vehicle.open_end:
        comes[-1] = False
    found += np.where(moved, problem.setup_s[there], 0.0)
    found += vehicle.loading_s * leaves + vehicle.unloading_s * comes
    return found
