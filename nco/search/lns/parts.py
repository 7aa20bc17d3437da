"""Routes shared out among searches side by side: neighbouring routes come together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from nco.search.lns.arrays import Ints
    from nco.search.lns.search import Search

ROUTES = 4  # of a part, at least, so that stops find others to go to


def parted(search: Search, count: int) -> bool:
    """Whether a search can be cut into so many parts that know nothing of one another."""
    used, instance = int((search.state.served > 0).sum()), search.instance
    tied = len(instance.group_prize) > 0 or len(instance.ties) > 0
    tied = tied or bool((instance.mate >= 0).any())
    tied = tied or instance.chained
    peaked = bool(instance.longest or instance.peaks)
    return not peaked and not tied and used >= ROUTES * count


def parts_of(search: Search, count: int, rng: np.random.Generator) -> list[tuple[Ints, Ints]]:
    """Vehicles and stops of each part, none without stops; together these are all there are.

    Parts have about as many stops each. Left-out stops join those near them, and idle vehicles are
    dealt out. Cuts fall elsewhere every time, so that no two routes stay apart.

    Args:
        search: what is shared out.
        count: parts; not more than there are routes are made.
        rng: draws where cuts are.
    """
    state, instance = search.state, search.instance
    on_routes = instance.stops[state.vehicle[instance.stops] >= 0]
    count = max(1, min(count, int((state.served > 0).sum())))
    group = np.full(len(state.served), -1, np.int32)
    _share_out(search, on_routes, count, 0, group, rng)
    idle = np.flatnonzero(state.served == 0)
    group[idle] = np.arange(len(idle)) % count
    owner = np.full(len(instance.service), -1, np.int32)
    owner[on_routes] = group[state.vehicle[on_routes]]
    out = state.bank[: state.bank_size[0]]
    near = np.where(instance.related[out] >= 0, owner[instance.related[out]], -1)
    nearest = (near >= 0).argmax(1)
    owner[out] = np.maximum(near[np.arange(len(out)), nearest], 0)

    def of(k: int, known: Ints) -> Ints:
        return np.flatnonzero(known == k).astype(np.int32)

    return [(of(k, group), of(k, owner)) for k in range(count)]


def _share_out(
    search: Search, stops: Ints, count: int, first: int, group: Ints, rng: np.random.Generator
) -> None:
    """Gives the vehicles of some stops to `count` groups from `first` on, half by half."""
    state, instance = search.state, search.instance
    own, size = np.unique(state.vehicle[stops], return_counts=True)
    if count == 1:
        group[own] = first
        return
    pivot = int(rng.choice(stops))
    k = instance.kind[state.vehicle[pivot]]
    far = instance.cost[k, pivot, stops].astype(float) + instance.cost_into[k, pivot, stops]
    place = np.searchsorted(own, state.vehicle[stops])
    order = np.argsort(np.bincount(place, far) / size, kind="stable")
    half = count // 2
    # Each half has a route for every group in it.
    cut = 1 + int(np.searchsorted(np.cumsum(size[order]), half / count * len(stops)))
    cut = min(max(cut, half), len(own) - (count - half))
    near = np.isin(place, order[:cut])
    _share_out(search, stops[near], half, first, group, rng)
    _share_out(search, stops[~near], count - half, first + half, group, rng)
