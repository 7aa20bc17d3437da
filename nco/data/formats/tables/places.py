"""Where rows are that have an address in place of coordinates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from nco.data.formats.tables.faults import Faults
from nco.data.formats.tables.stop_rows import StopRow
from nco.errors import option, quoted, shortened

if TYPE_CHECKING:
    from nco.data.cities.geocode.found import Address, Geocoded
    from nco.data.cities.geocode.server import Geocoder

FOUND, WORD, SURE, HOW = "geocoded", "geocoded_as", "geocoded_sure", "geocoded_how"
"""Titles of the details that say what was found of an address, and how sure that is."""
_CANDIDATES = 3


def complete(
    rows: Sequence[StopRow],
    faults: Faults,
    geocoder: Geocoder | None = None,
    *,
    accept_doubtful: bool = False,
) -> None:
    """Give coordinates to rows that have none but an address, and say in their details how.

    Args:
        rows: of a table; `details` have `address`, or `street`, `house_number`, `postcode`, `city`.
        faults: where to say which rows cannot be placed.
        geocoder: finds addresses; without one every such row is a fault.
        accept_doubtful: take places that a person should look at; otherwise they are faults.
    """
    for row in rows:
        if row.lonlat is not None or row.line in faults.rows:
            continue
        if geocoder is None:
            text = f"there is an address, but no lat and lon; add them, or give {option('city')}"
            faults.about(row.line, "", f"{text} to have it looked up", of="address")
            continue
        found = geocoder.find(address_of(row.details), _CANDIDATES)
        if found.best is None or (found.doubtful and not accept_doubtful):
            faults.about(row.line, "", _doubt(found), of="address")
        else:
            best = found.best
            row.lonlat = best.lonlat
            sure = f"{best.sure:.2f}"
            row.details |= {FOUND: best.label, WORD: str(best.word), SURE: sure, HOW: best.how}


def address_of(words: Mapping[str, str]) -> Address:
    """The address in the details of a stop."""
    from nco.data.cities.geocode.found import Address

    street = f"{words.get('street', '')} {words.get('house_number', '')}".strip()
    text = words.get("address", "") or street
    return Address(text, words.get("postcode", ""), words.get("city", ""))


def _doubt(found: Geocoded) -> str:
    """Why an address has no place that counts, and what to do."""
    asked = quoted(str(found.asked))
    mend = "correct the address, or add lat and lon"
    if found.best is None:
        return f"nothing is found for {asked}: {found.why}; {mend}"
    shown = [
        f"{shortened(place.label)} (lat {place.lonlat[1]:.6f}, lon {place.lonlat[0]:.6f})"
        for place in (found.best, *found.others)
    ]
    others = f"; or is it {', or '.join(shown[1:])}?" if len(shown) > 1 else ""
    return (
        f"{asked} is doubtful: {shown[0]} is {found.best.how}{others} If the first one is right, "
        f"accept it ({option('accept_doubtful')}), or {mend}"
    )
