"""Links that open a route or a stop in navigation apps.

- Google Maps takes a whole route: origin, up to nine places between, destination (its "Maps URLs"
  documentation; a web browser on a phone takes three). Longer routes are cut into parts.
- Apple Maps and `geo:` (RFC 5870, which Android hands to any app) take one place.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

if TYPE_CHECKING:
    from segno import QRCode

LonLat = tuple[float, float]
MOST_BETWEEN = 9
_LONGEST_NAME = 60
_GOOGLE = {"car": "driving", "bicycle": "bicycling", "foot": "walking"}
_APPLE = {"car": "d", "bicycle": "c", "foot": "w"}


@dataclass(frozen=True)
class Part:
    """A part of a route that one link opens.

    Attributes:
        first: index of its first place.
        last: index of its last place.
        url: of Google Maps.
    """

    first: int
    last: int
    url: str


def parts(places: Sequence[LonLat], profile: str = "car") -> list[Part]:
    """Links for a route through places; each part begins where the one before ends."""
    found, step = [], MOST_BETWEEN + 1
    for first in range(0, len(places) - 1, step):
        last = min(first + step, len(places) - 1)
        options = {
            "api": "1",
            "origin": _latlon(places[first]),
            "destination": _latlon(places[last]),
            "travelmode": _GOOGLE.get(profile, "driving"),
        }
        if between := places[first + 1 : last]:
            options["waypoints"] = "|".join(map(_latlon, between))
        found.append(Part(first, last, f"https://www.google.com/maps/dir/?{urlencode(options)}"))
    return found


@lru_cache(maxsize=256)
def code(url: str) -> QRCode:
    """The code of a link."""
    import segno

    return segno.make(url, error="l", micro=False)


def google(place: LonLat, profile: str = "car") -> str:
    """From where one is to a place, by Google Maps."""
    options = {"api": "1", "destination": _latlon(place)}
    options["travelmode"] = _GOOGLE.get(profile, "driving")
    return f"https://www.google.com/maps/dir/?{urlencode(options)}"


def apple(place: LonLat, profile: str = "car") -> str:
    """From where one is to a place, by Apple Maps."""
    options = {"daddr": _latlon(place), "dirflg": _APPLE.get(profile, "d")}
    return f"https://maps.apple.com/?{urlencode(options)}"


def geo(place: LonLat, name: str) -> str:
    """A place with a name, for any app."""
    at = _latlon(place)
    return f"geo:{at}?q={at}({quote(name[:_LONGEST_NAME], safe='')})"


def tel(phone: str) -> str:
    """A link that dials; empty where there is nothing to dial."""
    digits = "".join(letter for letter in phone if letter.isascii() and letter.isdigit())
    plus = "+" if phone.strip().startswith("+") else ""
    return f"tel:{plus}{digits}" if 3 <= len(digits) <= 15 else ""


def _latlon(place: LonLat) -> str:
    return f"{place[1]:.6f},{place[0]:.6f}"
