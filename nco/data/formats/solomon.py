"""Solomon's instances with time windows (and those of Gehring and Homberger, written alike)."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from nco.arrays import Floats
from nco.data.formats.rounding import Rounding, euclidean
from nco.errors import FormatError, quoted
from nco.problem import Problem

_HEADING = "NUMBERCAPACITY"
_MOST_VEHICLES = 1_000_000


def is_solomon(text: str) -> bool:
    """Whether a text begins as these instances do."""
    words = [line.strip().upper() for line in text.splitlines() if line.strip()][:6]
    return "VEHICLE" in words and any(line.startswith("CUST") for line in words)


def solomon_problem(
    path: str | Path, text: str, rounding: Rounding | None, vehicles: int | None
) -> Problem:
    """The problem in such a text; rounding None means "dimacs".

    Raises:
        FormatError: the text is malformed.
        ProblemError: a field is malformed.
    """
    vehicles_stated, capacity = _fleet(path, text)
    table = _customers(path, text)
    distance = euclidean(table[:, 1:3], rounding or "dimacs")
    return Problem.from_matrices(
        distance,
        distance,
        vehicles=vehicles_stated if vehicles is None else vehicles,
        capacity=capacity,
        demand=table[:, 3],
        window_s=table[:, 4:6],
        service_s=table[:, 6],
        xy=table[:, 1:3],
        name=next(line.strip() for line in text.splitlines() if line.strip()),
    )


def _fleet(path: str | Path, text: str) -> tuple[int, float]:
    """Number and capacity of the vehicles, which stand under their headings."""
    lines = [(k, line.split()) for k, line in enumerate(text.splitlines(), start=1) if line.strip()]
    heads = [k for k, (_, words) in enumerate(lines) if "".join(words).upper() == _HEADING]
    if not heads or heads[0] + 1 == len(lines):
        raise FormatError(
            f"{path}: not a Solomon instance: NUMBER and CAPACITY of the vehicles are missing"
        )
    number, words = lines[heads[0] + 1]
    try:
        count, capacity = (float(word) for word in words)
    except ValueError:
        count = capacity = np.nan
    if count % 1 or not (1 <= count <= _MOST_VEHICLES and np.isfinite(capacity)):
        raise FormatError(
            f"{path}, line {number}: found {quoted(' '.join(words))}; give the number of vehicles, "
            f"from 1 to {_MOST_VEHICLES}, and their capacity"
        )
    return int(count), capacity


def _customers(path: str | Path, text: str) -> Floats:
    """`[N, 7]` number, x, y, demand, ready time, due date, service time."""
    rows: list[list[float]] = []
    inside = False
    for number, line in enumerate(text.splitlines(), start=1):
        cells = line.split()
        if not cells or not inside:
            inside = inside or line.strip().upper().startswith("CUST NO")
            continue
        try:
            row = [float(cell) for cell in cells]
        except ValueError:
            row = []
        if len(row) != 7 or row[0] != len(rows) or not np.isfinite(row).all():
            raise FormatError(
                f"{path}, line {number}: expected customer {len(rows)} with x, y, demand, ready "
                f"time, due date and service time, found {quoted(line.strip())}"
            )
        rows.append(row)
    if len(rows) < 2:
        raise FormatError(f"{path}: there is no customer beside the depot")
    return np.array(rows)
