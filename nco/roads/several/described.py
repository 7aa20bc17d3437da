"""What tells paths from A to B apart: numbers of each, words for what is best, and GeoJSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from nco.data.cities.city import CREDIT
from nco.roads.path import Path
from nco.roads.several.ask import Several
from nco.roads.several.quality import largest_overlap, share
from nco.roads.several.rules import KINDS

# A turn is one that people would call so, in degrees.
_TURN_DEG = 40.0
_NAMES = 3


@dataclass(frozen=True)
class Described:
    """One path in numbers and words.

    Attributes:
        duration_s: of free flow.
        distance_m: metres.
        main_roads_m: metres on motorways, trunk and primary roads.
        motorways_m: metres on motorways.
        toll_m: metres that cost.
        ferry_m: metres on ferries.
        turns: changes of direction by 40 degrees or more, but for those within roundabouts.
        lights: traffic signals passed.
        stretch: its cost over that of the first path.
        shared: the largest share of an earlier path that it uses, 0 for the first.
        by: streets that the others do not use, those of most metres first.
        words: what it is the best of, such as `fastest`.
    """

    duration_s: float
    distance_m: float
    main_roads_m: float
    motorways_m: float
    toll_m: float
    ferry_m: float
    turns: int
    lights: int
    stretch: float
    shared: float
    by: tuple[str, ...] = ()
    words: tuple[str, ...] = ()


def described(found: Several) -> list[Described]:
    """Each path in numbers, and what tells it from the others."""
    rows = [_numbers(path, found, rank) for rank, path in enumerate(found)]
    if len(rows) < 2:
        return rows
    best: dict[str, list[float]] = {
        "fastest": [row.duration_s for row in rows],
        "shortest": [row.distance_m for row in rows],
        "fewest turns": [row.turns for row in rows],
        "fewest lights": [row.lights for row in rows],
        "least on main roads": [row.main_roads_m for row in rows],
        "most on main roads": [-row.main_roads_m for row in rows],
        "least tolls": [row.toll_m for row in rows],
    }
    words: list[list[str]] = [[] for _ in rows]
    for word, values in best.items():
        order = np.argsort(values, kind="stable")
        if values[int(order[0])] < values[int(order[1])]:
            words[int(order[0])].append(word)
    return [
        replace(row, words=tuple(own), by=_streets(found, rank))
        for rank, (row, own) in enumerate(zip(rows, words, strict=True))
    ]


def _numbers(path: Path, found: Several, rank: int) -> Described:
    graph = path.graph
    links, metres = path.links, path.driven_m

    def on(kind: str) -> float:
        return float(metres[np.asarray(KINDS[kind](graph))[links]].sum())

    angle = np.abs(graph.turns.angle_deg[path.turns])
    inside = graph.links.roundabout[links[:-1]] & graph.links.roundabout[links[1:]]
    first = found[0].cost(found.costs)
    return Described(
        duration_s=path.duration_s,
        distance_m=path.length_m,
        main_roads_m=on("main roads"),
        motorways_m=on("motorways"),
        toll_m=on("tolls"),
        ferry_m=on("ferries"),
        turns=int(((angle >= _TURN_DEG) & ~inside).sum()),
        lights=int(graph.links.signals[links[:-1]].sum()),
        stretch=path.cost(found.costs) / first if first > 0 else 1.0,
        shared=max((share(path, one, found.costs) for one in found[:rank]), default=0.0),
    )


def _streets(found: Several, rank: int) -> tuple[str, ...]:
    """Streets by name that only this path uses."""
    path = found[rank]
    graph = path.graph
    others = {
        int(name)
        for other in found
        if other is not path
        for name in graph.links.name[other.links].tolist()
    }
    metres: dict[int, float] = {}
    for name, driven in zip(graph.links.name[path.links].tolist(), path.driven_m, strict=True):
        if name and name not in others:
            metres[name] = metres.get(name, 0.0) + float(driven)
    longest = sorted(metres, key=lambda name: -metres[name])[:_NAMES]
    return tuple(graph.names[name] for name in longest)


def summary(found: Several) -> dict[str, Any]:
    """All of it for JSON."""
    return {
        "method": found.method,
        "paths": [asdict(row) for row in described(found)],
        "largest_overlap": largest_overlap(found.paths, found.costs),
        "overlap_is": "cost in common over cost of the union (Jaccard)",
        "why_fewer": found.why_fewer,
        "relaxed": found.relaxed,
    }


def geojson(found: Several) -> dict[str, Any]:
    """The paths as a GeoJSON collection of lines, what tells them apart as their properties."""
    features = [
        {
            "type": "Feature",
            "properties": {"rank": rank + 1, "method": found.method, **asdict(row)},
            "geometry": {
                "type": "LineString",
                "coordinates": np.round(path.lonlat, 6).tolist(),
            },
        }
        for rank, (path, row) in enumerate(zip(found, described(found), strict=True))
    ]
    return {"type": "FeatureCollection", "attribution": CREDIT, "features": features}


def table(rows: Sequence[Described]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Header and cells of a table of paths."""
    header = ("", "min", "km", "main km", "toll km", "turns", "lights", "shared", "what it is")
    cells: list[tuple[str, ...]] = [
        (
            str(rank + 1), f"{row.duration_s / 60:.1f}", f"{row.distance_m / 1000:.2f}",
            f"{row.main_roads_m / 1000:.2f}", f"{row.toll_m / 1000:.2f}", str(row.turns),
            str(row.lights), f"{row.shared:.0%}", told(row),
        )
        for rank, row in enumerate(rows)
    ]  # fmt: skip
    return header, cells


def told(row: Described) -> str:
    """What a path is the best of, and by which streets it leads."""
    by = f"by {', '.join(row.by)}" if row.by else ""
    return "; ".join(part for part in (", ".join(row.words), by) if part)
