"""What people state of a path: what to avoid, and what to prefer.

What is avoided is closed, for the cheapest path and for alternatives; what is preferred costs half.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path as FilePath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nco.arrays import Floats
from nco.data.cities.changes import rings_of
from nco.errors import CityError, InputError, NoPathError, listed, quoted, shortened
from nco.roads.classes import ROAD_CLASSES
from nco.roads.costs import Costs
from nco.roads.graph import RoadGraph
from nco.roads.position import Position
from nco.roads.shortest import Bidirectional

PREFERRED = 0.5
"""What a preferred link costs, as a share of what it costs otherwise."""

type Mask = NDArray[np.bool_]


def _of_class(*words: str) -> Callable[[RoadGraph], Mask]:
    numbers = [ROAD_CLASSES.index(word) for word in words]
    return lambda graph: np.isin(graph.links.road_class, numbers)


_MOTORWAYS = ("motorway", "motorway_link")
_MAIN = (*_MOTORWAYS, "trunk", "trunk_link", "primary", "primary_link")

KINDS: dict[str, Callable[[RoadGraph], Mask]] = {
    "motorways": _of_class(*_MOTORWAYS),
    "main roads": _of_class(*_MAIN),
    "tolls": lambda graph: graph.links.toll,
    "ferries": lambda graph: graph.links.ferry,
    "tunnels": lambda graph: graph.links.tunnel,
    "bridges": lambda graph: graph.links.bridge,
}
"""What can be avoided or preferred by a word, and which links that are."""


@dataclass(frozen=True, eq=False)
class Rule:
    """One thing that is avoided or preferred.

    Attributes:
        what: what it is called in messages.
        links: `[L]`, whether a link is part of it.
    """

    what: str
    links: Mask


@dataclass(frozen=True, eq=False)
class Rules:
    """What a path avoids and prefers on a graph.

    Attributes:
        avoid: closed.
        prefer: cheaper.
    """

    avoid: tuple[Rule, ...] = ()
    prefer: tuple[Rule, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.avoid or self.prefer)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Rules) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)

    @cached_property
    def _key(self) -> tuple[tuple[str, bytes], ...]:
        """What is the same for rules that mean the same."""
        return tuple(
            (way, np.packbits(rule.links).tobytes())
            for way, rules in (("avoid", self.avoid), ("prefer", self.prefer))
            for rule in rules
        )

    @classmethod
    def of(cls, graph: RoadGraph, avoid: Any = (), prefer: Any = ()) -> Rules:
        """Rules in words.

        Args:
            graph: the streets.
            avoid: words of `KINDS`, names of streets (with `street:` before it where the name is
                one of these words), `area:FILE` with a polygon of GeoJSON, and areas: corners
                `[k, 2]` (lonlat), or a polygon of shapely or GeoJSON.
            prefer: likewise.

        Raises:
            InputError: a word is neither a kind nor a street, or an area is none.
        """
        return cls(
            tuple(_rule(graph, one, "avoid") for one in _several(avoid, "avoid")),
            tuple(_rule(graph, one, "prefer") for one in _several(prefer, "prefer")),
        )

    def on(self, costs: Costs) -> Costs:
        """Costs that follow the rules."""
        if not self:
            return costs
        links = costs.links.copy()
        preferred = np.zeros(len(links), dtype=bool)
        for rule in self.prefer:
            preferred |= rule.links
        links[preferred] *= PREFERRED
        for rule in self.avoid:
            links[rule.links] = np.inf
        return Costs(links, costs.turns)

    def binding(self, graph: RoadGraph, costs: Costs, a: Position, b: Position) -> str:
        """Which of the rules leaves no path; empty where there is none without rules either."""
        if not self.avoid or not np.isfinite(Bidirectional(graph, costs).cost(a, b)):
            return ""
        for place, what in ((a, "A"), (b, "B")):
            for rule in self.avoid:
                if rule.links[list(place.links)].all():
                    return f"{what} lies on what is avoided: {rule.what}"
        alone = []
        for left in self.avoid:
            rest = Rules(tuple(rule for rule in self.avoid if rule is not left))
            if np.isfinite(Bidirectional(graph, rest.on(costs)).cost(a, b)):
                alone.append(left.what)
        if alone:
            return f"all use what is avoided; one opens if you allow {' or '.join(alone)}"
        told = ", ".join(rule.what for rule in self.avoid)
        return f"all use what is avoided; allow more than one of {told}"

    def refuse(self, graph: RoadGraph, costs: Costs, a: Position, b: Position) -> None:
        """Say what binds, if it is the rules that leave no path.

        Raises:
            NoPathError: it is.
        """
        if told := self.binding(graph, costs, a, b):
            raise NoPathError(f"no path leads from A to B: {told}")


def _several(given: Any, what: str) -> list[Any]:
    if isinstance(given, str | Mapping) or hasattr(given, "__geo_interface__"):
        return [given]
    if isinstance(given, np.ndarray):
        return [given]
    if not isinstance(given, Sequence):
        raise InputError(f"{what} is {quoted(given)}; give {_words()}")
    return list(given)


def _words() -> str:
    return f"{', '.join(KINDS)}, the name of a street, or an area"


def _rule(graph: RoadGraph, given: Any, what: str) -> Rule:
    if isinstance(given, str):
        word = given.strip()
        kind = word.casefold().replace("_", " ").replace("-", " ")
        if kind in KINDS:
            return Rule(kind, np.asarray(KINDS[kind](graph)))
        if word.casefold().startswith("area:"):
            given = _read_area(word[5:])
        else:
            return _street(graph, word.removeprefix("street:").strip(), what)
    try:
        rings = rings_of(given)
    except CityError as error:
        reason = str(error).replace("closed has", "there is").replace("closed[", "it[")
        raise InputError(f"{what}: {reason}") from None
    inside = np.zeros(len(graph.links), dtype=bool)
    for ring in rings:
        inside |= _in_area(graph, ring)
    middle = np.round(rings[0][:-1].mean(axis=0), 4).tolist()
    if not inside.any():
        raise InputError(
            f"{what} has an area around {middle} with no street of {graph.name} in it; points are "
            "longitude first, in degrees"
        )
    return Rule(f"the area around longitude {middle[0]:g}, latitude {middle[1]:g}", inside)


def _read_area(name: str) -> Any:
    path = FilePath(name)
    try:
        read = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(
            f"area {quoted(name)} cannot be read as GeoJSON: {shortened(error)}"
        ) from None
    features = read.get("features") if isinstance(read, dict) else None
    if isinstance(features, list) and len(features) == 1:
        return features[0]
    if features is not None or not isinstance(read, dict):
        raise InputError(f"area {quoted(name)} must hold one polygon; give one file for each")
    return read


@lru_cache(maxsize=4)
def _streets(graph: RoadGraph) -> dict[str, list[int]]:
    """Numbers of names, by the name in small letters."""
    found: dict[str, list[int]] = {}
    for number, name in enumerate(graph.names):
        if name:
            found.setdefault(name.casefold(), []).append(number)
    return found


def _street(graph: RoadGraph, name: str, what: str) -> Rule:
    wanted, streets = name.casefold(), _streets(graph)
    numbers = streets.get(wanted, ())
    if not numbers:
        near = sorted(
            {graph.names[known[0]] for low, known in streets.items() if wanted and wanted in low}
        )
        hint = f"; streets like it are {listed(near[:10])}" if near else ""
        raise InputError(
            f"{what} has {quoted(name)}, which no street is called; give {_words()}{hint}"
        )
    return Rule(graph.names[numbers[0]], np.isin(graph.links.name, numbers))


def _in_area(graph: RoadGraph, ring: Any) -> Mask:
    """Which links touch an area."""
    return _touched(graph, np.asarray(ring, dtype=np.float64).tobytes())


@lru_cache(maxsize=32)
def _touched(graph: RoadGraph, ring: bytes) -> Mask:
    """The last few areas are kept, for the same ones are asked for again."""
    import shapely

    polygon = shapely.Polygon(np.frombuffer(ring).reshape(-1, 2))
    shapely.prepare(polygon)
    west, south, east, north = polygon.bounds
    left, low, right, high = _boxes(graph)
    near = np.flatnonzero((left <= east) & (right >= west) & (low <= north) & (high >= south))
    shapes = graph.shapes
    count = shapes.first[near + 1] - shapes.first[near] - 1
    link = np.repeat(near, count)
    segment = shapes.first[link] + np.arange(len(link)) - np.repeat(np.cumsum(count) - count, count)
    line = np.stack([shapes.nodes[segment], shapes.nodes[segment + 1]], axis=1)
    hit = shapely.intersects(polygon, shapely.linestrings(graph.lonlat[line]))
    found = np.zeros(len(graph.links), dtype=bool)
    found[link[hit & (graph.segment_m[segment] > 0)]] = True
    return found


@lru_cache(maxsize=4)
def _boxes(graph: RoadGraph) -> tuple[Floats, Floats, Floats, Floats]:
    """`[L]` each: the least longitude and latitude of links, and the largest."""
    along, first = graph.lonlat[graph.shapes.nodes].T, graph.shapes.first[:-1]
    least, most = (
        [np.asarray(end.reduceat(axis, first)) for axis in along]
        for end in (np.minimum, np.maximum)
    )
    return least[0], least[1], most[0], most[1]
