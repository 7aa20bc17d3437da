"""Tables of drives: `.csv`, packed by gzip or not."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nco.archives import BrokenArchiveError, gunzip
from nco.arguments import path_of
from nco.errors import FormatError, StorageError, listed, quoted

_MOST_DIGITS = 18  # of the number of a node, so that it fits into 64 bits


def read_table(path: str | Path, columns: tuple[str, ...]) -> list[dict[str, str]]:
    """Rows of a `.csv` or `.csv.gz` that has at least these columns.

    Raises:
        FormatError: it has not.
        StorageError: the file cannot be read.
    """
    return [row for _, row in numbered_rows(path, columns)]


def numbered_rows(
    path: str | Path, columns: tuple[str, ...]
) -> Iterator[tuple[int, dict[str, str]]]:
    """Likewise, with the line of each; what is wrong is raised when it is reached."""
    path = path_of(path, "table", FormatError)
    try:
        raw = gunzip(path) if path.suffix == ".gz" else path.read_bytes()
        text = raw.decode("utf-8-sig")
    except OSError as error:
        raise StorageError(f"cannot read {path}: {error.strerror or error}") from error
    except (BrokenArchiveError, UnicodeDecodeError) as error:
        raise FormatError(f"{path} is damaged or no text: {quoted(str(error))}") from None
    reader = csv.DictReader(io.StringIO(text, newline=""))
    try:
        header = reader.fieldnames or []
        if missing := [name for name in columns if name not in header]:
            raise FormatError(
                f"{path}: there is no column {' or '.join(map(quoted, missing))}; it has "
                f"{listed(header) if header else 'none'}"
            )
        for row in reader:
            if any(row[name] is None for name in columns):
                raise FormatError(f"{path}, line {reader.line_num} has too few cells")
            yield reader.line_num, row
    except csv.Error as error:
        raise FormatError(f"{path}, line {reader.line_num}: {quoted(str(error))}") from None


def osm_nodes(path: str | Path, line: int, cell: str) -> NDArray[np.int64]:
    """The nodes of OpenStreetMap in a cell, blanks between them.

    Raises:
        FormatError: there are none, or something else.
    """
    words = cell.split()
    if not words or not all(word.isdecimal() and len(word) <= _MOST_DIGITS for word in words):
        raise FormatError(f"{path}, line {line}: osm_nodes must be whole numbers, blanks between")
    return np.array(words, dtype=np.int64)
