"""Li and Lim's instances of pickup and delivery with time windows.

The first line is `vehicles capacity speed`; see `pairs` for the rows behind it. Distances are
Euclidean and not rounded, unless a rule is given.
"""

from __future__ import annotations

from pathlib import Path

from nco.data.formats.pairs import MOST_VEHICLES, paired_problem, rows_of
from nco.data.formats.rounding import Rounding, euclidean
from nco.errors import FormatError, quoted
from nco.problem import Problem


def is_li_lim(text: str) -> bool:
    """Whether a text begins as these instances do: with a line of numbers alone."""
    first = next((line.split() for line in text.splitlines() if line.strip()), [])
    return bool(first) and all(_is_number(word) for word in first)


def li_lim_problem(
    path: str | Path, text: str, rounding: Rounding | None, vehicles: int | None
) -> Problem:
    """The problem in such a text; rounding None means "none".

    Raises:
        FormatError: the text is malformed.
        ProblemError: a field is malformed.
    """
    lines = [(k, line) for k, line in enumerate(text.splitlines(), start=1) if line.strip()]
    number, head = lines[0]
    try:
        count, capacity, speed = (float(word) for word in head.split())
    except ValueError:
        count = capacity = speed = -1.0
    if count % 1 or not (1 <= count <= MOST_VEHICLES and 0 <= capacity < 1e300 and 0 < speed < 1e9):
        raise FormatError(
            f"{path}, line {number}: found {quoted(head.strip())}; give the number of vehicles, "
            f"from 1 to {MOST_VEHICLES}, their capacity, and their speed above 0"
        )
    rows = rows_of(path, lines[1:])
    distance = euclidean(rows[:, 1:3], rounding or "none")
    return paired_problem(
        path,
        rows,
        distance,
        int(count) if vehicles is None else vehicles,
        duration=None if speed == 1 else distance / speed,
        capacity=(capacity,),
        xy=rows[:, 1:3],
        name=Path(path).stem,
    )


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True
