"""What every routing engine answers, and the checks on the points it is asked about.

Three things answer: OSRM in process (`osrm`), an OSRM server (`server`) and
a table of fixed points (`nco.data.cities.table`, which has no streets).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike

from nco.arrays import Floats
from nco.errors import CityError, shortened


@dataclass(frozen=True)
class Matrices:
    """Distances and durations of the fastest routes between two sets of points.

    Attributes:
        distance_m: `[S, T]`, metres; `inf` where no route leads from source to target.
        duration_s: `[S, T]`, seconds; `inf` at the same places.
        moved_m: `[S]`, metres from each source to the place on a street that stands for it; None
            where matrices are made of something else than streets.
        targets_moved_m: `[T]`, the same of the targets.
        refused: why sources have no place on a street, by index; no route leads to or from them.
    """

    distance_m: Floats
    duration_s: Floats
    moved_m: Floats | None = None
    targets_moved_m: Floats | None = None
    refused: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True)
class StreetRoute:
    """A route along the streets through given points.

    Attributes:
        legs: one polyline `[k, 2]` (lonlat) from each point to the next.
        distance_m: `[legs]`, metres.
        duration_s: `[legs]`, seconds.
        moved_m: `[legs + 1]`, metres from each point to the place on a street that stands for it.
    """

    legs: tuple[Floats, ...]
    distance_m: Floats
    duration_s: Floats
    moved_m: Floats


def tidy(
    distance_m: Floats,
    duration_s: Floats,
    *,
    square: bool,
    moved_m: Floats | None = None,
    targets_moved_m: Floats | None = None,
) -> Matrices:
    """Matrices as promised from an engine's raw tables, which are changed in place.

    Args:
        distance_m: `[S, T]`, metres, `inf` where no route leads.
        duration_s: `[S, T]`, seconds, likewise.
        square: sources and targets are the same, so the diagonal is 0.
        moved_m: `[S]`, how far the engine moved each source; None if it does not say.
        targets_moved_m: `[T]`, how far it moved each target.
    """
    if square:
        np.fill_diagonal(distance_m, 0)
        np.fill_diagonal(duration_s, 0)
    # Between two points that snap to one place OSRM's rounding yields as little as -1 m.
    np.maximum(distance_m, 0, out=distance_m)
    np.maximum(duration_s, 0, out=duration_s)
    unreachable = np.isinf(distance_m) | np.isinf(duration_s)
    distance_m[unreachable] = duration_s[unreachable] = np.inf
    return Matrices(distance_m, duration_s, moved_m, targets_moved_m)


class Engine(Protocol):
    """Anything that routes along streets. Points are `[n, 2]` lonlat.

    What is asked for a table or a route says how far it moved each point: farther than to the
    nearest street where that one is cut off from the others.
    """

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
        raise CityError(
            f"{what} must be numbers [n, 2] (lon, lat in degrees): {shortened(error)}"
        ) from error
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
