"""From nodes of OpenStreetMap along a drive, as map matchers write them, to links."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from nco.arrays import Floats
from nco.roads.graph import RoadGraph


@dataclass(frozen=True, eq=False)
class Driven:
    """The links of a drive.

    Attributes:
        links: `[k]`, in their order; copies of links are told by the turn before.
        covered_m: `[k]`, metres of each that the drive passes.
        broken: `[b]`, positions in `links` before which the drive is interrupted: no turn leads
            there, or nodes are missing.
        unknown: how many pairs of nodes lie on no link.
    """

    links: NDArray[np.int64]
    covered_m: Floats
    broken: NDArray[np.int64]
    unknown: int


@dataclass(frozen=True, eq=False)
class NodePairs:
    """Which segment of which link leads from one node of OpenStreetMap to the next.

    Attributes:
        graph: whose links they are.
    """

    graph: RoadGraph

    def links(self, osm_nodes: ArrayLike) -> Driven:
        """Links along nodes of OpenStreetMap.

        Args:
            osm_nodes: `[n]`; every two neighbours are one on a link.
        """
        graph = self.graph
        nodes = np.asarray(osm_nodes, dtype=np.int64)
        nodes = nodes[np.concatenate([[True], nodes[1:] != nodes[:-1]])] if len(nodes) else nodes
        segment = self._segments(nodes[:-1], nodes[1:])
        known = segment >= 0
        at = segment[known]
        link = graph.shapes.link[at].astype(np.int64)
        # A new link begins where the segment is not the next one of the same link.
        follows = np.zeros(len(at), dtype=bool)
        follows[1:] = self._next[at[:-1]] == at[1:]
        follows[1:] &= np.diff(np.flatnonzero(known)) == 1
        begin = np.flatnonzero(~follows)
        covered = np.add.reduceat(graph.segment_m[at], begin) if len(at) else np.zeros(0)
        gap = np.diff(np.flatnonzero(known), prepend=-1)[begin] > 1 if len(at) else np.zeros(0)
        links = _with_copies(graph, link[begin])
        turn = graph.turns_along(links)
        broken = np.flatnonzero(np.concatenate([[False], turn < 0]) | (gap > 0))
        return Driven(links, covered, broken, int((~known).sum()))

    def _segments(self, a: NDArray[np.int64], b: NDArray[np.int64]) -> NDArray[np.int64]:
        """Entries of `shapes.nodes` from which a segment leads from a to b; -1 where none does."""
        numbers, keys, segment = self._index
        if not len(a):
            return np.zeros(0, dtype=np.int64)
        i = np.minimum(np.searchsorted(numbers, a), len(numbers) - 1)
        j = np.minimum(np.searchsorted(numbers, b), len(numbers) - 1)
        wanted = i * len(numbers) + j
        place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
        hit = (keys[place] == wanted) & (numbers[i] == a) & (numbers[j] == b)
        return np.where(hit, segment[place], -1)

    @cached_property
    def _real(self) -> NDArray[np.bool_]:
        """`[S]`, whether a segment of some length begins there."""
        shapes = self.graph.shapes
        real = np.zeros(len(shapes.nodes), dtype=bool)
        real[:-1] = shapes.nodes[1:] != shapes.nodes[:-1]
        real[shapes.first[1:] - 1] = False
        return real

    @cached_property
    def _next(self) -> NDArray[np.int64]:
        """`[S]`, the segment after each on the same link; -1 behind the last."""
        shapes = self.graph.shapes
        at = np.flatnonzero(self._real)
        after = np.full(len(shapes.nodes), -1)
        same = shapes.link[at[1:]] == shapes.link[at[:-1]]
        after[at[:-1][same]] = at[1:][same]
        return after

    @cached_property
    def _index(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        graph = self.graph
        shapes = graph.shapes
        original = graph.links.original == np.arange(len(graph.links))
        at = np.flatnonzero(self._real & original[shapes.link])
        numbers, index = np.unique(graph.osm_node[shapes.nodes], return_inverse=True)
        keys = index[at] * len(numbers) + index[at + 1]
        # The first of parallel streets between two nodes: the quicker one.
        order = np.lexsort((graph.links.duration_s[shapes.link[at]], keys))
        return numbers, keys[order], at[order]


def _with_copies(graph: RoadGraph, links: NDArray[np.int64]) -> NDArray[np.int64]:
    """The same links, copies in place of originals where only those can be turned into."""
    if not graph.copies:
        return links
    found = links.copy()
    for k in np.flatnonzero(np.isin(links, list(graph.copies))).tolist():
        if k == 0 or graph.turn_between(int(found[k - 1]), int(links[k])) >= 0:
            continue
        for copy in graph.copies[int(links[k])]:
            if graph.turn_between(int(found[k - 1]), copy) >= 0:
                found[k] = copy
    return found
