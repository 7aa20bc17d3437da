"""An example to begin with: stops and vehicles of a day in a city that is served.

Stops are shops, cafés and the like that the extract has by name, or houses, or places on streets
where it has neither. The same extract gives the same example.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from nco.arrays import Floats
from nco.data.cities.geocode.index import Index, open_index
from nco.data.cities.snapping import size_km
from nco.web.reply import Reply, as_json
from nco.web.work import served

if TYPE_CHECKING:
    from nco.data.cities.city import City

STOPS, VANS = 48, 5
_SEED = 7
_LOOKED_AT = 200  # places that are measured, of which the stops are chosen
_WITHIN_KM = 8.0  # of the middle, in a region
_APART_KM = 0.5  # that they are spread over, or the map has the houses of one street only
_NEAR_M = 60.0  # to a street
_KM_A_DEGREE = 111.2
_KINDS = {
    "amenity": ("restaurant", "cafe", "fast_food", "pharmacy", "school", "kindergarten", "library"),
    "tourism": ("hotel", "hostel", "museum"),
}
_WINDOWS = ("", "08:00-12:00", "09:00-11:00", "10:00-13:00", "12:00-16:00", "13:00-15:00")
_WINDOW_SHARES = (0.4, 0.15, 0.1, 0.15, 0.1, 0.1)
_STOP_TITLES = [
    "kind",
    "name",
    "address",
    "lat",
    "lon",
    "demand",
    "window",
    "service_min",
    "skills",
]
_FLEET_TITLES = [
    "name", "capacity", "shift_start", "shift_end", "skills", "fixed_cost", "cost_per_km",
    "cost_per_hour",
]  # fmt: skip


class _Place(NamedTuple):
    name: str
    address: str


@served.replying
def example(city: str | None) -> Reply:
    """Tables of stops and of vehicles, as `/v1/problems` takes them."""
    name = served.settings().cities[0] if city is None else city
    return as_json({"city": name, **_tables(name)})


@lru_cache(8)
def _tables(name: str) -> dict[str, Any]:
    city = served.city(name)
    places, lonlat = _places(city)
    rng = np.random.default_rng(_SEED)
    count = len(places) - 1
    demand = rng.integers(1, 9, count).tolist()
    windows = rng.choice(_WINDOWS, count, p=_WINDOW_SHARES).tolist()
    cold = (rng.random(count) < 0.1).tolist()
    at = [[f"{lat:.6f}", f"{lon:.6f}"] for lon, lat in lonlat.tolist()]
    rows = [["depot", "Depot", places[0].address, *at[0], "", "", "", ""]]
    rows += [
        ["stop", place.name, place.address, *at[k + 1], demand[k], windows[k],
         3 + demand[k] // 2, "cold" if cold[k] else ""]
        for k, place in enumerate(places[1:])
    ]  # fmt: skip
    capacity = max(int(np.ceil(1.15 * sum(demand) / (VANS - 1))), max(demand))
    fleet = [
        [f"Van {k + 1}", capacity, "08:00", "16:00", "cold" if k < 2 else "", 40, 0.45, 24]
        for k in range(VANS)
    ]
    return {
        "stops": {"header": _STOP_TITLES, "rows": rows},
        "fleet": {"header": _FLEET_TITLES, "rows": fleet},
    }


def _places(city: City) -> tuple[list[_Place], Floats]:
    """The depot and then the stops, which all reach one another, and where they are."""
    if city.extract is not None:
        index = open_index(city.extract)
        for places, lonlat in (_named(index), _houses(index)):
            chosen = _chosen(city, lonlat)
            if len(chosen):
                return [places[k] for k in chosen], lonlat[chosen]
    lonlat = np.asarray(city.sample(STOPS + 1, _SEED, within_km=_around(city)))
    return [_Place(f"Stop {k}", "") for k in range(STOPS + 1)], lonlat


def _named(index: Index) -> tuple[list[_Place], Floats]:
    """Shops, cafés and the like, each name once."""
    found: dict[str, int] = {}
    for k, (names, kind) in enumerate(zip(index.names, index.kinds, strict=True)):
        key, _, value = kind.partition("=")
        if key in ("shop", "office", "craft") or value in _KINDS.get(key, ()):
            found.setdefault(names.split("\t")[0], k)
    return [_Place(name, index.at[k]) for name, k in found.items()], index.place_lonlat[
        list(found.values())
    ]


def _houses(index: Index) -> tuple[list[_Place], Floats]:
    """Houses, under their addresses."""
    streets = np.repeat(np.arange(len(index.streets)), np.diff(index.house_start))
    names = [
        f"{index.streets[s]} {number}" for s, number in zip(streets, index.numbers, strict=True)
    ]
    found = {name: k for k, name in enumerate(names)}
    return [_Place(name, name) for name in found], index.house_lonlat[list(found.values())]


def _chosen(city: City, lonlat: Floats) -> list[int]:
    """Places that lie well apart near streets and reach one another; none where they are few."""
    if len(lonlat) <= STOPS:
        return []
    km = (lonlat - np.median(lonlat, axis=0)) * _KM_A_DEGREE * _narrowed(lonlat)
    near = np.flatnonzero(np.hypot(*km.T) < _WITHIN_KM)
    near = np.random.default_rng(_SEED).permutation(near)[:_LOOKED_AT]
    near = near[city.nearest(lonlat[near])[1] < _NEAR_M]
    if len(near) <= STOPS or np.ptp(lonlat[near], axis=0).max() * _KM_A_DEGREE < _APART_KM:
        return []
    reach = np.isfinite(city.matrix(lonlat[near]).duration_s)
    near = near[(reach & reach.T)[np.argmax(reach.sum(axis=0) + reach.sum(axis=1))]]
    # Each next one is the farthest from those before it, so that none are in one house.
    xy = lonlat[near] * _narrowed(lonlat)
    order = [0]
    away = np.hypot(*(xy - xy[0]).T)
    while len(order) <= min(STOPS, len(near) - 1):
        order.append(int(np.argmax(away)))
        away = np.minimum(away, np.hypot(*(xy - xy[order[-1]]).T))
    return near[order].tolist() if len(order) > STOPS else []


def _around(city: City) -> float | None:
    """Side of the square from which places are drawn; None for all of a small city."""
    return None if max(size_km(city.bbox)) < 2 * _WITHIN_KM else 2 * _WITHIN_KM


def _narrowed(lonlat: Floats) -> Floats:
    """How long a degree of longitude is beside one of latitude, and that one."""
    return np.array([np.cos(np.radians(float(lonlat[:, 1].mean()))), 1.0])
