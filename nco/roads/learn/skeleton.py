"""The part of a road graph that good paths from A to B can use.

GenMRP builds a small network for each request and works on that. Here it is what no good path is
missing from: links through which a path leads that costs at most so many times the best one. A
region around the best path is cut out first, so that nothing large is searched.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nco.arrays import Floats
from nco.roads import kernels
from nco.roads.costs import Costs
from nco.roads.graph import RoadGraph
from nco.roads.links import starts
from nco.roads.path import Path
from nco.roads.position import Position
from nco.roads.shortest import Tree, no_path

STRETCH = 1.4
_ROOM = 1.25
_ROOM_M = 400.0
_METRES = 111_195.0  # a degree of latitude
_NO_NODES = np.zeros((0, 3))
_NO_TAILS = np.zeros(0, dtype=np.int32)


@dataclass(frozen=True, eq=False)
class Skeleton:
    """Links and turns of a request, numbered anew.

    Attributes:
        graph: that they are part of.
        source: where paths begin.
        target: where they end.
        links: `[S]`, indices in the graph, sorted.
        turns: `[U]`, indices in the graph, sorted by the link that they leave.
        from_link: `[U]`, indices in `links`.
        to_link: `[U]`, indices in `links`.
        link_costs: `[S]`, of the first path.
        turn_costs: `[U]`, of the first path.
        ahead: `[S]`, what it costs to come to the beginning of each link.
        beyond: `[S]`, from the beginning of each link to the target.
        best: the cost of the first path.
        ways: `[S]` each, how `ahead` and `beyond` come about: turns of the graph, as `Tree.via`.
    """

    graph: RoadGraph
    source: Position
    target: Position
    links: NDArray[np.int64]
    turns: NDArray[np.int64]
    from_link: NDArray[np.int32]
    to_link: NDArray[np.int32]
    link_costs: Floats
    turn_costs: Floats
    ahead: Floats
    beyond: Floats
    best: float
    ways: tuple[NDArray[np.int32], NDArray[np.int32]] | None = None

    @classmethod
    def around(cls, costs: Costs, best: Path, source: Position, target: Position) -> Skeleton:
        """The skeleton of a request.

        Args:
            costs: of the first path.
            best: the first path.
            source: where it begins.
            target: where it ends.
        """
        region = _region(best, source, target)
        whole = cls._of(best.graph, costs, region, source, target, best.cost(costs))
        ahead, beyond, ways = whole.both_ways()
        on_path = np.isin(whole.links, best.links)
        at_ends = np.isin(whole.links, (*source.links, *target.links))
        good = (ahead + beyond <= STRETCH * whole.best) | on_path | at_ends
        small = cls._of(best.graph, costs, whole.links[good], source, target, whole.best)
        object.__setattr__(small, "ahead", ahead[good])
        object.__setattr__(small, "beyond", beyond[good])
        object.__setattr__(small, "ways", (ways[0][good], ways[1][good]))
        return small

    @classmethod
    def _of(
        cls, graph: RoadGraph, costs: Costs, links: NDArray[np.int64],
        source: Position, target: Position, best: float,
    ) -> Skeleton:  # fmt: skip
        number = np.full(len(graph.links), -1, dtype=np.int32)
        number[links] = np.arange(len(links), dtype=np.int32)
        first = graph.adjacency.first[links]
        count = graph.adjacency.first[links + 1] - first
        # Turns out of the links, all in one: where each group begins, and the place within it.
        begin = np.cumsum(count) - count
        turns = np.repeat(first - begin, count) + np.arange(int(count.sum()))
        onto = number[graph.turns.to_link[turns]]
        inside = onto >= 0
        turns = turns[inside].astype(np.int64)
        return cls(
            graph, source, target, links, turns,
            number[graph.turns.from_link[turns]], onto[inside].astype(np.int32),
            costs.links[links], costs.turns[turns], np.zeros(0), np.zeros(0), best,
        )  # fmt: skip

    @cached_property
    def first(self) -> NDArray[np.int32]:
        """`[S + 1]`, where the turns out of each link begin."""
        return starts(np.bincount(self.from_link, minlength=len(self.links)))

    def numbers(self, links: NDArray[Any]) -> NDArray[np.int64]:
        """Indices in `links` of links of the graph, those that are in the skeleton."""
        place = np.minimum(np.searchsorted(self.links, links), len(self.links) - 1)
        return np.asarray(place[self.links[place] == links], dtype=np.int64)

    def both_ways(self) -> tuple[Floats, Floats, tuple[NDArray[np.int32], NDArray[np.int32]]]:
        """What it costs to each link and from each link on, both from its beginning, and how."""
        seeds, goals, parts = self._ends(self.link_costs, self.turn_costs)
        ahead, via, _, _ = kernels.search(
            self.first, self.to_link, self.link_costs, self.turn_costs, *seeds,
            np.zeros(0, dtype=np.int32), np.zeros(0), _NO_TAILS, _NO_NODES, _NO_TAILS, 0.0,
        )  # fmt: skip
        into = np.argsort(self.to_link, kind="stable").astype(np.int32)
        into_first = starts(np.bincount(self.to_link, minlength=len(self.links)))
        beyond, on = kernels.search_back(
            into_first, into, self.from_link, self.link_costs, self.turn_costs, goals, parts
        )
        # All links of source and target are in the skeleton, so that their order is the same.
        seeded = via < -1
        came = self._in_graph(via)
        came[seeded] = -2 - self.turns[-2 - via[seeded]]
        return ahead, beyond, (came, self._in_graph(on))

    def trees(self) -> tuple[Tree, Tree]:
        """The cheapest ways as trees of the whole graph; what is not in the skeleton is unreached.

        Where paths of at most `STRETCH` times the best one are wanted, they are those of the graph.
        """
        found = []
        for cost, via in zip((self.ahead, self.beyond), self.ways or (), strict=True):
            whole = np.full(len(self.graph.links), np.inf)
            how = np.full(len(self.graph.links), -1, dtype=np.int32)
            whole[self.links], how[self.links] = cost, via
            found.append(Tree(whole, how))
        return found[0], found[1]

    def _in_graph(self, via: NDArray[np.int32]) -> NDArray[np.int32]:
        """The same turns, numbered as in the graph; what is no turn stays as it is."""
        return np.where(via >= 0, self.turns[np.maximum(via, 0)], via).astype(np.int32)

    def path(self, link_costs: Floats, turn_costs: Floats) -> Path:
        """The cheapest path at any costs of its links and turns.

        Raises:
            NoPathError: none leads from source to target within the skeleton.
        """
        seeds, goals, parts = self._ends(link_costs, turn_costs)
        tails = np.zeros(len(self.links), dtype=np.int32)
        _, via, reached, _ = kernels.search(
            self.first, self.to_link, link_costs, turn_costs, *seeds, goals, parts,
            tails, np.zeros((1, 3)), np.zeros(len(goals), dtype=np.int32), 0.0,
        )  # fmt: skip
        if reached < 0:
            raise no_path(self.source, self.target)
        turns = []
        at = int(via[goals[reached]])
        while at >= 0:
            turns.append(at)
            at = int(via[self.from_link[at]])
        turns.append(-2 - at)
        passed = self.turns[turns[::-1]]
        graph = self.graph
        links = np.concatenate(
            [graph.turns.from_link[passed[:1]], graph.turns.to_link[passed]]
        ).astype(np.int64)
        begin = self.source.fractions[self.source.links.index(int(links[0]))]
        end = self.target.fractions[self.target.links.index(int(links[-1]))]
        return Path(graph, links, begin, end)

    def _ends(
        self, link_costs: Floats, turn_costs: Floats
    ) -> tuple[tuple[NDArray[np.int32], Floats], NDArray[np.int32], Floats]:
        """Turns out of the source with their costs; links of the target, and what they cost."""
        turns, spent = [], []
        for link, fraction in zip(self.source.links, self.source.fractions, strict=True):
            for at in self.numbers(np.array([link])).tolist():
                out = np.arange(self.first[at], self.first[at + 1])
                turns.append(out)
                spent.append(_share(link_costs, at, 1 - fraction) + turn_costs[out])
        goals, parts = [], []
        for link, fraction in zip(self.target.links, self.target.fractions, strict=True):
            for at in self.numbers(np.array([link])).tolist():
                goals.append(at)
                parts.append(_share(link_costs, at, fraction))
        if not turns or not goals:
            raise no_path(self.source, self.target)
        seed = np.concatenate(turns).astype(np.int32)
        return (seed, np.concatenate(spent)), np.array(goals, dtype=np.int32), np.array(parts)


def _share(costs: Floats, link: int, share: float) -> float:
    """The cost of a share of a link; nothing of a closed link costs nothing."""
    return share * float(costs[link]) if share > 0 else 0.0


def _region(best: Path, source: Position, target: Position) -> NDArray[np.int64]:
    """Links in an ellipse around both ends, wide enough for the best path and more."""
    graph = best.graph
    x_m, y_m, scale = _heads(graph)
    (ax, ay), (bx, by) = np.array([source.lonlat, target.lonlat]) * scale
    passed = best.links
    most = np.hypot(x_m[passed] - ax, y_m[passed] - ay)
    most += np.hypot(x_m[passed] - bx, y_m[passed] - by)
    room = _ROOM * float(most.max()) + _ROOM_M
    # The box around the ellipse first: most of the city is outside.
    side = (room - float(np.hypot(ax - bx, ay - by))) / 2
    near = (x_m >= min(ax, bx) - side) & (x_m <= max(ax, bx) + side)
    near &= (y_m >= min(ay, by) - side) & (y_m <= max(ay, by) + side)
    inside = np.flatnonzero(near)
    round_m = np.hypot(x_m[inside] - ax, y_m[inside] - ay)
    round_m += np.hypot(x_m[inside] - bx, y_m[inside] - by)
    inside = inside[round_m <= room]
    return np.unique(np.concatenate([inside, passed, [*source.links, *target.links]]))


@lru_cache(maxsize=2)
def _heads(graph: RoadGraph) -> tuple[NDArray[np.float32], NDArray[np.float32], Floats]:
    """Where links end, in metres east and north of 0, 0 at the latitude of the place."""
    latitude = float(np.median(graph.lonlat[:, 1]))
    scale = np.array([np.cos(np.radians(latitude)), 1.0]) * _METRES
    # Rounded to metres, which a region does not mind.
    x_m, y_m = (graph.lonlat[graph.links.head] * scale).astype(np.float32).T
    return np.ascontiguousarray(x_m), np.ascontiguousarray(y_m), scale
