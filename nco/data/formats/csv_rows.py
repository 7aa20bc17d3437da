"""Rows of CSV files, as spreadsheets write them, in and out.

Commas, semicolons, bars and tabs separate cells, or what a first line `sep=;` names. The text is
UTF-8, UTF-16 with its mark, or Windows-1252, which is said in the log.

A cell that a spreadsheet would run as a formula (it begins with `=`, `+`, `-`, `@`, a tab or a
carriage return and is no number) is written with an apostrophe before it, which reading takes away
again (OWASP, "CSV Injection").
"""

from __future__ import annotations

import codecs
import csv
import io
import logging
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from nco.data.formats.json_file import read_bytes, read_text
from nco.data.formats.rows import Rows, rows_from
from nco.errors import FormatError, shortened

logger = logging.getLogger("nco")
_LOOK = 200  # bytes that tell UTF-16 of western letters
_SEPARATORS = ",;\t|"
_NAMED = re.compile(r'"?sep=([,;|\t])"?[,;\t ]*', re.IGNORECASE)
_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_ESCAPED = re.compile(r"'+[=+\-@\t\r]")
_NUMERAL = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)


def read_csv(path: str | Path) -> Rows:
    """Header, rows and delimiter of a CSV file.

    Raises:
        FormatError: it is not CSV.
        StorageError: it cannot be read.
    """
    text = _text(path)
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise FormatError(f"{path}, line {line} holds a zero byte, so it is no table of text")
    lines = text.splitlines()
    if found := _NAMED.fullmatch(lines[0]):
        delimiter, text = found[1], text[len(lines[0]) :]
    else:
        first = next((line for line in lines if any(map(line.count, _SEPARATORS))), "")
        delimiter = max(_SEPARATORS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows = []
    before = 0
    try:
        for cells in reader:
            rows.append((before + 1, [_plain(cell) for cell in cells]))
            before = reader.line_num
    except csv.Error as error:
        raise FormatError(f"{path}, line {before + 1}: not CSV ({shortened(error)})") from None
    return rows_from(path, rows, delimiter)


def table_text(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table as CSV, in which no cell is a formula."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(map(_harmless, header))
    writer.writerows(map(_harmless, row) for row in rows)
    return text.getvalue()


def is_formula(text: str) -> bool:
    """Whether a spreadsheet would run what a cell holds."""
    return _FORMULA.match(text) is not None and not _NUMERAL.fullmatch(text)


def _harmless(cell: object) -> object:
    return f"'{cell}" if isinstance(cell, str) and is_formula(cell) else cell


def _plain(cell: str) -> str:
    """A cell without the apostrophe that keeps spreadsheets from running it."""
    return cell[1:] if _ESCAPED.match(cell) else cell


def _text(path: str | Path) -> str:
    raw = read_bytes(path)
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return _decoded(path, raw, "utf-16")
    if len(raw) % 2 == 0 and not any(raw[1:_LOOK:2]) and all(raw[:_LOOK:2]):
        return _decoded(path, raw, "utf-16-le")  # without its mark
    try:
        raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # Other characters beyond ASCII before the first that is wrong: UTF-8, but damaged.
        if raw[: error.start].isascii():
            text = _decoded(path, raw, "cp1252")
            logger.warning(
                "%s is not UTF-8 and read as Windows-1252; if names look wrong, save it as UTF-8",
                path,
            )
            return text
    return read_text(path)


def _decoded(path: str | Path, raw: bytes, encoding: str) -> str:
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError as error:
        raise FormatError(
            f"{path}: byte {error.start + 1} is neither UTF-8 nor {encoding}; save it as UTF-8"
        ) from None
    if not text.strip():
        raise FormatError(f"{path} is empty")
    return text
