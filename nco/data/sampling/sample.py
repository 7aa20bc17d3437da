"""Random instances on the streets of any city, in real metres and seconds.

The distributions are those of RRNCO (Son et al., arXiv 2503.16159, section 1.1 of its data
pipeline) with its faults corrected: demands are whole numbers, time windows are in real seconds
and use the directed durations of both ways, service happens at stops only, and all points of an
instance reach one another. The same seed gives the same instance.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from nco import _validate as validate
from nco.arrays import Floats
from nco.data.cities.streets import Streets
from nco.data.sampling.camp import camp_set
from nco.data.sampling.drawing import (
    LARGEST_DEMAND,
    draw_demand,
    drawn_points,
    generator,
    whole,
)
from nco.data.sampling.profiled import pvrp
from nco.errors import InputError, quoted
from nco.problem import Problem, Vehicle

__all__ = [
    "HORIZON",
    "LARGEST_DEMAND",
    "SERVICE",
    "WINDOW",
    "atsp",
    "camp_set",
    "draw_demand",
    "draw_windows",
    "pvrp",
    "rcvrp",
    "rcvrp_capacity",
    "rcvrptw",
    "rcvrptw_capacity",
]

# Stops and the capacity that serves about ten of them a route (Kool et al. 2019, as in RRNCO).
_STOPS = (10, 20, 50, 100, 200, 500, 1000)
_CAPACITY = (20, 30, 40, 50, 70, 100, 150)
HORIZON = 4.6  # this and the next two in units of the instance's longest duration
SERVICE = (0.15, 0.18)
WINDOW = (0.18, 0.20)


def atsp(city: Streets, n: int, *, seed: int, how: str = "road", **drawing: Any) -> Problem:
    """A directed travelling salesman problem: one vehicle, no demand.

    Args:
        city: where.
        n: nodes, the start (node 0) included; 2 or more.
        seed: of points.
        how: how `city.sample` draws points: "road", "cluster" or "node".
        **drawing: passed on to `city.sample`.

    Raises:
        InputError: `n` or `seed` makes no sense.
        CityError: the city has no such points.
    """
    whole(n, "n", 2)
    points, profile, moved_m = drawn_points(city, n, seed, how, None, drawing)
    return Problem(
        profiles=(profile,),
        vehicles=(Vehicle(name="vehicle"),),
        lonlat=points,
        moved_m=moved_m,
        name=f"{city.name}-atsp-n{n}-s{seed}",
    )


def rcvrp(
    city: Streets,
    n: int,
    *,
    seed: int,
    how: str = "road",
    depot: ArrayLike | None = None,
    capacity: float | None = None,
    vehicles: int | None = None,
    **drawing: Any,
) -> Problem:
    """A capacitated vehicle routing problem: whole demands uniform in 1 to 9.

    Args:
        city: where.
        n: stops besides the depot; 1 or more.
        seed: of points and demands.
        how: how `city.sample` draws points: "road", "cluster" or "node".
        depot: longitude and latitude of the same depot every day; None draws it as well.
        capacity: of each vehicle, 9 or more; None takes `rcvrp_capacity(n)`.
        vehicles: how many; None means one for each stop, which is as many as any solution needs.
        **drawing: passed on to `city.sample`.

    Raises:
        InputError: a number makes no sense, or the depot is cut off from the drawn stops.
        CityError: the city has no such points, or the depot is not in it.
    """
    points, profile, moved_m = drawn_points(city, whole(n, "n", 1) + 1, seed, how, depot, drawing)
    rng = generator(seed, "demand")
    return Problem(
        profiles=(profile,),
        vehicles=_fleet(n, vehicles, rcvrp_capacity(n) if capacity is None else capacity),
        demand=draw_demand(rng, n),
        lonlat=points,
        moved_m=moved_m,
        name=f"{city.name}-rcvrp-n{n}-s{seed}",
    )


def rcvrptw(
    city: Streets,
    n: int,
    *,
    seed: int,
    how: str = "road",
    depot: ArrayLike | None = None,
    capacity: float | None = None,
    vehicles: int | None = None,
    **drawing: Any,
) -> Problem:
    """As `rcvrp`, with time windows and service times in whole seconds; the cost is distance.

    Args:
        city: where.
        n: stops besides the depot; 1 or more.
        seed: of points, demands and windows.
        how: how `city.sample` draws points: "road", "cluster" or "node".
        depot: longitude and latitude of the same depot every day; None draws it as well.
        capacity: of each vehicle, 9 or more; None takes `rcvrptw_capacity(n)`.
        vehicles: how many; None means one for each stop, which always has a feasible solution.
        **drawing: passed on to `city.sample`.

    Raises:
        InputError: a number makes no sense, or the depot is cut off from the drawn stops.
        CityError: the city has no such points, or the depot is not in it.
    """
    points, profile, moved_m = drawn_points(city, whole(n, "n", 1) + 1, seed, how, depot, drawing)
    windows, service = draw_windows(generator(seed, "window"), profile.duration_s)
    return Problem(
        profiles=(profile,),
        vehicles=_fleet(n, vehicles, rcvrptw_capacity(n) if capacity is None else capacity),
        demand=draw_demand(generator(seed, "demand"), n),
        window_s=windows,
        service_s=service,
        lonlat=points,
        moved_m=moved_m,
        name=f"{city.name}-rcvrptw-n{n}-s{seed}",
    )


def rcvrp_capacity(n: int) -> int:
    """Capacity for `n` stops: RRNCO's table, linear in between, its ends beyond 10 and 1000."""
    return round(float(np.interp(n, _STOPS, _CAPACITY)))


