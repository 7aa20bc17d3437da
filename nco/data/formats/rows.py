"""Tables as rows of text, whichever kind of file they stand in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from nco.data.formats.tables.titles import is_known
from nco.errors import FormatError, counted, listed, quoted

_MOST_COLUMNS = 16_384  # as in spreadsheets
_TRIED = 10  # rows among which titles are looked for
_FEW = 2  # known titles that a header has at least, or other rows are looked at


@dataclass(frozen=True)
class Rows:
    """A table taken apart.

    Attributes:
        header: titles of the columns.
        rows: number and cells of each row that fits the header; empty rows are left out.
        delimiter: what separates cells in a text; "" for a spreadsheet.
        head: number of the row that holds the titles.
        bad: number of each row that does not fit the header, and what is wrong with it.
    """

    header: list[str]
    rows: list[tuple[int, list[str]]]
    delimiter: str
    head: int = 1
    bad: tuple[tuple[int, str], ...] = ()

    @property
    def word(self) -> str:
        """What messages call a row: a line of a text, or a row of a spreadsheet."""
        return "line" if self.delimiter else "row"

    def whole(self, path: str | Path) -> Rows:
        """This, where every row fits.

        Raises:
            FormatError: a row has more or fewer cells than the header.
        """
        for line, text in self.bad:
            raise FormatError(f"{path}, {self.word} {line}: {text}")
        return self


def rows_from(path: str | Path, cells: Sequence[tuple[int, list[str]]], delimiter: str) -> Rows:
    """Header and rows in the rows of a file.

    The titles are in the first row, or below some lines of text.

    Raises:
        FormatError: there are no cells, or too many columns.
    """
    filled = [(line, row) for line, row in cells if any(cell.strip() for cell in row)]
    if not filled:
        raise FormatError(f"{path} holds no cells; give a header and a row for each stop")
    first = _header(filled)
    head, titles = filled[first]
    if len(titles) > _MOST_COLUMNS:
        raise FormatError(
            f"{path} has {len(titles)} columns; {_MOST_COLUMNS} are the most that are read"
        )
    header = [title.strip() for title in titles]
    rows, bad = [], []
    for line, row in filled[first + 1 :]:
        width = len(row)
        while width > len(header) and not row[width - 1].strip():
            width -= 1
        if width == len(header):
            rows.append((line, row[:width]))
            continue
        quote = f"; quote cells that hold {quoted(delimiter)}" if delimiter else ""
        text = (
            f"{counted(width, 'cell')}, but the header has {len(header)} ({listed(header)}){quote}"
        )
        bad.append((line, text))
    return Rows(header, rows, delimiter, head, tuple(bad))


def _header(filled: Sequence[tuple[int, list[str]]]) -> int:
    """Which row holds the titles: the first, or the one below it that is much more like it."""
    known = [sum(map(is_known, row)) for _, row in filled[:_TRIED]]
    best = max(range(len(known)), key=known.__getitem__)
    return best if known[0] < _FEW < known[best] else 0
