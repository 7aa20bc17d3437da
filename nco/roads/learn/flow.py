"""How much would be driven on each street, by the map alone.

Drivers keep to streets that lead somewhere, whatever class a map gives them. Between random places
of a city cheapest paths are counted link by link: a sample of edge betweenness, of trips that are
as long as drives in cities are. No drives are needed, so that it is known in any city.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from nco.arrays import Floats
from nco.errors import NoPathError
from nco.roads.graph import RoadGraph
from nco.roads.hierarchy import Hierarchy
from nco.roads.position import Position

# A trip for so many links, so that a link is passed as often in a small city as in a large one.
_LINKS_A_TRIP = 48
_LEAST_TRIPS = 20
_TRIP_M, _LEAST_M = 4000.0, 500.0
_NEAR_M = 300.0
_METRES = 111_195.0


@lru_cache(maxsize=4)
def flow(graph: RoadGraph) -> NDArray[np.int64]:
    """`[L]`, how many cheapest paths between random places lead over each link."""
    from scipy.spatial import cKDTree

    links = graph.links
    streets = np.flatnonzero(links.main & (links.original == np.arange(len(links))))
    passed = np.zeros(len(links), dtype=np.int64)
    if len(streets) < 2:
        return passed
    rng = np.random.default_rng(0)
    trips = max(_LEAST_TRIPS, len(links) // _LINKS_A_TRIP)
    places = _plane(graph)[links.tail[streets]]
    begin, angle = rng.integers(0, len(streets), trips), rng.uniform(0, 2 * np.pi, trips)
    away = rng.exponential(_TRIP_M, trips) + _LEAST_M
    towards = np.stack([np.cos(angle), np.sin(angle)], axis=1) * away[:, None]
    _, end = cKDTree(places).query(places[begin] + towards)
    search = Hierarchy(graph)
    for a, b in zip(streets[begin].tolist(), streets[end].tolist(), strict=True):
        if a != b:
            try:
                path = search.path(Position.on(graph, a), Position.on(graph, b))
            except NoPathError:
                continue
            np.add.at(passed, links.original[path.links], 1)
    return np.asarray(passed[links.original])


@lru_cache(maxsize=4)
def density(graph: RoadGraph) -> Floats:
    """`[L]`, how many ends of links lie within 300 m of the beginning of each."""
    from scipy.spatial import cKDTree

    links, plane = graph.links, _plane(graph)
    ends = plane[np.unique(np.concatenate([links.tail, links.head]))]
    nodes, at = np.unique(links.tail, return_inverse=True)
    count = cKDTree(ends).query_ball_point(plane[nodes], _NEAR_M, return_length=True)
    return np.asarray(count, dtype=np.float64)[at]


def _plane(graph: RoadGraph) -> Floats:
    """`[N, 2]`, nodes in metres, on a plane that suits a city."""
    east = np.cos(np.radians(graph.lonlat[graph.links.tail, 1].mean()))
    return np.asarray(graph.lonlat * _METRES * np.array([east, 1.0]))
