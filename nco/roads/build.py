"""A road graph from OSRM's network and the tags of the extract that it was built from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nco.data.cities.links import StreetLinks, read_links
from nco.data.cities.roads import StreetNetwork, read_roads
from nco.roads.attributes import facts_of_links
from nco.roads.classes import ACCESS, ROAD_CLASSES
from nco.roads.graph import RoadGraph, segment_lengths
from nco.roads.links import Links, Shapes, Turns, starts
from nco.roads.tags import read_ways
from nco.roads.turning import angles, bearings

_FERRY, _SERVICE = ROAD_CLASSES.index("ferry"), ROAD_CLASSES.index("service")
_PRIVATE = ACCESS.index("private")


def build_graph(extract: Path, base: Path, name: str, profile: str = "car") -> RoadGraph:
    """Read an engine's network and the tags of its extract.

    Args:
        extract: `.osm.pbf` or `.osm`.
        base: the base path of the engine that was built from it, with nested cells.
        name: of the place.
        profile: that it was built for.

    Raises:
        CityError: something cannot be read.
    """
    network, streets = read_roads(base), read_links(base)
    ways = read_ways(extract)
    shapes = _shapes(network, streets)
    segment_m = segment_lengths(network.lonlat, shapes)
    facts = facts_of_links(shapes, streets.osm_node, segment_m, ways)
    original, reverse = _same_street(streets)
    ferry = facts["road_class"] == _FERRY
    # What a variant of the city closes has no seconds; OSRM keeps its links.
    closed = np.isinf(np.add.reduceat(shapes.seconds, shapes.first[:-1]))
    main = in_largest(streets.turn_from, streets.turn_to, len(original), closed)
    # OSRM's cars begin and end on no private service road, such as one in a tunnel below a street.
    own = (facts["road_class"] == _SERVICE) & (facts["access"] == _PRIVATE)
    main &= ~ferry & ~(own & (profile == "car"))
    links = Links(
        tail=shapes.nodes[shapes.first[:-1]],
        head=shapes.nodes[shapes.first[1:] - 1],
        length_m=np.add.reduceat(segment_m, shapes.first[:-1]),
        duration_s=np.where(closed, np.inf, streets.duration_s),
        weight_s=np.where(closed, np.inf, streets.weight_s),
        road_class=facts["road_class"].astype(np.uint8),
        access=facts["access"].astype(np.uint8),
        lanes=facts["lanes"].astype(np.uint8),
        max_speed_kmh=facts["max_speed_kmh"].astype(np.float32),
        toll=facts["toll"],
        bridge=facts["bridge"],
        tunnel=facts["tunnel"],
        ferry=ferry,
        roundabout=facts["roundabout"].astype(np.bool_),
        left_hand=streets.left_hand,
        signals=np.minimum(facts["signals"], 255).astype(np.uint8),
        name=facts["name"].astype(np.int32),
        way=facts["way"].astype(np.int64),
        reverse=reverse,
        original=original,
        main=main,
    )
    leaving, entering = bearings(network.lonlat, shapes)
    angle = angles(leaving, entering, streets.turn_from, streets.turn_to)
    turns = Turns(
        streets.turn_from.astype(np.int32),
        streets.turn_to.astype(np.int32),
        streets.turn_s,
        streets.turn_weight_s,
        angle.astype(np.float32),
    )
    return RoadGraph(name, network.lonlat, streets.osm_node, links, turns, shapes, ways.names)


def _shapes(network: StreetNetwork, streets: StreetLinks) -> Shapes:
    """The nodes along each directed street; those that OSRM writes twice in a row stay."""
    begin = network.street_start[streets.street]
    count = network.street_start[streets.street + 1] - begin
    first = starts(count)
    rank = np.arange(first[-1]) - np.repeat(first[:-1], count)
    ahead = np.repeat(streets.ahead, count)
    rank = np.where(ahead, rank, np.repeat(count, count) - 1 - rank)
    at = np.repeat(begin, count) + rank
    # What leads on from a node is written at the next one, against the street at the one before.
    size = len(network.street_nodes)
    seconds = np.where(
        ahead,
        network.forward_s[np.minimum(at + 1, size - 1)],
        network.backward_s[np.maximum(at - 1, 0)],
    )
    seconds[first[1:] - 1] = 0.0
    return Shapes(first, network.street_nodes[at].astype(np.int32), seconds)


def _same_street(streets: StreetLinks) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Of each link the one that it is a copy of, or itself; and the one back."""
    links = len(streets.street)
    # A copy lacks the turns that are forbidden to those who come from a certain link.
    turns = np.bincount(streets.turn_from, minlength=links)
    key = streets.street * 2 + streets.ahead
    order = np.lexsort((-np.arange(links), turns, key))
    best = np.full(int(key.max(initial=0)) // 2 * 2 + 2, -1)
    best[key[order]] = order
    return best[key].astype(np.int32), best[key ^ 1].astype(np.int32)


def in_largest(
    from_link: NDArray[np.int64],
    to_link: NDArray[np.int64],
    links: int,
    closed: NDArray[np.bool_],
) -> NDArray[np.bool_]:
    """`[L]`, whether a link is open and of the largest strongly connected component."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    way = ~closed[from_link] & ~closed[to_link]
    ones = np.ones(int(way.sum()), dtype=np.int8)
    graph = coo_array((ones, (from_link[way], to_link[way])), shape=(links, links))
    _, label = connected_components(graph.tocsr(), directed=True, connection="strong")
    return np.asarray(label == np.bincount(label).argmax()) & ~closed
