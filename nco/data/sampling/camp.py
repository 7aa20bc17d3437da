"""The published test files of CAMP, made again.

CAMP (Hua et al., arXiv 2501.02977) names 36 files of instances with preferences, which its authors
generate with numpy alone. The same calls in the same order make them here: random numbers are those
of `numpy.random.seed`, which numpy keeps as they were.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from nco.arguments import path_of
from nco.arrays import Floats, Singles
from nco.data.sampling.drawing import LARGEST_DEMAND, whole
from nco.data.sampling.preferences import sector_of
from nco.data.sampling.profiled import CAPACITY, WEIGHTS, objective_weights
from nco.errors import InputError, counted, quoted
from nco.files import write_atomic
from nco.problem import Objective, Problem, Profile, Vehicle

SIZES, VEHICLES = (40, 60, 80, 100), (3, 5, 7)
KINDS = ("random", "pi", "cluster")
SEED = 1234  # of the files; the generator's command line takes 3333 where none is given
COUNT = 10_000  # instances, which decides all numbers of a file
FILES = tuple(product(SIZES, VEHICLES, KINDS))
"""The 36 files: stops, vehicles and preference of each."""
_KNOWN = {"sector": "pi"}  # our names of its kinds


@dataclass(frozen=True)
class CampSet:
    """Instances as a file of CAMP holds them.

    Attributes:
        name: of the file, without its ending.
        depot: `[B, 2]` in the unit square.
        locs: `[B, n, 2]`.
        demand: `[B, n]`, whole numbers from 1 to 9.
        capacity: `[B, m]`, 40.
        speed: `[B, m]`, 1.
        preference: `[B, m, n]`.
    """

    name: str
    depot: Singles
    locs: Singles
    demand: Singles
    capacity: Singles
    speed: Singles
    preference: Singles

    def __len__(self) -> int:
        return len(self.depot)

    def problem(self, index: int, weights: Sequence[float] = WEIGHTS) -> Problem:
        """An instance as a problem: any number of trips, time is distance by speed.

        Args:
            index: of the instance.
            weights: of time and preference, 0 or more.

        Raises:
            InputError: there is no such instance, or the weights make no sense.
        """
        if not 0 <= whole(index, "index", 0) < len(self):
            raise InputError(
                f"index is {index}; {self.name} has {counted(len(self), 'instance')}: give 0 to "
                f"{len(self) - 1}"
            )
        w_t, w_p = objective_weights(weights)
        xy: Floats = np.concatenate([self.depot[index, None], self.locs[index]]).astype(float)
        metres = np.linalg.norm(xy[:, None] - xy[None], axis=-1)
        speeds = self.speed[index].astype(float)
        vehicles = tuple(
            Vehicle(
                capacity=(float(capacity),),
                speed=float(speed),
                cost_per_m=1.0 / float(speed),
                max_trips=self.locs.shape[1],
                preference=np.concatenate([[0.0], wishes.astype(float)]),
                name=f"vehicle {k}",
            )
            for k, (capacity, speed, wishes) in enumerate(
                zip(self.capacity[index], speeds, self.preference[index], strict=True)
            )
        )
        return Problem(
            profiles=(Profile(distance_m=metres, duration_s=metres, name="plane"),),
            vehicles=vehicles,
            demand=np.concatenate([[0.0], self.demand[index].astype(float)]),
            objective=Objective(distance=w_t, preference=w_p),
            xy=xy,
            name=f"{self.name}-{index}",
        )

    def save(self, folder: str | Path) -> Path:
        """Write the `.npz` file that CAMP reads.

        Raises:
            StorageError: it cannot be written.
        """
        arrays = {
            name: getattr(self, name)
            for name in ("depot", "locs", "demand", "capacity", "speed", "preference")
        }
        buffer = io.BytesIO()
        np.savez(buffer, **arrays)
        path = path_of(folder, "folder") / f"{self.name}.npz"
        return write_atomic(path, buffer.getvalue())


def camp_set(
    stops: int, vehicles: int, kind: str, *, seed: int = SEED, count: int = COUNT
) -> CampSet:
    """The instances of a published file, or others by the same generator.

    How many are drawn decides all numbers after the first array, as it does there.

    Args:
        stops: of each instance; 40, 60, 80 or 100 in the files.
        vehicles: 3, 5 or 7 in the files.
        kind: "random", "pi" (sectors around the depot; "sector" is the same) or "cluster".
        seed: 1234 in the files.
        count: instances; 10,000 in the files.

    Raises:
        InputError: there is no such kind, or a number makes no sense.
    """
    n, m = whole(stops, "stops", 1), whole(vehicles, "vehicles", 1)
    size, seed = whole(count, "count", 1), whole(seed, "seed", 0)
    kind = _KNOWN.get(kind, kind)
    if kind not in _PREFERENCES:
        raise InputError(f"kind is {quoted(kind)}; use one of {', '.join(KINDS)}")
    numbers = np.random.RandomState(seed)  # the stream of the files
    places = numbers.uniform(0, 1, (size, n + 1, 2))
    depot, locs = places[:, -1], places[:, :-1]
    demand = numbers.randint(1, LARGEST_DEMAND + 1, (size, n + 1))[:, :-1]
    speed = numbers.uniform(1, 1, (size, m))
    capacity = numbers.randint(int(CAPACITY), int(CAPACITY) + 1, (size, m))
    preference = _PREFERENCES[kind](numbers, depot, locs, m)
    singles = (a.astype(np.float32) for a in (depot, locs, demand, capacity, speed, preference))
    return CampSet(f"n{n}_m{m}_seed{seed}_{kind}", *singles)


def _random(numbers: Any, _depot: Floats, locs: Floats, m: int) -> Any:
    return numbers.uniform(0, 1, (len(locs), m, locs.shape[1]))


def _pi(_numbers: Any, depot: Floats, locs: Floats, m: int) -> Any:
    return sector_of(locs - depot[:, None], m)[:, None] == np.arange(m)[:, None]


def _cluster(numbers: Any, _depot: Floats, locs: Floats, m: int) -> Any:
    centres = numbers.randint(0, locs.shape[1], (len(locs), m))
    middle = np.take_along_axis(locs, centres[..., None], axis=1)
    return 1 - np.linalg.norm(locs[:, None] - middle[:, :, None], axis=-1) / np.sqrt(2)


_PREFERENCES = dict(zip(KINDS, (_random, _pi, _cluster), strict=True))
