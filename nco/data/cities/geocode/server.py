"""Nominatim and Photon servers, which know addresses that an extract does not.

What they answer is not believed: it is compared with what was asked, as an extract's addresses
are, and its size, depth and types are checked.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlencode, urlsplit

from nco.arguments import of_kind
from nco.data.cities.geocode import words
from nco.data.cities.geocode.context import Known, weigh
from nco.data.cities.geocode.found import Address, Certainty, Geocoded, Place
from nco.data.cities.geocode.numbers import agreement, houses
from nco.data.cities.geocode.readings import LONGEST, Reading, readings
from nco.data.cities.geocode.search import settled
from nco.data.cities.geocode.similar import similarity, trust
from nco.data.cities.nominatim import search
from nco.data.cities.web import Ask
from nco.errors import InputError, ServiceError, quoted, shortened
from nco.json_text import parse_json

KINDS = ("nominatim", "photon")
_PUBLIC = ("nominatim.openstreetmap.org", "photon.komoot.io")
_PUBLIC_PAUSE_S = 1.0  # the public servers allow one question a second
_MOST_BYTES = 1 << 22
_MOST_ANSWERS = 20
_LONGEST_TEXT = 200
_TOWNS = ("city", "town", "village", "municipality", "hamlet", "suburb", "county")
_STREETS = ("road", "pedestrian", "footway", "square", "place", "hamlet", "village")
_STREET, _STREET_M, _NO_NUMBER, _LEFT_NUMBER = 0.6, 250.0, 0.45, 0.5
_PLACE, _PLACE_M, _REGION, _REGION_M = 0.9, 30.0, 0.3, 2000.0


class Geocoder(Protocol):
    """Anything that finds addresses."""

    def find(self, asked: Address, most: int = 5) -> Geocoded:
        """The likeliest place of an address, and up to `most` further candidates."""
        ...


@dataclass(frozen=True)
class _Answer:
    """One answer of a server, whichever it was."""

    lonlat: tuple[float, float]
    label: str
    name: str
    street: str
    number: str
    postcode: str
    town: str
    kind: str


class GeocodeServer:
    """Asks a Nominatim or Photon server.

    Args:
        url: such as `http://127.0.0.1:8080` (the part before `/search` or `/api`).
        kind: `nominatim` or `photon`; None tells by the address, which a Photon server has its
            name or `/api` in.
        bbox: west, south, east, north; places outside are not asked for.
        timeout_s: for one answer.
        retries: further tries after a failed connection, a time-out, 429 or a server error.
        pause_s: before the first retry; doubled before each further one.

    Raises:
        InputError: an option is out of range.
    """

    def __init__(
        self,
        url: str,
        kind: str | None = None,
        *,
        bbox: tuple[float, float, float, float] | None = None,
        timeout_s: float = 30.0,
        retries: int = 3,
        pause_s: float = 0.5,
    ) -> None:
        of_kind(url, str, "url", "the address of a server, such as 'https://photon.komoot.io'")
        if kind is not None and (not isinstance(kind, str) or kind not in KINDS):
            raise InputError(f"kind is {quoted(kind)}; choose one of {', '.join(KINDS)}")
        if retries < 0 or not timeout_s > 0:
            raise InputError(f"retries={retries} must be 0 or more, timeout_s={timeout_s} positive")
        url = url.rstrip("/")
        photon = "photon" in url.casefold() or url.endswith("/api")
        self.kind = kind or ("photon" if photon else "nominatim")
        self.url = url.removesuffix("/search").removesuffix("/api")
        self.bbox = bbox
        self._ask = Ask(timeout_s, retries, pause_s, _MOST_BYTES)
        self._rest_s = _PUBLIC_PAUSE_S if urlsplit(url).hostname in _PUBLIC else 0.0
        self._asked_s = -math.inf

    def __repr__(self) -> str:
        return f"GeocodeServer({quoted(self.url)}, kind={quoted(self.kind)})"

    def within(self, bbox: tuple[float, float, float, float] | None) -> GeocodeServer:
        """The same server, asked for places in a box if it has none yet."""
        if bbox is None or self.bbox is not None:
            return self
        bound = copy(self)
        bound.bbox = bbox
        return bound

    def find(self, asked: Address, most: int = 5) -> Geocoded:
        """The likeliest place of an address, and up to `most` further candidates.

        Raises:
            ServiceError: the server is down, slow or answers nonsense.
        """
        if not words.folded(asked.text):
            return Geocoded(asked, why="there is no address")
        if len(asked.text) > LONGEST:
            return Geocoded(asked, why=f"no address is longer than {LONGEST} characters")
        answers = self._answers(asked, min(most + 1, _MOST_ANSWERS))
        tried = readings(asked.text)
        ranked = settled(_weighed(asked, tried, answer) for answer in answers)
        if not ranked:
            return Geocoded(asked, why=f"{self.url} knows no such place")
        return Geocoded(asked, ranked[0], tuple(ranked[1 : most + 1]))

    def _answers(self, asked: Address, most: int) -> list[_Answer]:
        words_asked = ", ".join(part for part in (asked.text, asked.postcode, asked.city) if part)
        box = "" if self.bbox is None else ",".join(f"{edge:.6f}" for edge in self.bbox)
        wait_s = self._asked_s + self._rest_s - time.monotonic()
        if wait_s > 0:
            time.sleep(wait_s)
        try:
            if self.kind == "photon":
                return list(_photon(self._photon_says(words_asked, most, box)))
            within = {"viewbox": box, "bounded": 1} if box else {}
            options = {"limit": most, "addressdetails": 1, **within}
            return list(_nominatim(search(self._ask, self.url, words_asked, **options)))
        except (ValueError, TypeError, AttributeError, LookupError, OverflowError) as error:
            raise ServiceError(
                f"{self.url} does not answer as a {self.kind} server does ({shortened(error)}); "
                "check its address and kind"
            ) from error
        finally:
            self._asked_s = time.monotonic()

    def _photon_says(self, text: str, most: int, box: str) -> Any:
        options = {"q": text, "limit": most, **({"bbox": box} if box else {})}
        status, body = self._ask(f"{self.url}/api?{urlencode(options)}")
        if status != 200:
            raise ValueError(f"status {status}")
        return parse_json(body)


def _nominatim(content: list[dict[str, Any]]) -> Iterator[_Answer]:
    """Answers in Nominatim's `jsonv2`."""
    for found in content[:_MOST_ANSWERS]:
        parts = found.get("address") or {}
        street = _first(parts, _STREETS)
        kind = f"{_word(found.get('category', found.get('class')))}={_word(found.get('type'))}"
        yield _Answer(
            _lonlat(found["lon"], found["lat"]),
            _word(found.get("display_name")),
            _word(found.get("name")),
            street,
            _word(parts.get("house_number")),
            _word(parts.get("postcode")),
            _first(parts, _TOWNS),
            kind,
        )


