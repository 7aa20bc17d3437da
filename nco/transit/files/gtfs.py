"""A timetable of lines as a GTFS feed (General Transit Feed Specification, Schedule reference).

Every line becomes a route with two directions. Trips are those of a `Timetable`, the very one that
the simulation runs by: dwell at each stop, driving, layover, and the number of vehicles, which
`block_id` tells.
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
from nco.data.formats.drawn import Drawn
from nco.errors import InputError
from nco.files import write_atomic
from nco.transit.files.geojson import line_names, line_shape, need_lonlat
from nco.transit.instance.lines import Lines, LinesLike, refuse_bad_lines
from nco.transit.instance.timezone import timezone_of
from nco.transit.instance.transit_instance import TransitInstance
from nco.transit.operate.blocks import blocks_of
from nco.transit.operate.periods import DAILY, WEEK, DayType, Period, day_types, trips_of
from nco.transit.operate.timetable import Timetable, regular

_BUS = 3
_TRIPS = (
    *("route_id", "service_id", "trip_id", "trip_headsign", "direction_id", "shape_id"),
    "block_id",
)
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
        timezone: such as "Europe/Helsinki"; times of day are meant there. None takes the one that
            the stops lie in.
        language: of names, as in "en".
        first_s: first departures, seconds after midnight.
        last_s: no departure later than this; beyond 24 hours is the next morning.
        dwell_s: how long a bus stands at each stop where only headways are given; a timetable
            says it itself.
        first_day: of the timetable; None means today.
        days: for how many days it holds.
    """

    agency: str = "nco"
    url: str = "https://example.com"
    timezone: str | None = None
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
    timetable: Timetable | None = None,
    week: Sequence[tuple[Period, Timetable]] = (),
    service: Service | None = None,
    city: Drawn | None = None,
    names: Sequence[str] | None = None,
    frequencies: bool = False,
    interline: bool = False,
) -> Path:
    """Write a feed.

    Args:
        path: ends in `.zip`.
        instance: with `lonlat`.
        lines: nodes in order.
        headway_s: seconds between buses, one number or one a line; 3600 / (buses an hour). Only
            where neither a timetable nor a week is given.
        timetable: of every day from `service.first_s` to `service.last_s`, such as the one that a
            simulation ran by (`nco.transit.operate.timetable.timetable_of`).
        week: periods of the day on kinds of days, each with its timetable; blocks of vehicles go
            on from period to period.
        service: who runs them and when; None takes what `Service` says.
        city: its streets give the shapes of the lines; None leaves shapes out.
        names: of the lines; "line 0", "line 1", ... by default.
        frequencies: write one trip a direction and its headway (`frequencies.txt`, whole seconds)
            in place of every single departure.
        interline: whether vehicles of a week may change lines, which takes fewer of them.

    Raises:
        InputError: the instance has no coordinates, a headway is below a second, or the periods
            of the week contradict one another.
        ProblemError: a line uses a link or a stop that does not exist.
        StorageError: the file cannot be written; what stood there before is untouched.
    """
    where, given = need_lonlat(instance), refuse_bad_lines(instance, lines)
    service = service or Service()
    if not week:
        if timetable is None:
            headways = np.array(_headways(headway_s, len(given)))
            timetable = regular(instance, given, headways, dwell_s=float(service.dwell_s))
        # A departure at the very end is still one.
        week = [(Period(DAILY, service.first_s, service.last_s + 1), timetable)]
    kinds = day_types([period for period, _ in week])
    tables = _frame(instance, where, given, line_names(given, names), service, kinds)
    if frequencies:
        trips, times, every = _by_headway(instance, given, week, city is not None)
        tables["frequencies"] = _table(_FREQUENCIES, every)
    else:
        trips, times = _by_departure(instance, given, week, kinds, city is not None, interline)
    tables["trips"] = _table(_TRIPS, trips)
    tables["stop_times"] = _table(_STOP_TIMES, times)
    if city is not None:
        shapes = [
            (_stem(r, direction), lat, lon, k)
            for r, line in enumerate(given)
            for direction, nodes in enumerate((line, line[::-1]))
            for k, (lon, lat) in enumerate(np.round(line_shape(instance, nodes, city), 6).tolist())
        ]
        tables["shapes"] = _table(_SHAPES, shapes)
    return write_atomic(path, _zip(tables))


