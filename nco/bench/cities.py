"""Instances of a suite that are drawn in cities, each by a seed."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nco.errors import CityError, InputError, quoted

if TYPE_CHECKING:
    from nco.data.cities.city import City
    from nco.problem import Problem

PROBLEMS = ("rcvrp", "rcvrptw", "atsp")
HOW = ("road", "cluster", "node")
_EXTRACTS = (".osm.pbf", ".osm", ".pbf", ".city")


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """An instance drawn in a city.

    Attributes:
        city: name, or path of an extract or a saved city.
        problem: a sampler of `nco.sample`.
        size: stops (nodes for "atsp").
        seed: of the instance, and of the methods that solve it.
        within_km: side of the square that points are drawn from; None for the whole city.
        how: how points are drawn, see `City.sample`.
        capacity: of each vehicle; None takes the sampler's, which follows from the size.

    Raises:
        InputError: something is unknown or makes no sense.
    """

    city: str
    problem: str
    size: int
    seed: int
    within_km: float | None = None
    how: str = "road"
    capacity: float | None = None

    def __post_init__(self) -> None:
        for name, known in (("problem", PROBLEMS), ("how", HOW)):
            if getattr(self, name) not in known:
                raise InputError(
                    f"{name} is {quoted(getattr(self, name))}; use one of {', '.join(known)}"
                )
        least = 2 if self.problem == "atsp" else 1
        if self.size < least:
            raise InputError(f"size is {quoted(self.size)}; {self.problem} takes {least} or more")
        for name in ("within_km", "capacity"):
            value = getattr(self, name)
            if value is not None and not 0 < value < math.inf:
                raise InputError(f"{name} is {quoted(value)}; give a number above 0")
        if self.capacity is not None and self.problem == "atsp":
            raise InputError("capacity does not apply to atsp, which has no demand; leave it out")

    @property
    def label(self) -> str:
        """The city's name, without folder and suffix."""
        name = Path(self.city).name
        found = next((name.removesuffix(s) for s in _EXTRACTS if name.endswith(s)), None)
        return " ".join(self.city.casefold().split()) if found is None else found

    @property
    def name(self) -> str:
        """For lines and messages."""
        parts = [self.label, self.problem, f"n{self.size}", f"s{self.seed}"]
        parts += [] if self.within_km is None else [f"{self.within_km:g}km"]
        parts += [] if self.how == "road" else [self.how]
        parts += [] if self.capacity is None else [f"q{self.capacity:g}"]
        return "-".join(parts)

    @property
    def group(self) -> str:
        """What its gaps are averaged with: all instances of its kind, in every city."""
        parts = [self.problem, f"{self.size} {'nodes' if self.problem == 'atsp' else 'stops'}"]
        where = "whole city" if self.within_km is None else f"{self.within_km:g} km square"
        parts.append(where if self.how == "road" else f"{where} by {self.how}")
        parts += [] if self.capacity is None else [f"capacity {self.capacity:g}"]
        return ", ".join(parts)

    @property
    def source(self) -> dict[str, Any]:
        """Plain data that the instance follows from."""
        return {
            "city": self.label,
            "problem": self.problem,
            "size": self.size,
            "seed": self.seed,
            "within_km": self.within_km,
            "how": self.how,
            "capacity": self.capacity,
        }

    @property
    def best_known(self) -> float | None:
        """No cost is known before anything ran."""
        return None

    def build(self) -> Problem:
        """Draw it.

        Raises:
            NcoError: the city cannot be used, or has no room for so many points.
        """
        from nco.data.sampling import sample

        drawing = {"within_km": self.within_km, "capacity": self.capacity}
        options = {name: value for name, value in drawing.items() if value is not None}
        sampler = getattr(sample, self.problem)
        drawn: Problem = sampler(
            _city(self.city), self.size, seed=self.seed, how=self.how, **options
        )
        return drawn


@lru_cache(maxsize=2)  # a suite goes city by city
def _city(name: str) -> City:
    from nco.data.cities.places import city

    return city(name)


def in_cities(
    cities: Iterable[str],
    problems: Iterable[str],
    sizes: Sequence[int],
    *,
    count: int,
    seed: int = 0,
    within_km: Iterable[float | None] = (None,),
    how: str = "road",
    capacity: Sequence[float] = (),
) -> tuple[Drawn, ...]:
    """Instances of every combination, city by city.

    Args:
        cities: names or paths.
        problems: samplers of `nco.sample`.
        sizes: stops.
        count: how many of each kind in each city.
        seed: of the first of each kind; the others follow.
        within_km: sides of squares, None for the whole city.
        how: how points are drawn.
        capacity: one for all sizes or one a size; empty takes the samplers' own, by size.

    Raises:
        InputError: a number makes no sense, or two cities have the same name.
        NcoError: a city is not there.
    """
    if count < 1:
        raise InputError(f"instances is {count}; give 1 or more")
    if len(capacity) not in (0, 1, len(sizes)):
        raise InputError(
            f"there are {len(capacity)} capacities for {len(sizes)} sizes; give one for all, or "
            "one for each size"
        )
    capacities: list[float | None] = list(capacity) or [None]
    if len(capacities) == 1:
        capacities *= len(sizes)
    found = tuple(
        Drawn(
            city=city,
            problem=problem,
            size=size,
            seed=number,
            within_km=side,
            how=how,
            capacity=load,
        )
        for city in dict.fromkeys(cities)
        for side in dict.fromkeys(within_km)
        for problem in dict.fromkeys(problems)
        for size, load in dict(zip(sizes, capacities, strict=True)).items()
        for number in range(seed, seed + count)
    )
    _check_cities(found)
    return found


def _check_cities(instances: Iterable[Drawn]) -> None:
    """Find out now that a city is not there, not after hours of others."""
    from nco.data.cities.places import city, known_cities

    labels: dict[str, str] = {}
    known = {entry["name"] for entry in known_cities()}
    for instance in {instance.city: instance for instance in instances}.values():
        other = labels.setdefault(instance.label, instance.city)
        if other != instance.city:
            raise CityError(
                f"the cities {quoted(other)} and {quoted(instance.city)} are both called "
                f"{quoted(instance.label)} in results; rename one of the files"
            )
        if instance.label not in known and not Path(instance.city).is_file():
            city(instance.city)
