"""Kinds of roads and of access, numbered: what an array of small integers stands for."""

ROAD_CLASSES = (
    "other",
    "motorway",
    "motorway_link",
    "trunk",
    "trunk_link",
    "primary",
    "primary_link",
    "secondary",
    "secondary_link",
    "tertiary",
    "tertiary_link",
    "unclassified",
    "residential",
    "living_street",
    "service",
    "track",
    "path",
    "ferry",
)
"""OpenStreetMap's values of `highway`, and ferries; `path` is all that is not for cars."""

ACCESS = ("public", "destination", "customers", "delivery", "private", "no")
"""Who may use a link: all, those with business there, customers, deliveries, owners, nobody."""

_PATHS = ("path", "footway", "cycleway", "bridleway", "pedestrian", "steps", "corridor")
_SAME_ACCESS = {
    "permit": "private",
    "residents": "destination",
    "agricultural": "private",
    "forestry": "private",
}


def class_number(highway: str) -> int:
    """Index into `ROAD_CLASSES` of a value of `highway`; what is unknown is `other`."""
    known = "path" if highway in _PATHS else highway
    return ROAD_CLASSES.index(known) if known in ROAD_CLASSES else 0


def access_number(access: str) -> int:
    """Index into `ACCESS` of a value of `access`; what is unknown is `public`."""
    known = _SAME_ACCESS.get(access, access)
    return ACCESS.index(known) if known in ACCESS else 0
