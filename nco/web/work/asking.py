"""What a city is asked for: what it is, matrices, routes, nearest streets, addresses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from nco.arrays import Floats
from nco.data.cities.city import CREDIT, City
from nco.data.cities.geocode.found import Address
from nco.data.formats.zones import Zone, with_streets
from nco.errors import NcoError
from nco.web.reply import Reply, as_json
from nco.web.work import served

type Points = Sequence[tuple[float, float]]


@served.replying
def cities() -> Reply:
    """The cities that are served."""
    found: list[dict[str, Any]] = []
    for name in served.settings().cities:
        try:
            known = served.city(name).info()
        except NcoError as error:
            found.append({"name": name, "error": str(error)})
            continue
        kept = ("bbox", "size_km", "covered_km2", "streets", "max_snap_m", "sha256", "credit")
        facts = {key: known[key] for key in kept if key in known}
        found.append({"name": name, "profiles": list(served.settings().profiles), **facts})
    return as_json({"cities": found})


@served.replying
def matrix(points: Points, targets: Points | None, city: str | None, profile: str | None) -> Reply:
    """Metres and seconds between places; null where no street leads."""
    table = served.city(city, profile).matrix(points, targets=targets)
    moved = table.moved_m
    return as_json(
        {
            "distance_m": nulls(table.distance_m),
            "duration_s": nulls(table.duration_s),
            "moved_m": None if moved is None else nulls(moved),
            "attribution": CREDIT,
        }
    )


@served.replying
def route(
    points: Points, city: str | None, profile: str | None, avoid: Sequence[Points] = ()
) -> Reply:
    """The fastest way through places in their order, around areas that are avoided."""
    rings = tuple(tuple(ring) for ring in avoid)
    streets = _around(city, profile, rings) if rings else served.streets(city, profile)
    found = streets.route(points)
    return as_json(
        {
            "distance_m": found.distance_m.tolist(),
            "duration_s": found.duration_s.tolist(),
            "legs": [np.round(leg, 6).tolist() for leg in found.legs],
            "moved_m": found.moved_m.tolist(),
            "attribution": CREDIT,
        }
    )


@lru_cache(8)
def _around(
    city: str | None, profile: str | None, rings: tuple[tuple[tuple[float, float], ...], ...]
) -> City:
    there = served.streets(city, profile)
    zones = with_streets(there, [Zone(f"avoid[{k}]", np.array(r)) for k, r in enumerate(rings)])
    closed = [zone.ring for zone in zones]
    if not closed:
        return there
    served.tidy(there)
    return there.variant(closed=closed)


@served.replying
def geocode(
    addresses: Sequence[Mapping[str, str]], town: Mapping[str, str], most: int, city: str | None
) -> Reply:
    """Places of addresses, how sure each is, and others that may be meant."""
    asked = [Address(one["text"], one["postcode"], one["city"]) for one in addresses]
    found = served.city(city).geocode(asked, most=most, **town)
    rows = [one.row() | {"doubtful": one.doubtful} for one in found]
    return as_json({"results": rows, "attribution": CREDIT})


def nulls(numbers: Floats) -> list[Any]:
    """Nested lists with None in place of infinity."""
    if np.isfinite(numbers).all():
        return list(numbers.tolist())
    return list(np.where(np.isfinite(numbers), numbers, None).tolist())  # type: ignore[call-overload]
