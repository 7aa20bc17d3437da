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
from nco.roads.shortest import turns_back


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
        query, graph = self.query, self.query.graph
        ahead, back = query.ahead_and_back
        turns = turns_back(graph, ahead.via, link).tolist()
        at = int(back.via[link])
        while at >= 0:
            turns.append(at)
            at = int(back.via[graph.turns.to_link[at]])
        links: NDArray[np.int64] = np.concatenate(
            [graph.turns.from_link[turns[:1]], graph.turns.to_link[turns]]
        ).astype(np.int64)
        begin = query.source.fractions[query.source.links.index(int(links[0]))]
        return Path(graph, links, begin, query.target.fractions[-2 - at])

    def add(self, path: Path) -> None:
        """Reckon with a path that was taken."""
        spent = np.zeros(len(self.query.graph.links))
        originals = self.query.graph.links.original
        for link in originals[path.links].tolist():
            spent[link] = self.query.costs.links[link]
        unknown = np.full(len(spent), np.nan)
        # Ends are driven in part; they are small, and what is taken is measured exactly.
        total = float((path.shares * np.minimum(spent[originals[path.links]], 1e300)).sum())
        self._marks.append((spent / total if total > 0 else spent, unknown, unknown.copy()))

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
        before: `[L]`, shares up to the beginning of links as far as known, else NaN.
        after: `[L]`, shares from the beginning of links on.
        most: `[n]`.
    """
    trail = np.empty(len(via), dtype=np.int32)
    for k in range(len(links)):
        at, size = links[k], 0
        while np.isnan(before[at]) and via[at] >= 0:
            trail[size] = at
            size += 1
            at = from_link[via[at]]
        if np.isnan(before[at]):
            before[at] = 0.0
            if via[at] < -1:
                before[at] = spent[original[from_link[-2 - via[at]]]]
        total = before[at]
        for j in range(size - 1, -1, -1):
            total += spent[original[from_link[via[trail[j]]]]]
            before[trail[j]] = total
        at, size = links[k], 0
        while np.isnan(after[at]) and on[at] >= 0:
            trail[size] = at
            size += 1
            at = to_link[on[at]]
        if np.isnan(after[at]):
            after[at] = spent[original[at]]
        total = after[at]
        for j in range(size - 1, -1, -1):
            total += spent[original[trail[j]]]
            after[trail[j]] = total
        most[k] = max(most[k], before[links[k]] + after[links[k]])
