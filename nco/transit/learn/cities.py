"""Made-up cities for bus networks: planar streets, a hub in the middle, and gravity demand.

Stops lie at random with some space between them. Streets are the edges of their Delaunay
triangulation that pass no other stop (so that the network holds together) and some of the others.
Demand is directed, from homes to jobs; jobs crowd in a few places, as in a morning. The ranges
contain the network of Bloomington (143 stops, 1.7 streets a stop, 51 s a street, 574 trips an hour
and line), which is never trained on.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import Delaunay
from scipy.spatial.distance import cdist

from nco.arrays import Floats
from nco.errors import PolicyError, quoted
from nco.transit.instance.transit_instance import TransitInstance


@dataclass(frozen=True)
class Cities:
    """How cities are drawn; ranges are uniform, of both ends.

    Attributes:
        stops: how many there are.
        lines: how many are designed.
        longest: most stops of a line.
        streets: links a stop.
        link_s: mean seconds of a link.
        trips: trips an hour and line.
        hub: share of cities with a hub.

    Raises:
        PolicyError: a range is empty or too low.
    """

    stops: tuple[int, int] = (20, 70)
    lines: tuple[int, int] = (1, 12)
    longest: tuple[int, int] = (6, 14)
    streets: tuple[float, float] = (1.4, 2.2)
    link_s: tuple[float, float] = (35.0, 80.0)
    trips: tuple[float, float] = (150.0, 600.0)
    hub: float = 0.9

    def __post_init__(self) -> None:
        lowest = {"stops": 4, "lines": 1, "longest": 2, "streets": 0, "link_s": 0, "trips": 0}
        for name, least in lowest.items():
            low, high = getattr(self, name)
            if not least <= low <= high:
                raise PolicyError(
                    f"{name} is {quoted([low, high])}; give a range from {least} or more upwards"
                )
        if not 0 <= self.hub <= 1:
            raise PolicyError(f"hub is {quoted(self.hub)}; give a share from 0 to 1")

    def draw(self, seed: int) -> TransitInstance:
        """The city of a seed."""
        rng = np.random.default_rng(seed)
        count = int(rng.integers(self.stops[0], self.stops[1] + 1))
        xy = _places(count, rng)
        away = cdist(xy, xy)
        linked = _streets(xy, away, rng.uniform(*self.streets), rng)
        # Streets bend, and some are slow.
        times = away * rng.lognormal(0.0, 0.2, away.shape)
        times = (times + times.T) / 2
        link_s = np.where(linked, times * rng.uniform(*self.link_s) / times[linked].mean(), np.inf)
        np.fill_diagonal(link_s, 0.0)
        lines = int(rng.integers(self.lines[0], self.lines[1] + 1))
        middle = np.abs(xy - xy.mean(0)).sum(1) + 9.0 * (linked.sum(1) < 3)
        instance = TransitInstance(
            link_s=np.round(link_s, 3),
            lines=lines,
            max_stops=min(int(rng.integers(self.longest[0], self.longest[1] + 1)), count),
            hub=int(middle.argmin()) if rng.random() < self.hub else None,
            xy=xy,
            name=f"made-up city {seed}",
        )
        trips = lines * rng.uniform(*self.trips)
        return instance.changed(demand=_gravity(instance.drive_s, trips, rng))


def _places(count: int, rng: np.random.Generator) -> Floats:
    """`[count, 2]` in the unit square, each the farthest of a few from those before."""
    places = rng.random((1, 2))
    while len(places) < count:
        tried = rng.random((6, 2))
        gap = cdist(tried, places).min(1)
        places = np.vstack([places, tried[gap.argmax()]])
    return places


def _streets(
    xy: Floats, away: Floats, wanted: float, rng: np.random.Generator
) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
    """`[N, N]` which stops have a street between them."""
    size = len(xy)
    near = np.zeros((size, size), bool)
    for corner in Delaunay(xy).simplices:
        near[np.ix_(corner, corner)] = True
    np.fill_diagonal(near, False)
    # The relative neighbourhood graph holds a minimum spanning tree.
    blocked = np.zeros_like(near)
    for k in range(size):
        blocked |= np.maximum(away[:, k, None], away[None, k]) < away
    linked = near & ~blocked
    a, b = np.nonzero(np.triu(near & ~linked))
    order = np.argsort(away[a, b] * rng.lognormal(0.0, 0.3, len(a)))
    more = order[: max(0, int(wanted * size) - int(linked.sum()) // 2)]
    linked[a[more], b[more]] = linked[b[more], a[more]] = True
    return linked


def _gravity(drive_s: Floats, trips: float, rng: np.random.Generator) -> Floats:
    """`[N, N]` trips an hour; many pairs have none, as in counts."""
    size = len(drive_s)
    homes = rng.lognormal(0.0, 1.0, size)
    jobs = rng.lognormal(0.0, rng.uniform(0.8, 1.8), size)
    pull = np.exp(-drive_s / (drive_s.mean() * rng.uniform(0.5, 3.0)))
    demand = homes[:, None] * jobs * pull
    np.fill_diagonal(demand, 0.0)
    demand *= trips / demand.sum()
    return rng.poisson(demand).astype(float)
