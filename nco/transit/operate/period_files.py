"""Periods of the week as CSV: when they are, how many people travel, and where to."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from nco.arrays import Floats
from nco.errors import FormatError, InputError
from nco.transit.operate.periods import SATURDAY, SUNDAY, WEEK, WEEKDAY, DayType, Period, day_types
from nco.transit.sources.demand import read_demand
from nco.transit.sources.table import Row, read_columns

if TYPE_CHECKING:
    from nco.transit.instance.transit_instance import TransitInstance

_KINDS = {kind.name: kind for kind in (WEEKDAY, SATURDAY, SUNDAY)}
_NEEDED = ("days", "from_h", "to_h", "share")
_LATEST_H = 48.0


def read_periods(
    path: str | Path, instance: TransitInstance
) -> tuple[tuple[Period, ...], tuple[Floats, ...]]:
    """Read periods, each with its demand.

    Args:
        path: CSV with the columns days (weekday, saturday, sunday, or days of the week with spaces
            between them), from_h, to_h and share (of the demand); optional are name, and demand: a
            table of trips an hour by names of stops (see `nco.transit.sources.demand`) beside this
            file, of which the share is taken in place of the instance's.
        instance: names of stops, and the demand where a row names no table.

    Returns:
        Periods in the order of the rows, and for each `[N, N]` trips an hour.

    Raises:
        FormatError: a cell is wrong, or two periods overlap; the message names file and line.
        StorageError: a file cannot be read.
    """
    nodes = {name: k for k, name in enumerate(instance.names)}
    periods, demands = [], []
    for row in read_columns(path, _NEEDED):
        first_h, last_h = row.number("from_h"), row.number("to_h")
        if not first_h < last_h <= _LATEST_H:
            row.fail("to_h", f"must be later than from_h, by {_LATEST_H:g} o'clock")
        share, table = row.number("share"), row.cells.get("demand", "")
        demand = read_demand(row.path.parent / table, nodes) if table else instance.demand
        name = row.cells.get("name", "")
        periods.append(Period(_days(row), 3600 * first_h, 3600 * last_h, share, name))
        demands.append(share * demand)
    try:
        day_types(periods)
    except InputError as error:
        raise FormatError(f"{path}: {error}") from None
    return tuple(periods), tuple(demands)


def _days(row: Row) -> DayType:
    text = row.text("days").lower()
    if text in _KINDS:
        return _KINDS[text]
    days = text.split()
    if not set(days) <= set(WEEK):
        row.fail("days", f"must be {', '.join(_KINDS)}, or some of {', '.join(WEEK)}")
    return DayType(text, tuple(dict.fromkeys(days)))
