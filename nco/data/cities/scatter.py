"""Points scattered over the streets of a city, all of which reach one another.

Three ways: `road` (uniform along the length of the streets), `cluster` (denser around random
centres, falling off exponentially with distance, as in the X instances of Uchoa et al. 2017) and
`node` (junctions and street ends, each at most once). Candidates are taken from the largest
strongly connected component and then confirmed by the routing engine.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from nco import _validate as validate
from nco.arrays import Floats
from nco.data.cities.engine import Engine
from nco.data.cities.roads import EARTH_RADIUS_M, StreetNetwork, haversine_m
from nco.errors import CityError, quoted

HOW = ("road", "cluster", "node")
# Candidates are drawn anew this many times before a box counts as too small.
_ROUNDS = 12
_CENTRES = 8
_ON_STREET_M = 1.0


def check_drawing(
    n: int, how: str, *, within_km: float | None, clusters: int, spread_km: float | None
) -> None:
    """Refuse options of a draw that make no sense.

    Raises:
        CityError: the message names the option.
    """
    if not isinstance(how, str) or how not in HOW:
        raise CityError(f"how is {quoted(how)}, which is unknown; choose one of {', '.join(HOW)}")
    for name, count in (("n", n), ("clusters", clusters)):
        validate.whole(count, name, low=1, error=CityError)
    for name, value in (("within_km", within_km), ("spread_km", spread_km)):
        if value is not None and not 0 < validate.number(value, name, CityError) < math.inf:
            raise CityError(f"{name}={quoted(value)} must be a positive number of kilometres")


@dataclass(frozen=True)
class Box:
    """A rectangle in degrees."""

    west: float
    south: float
    east: float
    north: float

    @classmethod
    def around(cls, centre: Floats, side_km: float) -> "Box":
        """A square of `side_km` on the ground around a lonlat."""
        lat = math.degrees(side_km * 500 / EARTH_RADIUS_M)
        lon = lat / max(math.cos(math.radians(float(centre[1]))), 1e-6)
        return cls(centre[0] - lon, centre[1] - lat, centre[0] + lon, centre[1] + lat)

    def holds(self, lonlat: Floats) -> NDArray[np.bool_]:
        """Which of the points `[n, 2]` lie inside."""
        lon, lat = lonlat[:, 0], lonlat[:, 1]
        inside = (lon >= self.west) & (lon <= self.east) & (lat >= self.south) & (lat <= self.north)
        return np.asarray(inside)

    def touches(self, a: Floats, b: Floats) -> NDArray[np.bool_]:
        """Which of the segments from `a` to `b` `[n, 2]` may have a part inside."""
        low, high = np.minimum(a, b), np.maximum(a, b)
        lon = (high[:, 0] >= self.west) & (low[:, 0] <= self.east)
        return np.asarray(lon & (high[:, 1] >= self.south) & (low[:, 1] <= self.north))

    @property
    def side_m(self) -> float:
        """The longer side in metres."""
        corner = np.array([self.west, self.south])
        width = haversine_m(corner, np.array([self.east, self.south]))
        return float(max(width, haversine_m(corner, np.array([self.west, self.north]))))


@dataclass(frozen=True)
class Scatter:
    """Draws points on the streets of a city.

    Attributes:
        roads: the street network.
        engine: confirms that points are connected.
    """

    roads: StreetNetwork
    engine: Engine

    def draw(
        self,
        n: int,
        seed: int,
        how: str = "road",
        *,
        within_km: float | None = None,
        centre: Floats | None = None,
        clusters: int = 3,
        spread_km: float | None = None,
    ) -> Floats:
        """Draw `[n, 2]` different points; see `nco.data.cities.city.City.sample`."""
        check_drawing(n, how, within_km=within_km, clusters=clusters, spread_km=spread_km)
        rng = np.random.default_rng(seed)
        city = Box(*self.roads.bbox)
        boxes = [city]
        if within_km is not None:
            centres = self._centres(rng, within_km) if centre is None else [centre]
            boxes = [Box.around(place, within_km) for place in centres]
        elif centre is not None:
            raise CityError("a centre needs within_km, the side of the box around it")
        most = 0
        for box in boxes:
            spread_m = 0.04 * box.side_m if spread_km is None else 1000 * spread_km
            found = self._in_box(box, n, rng, how, clusters, spread_m)
            if len(found) == n:
                return found
            most = max(most, len(found))
        place = "the city" if within_km is None else f"a box of {within_km:g} km"
        raise CityError(
            f"{quoted(n)} different connected points (how={quoted(how)}) were asked for, "
            f"{place} has room for "
            f"{most}; ask for fewer, or take a larger box or city"
        )

    def _centres(self, rng: np.random.Generator, side_km: float) -> list[Floats]:
        """Random places on streets, moved so that a box around them stays inside the city."""
        a, b, weight = self._pieces(None)
        city = Box(*self.roads.bbox)
        centres = []
        for place in _along(a, b, weight, _CENTRES, rng):
            box = Box.around(place, side_km)
            half = np.array([box.east - box.west, box.north - box.south]) / 2
            low = np.array([city.west, city.south]) + half
            high = np.array([city.east, city.north]) - half
            middle = (low + high) / 2
            centres.append(np.where(low < high, np.clip(place, low, high), middle))
        return centres

    def _in_box(
        self, box: Box, n: int, rng: np.random.Generator, how: str, clusters: int, spread_m: float
    ) -> Floats:
        if how == "node":
            ends = self._ends()
            ends = ends[box.holds(ends)]
            left = iter(ends[rng.permutation(len(ends))])
            return self._confirmed(n, lambda count: _rows(islice(left, count)), box)
        a, b, weight = self._pieces(box, spread_m / 2 if how == "cluster" else None)
        if not len(a):
            return np.empty((0, 2))
        if how == "cluster":
            centres = _along(a, b, weight, clusters, rng)
            middle = (a + b) / 2
            density = [np.exp(-haversine_m(middle, place) / spread_m) for place in centres]
            weight = weight * np.sum(density, axis=0)
        return self._confirmed(n, lambda count: _along(a, b, weight, count, rng), box)

    def _confirmed(self, n: int, candidates: Callable[[int], Floats], box: Box) -> Floats:
        """Up to n different points in the box that the engine calls connected."""
        found = np.empty((0, 2))
        for _ in range(_ROUNDS):
            missing = n - len(found)
            # A few more than are missing, for some may fail. OSRM works in 1e-6 degrees; closer
            # points are one and the same.
            drawn = np.round(candidates(missing + missing // 10 + 8), 6)
            drawn = drawn[box.holds(drawn)]
            union = np.concatenate([found, drawn])
            _, first = np.unique(union, axis=0, return_index=True)
            fresh = union[np.sort(first)][len(found) :]
            if len(fresh):
                found = np.concatenate([found, fresh[self._connected(fresh)]])
            if len(found) >= n:
                return found[:n]
        return found

    def _connected(self, points: Floats) -> NDArray[np.bool_]:
        """Which points one may stop at, reach from the middle of the city and come back from."""
        # OSRM starts no trip on some streets, private ones among them, and moves such a point.
        on_street = self.engine.nearest(points)[1] <= _ON_STREET_M
        away = self.engine.table(self._hub, points).duration_s[0]
        back = self.engine.table(points, self._hub).duration_s[:, 0]
        return np.asarray(on_street & np.isfinite(away) & np.isfinite(back))

    @cached_property
    def _hub(self) -> Floats:
        """A place `[1, 2]` in the middle of the largest component."""
        a, b, _ = self._pieces(None)
        middle = (a + b) / 2
        offset = abs(middle - np.median(middle, axis=0)).sum(axis=1)
        return np.asarray(middle[[offset.argmin()]])

    def _pieces(
        self, box: Box | None, longest_m: float | None = None
    ) -> tuple[Floats, Floats, Floats]:
        """Segments that points may lie on: both ends `[k, 2]` and the length in metres `[k]`."""
        roads = self.roads
        _, tail, head = roads.segments
        keep = roads.segment_main & (roads.segment_length_m > 0)
        a, b, length = (
            roads.lonlat[tail[keep]],
            roads.lonlat[head[keep]],
            roads.segment_length_m[keep],
        )
        if box is not None:
            near = box.touches(a, b)
            a, b, length = a[near], b[near], length[near]
        if longest_m is None:
            return a, b, length
        parts = np.ceil(length / longest_m).astype(np.int64)
        owner = np.repeat(np.arange(len(a)), parts)
        place = np.arange(len(owner)) - np.repeat(np.cumsum(parts) - parts, parts)
        step = ((b - a) / parts[:, None])[owner]
        start = a[owner] + place[:, None] * step
        return start, start + step, (length / parts)[owner]

    def _ends(self) -> Floats:
        """Junctions and street ends of the largest component, `[k, 2]`."""
        roads = self.roads
        first = roads.street_nodes[roads.street_start[:-1]][roads.main]
        last = roads.street_nodes[roads.street_start[1:] - 1][roads.main]
        return roads.lonlat[np.union1d(first, last)]


def _along(a: Floats, b: Floats, weight: Floats, count: int, rng: np.random.Generator) -> Floats:
    """Points on segments `a`-`b`: the segment by weight, the place on it uniformly."""
    total = np.cumsum(weight)
    segment = np.searchsorted(total, rng.random(count) * total[-1], side="right")
    segment = np.minimum(segment, len(a) - 1)
    return np.asarray(a[segment] + rng.random((count, 1)) * (b[segment] - a[segment]))


def _rows(points: Iterable[Floats]) -> Floats:
    return np.array(list(points)).reshape(-1, 2)
