"""The area that an extract covers: where its streets are, and what they surround.

A place is covered if a street of the extract is near, or if such places surround it on all sides: a
park, a harbour basin, the fields between two roads. A bounding box would count the corners of an
extract that was cut along a border, and everything between a city and a lone road that leaves it.

A grid tells what is surrounded; near a street it is the distance that counts.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from nco.arrays import Floats
from nco.data.cities.roads import EARTH_RADIUS_M, StreetNetwork
from nco.data.cities.snapping import NEAR_M

_CELL_M = 25.0
_MOST_CELLS = 4_000_000


@dataclass(frozen=True)
class Area:
    """A grid over an extract, in equal metres at its middle.

    Attributes:
        corner: `[2]` lonlat of its south-western corner.
        degrees: `[2]` size of a cell.
        cell_m: size of a cell.
        inside: `[W, H]`, whether a cell is covered.
    """

    corner: Floats
    degrees: Floats
    cell_m: float
    inside: NDArray[np.bool_]

    @classmethod
    def of(cls, roads: StreetNetwork) -> Area:
        """The area around the connected streets of a network."""
        west, south, east, north = roads.bbox
        per_lat = math.radians(1) * EARTH_RADIUS_M
        per_lon = per_lat * max(math.cos(math.radians((south + north) / 2)), 1e-6)
        size_m = np.array([(east - west) * per_lon, (north - south) * per_lat]) + 4 * NEAR_M
        cell_m = max(_CELL_M, math.sqrt(float(size_m.prod()) / _MOST_CELLS))
        degrees = cell_m / np.array([per_lon, per_lat])
        corner = np.array([west, south]) - 2 * NEAR_M / np.array([per_lon, per_lat])
        street = np.zeros(np.ceil(size_m / cell_m).astype(int) + 1, dtype=bool)
        street[tuple(((_along(roads, cell_m / 2) - corner) / degrees).astype(int).T)] = True
        near = ndimage.distance_transform_edt(~street) * cell_m <= NEAR_M
        return cls(corner, degrees, cell_m, ndimage.binary_fill_holes(near))

    def holds(self, lonlat: Floats) -> NDArray[np.bool_]:
        """`[n]` which of the points `[n, 2]` lie in a covered cell."""
        cells = np.floor((lonlat - self.corner) / self.degrees)
        on_grid = ((cells >= 0) & (cells < self.inside.shape)).all(axis=1)
        held = np.zeros(len(lonlat), dtype=bool)
        held[on_grid] = self.inside[tuple(cells[on_grid].astype(int).T)]
        return held

    @property
    def km2(self) -> float:
        """Its size."""
        return float(self.inside.sum()) * self.cell_m**2 / 1e6


def _along(roads: StreetNetwork, step_m: float) -> Floats:
    """Places `[k, 2]` along all connected streets, no farther apart than a step."""
    _, a, b = roads.segments
    main = roads.segment_main
    a, b = a[main], b[main]
    parts = np.ceil(roads.segment_length_m[main] / step_m).astype(np.int64) + 1
    owner = np.repeat(np.arange(len(parts)), parts + 1)
    share = np.arange(len(owner)) - np.repeat(np.cumsum(parts + 1) - (parts + 1), parts + 1)
    tail = roads.lonlat[a[owner]]
    return np.asarray(tail + (share / parts[owner])[:, None] * (roads.lonlat[b[owner]] - tail))
