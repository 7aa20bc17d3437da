"""Cells of XLSX and ODS files as text, in the form in which people write it into CSV files.

Numbers are written as short as they read back, times as `HH:MM:SS`, dates as `YYYY-MM-DD`. A sheet
is a grid in memory from its first to its last cell, however few there are between them: how large
it will be is found out from the file before it is made.
"""

from __future__ import annotations

import datetime as dt
import io
import logging
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from nco.archives import BrokenArchiveError, read_members
from nco.data.formats.rows import Rows, rows_from
from nco.errors import FormatError, StorageError, listed, quoted, shortened

logger = logging.getLogger("nco")
ZIP, OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
MOST_CELLS = 8_000_000
_MOST_SPACES = 1_000_000
_NULL_DAY = dt.date(1899, 12, 31)  # spreadsheets count the days of early 1900 from here
_NO_DATE = dt.date(1900, 3, 1)  # sooner: a length of time that is shown as a date

_REFERENCE = re.compile(rb"""\sr\s*=\s*["']([^"']*)["']""")
_PLACE = re.compile(rb"([A-Za-z]{0,3})(\d{1,7})")
_TAG = re.compile(rb"<(?:[\w-]+:)?(table|table-row|table-cell|covered-table-cell)(\s[^<>]*)?>")
_REPEATED = re.compile(rb"""number-(?:rows|columns)-repeated\s*=\s*["']\s*(\d{1,18})\s*["']""")
_SPACES = re.compile(rb"""<(?:[\w-]+:)?s\s[^<>]*?\bc\s*=\s*["']\s*(\d{1,18})\s*["']""")


def read_spreadsheet(path: str | Path, sheets: Sequence[str] = ()) -> Rows:
    """Header and rows of one sheet.

    Args:
        path: of the file.
        sheets: what the sheet may be called; else the first that holds anything is read.

    Raises:
        FormatError: it is damaged, no spreadsheet, empty, or would fill the memory.
        StorageError: it cannot be read.
    """
    path = Path(path)
    try:
        members = read_members(path)
        _refuse_huge(members)
        raw = path.read_bytes()
    except BrokenArchiveError as error:
        raise FormatError(f"{path} is no spreadsheet that can be read: {error}") from None
    except OSError as error:
        raise StorageError(f"cannot read {shortened(path)}: {error.strerror or error}") from error
    del members
    name, cells = _cells(path, raw, sheets)
    if not cells:
        raise FormatError(f"{path} holds no cells; give a header and a row for each stop")
    rows = rows_from(path, cells, "")
    logger.debug("%s: sheet %s is read", path, quoted(name))
    return rows


def _cells(
    path: Path, raw: bytes, sheets: Sequence[str]
) -> tuple[str, list[tuple[int, list[str]]]]:
    """Name and rows of the sheet."""
    from python_calamine import CalamineWorkbook

    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(raw))
        names = list(book.sheet_names)
        wanted = [name for name in names if name.strip().casefold() in sheets]
        filled = []
        for name in wanted or names:
            cells = _filled(book.get_sheet_by_name(name))
            if cells:
                filled.append((name, cells))
            if wanted:
                break
    except Exception as error:
        raise FormatError(
            f"{path} is a damaged spreadsheet ({shortened(error)}); open and save it again"
        ) from None
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # which is how its library in Rust gives up
            raise
        raise FormatError(f"{path} is a damaged spreadsheet; open and save it again") from None
    if not filled:
        return "", []
    if len(filled) > 1:
        others = listed(name for name, _ in filled[1:])
        logger.warning(
            "%s: the sheet %s is read, not %s; put what is to be read first",
            path,
            quoted(filled[0][0]),
            others,
        )
    return filled[0]


def _filled(sheet: Any) -> list[tuple[int, list[str]]]:
    """Number and cells of each row of a sheet that is not empty."""
    if sheet.start is None:
        return []
    rows = enumerate(sheet.to_python(skip_empty_area=False), start=1)
    texts = ((number, [_text(cell) for cell in cells]) for number, cells in rows)
    return [(number, cells) for number, cells in texts if any(cells)]


def _text(cell: Any) -> str:
    """A cell as one would type it into a CSV file."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, float | int):
        whole = float(cell).is_integer() and abs(cell) < 1e15
        return str(int(cell)) if whole else repr(cell)
    if isinstance(cell, dt.datetime):
        if cell.date() < _NO_DATE:
            since = dt.datetime.combine(_NULL_DAY, dt.time())
            return _length(cell - since)
        # To the second, because a spreadsheet has times in parts of a day.
        return f"{cell + dt.timedelta(milliseconds=500):%Y-%m-%d %H:%M:%S}"
    if isinstance(cell, dt.date):
        return _length(cell - _NULL_DAY) if cell < _NO_DATE else f"{cell:%Y-%m-%d}"
    if isinstance(cell, dt.time):
        parts = {"hours": cell.hour, "minutes": cell.minute, "seconds": cell.second}
        return _length(dt.timedelta(**parts, microseconds=cell.microsecond))
    if isinstance(cell, dt.timedelta):
        return _length(cell)
    return "" if cell is None else str(cell)


def _length(length: dt.timedelta) -> str:
    """Hours, minutes and seconds."""
    seconds = round(length.total_seconds())
    sign, seconds = ("-", -seconds) if seconds < 0 else ("", seconds)
    return f"{sign}{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def _refuse_huge(members: dict[str, bytes]) -> None:
    """Refuse sheets of too many cells, the empty ones between others included."""
    if "content.xml" in members:
        spaces = sum(int(found[1]) for found in _SPACES.finditer(members["content.xml"]))
        largest = max(_open_document(members["content.xml"]), default=0)
        if spaces > _MOST_SPACES:
            raise BrokenArchiveError(f"it holds {spaces} spaces in a row; remove them")
    elif "xl/workbook.xml" in members:
        largest = max((_box(raw) for raw in members.values() if b"sheetData" in raw), default=0)
    else:
        raise BrokenArchiveError("it is neither XLSX nor ODS; save it as one of them, or as .csv")
    if largest > MOST_CELLS:
        raise BrokenArchiveError(
            f"a sheet spans {largest} cells, more than {MOST_CELLS}; remove what stands far "
            "below or beside the table"
        )


def _box(raw: bytes) -> int:
    """Cells between the first and the last one of a sheet in XLSX."""
    widest = deepest = 1
    for found in _REFERENCE.finditer(raw):
        place = _PLACE.fullmatch(found[1].strip())
        if place is None:
            raise BrokenArchiveError(f"a cell is called {quoted(found[1][:20])}")
        deepest = max(deepest, int(place[2]))
        if place[1]:
            column = 0
            for letter in place[1].upper():
                column = 26 * column + letter - 64
            widest = max(widest, column)
    return widest * deepest


def _open_document(raw: bytes) -> Iterator[int]:
    """Cells between the first and the last one that is not empty, of each sheet in ODS."""
    widest = deepest = row = column = repeated = 0
    for found in _TAG.finditer(raw):
        tag, attributes = found[1], found[2] or b""
        times = _REPEATED.search(attributes)
        count = int(times[1]) if times else 1
        if tag == b"table":
            yield widest * deepest
            widest = deepest = row = repeated = 0
        elif tag == b"table-row":
            row, column, repeated = row + repeated, 0, count
        else:
            column += count
            if not attributes.rstrip().endswith(b"/") or b"value" in attributes:
                widest, deepest = max(widest, column), row + repeated
    yield widest * deepest
