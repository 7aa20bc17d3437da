"""Which things of OpenStreetMap are drawn, as what, and from which zoom on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

LAYERS = ("green", "water", "waterways", "buildings", "rails", "streets", "places")
"""In the order in which they are drawn."""
AREAS = frozenset({"green", "water", "buildings"})
MIN_ZOOM, MAX_ZOOM = 8, 16
"""Tiles are made for these; a page stretches those of the last one beyond."""


class Kind(NamedTuple):
    """What something is drawn as.

    Attributes:
        layer: of `LAYERS`.
        name: a word for its style.
        zoom: the least one at which it is shown; small areas are shown later.
    """

    layer: str
    name: str
    zoom: int


_STREETS = {
    "motorway": 8, "trunk": 8, "primary": 9, "secondary": 10, "tertiary": 11,
    "unclassified": 12, "residential": 12, "living_street": 12, "pedestrian": 13, "service": 14,
    "track": 14, "cycleway": 14, "footway": 15, "path": 15, "bridleway": 15, "steps": 15,
}  # fmt: skip
_PLACES = {
    "city": 8, "town": 9, "village": 11, "suburb": 11, "quarter": 13, "hamlet": 13,
    "neighbourhood": 14, "island": 12, "islet": 15, "square": 15,
}  # fmt: skip
_GREEN = {
    "leisure": {
        "park": "park", "garden": "park", "nature_reserve": "wood", "golf_course": "grass",
        "pitch": "grass", "playground": "grass", "recreation_ground": "grass",
    },
    "landuse": {
        "forest": "wood", "grass": "grass", "meadow": "grass", "village_green": "park",
        "recreation_ground": "park", "cemetery": "grass", "allotments": "grass",
        "orchard": "grass", "vineyard": "grass",
    },
    "natural": {"wood": "wood", "scrub": "wood", "heath": "grass", "grassland": "grass"},
}  # fmt: skip
_WATER = {
    "natural": ("water", "bay"),
    "landuse": ("basin", "reservoir"),
    "waterway": ("riverbank",),
}
_WATERWAYS = {"river": 10, "canal": 11, "stream": 14}
_RAILS = {"rail": 11, "light_rail": 12, "subway": 13, "tram": 14}
KEYS = ("highway", "place", "leisure", "landuse", "natural", "waterway", "railway", "building")
"""Tags that make a thing be drawn."""


def of_line(tags: Mapping[str, str]) -> Kind | None:
    """What a way is drawn as, if it is a line."""
    street = tags.get("highway", "").removesuffix("_link")
    if street in _STREETS:
        return None if tags.get("area") == "yes" else Kind("streets", street, _STREETS[street])
    if tags.get("waterway") in _WATERWAYS and not _is(tags, "tunnel"):
        water = tags["waterway"]
        return Kind("waterways", water, _WATERWAYS[water])
    rail = tags.get("railway", "")
    if rail in _RAILS and not _is(tags, "tunnel"):
        return Kind("rails", rail, 14 if "service" in tags else _RAILS[rail])
    return None


def of_area(tags: Mapping[str, str]) -> Kind | None:
    """What an area is drawn as."""
    if any(tags.get(key) in values for key, values in _WATER.items()):
        return Kind("water", "water", MIN_ZOOM)
    for key, kinds in _GREEN.items():
        if tags.get(key) in kinds:
            return Kind("green", kinds[tags[key]], MIN_ZOOM)
    if _is(tags, "building"):
        return Kind("buildings", "building", 15)
    return None


def of_point(tags: Mapping[str, str]) -> Kind | None:
    """What a node is drawn as; only names are."""
    if not tags.get("name"):
        return None
    place = tags.get("place", "")
    if place in _PLACES:
        return Kind("places", place, _PLACES[place])
    return Kind("places", "station", 14) if tags.get("railway") == "station" else None


def _is(tags: Mapping[str, str], key: str) -> bool:
    return tags.get(key, "no") != "no"
