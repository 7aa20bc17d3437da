"""Valhalla's alternatives, on the links of the graph (package `pyvalhalla`, extra `valhalla`).

Its tiles are built from the extract of the city, once, and kept in the cache folder.
"""

from __future__ import annotations

import json
import logging
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path as FilePath
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from nco.arrays import Floats
from nco.data.cities.cache import cache_dir, content_hash
from nco.errors import CityError, NoPathError, UnsupportedError, shortened
from nco.roads.graph import RoadGraph
from nco.roads.position import Position
from nco.roads.several.ours import along
from nco.roads.several.query import Chosen, Query

log = logging.getLogger("nco")

_COSTING = {"car": "auto", "bicycle": "bicycle", "foot": "pedestrian"}
# Shapes are rounded to six decimals, a tenth of a metre.
_SAME_DEGREES = 2e-6


def valhalla(query: Query, chosen: Chosen) -> None:
    """Offers what Valhalla gives, in its order, with its costs."""
    for shape in shapes(query):
        nodes = _nodes(query.graph, shape, query.source, query.target)
        path = along(query.graph, nodes, query.source, query.target)
        if path is None:
            chosen.refused["begin, end or lead elsewhere on the map"] += 1
        else:
            chosen.offer_as_is(path)


def shapes(query: Query) -> list[Floats]:
    """`[n, 2]` each, lonlat along the paths that Valhalla gives.

    Raises:
        NoPathError: it finds none.
        UnsupportedError: there is no extract to build tiles of, or the package is not there.
    """
    city = query.city
    if city is None or city.extract is None:
        raise UnsupportedError(
            "method 'valhalla' builds tiles of a city; give city=, one opened from an extract"
        )
    actor = _actor(city.extract)
    ends = [{"lon": p.lonlat[0], "lat": p.lonlat[1]} for p in (query.source, query.target)]
    asked = {
        "locations": ends,
        "costing": _COSTING[city.profile],
        "alternates": query.k - 1,
        "directions_type": "none",
    }
    try:
        answer = actor.route(asked)
    except RuntimeError as error:
        raise NoPathError(f"Valhalla finds no path from A to B: {shortened(error)}") from None
    return [
        np.concatenate([decoded(leg["shape"]) for leg in trip["trip"]["legs"]])
        for trip in (answer, *answer.get("alternates", ()))
    ]


@lru_cache(maxsize=2)
def _actor(extract: FilePath) -> Any:
    try:
        from valhalla import Actor, get_config
    except ImportError:
        raise UnsupportedError(
            "method 'valhalla' needs the package pyvalhalla; install nco-routing[valhalla]"
        ) from None
    folder = cache_dir() / "valhalla" / content_hash(extract)[:24]

    def config(tiles: FilePath) -> dict[str, Any]:
        tiles.mkdir(parents=True, exist_ok=True)
        made: dict[str, Any] = get_config(tile_extract="", tile_dir=str(tiles), verbose=False)
        made["mjolnir"] |= {"tile_extract": "", "concurrency": 1}
        return made

    if not (folder / "whole").is_file():
        _build(extract, folder, config)
    return Actor(config(folder))


def _build(
    extract: FilePath, folder: FilePath, config: Callable[[FilePath], dict[str, Any]]
) -> None:
    """Build the tiles in a folder beside, and move them in place when they are whole."""
    log.info("building Valhalla's tiles of %s", extract.name)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as name:
        tiles, settings = FilePath(name) / "tiles", FilePath(name) / "config.json"
        settings.write_text(json.dumps(config(tiles)), encoding="utf-8")
        done = subprocess.run(  # noqa: S603 -- Valhalla's own command
            [str(_builder()), "-c", str(settings), str(extract)],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise CityError(
                f"Valhalla cannot build tiles of {extract.name}: {shortened(done.stderr[-400:])}"
            )
        (tiles / "whole").touch()
        shutil.rmtree(folder, ignore_errors=True)
        shutil.move(tiles, folder)


def _builder() -> FilePath:
    """The program that builds tiles, which the package brings."""
    import valhalla as package

    suffix = ".exe" if sys.platform == "win32" else ""
    return FilePath(str(package.__file__)).parent / "bin" / f"valhalla_build_tiles{suffix}"


def decoded(text: str) -> Floats:
    """`[n, 2]`, lonlat of a line as Valhalla writes it (polyline, six decimals)."""
    numbers, at = [], 0
    while at < len(text):
        value, shift = 0, 0
        while True:
            digit = ord(text[at]) - 63
            at += 1
            value |= (digit & 31) << shift
            shift += 5
            if digit < 32:
                break
        numbers.append(~(value >> 1) if value & 1 else value >> 1)
    latlon = np.cumsum(np.array(numbers, dtype=np.int64).reshape(-1, 2), axis=0) / 1e6
    return np.asarray(latlon[:, ::-1])


@lru_cache(maxsize=2)
def _places(graph: RoadGraph) -> tuple[cKDTree, NDArray[np.int64]]:
    nodes = np.unique(graph.shapes.nodes)
    return cKDTree(graph.lonlat[nodes]), nodes.astype(np.int64)


def _nodes(
    graph: RoadGraph, shape: Floats, source: Position, target: Position
) -> NDArray[np.int64]:
    """OpenStreetMap's nodes along a line, those behind A and ahead of B included."""
    tree, nodes = _places(graph)
    away, near = tree.query(shape, distance_upper_bound=_SAME_DEGREES)
    passed = nodes[np.asarray(near)[np.isfinite(away)]]
    if len(passed):
        begin = _beyond(graph, source, int(passed[0]), step=-1)
        end = _beyond(graph, target, int(passed[-1]), step=1)
        passed = np.concatenate([begin, passed, end])
    return np.asarray(graph.osm_node[passed.astype(np.int64)])


def _beyond(graph: RoadGraph, place: Position, node: int, step: int) -> list[int]:
    """The node on the other side of a place, next to one on its link."""
    for link, fraction in zip(place.links, place.fractions, strict=True):
        nodes = graph.link_nodes(link).tolist()
        along_m = graph.along_m[graph.shapes.first[link] : graph.shapes.first[link + 1]]
        metres = graph.metres_at(link, fraction)
        ahead = int(np.searchsorted(along_m, metres, side="right"))
        ahead = min(max(ahead, 1), len(nodes) - 1)
        if step < 0 and nodes[ahead] == node:
            return [nodes[ahead - 1]]
        if step > 0 and nodes[ahead - 1] == node:
            return [nodes[ahead]]
    return []
