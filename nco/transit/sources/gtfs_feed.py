"""The timetable of a GTFS feed on one day: its routes, and the trips that run them."""

from __future__ import annotations

import csv
import io
import logging
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import islice, pairwise
from pathlib import Path

from nco.archives import BrokenArchiveError, read_members
from nco.data.formats.json_file import read_text
from nco.errors import FormatError, InputError, StorageError, quoted, shortened

logger = logging.getLogger("nco")

_NEEDED = ("routes", "trips", "stop_times")
_TABLES = (*_NEEDED, "calendar", "calendar_dates", "frequencies")
_WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_BUS_LIKE = {"0", "3", "5", "11", "12"}  # tram, bus, cable tram, trolleybus, monorail
_EXTENDED = range(200, 1000)  # coaches, buses, trams of the extended route types
_MOST_DAYS = 3 * 366
_MOST_TRIPS = 200_000  # of a day; the largest regions run a third of it


@dataclass(frozen=True)
class FeedTrip:
    """One vehicle that runs a route once.

    Attributes:
        route: name that passengers know.
        direction: "0", "1", or empty.
        block: of the vehicle; empty where the feed does not say.
        stops: ids in order.
        arrive_s: seconds after midnight at each.
        leave_s: likewise.
    """

    route: str
    direction: str
    block: str
    stops: tuple[str, ...]
    arrive_s: tuple[float, ...]
    leave_s: tuple[float, ...]


@dataclass(frozen=True)
class FeedDay:
    """What runs on one day.

    Attributes:
        day: which.
        trips: by departure.
        routes: names of all routes, also of those that do not run.
    """

    day: date
    trips: tuple[FeedTrip, ...]
    routes: tuple[str, ...]


def read_feed(feed: str | Path, day: str | date | None = None) -> FeedDay:
    """Read what buses and trams run on a day.

    Args:
        feed: a `.zip` or a folder.
        day: a date (or as YYYY-MM-DD), or a day of the week, of which the busiest is taken; None
            takes the busiest day from Monday to Friday, or of all where nothing runs then.

    Raises:
        FormatError: it is no feed, or a row is wrong; the message names file and line.
        InputError: there is no such day, or nothing runs on it.
        StorageError: it cannot be read.
    """
    tables = _Tables(Path(feed))
    routes = {
        row["route_id"]: (row.get("route_short_name") or row.get("route_long_name") or "").strip()
        or row["route_id"]
        for row in tables.rows("routes", ("route_id", "route_type"))
        if _by_bus(row["route_type"])
    }
    trips = {
        row["trip_id"]: row
        for row in tables.rows("trips", ("route_id", "service_id", "trip_id"))
        if row["route_id"] in routes
    }
    if not trips:
        raise InputError(f"{shortened(feed)} has no trips of buses or trams")
    per_service = Counter(row["service_id"] for row in trips.values())
    chosen = _chosen(tables, per_service, day)
    active = _services(tables, chosen)
    kept = {name: row for name, row in trips.items() if row["service_id"] in active}
    if not kept:
        raise InputError(
            f"{shortened(feed)}: nothing runs on {chosen}; choose another day, such as monday"
        )
    every = (
        trip
        for name, row in kept.items()
        for trip in _repeated(
            _trip(routes[row["route_id"]], row, tables.stop_times(kept).get(name, [])),
            tables.frequencies().get(name, []),
        )
    )
    found = list(islice(every, _MOST_TRIPS + 1))
    _tell_untimed(feed, sum(_timed(tables.stop_times(kept).get(name, [])) for name in kept), kept)
    if not found:
        raise InputError(
            f"{shortened(feed)}: no trip on {chosen} has two stops and times that ascend; check "
            "stop_times.txt"
        )
    if len(found) > _MOST_TRIPS:
        raise FormatError(
            f"{shortened(feed)}: more than {_MOST_TRIPS:,} trips run on {chosen}; check "
            "frequencies.txt, or read a part of the feed"
        )
    found.sort(key=lambda trip: (trip.leave_s[0], trip.route))
    return FeedDay(chosen, tuple(found), tuple(sorted(set(routes.values()))))


def _tell_untimed(feed: str | Path, timed: int, kept: dict[str, dict[str, str]]) -> None:
    if timed < len(kept):
        logger.warning(
            "%s: %d of %d trips are left out: they have fewer than two stops, no times at their "
            "ends, or times that do not ascend",
            shortened(feed), len(kept) - timed, len(kept),
        )  # fmt: skip


def _timed(times: list[tuple[int, str, float, float]]) -> bool:
    """Whether a trip can be run as its times say."""
    known = [one[2:] for one in times if one[2] == one[2]]
    if len(times) < 2 or times[0][2] != times[0][2] or times[-1][2] != times[-1][2]:
        return False
    return all(leave <= arrive for (_, leave), (arrive, _) in pairwise(known))


