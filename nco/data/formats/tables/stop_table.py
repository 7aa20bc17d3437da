"""A table of stops as a whole: its rows together, and what they say of one another."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from nco.arrays import Floats
from nco.data.formats.rows import Rows
from nco.data.formats.tables import places
from nco.data.formats.tables.clock import DAY_S, Calendar, Day, Moment
from nco.data.formats.tables.faults import CellFault, Faults
from nco.data.formats.tables.links import Links
from nco.data.formats.tables.stop_rows import DEPOT, LONG_S, SHORT_S, StopReader, StopRow
from nco.data.formats.tables.stops import Stops
from nco.errors import FormatError, listed, quoted
from nco.problem.times import Times, counted_by

if TYPE_CHECKING:
    from nco.data.cities.geocode.server import Geocoder

logger = logging.getLogger("nco")
_SEVERAL = 2


def stops_from(
    path: str | Path,
    table: Rows,
    *,
    skip_bad_rows: bool = False,
    geocoder: Geocoder | None = None,
    accept_doubtful: bool = False,
) -> Stops:
    """The stops in a table.

    Args:
        path: of the file, for messages.
        table: its rows.
        skip_bad_rows: leave out rows that something is wrong with, and list them in `skipped`.
        geocoder: finds rows that have an address and no coordinates; None makes them faults.
        accept_doubtful: take places of addresses that are doubtful; otherwise they are faults.

    Raises:
        FormatError: something about the table is wrong; all faults are in the message.
        ServiceError: a server that is asked for addresses is down or answers nonsense.
    """
    faults = Faults(path, table.word, table.head)
    reader = StopReader(table, faults)
    rows = [reader.read(line, cells) for line, cells in table.rows]
    for line, text in table.bad:
        faults.about(line, "", text)
    if not rows and not table.bad:
        raise FormatError(f"{path}: there is a header but no stop; add one row for each")
    whole = _Whole(reader, faults)
    whole.name(rows)
    places.complete(rows, faults, geocoder, accept_doubtful=accept_doubtful)
    stops = whole.stops(rows, skip_bad_rows=skip_bad_rows)
    _tell(path, reader, whole.calendar, stops)
    return stops


class _Hours(NamedTuple):
    """When a stop may and should be served, and when its goods are there, in seconds."""

    windows: tuple[tuple[float, float], ...]
    soft: tuple[float, float]
    release: float


class _Whole:
    """Rows that are looked at together."""

    def __init__(self, reader: StopReader, faults: Faults) -> None:
        self._reader, self._faults = reader, faults
        self.calendar = Calendar()

    def stops(self, rows: list[StopRow], *, skip_bad_rows: bool) -> Stops:
        """The stops of rows without a fault, or of all rows; what is wrong is told together."""
        faults = self._faults
        unread = set(faults.rows)
        while True:
            good = [row for row in rows if row.line not in faults.rows]
            known = len(faults.rows)
            links = Links(good, faults)
            times = self._times(good)
            if len(faults.rows) == known:
                break
        bad = [row for row in rows if row.line in faults.rows]
        torn = [row for row in rows if row.line in unread]
        if good:  # whose calendar counts
            for row in torn:
                self._hours(row)
        else:
            self._times(torn)
        bad_depot = any(DEPOT in (row.kind, row.name.casefold()) for row in bad)
        if not skip_bad_rows or bad_depot or not good:
            faults.raise_rows()
        return self._stops(good, links, times)

    def name(self, rows: Sequence[StopRow]) -> None:
        """A name for each row: its own, with its id where several are called so."""
        named = "name" in self._reader.columns
        spare = next((n for n in ("id", "address") if n in self._reader.columns), "")
        for row in rows:
            if not named:
                row.name = row.details.get(spare, "") or f"{self._faults.word} {row.line}"
            elif not row.name and row.details.get("id"):
                row.name = row.details["id"]
            elif not row.name:
                text = "is empty; every stop needs a name of its own"
                self._fault(row.line, "name", text)
        count = Counter(row.name for row in rows)
        used: dict[str, int] = {}
        for row in rows:
            own = row.details.get("id", "")
            if named and own and count[row.name] > 1:
                row.name = f"{row.name} ({own})"
            if row.name and row.name in used:
                text = f"{quoted(row.name)} is used in {self._faults.word} {used[row.name]} already"
                self._fault(row.line, "name", f"{text}; rename one, or add a column id")
            used.setdefault(row.name, row.line)

    def _fault(self, line: int, name: str, text: str) -> None:
        self._faults.about(line, self._reader.columns.title(name), text)

    def _times(self, rows: Sequence[StopRow]) -> dict[int, _Hours]:
        """Window and release of each row, by line; `calendar` learns what they count."""
        self.calendar = calendar = Calendar()
        _add_dates(rows)
        for row in rows:
            for moment in (row.release, *row.soft, *(m for w in row.windows for m in w)):
                calendar.note(moment)
        calendar.settle()
        return {row.line: self._hours(row) for row in rows}

    def _hours(self, row: StopRow) -> _Hours:
        """Windows and release of a row."""
        ranges = "window" in self._reader.columns
        first, last = ("window", "window") if ranges else ("window_start", "window_end")
        found = []
        for start, end in row.windows:
            begin = self._resolved(row.line, first, start, 0.0)
            finish = self._resolved(row.line, last, end, np.inf)
            found.append((begin, finish))
            if finish < begin:
                self._fault(
                    row.line,
                    last,
                    f"is before window_start ({_shown(end)} < {_shown(start)}), so the window is "
                    "empty; after midnight, count on (25:30)",
                )
        found.sort()
        if any(after[0] <= before[1] for before, after in pairwise(found)):
            self._fault(row.line, last, "has windows that overlap or meet; join them")
        if row.kind == DEPOT and len(found) > 1:
            self._fault(row.line, last, "has several windows; a depot has one")
        release = self._resolved(row.line, "release", row.release, 0.0)
        soft = (
            self._resolved(row.line, "soft_start", row.soft[0], 0.0),
            self._resolved(row.line, "soft_end", row.soft[1], np.inf),
        )
        if soft[1] < soft[0]:
            self._fault(row.line, "soft_end", "is before soft_start; after midnight, count on")
        return _Hours(tuple(found) or ((0.0, np.inf),), soft, release)

    def _resolved(self, line: int, name: str, moment: Moment | None, empty: float) -> float:
        if moment is None:
            return empty
        try:
            return self.calendar.seconds(moment)
        except CellFault as fault:
            self._fault(line, name, str(fault))
            return empty

    def _stops(
        self,
        rows: Sequence[StopRow],
        links: Links,
        times: dict[int, _Hours],
    ) -> Stops:
        width = max(len(self._reader.demands), len(self._reader.pickups))
        hours = [times[row.line] for row in rows]
        window = np.array([hour.windows[0] for hour in hours])
        n, faults = len(rows), self._faults

        def amounts(of: Callable[[int], list[float]]) -> Floats:
            return np.array([_wide(of(k), width) for k in range(n)]).reshape(n, width)

        return Stops(
            names=tuple(row.name for row in rows),
            lonlat=np.array([row.lonlat for row in rows]),
            demand=amounts(links.demand),
            pickup=amounts(links.pickup),
            window_s=window,
            service_s=np.array([row.service_s for row in rows]),
            setup_s=np.array([row.setup_s for row in rows]),
            prize=np.array([links.prize(k) for k in range(n)]),
            more_windows_s={k: h.windows[1:] for k, h in enumerate(hours) if len(h.windows) > 1},
            release_s=np.array([hour.release for hour in hours]),
            skills={k: row.skills for k, row in enumerate(rows) if row.skills},
            priority=np.array([row.priority for row in rows]),
            soft_window_s=np.array([hour.soft for hour in hours]),
            early_per_s=np.array([row.per_s[0] for row in rows]),
            late_per_s=np.array([row.per_s[1] for row in rows]),
            groups=links.groups,
            ties=links.ties,
            shipments=links.shipments,
            vehicles={k: row.vehicles for k, row in enumerate(rows) if row.vehicles},
            depots=tuple(k for k, row in enumerate(rows) if row.kind == DEPOT),
            details={k: row.details for k, row in enumerate(rows) if row.details},
            times=Times.CLOCK if self.calendar.clock else counted_by(window),
            places=tuple(f"{faults.path}, {faults.word} {row.line}" for row in rows),
            first_day=self.calendar.first,
            skipped=tuple(faults.told()),
        )


def _wide(amounts: Sequence[float], width: int) -> list[float]:
    return [*amounts, *[0.0] * (width - len(amounts))]


def _add_dates(rows: Sequence[StopRow]) -> None:
    """Times of rows with a date of their own are of that day, where there are several."""
    if len({row.day for row in rows if row.day}) < _SEVERAL:
        return
    for row in rows:
        if row.day is None:
            continue
        windows = row.windows or [(Moment(0.0), Moment(DAY_S))]
        row.windows = [(_on(row.day, start), _on(row.day, end)) for start, end in windows]
        row.release = _on(row.day, row.release)
        row.soft = (_on(row.day, row.soft[0]), _on(row.day, row.soft[1]))


def _on(day: Day, moment: Moment | None) -> Moment | None:
    """A time of day on a date, if it has none of its own."""
    if moment is None or moment.day is not None or not moment.clock:
        return moment
    return moment._replace(day=day)


def _shown(moment: Moment | None) -> str:
    """A moment as one would write it."""
    if moment is None:
        return "any time"
    day = f"{moment.day} " if moment.day else ""
    return day + (Times.CLOCK.at(moment.seconds) if moment.clock else f"{moment.seconds:g}")


def _tell(path: str | Path, reader: StopReader, calendar: Calendar, stops: Stops) -> None:
    """Say in the log what a person should know who wrote the table."""
    if reader.columns.others:
        logger.info(
            "%s: columns that nothing is planned with go into the outputs as they are: %s",
            path,
            listed(reader.columns.others),
        )
    if hint := calendar.hint():
        logger.warning("%s: %s", path, hint)
    served = stops.service_s[stops.service_s > 0]
    if "service" not in reader.columns.units and len(served):
        longest = float(served.max())
        if longest < SHORT_S or longest > LONG_S:
            logger.warning(
                "%s: service takes %g s at most; name the column service_min or write 15 min if "
                "that is not meant",
                path,
                longest,
            )
    if len(calendar.days) + len(calendar.slashed) > 1 and stops.first_day:
        logger.info("%s: times count from the midnight before %s", path, stops.first_day)
    for start, end, _ in stops.shipments[:1]:
        a, b = quoted(stops.names[start]), quoted(stops.names[end])
        logger.info("%s: what %s gives goes to %s, and so on", path, a, b)
    if stops.groups:
        first = listed(stops.names[k] for k in stops.groups[0])
        logger.warning(
            "%s: of the stops of a group one is served, of %s and of %d groups in all",
            path,
            first,
            len(stops.groups),
        )
    for text in stops.skipped:
        logger.warning("%s: left out: %s", path, text)
