"""Times of the day and kinds of days with a timetable of their own, and the trips that follow."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from nco.errors import InputError, quoted, shortened

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from nco.transit.instance.lines import Lines
    from nco.transit.operate.timetable import Timetable

WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_LATEST_S = 48 * 3600


@dataclass(frozen=True)
class DayType:
    """Days that are run alike.

    Attributes:
        name: such as "weekday".
        days: of the week, as in `WEEK`.

    Raises:
        InputError: no such day, or none at all.
    """

    name: str
    days: tuple[str, ...]

    def __post_init__(self) -> None:
        unknown = [day for day in self.days if day not in WEEK]
        if unknown or not self.days:
            given = quoted(unknown[0]) if unknown else "none"
            raise InputError(f"days of {quoted(self.name)}: {given}; give {', '.join(WEEK)}")


DAILY = DayType("daily", WEEK)
WEEKDAY = DayType("weekday", WEEK[:5])
SATURDAY = DayType("saturday", WEEK[5:6])
SUNDAY = DayType("sunday", WEEK[6:])


@dataclass(frozen=True)
class Period:
    """A part of the day on days of one type.

    Attributes:
        day: the days.
        first_s: seconds after midnight when it begins; first departures are then.
        last_s: when it ends; a departure at that very time is the next period's.
        demand: demand as a multiple of the instance's, which is that of a peak hour.
        name: such as "morning peak".

    Raises:
        InputError: it ends before it begins, or is later than the next night.
    """

    day: DayType
    first_s: float
    last_s: float
    demand: float = 1.0
    name: str = ""

    def __post_init__(self) -> None:
        if not 0 <= self.first_s < self.last_s <= _LATEST_S:
            raise InputError(
                f"period {quoted(self.name)} is from {self.first_s:g} to {self.last_s:g} s; it "
                f"must begin before it ends, by {_LATEST_S} s"
            )
        if not 0 <= self.demand < 1e6:
            raise InputError(f"demand of {quoted(self.name)} is {shortened(self.demand)}; give 0+")

    @property
    def hours(self) -> float:
        """How long it lasts."""
        return (self.last_s - self.first_s) / 3600.0


def _hours(day: DayType, *parts: tuple[float, float, float, str]) -> tuple[Period, ...]:
    return tuple(Period(day, 3600 * a, 3600 * b, share, name) for a, b, share, name in parts)


USUAL = (
    *_hours(
        WEEKDAY,
        *((5.0, 6.5, 0.4, "early"), (6.5, 9.0, 1.0, "morning peak"), (9.0, 15.0, 0.6, "midday")),
        *((15.0, 18.5, 0.9, "evening peak"), (18.5, 23.0, 0.3, "evening")),
    ),
    *_hours(SATURDAY, (6.0, 9.0, 0.25, "early"), (9.0, 19.0, 0.5, "day"), (19.0, 23.0, 0.25, "")),
    *_hours(SUNDAY, (7.0, 10.0, 0.2, "early"), (10.0, 19.0, 0.35, "day"), (19.0, 23.0, 0.2, "")),
)
"""Periods of a week with shares of the morning peak's demand: an assumption, not a count."""


def representative(periods: Iterable[Period], most: int = 3) -> tuple[tuple[float, float], ...]:
    """A few hours that stand for a week, where each of its periods would take too long.

    Args:
        periods: of the week.
        most: how many, 1 or more.

    Returns:
        Hours in a week and share of the demand, the busiest first; hours add up to the week's, and
        so do hours times share.
    """
    hours: dict[float, float] = {}
    for period in periods:
        count = period.hours * len(period.day.days)
        hours[period.demand] = hours.get(period.demand, 0.0) + count
    groups = [(long, share) for share, long in sorted(hours.items(), reverse=True)]
    while len(groups) > most:
        # The busiest stays as it is: it decides how many buses there are.
        inner = range(min(1, len(groups) - 2), len(groups) - 1)
        k = min(inner, key=lambda i: groups[i][1] - groups[i + 1][1])
        (a, first), (b, second) = groups[k : k + 2]
        groups[k : k + 2] = [(a + b, (a * first + b * second) / (a + b))]
    return tuple(groups)


@dataclass(frozen=True)
class Trip:
    """A bus that runs a line once, one way.

    Attributes:
        day: name of the days.
        line: number of the line.
        direction: 0 there, 1 back.
        nodes: its stops in order.
        start_s: when it opens its doors at the first one.
        arrive_s: `[L]` when it opens its doors at each.
        dwell_s: how long they are open.
        ready_s: when it may begin another trip, the layover included.
        bus: which bus of its line and period runs it, by the timetable alone.
    """

    day: str
    line: int
    direction: int
    nodes: tuple[int, ...]
    start_s: float
    arrive_s: tuple[float, ...]
    dwell_s: float
    ready_s: float
    bus: int


def trips_of(lines: Lines, periods: Iterable[tuple[Period, Timetable]]) -> list[Trip]:
    """All trips of lines, period by period.

    Args:
        lines: nodes of each.
        periods: each with its timetable.
    """
    found = []
    for period, table in periods:
        last_s = period.last_s - 1e-3  # what leaves as a period ends is in the next one
        for r, line in enumerate(lines):
            if table.buses[r] <= 0:
                continue
            ways = [(nodes, table.opening_s(nodes)) for nodes in (line, line[::-1])]
            for bus, direction, at_s in table.departures(r, line, period.first_s, last_s):
                nodes, offset_s = ways[direction]
                arrive_s = tuple((at_s + offset_s).tolist())
                ready_s = arrive_s[-1] + table.layover_s
                found.append(
                    Trip(
                        period.day.name,
                        r,
                        direction,
                        nodes,
                        at_s,
                        arrive_s,
                        table.dwell_s,
                        ready_s,
                        bus,
                    )
                )
    return found


def day_types(periods: Sequence[Period]) -> list[DayType]:
    """The kinds of days, in the order in which they come.

    Raises:
        InputError: a day of the week is in two of them, or two periods of a day overlap.
    """
    types = list({period.day.name: period.day for period in periods}.values())
    days = [day for kind in types for day in kind.days]
    if len(days) > len(set(days)):
        twice = next(day for day in days if days.count(day) > 1)
        raise InputError(f"{twice} is in two kinds of days; each day has one timetable")
    for kind in types:
        own = sorted((p for p in periods if p.day.name == kind.name), key=lambda p: p.first_s)
        for before, after in pairwise(own):
            if after.first_s < before.last_s - 1e-6:
                raise InputError(
                    f"periods {_called(before)} and {_called(after)} of {kind.name} overlap; "
                    "let one end where the next begins"
                )
    return types


def _called(period: Period) -> str:
    hours = f"{period.first_s / 3600:g} to {period.last_s / 3600:g} h"
    return f"{quoted(period.name)} ({hours})" if period.name else hours
