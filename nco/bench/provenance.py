"""What tells whether two results may be compared: the instance itself, and the code that ran."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nco.arrays import Floats
    from nco.problem import Problem

# What can change an answer; reports, training and figures cannot.
_PARTS = ("*.py", "baselines/**/*", "data/**/*", "envs/**/*", "models/**/*", "search/**/*")
_SUFFIXES = (".py", ".json", ".safetensors")
_DIGITS = 12
_OF_VEHICLES = (
    *("capacity", "start", "end", "shift_s", "profile"),
    *("fixed_cost", "cost_per_m", "cost_per_s", "max_trips"),
)


@cache
def code() -> str:
    """Hexadecimal digits that follow from nco's code and policies as they lie on the disk."""
    root = Path(__file__).parents[1]
    found = {path for part in _PARTS for path in root.glob(part) if path.suffix in _SUFFIXES}
    digest = hashlib.sha256()
    for path in sorted(found):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(root).as_posix()} {len(content)} ".encode() + content)
    return digest.hexdigest()[:_DIGITS]


def fingerprint(problem: Problem) -> str:
    """Hexadecimal digits that follow from all that decides which answers are good.

    Numbers count to a thousandth, which leaves out what processors round differently.
    """
    digest = hashlib.sha256()
    for array in _arrays(problem):
        counted = np.rint(1000 * np.where(np.isinf(array), -1.0, array)).astype("<i8")
        digest.update(repr(counted.shape).encode() + counted.tobytes())
    kinds = [
        (len(members), *(getattr(vehicle, name) for name in _OF_VEHICLES))
        for vehicle, members in problem.fleet
    ]
    digest.update(repr((problem.depots, problem.objective, kinds)).encode())
    return digest.hexdigest()[:_DIGITS]


def _arrays(problem: Problem) -> Iterator[Floats]:
    for profile in problem.profiles:
        yield profile.distance_m
        yield profile.duration_s
    yield from (problem.demand, problem.window_s, problem.service_s, problem.prize)
    for vehicle, _ in problem.fleet:
        for array in (vehicle.allowed, vehicle.preference):
            yield np.empty(0) if array is None else array.astype(float)
