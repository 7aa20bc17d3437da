"""The text of VRPLIB and TSPLIB files taken apart: specifications and sections, line by line.

`KEY : value` is a specification, `KEY_SECTION` begins a section of rows that ends at the next key,
in any order, up to `EOF`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

import numpy as np

from nco.arrays import Floats
from nco.errors import FormatError, quoted

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

    def table(self, n: int, width: int) -> Floats:
        """`[n, width]` numbers of nodes 1 to n, whose numbers come first and are checked."""
        rows = []
        for count, (line, row) in enumerate(self.lines, start=1):
            if row[0] != str(count):
                self.fail(
                    f"must number its nodes 1, 2, 3, ...; expected {count}, found {quoted(row[0])}",
                    line,
                )
            if len(row) != width + 1:
                self.fail(f"has {len(row) - 1} numbers for node {count}; give {width}", line)
            rows.append([self._number(line, word) for word in row[1:]])
        if len(rows) != n:
            self.fail(f"has {len(rows)} rows; give one a node ({n})")
        return np.array(rows)

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
