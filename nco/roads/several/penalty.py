"""Alternatives by penalties (Y. Chen, M. Bell and K. Bogenberger 2007; Kobitzsch et al. 2013).

The cheapest path is made dearer, and the cheapest one is looked for again. Links that leave it or
lead back to it become dearer as well, so that the next one does not hop off and on.
"""

from __future__ import annotations

import numpy as np

from nco.errors import NoPathError
from nco.roads.costs import Costs
from nco.roads.several.query import Chosen, Query

_FACTOR = 1.1
_HOP = 1.03
_ROUNDS = 20
# Links are not made dearer without end, or detours become boundless.
_DEAREST = 10.0


def penalty(query: Query, chosen: Chosen) -> None:
    """Offers the cheapest path at ever dearer costs."""
    graph, adjacency = query.graph, query.graph.adjacency
    path = query.best
    chosen.offer(path)
    factor = np.ones(len(graph.links))
    rounds = max(_ROUNDS, 4 * query.k)
    for _ in range(rounds):
        if chosen.full:
            return
        on = graph.links.original[path.links]
        beside = [
            graph.turns.to_link[adjacency.first[i] : adjacency.first[i + 1]] for i in path.links
        ]
        into = [
            graph.turns.from_link[
                adjacency.into[adjacency.into_first[i] : adjacency.into_first[i + 1]]
            ]
            for i in path.links
        ]
        hops = np.setdiff1d(np.concatenate([*beside, *into]), path.links)
        factor[hops] *= _HOP
        factor[np.isin(graph.links.original, on)] *= _FACTOR
        factor = np.minimum(factor, _DEAREST)
        dearer = Costs(query.costs.links * factor, query.costs.turns)
        try:
            path = query.unprepared.with_costs(dearer).path(query.source, query.target)
        except NoPathError:
            return
        chosen.offer(path)
