"""Random instances on the streets of any city, in real metres and seconds.

The distributions are those of RRNCO (Son et al., arXiv 2503.16159, section 1.1 of its data
pipeline) with its faults corrected: demands are whole numbers, time windows are in real seconds
and use the directed durations of both ways, service happens at stops only, and all points of an
instance reach one another. The same seed gives the same instance.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nco import _validate as validate
from nco.arrays import Floats
from nco.data.cities.streets import Streets, given_city
from nco.errors import InputError, quoted
from nco.memory import require_matrices
from nco.problem import Problem, Profile, Vehicle

# Stops and the capacity that serves about ten of them a route (Kool et al. 2019, as in RRNCO).
_STOPS = (10, 20, 50, 100, 200, 500, 1000)
_CAPACITY = (20, 30, 40, 50, 70, 100, 150)
LARGEST_DEMAND = 9
HORIZON = 4.6  # this and the next two in units of the instance's longest duration
SERVICE = (0.15, 0.18)
WINDOW = (0.18, 0.20)
_ATTEMPTS = 10


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
    _whole(n, "n", 2)
    points, profile, moved_m = _points(city, n, seed, how, None, drawing)
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
    points, profile, moved_m = _points(city, _whole(n, "n", 1) + 1, seed, how, depot, drawing)
    rng = _generator(seed, "demand")
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
    points, profile, moved_m = _points(city, _whole(n, "n", 1) + 1, seed, how, depot, drawing)
    windows, service = draw_windows(_generator(seed, "window"), profile.duration_s)
    return Problem(
        profiles=(profile,),
        vehicles=_fleet(n, vehicles, rcvrptw_capacity(n) if capacity is None else capacity),
        demand=draw_demand(_generator(seed, "demand"), n),
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


def draw_demand(rng: np.random.Generator, n: int) -> Floats:
    """`[n + 1]` whole demands uniform in 1 to 9, after a 0 for the depot."""
    return np.concatenate([[0.0], rng.integers(1, LARGEST_DEMAND + 1, n).astype(float)])


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


def _points(
    city: Streets,
    n: int,
    seed: int,
    how: str,
    depot: ArrayLike | None,
    drawing: dict[str, Any],
) -> tuple[Floats, Profile, Floats | None]:
    """`[n, 2]` points, the given depot first, the matrices between them, and how far they moved."""
    given_city(city, Streets)  # type: ignore[type-abstract]
    require_matrices(n, n)  # before points are drawn for nothing
    _whole(seed, "seed", 0)
    fixed = None if depot is None else _lonlat(depot)
    for attempt in range(_ATTEMPTS):
        drawn = n if fixed is None else n - 1
        points: NDArray[Any] = city.sample(drawn, _derive(seed, attempt), how=how, **drawing)
        if fixed is not None:
            points = np.concatenate([fixed[None], points])
        table = city.matrix(points)
        if np.isfinite(table.duration_s).all():
            profile = Profile(distance_m=table.distance_m, duration_s=table.duration_s)
            return points, profile, table.moved_m
    where = "the points" if fixed is None else f"the depot at {fixed[0]:g}, {fixed[1]:g}"
    raise InputError(
        f"{where} and the stops drawn in {quoted(city.name)} do not all reach one another "
        f"({_ATTEMPTS} draws); choose a depot on a street that can be entered and left"
    )


def _derive(seed: int, attempt: int) -> int:
    """The seed itself at first, then others that follow from it."""
    return seed if attempt == 0 else int(_generator(seed, f"attempt {attempt}").integers(1 << 31))


def _generator(seed: int, purpose: str) -> np.random.Generator:
    """A stream of its own for each purpose, so that demands do not depend on how points fell."""
    return np.random.default_rng([seed, *purpose.encode()])


def _fleet(n: int, vehicles: int | None, capacity: float) -> tuple[Vehicle, ...]:
    if not validate.number(capacity, "capacity", InputError) >= LARGEST_DEMAND:
        raise InputError(
            f"capacity is {quoted(capacity)}; demands are 1 to {LARGEST_DEMAND}, so give "
            f"{LARGEST_DEMAND} or more"
        )
    count = n if vehicles is None else _whole(vehicles, "vehicles", 1)
    return (Vehicle(capacity=(float(capacity),)),) * count


def _lonlat(depot: ArrayLike) -> Floats:
    try:
        point = np.asarray(depot, float)
    except (TypeError, ValueError):
        point = np.empty(0)
    if point.shape != (2,) or not np.isfinite(point).all():
        raise InputError(f"depot is {quoted(depot)}; give its longitude and latitude in degrees")
    if abs(point[0]) > 180 or abs(point[1]) > 90:
        raise InputError(
            f"depot is ({point[0]:g}, {point[1]:g}); longitude comes first and is within 180, "
            "latitude within 90: are they swapped?"
        )
    return point


def _whole(value: Any, what: str, low: int) -> int:
    try:
        number = int(value)
        good = number == value and number >= low
    except (TypeError, ValueError, OverflowError):
        good = False
    if not good:
        raise InputError(f"{what} is {quoted(value)}; give a whole number of {low} or more")
    return number
