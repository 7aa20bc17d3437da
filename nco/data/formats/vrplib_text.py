"""The text of VRPLIB and TSPLIB files taken apart: specifications and sections, line by line.

`KEY : value` is a specification, `KEY_SECTION` begins a section of rows that ends at the next key,
in any order, up to `EOF`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

import numpy as np

from nco.arrays import Floats
from nco.errors import FormatError, counted, quoted

_SPECIFICATION = re.compile(r"([A-Za-z][A-Za-z_0-9 ]*?)\s*:\s*(.*)")
_SECTION = re.compile(r"([A-Za-z][A-Za-z_0-9 ]*)_SECTION\s*:?\s*")


@dataclass(frozen=True)
class Section:
    """Rows of a section.

    Attributes:
        path: of the file.
        name: without `_SECTION`.
        lines: number in the file and words of each row.
    """

    path: str | Path
    name: str
    lines: list[tuple[int, list[str]]] = field(default_factory=list)

    def fail(self, problem: str, line: int | None = None) -> NoReturn:
        """Raise a FormatError about the section."""
        where = "" if line is None else f", line {line}"
        raise FormatError(f"{self.path}{where}: {self.name}_SECTION {problem}")

    def numbers(self) -> Floats:
        """All numbers of the section in a row."""
        words = [word for _, row in self.lines for word in row]
        try:
            found = np.array(words, dtype=np.float64)
        except ValueError:
            found = np.array([np.nan])
        if not np.isfinite(found).all():  # seldom: look for the first word that is none
            found = np.array([self._number(line, word) for line, row in self.lines for word in row])
        return found

    def table(self, n: int, width: int, of: str = "node") -> Floats:
        """`[n, width]` numbers of nodes 1 to n, whose numbers come first and are checked.

        Args:
            n: how many rows there must be.
            width: how many numbers in each.
            of: what rows are of, for messages.
        """
        rows = []
        for count, line, words in self._numbered(of):
            if len(words) != width:
                self.fail(
                    f"has {counted(len(words), 'number')} for {of} {count}; give {width}", line
                )
            rows.append([self._number(line, word) for word in words])
        if len(rows) != n:
            self.fail(f"has {counted(len(rows), 'row')}; give one a {of} ({n})")
        return np.array(rows)

    def lists(self, n: int | None, nodes: int, of: str) -> list[list[int]]:
        """Of each vehicle or group the nodes that are listed for it, counted from 0.

        Args:
            n: how many rows there must be; None is any number.
            nodes: how many nodes there are.
            of: what rows are of, for messages.
        """
        rows = []
        for count, line, words in self._numbered(of):
            given = [self._number(line, word) for word in words]
            for number, word in zip(given, words, strict=True):
                if number % 1 or not 1 <= number <= nodes:
                    self.fail(
                        f"names node {quoted(word)} for {of} {count}; nodes are 1 to {nodes}", line
                    )
            rows.append([int(number) - 1 for number in given])
        if n is not None and len(rows) != n:
            self.fail(f"has {counted(len(rows), 'row')}; give one a {of} ({n})")
        return rows

    def _numbered(self, of: str) -> Iterator[tuple[int, int, list[str]]]:
        """Number, line and further words of each row."""
        for count, (line, row) in enumerate(self.lines, start=1):
            if row[0] != str(count):
                self.fail(
                    f"must number its {of}s 1, 2, 3, ...; expected {count}, found {quoted(row[0])}",
                    line,
                )
            yield count, line, row[1:]

    def _number(self, line: int, word: str) -> float:
        try:
            value = float(word)
        except ValueError:
            value = np.nan
        if not np.isfinite(value):
            self.fail(f"holds {quoted(word)}, which is not a finite number", line)
        return value


@dataclass(frozen=True)
class Text:
    """A file taken apart.

    Attributes:
        path: of the file.
        specifications: line and value by key in upper case.
        sections: by name.
    """

    path: str | Path
    specifications: dict[str, tuple[int, str]]
    sections: dict[str, Section]

    def __contains__(self, key: str) -> bool:
        """Whether there is such a specification or section."""
        return key in self.specifications or key in self.sections

    def word(self, key: str, default: str = "") -> str:
        """The value of a specification."""
        return self.specifications.get(key, (0, default))[1]

    def number(self, key: str) -> float | None:
        """The value of a specification that is a number; None without it."""
        if key not in self.specifications:
            return None
        line, word = self.specifications[key]
        try:
            value = float(word)
        except ValueError:
            value = np.nan
        if not np.isfinite(value):
            raise FormatError(
                f"{self.path}, line {line}: {key} is {quoted(word)}; it must be a finite number"
            )
        return value

    def each(self, key: str, n: int, of: str) -> Floats | None:
        """`[n]` numbers that stand in a section, or as one value for all; None without either."""
        if key in self.sections:
            return self.sections[key].table(n, 1, of)[:, 0]
        value = self.number(key)
        return None if value is None else np.full(n, value)


def take_apart(path: str | Path, text: str) -> Text:
    """Split a text into specifications and sections.

    Raises:
        FormatError: a line belongs to neither, or something is there twice.
    """
    specifications: dict[str, tuple[int, str]] = {}
    sections: dict[str, Section] = {}
    current: Section | None = None
    for number, raw in enumerate(text.splitlines(), start=1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        if line == "EOF":
            break
        key, known = "", False
        if found := _SECTION.fullmatch(line):
            key, known = found[1], found[1] in sections
            current = sections.setdefault(key, Section(path, key))
        elif found := _SPECIFICATION.fullmatch(line):
            key = found[1].upper()
            known = key in specifications and key != "COMMENT"
            specifications[key] = (number, found[2])
            current = None
        elif current is not None:
            current.lines.append((number, line.split()))
        else:
            raise FormatError(
                f"{path}, line {number}: {quoted(line)} is neither KEY : value nor a row of a "
                "section; this is not a VRPLIB or Solomon instance"
            )
        if known:
            raise FormatError(f"{path}, line {number}: {quoted(key)} is there twice; remove one")
    return Text(path, specifications, sections)
