"""Where rows are that have an address in place of coordinates."""

from __future__ import annotations

from collections.abc import Sequence

from nco.data.formats.tables.faults import Faults
from nco.data.formats.tables.stop_rows import StopRow


def complete(rows: Sequence[StopRow], faults: Faults) -> None:
    """Give coordinates to rows that have none but an address.

    Nothing here can look addresses up, so every such row is a fault.

    Args:
        rows: of a table; `details` have `address`, or `street`, `house_number`, `postcode`, `city`.
        faults: where to say which rows cannot be placed.
    """
    for row in rows:
        if row.lonlat is None and row.line not in faults.rows:
            faults.about(row.line, "", "there is an address, but no lat and lon; add them")
