"""What a geocoder is asked, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

SURE = 0.5
"""Below this a place is doubtful, and a person should look at it."""


class Certainty(StrEnum):
    """How well a place is known."""

    EXACT = "exact"
    PLACE = "place"
    INTERPOLATED = "interpolated"
    STREET = "street"
    DOUBTFUL = "doubtful"
    NOTHING = "nothing"


@dataclass(frozen=True)
class Address:
    """What was asked.

    Attributes:
        text: street and number, or the name of a place, with or without postcode and city.
        postcode: what else is known of it; empty if nothing is.
        city: likewise.
    """

    text: str
    postcode: str = ""
    city: str = ""

    def __str__(self) -> str:
        behind = " ".join(part for part in (self.postcode, self.city) if part)
        return f"{self.text}, {behind}" if behind else self.text


@dataclass(frozen=True)
class Place:
    """A place that may be the one that was asked for.

    Attributes:
        label: what it is, in the map's own words.
        lonlat: where it is, in degrees.
        sure: 1 where there is no doubt, 0 where there is nothing but doubt.
        kind: how well it is known, if it is the right one: exact, place, interpolated or street.
        how: how it was found, and what speaks against it.
        within_m: how far off it may be, if it is the right one.
    """

    label: str
    lonlat: tuple[float, float]
    sure: float
    kind: Certainty
    how: str
    within_m: float = 0.0

    @property
    def word(self) -> Certainty:
        """How sure it is, as a word."""
        return self.kind if self.sure >= SURE else Certainty.DOUBTFUL

    def row(self) -> dict[str, Any]:
        """As plain data, for JSON."""
        return {
            "found": self.label,
            "lon": self.lonlat[0],
            "lat": self.lonlat[1],
            "sure": round(self.sure, 3),
            "word": str(self.word),
            "how": self.how,
            "within_m": round(self.within_m, 1),
        }


@dataclass(frozen=True)
class Geocoded:
    """What was found of an address.

    Attributes:
        asked: the address.
        best: the place that is most likely the one, None where nothing was found.
        others: the next candidates, the likelier first.
        why: why nothing was found.
    """

    asked: Address
    best: Place | None = None
    others: tuple[Place, ...] = ()
    why: str = ""

    @property
    def lonlat(self) -> tuple[float, float] | None:
        """Longitude and latitude, None where nothing was found."""
        return None if self.best is None else self.best.lonlat

    @property
    def sure(self) -> float:
        """0 to 1."""
        return 0.0 if self.best is None else self.best.sure

    @property
    def word(self) -> Certainty:
        """How sure it is, as a word."""
        return Certainty.NOTHING if self.best is None else self.best.word

    @property
    def doubtful(self) -> bool:
        """Whether a person should look at it."""
        return self.sure < SURE

    def row(self) -> dict[str, Any]:
        """As plain data, for JSON."""
        found: dict[str, Any] = {"asked": str(self.asked)}
        if self.best is None:
            nothing = dict.fromkeys(("found", "lon", "lat", "within_m"))
            return found | nothing | {"sure": 0.0, "word": str(self.word), "how": self.why}
        return found | self.best.row() | {"others": [other.row() for other in self.others]}

    def __str__(self) -> str:
        if self.best is None:
            return f"{self.asked}: nothing found: {self.why}"
        lon, lat = self.best.lonlat
        return (
            f"{self.asked}: {self.best.label} ({lon:.6f}, {lat:.6f}), {self.word} "
            f"{self.best.sure:.2f}: {self.best.how}"
        )
