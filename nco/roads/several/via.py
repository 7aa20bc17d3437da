"""Alternatives over single links (I. Abraham et al. 2013: X-BDV), and in order of cost (SVP+)."""

from __future__ import annotations

import numpy as np

from nco.roads.several.plateau import candidates, offer_in_order
from nco.roads.several.query import Chosen, Query
from nco.roads.several.trees import Over


def via(query: Query, chosen: Chosen) -> None:
    """Offers paths over links that are on any plateau, ranked as published.

    The rank of a path is twice its cost, plus what it shares with the cheapest path, less the
    plateau that it goes over. The test of local optimality around the plateau then decides.
    """
    chosen.offer(query.best)
    if query.k == 1:
        return
    link, through, length = candidates(query)
    over = Over(query)
    over.add(query.best)
    rank = 2 * through + over.shared(link) * query.least - length
    offer_in_order(query, chosen, link, rank, length)


def single_via(query: Query, chosen: Chosen) -> None:
    """Offers paths over plateaus in order of cost: SVP+ (T. Chondrogiannis et al. 2018)."""
    chosen.offer(query.best)
    if query.k == 1:
        return
    link, through, _ = candidates(query)
    offer_in_order(query, chosen, link, through, np.zeros(len(link)))
