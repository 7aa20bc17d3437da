"""Tables of any kind of file: text with separators, or a spreadsheet."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from nco.data.formats import spreadsheet
from nco.data.formats.csv_rows import read_csv
from nco.data.formats.json_file import read_bytes
from nco.data.formats.rows import Rows
from nco.errors import FormatError

TEXTS = (".csv", ".tsv")
SPREADSHEETS = (".xlsx", ".xlsm", ".ods")
SUFFIXES = (*TEXTS, *SPREADSHEETS)
_OTHERS = (".xls", ".xlsb", ".numbers", ".gsheet")


def is_table(path: str | Path) -> bool:
    """Whether a file is a table by its suffix."""
    return Path(path).suffix.lower() in (*SUFFIXES, *_OTHERS)


def read_rows(path: str | Path, sheets: Sequence[str] = ()) -> Rows:
    """The rows of a table.

    Args:
        path: of the file; what is a spreadsheet inside is read as one, whatever its suffix.
        sheets: names of the sheet to read, in small letters, where a spreadsheet has several; the
            first that holds anything if none is called so.

    Raises:
        FormatError: it is no such table, or one that would fill the memory.
        StorageError: it cannot be read.
    """
    suffix = Path(path).suffix.lower()
    start = read_bytes(path)[:4]
    if start == spreadsheet.ZIP and suffix not in (".numbers", ".xlsb"):
        return spreadsheet.read_spreadsheet(path, sheets)
    if suffix in (*_OTHERS, *SPREADSHEETS) or start == spreadsheet.OLE:
        kind = "of an older kind, or has a password" if start == spreadsheet.OLE else "of a kind"
        raise FormatError(
            f"{path} is {kind} that is not read; save it without a password as .xlsx, .ods or .csv"
        )
    return read_csv(path)
