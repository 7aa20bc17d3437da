"""Stops as CSV: `name,lon,lat,demand,window_start,window_end,service`.

- `name`, `lon`, `lat` are required, the other columns may be left out and cells be empty.
- `demand` (and `demand_2`, `demand_3`, ... for further dimensions): 0 if empty.
- `window_start`, `window_end`: seconds, `HH:MM` or `HH:MM:SS`; no limit if empty. A single column
  `window` with `08:00-12:00` does as well.
- `service`: seconds at the stop, 0 if empty. `prize`: cost of not serving it; required if empty.
- A row named `depot` is the depot. Columns without a name or with a `#` before it are skipped.

Where something else than commas separates cells, a decimal comma is understood. Titles may be in
upper case, and `longitude`, `lng`, `long` and `latitude` stand for `lon` and `lat`.
"""

from __future__ import annotations

import difflib
import math
import re
from pathlib import Path
from typing import NoReturn

import numpy as np

from nco.data.formats.csv_rows import Rows, read_rows, table_text
from nco.data.formats.stops import Stops
from nco.errors import FormatError, quoted, shortened
from nco.files import write_atomic
from nco.problem.times import Times, counted_by

_REQUIRED = ("name", "lon", "lat")
_OPTIONAL = ("demand", "window_start", "window_end", "window", "service", "prize")
_ALIKE = {"longitude": "lon", "lng": "lon", "long": "lon", "latitude": "lat"}
_CLOCK = re.compile(r"(\d{1,3}):([0-5]\d)(?::([0-5]\d(?:\.\d+)?))?")


def read_stops(path: str | Path) -> Stops:
    """Read a table of stops.

    Raises:
        FormatError: anything about the file is wrong; the message names the line, the column
            and the fix.
        StorageError: it cannot be read.
    """
    return stops_from(path, read_rows(path))


def stops_from(path: str | Path, table: Rows) -> Stops:
    """The stops in a table that was read already; see `read_stops`."""
    header, rows, delimiter = table
    columns = _columns(path, header)
    found = _Table(path, columns, decimal_comma=delimiter != ",")
    for line, cells in rows:
        found.add(line, cells)
    if not found.names:
        raise FormatError(f"{path}: there is a header but no stop; add one row for each")
    return found.stops()


def write_stops(path: str | Path, stops: Stops) -> Path:
    """Write a table of stops that reads back the same.

    Raises:
        StorageError: the file cannot be written; what stood there before is untouched.
    """
    dimensions = stops.demand.shape[1]
    demands = ["demand", *(f"demand_{k}" for k in range(2, dimensions + 1))][:dimensions]
    header = [*_REQUIRED, *demands, "window_start", "window_end", "service", "prize"]
    rows: list[list[object]] = []
    for k, name in enumerate(stops.names):
        cells = [_cell(float(number)) for number in (*stops.lonlat[k], *stops.demand[k])]
        cells += [_time_cell(float(time), stops.times) for time in stops.window_s[k]]
        cells += [_cell(float(number)) for number in (stops.service_s[k], stops.prize[k])]
        rows.append([name, *cells])
    return write_atomic(path, table_text(header, rows))


def _cell(number: float) -> str:
    """A number as short as it reads back, nothing for infinity."""
    if math.isinf(number):
        return ""
    return str(int(number)) if number == int(number) and abs(number) < 1e15 else repr(number)


def _time_cell(time_s: float, times: Times) -> str:
    """A time of day where that is what times are, and as long as it reads back."""
    plain = _cell(time_s)
    if times is not Times.CLOCK or not plain.isdigit() or time_s >= 1000 * 3600:
        return plain
    return times.at(time_s)


def _columns(path: str | Path, header: list[str]) -> dict[str, int]:
    """Where each known column stands."""
    where: dict[str, int] = {}
    for k, title in enumerate(header):
        name = _ALIKE.get(title.lower(), title.lower())
        if not name or name.startswith("#"):
            continue
        if name not in (*_REQUIRED, *_OPTIONAL) and not re.fullmatch(r"demand_[2-9]", name):
            close = difflib.get_close_matches(name, (*_REQUIRED, *_OPTIONAL), 1)
            hint = (
                f"did you mean {quoted(close[0])}?" if close else "put # before its name to skip it"
            )
            raise FormatError(
                f"{path}, line 1: column {k + 1} is named {quoted(title)}, which is not "
                f"known; {hint} "
                f"(columns: {', '.join((*_REQUIRED, *_OPTIONAL))})"
            )
        if name in where:
            raise FormatError(f"{path}, line 1: column {quoted(name)} is there twice; remove one")
        where[name] = k
    missing = [name for name in _REQUIRED if name not in where]
    if missing:
        raise FormatError(
            f"{path}, line 1: there is no column {quoted(missing[0])}; the header must have "
            f"{', '.join(_REQUIRED)} and may have {', '.join(_OPTIONAL)}"
        )
    if "window" in where and ("window_start" in where or "window_end" in where):
        raise FormatError(f"{path}, line 1: use either 'window' or 'window_start', 'window_end'")
    return where


