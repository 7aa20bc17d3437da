"""Files of matrices between fixed points: our `.npz` and RRNCO's.

Ours: `name`, `lonlat` `[N, 2]` degrees, `distance_m` and `duration_s` `[N, N]`, `inf` where no
route leads. RRNCO's: `points` `[N, 2]` (lat, lon), `distance` in km and `duration` in minutes.
"""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nco.archives import BrokenArchiveError, read_npz
from nco.arrays import Floats
from nco.data.cities.engine import Matrices, as_lonlat, tidy
from nco.errors import CityError, listed, shortened
from nco.files import write_atomic

# RRNCO drops points with pairs beyond this as outliers, which is how it knows the unreachable.
_RRNCO_FAR_KM = 1e5
_RRNCO_UNREACHABLE = 1e9


def write_table(path: str | Path, name: str, lonlat: Floats, matrices: Matrices) -> Path:
    """Write our `.npz`, whole or not at all.

    Raises:
        StorageError: it cannot be written.
    """
    return _write(
        path,
        name=np.array(name),
        lonlat=lonlat,
        distance_m=matrices.distance_m,
        duration_s=matrices.duration_s,
    )


def read_table(path: str | Path) -> tuple[str, Floats, Matrices]:
    """Read name, points and matrices from our `.npz`; they are not checked here.

    Raises:
        CityError: the file is missing, truncated or something else.
    """
    held = _read(path, ("name", "lonlat", "distance_m", "duration_s"))
    return str(held["name"]), held["lonlat"], Matrices(held["distance_m"], held["duration_s"])


def write_rrnco(path: str | Path, lonlat: Floats, matrices: Matrices) -> Path:
    """Write RRNCO's `.npz`; unreachable pairs become 1e9 km and 1e9 minutes.

    Raises:
        StorageError: it cannot be written.
    """
    distance, duration = matrices.distance_m / 1000, matrices.duration_s / 60
    return _write(
        path,
        points=lonlat[:, ::-1],
        distance=np.where(np.isinf(distance), _RRNCO_UNREACHABLE, distance),
        duration=np.where(np.isinf(duration), _RRNCO_UNREACHABLE, duration),
    )


def read_rrnco(path: str | Path) -> tuple[Floats, Matrices]:
    """Read RRNCO's `.npz`; pairs beyond 1e5 km, or without a number, are unreachable.

    Raises:
        CityError: the file is missing, truncated or something else, its shapes disagree, or a
            point has no valid coordinates.
    """
    held = _read(path, ("points", "distance", "duration"))
    points, distance, duration = (held[name] for name in ("points", "distance", "duration"))
    n = len(points) if points.ndim else 0
    wanted = {"points": (n, 2), "distance": (n, n), "duration": (n, n)}
    for name, shape in wanted.items():
        given = held[name]
        if given.shape != shape or given.dtype.kind not in "fiu":
            raise CityError(
                f"{path}: {name} is {given.dtype} {list(given.shape)}, "
                f"where numbers {list(shape)} are needed"
            )
    lonlat = as_lonlat(points[:, ::-1], "points (read as lat, lon)")
    far = ~((distance <= _RRNCO_FAR_KM) & (duration <= _RRNCO_FAR_KM))
    distance_m = np.where(far, np.inf, distance.astype(np.float64) * 1000)
    duration_s = np.where(far, np.inf, duration.astype(np.float64) * 60)
    return lonlat, tidy(distance_m, duration_s, square=True)


def _write(path: str | Path, **arrays: Any) -> Path:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return write_atomic(path, buffer.getvalue())


def _read(path: str | Path, names: Sequence[str]) -> dict[str, Any]:
    try:
        held = read_npz(Path(path))
    except FileNotFoundError as error:
        raise CityError(f"{path} does not exist") from error
    except (OSError, BrokenArchiveError) as error:
        raise CityError(f"{path} is no .npz of a city: {shortened(error)}") from error
    missing = [name for name in names if name not in held]
    if missing:
        raise CityError(f"{path} has no {', '.join(missing)}; it holds {listed(held) or 'nothing'}")
    return held