def rcvrptw_capacity(n: int) -> int:
    """Capacity for `n` stops with time windows: 30, and a fifth of `n` on top beyond 20."""
    return 30 + (n // 5 if n > 20 else 0)


def draw_windows(rng: np.random.Generator, duration_s: Floats) -> tuple[Floats, Floats]:
    """Time windows that a vehicle meets if it drives there and back, and service times.

    In units of the longest duration: the depot is open for 4.6, service takes 0.15 to 0.18 and
    windows last 0.18 to 0.20. A window opens at the earliest when a vehicle can be there, and so
    early that a vehicle which comes as it closes is back in time.

    Args:
        rng: consumed.
        duration_s: `[N, N]` seconds, node 0 being the depot; all finite.

    Returns:
        `[N, 2]` windows and `[N]` service times in whole seconds.
    """
    n = len(duration_s) - 1
    longest = float(duration_s.max(initial=0.0))
    to, back = duration_s[0, 1:], duration_s[1:, 0]
    # Rounding goes the way that keeps going there and back possible.
    horizon = max(1.0, np.ceil(HORIZON * longest))
    service = np.floor(longest * rng.uniform(*SERVICE, n))
    length = longest * rng.uniform(*WINDOW, n)
    room = HORIZON * longest - service - length - 2 * np.maximum(to, back)
    opens = np.floor(to + np.maximum(room, 0.0) * rng.random(n))
    closes = np.maximum(np.floor(opens + length), np.ceil(to))
    windows = np.zeros((n + 1, 2))
    windows[0, 1] = horizon
    windows[1:] = np.stack([opens, closes], axis=1)
    return windows, np.concatenate([[0.0], service])


def _fleet(n: int, vehicles: int | None, capacity: float) -> tuple[Vehicle, ...]:
    if not validate.number(capacity, "capacity", InputError) >= LARGEST_DEMAND:
        raise InputError(
            f"capacity is {quoted(capacity)}; demands are 1 to {LARGEST_DEMAND}, so give "
            f"{LARGEST_DEMAND} or more"
        )
    count = n if vehicles is None else whole(vehicles, "vehicles", 1)
    return (Vehicle(capacity=(float(capacity),)),) * count
