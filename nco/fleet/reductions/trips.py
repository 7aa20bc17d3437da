"""Several trips of a vehicle as vehicles of one trip each.

That is the same problem where nothing joins the trips of a vehicle: no hours that one trip takes
from the next, no limit or fixed cost of all together, and nobody who minds which vehicle it was.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nco.fleet.reductions.vehicles import changed
from nco.problem.objective import LIMITS, TIES, TIMETABLED, Feature

if TYPE_CHECKING:
    from nco.problem import Problem

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
        Feature.MAKESPAN,
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
    if len(owners) > max(MOST, len(problem.vehicles)):
        return None
    once = changed(problem, lambda vehicle: replace(vehicle, max_trips=1))
    return replace(problem, vehicles=tuple(once[v] for v in owners))


def owners_of(problem: Problem) -> tuple[int, ...]:
    """The vehicle that each copy stands for: first every vehicle, then those of second trips, ...

    So trips are dealt out among vehicles that are alike. None drives more than there are stops.
    """
    most = [min(v.max_trips, max(1, len(problem.stops))) for v in problem.vehicles]
    return tuple(k for trip in range(max(most)) for k, number in enumerate(most) if trip < number)
