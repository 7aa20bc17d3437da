"""What OpenStreetMap says of ways and signals, read from an extract as arrays."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nco.data.cities.ways import tagged
from nco.roads.classes import ROAD_CLASSES, access_number, class_number
from nco.roads.links import starts

_VEHICLES = ("motorcar", "motor_vehicle", "vehicle", "access")
_MPH_KMH = 1.609344
_KNOT_KMH = 1.852
_MOST_LANES = 20
_LONGEST_NAME = 255
_FERRY = ROAD_CLASSES.index("ferry")
_SPEED = re.compile(r"(\d+(?:\.\d+)?)\s*(mph|knots|km/h|kmh)?")
_UNIT_KMH = {"mph": _MPH_KMH, "knots": _KNOT_KMH}
# One column a fact of a way; those that differ by direction have one for each.
_FACTS = (
    "road_class",
    "access",
    "lanes_forward",
    "lanes_backward",
    "toll",
    "bridge",
    "tunnel",
    "roundabout",
    "name",
)


@dataclass(frozen=True, eq=False)
class Ways:
    """Ways that are or carry roads.

    Attributes:
        number: `[W]`, in OpenStreetMap.
        first: `[W + 1]`; way `w` passes `nodes[first[w]:first[w + 1]]`.
        nodes: `[N]`, numbers of nodes in OpenStreetMap.
        facts: by name `[W]`: `road_class`, `access`, `lanes_forward`, `lanes_backward`, `toll`,
            `bridge`, `tunnel`, `roundabout` and `name`, as in `nco.roads.links.Links`.
        max_speed_kmh: `[W, 2]`, forward and backward; NaN where there is no sign.
        names: what `name` counts.
        signals: numbers of the nodes with traffic signals.
    """

    number: NDArray[np.int64]
    first: NDArray[np.int32]
    nodes: NDArray[np.int64]
    facts: Mapping[str, NDArray[np.int64]]
    max_speed_kmh: NDArray[np.float32]
    names: tuple[str, ...]
    signals: NDArray[np.int64]


def read_ways(extract: Path) -> Ways:
    """Read the tags of all roads and ferries.

    Raises:
        CityError: the extract is gone, truncated or damaged.
    """
    numbers: list[int] = []
    counts: list[int] = []
    nodes: list[int] = []
    rows: list[tuple[int, ...]] = []
    speeds: list[tuple[float, float]] = []
    names = {"": 0}
    signals: list[int] = []
    for thing in tagged(extract, "highway", "route", "railway", "man_made"):
        tags = {tag.k: tag.v for tag in thing.tags}
        if thing.is_node():
            if tags.get("highway") == "traffic_signals":
                signals.append(thing.id)
            continue
        passed = [node.ref for node in thing.nodes]
        numbers.append(thing.id)
        counts.append(len(passed))
        nodes += passed
        name = names.setdefault(_name(tags), len(names))
        rows.append((*_row(tags), name))
        speeds.append(_speeds(tags))
    table = np.array(rows, dtype=np.int64).reshape(-1, len(_FACTS))
    return Ways(
        np.array(numbers, dtype=np.int64),
        starts(np.array(counts, dtype=np.int64)),
        np.array(nodes, dtype=np.int64),
        {fact: table[:, column] for column, fact in enumerate(_FACTS)},
        np.array(speeds, dtype=np.float32).reshape(-1, 2),
        tuple(names),
        np.array(signals, dtype=np.int64),
    )


def _row(tags: Mapping[str, str]) -> tuple[int, ...]:
    """All facts but the name."""
    ferry = tags.get("route") in ("ferry", "shuttle_train")
    access = next((tags[key] for key in _VEHICLES if key in tags), "")
    return (
        _FERRY if ferry else class_number(tags.get("highway", "")),
        access_number(access),
        *_lanes(tags),
        _is(tags, "toll"),
        _is(tags, "bridge"),
        _is(tags, "tunnel"),
        tags.get("junction") in ("roundabout", "circular"),
    )


def _is(tags: Mapping[str, str], key: str) -> bool:
    return tags.get(key, "no") != "no"


def _name(tags: Mapping[str, str]) -> str:
    return (tags.get("name") or tags.get("ref") or "")[:_LONGEST_NAME]


def _lanes(tags: Mapping[str, str]) -> tuple[int, int]:
    """Forward and backward; 0 where nobody knows."""
    either = _count(tags.get("lanes", ""))
    one_way = tags.get("oneway") in ("yes", "1", "true", "-1") or tags.get("junction") in (
        "roundabout",
        "circular",
    )
    # Of two lanes or more, half go either way; a single one is shared.
    half = either if one_way or either == 1 else either // 2
    return (
        _count(tags.get("lanes:forward", "")) or half,
        _count(tags.get("lanes:backward", "")) or half,
    )


def _count(text: str) -> int:
    """A number of lanes; 0 where the text is none."""
    found = re.match(r"\d{1,3}", text)
    number = int(found.group()) if found else 0
    return number if number <= _MOST_LANES else 0


def _speeds(tags: Mapping[str, str]) -> tuple[float, float]:
    either = tags.get("maxspeed", "")
    return (
        kmh(tags.get("maxspeed:forward", either)),
        kmh(tags.get("maxspeed:backward", either)),
    )


def kmh(text: str) -> float:
    """What a sign says in km/h; NaN where it is no number."""
    found = _SPEED.match(text)
    if not found:
        return float("nan")
    speed = float(found.group(1)) * _UNIT_KMH.get(found.group(2) or "", 1.0)
    return speed if 0 < speed < 400 else float("nan")