def _stem(r: int, direction: int) -> str:
    return f"{r}-{('there', 'back')[direction]}"


def _by_departure(
    instance: TransitInstance,
    lines: Lines,
    week: Sequence[tuple[Period, Timetable]],
    kinds: Sequence[DayType],
    shaped: bool,
    interline: bool,
) -> tuple[list[_Row], list[_Row]]:
    """Rows of all trips and of their stops."""
    rows: list[_Row] = []
    times: list[_Row] = []
    for kind in kinds:
        own = [(period, table) for period, table in week if period.day.name == kind.name]
        trips = sorted(trips_of(lines, own), key=lambda trip: (trip.line, trip.direction))
        if len(own) == 1:
            blocks = [f"{trip.line}-{trip.bus}" for trip in trips]
        else:
            numbers = blocks_of(trips, instance.drive_s, interline=interline)
            blocks = [str(number) for number in numbers]
        count: dict[str, int] = {}
        for trip, block in zip(trips, blocks, strict=True):
            stem = _stem(trip.line, trip.direction)
            number = count[stem] = count.get(stem, -1) + 1
            name = f"{stem}-{number}" if len(kinds) == 1 else f"{kind.name}-{stem}-{number}"
            head, shape = instance.names[trip.nodes[-1]], stem if shaped else ""
            block = block if len(kinds) == 1 else f"{kind.name}-{block}"
            rows.append((str(trip.line), kind.name, name, head, trip.direction, shape, block))
            start = round(trip.start_s)
            offsets = [arrive_s - trip.start_s for arrive_s in trip.arrive_s]
            times += _stops(name, trip.nodes, start, offsets, trip.dwell_s)
    return rows, times


def _by_headway(
    instance: TransitInstance,
    lines: Lines,
    week: Sequence[tuple[Period, Timetable]],
    shaped: bool,
) -> tuple[list[_Row], list[_Row], list[_Row]]:
    """Rows of a trip a line, direction and period, of its stops, and of its headway."""
    rows: list[_Row] = []
    times: list[_Row] = []
    every: list[_Row] = []
    for number, (period, table) in enumerate(week):
        firsts: dict[tuple[int, int], float] = {}
        for r, line in enumerate(lines):
            if table.buses[r] > 0:
                for _, direction, at_s in table.departures(
                    r, line, period.first_s, period.last_s - 1e-3
                ):
                    firsts[r, direction] = min(at_s, firsts.get((r, direction), at_s))
        for (r, direction), at_s in firsts.items():
            nodes = lines[r] if direction == 0 else lines[r][::-1]
            stem = _stem(r, direction)
            name = stem if len(week) == 1 else f"{stem}-{number}"
            shape = stem if shaped else ""
            rows.append(
                (str(r), period.day.name, name, instance.names[nodes[-1]], direction, shape, "")
            )
            start = round(at_s)
            times += _stops(name, nodes, start, table.opening_s(nodes).tolist(), table.dwell_s)
            headway = max(1, round(float(table.headway_s[r])))
            every.append((name, _clock(start), _clock(round(period.last_s)), headway, 1))
    return rows, times, every


def _stops(
    trip: str, nodes: Sequence[int], start: int, offset_s: Sequence[float], dwell_s: float
) -> list[_Row]:
    """Rows of the stops of a trip; doors are open at all but the last for the dwell."""
    last = len(nodes) - 1
    rows: list[_Row] = []
    for k, (node, offset) in enumerate(zip(nodes, offset_s, strict=True)):
        arrive = start + round(offset)
        leave = arrive if k == last else start + round(offset + dwell_s)
        rows.append((trip, _clock(arrive), _clock(leave), str(node), k, 1))
    return rows


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
    instance: TransitInstance,
    where: Floats,
    lines: Lines,
    names: list[str],
    service: Service,
    kinds: Sequence[DayType],
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
            [("0", *agency, service.timezone or timezone_of(where), service.language)],
        ),
        "feed_info": _table(
            (
                *("feed_publisher_name", "feed_publisher_url", "feed_lang"),
                *("feed_start_date", "feed_end_date"),
            ),
            [(*agency, service.language, *days)],
        ),
        "calendar": _table(
            ("service_id", *WEEK, "start_date", "end_date"),
            [(kind.name, *[int(day in kind.days) for day in WEEK], *days) for kind in kinds],
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
