"""Recorded drives: points from a file, the streets they went along, and both as files.

OSRM's map matching (a hidden Markov model, P. Newson and J. Krumm 2009) says where a drive went. A
drive is good if it is one piece, at least 1 km long, and its points lie near it.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nco.arrays import Floats
from nco.data.cities.city import City
from nco.data.cities.osrm import Matched, Osrm
from nco.errors import CityError, FormatError, quoted
from nco.files import write_atomic
from nco.roads.tables import numbered_rows, osm_nodes

HEADER = ("trip", "start_lon", "start_lat", "end_lon", "end_lat", "osm_nodes")
"""Columns of a file of matched drives; nodes are joined by blanks."""

_TIMES = ("unix_time", "time", "timestamp", "unix_s")
_LEAST_M = 1000.0
_MOST_OFF_M = 12.0


@dataclass(frozen=True, eq=False)
class Drive:
    """Points along one drive.

    Attributes:
        trip: its name.
        lonlat: `[n, 2]` degrees.
        unix_s: `[n]`, when; empty where that is not known.
    """

    trip: str
    lonlat: Floats
    unix_s: tuple[int, ...] = ()


@dataclass(frozen=True, eq=False)
class MatchedDrive:
    """The streets of a drive.

    Attributes:
        trip: its name.
        start: lonlat on the street where it begins.
        end: lonlat on the street where it ends.
        osm_nodes: `[n]`, OpenStreetMap's nodes along it; none where nothing fits.
        off_m: mean distance of its points from the streets.
        why_not: what is wrong with it; empty for a good one.
    """

    trip: str
    start: tuple[float, float]
    end: tuple[float, float]
    osm_nodes: NDArray[np.int64]
    off_m: float
    why_not: str = ""


def read_drives(path: str | Path) -> list[Drive]:
    """Read drives, a point a row: columns `trip`, `lon`, `lat`, and `unix_time` if it is known.

    Args:
        path: `.csv`, or `.csv.gz`.

    Raises:
        FormatError: a column is missing, or a cell is no number; the message says where.
        StorageError: the file cannot be read.
    """
    rows = numbered_rows(path, ("trip", "lon", "lat"))
    found: dict[str, tuple[list[tuple[float, float]], list[int]]] = {}
    for line, row in rows:
        points, times = found.setdefault(row["trip"], ([], []))
        lon, lat = _number(path, line, row, "lon"), _number(path, line, row, "lat")
        if abs(lon) > 180 or abs(lat) > 90:
            raise FormatError(
                f"{path}, line {line}: longitude {lon:g}, latitude {lat:g} is no place; columns "
                "are lon and lat in degrees"
            )
        points.append((lon, lat))
        name = next((one for one in _TIMES if row.get(one)), None)
        if name is not None:
            times.append(int(_number(path, line, row, name)))
    if not found:
        raise FormatError(f"{path} holds no drive; give a row for each point of one")
    return [
        Drive(trip, np.array(points), tuple(times) if len(times) == len(points) else ())
        for trip, (points, times) in found.items()
    ]


def match_drive(city: City, drive: Drive, radius_m: float = 15.0) -> MatchedDrive:
    """Where a drive went.

    Args:
        city: opened from an extract.
        drive: its points.
        radius_m: by how much points are off.

    Raises:
        CityError: the city has no engine here.
    """
    engine = city.engine
    if not isinstance(engine, Osrm):
        raise CityError(f"{city.name} has no engine here; open its extract with City.from_file")
    first, last = _ends(drive.lonlat)
    none = np.zeros(0, dtype=np.int64)
    if len(drive.lonlat) < 2:
        return MatchedDrive(drive.trip, first, last, none, np.nan, "has a single point")
    if (np.diff(drive.unix_s) < 0).any():
        return MatchedDrive(drive.trip, first, last, none, np.nan, "goes back in time")
    pieces = engine.match(drive.lonlat, drive.unix_s, radius_m)
    if not pieces:
        return MatchedDrive(drive.trip, first, last, none, np.nan, "fits no streets")
    longest = max(pieces, key=lambda piece: piece.distance_m)
    start, end = _ends(longest.lonlat)
    off_m = float(longest.moved_m.mean())
    return MatchedDrive(
        drive.trip, start, end, longest.osm_nodes, off_m, _why_not(pieces, longest, off_m)
    )


def _ends(lonlat: Floats) -> tuple[tuple[float, float], tuple[float, float]]:
    (a, b), (c, d) = lonlat[0].tolist(), lonlat[-1].tolist()
    return (a, b), (c, d)


def _why_not(pieces: list[Matched], longest: Matched, off_m: float) -> str:
    if len(pieces) > 1:
        return f"falls into {len(pieces)} pieces"
    if longest.distance_m < _LEAST_M:
        return f"is {longest.distance_m:.0f} m long, shorter than {_LEAST_M:.0f} m"
    if off_m > _MOST_OFF_M:
        return f"lies {off_m:.0f} m from the streets in the mean"
    return ""


def write_matched(path: str | Path, drives: list[MatchedDrive]) -> Path:
    """Write the good ones, a drive a row, as `read_matched` reads them.

    Raises:
        StorageError: the file cannot be written; what stood there before is untouched.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(HEADER)
    for one in drives:
        if not one.why_not:
            ends = [f"{degree:.6f}" for degree in (*one.start, *one.end)]
            writer.writerow([one.trip, *ends, " ".join(map(str, one.osm_nodes.tolist()))])
    return write_atomic(path, text.getvalue())


def read_matched(path: str | Path) -> list[MatchedDrive]:
    """Read drives that were matched before.

    Raises:
        FormatError: a column is missing, or a cell is no number; the message says where.
        StorageError: the file cannot be read.
    """
    found = []
    for line, row in numbered_rows(path, HEADER):
        lon_a, lat_a, lon_b, lat_b = (_number(path, line, row, name) for name in HEADER[1:5])
        nodes = osm_nodes(path, line, row["osm_nodes"])
        found.append(MatchedDrive(row["trip"], (lon_a, lat_a), (lon_b, lat_b), nodes, np.nan))
    return found


def _number(path: str | Path, line: int, row: dict[str, str], name: str) -> float:
    try:
        number = float(row[name])
    except ValueError:
        number = np.nan
    if not np.isfinite(number):
        raise FormatError(f"{path}, line {line}: {name} is {quoted(row[name])}; give a number")
    return number
