"""All that is wrong with a table, collected and told together."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from nco.errors import FormatError, quoted, worded

MOST_TOLD = 20


class CellFault(ValueError):  # noqa: N818 -- it never leaves the readers of tables
    """What is wrong with a cell, said behind the name of its column."""


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong with a table.

    Attributes:
        line: of the row, as `Faults.word` counts; of the titles where it is about them.
        title: of the column, empty for a row as a whole.
        text: what is wrong, and what to do.
        of: our name of what the row as a whole lacks, such as `address`; empty if nothing is known.
    """

    line: int
    title: str
    text: str
    of: str = ""


class TableError(FormatError):
    """A table cannot be read as it stands; the message tells of all its faults.

    Attributes:
        faults: each of them.
    """

    def __init__(self, message: str, faults: tuple[Fault, ...]) -> None:
        super().__init__(message)
        self.faults = faults

    def __reduce__(self) -> tuple[type, tuple[str, tuple[Fault, ...]]]:
        """Exceptions are pickled by their message alone."""
        return type(self), (str(self), self.faults)


@dataclass
class Faults:
    """What is wrong with a table.

    Attributes:
        path: of the file.
        word: what a row is called, `line` or `row`.
        head: the row with the titles.
        titles: what is wrong with these.
        rows: texts by row.
        all: each of them.
        skippable: whether rows may be left out.
    """

    path: str | Path
    word: str = "line"
    head: int = 1
    titles: list[str] = field(default_factory=list)
    rows: dict[int, list[str]] = field(default_factory=dict)
    all: list[Fault] = field(default_factory=list)
    skippable: bool = True

    def about_titles(self, text: str) -> None:
        """Note what is wrong with the titles."""
        self.titles.append(f"{self.word} {self.head}: {text}")
        self.all.append(Fault(self.head, "", text))

    def about(self, line: int, title: str, text: str, of: str = "") -> None:
        """Note what is wrong with a cell, or with a row if there is no title."""
        where = f", column {quoted(title)} " if title else ": "
        self.rows.setdefault(line, []).append(f"{self.word} {line}{where}{text}")
        self.all.append(Fault(line, title, text, of))

    def raise_titles(self) -> None:
        """Raise if something is wrong with the titles.

        Raises:
            TableError: all of it.
        """
        if self.titles:
            raise TableError(self._message(self.titles, ""), tuple(self.all))

    def raise_rows(self) -> None:
        """Raise if something is wrong with a row.

        Raises:
            TableError: all of it.
        """
        if self.rows:
            skip = worded("skip_bad_rows=True", "--skip-bad-rows")
            advice = f", or leave such rows out ({skip})" if self.skippable else ""
            raise TableError(self._message(self.told(), advice), tuple(self.all))

    def told(self) -> list[str]:
        """What is wrong with rows, from the first row to the last."""
        return [text for line in sorted(self.rows) for text in self.rows[line]]

    def _message(self, texts: list[str], advice: str) -> str:
        if len(texts) == 1:
            return f"{self.path}, {texts[0]}"
        shown = "".join(f"\n  {text}" for text in texts[:MOST_TOLD])
        more = len(texts) - MOST_TOLD
        rest = f"\n  and {more} more" if more > 0 else ""
        return f"{self.path} has {len(texts)} faults; mend them{advice}:{shown}{rest}"
