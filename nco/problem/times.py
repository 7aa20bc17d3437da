"""Times and lengths of time in words, as whoever gave the problem writes them."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from enum import StrEnum

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DATED_S = (1e9, 1e11)  # 2001 to the year 5138: what seconds may be counted from 1970 for


class Times(StrEnum):
    """What the times of a problem count."""

    NUMBERS = "numbers"
    CLOCK = "clock"
    UNIX = "unix"

    def at(self, time_s: float) -> str:
        """A time: `5400 s`, `01:30` (after midnight), or `2024-11-29 08:30 UTC`."""
        if not math.isfinite(time_s):
            return "never"
        if self is Times.NUMBERS:
            return f"{_number(time_s)} s"
        tenths = round(10 * time_s)
        if self is Times.CLOCK:
            minutes, rest = divmod(tenths, 600)
            return f"{minutes // 60:02}:{minutes % 60:02}{_seconds(rest)}"
        try:
            moment = _EPOCH + timedelta(seconds=tenths // 600 * 60)
        except OverflowError:
            return f"{_number(time_s)} s"
        return f"{moment:%Y-%m-%d %H:%M}{_seconds(tenths % 600)} UTC"

    def during(self, length_s: float) -> str:
        """A length of time: `5400 s`, or `1 h 30 min`."""
        if not math.isfinite(length_s):
            return "forever"
        if self is Times.NUMBERS or length_s < 60:
            return f"{_number(length_s)} s"
        seconds = round(length_s)
        parts = (seconds // 3600, "h"), (seconds // 60 % 60, "min"), (seconds % 60, "s")
        return " ".join(f"{amount} {unit}" for amount, unit in parts if amount)


def counted_by(times_s: object) -> Times:
    """What numbers without a unit count: seconds from 1970 if all could, else nobody knows.

    Args:
        times_s: some times; 0 and infinity, which stand for no limit, do not count.
    """
    import numpy as np

    given = np.ravel(np.asarray(times_s, float))
    given = given[np.isfinite(given) & (given > 0)]
    dated = given.size and given.min() >= _DATED_S[0] and given.max() <= _DATED_S[1]
    return Times.UNIX if dated else Times.NUMBERS


def _seconds(tenths: int) -> str:
    """What goes behind hours and minutes, where it is not nothing."""
    if not tenths:
        return ""
    return f":{tenths // 10:02}" + (f".{tenths % 10}" if tenths % 10 else "")


def _number(value: float) -> str:
    """To a tenth, or to two digits where it is less."""
    rounded = round(value, 1)
    if rounded == 0:
        return f"{value:.2g}"
    return f"{rounded:.0f}" if rounded == round(rounded) else f"{rounded:.1f}"
