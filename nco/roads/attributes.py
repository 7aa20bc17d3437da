"""Facts of links from the ways that they lie on.

A link is a stretch of OSRM's network, a way one of OpenStreetMap's. They are matched by their
nodes: each pair of neighbours along a link is a pair of neighbours along a way. A link may lie on
several ways (a bridge in its middle is one); it takes its facts from the way that most of it is of,
and is a bridge, a tunnel or a toll road if any part of it is.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nco.arrays import Floats
from nco.roads.links import Shapes
from nco.roads.tags import Ways

_ANY = ("toll", "bridge", "tunnel")
_MOST = ("road_class", "access", "roundabout", "name")


def facts_of_links(
    shapes: Shapes, osm_node: NDArray[np.int64], segment_m: Floats, ways: Ways
) -> dict[str, NDArray[Any]]:
    """Facts of each link by name, as `Links` calls them, and `way`.

    Args:
        shapes: the nodes along the links.
        osm_node: `[N]`, numbers of the nodes in OpenStreetMap.
        segment_m: `[S]`, metres from each entry of `shapes.nodes` to the next; what is given for
            the last of a link is not looked at.
        ways: what the map says.
    """
    links = len(shapes.first) - 1
    here = np.ones(len(shapes.nodes), dtype=bool)
    here[shapes.first[1:] - 1] = False
    segment = np.flatnonzero(here)
    passed = osm_node[shapes.nodes]
    way, forward = _ways_of(passed[segment], passed[segment + 1], ways)
    known = way >= 0
    segment, way, forward = segment[known], way[known], forward[known]
    link = shapes.link[segment].astype(np.int64)
    most, ahead = _longest(link, way, forward, segment_m[segment], links)
    found: dict[str, NDArray[Any]] = {}
    on = most >= 0
    for fact in _MOST:
        found[fact] = np.where(on, ways.facts[fact][most], 0) if len(ways.number) else most * 0
    for fact in _ANY:
        found[fact] = np.zeros(links, dtype=bool)
        found[fact][link[ways.facts[fact][way] > 0]] = True
    if len(ways.number):
        lanes = np.where(
            ahead, ways.facts["lanes_forward"][most], ways.facts["lanes_backward"][most]
        )
        speed = ways.max_speed_kmh[most, np.where(ahead, 0, 1)]
        found["lanes"] = np.where(on, lanes, 0)
        found["max_speed_kmh"] = np.where(on, speed, np.nan)
        found["way"] = np.where(on, ways.number[most], 0)
    else:
        found["lanes"], found["way"] = most * 0, most * 0
        found["max_speed_kmh"] = np.full(links, np.nan)
    found["signals"] = _signals(shapes, passed, ways, links)
    return found


def _ways_of(
    a: NDArray[np.int64], b: NDArray[np.int64], ways: Ways
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """The way from each node to the next, -1 where there is none, and whether along it."""
    inner = np.ones(len(ways.nodes), dtype=bool)
    inner[ways.first[1:][np.diff(ways.first) > 0] - 1] = False
    at = np.flatnonzero(inner)
    of = np.repeat(np.arange(len(ways.number)), np.diff(ways.first))[at]
    u, v = ways.nodes[at], ways.nodes[at + 1]
    keys = np.stack([np.concatenate([u, v]), np.concatenate([v, u])], axis=1)
    way = np.concatenate([of, of])
    forward = np.repeat([True, False], len(at))
    # Numbers of nodes anew, so that a pair fits into one integer.
    nodes = np.unique(ways.nodes)
    pair = np.searchsorted(nodes, keys[:, 0]) * len(nodes) + np.searchsorted(nodes, keys[:, 1])
    order = np.argsort(pair, kind="stable")
    pair = pair[order]
    if not len(pair):
        return np.full(len(a), -1), np.ones(len(a), dtype=bool)
    i = np.minimum(np.searchsorted(nodes, a), len(nodes) - 1)
    j = np.minimum(np.searchsorted(nodes, b), len(nodes) - 1)
    wanted = i * len(nodes) + j
    place = np.minimum(np.searchsorted(pair, wanted), len(pair) - 1)
    hit = (pair[place] == wanted) & (nodes[i] == a) & (nodes[j] == b)
    return np.where(hit, way[order][place], -1), forward[order][place]


def _longest(
    link: NDArray[np.int64],
    way: NDArray[np.int64],
    forward: NDArray[np.bool_],
    metres: Floats,
    links: int,
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Of each link the way that most of it is of, -1 for none, and whether it goes along it."""
    size = int(way.max(initial=0)) + 1
    pairs, part = np.unique(link * size + way, return_inverse=True)
    of_link, of_way = np.divmod(pairs, size)
    length = np.bincount(part, weights=metres, minlength=len(pairs))
    along = np.zeros(len(pairs), dtype=bool)
    along[part] = forward
    # The longest is written last.
    order = np.lexsort((length, of_link))
    most = np.full(links, -1)
    ahead = np.ones(links, dtype=bool)
    most[of_link[order]] = of_way[order]
    ahead[of_link[order]] = along[order]
    return most, ahead


def _signals(
    shapes: Shapes, passed: NDArray[np.int64], ways: Ways, links: int
) -> NDArray[np.int64]:
    """Signals on each link, those at its tail not counted: they belong to the links before."""
    lit = np.isin(passed, ways.signals)
    lit[shapes.first[:-1]] = False
    return np.bincount(shapes.link[lit], minlength=links)
