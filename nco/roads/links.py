"""The arrays of a road graph: one entry a link, one entry a turn.

A *link* is a street between two junctions in one direction of travel; a street that is open both
ways is two links, each the `reverse` of the other. A *turn* leads from the end of a link to the
beginning of another one. What is forbidden is not among the turns.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nco.arrays import Floats
from nco.errors import CityError


@dataclass(frozen=True, eq=False)
class Links:
    """Directed links, `[L]` each.

    Attributes:
        tail: index of the node that it leaves.
        head: index of the node that it enters.
        length_m: metres along its shape.
        duration_s: seconds of free flow from end to end, without turns; `inf` where closed.
        weight_s: what OSRM minimises: seconds, more on links that one would rather not take.
        road_class: index into `ROAD_CLASSES`.
        access: index into `ACCESS`.
        lanes: in this direction; 0 where nobody knows.
        max_speed_kmh: what the sign says; NaN where nobody knows.
        toll: whether it costs.
        bridge: whether part of it is on a bridge.
        tunnel: whether part of it is in a tunnel.
        ferry: whether it is a ferry or a train that carries cars.
        roundabout: whether it is part of a roundabout.
        left_hand: whether traffic keeps left.
        signals: traffic signals along it, the one at its head included.
        name: index into `RoadGraph.names`; 0 is the empty name.
        way: OpenStreetMap's number of the way that most of it is of; 0 where there is none.
        reverse: the link back along the same street; -1 where that is closed.
        original: itself, or the link that it is a copy of. OSRM copies a link for restrictions that
            hold for those who come from a certain link further back.
        main: whether it is open, in the largest strongly connected component, no ferry and, for
            cars, no private service road, so that one can stand there and go anywhere.
    """

    tail: NDArray[np.int32]
    head: NDArray[np.int32]
    length_m: Floats
    duration_s: Floats
    weight_s: Floats
    road_class: NDArray[np.uint8]
    access: NDArray[np.uint8]
    lanes: NDArray[np.uint8]
    max_speed_kmh: NDArray[np.float32]
    toll: NDArray[np.bool_]
    bridge: NDArray[np.bool_]
    tunnel: NDArray[np.bool_]
    ferry: NDArray[np.bool_]
    roundabout: NDArray[np.bool_]
    left_hand: NDArray[np.bool_]
    signals: NDArray[np.uint8]
    name: NDArray[np.int32]
    way: NDArray[np.int64]
    reverse: NDArray[np.int32]
    original: NDArray[np.int32]
    main: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.tail)

    @property
    def speed_kmh(self) -> Floats:
        """`[L]`, of free flow; 0 where a link takes no time, as those of no length do."""
        return np.divide(
            3.6 * self.length_m,
            self.duration_s,
            out=np.zeros(len(self)),
            where=self.duration_s > 0,
        )


@dataclass(frozen=True, eq=False)
class Turns:
    """Turns that are allowed, `[T]` each, sorted by the link that they leave.

    Attributes:
        from_link: the link that is left.
        to_link: the link that is entered.
        duration_s: seconds that it takes: the angle, crossing of oncoming traffic, signals.
        weight_s: what OSRM adds for it: seconds, and 3276.7 where access ends.
        angle_deg: change of direction, -180 to 180; positive to the right, 180 turns back.
    """

    from_link: NDArray[np.int32]
    to_link: NDArray[np.int32]
    duration_s: Floats
    weight_s: Floats
    angle_deg: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.from_link)


@dataclass(frozen=True, eq=False)
class Adjacency:
    """Turns by the link that they leave, and by the one that they enter.

    Attributes:
        first: `[L + 1]`; turns `first[l]` to `first[l + 1]` leave link `l`.
        out: `[T]`, indices of turns by the link that they leave: 0, 1, 2 and so on.
        into_first: `[L + 1]`; entries of `into` from `into_first[l]` to `into_first[l + 1]` are the
            turns that enter link `l`.
        into: `[T]`, indices of turns.
    """

    first: NDArray[np.int32]
    out: NDArray[np.int32]
    into_first: NDArray[np.int32]
    into: NDArray[np.int32]

    @classmethod
    def of(cls, turns: Turns, links: int) -> Adjacency:
        """Sort the turns of so many links."""
        into = np.argsort(turns.to_link, kind="stable").astype(np.int32)
        return cls(
            starts(np.bincount(turns.from_link, minlength=links)),
            np.arange(len(turns), dtype=np.int32),
            starts(np.bincount(turns.to_link, minlength=links)),
            into,
        )


@dataclass(frozen=True, eq=False)
class Shapes:
    """Nodes along the links.

    Attributes:
        first: `[L + 1]`; link `l` passes `nodes[first[l]:first[l + 1]]`, two or more.
        nodes: `[S]`, indices of nodes.
        seconds: `[S]`, of free flow from each node to the next of its link; 0 at the last, `inf`
            where closed.
    """

    first: NDArray[np.int32]
    nodes: NDArray[np.int32]
    seconds: Floats

    @cached_property
    def link(self) -> NDArray[np.int32]:
        """`[S]`, the link that each entry of `nodes` belongs to."""
        return np.repeat(np.arange(len(self.first) - 1, dtype=np.int32), np.diff(self.first))


def starts(counts: NDArray[Any]) -> NDArray[np.int32]:
    """`[n + 1]`, where groups of so many begin."""
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)


def packed(part: Links | Turns | Shapes) -> dict[str, NDArray[Any]]:
    """The arrays of a part by name."""
    return {field.name: getattr(part, field.name) for field in fields(part)}


def check_part(part: Links | Turns, count: int, what: str) -> None:
    """Refuse a part whose arrays differ in length.

    Raises:
        CityError: one does; the message names it.
    """
    for name, values in packed(part).items():
        if values.shape != (count,):
            raise CityError(
                f"{what}.{name} has shape {list(values.shape)}; one entry for each of the {count} "
                f"{what} is needed"
            )
