"""Rows of CSV files, cell by cell, with errors that name line and column."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from nco.data.formats.csv_rows import read_csv
from nco.errors import FormatError, listed, quoted, shortened


@dataclass(frozen=True)
class Row:
    """One row below the header.

    Attributes:
        path: the file.
        line: its line there, from 1.
        cells: text by column, stripped.
    """

    path: Path
    line: int
    cells: dict[str, str]

    def fail(self, column: str, problem: str) -> NoReturn:
        """Raise a FormatError about a cell."""
        raise FormatError(f"{self.path}, line {self.line}, column {quoted(column)} {problem}")

    def text(self, column: str) -> str:
        """A cell that must not be empty."""
        text = self.cells[column]
        if not text:
            self.fail(column, "is empty")
        return text

    def number(self, column: str, low: float = 0.0) -> float:
        """A finite number of at least `low`."""
        text = self.text(column)
        try:
            value = float(text)
        except ValueError:
            self.fail(column, f"is {quoted(text)}; it must be a number")
        if not math.isfinite(value) or value < low:
            limit = f" of at least {low:g}" if low > -math.inf else ""
            self.fail(column, f"is {shortened(text)}; it must be a finite number{limit}")
        return value

    def above_zero(self, column: str) -> float:
        """A finite number above 0."""
        value = self.number(column)
        if not value:
            self.fail(column, "is 0; it must be above 0: leave the row out if there is none")
        return value

    def node(self, column: str, known: Mapping[str, int]) -> int:
        """The number of the node that a cell names."""
        text = self.text(column)
        if text not in known:
            names = list(known)
            self.fail(
                column,
                f"is {quoted(text)}, which is none of the {len(names)} nodes, "
                f"{quoted(names[0])} to "
                f"{quoted(names[-1])}",
            )
        return known[text]


def read_columns(path: str | Path, required: Sequence[str]) -> list[Row]:
    """The rows of a CSV file that has at least some columns.

    Args:
        path: the file; commas, semicolons or tabs separate its cells.
        required: names of columns, in lower case; upper case in the file does not matter.

    Raises:
        FormatError: it is no CSV file, a column is missing, or there is no row.
        StorageError: it cannot be read.
    """
    table = read_csv(path).whole(path)
    header, rows = table.header, table.rows
    names = [name.lower() for name in header]
    missing = [name for name in required if name not in names]
    if missing:
        raise FormatError(
            f"{path}, line 1: there is no column {quoted(missing[0])}; the header must have "
            f"{', '.join(required)}, it has {listed(header)}"
        )
    if not rows:
        raise FormatError(f"{path}: there is a header but no row below it")
    return [
        Row(Path(path), line, dict(zip(names, (cell.strip() for cell in cells), strict=True)))
        for line, cells in rows
    ]


def number_nodes(rows: Sequence[Row], column: str) -> dict[str, int]:
    """Nodes by what a column calls them, numbered from 0 in the order of the rows.

    Raises:
        FormatError: a name is there twice.
    """
    known: dict[str, int] = {}
    for row in rows:
        name = row.text(column)
        if name in known:
            row.fail(column, f"is {quoted(name)}, as in an earlier row; nodes need different names")
        known[name] = len(known)
    return known
