"""k shortest paths with limited overlap, by labels (T. Chondrogiannis et al., OnePass, 2015/2020).

Every next path is the cheapest one that shares no more than allowed with those before it. A label
is a way from A to a link with what it costs and what it shares with each earlier path. It is
dropped where another one at the same link costs and shares no more, and where it shares too much
already. Exact for limits that ask for shares alone; labels are many, so this is for small places.
"""

from __future__ import annotations

import heapq
from itertools import count

import numpy as np

from nco.roads.path import Path
from nco.roads.several.query import Chosen, Query
from nco.roads.shortest import ends, seeds

_MOST_LABELS = 300_000
type _Label = tuple[int, int, float, tuple[float, ...], "_Label | None"]


def onepass(query: Query, chosen: Chosen) -> None:
    """Offers the cheapest path that shares little enough, again and again."""
    chosen.offer(query.best)
    while not chosen.full:
        if not _one_more(query, chosen):
            return


def _one_more(query: Query, chosen: Chosen) -> bool:
    """Search with all paths that are chosen in mind; whether one more was taken."""
    graph, costs = query.graph, query.costs
    back = query.ahead_and_back[1]
    used = [_used(path, query) for path in chosen.paths]
    allowed = tuple(query.limits.share * sum(one.values()) + 1e-9 for one in used)
    number = count()
    waiting: list[tuple[float, int, _Label]] = []
    settled: dict[int, list[tuple[float, tuple[float, ...]]]] = {}
    first, original = graph.adjacency.first, graph.links.original
    parts = dict(zip(*(one.tolist() for one in ends(costs, query.target)), strict=True))

    def push(
        link: int, turn: int, spent: float, shared: tuple[float, ...], before: _Label | None
    ) -> None:
        bound = spent + float(back.cost[link])
        if bound <= query.most and all(map(float.__le__, shared, allowed)):
            heapq.heappush(waiting, (bound, next(number), (link, turn, spent, shared, before)))

    for turn, spent in zip(
        *(one.tolist() for one in seeds(graph, costs, query.source)), strict=True
    ):
        start = int(original[graph.turns.from_link[turn]])
        push(
            int(graph.turns.to_link[turn]),
            turn,
            spent,
            tuple(one.get(start, 0.0) for one in used),
            None,
        )
    while waiting and next(number) < _MOST_LABELS:
        _, _, label = heapq.heappop(waiting)
        link, _, spent, shared, _ = label
        if link < 0:
            if chosen.offer(_path(query, label)):
                return True
            continue
        known = settled.setdefault(link, [])
        if any(c <= spent and all(map(float.__le__, s, shared)) for c, s in known):
            continue
        known.append((spent, shared))
        on = tuple(
            s + one.get(int(original[link]), 0.0) for s, one in zip(shared, used, strict=True)
        )
        if link in parts and all(map(float.__le__, on, allowed)):
            # At B: looked at again when nothing cheaper is left.
            heapq.heappush(
                waiting, (spent + parts[link], next(number), (-1, link, spent, on, label))
            )
        end = spent + float(costs.links[link])
        for step in range(first[link], first[link + 1]):
            push(int(graph.turns.to_link[step]), step, end + float(costs.turns[step]), on, label)
    return False


def _used(path: Path, query: Query) -> dict[int, float]:
    """What each street of a path costs."""
    originals = query.graph.links.original[path.links].tolist()
    spent = path.shares * query.costs.links[path.links]
    return dict(zip(originals, spent.tolist(), strict=True))


def _path(query: Query, label: _Label) -> Path:
    graph, turns = query.graph, []
    at = label[4]
    while at is not None:
        turns.append(at[1])
        at = at[4]
    links = np.concatenate([graph.turns.from_link[turns[-1:]], graph.turns.to_link[turns[::-1]]])
    links = links.astype(np.int64)
    begin = query.source.fractions[query.source.links.index(int(links[0]))]
    return Path(graph, links, begin, query.target.fractions[query.target.links.index(label[1])])
