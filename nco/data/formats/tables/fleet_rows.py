"""Rows of a table of vehicles, each cell read."""

from __future__ import annotations

import datetime as dt
import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from nco.data.formats.drawn import PROFILE_WORDS
from nco.data.formats.rows import Rows
from nco.data.formats.tables import cells as read
from nco.data.formats.tables.clock import (
    Calendar,
    Moment,
    Window,
    duration_s,
    is_any,
    moment,
    windows,
)
from nco.data.formats.tables.faults import CellFault, Faults
from nco.data.formats.tables.row_reader import RowReader
from nco.data.formats.tables.titles import FLEET, STOPS, columns_of, name_of
from nco.errors import FormatError, ProblemError, listed, quoted
from nco.problem import Break, Rest, Vehicle

logger = logging.getLogger("nco")
COSTS = ("fixed_cost", "cost_per_km", "cost_per_hour", "cost_per_overtime_hour")
_OPEN = frozenset({"any", "open", "anywhere", "free"})
_MOST_SPEED = 5.0
_MOST_VEHICLES = 100_000
_HOUR_S, _KM_M = 3600.0, 1000.0


@dataclass(frozen=True)
class FleetRow:
    """What a row says of vehicles.

    Attributes:
        line: number of the row.
        count: how many there are of it.
        ends: names of the depots where it starts and ends; None for an open end.
        reloads: names of depots where it may load again; none for its own.
        vehicle: all else, of the depot 0.
        profile: of the streets that it uses, "" for that of the city.
    """

    line: int
    count: int
    ends: tuple[str | None, str | None]
    reloads: tuple[str, ...]
    vehicle: Vehicle
    profile: str = ""


class _Break(NamedTuple):
    """When a break begins, and how long it is."""

    window: Window
    length_s: float


class _Times(NamedTuple):
    """What a row says of times, before it is known what they count."""

    shift: Window
    breaks: list[_Break]
    overtime: Moment | None


