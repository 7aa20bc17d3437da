"""A path: what leads from A to B on streets."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nco.arrays import Floats
from nco.roads.costs import Costs
from nco.roads.graph import RoadGraph
from nco.roads.position import Position


@dataclass(frozen=True, eq=False)
class Path:
    """Links one after the other, the first and the last of them as a rule in part.

    Attributes:
        graph: whose links they are.
        links: `[k]`, indices of links, one at least.
        from_fraction: how much of the first link's free-flow time lies before the path begins.
        to_fraction: how much of the last link's lies before the path ends.
    """

    graph: RoadGraph
    links: NDArray[np.int64]
    from_fraction: float = 0.0
    to_fraction: float = 1.0

    @classmethod
    def of_turns(
        cls,
        graph: RoadGraph,
        turns: Any,
        source: Position,
        target: Position,
        end: int | None = None,
    ) -> Path:
        """The path that takes some turns, one at least, from one position to another one.

        Args:
            graph: whose turns they are.
            turns: `[k]`, indices.
            source: the first one leaves one of its links.
            target: the last one enters one of its links.
            end: index of that link in the target; found if left out.
        """
        turns = np.asarray(turns, dtype=np.int64)
        ends = graph.turns
        links = np.concatenate([ends.from_link[turns[:1]], ends.to_link[turns]]).astype(np.int64)
        if end is None:
            end = target.links.index(int(links[-1]))
        begin = source.fractions[source.links.index(int(links[0]))]
        path = cls(graph, links, begin, target.fractions[end])
        path.__dict__["turns"] = turns
        return path

    def __len__(self) -> int:
        return len(self.links)

    def __repr__(self) -> str:
        return f"Path({len(self)} links, {self.length_m:.0f} m, {self.duration_s:.0f} s)"

    @cached_property
    def turns(self) -> NDArray[np.int64]:
        """`[k - 1]`, indices of the turns between the links."""
        return self.graph.turns_along(self.links)

    @cached_property
    def shares(self) -> Floats:
        """`[k]`, how much of the free-flow time of each link is the path's, 0 to 1."""
        shares = np.ones(len(self.links))
        shares[-1] = self.to_fraction
        shares[0] -= self.from_fraction
        return shares

    def cost(self, costs: Costs) -> float:
        """What it costs; `inf` where it uses what is closed."""
        driven = self.shares > 0
        links = self.shares[driven] * costs.links[self.links[driven]]
        return float(links.sum() + costs.turns[self.turns].sum())

    @cached_property
    def length_m(self) -> float:
        """Metres."""
        return float(self.driven_m.sum())

    @cached_property
    def driven_m(self) -> Floats:
        """`[k]`, metres of each link that the path covers."""
        metres = self.graph.links.length_m[self.links].copy()
        metres[-1] = self._end_m
        metres[0] -= self._begin_m
        return metres

    @cached_property
    def _begin_m(self) -> float:
        """Metres of the first link before the path begins."""
        return self.graph.metres_at(int(self.links[0]), self.from_fraction)

    @cached_property
    def _end_m(self) -> float:
        """Metres of the last link before the path ends."""
        return self.graph.metres_at(int(self.links[-1]), self.to_fraction)

    @cached_property
    def duration_s(self) -> float:
        """Seconds of free flow, turns included."""
        links, turns = self.graph.links, self.graph.turns
        driving = float((self.shares * links.duration_s[self.links]).sum())
        return driving + float(turns.duration_s[self.turns].sum())

    @cached_property
    def nodes(self) -> NDArray[np.int64]:
        """`[n]`, the nodes passed, those of the ends of streets in the middle of links included.

        The first node is the one behind the beginning, the last one that ahead of the end: map
        matchers write drives so.
        """
        shapes = self.graph.shapes
        parts = []
        for position, link in enumerate(self.links.tolist()):
            nodes = self.graph.link_nodes(link)
            low, high = 0, len(nodes) - 1
            along_m = self.graph.along_m[shapes.first[link] : shapes.first[link + 1]]
            if position == 0:
                at = np.searchsorted(along_m, self._begin_m, side="right") - 1
                low = min(int(at), high - 1)
            if position == len(self.links) - 1:
                at = np.searchsorted(along_m, self._end_m, side="left")
                high = max(int(at), low + 1)
            parts.append(nodes[low : high + 1])
        joined = np.concatenate(parts).astype(np.int64)
        return np.asarray(joined[np.concatenate([[True], joined[1:] != joined[:-1]])])

    @property
    def osm_nodes(self) -> NDArray[np.int64]:
        """`[n]`, OpenStreetMap's numbers of `nodes`."""
        return np.asarray(self.graph.osm_node[self.nodes])

    @cached_property
    def lonlat(self) -> Floats:
        """`[p, 2]`, its line in degrees, from the very beginning to the very end."""
        parts = []
        for position, link in enumerate(self.links.tolist()):
            begin = self._begin_m if position == 0 else 0.0
            end = self._end_m if position == len(self) - 1 else np.inf
            parts.append(part_of_line(self.graph, link, begin, end))
        joined = np.concatenate(parts)
        moved = (joined[1:] != joined[:-1]).any(axis=1)
        line = joined[np.concatenate([[True], moved])]
        return line if len(line) > 1 else np.repeat(line, 2, axis=0)


def part_of_line(graph: RoadGraph, link: int, begin_m: float, end_m: float) -> Floats:
    """`[p, 2]`, lonlat along a link, from so many metres along it to so many."""
    line = graph.shape(link)
    along_m = graph.along_m[graph.shapes.first[link] : graph.shapes.first[link + 1]]
    inside = (along_m > begin_m) & (along_m < end_m)
    ends = np.stack([np.interp([begin_m, end_m], along_m, axis) for axis in line.T], axis=1)
    return np.concatenate([ends[:1], line[inside], ends[1:]])