class _Tables:
    """Files of a feed, row by row, with errors that name the line."""

    def __init__(self, feed: Path) -> None:
        self.feed = feed
        self._text = _texts(feed)
        self._times: dict[str, list[tuple[int, str, float, float]]] | None = None
        self._every: dict[str, list[tuple[float, float, float]]] | None = None

    def rows(self, name: str, needed: tuple[str, ...]) -> Iterator[dict[str, str]]:
        """Rows of a table; none if the feed lacks it."""
        rows = csv.DictReader(io.StringIO(self._text.get(name, ""), newline=""))
        where = f"{self.feed}: {name}.txt"
        try:
            header = [column.strip() for column in rows.fieldnames or ()]
            if not header:
                return
            rows.fieldnames = header
            missing = sorted(set(needed) - set(header))
            if missing:
                raise FormatError(
                    f"{where}, line 1: there is no column {quoted(missing[0])}, as GTFS asks"
                )
            for row in rows:
                if any(row[column] is None for column in needed):
                    raise FormatError(f"{where}, line {rows.line_num}: it has too few cells")
                yield row
        except csv.Error as error:
            raise FormatError(
                f"{where}, line {rows.line_num}: not CSV ({shortened(error)})"
            ) from None

    def stop_times(
        self, kept: dict[str, dict[str, str]]
    ) -> dict[str, list[tuple[int, str, float, float]]]:
        """Of each trip: sequence, stop, arrival and departure, `nan` where the feed has none."""
        if self._times is None:
            self._times = {name: [] for name in kept}
            columns = ("trip_id", "stop_id", "stop_sequence", "arrival_time", "departure_time")
            for k, row in enumerate(self.rows("stop_times", columns), start=2):
                own = self._times.get(row["trip_id"])
                if own is None:
                    continue
                where = f"{self.feed}: stop_times.txt, row {k}"
                arrive_s = _seconds(row["arrival_time"], where)
                leave_s = _seconds(row["departure_time"], where)
                arrive_s = leave_s if arrive_s != arrive_s else arrive_s
                leave_s = arrive_s if leave_s != leave_s else leave_s
                number = row["stop_sequence"].strip()
                if not (number.isascii() and number.isdecimal() and len(number) < 10):
                    raise FormatError(f"{where}: stop_sequence is {quoted(number)}, not a number")
                own.append((int(number), row["stop_id"].strip(), arrive_s, leave_s))
            for rows in self._times.values():
                rows.sort()
        return self._times

    def frequencies(self) -> dict[str, list[tuple[float, float, float]]]:
        """Of each trip that is repeated: from when to when, and how often."""
        if self._every is None:
            self._every = {}
            columns = ("trip_id", "start_time", "end_time", "headway_secs")
            for k, row in enumerate(self.rows("frequencies", columns), start=2):
                where = f"{self.feed}: frequencies.txt, row {k}"
                try:
                    headway = float(row["headway_secs"])
                except ValueError:
                    headway = 0.0
                if not 1.0 <= headway < 1e6:
                    raise FormatError(f"{where}: headway_secs is {quoted(row['headway_secs'])}")
                first, last = (_seconds(row[c], where) for c in ("start_time", "end_time"))
                self._every.setdefault(row["trip_id"], []).append((first, last, headway))
        return self._every


def _texts(feed: Path) -> dict[str, str]:
    if feed.is_dir():
        return {
            name: read_text(feed / f"{name}.txt")
            for name in _TABLES
            if name in _NEEDED or (feed / f"{name}.txt").is_file()
        }
    try:
        held = read_members(feed, [f"{name}.txt" for name in _TABLES])
        texts = {name.removesuffix(".txt"): raw.decode("utf-8-sig") for name, raw in held.items()}
    except FileNotFoundError:
        raise FormatError(f"{shortened(feed)}: there is no such file; check the path") from None
    except (BrokenArchiveError, UnicodeDecodeError) as error:
        raise FormatError(f"{feed} is no GTFS feed: {shortened(error)}") from None
    except OSError as error:
        raise StorageError(f"cannot read {feed}: {error.strerror or error}") from error
    for name in _NEEDED:
        if name not in texts:
            raise FormatError(f"{feed} holds no {name}.txt; a GTFS feed does")
    return texts


def _by_bus(kind: str) -> bool:
    kind = kind.strip()
    return kind in _BUS_LIKE or (kind.isdecimal() and int(kind[:6]) in _EXTENDED)


