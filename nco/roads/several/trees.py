"""Paths over a link: from A to it along one tree, and on to B along another one."""

# mypy: allow-untyped-defs, allow-untyped-calls
# Numba types the compiled functions by what they are called with.

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nco.arrays import Floats
from nco.kernels.compiled import compiled
from nco.roads.path import Path
from nco.roads.several.query import Query


@dataclass(eq=False)
class Over:
    """The cheapest paths from A to B over each link.

    Attributes:
        query: what is asked for.
    """

    query: Query
    _marks: list[tuple[Floats, Floats, Floats]] = field(default_factory=list)

    def path(self, link: int) -> Path:
        """The cheapest path from A to B over a link."""
        query, turns = self.query, self.query.graph.turns
        ahead, back = query.ahead_and_back
        taken, end = _along(link, ahead.via, back.via, turns.from_link, turns.to_link)
        return Path.of_turns(query.graph, taken, query.source, query.target, end)

    def add(self, path: Path) -> None:
        """Reckon with a path that was taken."""
        spent, before, after = (np.zeros(len(self.query.graph.links)) for _ in range(3))
        originals = self.query.graph.links.original[path.links]
        spent[originals] = self.query.costs.links[originals]
        # Ends of paths are links in part; they are small, and what is taken is measured exactly.
        total = float((path.shares * np.minimum(spent[originals], 1e300)).sum())
        if total > 0:
            spent[originals] /= total
        self._marks.append((spent, before, after))

    def shared(self, links: NDArray[Any]) -> Floats:
        """`[n]`, the largest share of a path that was taken, of the paths over links."""
        graph = self.query.graph
        ahead, back = self.query.ahead_and_back
        most = np.zeros(len(links))
        for spent, before, after in self._marks:
            _shares(
                links, ahead.via, back.via, graph.turns.from_link, graph.turns.to_link,
                graph.links.original, spent, before, after, most,
            )  # fmt: skip
        return most


@compiled
def _along(link, via, on, from_link, to_link):
    """The turns of the path over a link, and the index of the target's link that it ends on."""
    before, size = link, 1
    while via[before] >= 0:
        before = from_link[via[before]]
        size += 1
    after, last = link, size
    while on[after] >= 0:
        after = to_link[on[after]]
        size += 1
    turns = np.empty(size, dtype=np.int64)
    at = link
    for place in range(last - 1, 0, -1):
        turns[place] = via[at]
        at = from_link[via[at]]
    turns[0] = -2 - via[at]
    at = link
    for place in range(last, size):
        turns[place] = on[at]
        at = to_link[on[at]]
    return turns, -2 - on[at]


@compiled
def _shares(links, via, on, from_link, to_link, original, spent, before, after, most):
    """Raises `most` to what paths over links share with one that was taken.

    Args:
        links: `[n]`.
        via: `[L]`, turns of the tree from A.
        on: `[L]`, turns of the tree to B.
        from_link: `[T]`.
        to_link: `[T]`.
        original: `[L]`.
        spent: `[L]`, the share that each link is of the path that was taken; 0 elsewhere.
        before: `[L]`, one more than the share up to the beginning of links; 0 where not known yet.
        after: `[L]`, the same from the beginning of links on.
        most: `[n]`.
    """
    trail = np.empty(len(via), dtype=np.int32)
    for k in range(len(links)):
        at, size = links[k], 0
        while before[at] == 0 and via[at] >= 0:
            trail[size] = at
            size += 1
            at = from_link[via[at]]
        if before[at] == 0:
            before[at] = 1.0
            if via[at] < -1:
                before[at] += spent[original[from_link[-2 - via[at]]]]
        total = before[at]
        for j in range(size - 1, -1, -1):
            total += spent[original[from_link[via[trail[j]]]]]
            before[trail[j]] = total
        at, size = links[k], 0
        while after[at] == 0 and on[at] >= 0:
            trail[size] = at
            size += 1
            at = to_link[on[at]]
        if after[at] == 0:
            after[at] = 1.0 + spent[original[at]]
        total = after[at]
        for j in range(size - 1, -1, -1):
            total += spent[original[trail[j]]]
            after[trail[j]] = total
        most[k] = max(most[k], before[links[k]] + after[links[k]] - 2)
