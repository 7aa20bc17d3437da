"""ESX (T. Chondrogiannis et al., "Finding k-shortest paths with limited overlap", VLDB J. 2020).

Links of the earlier path that the newest one shares most with are closed, one after the other,
until the newest path shares little enough. A link whose closing leaves no path that costs little
enough stays open. All of it happens on the skeleton of the query.
"""

from __future__ import annotations

import numpy as np

from nco.arrays import Floats
from nco.errors import NoPathError
from nco.roads.path import Path
from nco.roads.several.query import Chosen, Query
from nco.roads.several.skeleton import Skeleton

# Links that may be closed for one more path.
_CLOSED = 300


def esx(query: Query, chosen: Chosen) -> None:
    """Offers paths that are found with ever more links closed."""
    path = query.best
    chosen.offer(path)
    if query.k == 1 or len(path) == 1:
        return
    skeleton = query.skeleton
    costs = skeleton.link_costs.copy()
    kept: set[int] = set()
    for _ in range(_CLOSED * (query.k - 1)):
        if chosen.full:
            return
        street = _next(skeleton, path, chosen.most_alike(path), costs, kept)
        if street is None:
            return
        same = np.flatnonzero(skeleton.streets == street)
        before = costs[same].copy()
        costs[same] = np.inf
        try:
            path = skeleton.path(costs, skeleton.turn_costs, most=query.most)
        except NoPathError:
            costs[same] = before
            kept.add(street)
            continue
        chosen.offer(path)


def _next(
    skeleton: Skeleton, path: Path, earlier: Path, costs: Floats, kept: set[int]
) -> int | None:
    """The street to close next, one in common if there is any.

    It is the one with most ways in and out, which bounds the number of shortest paths between
    neighbours that cross it.
    """
    adjacency, original = path.graph.adjacency, path.graph.links.original
    at = skeleton.numbers(np.unique(original[path.links[1:-1]]))
    inner = skeleton.links[at[np.isfinite(costs[at])]]
    inner = inner[~np.isin(inner, list(kept))]
    common = inner[np.isin(inner, original[earlier.links])]
    some = common if len(common) else inner
    if not len(some):
        return None
    out = adjacency.first[some + 1] - adjacency.first[some]
    into = adjacency.into_first[some + 1] - adjacency.into_first[some]
    return int(some[int((out * into).argmax())])
