"""Instances that operators are judged on."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from nco.data.sampling.sample import rcvrp, rcvrptw
from nco.problem import Problem, Shipment, Vehicle
from nco.problem.normal import normal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nco.data.cities.streets import Streets

SQUARE_CAPACITY = 50.0  # of G-LNS at all sizes
LONGER = 0.25  # of the day, by which the windows of `long_windows` begin earlier and end later


def pickups(city: Streets, n: int, *, seed: int) -> Problem:
    """Goods that go from stop to stop: each two stops of an `rcvrp` are a shipment.

    Args:
        city: where.
        n: stops besides the depot, an even number.
        seed: of points and amounts.
    """
    plain = rcvrp(city, n, seed=seed)
    shipments = [
        Shipment(pickup=j, delivery=j + 1, amount=(float(plain.demand[j, 0]),))
        for j in range(1, n, 2)
    ]
    return replace(
        plain,
        demand=np.zeros_like(plain.demand),
        shipments=tuple(shipments),
        name=f"{city.name}-pickups-n{n}-s{seed}",
    )


def long_windows(city: Streets, n: int, *, seed: int) -> Problem:
    """An `rcvrptw` whose windows take in a quarter of the day more on either side.

    Args:
        city: where.
        n: stops besides the depot.
        seed: of points, demands and windows.
    """
    narrow = rcvrptw(city, n, seed=seed)
    opens, closes = narrow.window_s[1:].T
    duration_s = narrow.profiles[0].duration_s
    day_s = float(narrow.window_s[0, 1])
    latest = np.floor(day_s - narrow.service_s[1:] - duration_s[1:, 0])
    earlier = np.maximum(np.ceil(duration_s[0, 1:]), opens - LONGER * day_s)
    later = np.maximum(closes, np.minimum(latest, closes + LONGER * day_s))
    windows = np.vstack([narrow.window_s[:1], np.column_stack([np.minimum(opens, earlier), later])])
    return replace(narrow, window_s=windows, name=f"{city.name}-long-windows-n{n}-s{seed}")


KINDS = {"rcvrp": rcvrp, "rcvrptw": rcvrptw, "pickups": pickups, "long-windows": long_windows}
"""What is drawn in cities, by its name."""


def square(stops: int, seed: int, capacity: float = SQUARE_CAPACITY) -> Problem:
    """Stops and depot uniform on the unit square, demands 1 to 9, straight lines.

    As in W. Kool et al. (2019, "Attention, learn to solve routing problems!"). G-LNS draws the
    same with the depot in the middle; `benchmarks/evolved.py glns` follows it.

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
        kinds: of `KINDS`.
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
