"""Readers of roads, paths and drives, with files that they read."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from fuzzing.mutations import BYTES, JSON, TENSORS, TEXT, ZIP
from nco.bench.paths import Outcome, read_outcomes
from nco.errors import InputError
from nco.roads import RoadGraph
from nco.roads.hierarchy import _kept as kept_order
from nco.roads.learn.course import read_settings
from nco.roads.learn.drive import read_drives
from nco.roads.learn.files import load_costs, save_costs
from nco.roads.learn.network import CostNetwork
from nco.roads.matching import read_drives as read_points
from nco.roads.matching import read_matched
from nco.roads.several.rules import Rules
from nco.roads.store import from_file, to_arrays

POINTS = "trip,lon,lat,unix_time\na,24.90,60.10,10\na,24.91,60.10,20\nb,24.92,60.11,30\n"
MATCHED = (
    "trip,start_lon,start_lat,end_lon,end_lat,osm_nodes\n"
    "a,24.9,60.1,24.93,60.1,0 1 2 3\nb,24.9,60.1,24.93,60.1,1 2 3 4\n"
)
TRIPS = "trip,taxi,start_utc,good\na,7,1372636800,1\nb,8,1372636900,1\n"
AREA = {
    "type": "Feature",
    "properties": {},
    "geometry": {
        "type": "Polygon",
        "coordinates": [[[24.8, 60], [25, 60], [25, 60.2], [24.8, 60.2], [24.8, 60]]],
    },
}
QUESTION = json.dumps({"k": 3})


def readers(folder: Path) -> Iterator[tuple[str, Path, Any, Any]]:
    """Name, file, ways to damage it and reader of each."""
    folder = folder / "roads"
    folder.mkdir()
    nodes = [[24.9 + 0.01 * k, 60.1] for k in range(5)]
    graph = RoadGraph.from_links(nodes, [0, 1, 2, 3], [1, 2, 3, 4], osm_node=range(5))
    files = {
        "points.csv": POINTS,
        "matched.csv": MATCHED,
        "drives.csv": MATCHED,
        "trips.csv": TRIPS,
        "area.json": json.dumps(AREA),
        "costs.toml": "width = 8\nseed = 1\n",
        "paths.jsonl": "".join(
            f"{line}\n" for line in (QUESTION, json.dumps(vars(Outcome("a", "b", "c", 1.0))))
        ),
    }
    for name, text in files.items():
        (folder / name).write_text(text)
    (folder / "points.csv.gz").write_bytes(gzip.compress(POINTS.encode()))
    np.savez(folder / "roads.npz", **to_arrays(graph))  # type: ignore[arg-type]
    order = io.BytesIO()
    np.save(order, np.arange(4, dtype=np.int32))
    (folder / "order.npy").write_bytes(order.getvalue())
    for name in ("costs", "carded"):
        save_costs(folder / f"{name}.safetensors", CostNetwork.untrained(), {"a": {"b": [1]}})

    def area(path: Path) -> Any:
        return Rules.of(graph, avoid=f"area:{path}")

    yield "points.csv", folder / "points.csv", TEXT, read_points
    yield "points.csv.gz", folder / "points.csv.gz", BYTES, read_points
    yield "matched.csv", folder / "matched.csv", TEXT, read_matched
    drives, trips = folder / "drives.csv", folder / "trips.csv"
    yield "drives.csv", drives, TEXT, lambda path: read_drives(graph, path, trips)
    yield "trips.csv", trips, TEXT, lambda path: read_drives(graph, drives, path)
    yield "area.json", folder / "area.json", JSON, area
    yield "costs.toml", folder / "costs.toml", (*BYTES, *TEXT), read_settings
    yield "paths.jsonl", folder / "paths.jsonl", TEXT, lambda p: read_outcomes(p, QUESTION)
    yield "roads.npz", folder / "roads.npz", ZIP, lambda p: _remade(from_file("x", p))
    yield "order.npy", folder / "order.npy", BYTES, lambda p: _remade(kept_order(p, 4))
    yield "costs.safetensors", folder / "costs.safetensors", TENSORS, load_costs
    yield (
        "costs card", folder / "carded.json", JSON,
        lambda path: load_costs(path.with_suffix(".safetensors")),
    )  # fmt: skip


def _remade(found: object) -> object:
    if found is None:
        raise InputError("made anew")
    return found
