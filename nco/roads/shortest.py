"""Shortest paths behind one interface, and the searches that need no preparation."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from nco.arrays import Floats
from nco.errors import NoPathError
from nco.roads import kernels
from nco.roads.costs import Costs
from nco.roads.graph import RoadGraph
from nco.roads.path import Path
from nco.roads.position import Position

_NONE = np.zeros(0, dtype=np.int32)
_NOTHING = np.zeros(0)
# A* stays exact where sums are rounded.
_NEARLY = 1 - 1e-9


class ShortestPaths(Protocol):
    """Answers what the cheapest path between two positions is.

    Attributes:
        graph: what it searches.
        costs: what links and turns cost.
    """

    graph: RoadGraph
    costs: Costs

    def cost(self, source: Position, target: Position) -> float:
        """The least cost of a path; `inf` where none leads from source to target."""
        ...

    def path(self, source: Position, target: Position) -> Path:
        """A path of least cost.

        Raises:
            NoPathError: none leads from source to target.
        """
        ...

    def with_costs(self, costs: Costs) -> ShortestPaths:
        """The same with other costs; this one stays as it is.

        Raises:
            InputError: the costs are not of this graph.
        """
        ...


@dataclass(frozen=True, eq=False)
class Tree:
    """Cheapest ways from one position to all links, or from all links to one.

    Attributes:
        cost: `[L]`, from the position to the beginning of each link, or from there to the position;
            `inf` where no way leads.
        via: `[L]`, the turn that led onto the link (or leads on from it); -1 where there is none,
            less than -1 where the way begins (or ends) there: `-2 - turn` out of a link of the
            source, or `-2 - index` of the target's link.
    """

    cost: Floats
    via: NDArray[np.int32]


class Search(ABC):
    """What all searches share: positions in the middle of links, and paths from turns.

    Args:
        graph: what to search.
        costs: of its links and turns; OSRM's (`Costs.usual`) if left out.

    Raises:
        InputError: the costs are not of this graph.
    """

    def __init__(self, graph: RoadGraph, costs: Costs | None = None) -> None:
        self.graph = graph
        self.costs = (Costs.usual(graph) if costs is None else costs).fitting(graph)

    def with_costs(self, costs: Costs) -> Self:
        """The same search with other costs."""
        return type(self)(self.graph, costs)

    def cost(self, source: Position, target: Position) -> float:
        """The least cost of a path; `inf` where none leads from source to target."""
        found = self._best(source, target)
        return float("inf") if found is None else found.cost(self.costs)

    def path(self, source: Position, target: Position) -> Path:
        """A path of least cost.

        Raises:
            NoPathError: none leads from source to target.
        """
        found = self._best(source, target)
        if found is None:
            raise no_path(source, target)
        return found

    def _best(self, source: Position, target: Position) -> Path | None:
        """The cheaper of staying on the link and of going round."""
        direct = straight(self.graph, self.costs, source, target)
        around = self._around(source, target)
        if around is None:
            return direct
        turns, last = around
        path = Path.of_turns(self.graph, turns, source, target, last)
        if direct is not None and direct.cost(self.costs) <= path.cost(self.costs):
            return direct
        return path

    @abstractmethod
    def _around(self, source: Position, target: Position) -> tuple[NDArray[np.int64], int] | None:
        """Turns, one at least, of the cheapest way, and the index of the target's link."""


def straight(graph: RoadGraph, costs: Costs, source: Position, target: Position) -> Path | None:
    """The cheapest path that stays on one link, if the target lies ahead on one of the source's."""
    found = stays(graph, source, target)
    best = min(found, key=lambda path: path.cost(costs), default=None)
    return best if best is not None and np.isfinite(best.cost(costs)) else None


def stays(graph: RoadGraph, source: Position, target: Position) -> list[Path]:
    """Paths that stay on one link: those of the source on which the target lies ahead."""
    found = []
    for link, begin in zip(source.links, source.fractions, strict=True):
        for other, end in zip(target.links, target.fractions, strict=True):
            if link == other and begin <= end:
                found.append(Path(graph, np.array([link], dtype=np.int64), begin, end))
    return found


def seeds(graph: RoadGraph, costs: Costs, source: Position) -> tuple[NDArray[np.int32], Floats]:
    """Turns out of the links of a source, and what it costs to have taken each."""
    turns, spent = [], []
    for link, fraction in zip(source.links, source.fractions, strict=True):
        out = np.arange(graph.adjacency.first[link], graph.adjacency.first[link + 1])
        turns.append(out)
        spent.append(part(costs.links, link, 1 - fraction) + costs.turns[out])
    cost = np.concatenate([_NOTHING, *spent])
    open_ = np.isfinite(cost)
    return np.concatenate([_NONE, *turns]).astype(np.int32)[open_], cost[open_]


