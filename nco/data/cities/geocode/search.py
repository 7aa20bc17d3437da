"""The geocoder over an extract: every reading of an address against every street and place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from nco.data.cities.geocode import words
from nco.data.cities.geocode.context import Known, weigh
from nco.data.cities.geocode.found import SURE, Address, Certainty, Geocoded, Place
from nco.data.cities.geocode.index import Index
from nco.data.cities.geocode.locate import Spot, locate
from nco.data.cities.geocode.readings import LONGEST, Reading, readings
from nco.data.cities.geocode.similar import Names, trust
from nco.data.cities.roads import haversine_m
from nco.errors import shortened

_MOST_FUZZY = 16  # readings that are looked for with other spellings
_MOST_STREETS = 20
_LEFT_NUMBER = 0.5  # where a number was given that is not used
_PLACE, _PLACE_M = 0.9, 30.0
_ALIAS = 0.95  # a name that is not the usual one
_NAMESAKE = 0.5  # a tram stop that is called like its street, or the station of a town
_BY_THE_WAY = 0.7  # what one passes, but is seldom sent to
_PASSED = ("public_transport=", "railway=", "man_made=", "amenity=bicycle_", "amenity=parking")
_PART_OF_NAME = 0.7  # places with other names
_OTHER_STREET = 0.5  # another spelling, where the one that was given is on the map
_REGION, _REGION_M = 0.3, 2000.0
_AREAS = """
city town village hamlet suburb quarter neighbourhood borough municipality county state country
region district island islet locality province archipelago
"""
_REGIONS = frozenset(f"place={kind}" for kind in _AREAS.split())
_APART_M = 150.0  # what lies closer together is one place
_SAME_M = 60.0
_VAGUER = 3.0
_CLEAR = 0.1  # a lead of this over the next candidate leaves no doubt


class ExtractGeocoder:
    """Finds addresses in an index.

    Args:
        index: of an extract.
        city: its name, which may stand in any address.
    """

    def __init__(self, index: Index, city: str = "") -> None:
        self._index = index
        self._streets = Names(index.aliases)
        self._places = Names(words.key(name) for names in index.names for name in names.split("\t"))
        own = words.joined(words.key(city))
        self._known = Known(
            index.known_postcodes,
            frozenset(words.joined(words.key(town)) for town in index.towns),
            index.known_regions | ({own} if own else set()),
        )

    def find(self, asked: Address, most: int = 5) -> Geocoded:
        """The likeliest place of an address, and up to `most` further candidates."""
        text = asked.text.strip()
        if not words.folded(text):
            return Geocoded(asked, why="there is no address")
        if len(text) > LONGEST:
            return Geocoded(asked, why=f"no address is longer than {LONGEST} characters")
        tried = readings(text)
        found = [place for reading in tried for place in self._exactly(asked, reading)]
        if max((place.sure for place in found), default=0.0) < SURE:
            whole = [r for r in tried if r.number or len(r.rest) <= len(text.split()) // 2]
            less = _OTHER_STREET if any(p.kind is not Certainty.PLACE for p in found) else 1.0
            found += [
                replace(p, sure=less * p.sure)
                for r in whole[:_MOST_FUZZY]
                for p in self._alike(asked, r)
            ]
        ranked = settled(found)
        if not ranked:
            return Geocoded(asked, why=self._nothing())
        return Geocoded(asked, ranked[0], tuple(ranked[1 : most + 1]))

    def _nothing(self) -> str:
        known = self._index
        if not known.numbers and not known.names:
            return (
                "no street has such a name, and the extract has no addresses, only streets; "
                "build the city again from an extract that is whole (or, if it was fetched by the "
                "name of a place, fetch it again), or ask a server"
            )
        return "no street or place of the extract has such a name"

    def _exactly(self, asked: Address, reading: Reading) -> Iterator[Place]:
        """Places by names as they are given, or abbreviated."""
        joined = words.joined(words.key(reading.street))
        hits = [(joined, 1.0)] if joined in self._index.street_of else []
        yield from self._on_streets(
            asked, reading, hits or self._streets.abbreviated(reading.street)
        )
        if reading.number is None:
            yield from self._at_places(asked, reading, [(joined, 1.0)])

    def _alike(self, asked: Address, reading: Reading) -> Iterator[Place]:
        """Places by names that are spelled alike."""
        yield from self._on_streets(asked, reading, self._streets.like(reading.street))
        if reading.number is None:
            yield from self._at_places(asked, reading, self._places.like(reading.street))

    def _on_streets(
        self, asked: Address, reading: Reading, names: Iterable[tuple[str, float]]
    ) -> Iterator[Place]:
        index = self._index
        hits = [(s, alike) for name, alike in names for s in index.street_of.get(name, ())]
        for street, alike in hits[:_MOST_STREETS]:
            for spot in locate(index, street, reading.number):
                postcode = _text(index.postcodes, index.house_postcode, spot.house)
                town = _text(index.towns, index.house_town, spot.house)
                own = bool(spot.number)  # the postcode of a neighbour may be another
                factor, against = weigh(reading, asked, postcode if own else "", town, self._known)
                factor *= _LEFT_NUMBER if reading.leaves_number(exact=alike == 1) else 1.0
                label = self._label(street, spot, reading, postcode if own else "", town)
                how = spot.how
                if alike < 1:
                    how += f"; {shortened(reading.street)} was asked"
                yield Place(
                    label, spot.lonlat, spot.sure * trust(alike) * factor, spot.kind,
                    "; ".join([how, *against]), spot.within_m,
                )  # fmt: skip

    def _label(self, street: int, spot: Spot, reading: Reading, postcode: str, town: str) -> str:
        number = spot.number
        if spot.kind is Certainty.INTERPOLATED and reading.number is not None:
            number = reading.number.text
        front = f"{self._index.streets[street]} {number}".strip()
        behind = f"{postcode} {town}".strip()
        return f"{front}, {behind}" if behind else front

    def _at_places(
        self, asked: Address, reading: Reading, names: Iterable[tuple[str, float]]
    ) -> Iterator[Place]:
        index = self._index
        hits = [(k, alike) for name, alike in names for k in index.place_of.get(name, ())]
        for k, alike in hits[:_MOST_STREETS]:
            postcode = _text(index.postcodes, index.place_postcode, k)
            town = _text(index.towns, index.place_town, k)
            factor, against = weigh(reading, asked, postcode, town, self._known)
            name = index.names[k].split("\t")[0]
            sure, within_m = self._worth(k, reading)
            sure *= factor * (trust(alike) * _PART_OF_NAME if alike < 1 else 1.0)
            sure *= _LEFT_NUMBER if reading.leaves_number(exact=alike == 1) else 1.0
            behind = ", ".join(part for part in (index.at[k], f"{postcode} {town}".strip()) if part)
            how = f"a place by its name ({shortened(index.kinds[k])})"
            how += f"; {shortened(reading.street)} was asked" if alike < 1 else ""
            lon, lat = index.place_lonlat[k].tolist()
            yield Place(
                f"{name}, {behind}" if behind else name,
                (round(lon, 7), round(lat, 7)),
                sure,
                Certainty.PLACE,
                "; ".join([how, *against]),
                within_m,
            )

    def _worth(self, k: int, reading: Reading) -> tuple[float, float]:
        """How sure a place is that has the name that was asked for, and how far off."""
        index = self._index
        kind, asked = index.kinds[k], words.joined(words.key(reading.street))
        if kind in _REGIONS:
            return _REGION, _REGION_M
        sure = _PLACE * (_BY_THE_WAY if kind.startswith(_PASSED) else 1.0)
        if asked in index.street_of or asked in self._known.regions:
            sure *= _NAMESAKE
        usual = words.joined(words.key(index.names[k].split("\t")[0]))
        return sure * (1.0 if asked == usual else _ALIAS), _PLACE_M


def settled(found: Iterable[Place]) -> list[Place]:
    """Candidates, likeliest first, each place once; the first is less sure if others are as likely.

    Args:
        found: in any order.
    """
    ranked: list[Place] = []
    for place in sorted(found, key=lambda one: (-one.sure, one.within_m, one.label)):
        same = any(
            _apart_m(place, other) < _SAME_M and place.within_m < _VAGUER * other.within_m
            for other in ranked
        )
        if place.sure > 0.01 and not same:
            ranked.append(place)
    return _doubted(ranked)


def _doubted(ranked: Sequence[Place]) -> list[Place]:
    if not ranked:
        return []
    best = ranked[0]
    rivals = [p for p in ranked[1:] if _apart_m(p, best) > max(_APART_M, best.within_m)]
    if rivals and best.sure - rivals[0].sure < _CLEAR:
        lead = (best.sure - rivals[0].sure) / _CLEAR
        how = f"{best.how}; as likely is {rivals[0].label}"
        best = replace(best, sure=best.sure * (0.45 + 0.55 * lead), how=how)
    return [best, *ranked[1:]]


def _apart_m(a: Place, b: Place) -> float:
    return float(haversine_m(np.array(a.lonlat), np.array(b.lonlat)))


def _text(texts: Sequence[str], of: np.ndarray, k: int) -> str:
    """The text of a house or place; empty if it has none."""
    number = int(of[k]) if k >= 0 else -1
    return texts[number] if number >= 0 else ""
