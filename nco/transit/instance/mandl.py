"""Mandl's network of Swiss cities, the smallest and oldest benchmark, ready to use.

Times and demand: C. E. Mandl, Applied Network Optimization, Academic Press, 1979, as they circulate
in the literature since. The places are only for drawing.
"""

from __future__ import annotations

import numpy as np

from nco.transit.instance.transit_instance import TransitInstance

# Node, node, minutes.
_LINKS_MIN = (
    *((0, 1, 8), (1, 2, 2), (1, 3, 3), (1, 4, 6), (2, 5, 3), (3, 4, 4), (3, 5, 4)),
    *((3, 11, 10), (5, 7, 2), (5, 14, 3), (6, 9, 7), (6, 14, 2), (7, 9, 8), (7, 14, 2)),
    *((8, 14, 8), (9, 10, 5), (9, 12, 10), (9, 13, 8), (10, 11, 10), (10, 12, 5), (12, 13, 2)),
)
# Trips, the same in both directions: row i holds those between i and i + 1, i + 2, ...
_TRIPS = (
    (400, 200, 60, 80, 150, 75, 75, 30, 160, 30, 25, 35, 0, 0),
    (50, 120, 20, 180, 90, 90, 15, 130, 20, 10, 10, 5, 0),
    (40, 60, 180, 90, 90, 15, 45, 20, 10, 10, 5, 0),
    (50, 100, 50, 50, 15, 240, 40, 25, 10, 5, 0),
    (50, 25, 25, 10, 120, 20, 15, 5, 0, 0),
    (100, 100, 30, 880, 60, 15, 15, 10, 0),
    (50, 15, 440, 35, 10, 10, 5, 0),
    (15, 440, 35, 10, 10, 5, 0),
    (140, 20, 5, 0, 0, 0),
    (600, 250, 500, 200, 0),
    (75, 95, 15, 0),
    (70, 0, 0),
    (45, 0),
    (0,),
)
_XY = (
    *((1.5, 7.3), (2.5, 6.3), (3.8, 6.2), (2.5, 5.2), (0.9, 5.2), (3.8, 5.1), (7.2, 3.8)),
    *((5.0, 3.8), (7.6, 5.1), (6.2, 2.2), (5.6, 1.4), (2.1, 2.7), (6.6, 1.0), (7.4, 1.6)),
    (6.1, 5.2),
)


def mandl(lines: int = 6, *, min_stops: int = 2, max_stops: int = 8) -> TransitInstance:
    """The instance with so many lines to design; 4, 6, 7 and 8 are usual."""
    n = len(_XY)
    link_s = np.full((n, n), np.inf)
    np.fill_diagonal(link_s, 0.0)
    for i, j, minutes in _LINKS_MIN:
        link_s[i, j] = link_s[j, i] = 60.0 * minutes
    demand = np.zeros((n, n))
    for i, row in enumerate(_TRIPS):
        demand[i, i + 1 :] = row
    return TransitInstance(
        link_s=link_s,
        demand=demand + demand.T,
        lines=lines,
        min_stops=min_stops,
        max_stops=max_stops,
        xy=np.array(_XY),
        name="mandl",
    )
