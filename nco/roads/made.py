"""Road graphs from nodes and links of any source: another map, a file, a test."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nco.arguments import refuse_unknown
from nco.arrays import Floats
from nco.data.cities.engine import as_lonlat
from nco.errors import CityError, shortened
from nco.roads.build import in_largest
from nco.roads.graph import RoadGraph, segment_lengths
from nco.roads.links import Links, Shapes, Turns, packed
from nco.roads.turning import all_turns, angles, bearings, penalties

_USUAL_KMH = 40.0
_LONGEST_M = 4.1e7
# What a link is that nothing is said of, and the type of the array.
_UNSAID: dict[str, tuple[Any, Any]] = {
    "road_class": (0, np.uint8),
    "access": (0, np.uint8),
    "lanes": (0, np.uint8),
    "max_speed_kmh": (np.nan, np.float32),
    "toll": (False, np.bool_),
    "bridge": (False, np.bool_),
    "tunnel": (False, np.bool_),
    "ferry": (False, np.bool_),
    "roundabout": (False, np.bool_),
    "left_hand": (False, np.bool_),
    "signals": (0, np.uint8),
    "way": (0, np.int64),
}


def made(
    lonlat: ArrayLike,
    tail: ArrayLike,
    head: ArrayLike,
    *,
    name: str = "roads",
    shapes: tuple[ArrayLike, ArrayLike] | None = None,
    length_m: ArrayLike | None = None,
    duration_s: ArrayLike | None = None,
    weight_s: ArrayLike | None = None,
    turns: Turns | tuple[ArrayLike, ...] | None = None,
    osm_node: ArrayLike | None = None,
    reverse: ArrayLike | None = None,
    original: ArrayLike | None = None,
    streets: Sequence[str] | None = None,
    **facts: ArrayLike,
) -> RoadGraph:
    """A road graph from nodes and directed links.

    Args:
        lonlat: `[N, 2]`, nodes in degrees.
        tail: `[L]`, indices of the nodes that links leave.
        head: `[L]`, indices of the nodes that they enter.
        name: of the place.
        shapes: first and nodes of `nco.roads.links.Shapes`: the nodes along the links; straight
            lines if left out. Links are as quick at every place.
        length_m: `[L]`; measured along the shapes if left out.
        duration_s: `[L]`; from the sign, or 40 km/h where there is none, if left out.
        weight_s: `[L]`; the durations if left out.
        turns: all of them, or `(from_link, to_link)`, `(from_link, to_link, seconds)` or
            `(from_link, to_link, seconds, weights)` of those that are allowed. If left out every
            turn is, turning back only where a street ends; the seconds are those of OSRM's car
            profile if left out.
        osm_node: `[N]`, numbers in OpenStreetMap.
        reverse: `[L]`, the links back; those between the same nodes if left out.
        original: `[L]`, of copies of links; none is a copy if left out.
        streets: `[L]`, names of the streets that links are of.
        **facts: `[L]` each, further arrays of `nco.roads.links.Links` by their names.

    Raises:
        CityError: arrays do not fit together, or something is NaN or negative.
    """
    refuse_unknown(facts, _UNSAID, "fact of links")
    nodes = as_lonlat(lonlat, "nodes")
    tails, heads = _indices(tail, len(nodes), "tail"), _indices(head, len(nodes), "head")
    if len(tails) != len(heads):
        raise CityError(f"tail has {len(tails)} entries and head {len(heads)}; give one a link")
    count = len(tails)
    if not count:
        raise CityError("there are no links; give one at least")
    first, passed = shapes or (2 * np.arange(count + 1), np.stack([tails, heads], axis=1).ravel())
    line = Shapes(np.asarray(first, np.int32), np.asarray(passed, np.int32), np.zeros(0))
    segment_m = segment_lengths(nodes, line)
    measured = np.add.reduceat(segment_m, line.first[:-1])
    length = _numbers(length_m, measured, "length_m", _LONGEST_M)
    said = {
        fact: np.broadcast_to(np.asarray(facts.get(fact, usual)), (count,)).astype(kind)
        for fact, (usual, kind) in _UNSAID.items()
    }
    names = {"": 0}
    street = [names.setdefault(str(text), len(names)) for text in streets or [""] * count]
    signed = np.where(np.isfinite(said["max_speed_kmh"]), said["max_speed_kmh"], _USUAL_KMH)
    # Seconds may be inf, which closes.
    duration = _numbers(duration_s, 3.6 * length / signed, "duration_s")
    pace = np.divide(duration, measured, out=np.zeros(count), where=measured > 0)
    line = Shapes(line.first, line.nodes, segment_m * pace[line.link])
    back = _reverse(tails, heads) if reverse is None else np.asarray(reverse, dtype=np.int64)
    links = Links(
        tail=tails.astype(np.int32),
        head=heads.astype(np.int32),
        length_m=length,
        duration_s=duration,
        weight_s=_numbers(weight_s, duration, "weight_s"),
        name=np.array(street, dtype=np.int32),
        reverse=back.astype(np.int32),
        original=np.asarray(np.arange(count) if original is None else original).astype(np.int32),
        main=np.ones(count, dtype=np.bool_),
        **said,
    )
    if not isinstance(turns, Turns):
        turns = _turns(nodes, links, line, turns)
    main = in_largest(
        turns.from_link.astype(np.int64),
        turns.to_link.astype(np.int64),
        count,
        np.isinf(links.duration_s),
    )
    links = Links(**(packed(links) | {"main": main & ~links.ferry}))
    numbers = np.full(len(nodes), -1) if osm_node is None else np.asarray(osm_node)
    return RoadGraph(name, nodes, numbers.astype(np.int64), links, turns, line, tuple(names))


def _turns(
    nodes: Floats, links: Links, shapes: Shapes, given: tuple[ArrayLike, ...] | None
) -> Turns:
    """Turns with penalties, where they are not said."""
    tail, head = links.tail.astype(np.int64), links.head.astype(np.int64)
    back_of = links.reverse.astype(np.int64)
    if given is None:
        from_link, to_link = all_turns(tail, head, back_of, len(nodes))
        seconds = weights = None
    else:
        from_link = _indices(given[0], len(links), "turns: from_link")
        to_link = _indices(given[1], len(links), "turns: to_link")
        if len(from_link) != len(to_link):
            raise CityError(
                f"turns leave {len(from_link)} links and enter {len(to_link)}; give one a turn"
            )
        order = np.lexsort((to_link, from_link))
        from_link, to_link = from_link[order], to_link[order]
        seconds, weights = (
            _numbers(given[k], np.zeros(len(order)), "turns: seconds")[order]
            if len(given) > k
            else None
            for k in (2, 3)
        )
    leaving, entering = bearings(nodes, shapes)
    angle = angles(leaving, entering, from_link, to_link)
    if seconds is None:
        ends = np.unique(
            np.concatenate([np.stack([tail, head], 1), np.stack([head, tail], 1)]), axis=0
        )
        roads = np.bincount(ends[:, 0], minlength=len(nodes))[head[from_link]]
        lit = links.signals[from_link] > 0
        turned = back_of[from_link] == to_link
        seconds = penalties(angle, roads, turned, lit, links.left_hand[from_link])
    return Turns(
        from_link.astype(np.int32),
        to_link.astype(np.int32),
        seconds,
        seconds if weights is None else weights,
        angle.astype(np.float32),
    )


def _reverse(tail: NDArray[np.int64], head: NDArray[np.int64]) -> NDArray[np.int64]:
    """The first link back between the same nodes that is not back of another; -1 for none."""
    waiting: dict[tuple[int, int], list[int]] = {}
    back = np.full(len(tail), -1)
    for link, (a, b) in enumerate(zip(tail.tolist(), head.tolist(), strict=True)):
        open_ = waiting.get((b, a), [])
        if open_ and a != b:
            other = open_.pop(0)
            back[link], back[other] = other, link
        else:
            waiting.setdefault((a, b), []).append(link)
    return back


def _indices(given: ArrayLike, count: int, what: str) -> NDArray[np.int64]:
    try:
        numbers = np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise CityError(f"{what} must be whole numbers: {shortened(error)}") from None
    if numbers.ndim != 1 or (numbers != np.floor(numbers)).any():
        raise CityError(f"{what} must be one row of whole numbers")
    indices = numbers.astype(np.int64)
    bad = np.flatnonzero((indices < 0) | (indices >= count))
    if len(bad):
        raise CityError(
            f"{what}[{bad[0]}] is {indices[bad[0]]}; there are {count}, from 0 to {count - 1}"
        )
    return indices


def _numbers(given: ArrayLike | None, usual: Floats, what: str, most: float = np.inf) -> Floats:
    """Numbers that are not negative and not above a limit."""
    if given is None:
        return usual
    try:
        numbers = np.broadcast_to(np.asarray(given, dtype=np.float64), usual.shape).copy()
    except (TypeError, ValueError) as error:
        raise CityError(f"{what} must be {len(usual)} numbers: {shortened(error)}") from None
    bad = np.flatnonzero(~((numbers >= 0) & (numbers <= most)))
    if len(bad):
        raise CityError(
            f"{what}[{bad[0]}] is {numbers[bad[0]]:g}; give a number from 0 to {most:g}"
        )
    return numbers
