"""What every routing engine answers, and the checks on the points it is asked about.

Three things answer: OSRM in process (`nco.data.cities.osrm`), an OSRM server (`nco.data.cities.server`) and
a table of fixed points (`nco.data.cities.table`, which has no streets).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nco.errors import CityError

from nco.arrays import Floats
# Farther from any street than this, a point is taken for a mistake.
FARTHEST_M = 5000.0
_MOST_KNOWN = 100_000  # points that a city remembers, some 20 MB


@dataclass(frozen=True)
class Matrices:
    """Distances and durations of the fastest routes between two sets of points.

    Attributes:
        distance_m: `[S, T]`, metres; `inf` where no route leads from source to target.
        duration_s: `[S, T]`, seconds; `inf` at the same places.
    """

    distance_m: Floats
    duration_s: Floats


@dataclass(frozen=True)
class StreetRoute:
    """A route along the streets through given points.

    Attributes:
        legs: one polyline `[k, 2]` (lonlat) from each point to the next.
        distance_m: `[legs]`, metres.
        duration_s: `[legs]`, seconds.
    """

    legs: tuple[Floats, ...]
    distance_m: Floats
    duration_s: Floats


def tidy(distance_m: Floats, duration_s: Floats, *, square: bool) -> Matrices:
    """Matrices as promised from an engine's raw tables, which are changed in place.

    Args:
        distance_m: `[S, T]`, metres, `inf` where no route leads.
        duration_s: `[S, T]`, seconds, likewise.
        square: sources and targets are the same, so the diagonal is 0.
    """
    if square:
        np.fill_diagonal(distance_m, 0)
        np.fill_diagonal(duration_s, 0)
    # Between two points that snap to one place OSRM's rounding yields as little as -1 m.
    np.maximum(distance_m, 0, out=distance_m)
    np.maximum(duration_s, 0, out=duration_s)
    unreachable = np.isinf(distance_m) | np.isinf(duration_s)
    distance_m[unreachable] = duration_s[unreachable] = np.inf
    return Matrices(distance_m, duration_s)


class Engine(Protocol):
    """Anything that routes along streets. Points are `[n, 2]` lonlat."""

    def table(self, sources: Floats, targets: Floats | None = None) -> Matrices:
        """Distances and durations from every source to every target (the sources by default)."""
        ...

    def nearest(self, points: Floats) -> tuple[Floats, Floats]:
        """The nearest place on a street `[n, 2]` and how far away it is, in metres `[n]`."""
        ...

    def route(self, points: Floats) -> StreetRoute:
        """The fastest route through the points in their order."""
        ...


def as_lonlat(points: ArrayLike, what: str = "points") -> Floats:
    """Check coordinates and return them as a float64 array `[n, 2]`.

    Args:
        points: longitude and latitude in degrees, one row a point.
        what: how error messages call them.

    Raises:
        CityError: wrong shape, not numbers, NaN, or a value that no place on earth has.
    """
    try:
        lonlat = np.asarray(points, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise CityError(f"{what} must be numbers [n, 2] (lon, lat in degrees): {error}") from error
    if lonlat.ndim != 2 or lonlat.shape[1] != 2:
        shape = list(lonlat.shape)
        raise CityError(f"{what} has shape {shape}; one row (lon, lat) a point is needed, [n, 2]")
    bad = np.flatnonzero(~np.isfinite(lonlat).all(axis=1))
    if len(bad):
        i = bad[0]
        raise CityError(f"{what}[{i}] is {lonlat[i].tolist()}: give a finite longitude, latitude")
    bad = np.flatnonzero((abs(lonlat[:, 1]) > 90) | (abs(lonlat[:, 0]) > 180))
    if len(bad):
        i = bad[0]
        lon, lat = lonlat[i].tolist()
        hint = (
            "did you swap lon and lat? Longitude comes first"
            if abs(lat) > 90 and abs(lon) <= 90
            else "longitude must be in [-180, 180], latitude in [-90, 90] degrees"
        )
        raise CityError(f"{what}[{i}] has longitude {lon:g} and latitude {lat:g}: {hint}")
    return lonlat


def near_streets(
    engine: Engine,
    points: ArrayLike,
    what: str,
    names: Sequence[str] | None,
    city: str,
    known: set[tuple[float, ...]],
) -> Floats:
    """Check that points are coordinates near streets, and return them as `[n, 2]`.

    Args:
        engine: knows the streets.
        points: `[n, 2]` lonlat.
        what: how error messages call them.
        names: what error messages call each of them besides.
        city: what error messages call the city.
        known: points that were found near streets before, which are not asked for again; grows.

    Raises:
        CityError: a coordinate is no coordinate, or more than 5 km from any street.
    """
    lonlat = as_lonlat(points, what)
    places = [tuple(place) for place in lonlat.tolist()]
    fresh = [i for i, place in enumerate(places) if place not in known]
    distance_m = np.zeros(len(places))
    if fresh:
        distance_m[fresh] = engine.nearest(lonlat[fresh])[1]
    far = np.flatnonzero(~(distance_m <= FARTHEST_M))
    if not len(far):
        if len(known) + len(fresh) > _MOST_KNOWN:
            known.clear()
        known.update(places[i] for i in fresh)
        return lonlat
    i = int(far[0])
    label = f"{what}[{i}]" if names is None else f"{what}[{i}] ({names[i]})"
    lon, lat = lonlat[i].tolist()
    hint = "remove it, correct it, or use an extract that covers it"
    if abs(lon) <= 90 and engine.nearest(lonlat[[i], ::-1])[1][0] <= FARTHEST_M:
        hint = "did you swap lon and lat? Longitude comes first"
    others = f" (and {len(far) - 1} more)" if len(far) > 1 else ""
    raise CityError(
        f"{label} at longitude {lon:g}, latitude {lat:g} is {distance_m[i] / 1000:.1f} km from "
        f"the nearest street of {city}, more than 5 km{others}: {hint}"
    )
