"""ESX (T. Chondrogiannis et al., "Finding k-shortest paths with limited overlap", VLDB J. 2020).

Links of the earlier path that the newest one shares most with are closed, one after the other,
until the newest path shares little enough. A link whose closing cuts A off from B stays open.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nco.errors import NoPathError
from nco.roads.costs import Costs
from nco.roads.path import Path
from nco.roads.several import quality
from nco.roads.several.query import Chosen, Query
from nco.roads.shortest import ShortestPaths

# Links that may be closed for one more path.
_CLOSED = 300


def esx(query: Query, chosen: Chosen) -> None:
    """Offers paths that are found with ever more links closed."""
    path = query.best
    chosen.offer(path)
    links = query.costs.links.copy()
    search: ShortestPaths = query.unprepared
    kept: set[int] = set()
    for _ in range(_CLOSED * (query.k - 1)):
        if chosen.full:
            return
        earlier = max(chosen.paths, key=lambda one: quality.share(path, one, query.costs))
        link = _next(path, earlier, links, kept)
        if link is None:
            return
        same = np.flatnonzero(query.graph.links.original == link)
        before = links[same].copy()
        links[same] = np.inf
        try:
            search = search.with_costs(Costs(links, query.costs.turns))
            path = search.path(query.source, query.target)
        except NoPathError:
            links[same] = before
            kept.add(link)
            continue
        chosen.offer(path)


def _next(path: Path, earlier: Path, links: NDArray[np.float64], kept: set[int]) -> int | None:
    """The link to close next, one in common if there is any.

    It is the one with most ways in and out, which bounds the number of shortest paths between
    neighbours that cross it.
    """
    graph = path.graph
    ways = np.diff(graph.adjacency.first) * np.diff(graph.adjacency.into_first)
    original = graph.links.original
    inner = np.unique(original[path.links[1:-1]])
    for candidates in (np.intersect1d(inner, original[earlier.links]), inner):
        open_ = [i for i in candidates.tolist() if np.isfinite(links[i]) and i not in kept]
        if open_:
            return int(open_[int(ways[open_].argmax())])
    return None