class _Table:
    """Rows read so far, each cell checked as it comes."""

    def __init__(self, path: str | Path, columns: dict[str, int], *, decimal_comma: bool) -> None:
        self._path, self._columns, self._decimal_comma = path, columns, decimal_comma
        given = sorted(name for name in columns if name.startswith("demand"))
        wanted = ["demand", *(f"demand_{k}" for k in range(2, 10))][: len(given)]
        if given != wanted:
            raise FormatError(
                f"{path}, line 1: columns {', '.join(given)}; number them {', '.join(wanted)}"
            )
        self._demands = given
        self.names: dict[str, int] = {}
        self._clock = False  # whether a time of day was read
        self._rows: list[list[float]] = []

    def add(self, line: int, cells: list[str]) -> None:
        """Check one row and keep it."""
        name = cells[self._columns["name"]].strip()
        if not name:
            self._fail(line, "name", "is empty; every stop needs a name of its own")
        if name in self.names:
            self._fail(
                line,
                "name",
                f"{quoted(name)} is used in line {self.names[name]} already; rename one",
            )
        lon = self._number(line, cells, "lon", None, low=-math.inf)
        lat = self._number(line, cells, "lat", None, low=-math.inf)
        if abs(lat) > 90 or abs(lon) > 180:
            column, limit = ("lat", 90) if abs(lat) > 90 else ("lon", 180)
            swapped = abs(lat) > 90 and abs(lon) <= 90
            hint = "are lon and lat swapped?" if swapped else "give degrees"
            text = f"is {lat if column == 'lat' else lon:g}, beyond {limit} degrees; {hint}"
            self._fail(line, column, text)
        demand = [self._number(line, cells, column, 0.0) for column in self._demands]
        window = self._window(line, cells)
        service = self._number(line, cells, "service", 0.0)
        prize = self._number(line, cells, "prize", math.inf)
        self.names[name] = line
        self._rows.append([lon, lat, *window, service, prize, *demand])

    def stops(self) -> Stops:
        """The table as a whole."""
        values = np.array(self._rows)
        return Stops(
            names=tuple(self.names),
            lonlat=values[:, 0:2],
            window_s=values[:, 2:4],
            service_s=values[:, 4],
            prize=values[:, 5],
            demand=values[:, 6:],
            times=Times.CLOCK if self._clock else counted_by(values[:, 2:4]),
            places=tuple(f"{self._path}, line {line}" for line in self.names.values()),
        )

    def _window(self, line: int, cells: list[str]) -> tuple[float, float]:
        if "window" in self._columns:
            text = cells[self._columns["window"]].strip()
            start, dash, end = text.partition("-")
            if text and not dash:
                self._fail(
                    line, "window", f"is {quoted(text)}; write start-end, such as 08:00-12:00"
                )
            column = "window"
        else:
            start, end = (
                cells[self._columns[name]].strip() if name in self._columns else ""
                for name in ("window_start", "window_end")
            )
            column = "window_end"
        begin = self._time(line, column.replace("_end", "_start"), start.strip(), 0.0)
        finish = self._time(line, column, end.strip(), math.inf)
        if finish < begin:
            self._fail(
                line,
                column,
                f"is before window_start ({shortened(end)} < {shortened(start)}), so the window is "
                "empty; "
                "after midnight, count on (25:30)",
            )
        return begin, finish

    def _time(self, line: int, column: str, text: str, empty: float) -> float:
        """Seconds, from seconds or from a time of day."""
        clock = _CLOCK.fullmatch(text)
        if clock:
            self._clock = True
            hours, minutes, seconds = clock.groups()
            return 3600.0 * int(hours) + 60.0 * int(minutes) + float(seconds or 0)
        if ":" in text:
            self._fail(line, column, f"is {quoted(text)}; write HH:MM, HH:MM:SS or seconds")
        return self._value(line, column, text, empty, 0.0)

    def _number(
        self, line: int, cells: list[str], column: str, empty: float | None, low: float = 0.0
    ) -> float:
        text = cells[self._columns[column]].strip() if column in self._columns else ""
        return self._value(line, column, text, empty, low)

    def _value(self, line: int, column: str, text: str, empty: float | None, low: float) -> float:
        if not text:
            if empty is None:
                self._fail(line, column, "is empty; give a number")
            return empty
        if self._decimal_comma:
            text = text.replace(",", ".")
        try:
            value = float(text.replace("_", "?"))  # Python would accept 1_000
        except ValueError:
            self._fail(line, column, f"is {quoted(text)}; it must be a number")
        if not math.isfinite(value):
            self._fail(line, column, f"is {quoted(text)}; it must be a finite number")
        if value < low:
            self._fail(line, column, f"is {shortened(text)}; it must be {low:g} or more")
        return value

    def _fail(self, line: int, column: str, problem: str) -> NoReturn:
        raise FormatError(f"{self._path}, line {line}, column {quoted(column)} {problem}")
