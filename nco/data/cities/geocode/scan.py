"""What an extract says of addresses: tags of nodes, ways and areas, read once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

import numpy as np

from nco.arrays import Floats
from nco.data.cities.geocode.numbers import House, house
from nco.errors import CityError, shortened

_NUMBER, _STEPS, _HOUSE_NAME = "addr:housenumber", "addr:interpolation", "addr:housename"
_STREET_OF = ("addr:street", "addr:place", "addr:hamlet", "addr:suburb", "addr:city")
_TOWN_OF = ("addr:city", "addr:town", "addr:village", "addr:municipality")
# What makes a named thing a place that one can be sent to.
_KINDS = (
    "amenity", "shop", "tourism", "office", "craft", "healthcare", "leisure", "historic", "railway",
    "public_transport", "aeroway", "man_made", "club", "building", "place", "landuse", "industrial",
)  # fmt: skip
_OTHER_NAMES = ("alt_name", "official_name", "short_name", "loc_name", "old_name", "int_name")
_NO_STREET = ("platform", "proposed", "construction", "services", "rest_area", "elevator")
_LONGEST = 200
_MOST_NAMES = 12
_MOST_BETWEEN = 2000  # house numbers that one way of `addr:interpolation` stands for
_STEP = {"odd": 2, "even": 2, "all": 1}


@dataclass(frozen=True)
class Numbered:
    """A house with a number.

    Attributes:
        street: name of its street or place.
        number: as it is written.
        lonlat: where it is.
        postcode: empty where the map does not say.
        town: likewise.
        between: whether it is not on the map itself, but between two that are.
    """

    street: str
    number: str
    lonlat: tuple[float, float]
    postcode: str = ""
    town: str = ""
    between: bool = False


@dataclass(frozen=True)
class Piece:
    """A piece of a street: all names that it has, the usual one first, and its line `[k, 2]`."""

    names: tuple[str, ...]
    line: Floats


@dataclass(frozen=True)
class Named:
    """A place with a name.

    Attributes:
        names: the usual one first.
        kind: the tag that says what it is, such as `amenity=cafe`.
        lonlat: where it is.
        house: its address as the map has it, empty where it has none.
        postcode: likewise.
        town: likewise.
    """

    names: tuple[str, ...]
    kind: str
    lonlat: tuple[float, float]
    house: str = ""
    postcode: str = ""
    town: str = ""


@dataclass
class Scanned:
    """All that was read."""

    houses: list[Numbered] = field(default_factory=list)
    pieces: list[Piece] = field(default_factory=list)
    named: list[Named] = field(default_factory=list)
    regions: list[tuple[str, ...]] = field(default_factory=list)  # names of towns and districts


def scan(extract: Path) -> Scanned:
    """Read an extract.

    Raises:
        CityError: it is gone, truncated or damaged.
    """
    import osmium

    names = osmium.filter.KeyFilter(_NUMBER, _STEPS, _HOUSE_NAME, "name")
    found = Scanned()
    numbered: dict[int, dict[str, str]] = {}
    try:
        read = osmium.FileProcessor(str(extract)).with_areas(names).with_filter(names)
        for thing in cast(Iterator[Any], read):
            tags = {tag.k: tag.v[:_LONGEST] for tag in thing.tags}
            if thing.is_node():
                if _NUMBER in tags:
                    numbered[thing.id] = tags
                if thing.location.valid():
                    _add(found, tags, (thing.location.lon, thing.location.lat))
            elif thing.is_way():
                _add_way(found, thing, tags, numbered)
            elif thing.is_area():
                if (middle := _middle(thing)) is not None:
                    _add(found, tags, middle)
            elif tags.get("boundary") == "administrative" and "name" in tags:
                found.regions.append(_names(tags))
    except (RuntimeError, OSError, ValueError, osmium.InvalidLocationError) as error:
        raise CityError(
            f"extract {extract} cannot be read for its addresses: {shortened(error)}; is it an "
            ".osm.pbf or .osm file that is whole?"
        ) from error
    return found


def _add(found: Scanned, tags: dict[str, str], lonlat: tuple[float, float]) -> None:
    """A node, a closed way or an area: a house, a place, or both."""
    town = next((tags[name] for name in _TOWN_OF if tags.get(name)), "")
    postcode = tags.get("addr:postcode", tags.get("postal_code", ""))
    street = next((tags[name] for name in _STREET_OF if tags.get(name)), "")
    number = tags.get(_NUMBER, "")
    if number and street:
        found.houses.append(Numbered(street, number, lonlat, postcode, town))
    kind = next((f"{name}={tags[name]}" for name in _KINDS if name in tags), "")
    names = _names(tags)
    if names and (kind or _HOUSE_NAME in tags):
        address = f"{street} {number}".strip() if tags.get("addr:street") else ""
        found.named.append(Named(names, kind or "house", lonlat, address, postcode, town))
        if kind.startswith("place="):
            found.regions.append(names)


def _add_way(
    found: Scanned, way: Any, tags: dict[str, str], numbered: dict[int, dict[str, str]]
) -> None:
    """A way: a piece of a street, numbers between two houses, or a place that is a line."""
    nodes = [node for node in way.nodes if node.location.valid()]
    if not nodes:
        return
    line = np.array([(node.lon, node.lat) for node in nodes])
    if _STEPS in tags:
        found.houses += _between(line, [node.ref for node in nodes], tags, numbered)
        return
    street = tags.get("highway", "")
    if street and street not in _NO_STREET and "name" in tags and len(line) > 1:
        found.pieces.append(Piece(_names(tags), line))
        if _NUMBER not in tags:
            return
    # What is closed comes again as an area, unless the extract has cut its nodes away.
    if not way.is_closed() or len(nodes) < len(way.nodes):
        middle = line.mean(axis=0) if way.is_closed() else line[len(line) // 2]
        _add(found, tags, (float(middle[0]), float(middle[1])))


def _between(
    line: Floats, refs: list[int], tags: dict[str, str], numbered: dict[int, dict[str, str]]
) -> Iterator[Numbered]:
    """The houses that a way of `addr:interpolation` stands for, without those at its ends."""
    step = _STEP.get(tags[_STEPS], 0)
    if not step and tags[_STEPS].isdecimal():
        step = int(tags[_STEPS])
    ends: list[tuple[int, House]] = []
    for k, ref in enumerate(refs):
        number = house(numbered.get(ref, {}).get(_NUMBER, ""))
        if number is not None:
            ends.append((k, number))
    for (a, low), (b, high) in pairwise(ends):
        if low.value > high.value:
            a, b, low, high = b, a, high, low
        part = line[a : b + 1] if a < b else line[b : a + 1][::-1]
        known = {**numbered[refs[b]], **numbered[refs[a]], **tags}
        street = next((known[name] for name in _STREET_OF if known.get(name)), "")
        gap = high.value - low.value
        if not street or step < 1 or gap // step > _MOST_BETWEEN or gap % step:
            continue
        town = next((known[name] for name in _TOWN_OF if known.get(name)), "")
        values = range(low.value + step, high.value, step)
        places = along(part, np.array([(value - low.value) / gap for value in values]))
        for value, (lon, lat) in zip(values, places.tolist(), strict=True):
            postcode = known.get("addr:postcode", "")
            yield Numbered(street, str(value), (lon, lat), postcode, town, between=True)


def along(line: Floats, shares: Floats) -> Floats:
    """`[n, 2]` places at shares (0 to 1) of the length of a line `[k, 2]` in degrees."""
    if len(line) < 2:
        return np.repeat(line[:1], len(shares), axis=0)
    scale = np.array([np.cos(np.radians(line[:, 1].mean())), 1.0])
    lengths = np.linalg.norm(np.diff(line * scale, axis=0), axis=1)
    at = np.append(0.0, np.cumsum(lengths))
    wanted = shares * at[-1]
    return np.stack([np.interp(wanted, at, line[:, k]) for k in range(2)], axis=1)


def _names(tags: dict[str, str]) -> tuple[str, ...]:
    """All names of a thing, the usual one first."""
    keys = ["name", *_OTHER_NAMES, _HOUSE_NAME]
    keys += [key for key in tags if key.startswith("name:")]
    names = [part.strip() for key in keys if key in tags for part in tags[key].split(";")]
    return tuple(dict.fromkeys(name for name in names if name))[:_MOST_NAMES]


def _middle(area: Any) -> tuple[float, float] | None:
    """The centre of gravity of an area's largest outline."""
    best, most = None, -1.0
    for ring in area.outer_rings():
        line = np.array([(node.lon, node.lat) for node in ring if node.location.valid()])
        if len(line) < 3:
            continue
        origin = line[0]  # near the place, for the sake of the digits
        (x, y), (u, v) = (line - origin).T, (np.roll(line, -1, axis=0) - origin).T
        cross = x * v - u * y
        size = abs(float(cross.sum()))
        if size > most:
            centre = line.mean(axis=0)
            if size > 0:
                centre = origin + np.stack([(x + u) @ cross, (y + v) @ cross]) / (3 * cross.sum())
            best, most = (float(centre[0]), float(centre[1])), size
    return best
