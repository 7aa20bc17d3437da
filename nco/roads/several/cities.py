"""Several paths in a city, from places or addresses: what `City.paths` does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from nco.data.cities.city import City
from nco.errors import InputError, listed, quoted
from nco.roads.costs import Costs
from nco.roads.graph import RoadGraph
from nco.roads.hierarchy import Hierarchy
from nco.roads.position import Position
from nco.roads.several.ask import Several, paths
from nco.roads.several.query import Limits
from nco.roads.several.rules import Rules
from nco.roads.several.sweep import Sweep
from nco.roads.snap import Snapper


@dataclass(frozen=True, eq=False)
class Ready:
    """What is loaded of a city once.

    Attributes:
        city: itself.
        graph: its streets.
    """

    city: City
    graph: RoadGraph

    @cached_property
    def snap(self) -> Snapper:
        """Finds places on its streets."""
        return Snapper.of(self.graph, self.city)

    @cached_property
    def search(self) -> Hierarchy:
        """Finds cheapest paths at OSRM's costs."""
        return Hierarchy(self.graph)

    @cached_property
    def trees(self) -> Sweep:
        """Finds the cheapest ways from A and to B at those costs."""
        return Sweep(self.graph, self.search.costs)


@lru_cache(maxsize=4)
def ready(city: City) -> Ready:
    """A city made ready for paths; the last few are kept.

    Raises:
        CityError: it has no extract here.
    """
    return Ready(city, RoadGraph.of(city))


def city_paths(
    city: City,
    a: Any,
    b: Any,
    k: int = 3,
    *,
    method: str = "plateau",
    avoid: Any = (),
    prefer: Any = (),
    through: Sequence[Any] = (),
    limits: Limits | None = None,
    costs: Costs | None = None,
) -> Several:
    """Several paths from A to B in a city; see `City.paths`."""
    here = ready(city)
    if isinstance(through, str) or not isinstance(through, Sequence):
        raise InputError(f"through is {quoted(through)}; give a list of places")
    places = positions(here, [a, *through, b])
    return paths(
        here.graph,
        places[0],
        places[-1],
        k,
        costs,
        method=method,
        limits=limits,
        rules=Rules.of(here.graph, avoid, prefer),
        through=places[1:-1],
        search=here.search,
        city=city,
        trees=here.trees,
    )


def positions(here: Ready, places: Sequence[Any]) -> list[Position]:
    """Places on the streets, from lon, lat or from addresses.

    Raises:
        InputError: a place is neither.
        CityError: an address is not found or in doubt, or a place is not near any street.
    """
    names = ["A", *(f"place {i} in between" for i in range(1, len(places) - 1)), "B"]
    lonlat = [_lonlat(here.city, one, name) for one, name in zip(places, names, strict=True)]
    return here.snap(lonlat, names=names)


def _lonlat(city: City, place: Any, name: str) -> list[float]:
    if isinstance(place, str):
        numbers = _numbers(place)
        return numbers if numbers is not None else _address(city, place, name)
    try:
        lon, lat = (float(number) for number in place)
    except (TypeError, ValueError):
        raise InputError(
            f"{name} is {quoted(place)}; give lon, lat in degrees, or an address"
        ) from None
    return [lon, lat]


def _numbers(text: str) -> list[float] | None:
    parts = text.split(",")
    try:
        return [float(part) for part in parts] if len(parts) == 2 else None
    except ValueError:
        return None


def _address(city: City, text: str, name: str) -> list[float]:
    if not text.strip():
        raise InputError(f"{name} is empty; give lon,lat in degrees, or an address")
    found = city.geocode([text])[0]
    if found.lonlat is None or found.doubtful:
        others = listed([other.label for other in found.others[:5]]) if found.others else "nothing"
        raise InputError(
            f"{name}: address {quoted(text)} is not found without doubt; there is {others}; give "
            "street, number and town, or lon,lat"
        )
    return [float(degree) for degree in found.lonlat]
