"""Times of day, dates, windows and lengths of time as people write them into cells.

A cell is read as a `Moment`: seconds, and perhaps a day. Which day is which (3/4/2026) and from
which midnight seconds count is known only when a table was read as a whole: a `Calendar` says.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass, field
from typing import NamedTuple

from nco._validate import LEAST, MOST
from nco.data.formats.tables.cells import NOTHING
from nco.data.formats.tables.faults import CellFault
from nco.errors import quoted, shortened

_CLOCK = re.compile(
    r"(\d{1,3}:[0-5]\d(?::[0-5]\d(?:[.,]\d+)?)?|\d{1,2}[.,h][0-5]\d)(?:\s*([ap])\.?\s*m\.?)?"
)
_HOUR = re.compile(r"(\d{1,2})\s*(?:([ap])\.?\s*m\.?|h|o'clock)")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)?(?:e[+-]?\d+)?")
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_MONTH = rf"({'|'.join(_MONTHS)})[a-z]*\.?"
_DATE = re.compile(
    r"(?<![\d.])(?:(?P<year>\d{4})[-/.](?P<month>\d{1,2})[-/.](?P<day>\d{1,2})"
    r"|(?P<a>\d{1,2})(?P<sign>[-/.])(?P<b>\d{1,2})(?P=sign)(?P<late>\d{4}|\d{2})"
    rf"|(?P<d1>\d{{1,2}})[\s-]+(?P<m1>{_MONTH})[\s-]+(?P<y1>\d{{4}})"
    rf"|(?P<m2>{_MONTH})\s+(?P<d2>\d{{1,2}}),?\s+(?P<y2>\d{{4}}))(?!\d)"
)
_ISO = re.compile(r"(\d{4}-\d\d-\d\d)t(\d\d:\d\d(?::\d\d(?:\.\d+)?)?)(z|[+-]\d\d:?\d\d)?")
_WEEKDAY = re.compile(r"\b(?:mon|tues?|wed(?:nes)?|thur?s?|fri|sat(?:ur)?|sun)(?:day)?\b[.,]?\s*")
_DASH = re.compile("\\s*(?:-|\u2013|\u2014|\\bto\\b|\\buntil\\b|\\btill\\b)\\s*")
_ONE_SIDE = re.compile(r"(before|until|till|by|latest|after|from|since|earliest)\b\s*(.+)")
_BETWEEN = re.compile(r"\s*[;|&\n]\s*|\s+and\s+|\s+/\s+|,(?!\d\d?\b(?!:))\s*|,(?=\d\d?:)\s*")
_BETWEEN_AND = re.compile(r"between\s+(.+?)\s+and\s+(.+)", re.IGNORECASE)
_ANY = NOTHING | {"any", "any time", "anytime", "all day", "always", "open"}
_PART = re.compile(
    r"(\d+(?:[.,]\d+)?)\s*(hours?|hrs?|h|minutes?|mins?|min\.|m|seconds?|secs?|s)(?![a-z])\.?,?\s*"
)
_PART_OF_DAY = re.compile(r"0\.\d+")
_SPAN = re.compile(r"(\d{1,4}):([0-5]\d)(?::([0-5]\d(?:\.\d+)?))?")
_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0}
DAY_S = 86_400.0
SOON_S = 2400.0  # numbers below are not meant as seconds since midnight: hours, minutes, or 1430
_HOURS = 24


class Slashed(NamedTuple):
    """A date whose order of day and month is not known."""

    first: int
    second: int
    year: int


type Day = dt.date | Slashed


class Moment(NamedTuple):
    """A time as it stands in a cell.

    Attributes:
        seconds: since midnight, or plain seconds.
        day: the date, if there is one.
        clock: whether it is a time of day, and no number of seconds.
        exact: whether it is a number that says that it counts seconds.
    """

    seconds: float
    day: Day | None = None
    clock: bool = True
    exact: bool = False


type Window = tuple[Moment | None, Moment | None]


@dataclass
class Calendar:
    """What the times of a table count, found out from all of them.

    Attributes:
        first: the day from whose midnight seconds count; None until a day is read.
        clock: whether a time of day was read.
        slashed: dates whose order is not known.
    """

    first: dt.date | None = None
    clock: bool = False
    days: set[dt.date] = field(default_factory=set)
    slashed: set[Slashed] = field(default_factory=set)
    soon: list[float] = field(default_factory=list)
    late: bool = False

    def note(self, moment: Moment | None) -> None:
        """Learn from a moment."""
        if moment is None:
            return
        self.clock |= moment.clock
        if isinstance(moment.day, Slashed):
            self.slashed.add(moment.day)
        elif moment.day:
            self.days.add(moment.day)
        if not (moment.clock or moment.exact) and moment.seconds:
            self.late |= moment.seconds >= SOON_S
            self.soon.append(moment.seconds)

    def settle(self) -> None:
        """Find out the first day, now that all moments are known."""
        if self.first is None:
            known = {day for day in self._all_days() if day is not None}
            self.first = min(known, default=None)

    def seconds(self, moment: Moment) -> float:
        """Seconds since the midnight that begins the first day.

        Raises:
            CellFault: the date may be two days, or there is none where there must be one.
        """
        if self.clock and not (moment.clock or moment.exact) and 0 < moment.seconds < SOON_S:
            raise CellFault(
                f"is {moment.seconds:g}, beside times of day; write it as one, such as 9:30, or as "
                f"{moment.seconds:g} s"
            )
        if moment.day is None:
            if moment.clock and len(self._all_days()) > 1:
                raise CellFault("has no date, and the table is about several days; add the date")
            return moment.seconds
        day = self._day(moment.day)
        if day is None:
            raise CellFault("has a date that may be two days, such as 3/4; write YYYY-MM-DD")
        assert self.first is not None  # noqa: S101 -- `settle` saw to it
        return moment.seconds + DAY_S * (day - self.first).days

    def hint(self) -> str:
        """What to say of plain numbers that are surely not meant as seconds; "" if nothing."""
        if not self.soon or self.late or self.clock:
            return ""
        return (
            f"times are plain numbers and read as seconds: {self.soon[0]:g} is "
            f"{self.soon[0]:g} s after midnight. Write times of day as 9:30, or lengths as 30 min"
        )

    def _all_days(self) -> set[dt.date | None]:
        return self.days | {self._day(slashed) for slashed in self.slashed}

    def _day(self, day: Day) -> dt.date | None:
        """A date, None where it may be two."""
        if isinstance(day, dt.date):
            return day
        first = any(known.first > 12 for known in self.slashed)
        second = any(known.second > 12 for known in self.slashed)
        one = len(self.slashed) == 1 and not self.days
        if day.first == day.second or (first and not second) or (one and not second):
            return _date(day.year, day.second, day.first)
        return _date(day.year, day.first, day.second) if second and not first else None


def moment(text: str, *, late: bool = False) -> Moment:
    """A time of day, with a date or without, or plain seconds.

    Args:
        text: of a cell that is not empty.
        late: whether a date alone means the end of that day.

    Raises:
        CellFault: it is something else.
    """
    plain = _WEEKDAY.sub("", text.strip().casefold())
    iso = _ISO.fullmatch(plain)
    if iso:
        plain = f"{iso[1]} {iso[2]}"
    day: Day | None = None
    found = _DATE.search(plain)
    if found:
        day = _day_of(found, text)
        plain = f"{plain[: found.start()]} {plain[found.end() :]}".strip(" ,t")
        if not plain:
            return Moment(DAY_S if late else 0.0, day)
    clock = _clock(plain)
    if clock is not None:
        return Moment(clock, day)
    exact = day is None and plain.endswith("s")
    if exact:
        plain = plain[:-1].rstrip()
    if day is not None or not _NUMBER.fullmatch(plain):
        raise CellFault(f"is {quoted(text)}; write HH:MM, such as 9:30, HH:MM:SS or seconds")
    seconds = float(plain.replace(",", "."))
    military = len(plain) == 4 and plain.startswith("0")
    if seconds > MOST:
        raise CellFault(f"is {shortened(text)}; it must be {MOST:g} at most")
    if not exact and (military or (not seconds.is_integer() and 1 < seconds < 48)):
        raise CellFault(f"is {quoted(text)}; write a time of day with a colon, such as 9:30")
    return Moment(seconds, clock=False, exact=exact)


def windows(text: str) -> list[Window]:
    """One window or several: `09:30-11:00`, `9-11; 14-16`, `after 14:00`, `any time`.

    Raises:
        CellFault: it is something else.
    """
    parts = _BETWEEN.split(_BETWEEN_AND.sub(r"\1 to \2", text.strip()))
    return [_window(part) for part in parts if part.casefold() not in _ANY]


def is_any(text: str) -> bool:
    """Whether a cell says that any time will do."""
    return text.strip().casefold() in _ANY


def of_day(text: str) -> str:
    """A part of a day, as spreadsheets keep times, as a time of day; other cells as they are."""
    if not _PART_OF_DAY.fullmatch(text.strip()):
        return text
    seconds = round(float(text) * DAY_S)
    return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def is_number(text: str) -> bool:
    """Whether a cell is a number without a unit."""
    return bool(_NUMBER.fullmatch(text.strip().casefold()))


def is_length(text: str) -> bool:
    """Whether a cell is a length of time with a unit of its own."""
    plain = text.strip().casefold()
    return bool(_SPAN.fullmatch(plain)) or bool(_PART.match(plain))


def duration_s(text: str, unit: float | None) -> float:
    """A length of time: `15 min`, `0:15`, `1 h 30 min`, `90 s`, or a number in a unit.

    Args:
        text: of a cell that is not empty.
        unit: seconds that a plain number counts; None asks for a unit.

    Raises:
        CellFault: it is something else.
    """
    plain = text.strip().casefold()
    span = _SPAN.fullmatch(plain)
    if span:
        return 3600.0 * int(span[1]) + 60.0 * int(span[2]) + float(span[3] or 0)
    total, end = 0.0, 0
    for part in _PART.finditer(plain):
        if part.start() != end:
            break
        total, end = total + float(part[1].replace(",", ".")) * _UNITS[part[2][0]], part.end()
    if end and end == len(plain):
        return total
    if plain.startswith("-"):
        raise CellFault(f"is {quoted(text)}; it must be 0 or more")
    if not _NUMBER.fullmatch(plain):
        raise CellFault(f"is {quoted(text)}; it must be a number or a length such as 15 min, 0:15")
    value = float(plain.replace(",", "."))
    if value > MOST:
        raise CellFault(f"is {shortened(text)}; it must be {MOST:g} at most")
    if unit is None and value:
        raise CellFault(f"is {quoted(text)}; say the unit: {plain} h, {plain} min or {plain} s")
    return value * (unit or 1.0) if value >= LEAST else 0.0


def _window(text: str) -> Window:
    folded = text.strip().casefold()
    one = _ONE_SIDE.fullmatch(folded)
    if one and not _DASH.search(_DATE.sub("", one[2])):
        late = one[1] in ("before", "until", "till", "by", "latest")
        given = _hour(one[2], late=late)
        return (None, given) if late else (given, None)
    if one and one[1] == "from":
        folded = one[2]
    kept: list[str] = []

    def keep(found: re.Match[str]) -> str:
        kept.append(found[0])
        return f"\0{len(kept) - 1}\0"

    parts = _DASH.split(_DATE.sub(keep, _ISO.sub(keep, folded)))
    if len(parts) != 2:
        raise CellFault(f"is {quoted(text)}; write start-end, such as 08:00-12:00")
    parts = [re.sub(r"\0(\d+)\0", lambda found: kept[int(found[1])], part) for part in parts]
    first, last = (part.strip() for part in parts)
    end = _hour(last, late=True) if last else None
    half = re.search(r"([ap])\.?\s*m\.?$", last)
    begin = _hour(first, late=False) if first else None
    if half and first and not re.search(r"[ap]\.?\s*m\.?$", first):
        begin = _hour(f"{first} {half[1]}m", late=False)
        if end and begin.seconds > end.seconds:
            begin = _hour(f"{first} {'ap'[half[1] == 'a']}m", late=False)
    if begin and end and begin.day is not None and end.day is None:
        end = end._replace(day=begin.day)
    return begin, end


def _hour(text: str, *, late: bool) -> Moment:
    """A moment in a window, where whole numbers up to 24 are hours."""
    plain = text.strip()
    if plain.isdecimal() and int(plain) <= _HOURS:
        return Moment(3600.0 * int(plain), clock=int(plain) > 0)
    return moment(text, late=late)


def _clock(text: str) -> float | None:
    """Seconds of a time of day, None if it is none."""
    clock, hour = _CLOCK.fullmatch(text), _HOUR.fullmatch(text)
    if clock:
        parts = [float(part.replace(",", ".")) for part in re.split("[:h]", _colons(clock[1]))]
        half = clock[2]
    elif hour:
        parts, half = [float(hour[1])], hour[2]
    else:
        return None
    hours, minutes, seconds = (*parts, 0.0, 0.0)[:3]
    if half:
        if not 1 <= hours <= 12:
            return None
        hours = hours % 12 + (12 if half == "p" else 0)
    return 3600 * hours + 60 * minutes + seconds


def _colons(text: str) -> str:
    """`9.30` as `9:30`; the fraction of seconds is none of hours."""
    return text if ":" in text else re.sub("[.,]", ":", text)


def _day_of(found: re.Match[str], text: str) -> Day:
    """The date in a cell."""
    year = found["year"] or found["late"] or found["y1"] or found["y2"]
    number = int(year) + (2000 if len(year) == 2 else 0)
    if found["a"]:
        a, b = int(found["a"]), int(found["b"])
        if found["sign"] != ".":
            if _date(number, a, b) or _date(number, b, a):
                return Slashed(a, b, number)
            raise CellFault(f"is {quoted(text)}, which is no date; write YYYY-MM-DD")
        month, day = b, a
    elif found["year"]:
        month, day = int(found["month"]), int(found["day"])
    else:
        name = found["m1"] or found["m2"]
        month, day = _MONTHS.index(name[:3]) + 1, int(found["d1"] or found["d2"])
    known = _date(number, month, day)
    if known is None:
        raise CellFault(f"is {quoted(text)}, which is no date; write YYYY-MM-DD")
    return known


def _date(year: int, month: int, day: int) -> dt.date | None:
    try:
        return dt.date(year, month, day)
    except ValueError:
        return None


def date_of(text: str) -> Day:
    """A date, without a time or with one.

    Raises:
        CellFault: it is something else.
    """
    day = moment(text).day
    if day is None:
        raise CellFault(f"is {quoted(text)}; write a date as YYYY-MM-DD")
    return day
