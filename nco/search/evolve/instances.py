"""Instances that operators are judged on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nco.data.sampling.sample import rcvrp, rcvrptw
from nco.problem import Problem, Vehicle
from nco.problem.normal import normal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nco.data.cities.streets import Streets

SQUARE_CAPACITY = 50.0  # of G-LNS at all sizes
KINDS = {"rcvrp": rcvrp, "rcvrptw": rcvrptw}


def square(stops: int, seed: int, capacity: float = SQUARE_CAPACITY) -> Problem:
    """Stops and depot uniform on the unit square, demands 1 to 9, straight lines.

    As in W. Kool et al. (2019, "Attention, learn to solve routing problems!"), and as G-LNS
    trains and is measured on.

    Args:
        stops: how many.
        seed: of places and demands.
        capacity: of each vehicle.
    """
    rng = np.random.default_rng(seed)
    xy = rng.random((stops + 1, 2))
    far = np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1))
    demand = np.concatenate([[0], rng.integers(1, 10, stops)])
    vehicles = [Vehicle(capacity=(capacity,))] * stops
    return Problem.from_matrices(
        far, demand=demand, vehicles=vehicles, name=f"square-n{stops}-s{seed}"
    )


def training(
    cities: Sequence[Streets], kinds: Sequence[str], stops: Sequence[int], count: int, seed: int
) -> list[Problem]:
    """Problems in their normal form, of all cities, kinds and sizes in turn.

    Args:
        cities: without any, squares are drawn (`square`), whatever the kinds.
        kinds: `rcvrp`, `rcvrptw`.
        stops: sizes.
        count: how many problems.
        seed: of the first.
    """
    found = []
    for k in range(count):
        size = stops[k % len(stops)]
        if not cities:
            found.append(square(size, seed + k))
            continue
        kind = kinds[k // len(stops) % len(kinds)]
        city = cities[k // (len(stops) * len(kinds)) % len(cities)]
        found.append(KINDS[kind](city, size, seed=seed + k))
    return [normal(problem).problem for problem in found]
