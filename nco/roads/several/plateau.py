"""Alternatives by plateaus (Camvit, "Choice routing", 2009).

A link is on the plateau of the next one where the cheapest way from A to the next one comes over
it, and its cheapest way to B goes on over the next one. A plateau is a chain of such links. The
path from A over a plateau to B is locally optimal along it, so long plateaus make good
alternatives.
"""

# mypy: allow-untyped-defs, allow-untyped-calls
# Numba types the compiled functions by what they are called with.

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from nco.arrays import Floats
from nco.kernels.compiled import compiled
from nco.roads.path import Path
from nco.roads.several.combine import combine
from nco.roads.several.query import Chosen, Query
from nco.roads.several.trees import Over

# A metre more on the plateau is worth this much of a metre less in all.
_WORTH = 1.0
# Shorter ones, as shares of the cheapest path, are chance.
_SHORTEST = 0.02
_MOST = 80
_AT_A_TIME = 64
_MOST_DETOURS = 200
# What shares more with the cheapest path is the cheapest path.
_SAME = 0.995
# Ends of paths are links in part, which sums over whole links do not know.
_ENDS = 0.02


def plateau(query: Query, chosen: Chosen) -> None:
    """Offers paths over plateaus, those that are long and cost little first."""
    chosen.offer(query.best)
    if query.k == 1:
        return
    link, through, length = candidates(query)
    rank = through - _WORTH * length
    # Short plateaus are chance as alternatives, and come last; they may be detours of others.
    rank[length <= _SHORTEST * query.least] += query.most
    offer_in_order(query, chosen, link, rank, length)


def candidates(query: Query) -> tuple[NDArray[np.int32], Floats, Floats]:
    """The first links of plateaus, what the paths over them cost, and the lengths of plateaus."""
    ahead, back = query.ahead_and_back
    link, length = plateaus(
        ahead.cost, ahead.via, back.cost, back.via, query.graph.turns.to_link, query.most
    )
    return link, ahead.cost[link] + back.cost[link], length


def offer_in_order(
    query: Query, chosen: Chosen, link: NDArray[np.int32], rank: Floats, length: Floats
) -> None:
    """Offers paths over links, the least rank first, leaving out what shares too much.

    Args:
        query: what is asked for.
        chosen: what is taken.
        link: `[n]`.
        rank: `[n]`.
        length: `[n]`, of the plateaus that begin with these links.
    """
    over = Over(query)
    for path in chosen.paths:
        over.add(path)
    window = query.limits.local * query.least
    order = np.argsort(rank, kind="stable")
    fits = np.ones(len(order), dtype=bool)
    most_shared = query.limits.share + _ENDS
    offered = at = 0
    while at < len(order) and offered < _MOST and not chosen.full:
        # What paths share is looked at for a few of them at a time: as a rule the first ones do.
        some = order[at : at + _AT_A_TIME]
        fits[some] = over.shared(link[some]) <= most_shared
        for place in some.tolist():
            at += 1
            if not fits[place]:
                continue
            offered += 1
            path = over.path(int(link[place]))
            if chosen.offer(path, tested=bool(length[place] >= window)):
                over.add(path)
                break
            if offered >= _MOST:
                break
    if not chosen.full:
        rest = order[at:]
        fits[rest] = over.shared(link[rest]) <= most_shared
        alike = order[~fits[order]]
        chosen.too_alike(len(alike))
        combine(query, chosen, _short_detours(query, over, link, alike))


def _short_detours(
    query: Query, over: Over, link: NDArray[np.int32], alike: NDArray[np.int64]
) -> Iterator[Path]:
    """Paths over links that differ a little from the cheapest one, one for each detour."""
    first = Over(query)
    first.add(query.best)
    shared = np.round(first.shared(link[alike]), 4)
    some = (shared < _SAME) & (shared > 0)
    # Paths over one detour share the same with the cheapest path.
    _, once = np.unique(shared[some], return_index=True)
    for at in alike[some][np.sort(once)][:_MOST_DETOURS].tolist():
        yield over.path(int(link[at]))


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
