"""Times and lengths as drivers read them: to the minute, by the clock."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from nco.problem.times import Times

_DAY_MIN = 24 * 60
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MOST_S = 2e11  # beyond the year 8000 no date can be written


@dataclass(frozen=True)
class Clock:
    """Writes the times of a problem.

    Attributes:
        times: what they count.
        begin_s: time of day at which a count without a beginning begins.
        first_day: the day of the first time of all, from which further days are counted; for
            times that are dates.
    """

    times: Times
    begin_s: float = 0.0
    first_day: int = 0

    @classmethod
    def of(cls, times: Times, first_s: float, begin_s: float = 0.0) -> Clock:
        """The clock of a day that begins at a time."""
        dated = times is Times.UNIX and math.isfinite(first_s) and abs(first_s) < _MOST_S
        return cls(times, begin_s, int(first_s // 86400) if dated else 0)

    @property
    def date(self) -> str:
        """The date of the first day, where it is known."""
        if self.times is not Times.UNIX or not self.first_day:
            return ""
        return f"{_EPOCH + timedelta(days=self.first_day):%A, %d %B %Y} (UTC)"

    def at(self, time_s: float) -> str:
        """A time: `08:30`, or `01:30 +1` on the next day."""
        if not math.isfinite(time_s) or abs(time_s) > _MOST_S:
            return "never"
        shift_s = self.begin_s if self.times is Times.NUMBERS else -86400.0 * self.first_day
        minutes = round((time_s + shift_s) / 60)
        day, minute = divmod(minutes, _DAY_MIN)
        return f"{minute // 60:02}:{minute % 60:02}" + (f" {day:+}" if day else "")

    def window(self, start_s: float, end_s: float) -> str:
        """A time window; empty for any time."""
        if math.isinf(end_s):
            return f"from {self.at(start_s)}" if start_s > 0 else ""
        if start_s <= 0:
            return f"until {self.at(end_s)}"
        return f"{self.at(start_s)}\u2013{self.at(end_s)}"


def length(seconds: float) -> str:
    """A length of time: `7 min`, `2 h 05 min`."""
    if not math.isfinite(seconds):
        return "for ever"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min"


def km(metres: float) -> str:
    """Kilometres to a hundred metres."""
    return f"{metres / 1000:.1f}" if math.isfinite(metres) else "no way"


def amounts(numbers: tuple[float, ...]) -> str:
    """A load."""
    return " / ".join(f"{round(number, 3):g}" for number in numbers)
