"""What differs on the streets of a variant of a city: speeds of segments that are not as they were.

OSRM reads such speeds when it customises an engine. A segment leads from one node of OpenStreetMap
to the next along a street, in one direction; with a speed of 0 it is closed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nco.arrays import Bools, Floats, Ints
from nco.data.cities.engine import as_lonlat
from nco.data.cities.roads import Edges, StreetNetwork
from nco.data.cities.ways import Ways
from nco.errors import CityError, listed, quoted, shortened

TICK_S = 0.1  # in which OSRM counts
LONGEST_S = 41_000.0  # that a segment may take, in 22 bits of ticks
_LEAST_M = 0.01  # some segments have no length, and a speed of 0 would close them


@dataclass(frozen=True)
class Changes:
    """Speeds of segments, and areas that nobody may enter.

    Attributes:
        speeds: kilometres an hour by OpenStreetMap's nodes, from one to the next; 0 closes.
        areas: rings `[k, 2]` (lonlat) in which no point may lie.
    """

    speeds: Mapping[tuple[int, int], float]
    areas: tuple[Floats, ...] = field(default=())

    @cached_property
    def table(self) -> bytes:
        """What OSRM reads: from, to and speed, in order."""
        rows = (f"{a},{b},{speed:.9g}\n" for (a, b), speed in sorted(self.speeds.items()))
        return "".join(rows).encode()

    @cached_property
    def digest(self) -> str:
        """Names what OSRM makes of them."""
        return hashlib.sha256(self.table).hexdigest()[:24]

    def over(self, other: Changes | None) -> Changes:
        """These after others: where both say something of a segment, these count."""
        if other is None:
            return self
        return Changes({**other.speeds, **self.speeds}, other.areas + self.areas)

    def holds(self, lonlat: Floats) -> Bools:
        """Which of the points `[n, 2]` lie in a closed area `[n]`."""
        import shapely

        inside = np.zeros(len(lonlat), dtype=bool)
        points = shapely.points(lonlat)
        for ring in self.areas:
            inside |= shapely.intersects(shapely.Polygon(ring), points)
        return inside


@dataclass(frozen=True)
class Asked:
    """What is asked of a variant, see `nco.data.cities.city.City.variant`."""

    closed: Sequence[Any] = ()
    classes: Sequence[str] = ()
    streets: Sequence[str] = ()
    speeds: float | Mapping[str, float] = 1.0
    costs: tuple[ArrayLike, ArrayLike, ArrayLike] | None = None

    def on(self, city: str, roads: StreetNetwork, node_ids: Ints, ways: Ways) -> Changes:
        """The segments that differ, and how fast they are then.

        Args:
            city: its name, for messages.
            roads: its streets.
            node_ids: `[V]` OpenStreetMap's numbers of their nodes.
            ways: what OpenStreetMap says of streets.

        Raises:
            CityError: something asked for makes no sense, or nothing differs.
        """
        edges = roads.edges()
        duration_s = edges.duration_s.copy()
        tags = _Tags(ways, node_ids[edges.tail], node_ids[edges.head])
        if self.costs is not None:
            _put_costs(duration_s, edges, len(roads.lonlat), self.costs)
        duration_s /= self._factors(tags)
        areas = tuple(ring for given in _several(self.closed) for ring in rings_of(given))
        for ring in areas:
            inside = _touched(roads.lonlat[edges.tail], roads.lonlat[edges.head], ring)
            if not inside.any():
                raise CityError(
                    f"closed has an area around {np.round(ring.mean(axis=0), 4).tolist()} with no "
                    f"street of {city} in it; points are longitude first, in degrees"
                )
            duration_s[inside] = np.inf
        for word in _words(self.classes, "classes"):
            duration_s[tags.of_class(word, "classes")] = np.inf
        for word in _words(self.streets, "streets"):
            duration_s[tags.of_name(word)] = np.inf
        changed = np.flatnonzero(duration_s != edges.duration_s)
        if not len(changed):
            raise CityError(f"nothing differs on the streets of {city}; say what is closed or slow")
        if (np.isfinite(duration_s) & (duration_s > LONGEST_S))[changed].any():
            raise CityError(
                f"a segment would take more than {LONGEST_S:g} s, which OSRM cannot count; close "
                "it instead, with inf"
            )
        seconds = np.maximum(duration_s[changed], TICK_S)
        length_m = _osrm_length_m(roads.lonlat, edges.tail[changed], edges.head[changed])
        speed = 3.6 * np.maximum(length_m, _LEAST_M) / seconds
        ends = node_ids[np.stack([edges.tail[changed], edges.head[changed]], axis=1)].tolist()
        return Changes({(a, b): float(v) for (a, b), v in zip(ends, speed, strict=True)}, areas)

    def _factors(self, tags: _Tags) -> Floats | float:
        """By how much faster each edge is."""
        if not isinstance(self.speeds, Mapping):
            return _factor(self.speeds, "speeds")
        factors = np.ones(len(tags.row))
        for word, given in self.speeds.items():
            factors[tags.of_class(word, "speeds")] = _factor(given, f"speeds[{quoted(word)}]")
        return factors


class _Tags:
    """What OpenStreetMap says of each edge.

    Args:
        ways: of the extract.
        tail: `[E]` OpenStreetMap's number of the node that an edge leaves.
        head: `[E]` of the node that it enters.
    """

    def __init__(self, ways: Ways, tail: Ints, head: Ints) -> None:
        self._ways, self._tail, self._head = ways, tail, head

    @cached_property
    def row(self) -> Ints:
        """`[E]` the row of `Ways` of each edge, -1 for none."""
        return self._ways.rows(self._tail, self._head)

    def of_class(self, word: str, what: str) -> Bools:
        """`[E]` which edges are of a class of road."""
        return self._of(self._ways.classes, self._ways.class_of, word, f"{what} has", "class")

    def of_name(self, word: str) -> Bools:
        """`[E]` which edges are of a street of that name."""
        return self._of(self._ways.names, self._ways.name_of, word, "streets has", "street")

    def _of(self, known: Sequence[str], number: Ints, word: str, has: str, noun: str) -> Bools:
        folded = {name.casefold(): n for n, name in enumerate(known)}
        if word.casefold() not in folded:
            near = sorted(name for name in known if name)[:30]
            raise CityError(f"{has} {quoted(word)}; there is no such {noun}, but {listed(near)}")
        found = np.append(number, -1)[self.row] == folded[word.casefold()]
        return np.asarray(found & (self.row >= 0))


def rings_of(area: Any) -> list[Floats]:
    """The outlines `[k, 2]` (lonlat) of an area.

    Args:
        area: `[k, 2]` corners, a polygon of shapely, or one of GeoJSON as a mapping.

    Raises:
        CityError: it is none of these; holes cannot be said.
    """
    import shapely

    try:
        shape = None
        if isinstance(area, Mapping) or hasattr(area, "__geo_interface__"):
            inner = area.get("geometry", area) if isinstance(area, Mapping) else area
            shape = shapely.geometry.shape(inner)
        else:
            shape = shapely.Polygon(as_lonlat(area, "closed"))
        parts = list(getattr(shape, "geoms", [shape]))
        good = bool(parts) and all(
            p.geom_type == "Polygon" and p.is_valid and not p.is_empty and not p.interiors
            for p in parts
        )
    except CityError:
        raise
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError,
            shapely.errors.ShapelyError) as error:  # fmt: skip
        raise CityError(f"closed has no area: {shortened(error)}; {_GIVE}") from error
    if not good:
        raise CityError(
            f"closed has {quoted(area)}, whose outline crosses itself or is none; {_GIVE}"
        )
    return [as_lonlat(np.asarray(part.exterior.coords)[:, :2], "closed") for part in parts]


_GIVE = "give corners [k, 2] (lon, lat in degrees) or a polygon without holes"


def _several(closed: Any) -> Iterable[Any]:
    """Areas, of which a single one need be in no list."""
    if isinstance(closed, Mapping) or hasattr(closed, "__geo_interface__"):
        return [closed]
    if isinstance(closed, np.ndarray) and closed.ndim == 2:
        return [closed]
    if isinstance(closed, str) or not isinstance(closed, Iterable):
        raise CityError(f"closed is {quoted(closed)}; {_GIVE}")
    areas = list(closed)
    pairs = all(
        isinstance(p, Sequence | np.ndarray) and len(p) == 2 and np.ndim(p[0]) == 0 for p in areas
    )
    return [areas] if areas and pairs else areas


def _words(given: Any, what: str) -> tuple[str, ...]:
    words = (given,) if isinstance(given, str) else given
    if isinstance(words, Iterable):
        words = tuple(words)
        if all(isinstance(word, str) for word in words):
            return words
    raise CityError(f"{what} is {quoted(given)}; give texts, such as ['primary']")


def _factor(value: Any, what: str) -> float:
    try:
        factor = float(value)
    except (TypeError, ValueError):
        factor = np.nan
    if not 0 < factor <= 1e3:
        raise CityError(
            f"{what} is {quoted(value)}; give a factor above 0, such as 0.5 for half as fast"
        )
    return factor


def _put_costs(
    duration_s: Floats, edges: Edges, nodes: int, costs: tuple[ArrayLike, ArrayLike, ArrayLike]
) -> None:
    """Durations of single edges, `inf` where they are closed."""
    try:
        tail, head, seconds = (np.asarray(a) for a in costs)
        seconds = seconds.astype(float)
        ends = np.stack([tail, head]).astype(np.int64)
        good = ends.shape == (2, len(seconds)) and (ends == np.stack([tail, head])).all()
    except (TypeError, ValueError) as error:
        raise CityError(f"costs makes no sense: {shortened(error)}; {_COSTS}") from error
    if not good or np.isnan(seconds).any() or (seconds < 0).any():
        raise CityError(f"costs has other shapes, or seconds below 0 or NaN; {_COSTS}")
    key = edges.tail * nodes + edges.head
    order = np.argsort(key, kind="stable")
    wanted = ends[0] * nodes + ends[1]
    at = np.searchsorted(key[order], wanted)
    inside = (ends >= 0).all(axis=0) & (ends < nodes).all(axis=0)
    hit = inside & (at < len(key)) & (key[order][np.minimum(at, len(key) - 1)] == wanted)
    if not hit.all():
        k = int(np.argmin(hit))
        raise CityError(
            f"costs[{k}] leads from node {tail[k]} to {head[k]}; no street does. {_COSTS}"
        )
    end = np.searchsorted(key[order], wanted, side="right")
    for k in range(len(wanted)):  # two streets may join the same nodes
        duration_s[order[at[k] : end[k]]] = seconds[k]


_COSTS = "Give (tail, head, seconds), [k] each, nodes as in city.roads.edges()"


def _osrm_length_m(lonlat: Floats, tail: Ints, head: Ints) -> Floats:
    """Metres of segments as OSRM measures them, by which it makes durations of speeds.

    The formula is that of the FCC (47 CFR 73.208) for an ellipsoid.
    """
    a, b = lonlat[tail], lonlat[head]
    lat = np.radians((a[:, 1] + b[:, 1]) / 2)
    east = 111_415.13 * np.cos(lat) - 94.55 * np.cos(3 * lat) + 0.12 * np.cos(5 * lat)
    north = 111_132.09 - 566.05 * np.cos(2 * lat) + 1.2 * np.cos(4 * lat)
    return np.asarray(np.hypot(east * (b - a)[:, 0], north * (b - a)[:, 1]))


def _touched(tail: Floats, head: Floats, ring: Floats) -> NDArray[np.bool_]:
    """Which straight segments have a point in common with an area."""
    import shapely

    area = shapely.Polygon(ring)
    shapely.prepare(area)
    return np.asarray(shapely.intersects(area, shapely.linestrings(np.stack([tail, head], axis=1))))
