"""Road graphs in the cache folder, so that tags are read once."""

from __future__ import annotations

import io
import logging
import time
from collections.abc import Mapping
from dataclasses import fields
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nco.archives import BrokenArchiveError, read_npz
from nco.data.cities.cache import cache_dir, content_hash
from nco.data.cities.changes import Changes
from nco.data.cities.osrm_build import RECIPE as ENGINE_RECIPE
from nco.data.cities.osrm_build import build
from nco.errors import CityError
from nco.files import write_atomic
from nco.roads.build import build_graph
from nco.roads.graph import RoadGraph
from nco.roads.links import Links, Shapes, Turns, packed

log = logging.getLogger("nco")

# Part of every file's name: raise it when what is written changes.
RECIPE = 4
_PARTS: dict[str, type[Links | Turns | Shapes]] = {
    "links": Links,
    "turns": Turns,
    "shapes": Shapes,
}


def kept(extract: Path, profile: str, name: str, changes: Changes | None = None) -> RoadGraph:
    """The road graph of an extract, from the cache or built now.

    Args:
        extract: `.osm.pbf` or `.osm`.
        profile: `car`, `bicycle` or `foot`.
        name: of the place.
        changes: speeds that are not as the profile has them, of a variant of the city.

    Raises:
        CityError: the extract is unusable, or there is no such profile.
        StorageError: the cache folder cannot be written.
    """
    started = time.perf_counter()
    base = build(extract, profile, changes=changes).base
    recipes = f"{version('osrm-bindings')}-{ENGINE_RECIPE}.{RECIPE}"
    stem = f"{content_hash(extract)[:24]}-{profile}-{recipes}"
    stem += f"-{changes.digest}" if changes else ""
    path = cache_dir() / "roads" / f"{stem}.npz"
    if (known := from_file(name, path)) is not None:
        return known
    graph = build_graph(extract, base, name, profile)
    whole = io.BytesIO()
    np.savez(whole, **to_arrays(graph))  # type: ignore[arg-type] # names are no options of savez
    write_atomic(path, whole.getvalue())
    log.info("roads of %s (%s) ready after %.1f s", name, profile, time.perf_counter() - started)
    return graph


def from_file(name: str, path: Path) -> RoadGraph | None:
    """The graph in a file; None if it is not there or damaged (it can be made anew)."""
    try:
        return from_arrays(name, read_npz(path))
    except (OSError, BrokenArchiveError, CityError):
        return None


def to_arrays(graph: RoadGraph) -> dict[str, NDArray[Any]]:
    """All of a graph but its name as arrays of numbers: `links.length_m` and so on."""
    held = {
        f"{part}.{name}": values
        for part in _PARTS
        for name, values in packed(getattr(graph, part)).items()
    }
    text = "\0".join(graph.names).encode()
    return held | {
        "lonlat": graph.lonlat,
        "osm_node": graph.osm_node,
        "names": np.frombuffer(text, dtype=np.uint8),
    }


def from_arrays(name: str, held: Mapping[str, NDArray[Any]]) -> RoadGraph:
    """The graph that `to_arrays` took apart.

    Raises:
        CityError: something is missing or does not fit.
    """
    try:
        links, turns, shapes = (
            kind(**{field.name: held[f"{part}.{field.name}"] for field in fields(kind)})
            for part, kind in _PARTS.items()
        )
        names = tuple(held["names"].tobytes().decode().split("\0"))
        return RoadGraph(
            name,
            held["lonlat"],
            held["osm_node"],
            links,  # type: ignore[arg-type] # in the order of _PARTS
            turns,  # type: ignore[arg-type]
            shapes,  # type: ignore[arg-type]
            names,
        )
    except (KeyError, UnicodeDecodeError, AttributeError, IndexError, TypeError) as error:
        raise CityError(f"these are not the arrays of a road graph: {error}") from error
