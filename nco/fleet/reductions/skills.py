"""Skills as allowed stops."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from nco.fleet.reductions.vehicles import changed

if TYPE_CHECKING:
    from nco.arrays import Bools
    from nco.problem import Problem, Vehicle


def skills(problem: Problem) -> Problem:
    """The stops that a vehicle may serve are those for which it has all skills."""
    known: dict[bytes, Bools] = {}

    def without(vehicle: Vehicle) -> Vehicle:
        lacking = [j for j, words in problem.skills.items() if words - vehicle.skills]
        mask = vehicle.allowed
        if lacking:
            allowed = np.ones(problem.size, bool) if mask is None else mask.copy()
            allowed[lacking] = False
            mask = known.setdefault(allowed.tobytes(), allowed)
        return replace(vehicle, allowed=mask, skills=frozenset())

    return replace(problem, vehicles=changed(problem, without), skills={})
