"""What all samplers draw with: points that reach one another, and streams of random numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nco.arrays import Floats
from nco.data.cities.streets import Streets, given_city
from nco.errors import InputError, quoted
from nco.memory import require_matrices
from nco.problem import Profile

LARGEST_DEMAND = 9
ATTEMPTS = 10


def drawn_points(
    city: Streets,
    n: int,
    seed: int,
    how: str,
    depot: ArrayLike | None,
    drawing: dict[str, Any],
) -> tuple[Floats, Profile, Floats | None]:
    """`[n, 2]` points, the given depot first, the matrices between them, and how far they moved.

    Raises:
        InputError: the seed makes no sense, or the depot is cut off from the drawn stops.
        CityError: the city has no such points, or the depot is not in it.
    """
    given_city(city, Streets)  # type: ignore[type-abstract]
    require_matrices(n, n)  # before points are drawn for nothing
    whole(seed, "seed", 0)
    fixed = None if depot is None else lonlat(depot)
    for attempt in range(ATTEMPTS):
        points = scattered(city, n, derived(seed, attempt), how, fixed, drawing)
        table = city.matrix(points)
        if np.isfinite(table.duration_s).all():
            profile = Profile(distance_m=table.distance_m, duration_s=table.duration_s)
            return points, profile, table.moved_m
    where = "the points" if fixed is None else f"the depot at {fixed[0]:g}, {fixed[1]:g}"
    raise InputError(
        f"{where} and the stops drawn in {quoted(city.name)} do not all reach one another "
        f"({ATTEMPTS} draws); choose a depot on a street that can be entered and left"
    )


def scattered(
    city: Streets, n: int, seed: int, how: str, depot: Floats | None, drawing: dict[str, Any]
) -> Floats:
    """`[n, 2]` points of a city, a given depot first."""
    if depot is None:
        return np.asarray(city.sample(n, seed, how=how, **drawing))
    points: NDArray[Any] = city.sample(n - 1, seed, how=how, **drawing)
    return np.concatenate([depot[None], points])


def derived(seed: int, attempt: int) -> int:
    """The seed itself at first, then others that follow from it."""
    return seed if attempt == 0 else int(generator(seed, f"attempt {attempt}").integers(1 << 31))


def generator(seed: int, purpose: str) -> np.random.Generator:
    """A stream of its own for each purpose, so that demands do not depend on how points fell."""
    return np.random.default_rng([seed, *purpose.encode()])


def draw_demand(rng: np.random.Generator, n: int) -> Floats:
    """`[n + 1]` whole demands uniform in 1 to 9, after a 0 for the depot."""
    return np.concatenate([[0.0], rng.integers(1, LARGEST_DEMAND + 1, n).astype(float)])


def lonlat(depot: ArrayLike) -> Floats:
    """`[2]` of a depot.

    Raises:
        InputError: it is no place on earth.
    """
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


def whole(value: Any, what: str, low: int) -> int:
    """A whole number of at least `low`.

    Raises:
        InputError: it is something else.
    """
    try:
        number = int(value)
        good = number == value and number >= low
    except (TypeError, ValueError, OverflowError):
        good = False
    if not good:
        raise InputError(f"{what} is {quoted(value)}; give a whole number of {low} or more")
    return number