def _photon(content: Any) -> Iterator[_Answer]:
    """Answers in Photon's GeoJSON."""
    if not isinstance(content["features"], list):
        raise ValueError("no list of places")
    for found in content["features"][:_MOST_ANSWERS]:
        lon, lat = found["geometry"]["coordinates"]
        facts = found["properties"]
        kind = f"{_word(facts.get('osm_key'))}={_word(facts.get('osm_value'))}"
        name = _word(facts.get("name"))
        street = _word(facts.get("street")) or (name if kind.startswith("highway=") else "")
        number, postcode = _word(facts.get("housenumber")), _word(facts.get("postcode"))
        town = _first(facts, _TOWNS)
        parts = (name, f"{street} {number}".strip(), f"{postcode} {town}".strip())
        label = ", ".join(dict.fromkeys(part for part in parts if part))
        yield _Answer(_lonlat(lon, lat), label, name, street, number, postcode, town, kind)


def _lonlat(lon: Any, lat: Any) -> tuple[float, float]:
    if isinstance(lon, bool) or isinstance(lat, bool):
        raise TypeError("coordinates that are no numbers")
    x, y = float(lon), float(lat)
    if not (abs(x) <= 180 and abs(y) <= 90):
        raise ValueError(f"a place at {x:g}, {y:g}")
    return round(x, 7), round(y, 7)


def _word(value: Any) -> str:
    """A text of an answer on one line, and no longer than names are; empty for null."""
    if value is None:
        return ""
    if not isinstance(value, str | int | float):
        raise TypeError("a name that is no text")
    return " ".join(str(value)[:_LONGEST_TEXT].split())


def _first(parts: dict[str, Any], names: tuple[str, ...]) -> str:
    return next((_word(parts[name]) for name in names if parts.get(name)), "")


def _weighed(asked: Address, tried: list[Reading], answer: _Answer) -> Place:
    """An answer with its certainty by the reading that goes with it best."""
    return max((_as_place(asked, reading, answer) for reading in tried), key=lambda one: one.sure)


def _as_place(asked: Address, reading: Reading, answer: _Answer) -> Place:
    """An answer with the certainty that it is what was asked for, in one reading."""
    street = similarity(reading.street, answer.street) if answer.street else 0.0
    name = similarity(reading.street, answer.name) if answer.name else 0.0
    factor, against = weigh(reading, asked, answer.postcode, answer.town, _around(answer))
    kind, within_m, how = Certainty.STREET, _STREET_M, "the street"
    if reading.number is not None:
        fit = max((agreement(reading.number, one) for one in houses(answer.number)), default=0.0)
        sure, alike = fit or _NO_NUMBER * (not answer.number), street
        if fit:
            kind, within_m, how = Certainty.EXACT, 10.0, "a house"
        else:
            how += ", without the number"
    elif name >= street and not answer.kind.startswith("highway="):
        region = answer.kind.startswith(("place=", "boundary="))
        sure, within_m = (_REGION, _REGION_M) if region else (_PLACE, _PLACE_M)
        kind, how, alike = Certainty.PLACE, f"a place by its name ({answer.kind})", name
    else:
        sure, alike = _STREET, max(street, name)
    if reading.leaves_number(exact=alike == 1):
        sure *= _LEFT_NUMBER
    remarks = [how, *([] if alike == 1 else [f"{shortened(reading.street)} was asked"]), *against]
    return Place(
        answer.label,
        answer.lonlat,
        sure * trust(alike) * factor,
        kind,
        "; ".join(remarks),
        within_m,
    )


def _around(answer: _Answer) -> Known:
    """The regions that the answer's own words name, so that they explain those of the address."""
    parts = [words.joined(words.key(part)) for part in answer.label.split(",")]
    return Known(regions=frozenset(part for part in parts if part))
