"""Fixed test sets: which instances a policy is measured on.

An instance follows from its set, problem, size, city and number alone. Instances go round the
cities, so that the first few of a cell are a smaller sample of the same kind.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from nco.envs.convert import conversion
from nco.errors import CityError, InputError, quoted
from nco.training.distribution import PLAIN
from nco.training.pools import Pools
from nco.training.sampler import DRAW
from nco.training.seeds import seeded
from nco.training.sources import TableSize, find_sources, table_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from nco.problem import Problem

TRAINED = (
    "andorra", "bangor_maine", "boston_north", "harrisburg_pa", "issaquah_wa", "krems", "lauf",
    "liechtenstein", "malta", "maribor", "milton_keynes", "oslo_east", "porto_region", "portland",
    "reisterstown_md", "rhein_neckar", "sao_paulo_centre", "terre_haute",
)  # fmt: skip
"""Cities that shipped policies train on."""
UNSEEN = (
    "helsinki_centre", "munich_centre", "berlin_miraustr", "tokyo_shibuya", "johannesburg_centre",
    "monaco_riviera", "baltimore", "addison_vermont",
)  # fmt: skip
"""Cities that nothing was trained on, and that no training option was chosen on."""
VALIDATION = ("campo_grande", "reno_east")
"""Cities that nothing was trained on, and that training options are chosen on."""

_WHOLE, _BOX, _CLUSTERS = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)
_BLOCK = 16  # instances of a city that are drawn together; another number draws others
_MANY = 500  # stops that take larger tables than training's


@dataclass(frozen=True)
class Places:
    """Where a set's instances lie.

    Attributes:
        cities: names of extracts, or of built-in cities.
        weights: of drawing from the whole city, a box of 3 km, and clusters.
        about: in words.
    """

    cities: tuple[str, ...]
    weights: tuple[float, float, float]
    about: str


SETS = {
    "unseen": Places(UNSEEN, _WHOLE, "whole cities that were never trained on"),
    "unseen-box": Places(UNSEEN, _BOX, "boxes of 3 km in cities that were never trained on"),
    "unseen-cluster": Places(UNSEEN, _CLUSTERS, "clusters in cities that were never trained on"),
    "trained": Places(TRAINED, _WHOLE, "whole cities that were trained on"),
    "helsinki": Places(("helsinki",), _WHOLE, "the built-in city, which was never trained on"),
    "validation": Places(VALIDATION, _WHOLE, "whole cities that training options are chosen on"),
}
USUAL = tuple(name for name in SETS if name != "validation")
"""Sets that are measured unless others are named: options are not judged where they were chosen."""
WITHOUT_EXTRACTS = ("helsinki",)
"""Sets that need no folder of extracts."""
PROBLEMS = ("atsp", "rcvrp", "rcvrptw")
STOPS = (50, 100)
INSTANCES = 128


@dataclass(frozen=True)
class Cell:
    """Instances of one kind.

    Attributes:
        set: name of the set.
        problem: name of the environment.
        stops: of each instance; nodes where there is no depot.

    Raises:
        InputError: the set or the problem does not exist, or there are too few stops.
    """

    set: str
    problem: str
    stops: int

    def __post_init__(self) -> None:
        if self.set not in SETS:
            raise InputError(f"set {quoted(self.set)} is unknown; known are {', '.join(SETS)}")
        if self.problem not in PROBLEMS:
            raise InputError(
                f"problem {quoted(self.problem)} is unknown; known are {', '.join(PROBLEMS)}"
            )
        if self.stops < 2:
            raise InputError(f"stops is {quoted(self.stops)}; give 2 or more")

    def __str__(self) -> str:
        return f"{self.set} {self.problem} {quoted(self.stops)}"


def cells(
    sets: Sequence[str], problems: Sequence[str] = PROBLEMS, stops: Sequence[int] = STOPS
) -> list[Cell]:
    """Every combination, sets first."""
    return [Cell(s, p, n) for s in sets for p in problems for n in stops]


@dataclass(frozen=True)
class Cases:
    """The instances of a cell.

    Attributes:
        cell: what they are.
        instance: all of them as one batch of the environment, on the CPU.
        problems: each as a problem.
    """

    cell: Cell
    instance: Any
    problems: tuple[Problem, ...]

    def part(self, begin: int, end: int, device: torch.device | str = "cpu") -> Any:
        """The instances of a range as a batch on a device."""
        return _each(self.instance, lambda _, tensor: tensor[begin:end].to(device))


class Cities:
    """The tables of cities, each read or computed once.

    Args:
        folder: of extracts; None for none.
    """

    def __init__(self, folder: str | None = None) -> None:
        self.folder = folder
        self._pools: dict[tuple[str, TableSize], Pools] = {}

    def check(self, sets: Iterable[str]) -> None:
        """See that the cities of sets are there.

        Raises:
            CityError: they are not; the message names all of them.
        """
        names = list(dict.fromkeys(city for name in sets for city in SETS[name].cities))
        try:
            find_sources(names, self.folder)
        except CityError as error:
            raise CityError(
                f"{error}. The sets {', '.join(SETS)} need extracts of their cities (--folder); "
                f"only {', '.join(WITHOUT_EXTRACTS)} needs none"
            ) from error

    def pools(self, city: str, stops: int) -> Pools:
        """The table of a city, ready to draw so many stops from.

        Raises:
            CityError: there is no such city, or its extract is unusable.
        """
        size = TableSize() if stops <= _MANY else TableSize(whole=2 * stops)
        if (city, size) not in self._pools:
            (source,) = find_sources([city], self.folder)
            self._pools[city, size] = Pools.of([table_of(source, size)])
        return self._pools[city, size]


def draw(cell: Cell, count: int, cities: Cities) -> Cases:
    """The first `count` instances of a cell.

    Raises:
        CityError: a city is missing or unusable.
        PolicyError: a city has too few points.
    """
    places = SETS[cell.set]
    law = replace(PLAIN, places=places.weights)
    blocks = math.ceil(count / (len(places.cities) * _BLOCK))
    parts = []
    for city in places.cities:
        pools = cities.pools(city, cell.stops)
        for block in range(blocks):
            key = ("bench policies", cell.set, cell.problem, cell.stops, city, block)
            generator = seeded("cpu", *key)
            parts.append(DRAW[cell.problem](pools, _BLOCK, cell.stops, law, generator))
    # From city after city to round and round the cities.
    turn = torch.arange(count)
    order = turn % len(places.cities) * blocks * _BLOCK + turn // len(places.cities)
    instance = _joined(parts, order)
    return Cases(cell, instance, tuple(conversion(cell.problem).problems(instance)))


def fingerprint(problem: Problem) -> str:
    """Eight hexadecimal digits that follow from what decides the cost of an instance.

    Lengths count to 0.1 m, times to 0.1 s.
    """
    profile = problem.profile_of(0)
    parts = [profile.distance_m, problem.demand, np.array(problem.vehicles[0].capacity)]
    if np.isfinite(problem.window_s).any(axis=0)[1]:
        parts += [profile.duration_s, problem.window_s, problem.service_s]
    digest = hashlib.sha256()
    for part in parts:
        tenths = np.rint(10 * np.where(np.isinf(part), -1.0, part)).astype("<i8")
        digest.update(repr(tenths.shape).encode() + tenths.tobytes())
    return digest.hexdigest()[:8]


def moved(instance: Any, device: torch.device | str) -> Any:
    """A batch on a device."""
    return _each(instance, lambda _, tensor: tensor.to(device))


def _joined(parts: Sequence[Any], order: torch.Tensor) -> Any:
    """Batches one after the other, in a new order."""
    return _each(
        parts[0], lambda name, _: torch.cat([getattr(part, name) for part in parts])[order]
    )


def _each(instance: Any, change: Callable[[str, torch.Tensor], torch.Tensor]) -> Any:
    """A batch with each of its tensors replaced."""
    values = {f.name: getattr(instance, f.name) for f in fields(instance)}
    tensors = {k: change(k, v) for k, v in values.items() if isinstance(v, torch.Tensor)}
    return replace(instance, **tensors)
