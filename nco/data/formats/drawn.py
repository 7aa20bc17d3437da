"""Along whose streets the lines of a plan go: each vehicle's along its own."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Protocol, runtime_checkable

from numpy.typing import ArrayLike

from nco.arrays import Floats
from nco.errors import CityError, quoted
from nco.problem import Problem

logger = logging.getLogger("nco")
PROFILE_WORDS = {
    "car": "car", "drive": "car", "driving": "car", "van": "car", "truck": "car",
    "bicycle": "bicycle", "bike": "bicycle", "cycling": "bicycle", "cargo bike": "bicycle",
    "foot": "foot", "walk": "foot", "walking": "foot", "pedestrian": "foot", "on foot": "foot",
}  # fmt: skip
"""What people call the profiles of an extract."""


@runtime_checkable
class Drawn(Protocol):
    """A city that knows the shape of its streets."""

    def geometry(self, points: ArrayLike) -> list[Floats]:
        """One polyline `[k, 2]` (lonlat) for each leg of a route through points."""
        ...


def streets_of(
    problem: Problem, city: Drawn | None, streets: Mapping[str, Drawn] = MappingProxyType({})
) -> Sequence[Drawn | None]:
    """The streets of each profile of a problem, in their order; None where they are not known.

    Vehicles of one kind drive along the streets of the city, whatever their profile is called.
    Where there are several kinds, `bicycle` is that profile of the extract; streets of any other
    name are only known from `streets`, and the log says so of those that are not.

    Args:
        problem: whose profiles.
        city: None where lines are straight.
        streets: by the names of profiles, for those that are no plain streets of the extract.
    """
    names = [profile.name for profile in problem.profiles]
    used = {vehicle.profile for vehicle in problem.vehicles}
    return [
        streets.get(name, city) if len(names) == 1 else _named(name, city, streets, told=k in used)
        for k, name in enumerate(names)
    ]


def _named(
    name: str, city: Drawn | None, streets: Mapping[str, Drawn], *, told: bool
) -> Drawn | None:
    if name in streets:
        return streets[name]
    meant = PROFILE_WORDS.get(name.casefold(), name)
    if city is None or meant == getattr(city, "profile", None):
        return city
    other = None
    if told:
        other = _of_extract(city, meant)
        if other is None:
            logger.warning(
                "the streets of profile %s are not known here: its routes are drawn in straight "
                "lines",
                quoted(name),
            )
    return other


def _of_extract(city: Drawn, profile: str) -> Drawn | None:
    with_profile = getattr(city, "with_profile", None)
    if with_profile is None:
        return None
    try:
        other: Drawn = with_profile(profile)
    except CityError:  # it has no such profile, or no extract
        return None
    return other
