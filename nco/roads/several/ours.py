"""From nodes of OpenStreetMap, as other engines answer, to paths of a query."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike

from nco.data.cities.roads import EARTH_RADIUS_M
from nco.roads.drives import NodePairs
from nco.roads.graph import RoadGraph
from nco.roads.path import Path
from nco.roads.position import Position

_NEAR_M = 20.0


@lru_cache(maxsize=2)
def node_pairs(graph: RoadGraph) -> NodePairs:
    """What tells links by their nodes, once a graph."""
    return NodePairs(graph)


def along(graph: RoadGraph, osm_nodes: ArrayLike, a: Position, b: Position) -> Path | None:
    """The path from A to B along nodes; None where they are on no links or lie elsewhere.

    Args:
        graph: the streets.
        osm_nodes: `[n]`.
        a: where the path begins, on the first link or the last one before it.
        b: where it ends.
    """
    driven = node_pairs(graph).links(osm_nodes)
    if not len(driven.links) or len(driven.broken) or driven.unknown:
        return None
    begin = _fraction(graph, a, int(driven.links[0]))
    end = _fraction(graph, b, int(driven.links[-1]))
    if begin is None or end is None:
        return None
    links = np.asarray(driven.links, dtype=np.int64)
    if len(links) == 1 and begin > end:
        return None
    return Path(graph, links, begin, end)


def _fraction(graph: RoadGraph, place: Position, link: int) -> float | None:
    """Where a place lies on a link or on a copy of it.

    Where streets meet, engines take another link than we do: the nearest point on it then.
    """
    original = graph.links.original
    for other, fraction in zip(place.links, place.fractions, strict=True):
        if original[other] == original[link]:
            return fraction
    north = np.radians(1.0) * EARTH_RADIUS_M
    scale = np.array([north * np.cos(np.radians(place.lonlat[1])), north])
    line = (graph.shape(link) - np.array(place.lonlat)) * scale
    a, along_line = line[:-1], np.diff(line, axis=0)
    length = (along_line**2).sum(axis=1)
    part = np.divide(-(a * along_line).sum(axis=1), length, out=np.zeros(len(a)), where=length > 0)
    part = part.clip(0, 1)
    away_m = np.hypot(*(a + part[:, None] * along_line).T)
    best = int(away_m.argmin())
    if away_m[best] > _NEAR_M:
        return None
    here = graph.shapes.first[link] + best
    metres = graph.along_m[here] + part[best] * graph.segment_m[here]
    return graph.fraction_at(link, float(metres))
