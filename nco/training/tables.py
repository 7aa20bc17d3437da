"""City tables: points of a city and the matrices between them, computed once and cached.

Training draws its instances from tables, so that the road network is never asked again.
"""

from __future__ import annotations

import io
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from nco.archives import as_numbers, read_npz
from nco.errors import CityError, FormatError, quoted, shortened
from nco.files import write_atomic
from nco.memory import require_matrices

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from nco.data.cities.city import City

log = logging.getLogger("nco")

METRES_PER_DEGREE = 111_195.0
BOX_M = 3_000.0


@dataclass(frozen=True)
class CityTable:
    """Points of one city with their matrices.

    Attributes:
        name: of the city.
        lonlat: `[P, 2]` degrees, longitude first.
        distance_m: `[P, P]` float32 metres from row to column.
        duration_s: `[P, P]` float32 seconds from row to column.
        whole: the first `whole` points are spread over the whole city, the others over boxes
            of 3 km.
    """

    name: str
    lonlat: NDArray[np.float64]
    distance_m: NDArray[np.float32]
    duration_s: NDArray[np.float32]
    whole: int

    def __post_init__(self) -> None:
        what = f"table {quoted(self.name)}"
        points = self.lonlat.shape[0] if self.lonlat.ndim else 0
        if self.lonlat.shape != (points, 2) or not np.isfinite(self.lonlat).all():
            raise FormatError(
                f"{what}: lonlat has shape {quoted(self.lonlat.shape)}; give a finite "
                "longitude and latitude for each point"
            )
        for field in ("distance_m", "duration_s"):
            matrix = getattr(self, field)
            if matrix.shape != (points, points):
                raise FormatError(
                    f"{what}: {field} has shape {quoted(matrix.shape)}; with {points} points "
                    f"it must be ({points}, {points})"
                )
            if not np.isfinite(matrix).all() or (matrix < 0).any():
                raise FormatError(
                    f"{what}: {field} has entries that are not finite or below 0; "
                    "keep only points that all reach one another"
                )
        if not 1 <= self.whole <= points:
            raise FormatError(f"{what}: whole is {self.whole}; give 1 to {points}")

    def xy_m(self) -> NDArray[np.float32]:
        """`[P, 2]` metres east and north of the middle of the points."""
        middle = (self.lonlat.min(0) + self.lonlat.max(0)) / 2
        scale = METRES_PER_DEGREE * np.array([np.cos(np.deg2rad(middle[1])), 1.0])
        return ((self.lonlat - middle) * scale).astype(np.float32)

    def part(self, points: NDArray[np.int64]) -> CityTable:
        """The table of some of the points, in ascending order of their numbers."""
        return CityTable(
            self.name,
            self.lonlat[points],
            self.distance_m[np.ix_(points, points)],
            self.duration_s[np.ix_(points, points)],
            int((points < self.whole).sum()),
        )

    def save(self, path: Path) -> None:
        """Writes the table as a compressed npz file."""
        buffer = io.BytesIO()
        np.savez_compressed(
            buffer,
            name=self.name,
            lonlat=self.lonlat,
            distance_m=self.distance_m,
            duration_s=self.duration_s,
            whole=self.whole,
        )
        write_atomic(path, buffer.getvalue())


def load_table(path: Path) -> CityTable:
    """Reads a table.

    Raises:
        FormatError: the file is missing, damaged, or no table.
    """
    try:
        held = read_npz(path)
        return CityTable(
            name=str(held["name"]),
            lonlat=as_numbers(held["lonlat"], np.float64),
            distance_m=as_numbers(held["distance_m"], np.float32),
            duration_s=as_numbers(held["duration_s"], np.float32),
            whole=int(held["whole"]),
        )
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise FormatError(
            f"{path} is not a table of a city ({shortened(error)}); remove it and it is computed "
            "again"
        ) from error


def build_table(
    city: City,
    name: str,
    *,
    whole: int,
    boxed: int,
    boxes: int,
    seed: int,
    depot: tuple[float, float] | None = None,
) -> CityTable:
    """Samples points and asks for their matrices.

    Args:
        city: the city.
        name: recorded.
        whole: points over the whole city, half along roads and half in clusters.
        boxed: points in boxes of 3 km.
        boxes: number of boxes; each is centred on a random place.
        seed: of the points.
        depot: lonlat of a place that becomes the first point, beside all others.

    Raises:
        CityError: too few points reach one another, or the depot does not reach them.
        InputError: the matrices of so many points do not fit into the memory.
    """
    require_matrices(whole + boxed, whole + boxed)
    log.info("%s: sampling %d points", name, whole + boxed)
    parts = [
        city.sample(whole - whole // 2, seed, "road"),
        city.sample(whole // 2, seed + 1, "cluster"),
    ]
    for k in range(min(boxes, boxed)):
        share = boxed // boxes + (k < boxed % boxes)
        if share:
            parts.append(city.sample(share, seed + 2 + k, "road", within_km=BOX_M / 1000))
    if depot is not None:
        parts.insert(0, np.array([depot]))
        whole += 1
    points = np.concatenate(parts)
    log.info("%s: computing a %d x %d matrix", name, len(points), len(points))
    matrix = city.matrix(points)
    keep = _mutually_reachable(matrix.distance_m)
    if len(keep) < len(points) // 2:
        raise CityError(f"{name}: only {len(keep)} of {len(points)} points reach one another")
    if depot is not None and keep[0] != 0:
        raise CityError(
            f"{name}: the depot at {depot[0]:g},{depot[1]:g} does not reach the streets of the "
            "city both ways; give another lon,lat"
        )
    return CityTable(
        name=name,
        lonlat=points[keep],
        distance_m=_float32(matrix.distance_m[np.ix_(keep, keep)]),
        duration_s=_float32(matrix.duration_s[np.ix_(keep, keep)]),
        whole=int((keep < whole).sum()),
    )


def _float32(matrix: NDArray[np.float64]) -> NDArray[np.float32]:
    # OSRM answers some tenths of a metre below 0 between points that are almost the same.
    return np.maximum(matrix, 0.0).astype(np.float32)


def _mutually_reachable(distance_m: NDArray[np.float64]) -> NDArray[np.int64]:
    """Indices left after dropping, one by one, the point with the most unreachable pairs."""
    keep = np.arange(len(distance_m))
    broken = ~np.isfinite(distance_m)
    while True:
        inner = broken[np.ix_(keep, keep)]
        count = inner.sum(0) + inner.sum(1)
        if not count.any():
            return keep
        keep = np.delete(keep, count.argmax())