def ends(costs: Costs, target: Position) -> tuple[NDArray[np.int32], Floats]:
    """Links of a target, and what the way on each to the target costs."""
    places = zip(target.links, target.fractions, strict=True)
    parts = [part(costs.links, link, share) for link, share in places]
    return np.array(target.links, dtype=np.int32), np.array(parts)


def part(links: Floats, link: int, share: float) -> float:
    """The cost of a share of a link, of costs of links; nothing of a closed one costs nothing."""
    return share * float(links[link]) if share > 0 else 0.0


def turns_back(
    from_link: NDArray[np.int32], via: NDArray[np.int32], link: int
) -> NDArray[np.int64]:
    """Turns of a forward search that lead from its source onto a link, in their order."""
    turns = []
    at = int(via[link])
    while at >= 0:
        turns.append(at)
        at = int(via[from_link[at]])
    turns.append(-2 - at)
    return np.array(turns[::-1], dtype=np.int64)


def no_path(source: Position, target: Position) -> NoPathError:
    """What to raise where no path leads."""
    a, b = (f"longitude {p.lonlat[0]:g}, latitude {p.lonlat[1]:g}" for p in (source, target))
    return NoPathError(
        f"no path leads from {a} to {b}: streets between them are closed, one-way or not "
        "connected; choose other places, or close less"
    )


class Dijkstra(Search):
    """Dijkstra's algorithm on links with turns: any costs, no preparation."""

    def _around(self, source: Position, target: Position) -> tuple[NDArray[np.int64], int] | None:
        graph = self.graph
        links, parts = ends(self.costs, target)
        _, via, reached, _ = self._searched(source, links, parts)
        if reached < 0:
            return None
        return turns_back(graph.turns.from_link, via, int(links[reached])), int(reached)

    def tree(self, source: Position) -> Tree:
        """Cheapest ways to the beginning of every link."""
        cost, via, _, _ = self._searched(source, _NONE, _NOTHING)
        return Tree(cost, via)

    def tree_to(self, target: Position) -> Tree:
        """Cheapest ways from the beginning of every link to a target."""
        graph = self.graph
        links, parts = ends(self.costs, target)
        cost, via = kernels.search_back(
            graph.adjacency.into_first, graph.adjacency.into, graph.turns.from_link,
            self.costs.links, self.costs.turns, links, parts,
        )  # fmt: skip
        return Tree(cost, via)

    def settled(self, source: Position, target: Position) -> int:
        """How many links the search for a path settles."""
        return int(self._searched(source, *ends(self.costs, target))[3])

    def _searched(
        self, source: Position, links: NDArray[np.int32], parts: Floats
    ) -> tuple[Floats, NDArray[np.int32], int, int]:
        graph = self.graph
        found: tuple[Floats, NDArray[np.int32], int, int] = kernels.search(
            graph.adjacency.first, graph.turns.to_link, self.costs.links, self.costs.turns,
            *seeds(graph, self.costs, source), links, parts,
            graph.links.tail, graph.xyz, graph.links.tail[links], self._rate if len(links) else 0.0,
        )  # fmt: skip
        return found

    @property
    def _rate(self) -> float:
        """The least cost of a metre that the search may reckon with; 0 for no reckoning."""
        return 0.0


class AStar(Dijkstra):
    """A*: as Dijkstra's algorithm, towards the target.

    It reckons with the least cost of a metre as the crow flies that any link has, and is Dijkstra's
    algorithm where links cost nothing.
    """

    @cached_property
    def _rate(self) -> float:
        graph = self.graph
        ahead = graph.xyz[graph.links.head] - graph.xyz[graph.links.tail]
        straight_m = np.sqrt((ahead**2).sum(axis=1))
        far = straight_m > 0
        least = float((self.costs.links[far] / straight_m[far]).min(initial=np.inf))
        return least * _NEARLY if np.isfinite(least) else 0.0


class Bidirectional(Search):
    """Dijkstra's algorithm from both sides."""

    def _around(self, source: Position, target: Position) -> tuple[NDArray[np.int64], int] | None:
        graph, adjacency = self.graph, self.graph.adjacency
        via, on, meeting, _, _ = kernels.search_both(
            adjacency.first, adjacency.out, graph.turns.to_link,
            adjacency.into_first, adjacency.into, graph.turns.from_link,
            self.costs.links, self.costs.turns,
            *seeds(graph, self.costs, source), *ends(self.costs, target),
        )  # fmt: skip
        if meeting < 0:
            return None
        turns = turns_back(graph.turns.from_link, via, meeting).tolist()
        at = int(on[meeting])
        while at >= 0:
            turns.append(at)
            at = int(on[graph.turns.to_link[at]])
        return np.array(turns, dtype=np.int64), -2 - at
