"""The cells of one row after the other; what is wrong with them is noted, not raised."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from nco.data.formats.rows import Rows
from nco.data.formats.tables import cells as read
from nco.data.formats.tables.clock import of_day
from nco.data.formats.tables.faults import CellFault, Faults
from nco.data.formats.tables.titles import Columns


class RowReader:
    """Reads cells of the row that it was turned to.

    Args:
        table: the rows.
        columns: where they have what.
        faults: where to say what is wrong.
    """

    def __init__(self, table: Rows, columns: Columns, faults: Faults) -> None:
        self.faults, self.columns = faults, columns
        self._table = table
        self._row: list[str] = []
        self._line = 0
        self._commas = False

    def _count_numbers(self, names: Iterable[str]) -> None:
        """Find out from columns of numbers whether a comma is a point in them."""
        at = [self.columns.at[name] for name in names if name in self.columns]
        self._commas = read.commas_are_points(
            (row[k] for _, row in self._table.rows for k in at),
            allowed=self._table.delimiter != ",",
        )

    def _turn_to(self, line: int, row: list[str]) -> None:
        self._row, self._line = row, line

    def _text(self, name: str) -> str:
        """A cell as it stands, "" where there is no such column."""
        k = self.columns.at.get(name)
        return "" if k is None else self._row[k].strip()

    def _take[T](self, name: str, parse: Callable[[str], T], empty: T) -> T:
        """What a cell says; what is wrong with it is noted."""
        text = self._text(name)
        return empty if read.is_empty(text) else self._parsed(name, text, parse, empty)

    def _parsed[T](self, name: str, text: str, parse: Callable[[str], T], empty: T) -> T:
        """What a part of a cell says; what is wrong with it is noted."""
        try:
            read.check_length(text)
            return parse(text)
        except CellFault as fault:
            self._fault(name, str(fault))
            return empty

    def _number(self, name: str, empty: float, low: float = 0.0) -> float:
        return self._take(name, lambda text: read.number(text, commas=self._commas, low=low), empty)

    def _fault(self, name: str, text: str) -> None:
        self.faults.about(self._line, self.columns.title(name), text)

    def _of_day(self, text: str) -> str:
        """A time as people write it, where a spreadsheet keeps it as a part of a day."""
        return text if self._table.delimiter else of_day(text)
