"""The stops of a GTFS feed."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from nco.archives import BrokenArchiveError, read_members
from nco.arrays import Floats
from nco.data.formats.json_file import read_text
from nco.errors import FormatError, StorageError, quoted, shortened

_STOPS = "stops.txt"


def read_gtfs_stops(feed: str | Path) -> tuple[tuple[str, ...], Floats]:
    """Read where vehicles stop.

    Stations, entrances and other places of a feed (`location_type` above 0) are left out.

    Args:
        feed: a `.zip` or a folder with `stops.txt`.

    Returns:
        Ids, and `[n, 2]` degrees, longitude first.

    Raises:
        FormatError: there is no such feed, or a stop has no usable place; the message names the
            line.
        StorageError: it cannot be read.
    """
    where = f"{feed}: {_STOPS}"
    rows = csv.DictReader(io.StringIO(_text(Path(feed)), newline=""), skipinitialspace=True)
    try:
        missing = {"stop_id", "stop_lat", "stop_lon"} - set(rows.fieldnames or ())
    except csv.Error as error:
        raise FormatError(f"{where}, line 1: not CSV ({shortened(error)})") from None
    if missing:
        raise FormatError(
            f"{where}, line 1: there is no column {quoted(min(missing))}, as GTFS asks"
        )
    names: dict[str, None] = {}
    places = []
    for row in _strict(rows, where):
        if (row.get("location_type") or "0").strip() != "0":
            continue
        name = (row["stop_id"] or "").strip()
        try:
            lon, lat = float(row["stop_lon"]), float(row["stop_lat"])
        except (TypeError, ValueError):
            lon = lat = np.nan
        if not (abs(lon) <= 180 and abs(lat) <= 90):
            raise FormatError(
                f"{where}, line {rows.line_num}: stop {quoted(name)} is at stop_lon "
                f"{quoted(row['stop_lon'])}, stop_lat {quoted(row['stop_lat'])}; give degrees"
            )
        if not name or name in names:
            raise FormatError(
                f"{where}, line {rows.line_num}: stop_id {quoted(name)} is empty or there twice"
            )
        names[name] = None
        places.append((lon, lat))
    if not places:
        raise FormatError(f"{where} has no stop; is this the right feed?")
    return tuple(names), np.array(places)


def read_gtfs_stop_names(feed: str | Path) -> dict[str, str]:
    """What passengers call the stops of a feed, by id; what has no name is left out.

    Raises:
        FormatError: there is no such feed.
        StorageError: it cannot be read.
    """
    where = f"{feed}: {_STOPS}"
    rows = csv.DictReader(io.StringIO(_text(Path(feed)), newline=""), skipinitialspace=True)
    found = {}
    for row in _strict(rows, where):
        key, name = (row.get("stop_id") or "").strip(), (row.get("stop_name") or "").strip()
        if key and name:
            found[key] = name
    return found


def _strict(rows: csv.DictReader[str], where: str) -> Iterator[dict[str, str]]:
    """The rows, or a FormatError where they are no CSV."""
    try:
        yield from rows
    except csv.Error as error:
        raise FormatError(f"{where}, line {rows.line_num}: not CSV ({shortened(error)})") from None


def _text(feed: Path) -> str:
    if feed.is_dir():
        return read_text(feed / _STOPS)
    try:
        held = read_members(feed, (_STOPS,))
        if _STOPS not in held:
            raise FormatError(f"{feed} holds no {_STOPS}; a GTFS feed does")
        return held[_STOPS].decode("utf-8-sig")
    except FileNotFoundError:
        raise FormatError(f"{shortened(feed)}: there is no such file; check the path") from None
    except (BrokenArchiveError, UnicodeDecodeError) as error:
        raise FormatError(f"{feed} is no GTFS feed: {shortened(error)}") from None
    except OSError as error:
        raise StorageError(f"cannot read {feed}: {error.strerror or error}") from error
