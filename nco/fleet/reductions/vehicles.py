"""A fleet with each of its vehicles changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nco.problem import Feature

if TYPE_CHECKING:
    from collections.abc import Callable

    from nco.problem import Problem, Vehicle


INTERRUPTED = frozenset({Feature.BREAKS, Feature.RESTS, Feature.TRAFFIC})
"""What happens to a drive and not to a service: a break may come in between, traffic slows it."""


def driving_counts(problem: Problem) -> bool:
    """Whether seconds of driving count by themselves, so that none may be added to a drive."""
    if problem.features & INTERRUPTED:
        return True
    legs = Feature.LONGEST_LEG in problem.features and problem.objective.longest_by == "duration"
    return legs or Feature.MOST_DRIVING in problem.features


def changed(problem: Problem, change: Callable[[Vehicle], Vehicle]) -> tuple[Vehicle, ...]:
    """The vehicles of a problem, each changed; those that differ in nothing become one object."""
    known = {vehicle.sameness: vehicle for vehicle in problem.vehicles}
    made = {key: change(vehicle) for key, vehicle in known.items()}
    return tuple(made[vehicle.sameness] for vehicle in problem.vehicles)
