"""The streets, house numbers and named places of an extract, ready to be searched.

Built once from an extract and kept in the cache folder under the extract's content. Streets are
pieces of one name that lie near one another: villages that each have a `Dorfstraße` have several.
"""

from __future__ import annotations

import io
import json
import logging
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nco.archives import BrokenArchiveError, read_npz
from nco.arrays import Floats
from nco.data.cities.cache import cache_dir, content_hash
from nco.data.cities.geocode import words
from nco.data.cities.geocode.context import postcode_key
from nco.data.cities.geocode.scan import Scanned, scan
from nco.data.cities.geocode.streets import grouped
from nco.files import locked, write_atomic
from nco.json_text import parse_json

log = logging.getLogger("nco")

# Part of every file's name: raise it when what is kept changes.
RECIPE = 2
_NEAR_DEGREES = 0.01  # how far a house may lend its town to another, about a kilometre
_TEXTS = ("streets", "numbers", "towns", "postcodes", "names", "kinds", "at", "regions")
_ARRAYS = (
    "house_start", "house_lonlat", "house_between", "house_postcode", "house_town",
    "piece_start", "line_start", "line_lonlat", "alias_street",
    "place_lonlat", "place_postcode", "place_town",
)  # fmt: skip


@dataclass(frozen=True)
class Index:
    """What is known of addresses, as lists and arrays.

    Attributes:
        streets: `[S]` names.
        aliases: all names of streets, each as it is written.
        alias_street: `[len(aliases)]`, the street that each is of.
        house_start: `[S + 1]`, where the houses of each street begin.
        numbers: `[H]` as they are written.
        house_lonlat: `[H, 2]`.
        house_between: `[H]`, whether a house only lies between two that the map has.
        house_postcode: `[H]`, index in `postcodes`, -1 where the map does not say.
        house_town: `[H]`, index in `towns`, likewise; of the nearest house that has one.
        piece_start: `[S + 1]`, where the pieces of each street begin in `line_start`.
        line_start: `[P + 1]`, where the line of each piece begins in `line_lonlat`.
        line_lonlat: `[L, 2]`.
        names: names of places, separated by tabs where one has several.
        kinds: what each place is.
        at: address of each place, as the map has it.
        place_lonlat: `[N, 2]`.
        place_postcode: `[N]`, as of houses.
        place_town: `[N]`, as of houses.
        towns: names.
        postcodes: as they are written.
        regions: keys of towns and districts, in every language that the map has.
    """

    streets: list[str]
    aliases: list[str]
    alias_street: NDArray[np.int64]
    house_start: NDArray[np.int64]
    numbers: list[str]
    house_lonlat: Floats
    house_between: NDArray[np.bool_]
    house_postcode: NDArray[np.int64]
    house_town: NDArray[np.int64]
    piece_start: NDArray[np.int64]
    line_start: NDArray[np.int64]
    line_lonlat: Floats
    names: list[str]
    kinds: list[str]
    at: list[str]
    place_lonlat: Floats
    place_postcode: NDArray[np.int64]
    place_town: NDArray[np.int64]
    towns: list[str]
    postcodes: list[str]
    regions: list[str]

    @cached_property
    def street_of(self) -> dict[str, list[int]]:
        """Streets by the joined key of each of their names."""
        found: dict[str, list[int]] = defaultdict(list)
        for alias, street in zip(self.aliases, self.alias_street.tolist(), strict=True):
            known = found[words.joined(words.key(alias))]
            if street not in known:
                known.append(street)
        return dict(found)

    @cached_property
    def place_of(self) -> dict[str, list[int]]:
        """Places by the joined key of each of their names."""
        found: dict[str, list[int]] = defaultdict(list)
        for k, names in enumerate(self.names):
            for one in {words.joined(words.key(name)) for name in names.split("\t")}:
                if one:
                    found[one].append(k)
        return dict(found)

    @cached_property
    def known_regions(self) -> frozenset[str]:
        """Joined keys of all towns and districts."""
        return frozenset(map(words.joined, self.regions))

    @cached_property
    def known_postcodes(self) -> frozenset[str]:
        """Postcodes as they are compared."""
        return frozenset(map(postcode_key, self.postcodes))

    def lines(self, street: int) -> list[Floats]:
        """The pieces `[k, 2]` of a street."""
        pieces = range(self.piece_start[street], self.piece_start[street + 1])
        return [self.line_lonlat[self.line_start[p] : self.line_start[p + 1]] for p in pieces]


