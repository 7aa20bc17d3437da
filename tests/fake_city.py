"""A city without streets: directed distances computed from the coordinates."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from nco.data.cities.engine import Matrices
from nco.errors import OffStreetError


@dataclass(frozen=True)
class FakeCity:
    """Points in a square; going east costs more than going west.

    Attributes:
        islands: points east of this longitude reach nothing and are reached from nowhere.
    """

    name: str = "fake"
    bbox: tuple[float, float, float, float] = (24.90, 60.10, 25.00, 60.20)
    islands: float = np.inf

    def with_profile(self, profile):
        """People on foot go where all go."""
        return self

    def sample(self, n, seed, how="road", **drawing):
        """`[n, 2]` points; the way of drawing changes them."""
        rng = np.random.default_rng([seed, *how.encode()])
        west, south, east, north = self.bbox
        return rng.uniform([west, south], [east, north], (n, 2)).round(6)

    def covers(self, points):
        """Which of the points lie in the box."""
        west, south, east, north = self.bbox
        lon, lat = np.asarray(points, float).T
        return (west <= lon) & (lon <= east) & (south <= lat) & (lat <= north)

    def matrix(self, points, *, targets=None, names=None, optional=None):
        """Metres and seconds; a point outside the box is refused by its index and name."""
        points = np.asarray(points, float)
        refused = {}
        for k in np.flatnonzero(~self.covers(points)).tolist():
            if optional is None or not optional[k]:
                label = f"points[{k}] ({names[k] if names else k})"
                raise OffStreetError(f"{label} is not in {self.name}", (k,))
            refused[k] = f"it is not in {self.name}"
        metres = points * [55_000, 111_000]
        step = metres[None] - metres[:, None]
        distance = np.abs(step).sum(axis=2) + 0.3 * np.maximum(step[..., 0], 0)
        apart = points[:, 0] > self.islands
        apart[list(refused)] = True
        distance[(apart[:, None] | apart[None]) & ~np.eye(len(points), dtype=bool)] = np.inf
        duration = distance / np.where(step[..., 1] > 0, 8.0, 10.0)
        return Matrices(distance, duration, refused=refused)

    def geometry(self, points):
        """One straight polyline with a middle point for each leg."""
        points = np.asarray(points, float)
        return [np.array([a, (a + b) / 2, b]) for a, b in pairwise(points)]