def _seconds(clock: str, where: str) -> float:
    """Seconds after midnight of `H:MM:SS`; `nan` for an empty cell."""
    clock = clock.strip()
    if not clock:
        return float("nan")
    parts = clock.split(":")
    if len(parts) != 3 or not all(p.isascii() and p.isdecimal() and len(p) < 4 for p in parts):
        raise FormatError(f"{where}: {quoted(clock)} is no time; write HH:MM:SS")
    hours, minutes, seconds = map(int, parts)
    return 3600.0 * hours + 60.0 * minutes + seconds


def _trip(
    route: str, row: dict[str, str], times: list[tuple[int, str, float, float]]
) -> FeedTrip | None:
    """A trip with times at all stops; None if it has none, or fewer than two stops."""
    if not _timed(times):
        return None
    timed = [k for k, one in enumerate(times) if one[2] == one[2]]
    arrive = [one[2] for one in times]
    leave = [one[3] for one in times]
    # Between stops with times the feed leaves open, they are spread evenly.
    for a, b in pairwise(timed):
        for k in range(a + 1, b):
            arrive[k] = leave[k] = leave[a] + (arrive[b] - leave[a]) * (k - a) / (b - a)
    return FeedTrip(
        route,
        (row.get("direction_id") or "").strip(),
        (row.get("block_id") or "").strip(),
        tuple(one[1] for one in times),
        tuple(arrive),
        tuple(leave),
    )


def _repeated(trip: FeedTrip | None, every: list[tuple[float, float, float]]) -> Iterator[FeedTrip]:
    """A trip, or its repetitions where the feed only says how often it runs."""
    if trip is None:
        return
    if not every:
        yield trip
        return
    for first_s, last_s, headway_s in every:
        at_s = first_s
        while at_s < last_s:
            shift_s = at_s - trip.leave_s[0]
            yield FeedTrip(
                trip.route,
                trip.direction,
                "",
                trip.stops,
                tuple(t + shift_s for t in trip.arrive_s),
                tuple(t + shift_s for t in trip.leave_s),
            )
            at_s += headway_s


def _date(text: str) -> date | None:
    text = text.strip()
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:])) if len(text) == 8 else None
    except ValueError:
        return None


def _services(tables: _Tables, day: date) -> set[str]:
    """Ids of the services that run on a day."""
    active = set()
    for row in tables.rows("calendar", ("service_id", "start_date", "end_date", *_WEEK)):
        first, last = _date(row["start_date"]), _date(row["end_date"])
        if first and last and first <= day <= last and row[_WEEK[day.weekday()]].strip() == "1":
            active.add(row["service_id"])
    for row in tables.rows("calendar_dates", ("service_id", "date", "exception_type")):
        if _date(row["date"]) == day:
            change = active.add if row["exception_type"].strip() == "1" else active.discard
            change(row["service_id"])
    return active


def _chosen(tables: _Tables, per_service: Counter[str], day: str | date | None) -> date:
    """The day that is asked for."""
    if isinstance(day, date):
        return day
    if day is not None and day.lower() not in _WEEK:
        try:
            return date.fromisoformat(day)
        except ValueError:
            raise InputError(
                f"day is {quoted(day)}; give a date (YYYY-MM-DD) or one of {', '.join(_WEEK)}"
            ) from None
    wanted = set(range(5)) if day is None else {_WEEK.index(day.lower())}
    count = _trips_by_day(tables, per_service)
    there = {d: n for d, n in count.items() if d.weekday() in wanted and n}
    if not there and day is None:
        there = {d: n for d, n in count.items() if n}
    if not there:
        raise InputError(
            f"{shortened(tables.feed)}: nothing runs on a {day or 'day'}; its calendar is empty"
        )
    return max(there, key=lambda d: (there[d], -d.toordinal()))


def _trips_by_day(tables: _Tables, per_service: Counter[str]) -> Counter[date]:
    """Trips on each day of the calendar, up to three years of it."""
    count: Counter[date] = Counter()
    for row in tables.rows("calendar", ("service_id", "start_date", "end_date", *_WEEK)):
        first, last = _date(row["start_date"]), _date(row["end_date"])
        if first is None or last is None:
            continue
        runs = [row[name].strip() == "1" for name in _WEEK]
        for k in range(min((last - first).days + 1, _MOST_DAYS)):
            day = first + timedelta(days=k)
            if runs[day.weekday()]:
                count[day] += per_service[row["service_id"]]
    for row in tables.rows("calendar_dates", ("service_id", "date", "exception_type")):
        day_of = _date(row["date"])
        if day_of is not None:
            sign = 1 if row["exception_type"].strip() == "1" else -1
            count[day_of] += sign * per_service[row["service_id"]]
    return count
