"""Road graphs of networkx and of PyTorch Geometric."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from nco.errors import CityError, quoted
from nco.roads.classes import ACCESS, ROAD_CLASSES, access_number, class_number
from nco.roads.graph import RoadGraph
from nco.roads.links import starts
from nco.roads.made import made
from nco.roads.store import from_arrays, to_arrays
from nco.roads.tags import kmh

if TYPE_CHECKING:
    from networkx import MultiDiGraph
    from torch_geometric.data import Data

LINK_COLUMNS = (
    "length_m",
    "duration_s",
    "weight_s",
    "speed_kmh",
    "road_class",
    "access",
    "lanes",
    "max_speed_kmh",
    "toll",
    "bridge",
    "tunnel",
    "ferry",
    "roundabout",
    "left_hand",
    "signals",
)
"""Columns of `x` in `to_pyg`; `max_speed_kmh` is NaN where nobody knows."""

_FLAGS = ("toll", "bridge", "tunnel", "ferry", "roundabout", "left_hand")


def to_networkx(graph: RoadGraph) -> MultiDiGraph:
    """A `networkx.MultiDiGraph` with an edge a link, in the words of OSMnx.

    Nodes are those where links end; they have `x`, `y` and `osmid`. The key of an edge is the index
    of the link; an edge has `length` (metres), `travel_time` (seconds of free flow), `weight`
    (what OSRM minimises), `speed_kph`, `highway`, `access`, `lanes`, `maxspeed`, `name`, `osmid`
    (of the way), flags such as `bridge`, `signals`, and `geometry`: a list of lon, lat. The graph
    has `turns`: pairs of links and the seconds of each, and `crs`.
    """
    import networkx as nx

    links = graph.links
    made_of = nx.MultiDiGraph(name=graph.name, crs="epsg:4326")
    for node in np.unique(np.concatenate([links.tail, links.head])).tolist():
        lon, lat = graph.lonlat[node].tolist()
        made_of.add_node(node, x=lon, y=lat, osmid=int(graph.osm_node[node]))
    speed = links.speed_kmh
    for link in range(len(links)):
        flags = {flag: bool(getattr(links, flag)[link]) for flag in _FLAGS}
        made_of.add_edge(
            int(links.tail[link]),
            int(links.head[link]),
            key=link,
            length=float(links.length_m[link]),
            travel_time=float(links.duration_s[link]),
            weight=float(links.weight_s[link]),
            speed_kph=float(speed[link]),
            highway=ROAD_CLASSES[links.road_class[link]],
            access=ACCESS[links.access[link]],
            lanes=int(links.lanes[link]),
            maxspeed=float(links.max_speed_kmh[link]),
            signals=int(links.signals[link]),
            name=graph.link_name(link),
            osmid=int(links.way[link]),
            reverse=int(links.reverse[link]),
            original=int(links.original[link]),
            geometry=graph.shape(link).tolist(),
            **flags,
        )
    turns = graph.turns
    made_of.graph["turns"] = list(
        zip(
            turns.from_link.tolist(),
            turns.to_link.tolist(),
            turns.duration_s.tolist(),
            turns.weight_s.tolist(),
            strict=True,
        )
    )
    return made_of


def from_networkx(given: MultiDiGraph) -> RoadGraph:
    """A road graph from a directed graph of networkx.

    Args:
        given: nodes have `x` and `y` (degrees); of edges everything that `to_networkx` writes is
            read where it is there, in the forms of OSMnx as well: `maxspeed` as a text, lists where
            several ways were joined, `geometry` as a line of shapely. Without `turns` every turn is
            allowed, with the penalties of OSRM's car profile.

    Raises:
        CityError: it is no directed graph, or a node has no coordinates.
    """
    if not (hasattr(given, "is_directed") and given.is_directed()):
        raise CityError(f"{quoted(type(given).__name__)} is no directed graph of networkx")
    place: dict[Hashable, int] = {node: index for index, node in enumerate(given.nodes)}
    lonlat: list[tuple[float, float]] = []
    for node, facts in given.nodes(data=True):
        if "x" not in facts or "y" not in facts:
            raise CityError(f"node {quoted(node)} lacks x or y, its longitude and latitude")
        lonlat.append((facts["x"], facts["y"]))
    osm = [_whole(facts.get("osmid", -1), -1) for _, facts in given.nodes(data=True)]
    turns = given.graph.get("turns")
    edges = list(given.edges(data=True, keys=True) if given.is_multigraph() else _keyed(given))
    if turns is not None:
        edges.sort(key=lambda edge: edge[2])  # keys are the links that turns speak of
    nodes: list[int] = []
    counts: list[int] = []
    for a, b, _, facts in edges:
        inner = _line(facts.get("geometry"))[1:-1]
        nodes += [place[a], *range(len(lonlat), len(lonlat) + len(inner)), place[b]]
        lonlat += inner
        counts.append(len(inner) + 2)
    rows: list[Mapping[str, Any]] = [facts for *_, facts in edges]
    flags = {flag: [_flag(row.get(flag)) for row in rows] for flag in _FLAGS}
    flags["roundabout"] = [
        flag or row.get("junction") == "roundabout"
        for flag, row in zip(flags["roundabout"], rows, strict=True)
    ]
    return made(
        lonlat,
        np.array([place[a] for a, *_ in edges], dtype=np.int64),
        np.array([place[b] for _, b, *_ in edges], dtype=np.int64),
        name=str(given.graph.get("name") or "roads"),
        shapes=(starts(np.array(counts, dtype=np.int64)), nodes),
        length_m=_column(rows, "length"),
        duration_s=_column(rows, "travel_time"),
        weight_s=_column(rows, "weight"),
        turns=None if turns is None else tuple(np.array(turns).reshape(-1, 4).T),
        osm_node=osm + [-1] * (len(lonlat) - len(osm)),
        reverse=_column(rows, "reverse"),
        original=_column(rows, "original"),
        streets=[str(_first(row.get("name")) or "") for row in rows],
        road_class=[class_number(str(_first(row.get("highway")))) for row in rows],
        access=[access_number(str(_first(row.get("access")))) for row in rows],
        lanes=[min(max(_whole(_first(row.get("lanes")), 0), 0), 255) for row in rows],
        max_speed_kmh=[kmh(str(_first(row.get("maxspeed")))) for row in rows],
        signals=[_whole(row.get("signals"), 0) for row in rows],
        way=[_whole(_first(row.get("osmid")), 0) for row in rows],
        **flags,
    )


def to_pyg(graph: RoadGraph) -> Data:
    """A `torch_geometric.data.Data` of the graph of links: a node a link, an edge a turn.

    `x` `[L, F]` are the numbers of links that `LINK_COLUMNS` names, `edge_index` `[2, T]` the links
    that turns leave and enter, `edge_attr` `[T, 3]` their seconds, OSRM's weight and their angle in
    degrees, `pos` `[L, 2]` lonlat of the middle of links' ends. All arrays of the graph are in it
    too, so that `from_pyg` makes the same graph of it.
    """
    import torch
    from torch_geometric.data import Data

    links, turns = graph.links, graph.turns
    x = np.stack([np.asarray(getattr(links, c), dtype=np.float32) for c in LINK_COLUMNS], axis=1)
    edge = np.stack([turns.duration_s, turns.weight_s, turns.angle_deg], axis=1)
    ends = graph.lonlat[links.tail] + graph.lonlat[links.head]
    held = {
        name.replace(".", "_"): torch.from_numpy(values.copy())
        for name, values in to_arrays(graph).items()
    }
    return Data(
        x=torch.from_numpy(x),
        edge_index=torch.from_numpy(np.stack([turns.from_link, turns.to_link]).astype(np.int64)),
        edge_attr=torch.from_numpy(edge.astype(np.float32)),
        pos=torch.from_numpy((ends / 2).astype(np.float32)),
        place=graph.name,
        **held,
    )


def from_pyg(data: Data) -> RoadGraph:
    """The road graph that `to_pyg` made this data of.

    Raises:
        CityError: it was made of something else.
    """
    held: dict[str, Any] = {}
    for name, values in dict(data.to_dict()).items():
        if hasattr(values, "numpy"):
            part, _, field = name.partition("_")
            held[f"{part}.{field}" if part in ("links", "turns", "shapes") else name] = (
                values.cpu().numpy()
            )
    return from_arrays(str(getattr(data, "place", "roads")), held)


def _keyed(given: Any) -> Iterator[tuple[Hashable, Hashable, int, dict[str, Any]]]:
    """Edges of a graph without parallel ones, numbered."""
    for key, (a, b, facts) in enumerate(given.edges(data=True)):
        yield a, b, key, facts


def _column(rows: list[Mapping[str, Any]], name: str) -> list[Any] | None:
    """One value an edge; None where one lacks it."""
    values = [row.get(name) for row in rows]
    return None if any(value is None for value in values) else values


def _first(value: Any) -> Any:
    """The value, or the first of several."""
    if isinstance(value, list | tuple):
        return value[0] if value else ""
    return "" if value is None else value


def _flag(value: Any) -> bool:
    return _first(value) not in ("", "no", "False", "0", False, 0)


def _whole(value: Any, otherwise: int) -> int:
    try:
        return int(float(_first(value)))
    except (TypeError, ValueError, OverflowError):
        return otherwise


def _line(geometry: Any) -> list[tuple[float, float]]:
    """Lon, lat along an edge, ends included; empty where nothing is said."""
    if geometry is None:
        return []
    return [(float(lon), float(lat)) for lon, lat, *_ in getattr(geometry, "coords", geometry)]
