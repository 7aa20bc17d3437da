"""Alternatives by penalties (Y. Chen, M. Bell and K. Bogenberger 2007; Kobitzsch et al. 2013).

The cheapest path is made dearer, and the cheapest one is looked for again. Links that leave it or
lead back to it become dearer as well, so that the next one does not hop off and on. All of it
happens on the skeleton of the query: what is not part of it is too dear anyway.
"""

from __future__ import annotations

import numpy as np

from nco.errors import NoPathError
from nco.roads.several.query import Chosen, Query

_FACTOR = 1.1
_HOP = 1.03
_ROUNDS = 20
# Links are not made dearer without end, or detours become boundless.
_DEAREST = 10.0


def penalty(query: Query, chosen: Chosen) -> None:
    """Offers the cheapest path at ever dearer costs."""
    path = query.best
    chosen.offer(path)
    if query.k == 1 or len(path) == 1:
        return
    skeleton = query.skeleton
    factor = np.ones(len(skeleton.links))
    for _ in range(max(_ROUNDS, 4 * query.k)):
        if chosen.full:
            return
        on = np.zeros(len(factor), dtype=bool)
        on[skeleton.numbers(path.links)] = True
        hops = np.zeros(len(factor), dtype=bool)
        hops[skeleton.to_link[on[skeleton.from_link]]] = True
        hops[skeleton.from_link[on[skeleton.to_link]]] = True
        factor[hops & ~on] *= _HOP
        factor[np.isin(skeleton.streets, skeleton.streets[on])] *= _FACTOR
        factor = np.minimum(factor, _DEAREST)
        try:
            path = skeleton.path(skeleton.link_costs * factor, skeleton.turn_costs)
        except NoPathError:
            return
        chosen.offer(path)
