"""Addresses from files, and the places that were found of them as CSV.

A table of addresses has a column `address`, or `street` and `house_number`, and may have
`postcode` and `city`; any other text file has an address a line.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from nco.data.cities.city import CREDIT
from nco.data.cities.geocode.found import Address, Geocoded
from nco.data.formats.csv_rows import table_text
from nco.data.formats.json_file import read_text
from nco.data.formats.table_files import is_table, read_rows
from nco.data.formats.tables.faults import Faults
from nco.data.formats.tables.places import address_of
from nco.data.formats.tables.titles import STOPS, columns_of
from nco.errors import FormatError, InputError, listed, shortened
from nco.files import write_atomic

_ADDRESS = ("address", "street", "house_number", "postcode", "city")
_HEADER = ("address", "postcode", "city", "lon", "lat", "sure", "word", "found", "how",
           "within_m", "candidates", "attribution")  # fmt: skip


def read_addresses(path: str | Path) -> list[Address]:
    """Read a file of addresses.

    Raises:
        FormatError: it is no such table, or there is no address in it.
        StorageError: it cannot be read.
    """
    path = Path(path)
    if not is_table(path):
        lines = [line.strip() for line in read_text(path).splitlines()]
        return [Address(line) for line in lines if line]
    table = read_rows(path).whole(path)
    faults = Faults(path, table.word, table.head)
    at = columns_of(table.header, STOPS, faults).at
    faults.raise_titles()
    if "address" not in at and "street" not in at:
        raise FormatError(
            f"{path}: there is no column 'address' (or 'street'); it has {listed(table.header)}"
        )
    return [
        address_of({name: cells[at[name]].strip() for name in _ADDRESS if name in at})
        for _, cells in table.rows
    ]


def write_geocoded(path: str | Path, found: Sequence[Geocoded]) -> Path:
    """Write what was found of addresses, a row each.

    Raises:
        InputError: the path does not end in `.csv`.
        StorageError: the file cannot be written; what stood there before is untouched.
    """
    path = Path(path)
    if path.suffix.lower() != ".csv":
        raise InputError(f"{shortened(path)} must end in .csv")
    return write_atomic(path, table_text(_HEADER, [_row(one) for one in found]))


def _row(one: Geocoded) -> list[object]:
    asked = [one.asked.text, one.asked.postcode, one.asked.city]
    if one.best is None:
        return [*asked, "", "", 0.0, str(one.word), "", one.why, "", "", ""]
    best = one.best
    others = " | ".join(f"{o.label} ({o.lonlat[0]}, {o.lonlat[1]})" for o in one.others)
    numbers = [*best.lonlat, round(best.sure, 3), str(best.word)]
    return [*asked, *numbers, best.label, best.how, round(best.within_m, 1), others, CREDIT]
