"""Speeds and service of single vehicles as profiles of their own, a longest duty as a shift."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from nco.fleet.reductions.vehicles import changed, driving_counts
from nco.problem import Profile

if TYPE_CHECKING:
    from collections.abc import Hashable

    from nco.arrays import Floats
    from nco.problem import Problem, Vehicle


class _Profiles:
    """Profiles of a problem with other durations, one for all vehicles that share them."""

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self._number: dict[Hashable, int] = {}
        self.made: list[Profile] = []

    def number(self, vehicle: Vehicle, service: Floats | None) -> int:
        """The profile of a vehicle, its speed and, if there is any, service made part of it."""
        key = (vehicle.profile, vehicle.speed, None if service is None else service.tobytes())
        if key not in self._number:
            self._number[key] = len(self.made)
            profile = self._problem.profiles[vehicle.profile]
            if vehicle.speed != 1 or service is not None:
                duration = profile.duration_s / vehicle.speed
                if service is not None:
                    duration += service[:, None]
                    np.fill_diagonal(duration, 0.0)
                profile = replace(profile, duration_s=duration)
            self.made.append(profile)
        return self._number[key]


def speeds(problem: Problem) -> Problem:
    """A profile for each speed."""
    profiles = _Profiles(problem)
    vehicles = changed(problem, lambda v: replace(v, profile=profiles.number(v, None), speed=1.0))
    return replace(problem, vehicles=vehicles, profiles=tuple(profiles.made))


def own_service(problem: Problem) -> Problem | None:
    """Service as part of the way onward.

    Not where driving itself counts, nor where the last way is open and takes no time.
    """
    if driving_counts(problem) or any(v.open_end for v, _ in problem.fleet):
        return None
    profiles = _Profiles(problem)

    def folded(vehicle: Vehicle) -> Vehicle:
        service = problem.service_s if vehicle.service_s is None else vehicle.service_s
        number = profiles.number(vehicle, service)
        return replace(vehicle, profile=number, speed=1.0, service_s=None)

    vehicles = changed(problem, folded)
    none = np.zeros(problem.size)
    return replace(problem, vehicles=vehicles, profiles=tuple(profiles.made), service_s=none)


def longest_duty(problem: Problem) -> Problem | None:
    """Who never waits is on duty from the first moment on, and returns before the limit is over.

    Not where something opens, or comes to the depot, after a limited vehicle can leave, nor where
    it may pay to wait.
    """
    if problem.timetabled:
        return None
    opens = max(float(problem.window_s[:, 0].max()), float(problem.release_s.max()))

    def begins(vehicle: Vehicle) -> float:
        opened = 0.0 if vehicle.open_start else float(problem.window_s[vehicle.start, 0])
        return max(vehicle.shift_s[0], opened)

    if any(np.isfinite(v.max_duration_s) and opens > begins(v) for v, _ in problem.fleet):
        return None

    def with_shift(vehicle: Vehicle) -> Vehicle:
        begin, end = vehicle.shift_s
        end = min(end, begins(vehicle) + vehicle.max_duration_s)
        return replace(vehicle, shift_s=(begin, end), max_duration_s=np.inf)

    return replace(problem, vehicles=changed(problem, with_shift))
