"""Alternatives by plateaus (Camvit, "Choice routing", 2009).

A link is on the plateau of the next one where the cheapest way from A to the next one comes over
it, and its cheapest way to B goes on over the next one. A plateau is a chain of such links. The
path from A over a plateau to B is locally optimal along it, so long plateaus make good
alternatives.
"""

# mypy: allow-untyped-defs, allow-untyped-calls
# Numba types the compiled functions by what they are called with.

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nco.arrays import Floats
from nco.kernels.compiled import compiled
from nco.roads.path import Path
from nco.roads.several.query import Chosen, Query
from nco.roads.shortest import Tree, turns_back

# A metre more on the plateau is worth this much of a metre less in all.
_WORTH = 1.0
_MOST = 1000


def plateau(query: Query, chosen: Chosen) -> None:
    """Offers paths over plateaus, those that are long and cost little first."""
    chosen.offer(query.best)
    if query.k == 1:
        return
    ahead, back = query.ahead_and_back
    turns = query.graph.turns
    link, length = plateaus(ahead.cost, ahead.via, back.cost, back.via, turns.to_link, query.most)
    through = ahead.cost[link] + back.cost[link]
    long_enough = length > 0.02 * query.least
    link, length, through = link[long_enough], length[long_enough], through[long_enough]
    window = query.limits.local * query.least
    for at in np.argsort(through - _WORTH * length, kind="stable")[:_MOST].tolist():
        path = over(query, ahead, back, int(link[at]))
        chosen.offer(path, tested=bool(length[at] >= window))
        if chosen.full:
            return


def over(query: Query, ahead: Tree, back: Tree, link: int) -> Path:
    """The cheapest path from A to B over a link."""
    graph = query.graph
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


@compiled
def _plateaus(ahead, via, back, on, to_link, most):
    links = len(ahead)
    after = np.full(links, -1, dtype=np.int32)
    follows = np.zeros(links, dtype=np.bool_)
    count = 0
    for link in range(links):
        turn = on[link]
        if turn < 0 or ahead[link] + back[link] > most:
            continue
        onto = to_link[turn]
        if via[onto] == turn:
            after[link] = onto
            follows[onto] = True
    for link in range(links):
        if after[link] >= 0 and not follows[link]:
            count += 1
    first = np.empty(count, dtype=np.int32)
    length = np.empty(count)
    count = 0
    for link in range(links):
        if after[link] >= 0 and not follows[link]:
            last = link
            while after[last] >= 0:
                last = after[last]
            first[count] = link
            length[count] = back[link] - back[last]
            count += 1
    return first, length


def plateaus(
    ahead: Floats,
    via: NDArray[np.int32],
    back: Floats,
    on: NDArray[np.int32],
    to_link: NDArray[np.int32],
    most: float,
) -> tuple[NDArray[np.int32], Floats]:
    """All plateaus of more than one link over which a path may lead.

    Args:
        ahead: `[L]`, costs from A to the beginning of links.
        via: `[L]`, turns of that tree.
        back: `[L]`, costs from the beginning of links to B.
        on: `[L]`, turns of that tree.
        to_link: `[T]`, what turns enter.
        most: the most that a path over a plateau may cost.

    Returns:
        The first link of each, and its cost from there to the beginning of its last link.
    """
    link, length = _plateaus(ahead, via, back, on, to_link, most)
    return np.asarray(link), np.asarray(length)
