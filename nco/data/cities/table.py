"""A city reduced to fixed points and the matrices between them: fast, small, without streets."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nco.arrays import Floats
from nco.data.cities.engine import Matrices, as_lonlat
from nco.data.cities.roads import haversine_m
from nco.data.cities.scatter import check_drawing
from nco.data.cities.snapping import Asked
from nco.data.cities.table_files import read_rrnco, read_table, write_rrnco, write_table
from nco.errors import CityError, OffStreetError, shortened
from nco.memory import require_matrices


@dataclass(frozen=True, eq=False)
class TableCity:
    """Points of a city with all matrices between them.

    Attributes:
        name: what it is called in reports.
        lonlat: `[N, 2]` degrees, all different.
        matrices: `[N, N]` metres and seconds, `inf` where no route leads.

    Raises:
        CityError: shapes, coordinates or matrices are wrong; the message names which.
    """

    name: str
    lonlat: Floats
    matrices: Matrices = field(repr=False)

    def __post_init__(self) -> None:
        lonlat = as_lonlat(self.lonlat, "lonlat")
        object.__setattr__(self, "lonlat", lonlat)
        n = len(lonlat)
        if not n:
            raise CityError("a city needs at least one point")
        given = {"distance_m": self.matrices.distance_m, "duration_s": self.matrices.duration_s}
        checked = {name: _square(matrix, n, name) for name, matrix in given.items()}
        differing = np.argwhere(np.isinf(checked["distance_m"]) != np.isinf(checked["duration_s"]))
        if len(differing):
            i, j = differing[0].tolist()
            raise CityError(f"pair [{i}, {j}] has a distance or a duration, but not both")
        object.__setattr__(self, "matrices", Matrices(checked["distance_m"], checked["duration_s"]))
        if len(self._index) != n:
            raise CityError(f"lonlat has {n - len(self._index)} points twice; keep one of each")

    @property
    def bbox(self) -> tuple[float, float, float, float]:
        """West, south, east, north of the points, in degrees."""
        low, high = self.lonlat.min(axis=0), self.lonlat.max(axis=0)
        return float(low[0]), float(low[1]), float(high[0]), float(high[1])

    def __len__(self) -> int:
        return len(self.lonlat)

    @cached_property
    def connected(self) -> NDArray[np.int64]:
        """Indices of the largest set found of points that all reach one another, ascending."""
        mutual = np.isfinite(self.matrices.distance_m)
        mutual = mutual & mutual.T
        members = np.flatnonzero(mutual[mutual.sum(axis=1).argmax()])
        # Reaching is transitive on streets; where a table says otherwise, the worst point goes.
        while not (inner := mutual[np.ix_(members, members)]).all():
            members = np.delete(members, inner.sum(axis=1).argmin())
        return members

    def matrix(
        self,
        points: ArrayLike,
        *,
        targets: ArrayLike | None = None,
        names: Sequence[str] | None = None,
        optional: ArrayLike | None = None,
    ) -> Matrices:
        """The matrices between points of this table; see `nco.data.cities.city.City.matrix`.

        Nothing is moved here: a point is one of the table, or it is refused.

        Raises:
            CityError: a point is not in the table; the message names it.
        """
        if targets is not None:
            return self.between(self.index(points, names=names), self.index(targets, "targets"))
        asked = Asked.of(points, "points", names, optional)
        rows = self._rows(asked)
        missing = rows < 0
        found = self.between(rows, rows)
        reasons = {int(i): f"it is {self._unknown}" for i in np.flatnonzero(missing)}
        matrices = (found.distance_m, found.duration_s)
        for matrix in matrices if reasons else ():
            matrix[missing], matrix[:, missing] = np.inf, np.inf
            np.fill_diagonal(matrix, 0.0)
        moved_m = np.where(missing, np.inf, 0.0)
        return Matrices(*matrices, moved_m, moved_m, reasons)

    def covers(self, points: ArrayLike) -> NDArray[np.bool_]:
        """Which of the points `[n, 2]` are points of the table `[n]`."""
        return np.array([key in self._index for key in _keys(as_lonlat(points))], dtype=bool)

    def between(self, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> Matrices:
        """The matrices between points given by their indices.

        Raises:
            InputError: they do not fit into the memory.
        """
        require_matrices(len(rows), len(columns))
        cells = np.ix_(rows, columns)
        return Matrices(self.matrices.distance_m[cells], self.matrices.duration_s[cells])

    def index(
        self, points: ArrayLike, what: str = "points", names: Sequence[str] | None = None
    ) -> NDArray[np.int64]:
        """Where points `[n, 2]` stand in the table `[n]`."""
        return self._rows(Asked.of(points, what, names))

    def sample(
        self,
        n: int,
        seed: int,
        how: str = "road",
        *,
        within_km: float | None = None,
        centre: ArrayLike | None = None,
        clusters: int = 3,
        spread_km: float | None = None,
    ) -> Floats:
        """Draw different points of the table that all reach one another.

        `road` and `node` draw uniformly, `cluster` more densely around random points; the
        options are those of `nco.data.cities.city.City.sample`.

        Raises:
            CityError: there are not so many, or an option is wrong.
        """
        check_drawing(n, how, within_km=within_km, clusters=clusters, spread_km=spread_km)
        rng = np.random.default_rng(seed)
        pool = self.lonlat[self.connected]
        if within_km is not None:
            middle = pool[rng.integers(len(pool))]
            if centre is not None:
                middle = as_lonlat(np.atleast_2d(np.asarray(centre, dtype=np.float64)))[0]
            pool = pool[_inside(pool, middle, within_km)]
        if n > len(pool):
            raise CityError(f"{n} points were asked for, {len(pool)} connected ones are there")
        weight = np.ones(len(pool))
        if how == "cluster":
            west, south, east, north = self.bbox
            side_m = haversine_m(np.array([west, south]), np.array([east, north])) / np.sqrt(2)
            spread_m = 1000 * spread_km if spread_km else 0.04 * float(side_m)
            seeds = pool[rng.integers(len(pool), size=clusters)]
            away_m = haversine_m(pool[:, None], seeds)
            weight = np.exp(-away_m / max(spread_m, 1.0)).sum(axis=1)
        # The n largest of u ** (1 / w) are a weighted draw without replacement (Efraimidis and
        # Spirakis 2006); in logarithms tiny weights do not vanish.
        keys = np.log(np.maximum(weight, 1e-300)) - np.log(rng.standard_exponential(len(pool)))
        return np.asarray(pool[np.argsort(-keys, kind="stable")[:n]])

    def info(self) -> dict[str, Any]:
        """What is known of the table, ready for JSON."""
        reach = np.isfinite(self.matrices.distance_m).mean()
        return {
            "name": self.name,
            "points": len(self),
            "bbox": list(self.bbox),
            "connected": len(self.connected),
            "reachable_share": round(float(reach), 6),
        }

    def save(self, path: str | Path) -> Path:
        """Write our `.npz`, whole or not at all.

        Raises:
            StorageError: it cannot be written.
        """
        return write_table(path, self.name, self.lonlat, self.matrices)

    @classmethod
    def load(cls, path: str | Path) -> "TableCity":
        """Read our `.npz`.

        Raises:
            CityError: the file is missing, truncated or something else than a city's table.
        """
        return cls(*read_table(path))

    def to_rrnco(self, path: str | Path) -> Path:
        """Write RRNCO's `.npz`; unreachable pairs become 1e9 km and 1e9 minutes.

        Raises:
            StorageError: it cannot be written.
        """
        return write_rrnco(path, self.lonlat, self.matrices)

    @classmethod
    def from_rrnco(cls, path: str | Path, name: str | None = None) -> "TableCity":
        """Read RRNCO's `.npz`; pairs beyond 1e5 km, or without a number, are unreachable.

        Points that occur twice, which RRNCO's sampling allows, are kept once.

        Args:
            path: the file.
            name: the file's name without `_data` if left out.

        Raises:
            CityError: the file is missing, truncated or something else than a city's table.
        """
        lonlat, matrices = read_rrnco(path)
        _, first = np.unique(np.round(lonlat, 6), axis=0, return_index=True)
        keep = np.sort(first)
        cells = np.ix_(keep, keep)
        kept = Matrices(matrices.distance_m[cells], matrices.duration_s[cells])
        return cls(name or Path(path).stem.removesuffix("_data"), lonlat[keep], kept)

    @property
    def _unknown(self) -> str:
        """What is wrong with other points, in words that go on from "it is"."""
        return (
            f"not one of the {len(self)} points of {self.name}; a table knows only its own points, "
            "use a City for others"
        )

    def _rows(self, asked: Asked) -> NDArray[np.int64]:
        """Where points stand in the table, -1 for optional ones that do not."""
        rows = np.array([self._index.get(key, -1) for key in _keys(asked.lonlat)], dtype=np.int64)
        wrong = asked.required(np.flatnonzero(rows < 0).tolist())
        if wrong:
            raise OffStreetError(f"{asked.label(wrong[0])} is {self._unknown}", tuple(wrong))
        return rows

    @cached_property
    def _index(self) -> dict[tuple[int, int], int]:
        return {key: i for i, key in enumerate(_keys(self.lonlat))}


def _keys(lonlat: Floats) -> list[tuple[int, int]]:
    micro = np.round(lonlat * 1e6).astype(np.int64)
    return list(zip(micro[:, 0].tolist(), micro[:, 1].tolist(), strict=True))


def _inside(lonlat: Floats, middle: Floats, side_km: float) -> NDArray[np.bool_]:
    corner = np.stack([np.full(len(lonlat), middle[0]), lonlat[:, 1]], axis=1)
    north_m = haversine_m(corner, np.broadcast_to(middle, corner.shape))
    east_m = haversine_m(corner, lonlat)
    return np.asarray(np.maximum(north_m, east_m) <= side_km * 500)


def _square(matrix: Any, n: int, name: str) -> Floats:
    try:
        array = np.asarray(matrix, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise CityError(f"{name} must be numbers: {shortened(error)}") from error
    if array.shape != (n, n):
        raise CityError(f"{name} has shape {list(array.shape)}; {n} points need [{n}, {n}]")
    bad = np.argwhere(~(array >= 0))
    if len(bad):
        i, j = bad[0].tolist()
        raise CityError(f"{name}[{i}, {j}] is {array[i, j]}; it must be 0 or more, inf if no route")
    if np.diagonal(array).any():
        i = int(np.flatnonzero(np.diagonal(array))[0])
        raise CityError(f"{name}[{i}, {i}] is {array[i, i]}; a point is at no distance to itself")
    return array