class FleetReader(RowReader):
    """Reads the rows of a table of vehicles."""

    def __init__(self, path: str | Path, table: Rows, first_day: dt.date | None) -> None:
        faults = Faults(path, table.word, table.head, skippable=False)
        columns = columns_of(table.header, FLEET, faults)
        super().__init__(table, columns, faults)
        self._path = path
        self.capacities = columns.numbered("capacity", faults)
        if "shift" in columns and ("shift_start" in columns or "shift_end" in columns):
            faults.about_titles("use either 'shift' or 'shift_start', 'shift_end'")
        if "depot" in columns and ("start" in columns or "end" in columns):
            faults.about_titles("use either 'depot' or 'start', 'end'")
        if {"lat", "lon"} <= {name_of(title, STOPS) for title in columns.others}:
            faults.about_titles("there are lat and lon, so this is a table of stops; give vehicles")
        if not columns.at:
            faults.about_titles(
                f"no column is known; the titles are {listed(table.header)}. Give name, start, "
                "end, capacity, shift_start, shift_end or others of docs/tables.md"
            )
        faults.raise_titles()
        self.calendar = Calendar(first=first_day)
        self._count_numbers((*self.capacities, *COSTS, "speed"))

    def rows(self) -> tuple[FleetRow, ...]:
        """All rows.

        Raises:
            FormatError: something is wrong with them; all faults are in the message.
        """
        for line, text in self._table.bad:
            self.faults.about(line, "", text)
        times = {}
        for line, row in self._table.rows:
            self._turn_to(line, row)
            times[line] = self._times()
            self.calendar.note(times[line].overtime)
            for given in (times[line].shift, *(own.window for own in times[line].breaks)):
                self.calendar.note(given[0])
                self.calendar.note(given[1])
        self.calendar.settle()
        rows = []
        for line, row in self._table.rows:
            self._turn_to(line, row)
            found = self._vehicles(times[line])
            rows += [found] if found else []
        self._check_names(rows)
        self.faults.raise_rows()
        if not rows:
            raise FormatError(f"{self._path}: there is a header but no vehicle; add a row for each")
        if sum(row.count for row in rows) > _MOST_VEHICLES:
            raise FormatError(f"{self._path} has more than {_MOST_VEHICLES} vehicles; give fewer")
        self._tell()
        return tuple(rows)

    @property
    def priced(self) -> tuple[str, ...]:
        """Columns of costs that there are."""
        return tuple(name for name in COSTS if name in self.columns)

    def _length(self, name: str, empty: float) -> float:
        return self._take(name, partial(self._seconds, name), empty)

    def _seconds(self, name: str, text: str) -> float:
        unit = self.columns.units.get(name)
        return duration_s(self._of_day(text) if unit is None else text, unit)

    def _vehicles(self, times: _Times) -> FleetRow | None:
        known = len(self.faults.rows.get(self._line, ()))
        capacity = tuple(self._number(name, math.inf) for name in self.capacities)
        begin, finish = self._resolved(times.shift, "shift")
        overtime = self._resolved((times.overtime, None), "overtime_after")[0]
        priced = bool(self.priced)
        given: dict[str, Any] = {
            "name": self._name(),
            "capacity": capacity,
            "shift_s": (begin, finish),
            "fixed_cost": self._number("fixed_cost", 0.0),
            "cost_per_m": self._number("cost_per_km", 0.0) / _KM_M if priced else 1.0,
            "cost_per_s": self._number("cost_per_hour", 0.0) / _HOUR_S if priced else 1.0,
            "max_trips": self._take("trips", lambda text: read.whole(text, low=1), 1),
            "max_duration_s": self._length("max_duration", math.inf),
            "max_driving_s": self._length("max_driving", math.inf),
            "loading_s": self._length("loading", 0.0),
            "unloading_s": self._length("unloading", 0.0),
            "max_distance_m": self._take("max_distance", self._metres, math.inf),
            "max_stops": self._take("max_stops", lambda text: read.whole(text, low=1), None),
            "breaks": [
                Break(window_s=self._resolved(own.window, "break"), length_s=own.length_s)
                for own in times.breaks
            ],
            "rest": self._rest(),
            "overtime_after_s": math.inf if times.overtime is None else overtime,
            "cost_per_overtime_s": self._number("cost_per_overtime_hour", 0.0) / _HOUR_S,
            "skills": frozenset(read.words(self._text("skills"))),
            "speed": self._take("speed", self._speed, 1.0),
            "details": self._details(),
        }
        count = self._take("count", lambda text: read.whole(text, low=1), 1)
        profile = self._take("profile", _profile, "")
        if len(self.faults.rows.get(self._line, ())) > known:
            return None
        try:
            vehicle = Vehicle(**given)
        except ProblemError as error:
            self.faults.about(self._line, "", str(error))
            return None
        again = (name.strip() for name in self._text("reload_at").split(";"))
        reloads = tuple(dict.fromkeys(name for name in again if name))
        return FleetRow(self._line, count, self._ends(), reloads, vehicle, profile)

    def _details(self) -> dict[str, str]:
        """What else the row has, and the driver of a vehicle with a name of its own."""
        found = {"driver": self._text("driver")} if self._text("name") else {}
        found |= {title: self._row[k].strip() for title, k in self.columns.others.items()}
        return {title: text for title, text in found.items() if text}

    def _name(self) -> str:
        named = self._text("name") or self._text("driver")
        return named or f"vehicle {self._line - self._table.head}"

    def _ends(self) -> tuple[str | None, str | None]:
        """Depots by name, "" for the first one, None for an open end."""
        if "depot" in self.columns:
            depot = self._text("depot")
            return depot, depot
        found: list[str | None] = []
        for name in ("start", "end"):
            text = self._text(name)
            is_open = name in self.columns and (read.is_empty(text) or text.casefold() in _OPEN)
            found.append(None if is_open else text)
        start, end = found
        if "end" not in self.columns:
            end = start or ""
        if "start" not in self.columns:
            start = end or ""
        return start, end

    def _shift(self) -> Window:
        if "shift" in self.columns:
            none: list[Window] = []
            given = self._take("shift", windows, none)
            if len(given) > 1:
                self._fault("shift", f"has {len(given)} parts; give one, or a row for each")
            return given[0] if given else (None, None)
        return self._moment("shift_start", late=False), self._moment("shift_end", late=True)

    def _moment(self, name: str, *, late: bool) -> Moment | None:
        return self._take(name, partial(self._any_moment, late=late), None)

    def _any_moment(self, text: str, *, late: bool = False) -> Moment | None:
        return None if is_any(text) else moment(self._of_day(text), late=late)

    def _times(self) -> _Times:
        return _Times(self._shift(), self._breaks(), self._moment("overtime_after", late=False))

    def _breaks(self) -> list[_Break]:
        """Breaks of three cells, each with one entry or several."""
        names = ("break_start", "break_end", "break_length")
        cells = [[c.strip() for c in self._text(name).split(";")] for name in names]
        most = max(map(len, cells))
        cells = [own * most if len(own) == 1 else own for own in cells]
        if any(len(own) != most for own in cells):
            self._fault("break_length", "has another number of entries than the other columns")
            return []
        found = []
        for start, end, length in zip(*cells, strict=True):
            if not (start or end or length):
                continue
            window = (
                self._parsed("break_start", start, self._any_moment, None),
                self._parsed("break_end", end, self._any_moment, None),
            )
            if read.is_empty(length):
                self._fault("break_length", "is empty; say how long the break is, such as 30 min")
                continue
            parse = partial(self._seconds, "break_length")
            seconds = self._parsed("break_length", length, parse, None)
            if seconds is not None:
                found.append(_Break(window, seconds))
        return found

    def _rest(self) -> Rest | None:
        after, length = self._length("rest_after", math.inf), self._length("rest_length", 0.0)
        given = [not read.is_empty(self._text(name)) for name in ("rest_after", "rest_length")]
        if all(given):
            return Rest(after_driving_s=after, length_s=length)
        if any(given):
            self._fault("rest_length", "and rest_after go together; give both")
        return None

    def _resolved(self, window: Window, name: str) -> tuple[float, float]:
        """Seconds of a shift, or of when a break begins."""
        title = name if name in self.columns else f"{name}_end"
        try:
            begin, finish = (
                empty if given is None else self.calendar.seconds(given)
                for given, empty in zip(window, (0.0, math.inf), strict=True)
            )
        except CellFault as fault:
            self._fault(title, str(fault))
            return 0.0, math.inf
        if finish < begin:
            self._fault(title, "ends before it begins; after midnight, count on (26:00)")
            return 0.0, math.inf
        return begin, finish

    def _metres(self, text: str) -> float:
        return _metres(text, self.columns.units.get("max_distance"), commas=self._commas)

    def _speed(self, text: str) -> float:
        value = read.number(text, commas=self._commas)
        if not 0 < value <= _MOST_SPEED:
            raise CellFault(
                f"is {quoted(text)}; it is a factor, 1 as fast as the streets say, 0.8 a fifth "
                "slower"
            )
        return value

    def _check_names(self, rows: Sequence[FleetRow]) -> None:
        used: dict[str, int] = {}
        for row in rows:
            name = row.vehicle.name
            if name in used:
                text = f"{quoted(name)} is used in {self.faults.word} {used[name]} already"
                title = self.columns.title("name")
                self.faults.about(row.line, title, f"{text}; rename one, or use a column count")
            used.setdefault(name, row.line)

    def _tell(self) -> None:
        if self.columns.others:
            names = listed(self.columns.others)
            logger.info(
                "%s: columns that nothing is planned with go into the outputs as they are: %s",
                self._path,
                names,
            )
        priced = self.priced
        if priced and "cost_per_km" not in priced:
            logger.warning(
                "%s: there is %s but no cost_per_km, so a kilometre costs nothing",
                self._path,
                " and ".join(priced),
            )
        if hint := self.calendar.hint():
            logger.warning("%s: %s", self._path, hint)


def _metres(text: str, unit: float | None, *, commas: bool) -> float:
    """A distance: `120 km`, `5000 m`, or a number in a unit."""
    folded = text.strip().casefold()
    for word, factor in (("km", _KM_M), ("miles", 1609.344), ("m", 1.0)):
        if folded.endswith(word):
            return read.number(folded.removesuffix(word), commas=commas) * factor
    value = read.number(text, commas=commas)
    if unit is None and value:
        raise CellFault(f"is {quoted(text)}; say the unit: {folded} km or {folded} m")
    return value * (unit or 1.0)


def _profile(text: str) -> str:
    found = PROFILE_WORDS.get(text.strip().casefold())
    if found is None:
        raise CellFault(f"is {quoted(text)}; use car, bicycle or foot, or leave it empty")
    return found
