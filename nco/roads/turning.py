"""Angles of turns, and turns with penalties for graphs that come without them.

The penalties are those of OSRM's car profile: a sigmoid of the angle that comes to 7.5 s, where
traffic keeps right a little more for turns to the left; up to 2 s more for crossing oncoming
traffic; 20 s for turning back, which is allowed where a street ends only; 2 s for traffic signals.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nco.arrays import Floats
from nco.roads.links import Shapes, starts

_TURN_S = 7.5
_BIAS = 1.075
_ONCOMING_S = 2.0
_U_TURN_S = 20.0
_SIGNALS_S = 2.0


def bearings(lonlat: Floats, shapes: Shapes) -> tuple[Floats, Floats]:
    """`[L]` each, degrees clockwise from north at the beginning and at the end of the links.

    Nodes at the very same place as their neighbour are passed over where they stand at an end.
    """
    nodes, first = shapes.nodes, shapes.first
    heading = np.zeros(len(nodes))
    heading[:-1] = _bearing(lonlat[nodes[:-1]], lonlat[nodes[1:]])
    moved = np.zeros(len(nodes), dtype=bool)
    moved[:-1] = (lonlat[nodes[:-1]] != lonlat[nodes[1:]]).any(axis=1)
    moved[first[1:] - 1] = False
    at = np.flatnonzero(moved)
    begin = np.searchsorted(at, first[:-1])
    end = np.searchsorted(at, first[1:]) - 1
    found = begin <= end
    if not len(at):
        return np.zeros(len(first) - 1), np.zeros(len(first) - 1)
    begin, end = np.minimum(begin, len(at) - 1), np.maximum(end, 0)
    return np.where(found, heading[at[begin]], 0.0), np.where(found, heading[at[end]], 0.0)


def angles(
    leaving: Floats, entering: Floats, from_link: NDArray[np.int64], to_link: NDArray[np.int64]
) -> Floats:
    """`[T]`, change of direction in degrees, above -180 to 180; to the right is positive.

    Args:
        leaving: `[L]`, bearings at the beginning of links.
        entering: `[L]`, bearings at their end, where a turn comes from.
        from_link: `[T]`.
        to_link: `[T]`.
    """
    change = leaving[to_link] - entering[from_link]
    return np.asarray(180.0 - (180.0 - change) % 360.0)


def all_turns(
    tail: NDArray[np.int64], head: NDArray[np.int64], reverse: NDArray[np.int64], nodes: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Every turn at every node, sorted; back the same street only where nothing else leads on."""
    order = np.argsort(tail, kind="stable")
    out = np.bincount(tail, minlength=nodes)
    first = starts(out).astype(np.int64)
    count = out[head]
    from_link = np.repeat(np.arange(len(tail)), count)
    rank = np.arange(len(from_link)) - np.repeat(np.cumsum(count) - count, count)
    to_link = order[first[head[from_link]] + rank]
    back = reverse[from_link] == to_link
    kept = ~back | (count[from_link] == 1)
    from_link, to_link = from_link[kept], to_link[kept]
    sort = np.lexsort((to_link, from_link))
    return from_link[sort], to_link[sort]


def penalties(
    angle_deg: Floats,
    roads: NDArray[np.int64],
    back: NDArray[np.bool_],
    signals: NDArray[np.bool_],
    left_hand: NDArray[np.bool_],
) -> Floats:
    """`[T]`, seconds that turns take.

    Args:
        angle_deg: `[T]`, to the right is positive.
        roads: `[T]`, streets that meet there.
        back: `[T]`, whether it turns back.
        signals: `[T]`, whether there are traffic signals.
        left_hand: `[T]`, whether traffic keeps left.
    """
    bias = np.where(left_hand, 1 / _BIAS, _BIAS)
    share = np.abs(angle_deg) / 180
    right = 1 / (1 + np.exp(-(13 / bias * share - 6.5 * bias)))
    left = 1 / (1 + np.exp(-(13 * bias * share - 6.5 / bias)))
    bent = _TURN_S * np.where(angle_deg >= 0, right, left)
    crosses = np.where(left_hand, angle_deg > 0, angle_deg < 0) & ~back & (roads > 2)
    oncoming = _ONCOMING_S / (1 + np.exp(-(13 * share - 3.25)))
    seconds = np.where((roads > 2) | back, bent, 0.0)
    seconds += np.where(crosses, oncoming, 0.0)
    seconds += np.where(back, _U_TURN_S, 0.0)
    return np.asarray(seconds + np.where(signals, _SIGNALS_S, 0.0))


def _bearing(a: Floats, b: Floats) -> Floats:
    """Degrees clockwise from north, of the straight line on a plane that suits short ones."""
    east = (b[:, 0] - a[:, 0]) * np.cos(np.radians((a[:, 1] + b[:, 1]) / 2))
    return np.asarray(np.degrees(np.arctan2(east, b[:, 1] - a[:, 1])) % 360.0)