def open_index(extract: Path) -> Index:
    """The index of an extract, built if it is missing or damaged.

    Raises:
        CityError: the extract is gone, truncated or damaged.
        StorageError: the cache folder cannot be written.
    """
    path = cache_dir() / "geocode" / f"{content_hash(extract)[:24]}-{RECIPE}.npz"
    if (known := _kept(path)) is not None:
        return known
    with locked(path, patience_s=None):
        known = _kept(path)  # another process may have built it while this one waited
        if known is None:
            started = time.perf_counter()
            log.info("reading the addresses of %s", extract.name)
            known = build(scan(extract))
            write_atomic(path, _packed(known))
            log.info(
                "%s: %d house numbers, %d streets, %d places after %.1f s", extract.name,
                len(known.numbers), len(known.streets), len(known.names),
                time.perf_counter() - started,
            )  # fmt: skip
    return known


def build(found: Scanned) -> Index:
    """An index of what was read."""
    groups = grouped(found)
    houses = [house for group in groups for house in group.houses]
    pieces = [piece for group in groups for piece in group.pieces]
    towns, postcodes = _Numbering(), _Numbering()
    house_lonlat = _points([house.lonlat for house in houses])
    house_town = np.array([towns.number(house.town) for house in houses], dtype=np.int64)
    place_lonlat = _points([place.lonlat for place in found.named])
    place_town = np.array([towns.number(place.town) for place in found.named], dtype=np.int64)
    aliases = [(alias, s) for s, group in enumerate(groups) for alias in group.names]
    regions = {words.key(name) for names in found.regions for name in names}
    regions |= {words.key(town) for town in towns.names}
    return Index(
        streets=[group.name for group in groups],
        aliases=[alias for alias, _ in aliases],
        alias_street=np.array([number for _, number in aliases], dtype=np.int64),
        house_start=_starts([len(group.houses) for group in groups]),
        numbers=[house.number for house in houses],
        house_lonlat=house_lonlat,
        house_between=np.array([house.between for house in houses], dtype=bool),
        house_postcode=np.array([postcodes.number(h.postcode) for h in houses], dtype=np.int64),
        house_town=_lent(house_lonlat, house_town, house_lonlat, house_town),
        piece_start=_starts([len(group.pieces) for group in groups]),
        line_start=_starts([len(piece.line) for piece in pieces]),
        line_lonlat=_points([place for piece in pieces for place in piece.line]),
        names=["\t".join(name.replace("\t", " ") for name in p.names) for p in found.named],
        kinds=[place.kind for place in found.named],
        at=[place.house for place in found.named],
        place_lonlat=place_lonlat,
        place_postcode=np.array(
            [postcodes.number(place.postcode) for place in found.named], dtype=np.int64
        ),
        place_town=_lent(place_lonlat, place_town, house_lonlat, house_town),
        towns=towns.names,
        postcodes=postcodes.names,
        regions=sorted(regions - {""}),
    )


class _Numbering:
    """Numbers texts as they come; -1 stands for an empty one."""

    def __init__(self) -> None:
        self._known: dict[str, int] = {}

    @property
    def names(self) -> list[str]:
        return list(self._known)

    def number(self, text: str) -> int:
        return self._known.setdefault(text, len(self._known)) if text else -1


def _lent(
    lonlat: Floats, town: NDArray[np.int64], givers: Floats, given: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Towns, where the map has none that of the nearest house with one."""
    from scipy.spatial import cKDTree

    lent, mute, telling = town.copy(), np.flatnonzero(town < 0), np.flatnonzero(given >= 0)
    if len(mute) and len(telling):
        found = cKDTree(givers[telling]).query(lonlat[mute])
        far, nearest = np.asarray(found[0]), np.asarray(found[1])
        near = far <= _NEAR_DEGREES
        lent[mute[near]] = given[telling[nearest[near]]]
    return lent


def _starts(counts: Sequence[int]) -> NDArray[np.int64]:
    return np.append(0, np.cumsum(counts)).astype(np.int64)


def _points(places: Sequence[Any]) -> Floats:
    return np.array(places, dtype=np.float64).reshape(-1, 2)


def _packed(index: Index) -> bytes:
    texts = {name: getattr(index, name) for name in (*_TEXTS, "aliases")}
    raw = np.frombuffer(json.dumps(texts).encode(), dtype=np.uint8)
    buffer = io.BytesIO()
    arrays: dict[str, Any] = {name: getattr(index, name) for name in _ARRAYS}
    np.savez_compressed(buffer, texts=raw, **arrays)
    return buffer.getvalue()


def _kept(path: Path) -> Index | None:
    """The index in a file, None if it is not there or damaged (it can be remade)."""
    try:
        held = read_npz(path)
        texts = parse_json(held["texts"].tobytes())
        parts: dict[str, Any] = {**texts, **{name: held[name] for name in _ARRAYS}}
        return Index(**parts)
    except (OSError, BrokenArchiveError, KeyError, TypeError, ValueError):
        return None
