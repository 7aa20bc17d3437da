"""Tables that people drop on the page: what was read, what is doubtful, what is wrong."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nco.data.cities.geocode.asking import finder
from nco.data.formats import stops_csv
from nco.data.formats.json_file import Fields, finite
from nco.data.formats.rows import Rows, rows_from
from nco.data.formats.table_files import SUFFIXES, read_rows
from nco.data.formats.tables import fleet as fleet_table
from nco.data.formats.tables.faults import TableError
from nco.data.formats.tables.fleet import fleet_from
from nco.data.formats.tables.places import FOUND, HOW, SURE, WORD, address_of
from nco.data.formats.tables.stop_table import stops_from
from nco.data.formats.tables.stops import Stops
from nco.data.formats.tables.titles import FLEET, STOPS, name_of
from nco.errors import FormatError, listed, quoted
from nco.snapped import MOVED_FAR_M
from nco.web.reply import Reply, as_json
from nco.web.work import served

if TYPE_CHECKING:
    from nco.data.cities.city import City

KINDS = ("stops", "fleet")
_SHEETS = {"stops": stops_csv.SHEETS, "fleet": fleet_table.SHEETS}
TITLES = {"stops": STOPS, "fleet": FLEET}
_CANDIDATES = 3


def rows_of(data: Fields, what: str) -> Rows:
    """A table in a request: `{"header": [...], "rows": [[...], ...]}`, cells as people type them.

    Rows are numbered as in a file whose first line is the header.

    Raises:
        FormatError: it is no such table.
    """
    header = [_cell(cell) for cell in data.items("header")]
    rows = data.items("rows")
    cells = [(1, header)]
    for k, row in enumerate(rows, start=2):
        if not isinstance(row, list):
            data.fail(f"rows[{k - 2}]", "must be a list of cells")
        cells.append((k, [_cell(cell) for cell in row]))
    if not any(header):
        data.fail("header", f"is empty; give the titles of the {what}")
    first, *rest = cells
    return rows_from(what, [first, *rest], ",")


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return (
        value
        if isinstance(value, str)
        else f"{value:.15g}"
        if isinstance(value, float)
        else str(value)
    )


def rows_in(raw: bytes, kind: str, suffix: str) -> Rows:
    """The rows of a file that was sent.

    It lies under a name of ours meanwhile; of the client's own only a known suffix counts.

    Raises:
        FormatError: it is no table.
    """
    suffix = suffix.casefold()
    if suffix not in SUFFIXES:
        raise FormatError(f"the suffix {quoted(suffix)} is not known; read are {listed(SUFFIXES)}")
    with tempfile.TemporaryDirectory(prefix="nco-") as folder:
        path = Path(folder) / f"{kind}{suffix}"
        path.write_bytes(raw)
        try:
            table = read_rows(path, _SHEETS[kind])
        except FormatError as error:
            raise FormatError(str(error).replace(str(path), kind)) from None
    return table


def stops_of(table: Rows, city: City, *, accept: bool, skip: bool = False) -> Stops:
    """The stops in a table, addresses looked up in a city."""
    return stops_from(
        "stops", table, geocoder=finder(city), accept_doubtful=accept, skip_bad_rows=skip
    )


@served.replying
def read_table(raw: bytes, kind: str, suffix: str | None, city: str | None) -> Reply:
    """What a table holds, and what of it a person should look at.

    Args:
        raw: a file, or JSON with header and rows where there is no suffix.
        kind: `stops` or `fleet`.
        suffix: of the file.
        city: in which addresses and streets are looked up.
    """
    table = rows_in(raw, kind, suffix) if suffix else rows_of(served.fields_of(raw), kind)
    answer: dict[str, Any] = {
        "kind": kind,
        "header": table.header,
        "columns": [name_of(title, TITLES[kind]) for title in table.header],
        "rows": [{"line": line, "cells": cells} for line, cells in table.rows],
        "head": table.head,
    }
    with served.notes() as told:
        faults, read, doubtful = _READ[kind](table, city)
    found = {"read": read, "faults": faults, "doubtful": doubtful, "notes": told}
    return as_json(finite(answer | found))


type _Found = tuple[list[dict[str, Any]], list[dict[str, Any]], list[dict[str, Any]]]


def _read_stops(table: Rows, name: str | None) -> _Found:
    city = served.city(name)
    faults: list[dict[str, Any]] = []
    try:
        stops = stops_of(table, city, accept=True)
    except TableError as error:
        faults = _told(error)
        try:
            stops = stops_of(table, city, accept=True, skip=True)
        except TableError:
            return faults, [], []
    lines = [int(place.rsplit(" ", 1)[1]) for place in stops.places]
    read = [
        {
            "line": lines[k],
            "name": stops.names[k],
            "lon": float(stops.lonlat[k, 0]),
            "lat": float(stops.lonlat[k, 1]),
            "demand": stops.demand[k].tolist(),
            "pickup": stops.pickup[k].tolist(),
            "windows_s": [stops.window_s[k].tolist(), *map(list, stops.more_windows_s.get(k, ()))],
            "service_s": float(stops.service_s[k]),
            "prize": float(stops.prize[k]),
            "skills": sorted(stops.skills.get(k, ())),
            "vehicles": list(stops.vehicles.get(k, ())),
            "depot": k in stops.depots or (not stops.depots and k == stops.row("depot")),
            "details": dict(stops.details.get(k, {})),
        }
        for k in range(len(stops))
    ]
    return faults, read, [*_addresses(stops, lines, city), *_far(stops, lines, city)]


def _read_fleet(table: Rows, _city: str | None) -> _Found:
    try:
        fleet = fleet_from("fleet", table)
    except TableError as error:
        return _told(error), [], []
    read = [
        {
            "line": row.line,
            "name": row.vehicle.name,
            "count": row.count,
            "start": row.ends[0],
            "end": row.ends[1],
            "capacity": list(row.vehicle.capacity),
            "shift_s": list(row.vehicle.shift_s),
            "skills": sorted(row.vehicle.skills),
            "profile": row.profile,
        }
        for row in fleet.rows
    ]
    return [], read, []


_READ = {"stops": _read_stops, "fleet": _read_fleet}


def _told(error: TableError) -> list[dict[str, Any]]:
    return [{"line": f.line, "column": f.title or f.of, "text": f.text} for f in error.faults]


def _addresses(stops: Stops, lines: list[int], city: City) -> list[dict[str, Any]]:
    """Addresses that a person should look at, with other places that may be meant."""
    found = []
    for k, words in stops.details.items():
        if words.get(WORD) != "doubtful":
            continue
        [asked] = city.geocode([address_of(words)], most=_CANDIDATES)
        places = [] if asked.best is None else [asked.best, *asked.others]
        found.append(
            {
                "line": lines[k],
                "kind": "address",
                "name": stops.names[k],
                "text": f"{words[FOUND]}: {words[HOW]}",
                "sure": float(words[SURE]),
                "candidates": [place.row() for place in places],
            }
        )
    return found


def _far(stops: Stops, lines: list[int], city: City) -> list[dict[str, Any]]:
    """Places far from any street."""
    if not len(stops):
        return []
    on_street, away_m = city.nearest(stops.lonlat)
    return [
        {
            "line": lines[k],
            "kind": "far",
            "name": stops.names[k],
            "text": f"{away_m[k]:.0f} m from the nearest street"
            + ("" if away_m[k] <= city.max_snap_m else f", more than {city.max_snap_m:g} m"),
            "moved_m": round(float(away_m[k]), 1),
            "refused": bool(away_m[k] > city.max_snap_m),
            "candidates": [{"lon": float(on_street[k, 0]), "lat": float(on_street[k, 1])}],
        }
        for k in range(len(stops))
        if away_m[k] > MOVED_FAR_M
    ]
