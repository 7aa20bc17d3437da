"""Tables of stops, read and written; `docs/tables.md` says what each column is.

Titles and their other names are in `tables/titles.py`. What is written has only columns that say
something, and reads back the same.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from itertools import pairwise
from pathlib import Path

from nco.data.formats.csv_rows import table_text
from nco.data.formats.table_files import read_rows
from nco.data.formats.tables.stop_table import stops_from
from nco.data.formats.tables.stops import Stops
from nco.data.formats.tables.titles import WORDS, is_known, plain
from nco.errors import InputError, quoted
from nco.files import write_atomic
from nco.problem import Feature
from nco.problem.details import titles
from nco.problem.times import Times

_TIES = {
    Feature.SAME_VEHICLE: "same_vehicle",
    Feature.DIFFERENT_VEHICLES: "different_vehicles",
    Feature.PRECEDENCE: "visit_before",
}
SHEETS = ("stops", "orders", "deliveries", "customers", "jobs")


def read_stops(path: str | Path, *, skip_bad_rows: bool = False) -> Stops:
    """Read a table of stops.

    Args:
        path: of a CSV, TSV, XLSX or ODS file.
        skip_bad_rows: leave out rows that something is wrong with.

    Raises:
        FormatError: anything about the file is wrong; the message names each row, each column
            and the fix.
        StorageError: it cannot be read.
    """
    return stops_from(path, read_rows(path, SHEETS), skip_bad_rows=skip_bad_rows)


def write_stops(path: str | Path, stops: Stops) -> Path:
    """Write a table of stops as CSV that reads back the same.

    Raises:
        InputError: a tie is none that a table can say.
        StorageError: the file cannot be written; what stood there before is untouched.
    """
    n = len(stops)
    columns: dict[str, list[object]] = {"name": list(stops.names)}
    if stops.depots:
        columns["kind"] = ["depot" if k in stops.depots else "stop" for k in range(n)]
    columns["lon"], columns["lat"] = (_cells(stops.lonlat[:, k]) for k in range(2))
    demand, pickup, ways = stops.demand.copy(), stops.pickup, [""] * n
    for start, end, amount in stops.shipments:
        ways[start], demand[end] = stops.names[end], amount
    for name, amounts in (("demand", demand), ("pickup", pickup)):
        for d in range(amounts.shape[1] if name == "demand" or pickup.any() else 0):
            columns[name if d == 0 else f"{name}_{d + 1}"] = _cells(amounts[:, d])

    def times(values: Iterable[float]) -> list[object]:
        return [_time_cell(float(time), stops.times) for time in values]

    windows = [(tuple(stops.window_s[k]), *stops.more_windows_s.get(k, ())) for k in range(n)]
    for end, name in enumerate(("window_start", "window_end")):
        columns[name] = [";".join(map(str, times(w[end] for w in own))) for own in windows]
    columns["service"], columns["prize"] = _cells(stops.service_s), _cells(stops.prize)
    if stops.setup_s.any():
        columns["setup"] = _cells(stops.setup_s)
    if stops.release_s.any():
        columns["release"] = times(stops.release_s)
    columns |= _wished(stops, times) | _tied(stops)
    group = {k: number for number, rows in enumerate(stops.groups, 1) for k in rows}
    rare: dict[str, Callable[[int], object]] = {
        "skills": lambda k: "; ".join(sorted(stops.skills.get(k, ()))),
        "group": lambda k: group.get(k, ""),
        "pickup_of": ways.__getitem__,
        "allowed_vehicles": lambda k: "; ".join(stops.vehicles.get(k, ())),
    }
    for name, cell in rare.items():
        cells = [cell(k) for k in range(n)]
        columns |= {name: cells} if any(cells) else {}
    for title in titles(stops.details):
        own = title in WORDS or not (is_known(title) or title.startswith("#") or not plain(title))
        words = [stops.details.get(k, {}).get(title, "") for k in range(n)]
        columns[title if own else f"{title} (given)"] = [*words]
    return write_atomic(path, table_text(list(columns), zip(*columns.values(), strict=True)))


def _wished(
    stops: Stops, times: Callable[[Iterable[float]], list[object]]
) -> dict[str, list[object]]:
    """Columns of priorities, and of when service should begin."""
    found = {"priority": _cells(stops.priority)} if stops.priority.any() else {}
    if not (stops.early_per_s.any() or stops.late_per_s.any()):
        return found
    for side, name, per_s in ((0, "early", stops.early_per_s), (1, "late", stops.late_per_s)):
        told = times(stops.soft_window_s[:, side])
        title = ("soft_start", "soft_end")[side]
        found[title] = [t if rate else "" for t, rate in zip(told, per_s, strict=True)]
        found[f"{name}_cost_per_hour"] = _cells(per_s * 3600)
    return found


def _tied(stops: Stops) -> dict[str, list[object]]:
    """Columns of ties: a number that rows share, or the names of those behind a row."""
    found: dict[str, list[object]] = {}
    for number, tie in enumerate(stops.ties, 1):
        title = _TIES.get(tie.feature)
        if title is None:
            raise InputError(
                f"tie {number} is of {tie.feature}, which a table of stops cannot say; save the "
                "problem as .json instead"
            )
        cells = found.setdefault(title, [""] * len(stops))
        pairs = pairwise(tie.stops) if title == "visit_before" else ((k, None) for k in tie.stops)
        for k, other in pairs:
            if other is not None:
                cells[k] = "; ".join(filter(None, (str(cells[k]), stops.names[other])))
            elif cells[k]:
                raise InputError(
                    f"stop {quoted(stops.names[k])} is in two ties of {tie.feature}, and a table "
                    "has one word for it; save the problem as .json instead"
                )
            else:
                cells[k] = str(number)
    return found


def _cells(numbers: Iterable[float]) -> list[object]:
    return [_cell(float(number)) for number in numbers]


def _cell(number: float) -> str:
    """A number as short as it reads back, nothing for infinity."""
    if math.isinf(number):
        return ""
    return str(int(number)) if number == int(number) and abs(number) < 1e15 else repr(number)


def _time_cell(time_s: float, times: Times) -> str:
    """A time of day where that is what times are, and as long as it reads back."""
    plain_s = _cell(time_s)
    if times is Times.CLOCK and plain_s.isdigit() and time_s < 1000 * 3600:
        return times.at(time_s)
    # Without the unit, 9.30 would be a time of day.
    return f"{plain_s} s" if plain_s and not plain_s.isdigit() else plain_s
