"""What a network gets to know of links and turns: attributes that every map has, no identities.

Nothing here depends on a city, so that costs learned in one city are costs in another one. Where
drives are known in a city, `Usage` says where they went; without any it is nothing everywhere,
and networks are trained to do without.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from nco.roads.classes import ROAD_CLASSES
from nco.roads.graph import RoadGraph
from nco.roads.learn.flow import density, flow
from nco.roads.path import Path

if TYPE_CHECKING:
    from nco.roads.learn.drive import Drive

type Table = NDArray[np.float32]

_KINDS = (
    "motorway", "trunk", "primary", "secondary", "tertiary",
    "unclassified", "residential", "living_street", "service",
)  # fmt: skip
# From the most important class to the least; what is no street for cars is in the middle.
_RANKS = {kind: rank for rank, kind in enumerate(_KINDS)} | {"other": 5, "ferry": 5}
_RANK = np.array(
    [_RANKS.get(name.removesuffix("_link"), 8) for name in ROAD_CLASSES], dtype=np.int64
)
_RAMP = np.array([name.endswith("_link") for name in ROAD_CLASSES])
_TYPICAL_DRIVES = 500
_LITTLE_FLOW, _TYPICAL_DENSITY = 5, 40.0

LINK_FEATURES = (
    *_KINDS, "ramp", "restricted", "lanes_unknown", "lanes", "speed", "speed_unknown", "toll",
    "bridge", "tunnel", "ferry", "roundabout", "signals", "one_way", "length", "ways_on",
    "nameless", "driven", "expected", "driven_over_expected", "flow", "little_flow", "density",
)  # fmt: skip
TURN_FEATURES = (
    "straight", "slight", "right", "left", "back", "signals", "to_lesser", "to_greater",
    "change_of_class", "class", "same_street", "other_street", "ways_on", "ramp_ends",
    "ramp_begins", "duration", "into_roundabout",
)  # fmt: skip


def rank_of(road_class: NDArray[np.uint8]) -> NDArray[np.int64]:
    """How important roads of these classes are: 0 is a motorway, 8 a service road."""
    return np.asarray(_RANK[road_class])


@dataclass(frozen=True, eq=False)
class Usage:
    """Where drives went, and where they would have gone by the usual costs.

    Attributes:
        driven: `[L]`, how many drives used each link.
        expected: `[L]`, on how many of their cheapest paths it lies.
        drives: how many there are.
    """

    driven: NDArray[np.int64]
    expected: NDArray[np.int64]
    drives: int

    @classmethod
    def of(cls, graph: RoadGraph, drives: Iterable[Drive], paths: Iterable[Path]) -> Usage:
        """Count drives and the cheapest paths between their ends."""
        driven, expected = np.zeros((2, len(graph.links)), dtype=np.int64)
        count = 0
        for drive, path in zip(drives, paths, strict=True):
            np.add.at(driven, drive.links, 1)
            np.add.at(expected, path.links, 1)
            count += 1
        return cls(driven, expected, count)


def link_features(graph: RoadGraph, usage: Usage | None = None) -> Table:
    """`[L, F]` in the order of `LINK_FEATURES`, all of the size of one."""
    links = graph.links
    rank = _RANK[links.road_class]
    kinds = rank[:, None] == np.arange(len(_KINDS))
    length = np.log(np.maximum(links.length_m, 5.0) / 80.0)
    passed = flow(graph)
    columns = [
        _RAMP[links.road_class],
        links.access > 0,
        links.lanes == 0,
        np.minimum(links.lanes, 4) / 2.0,
        np.nan_to_num(links.speed_kmh, posinf=0.0) / 50.0,
        np.isnan(links.max_speed_kmh),
        links.toll,
        links.bridge,
        links.tunnel,
        links.ferry,
        links.roundabout,
        np.minimum(links.signals, 2),
        links.reverse < 0,
        length,
        np.minimum(np.diff(graph.adjacency.first), 6) / 3.0,
        links.name == 0,
        *_heat(usage, len(links)),
        np.log1p(passed) / 3.0,
        np.log1p(np.where(passed < _LITTLE_FLOW, passed, 0)) / 2.0,
        np.log(np.maximum(density(graph), 1.0) / _TYPICAL_DENSITY),
    ]
    return np.concatenate([kinds, np.stack(columns, axis=1)], axis=1).astype(np.float32)


def _heat(usage: Usage | None, links: int) -> tuple[NDArray[np.float64], ...]:
    """How many of 500 drives used a link, how many should have, and the former over the latter."""
    if usage is None or not usage.drives:
        return (np.zeros(links),) * 3
    size = _TYPICAL_DRIVES / usage.drives
    driven, expected = np.log1p(usage.driven * size), np.log1p(usage.expected * size)
    return driven, expected, driven - expected


def turn_features(graph: RoadGraph) -> Table:
    """`[T, F]` in the order of `TURN_FEATURES`, all of the size of one."""
    links, turns = graph.links, graph.turns
    before, after = turns.from_link, turns.to_link
    angle = turns.angle_deg
    wide = np.abs(angle)
    rank = _RANK[links.road_class]
    step = rank[after] - rank[before]
    ramp = _RAMP[links.road_class]
    same = links.name[before] == links.name[after]
    seconds = np.where(np.isfinite(turns.duration_s), turns.duration_s, 0.0)
    columns = [
        wide < 20,
        (wide >= 20) & (wide < 50),
        (angle >= 50) & (angle < 150),
        (angle <= -50) & (angle > -150),
        wide >= 150,
        links.signals[before] > 0,
        step > 0,
        step < 0,
        step / 4.0,
        rank[before] / 4.0,
        same & (links.name[before] > 0),
        ~same,
        np.minimum(np.diff(graph.adjacency.first)[before], 6) / 3.0,
        ramp[before] & ~ramp[after],
        ~ramp[before] & ramp[after],
        np.minimum(seconds, 30.0) / 10.0,
        links.roundabout[after] & ~links.roundabout[before],
    ]
    return np.stack(columns, axis=1).astype(np.float32)
