"""A timetable of lines as a GTFS feed (General Transit Feed Specification, Schedule reference).

Every line becomes a route with two directions. Buses leave both ends at the line's headway, from
the beginning to the end of service, every day; running times are those of the links.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from nco import _validate as validate
from nco.arrays import Floats
from nco.colours import COLOURS
from nco.data.formats.geojson import Drawn
from nco.errors import InputError
from nco.files import write_atomic
from nco.transit.files.geojson import line_names, line_shape, need_lonlat
from nco.transit.instance.lines import Lines, LinesLike, refuse_bad_lines
from nco.transit.instance.transit_instance import TransitInstance

_BUS = 3
_SERVICE = "daily"
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_TRIPS = ("route_id", "service_id", "trip_id", "trip_headsign", "direction_id", "shape_id")
_STOP_TIMES = (
    *("trip_id", "arrival_time", "departure_time"),
    *("stop_id", "stop_sequence", "timepoint"),
)
_FREQUENCIES = ("trip_id", "start_time", "end_time", "headway_secs", "exact_times")
_SHAPES = ("shape_id", "shape_pt_lat", "shape_pt_lon", "shape_pt_sequence")
_Row = tuple[Any, ...]
# Files of one moment, so that the same feed is the same bytes.
_STAMP = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, kw_only=True)
class Service:
    """Who runs the buses, and when.

    Attributes:
        agency: name of the operator.
        url: of the operator; GTFS asks for one.
        timezone: such as "Europe/Helsinki"; times of day are meant there.
        language: of names, as in "en".
        first_s: first departures, seconds after midnight.
        last_s: no departure later than this; beyond 24 hours is the next morning.
        dwell_s: how long a bus stands at each stop between the ends.
        first_day: of the timetable; None means today.
        days: for how many days it holds.
    """

    agency: str = "nco"
    url: str = "https://example.com"
    timezone: str = "UTC"
    language: str = "en"
    first_s: int = 6 * 3600
    last_s: int = 22 * 3600
    dwell_s: int = 0
    first_day: date | None = None
    days: int = 365

    def __post_init__(self) -> None:
        if not (0 <= self.first_s < self.last_s and self.dwell_s >= 0 and self.days >= 1):
            raise InputError(
                f"first_s is {self.first_s}, last_s {self.last_s}, dwell_s {self.dwell_s} and days "
                f"{self.days}; service must begin before it ends, and last a day or more"
            )


def write_gtfs(
    path: str | Path,
    instance: TransitInstance,
    lines: LinesLike,
    headway_s: float | ArrayLike = 600.0,
    *,
    service: Service | None = None,
    city: Drawn | None = None,
    names: Sequence[str] | None = None,
    frequencies: bool = False,
) -> Path:
    """Write a feed.

    Args:
        path: ends in `.zip`.
        instance: with `lonlat`.
        lines: nodes in order.
        headway_s: seconds between buses, one number or one a line; 3600 / (buses an hour).
        service: who runs them and when; None takes what `Service` says.
        city: its streets give the shapes of the lines; None leaves shapes out.
        names: of the lines; "line 0", "line 1", ... by default.
        frequencies: write one trip a direction and its headway (`frequencies.txt`, whole seconds)
            in place of every single departure.

    Raises:
        InputError: the instance has no coordinates, or a headway is below a second.
        ProblemError: a line uses a link or a stop that does not exist.
        StorageError: the file cannot be written; what stood there before is untouched.
    """
    where, given = need_lonlat(instance), refuse_bad_lines(instance, lines)
    service = service or Service()
    headways = _headways(headway_s, len(given))
    tables = _frame(instance, where, given, line_names(given, names), service)
    ways = [
        (f"{r}-{('there', 'back')[direction]}", r, direction, nodes)
        for r, line in enumerate(given)
        for direction, nodes in enumerate((line, line[::-1]))
    ]
    trips: list[_Row] = []
    times: list[_Row] = []
    every: list[_Row] = []
    for stem, r, direction, nodes in ways:
        at_s = stop_seconds(instance, nodes, service.dwell_s)
        starts = {stem: service.first_s}
        if frequencies:
            # A departure at the very end of a period is no longer in it.
            hours = (_clock(service.first_s), _clock(service.last_s + 1))
            every.append((stem, *hours, max(1, round(headways[r])), 1))
        else:
            leave_s = np.arange(service.first_s, service.last_s + 1e-6, headways[r])
            starts = {f"{stem}-{n}": round(start) for n, start in enumerate(leave_s.tolist())}
        head, shape = instance.names[nodes[-1]], "" if city is None else stem
        for trip, start in starts.items():
            trips.append((str(r), _SERVICE, trip, head, direction, shape))
            times += [
                (trip, _clock(start + arrive), _clock(start + leave), str(node), k, 1)
                for k, (node, (arrive, leave)) in enumerate(zip(nodes, at_s, strict=True))
            ]
    tables["trips"] = _table(_TRIPS, trips)
    tables["stop_times"] = _table(_STOP_TIMES, times)
    if frequencies:
        tables["frequencies"] = _table(_FREQUENCIES, every)
    if city is not None:
        shapes = [
            (stem, lat, lon, k)
            for stem, _, _, nodes in ways
            for k, (lon, lat) in enumerate(np.round(line_shape(instance, nodes, city), 6).tolist())
        ]
        tables["shapes"] = _table(_SHAPES, shapes)
    return write_atomic(path, _zip(tables))


def stop_seconds(
    instance: TransitInstance, nodes: Sequence[int], dwell_s: float
) -> list[tuple[int, int]]:
    """Arrival at and departure from each stop in whole seconds after the start of a trip."""
    here, ahead = list(nodes[:-1]), list(nodes[1:])
    run = np.concatenate([[0.0], np.cumsum(instance.link_s[here, ahead])])
    stood = dwell_s * np.maximum(np.arange(len(nodes)) - 1, 0)
    arrive = np.round(run + stood).astype(int)
    leave = arrive + round(dwell_s)
    leave[[0, -1]] = arrive[[0, -1]]
    return list(zip(arrive.tolist(), leave.tolist(), strict=True))


def _headways(headway_s: float | ArrayLike, count: int) -> list[float]:
    """One headway a line."""
    given = np.atleast_1d(validate.array(headway_s, "headway_s"))
    if given.shape not in ((1,), (count,)):
        raise InputError(
            f"headway_s has {given.size} entries for {count} lines; give one number, or one a line"
        )
    headways: list[float] = np.broadcast_to(given, count).tolist()
    for r, headway in enumerate(headways):
        if not 1 <= headway < np.inf:
            raise InputError(f"headway_s of line {r} is {headway:g}; give 1 second or more")
    return headways


def _frame(
    instance: TransitInstance, where: Floats, lines: Lines, names: list[str], service: Service
) -> dict[str, str]:
    """All tables but those of single trips."""
    first = service.first_day or date.today()
    last = first + timedelta(days=service.days - 1)
    used = sorted({node for line in lines for node in line})
    agency = (service.agency, service.url)
    days = (f"{first:%Y%m%d}", f"{last:%Y%m%d}")
    return {
        "agency": _table(
            ("agency_id", "agency_name", "agency_url", "agency_timezone", "agency_lang"),
            [("0", *agency, service.timezone, service.language)],
        ),
        "feed_info": _table(
            (
                *("feed_publisher_name", "feed_publisher_url", "feed_lang"),
                *("feed_start_date", "feed_end_date"),
            ),
            [(*agency, service.language, *days)],
        ),
        "calendar": _table(
            ("service_id", *_DAYS, "start_date", "end_date"), [(_SERVICE, *[1] * 7, *days)]
        ),
        "stops": _table(
            ("stop_id", "stop_name", "stop_lat", "stop_lon"),
            [(str(k), instance.names[k], *np.round(where[k, ::-1], 6).tolist()) for k in used],
        ),
        "routes": _table(
            (
                *("route_id", "agency_id", "route_short_name", "route_long_name", "route_type"),
                *("route_color", "route_text_color"),
            ),
            [
                (str(r), "0", names[r], _ends(instance, line), _BUS, _colour(r), "FFFFFF")
                for r, line in enumerate(lines)
            ],
        ),
    }


def _ends(instance: TransitInstance, line: Sequence[int]) -> str:
    return f"{instance.names[line[0]]} - {instance.names[line[-1]]}"


def _colour(r: int) -> str:
    return COLOURS[r % len(COLOURS)].lstrip("#").upper()


def _clock(seconds: int) -> str:
    """`HH:MM:SS`, beyond 24 hours for the next morning."""
    minutes, second = divmod(seconds, 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{second:02d}"


def _table(columns: Sequence[str], rows: Iterable[_Row]) -> str:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue()


def _zip(tables: dict[str, str]) -> bytes:
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w") as archive:
        for name, text in tables.items():
            entry = zipfile.ZipInfo(f"{name}.txt", _STAMP)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, text)
    return raw.getvalue()
