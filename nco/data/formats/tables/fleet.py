"""A table of vehicles, a row for each or for several that are alike."""

from __future__ import annotations

import datetime as dt
import difflib
import logging
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from nco.data.formats.rows import Rows
from nco.data.formats.table_files import read_rows
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
from nco.data.formats.tables.titles import FLEET, Columns, columns_of
from nco.errors import FormatError, ProblemError, listed, quoted
from nco.problem import Objective, Vehicle

logger = logging.getLogger("nco")
SHEETS = ("fleet", "vehicles", "trucks", "vans", "drivers")
_OPEN = frozenset({"any", "open", "anywhere", "free"})
_COSTS = ("fixed_cost", "cost_per_km", "cost_per_hour")
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
        vehicle: all else, of the depot 0.
    """

    line: int
    count: int
    ends: tuple[str | None, str | None]
    vehicle: Vehicle


@dataclass(frozen=True)
class Fleet:
    """A table of vehicles, before it is known which depot is which node.

    Attributes:
        path: of the file.
        rows: as they stand in the table.
        capacities: columns of capacity.
        priced: columns of costs that there are.
        clock: whether shifts are times of day.
        faults: empty, for what is found out later.
    """

    path: str | Path
    rows: tuple[FleetRow, ...]
    capacities: int
    priced: tuple[str, ...]
    clock: bool
    columns: Columns
    faults: Faults

    def vehicles(self, depots: Sequence[str], dimensions: int) -> tuple[Vehicle, ...]:
        """Every single vehicle.

        Args:
            depots: names of the depots, by node.
            dimensions: of demand.

        Raises:
            FormatError: a start or an end is no depot, or capacities do not match the demand.
        """
        if self.capacities not in (0, dimensions):
            raise FormatError(
                f"{self.path}: there are {self.capacities} columns of capacity, but the stops have "
                f"{dimensions} of demand; give one of each for each kind of goods"
            )
        node = {name.casefold(): k for k, name in enumerate(depots)}
        made: list[Vehicle] = []
        for row in self.rows:
            start = self._node(row.line, "start", row.ends[0], node, depots)
            end = self._node(row.line, "end", row.ends[1], node, depots)
            vehicle = row.vehicle
            if not self.capacities:
                vehicle = replace(vehicle, capacity=(math.inf,) * dimensions)
            if vehicle.max_trips > 1 and start != end and None not in (start, end):
                text = f"is {vehicle.max_trips}; a vehicle of several trips starts where it ends"
                self.faults.about(row.line, self.columns.title("trips"), text)
                continue
            home = next((n for n in (start, end) if n is not None), 0)
            vehicle = replace(
                vehicle,
                start=home if start is None else start,
                end=home if end is None else end,
                open_start=start is None,
                open_end=end is None,
            )
            made += [vehicle] if row.count == 1 else [
                replace(vehicle, name=f"{vehicle.name} {k + 1}") for k in range(row.count)
            ]  # fmt: skip
        self.faults.raise_rows()
        return tuple(made)

    def objective(self) -> Objective | None:
        """What prices say is to be minimised; None where there are none."""
        if not self.priced:
            return None
        return Objective(distance=1.0, duration=1.0 if "cost_per_hour" in self.priced else 0.0)

    def _node(
        self, line: int, side: str, name: str | None, node: dict[str, int], depots: Sequence[str]
    ) -> int | None:
        """The depot of a name, None for an open end."""
        if name is None:
            return None
        if not name:
            return 0
        found = node.get(name.casefold())
        if found is None:
            close = difflib.get_close_matches(name.casefold(), node, 1)
            hint = f"did you mean {quoted(depots[node[close[0]]])}? " if close else ""
            title = self.columns.title(side if side in self.columns else "depot")
            self.faults.about(
                line,
                title,
                f"is {quoted(name)}, which is no depot of the stops ({listed(depots)}); {hint}"
                "Depots are rows of the kind depot; any is an open end",
            )
            return 0
        return found


def read_fleet(path: str | Path, first_day: dt.date | None = None) -> Fleet:
    """Read a table of vehicles.

    Args:
        path: of a CSV, TSV, XLSX or ODS file.
        first_day: the day from whose midnight times of the stops count.

    Raises:
        FormatError: anything about it is wrong; all faults are in the message.
        StorageError: it cannot be read.
    """
    table = read_rows(path, SHEETS)
    reader = _Reader(path, table, first_day)
    return reader.fleet()


class _Reader:
    """Reads the rows of a table of vehicles."""

    def __init__(self, path: str | Path, table: Rows, first_day: dt.date | None) -> None:
        self._faults = faults = Faults(path, table.word, table.head, skippable=False)
        self._table, self._path = table, path
        self._columns = columns = columns_of(table.header, FLEET, faults)
        self._capacities = columns.numbered("capacity", faults)
        if "shift" in columns and ("shift_start" in columns or "shift_end" in columns):
            faults.about_titles("use either 'shift' or 'shift_start', 'shift_end'")
        if "depot" in columns and ("start" in columns or "end" in columns):
            faults.about_titles("use either 'depot' or 'start', 'end'")
        if not columns.at:
            faults.about_titles(
                f"no column is known; the titles are {listed(table.header)}. Give name, start, "
                "end, capacity, shift_start, shift_end or others of docs/tables.md"
            )
        faults.raise_titles()
        self._calendar = Calendar(first=first_day)
        self._row: list[str] = []
        self._line = 0
        numeric = (*self._capacities, *_COSTS, "speed")
        at = [columns.at[name] for name in numeric if name in columns]
        self._commas = read.commas_are_points(
            (row[k] for _, row in table.rows for k in at), allowed=table.delimiter != ","
        )

    def fleet(self) -> Fleet:
        """All rows."""
        for line, text in self._table.bad:
            self._faults.about(line, "", text)
        shifts = {}
        for line, row in self._table.rows:
            self._row, self._line = row, line
            shifts[line] = self._shift()
            for given in shifts[line]:
                self._calendar.note(given)
        self._calendar.settle()
        rows = []
        for line, row in self._table.rows:
            self._row, self._line = row, line
            found = self._vehicles(shifts[line])
            rows += [found] if found else []
        self._check_names(rows)
        self._faults.raise_rows()
        if not rows:
            raise FormatError(f"{self._path}: there is a header but no vehicle; add a row for each")
        if sum(row.count for row in rows) > _MOST_VEHICLES:
            raise FormatError(f"{self._path} has more than {_MOST_VEHICLES} vehicles; give fewer")
        priced = tuple(name for name in _COSTS if name in self._columns)
        self._tell(priced)
        return Fleet(
            self._path,
            tuple(rows),
            len(self._capacities),
            priced,
            self._calendar.clock,
            self._columns,
            self._faults,
        )

    def _text(self, name: str) -> str:
        k = self._columns.at.get(name)
        return "" if k is None else self._row[k].strip()

    def _take[T](self, name: str, parse: Callable[[str], T], empty: T) -> T:
        text = self._text(name)
        if read.is_empty(text):
            return empty
        try:
            return parse(text)
        except CellFault as fault:
            self._faults.about(self._line, self._columns.title(name), str(fault))
            return empty

    def _number(self, name: str, empty: float) -> float:
        return self._take(name, lambda text: read.number(text, commas=self._commas), empty)

    def _length(self, name: str, empty: float) -> float:
        unit = self._columns.units.get(name)
        return self._take(name, lambda text: duration_s(text, unit), empty)

    def _vehicles(self, shift: Window) -> FleetRow | None:
        known = len(self._faults.rows.get(self._line, ()))
        capacity = tuple(self._number(name, math.inf) for name in self._capacities)
        begin, finish = self._resolved(shift)
        priced = any(name in self._columns for name in _COSTS)
        given = {
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
            "skills": frozenset(read.words(self._text("skills"))),
            "speed": self._take("speed", self._speed, 1.0),
        }
        count = self._take("count", lambda text: read.whole(text, low=1), 1)
        if len(self._faults.rows.get(self._line, ())) > known or finish < begin:
            return None
        try:
            vehicle = Vehicle(**given)  # type: ignore[arg-type]
        except ProblemError as error:
            self._faults.about(self._line, "", str(error))
            return None
        return FleetRow(self._line, count, self._ends(), vehicle)

    def _name(self) -> str:
        named = self._text("name") or self._text("driver")
        return named or f"vehicle {self._line - self._table.head}"

    def _ends(self) -> tuple[str | None, str | None]:
        """Depots by name, "" for the first one, None for an open end."""
        if "depot" in self._columns:
            depot = self._text("depot")
            return depot, depot
        found: list[str | None] = []
        for name in ("start", "end"):
            text = self._text(name)
            is_open = name in self._columns and (read.is_empty(text) or text.casefold() in _OPEN)
            found.append(None if is_open else text)
        start, end = found
        if "end" not in self._columns:
            end = start or ""
        if "start" not in self._columns:
            start = end or ""
        return start, end

    def _shift(self) -> Window:
        if "shift" in self._columns:
            none: list[Window] = []
            given = self._take("shift", windows, none)
            if len(given) > 1:
                text = f"has {len(given)} parts; give one, or a row for each"
                self._faults.about(self._line, self._columns.title("shift"), text)
            return given[0] if given else (None, None)
        return self._moment("shift_start", late=False), self._moment("shift_end", late=True)

    def _moment(self, name: str, *, late: bool) -> Moment | None:
        def parse(text: str) -> Moment | None:
            return None if is_any(text) else moment(text, late=late)

        return self._take(name, parse, None)

    def _resolved(self, shift: Window) -> tuple[float, float]:
        """Seconds of a shift."""
        title = "shift" if "shift" in self._columns else "shift_end"
        try:
            begin, finish = (
                empty if given is None else self._calendar.seconds(given)
                for given, empty in zip(shift, (0.0, math.inf), strict=True)
            )
        except CellFault as fault:
            self._faults.about(self._line, self._columns.title(title), str(fault))
            return 0.0, math.inf
        if finish < begin:
            self._faults.about(
                self._line,
                self._columns.title(title),
                "ends before it begins; after midnight, count on (26:00)",
            )
        return begin, finish

    def _metres(self, text: str) -> float:
        return _metres(text, self._columns.units.get("max_distance"), commas=self._commas)

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
                text = f"{quoted(name)} is used in {self._faults.word} {used[name]} already"
                title = self._columns.title("name")
                self._faults.about(row.line, title, f"{text}; rename one, or use a column count")
            used.setdefault(name, row.line)

    def _tell(self, priced: tuple[str, ...]) -> None:
        if self._columns.others:
            names = listed(self._columns.others)
            logger.info("%s: columns that nothing is planned with: %s", self._path, names)
        if priced and "cost_per_km" not in priced:
            logger.warning(
                "%s: there is %s but no cost_per_km, so a kilometre costs nothing",
                self._path,
                " and ".join(priced),
            )
        if hint := self._calendar.hint():
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
