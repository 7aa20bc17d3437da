"""Rows of a table of stops, each cell read on its own."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from nco.data.formats.rows import Rows
from nco.data.formats.tables import cells as read
from nco.data.formats.tables.clock import (
    Day,
    Moment,
    Window,
    date_of,
    duration_s,
    is_any,
    is_length,
    is_number,
    moment,
    windows,
)
from nco.data.formats.tables.faults import CellFault, Faults
from nco.data.formats.tables.row_reader import RowReader
from nco.data.formats.tables.titles import FLEET, STOPS, WORDS, columns_of, mostly
from nco.errors import counted, listed, option, quoted

DEPOT, STOP, PICKUP, DELIVERY = "depot", "stop", "pickup", "delivery"
_KINDS = {
    **dict.fromkeys(("depot", "warehouse", "hub", "base", "terminal"), DEPOT),
    **dict.fromkeys(("stop", "customer", "client", "job", "visit", "service"), STOP),
    **dict.fromkeys(("pickup", "pick-up", "pick up", "collection", "collect"), PICKUP),
    **dict.fromkeys(("delivery", "deliver", "drop", "dropoff", "drop-off"), DELIVERY),
}
_PLACED: tuple[tuple[str, ...], ...] = (("lat", "lon"), ("lat_lon",))
_ADDRESSES = ("address", "street", "postcode")
_PAIR = re.compile(r"\s*[(\[]?\s*([+-]?\d+(?:\.\d+)?)\s*[,; ]\s*([+-]?\d+(?:\.\d+)?)\s*[)\]]?\s*")
_WIDEST_DEGREES = 1000.0  # beyond, a coordinate is surely in metres
_HOUR_S = 3600.0
SHORT_S, LONG_S = 120.0, 8 * 3600.0  # service outside is most likely in another unit


@dataclass
class StopRow:
    """What a row says, before rows are looked at together.

    Attributes:
        line: number of the row.
        name: "" if there is none.
        kind: depot, stop, pickup or delivery.
        lonlat: degrees; None where only an address is given.
        soft: when service should begin.
        per_s: cost of a second before that, and after it.
        same: word that stops for one vehicle share.
        apart: word that stops for different vehicles share.
        ahead_of: names of rows that are served later by the same vehicle.
        details: texts by title: address, phone, columns that are not known.
    """

    line: int
    name: str
    kind: str
    lonlat: tuple[float, float] | None
    demand: list[float]
    pickup: list[float]
    windows: list[Window]
    service_s: float
    setup_s: float
    prize: float
    release: Moment | None
    skills: frozenset[str]
    group: str
    vehicles: tuple[str, ...]
    pickup_of: str
    delivery_of: str
    day: Day | None
    priority: float = 0.0
    soft: Window = (None, None)
    per_s: tuple[float, float] = (0.0, 0.0)
    same: str = ""
    apart: str = ""
    ahead_of: str = ""
    details: dict[str, str] = field(default_factory=dict)


class StopReader(RowReader):
    """Reads the rows of one table.

    Args:
        table: the rows.
        faults: where to say what is wrong.
    """

    def __init__(self, table: Rows, faults: Faults) -> None:
        super().__init__(table, columns_of(table.header, STOPS, faults), faults)
        self._forget_other_types(table)
        self._check_titles(table)
        self.demands = self.columns.numbered("demand", faults)
        self.pickups = self.columns.numbered("pickup", faults)
        self._ranges = self.columns.numbered("window", faults)
        begins = self.columns.numbered("window_start", faults)
        ends = self.columns.numbered("window_end", faults)
        self._hours = [
            tuple(f"{name}{number}" for name in ("window_start", "window_end"))
            for number in ("", *(f"_{k}" for k in range(2, 10)))
        ][: max(len(begins), len(ends))]
        faults.raise_titles()
        costs = ("prize", "early_cost_per_hour", "late_cost_per_hour")
        self._count_numbers(("lat", "lon", *costs, *self.demands, *self.pickups))
        self._units = {name: self._unit(name, table) for name in ("service", "setup")}

    def read(self, line: int, row: list[str]) -> StopRow:
        """One row; what is wrong with it goes to the faults."""
        self._turn_to(line, row)
        return StopRow(
            line=line,
            name=self._text("name"),
            kind=self._take("kind", _kind, STOP),
            lonlat=self._lonlat(),
            demand=[self._take(name, self._demand, 0.0) for name in self.demands],
            pickup=[self._number(name, 0.0) for name in self.pickups],
            windows=self._windows(),
            service_s=self._length("service"),
            setup_s=self._length("setup"),
            prize=self._prize(),
            release=self._take("release", self._moment, None),
            skills=frozenset(read.words(self._text("skills"))),
            group=self._text("group"),
            vehicles=read.words(self._text("allowed_vehicles")),
            pickup_of=self._text("pickup_of"),
            delivery_of=self._text("delivery_of"),
            day=self._take("date", date_of, None),
            priority=self._take("priority", lambda text: read.whole(text, most=100), 0),
            soft=self._soft(),
            per_s=(self._per_s("early_cost_per_hour"), self._per_s("late_cost_per_hour")),
            same=self._text("same_vehicle"),
            apart=self._text("different_vehicles"),
            ahead_of=self._text("visit_before"),
            details=self._details(),
        )

    def _demand(self, text: str) -> float:
        try:
            return read.number(text, commas=self._commas)
        except CellFault as fault:
            if not text.strip().startswith("-"):
                raise
            raise CellFault(f"{fault}; what is taken away goes into a column pickup") from None

    def _lonlat(self) -> tuple[float, float] | None:
        """Where a row is; None where that is not known, or only by its address."""
        way = _PLACED["lat_lon" in self.columns]
        names = tuple(name for name in way if name in self.columns)
        empty = [name for name in names if read.is_empty(self._text(name))]
        if empty or not names:
            self._check_address(empty, half=0 < len(empty) < len(names))
            return None
        if names == ("lat_lon",):
            return self._take("lat_lon", _pair, None)
        before = len(self.faults.rows.get(self._line, ()))
        lat, lon = (self._number(name, 0.0, low=-math.inf) for name in ("lat", "lon"))
        wrong = len(self.faults.rows.get(self._line, ())) > before
        return None if wrong else self._checked(lon, lat)

    def _checked(self, lon: float, lat: float) -> tuple[float, float] | None:
        for name, value, limit in (("lat", lat, 90), ("lon", lon, 180)):
            if abs(value) > limit:
                swapped = name == "lat" and abs(lon) <= 90 and abs(lat) <= 180
                hint = "are lon and lat swapped?" if swapped else "give degrees"
                if abs(value) > _WIDEST_DEGREES:
                    hint = "metres of a map projection must be converted to degrees (WGS 84)"
                self._fault(name, f"is {value:.10g}, beyond {limit} degrees; {hint}")
                return None
        return lon, lat

    def _check_address(self, empty: Sequence[str], *, half: bool) -> None:
        """Note cells that are empty, where there is no address in their place."""
        if half or not any(self._text(name) for name in _ADDRESSES):
            for name in empty:
                self._fault(name, "is empty; give a number")
            if not empty:
                self.faults.about(self._line, "", "there is no address; give one")

    def _moment(self, text: str) -> Moment:
        return moment(self._of_day(text))

    def _windows(self) -> list[Window]:
        none: list[Window] = []
        found = [w for name in self._ranges for w in self._take(name, windows, none)]
        return found + [w for begin, end in self._hours for w in self._pairs(begin, end)]

    def _soft(self) -> Window:
        """When service should begin; costs must say what else is worth."""
        found = (
            self._time("soft_start", self._text("soft_start"), late=False),
            self._time("soft_end", self._text("soft_end"), late=True),
        )
        for side, name in (("soft_start", "early"), ("soft_end", "late")):
            given = f"{name}_cost_per_hour"
            if not is_any(self._text(side)) and not self._per_s(given):
                self._fault(side, f"says what should be; say in {given} what an hour costs")
        return found

    def _per_s(self, name: str) -> float:
        return self._number(name, 0.0) / _HOUR_S

    def _pairs(self, begin: str, end: str) -> list[Window]:
        """Windows of two cells, each with one time or several."""
        starts, ends = (
            [] if is_any(self._text(name)) else self._text(name).split(";") for name in (begin, end)
        )
        starts, ends = starts or [""] * len(ends), ends or [""] * len(starts)
        if len(starts) != len(ends):
            self._fault(end, f"has {counted(len(ends), 'time')} for {len(starts)} beginnings")
            return []
        return [
            (self._time(begin, a, late=False), self._time(end, b, late=True))
            for a, b in zip(starts, ends, strict=True)
        ]

    def _time(self, name: str, text: str, *, late: bool) -> Moment | None:
        if is_any(text):
            return None
        return self._parsed(name, text, lambda part: moment(self._of_day(part), late=late), None)

    def _length(self, name: str) -> float:
        told = name in self.columns.units

        def parse(text: str) -> float:
            return duration_s(text if told else self._of_day(text), self._units[name])

        return self._take(name, parse, 0.0)

    def _prize(self) -> float:
        prize = self._number("prize", math.inf)
        required = self._take("required", read.yes, None)
        if required:
            return math.inf
        if required is False and math.isinf(prize):
            self._fault("required", "is no; say what leaving the stop out costs in a column prize")
        return prize

    def _details(self) -> dict[str, str]:
        found = {name: self._text(name) for name in (*WORDS, "date")}
        found |= {title: self._row[k].strip() for title, k in self.columns.others.items()}
        return {title: text for title, text in found.items() if text}

    def _unit(self, name: str, table: Rows) -> float | None:
        """Seconds that a number counts; None where other cells have units of their own."""
        k = self.columns.at.get(name)
        if k is None or name in self.columns.units:
            return self.columns.units.get(name, 1.0)
        cells = [row[k] for _, row in table.rows if not read.is_empty(row[k])]
        return 1.0 if all(map(is_number, cells)) or not any(map(is_length, cells)) else None

    def _forget_other_types(self, table: Rows) -> None:
        """A column `type` of other things than kinds of stops is one that is not known."""
        k = self.columns.at.get("kind")
        if k is None or any(row[k].strip().casefold() in _KINDS for _, row in table.rows):
            return
        del self.columns.at["kind"]
        self.columns.others[self.columns.titles.pop("kind")] = k

    def _check_titles(self, table: Rows) -> None:
        columns, faults = self.columns, self.faults
        given = [way for way in _PLACED if any(name in columns for name in way)]
        vans = not given and mostly(table.header, FLEET)
        if len(given) > 1:
            faults.about_titles(
                f"use either {quoted(columns.title('lat_lon'))} or columns for lat and lon"
            )
        elif given or not any(name in columns for name in _ADDRESSES):
            for name in given[0] if given else _PLACED[0]:
                if name not in columns:
                    faults.about_titles(
                        f"there is no column {quoted(name)}; give each stop lat and lon in "
                        f"degrees (the titles are {listed(table.header)})"
                        + (f"; a table of vehicles goes to {option('fleet')}" if vans else "")
                    )
        if "window" in columns and ("window_start" in columns or "window_end" in columns):
            faults.about_titles("use either 'window' or 'window_start', 'window_end'")
        if "pickup_of" in columns and "delivery_of" in columns:
            faults.about_titles("use either 'pickup_of' or 'delivery_of'")


def _kind(text: str) -> str:
    kind = _KINDS.get(text.casefold())
    if kind is None:
        raise CellFault(f"is {quoted(text)}; write depot, stop, pickup or delivery")
    return kind


def _pair(text: str) -> tuple[float, float]:
    """Latitude and longitude in one cell."""
    found = _PAIR.fullmatch(text)
    if not found or abs(float(found[1])) > 90 or abs(float(found[2])) > 180:
        raise CellFault(f"is {quoted(text)}; write latitude, longitude in degrees: 60.17, 24.94")
    return float(found[2]), float(found[1])
