"""The k shortest loopless paths (J. Yen 1971): here to show how alike they are on streets.

Each path leaves an earlier one at some link; one search is needed for every link of every path.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nco.errors import NoPathError
from nco.roads.costs import Costs
from nco.roads.path import Path
from nco.roads.position import Position
from nco.roads.several.query import Chosen, Query

# Paths that are looked at for each one that is asked for: most share too much.
_TRIED = 10


def yen(query: Query, chosen: Chosen) -> None:
    """Offers the cheapest path, the next cheapest one, and so on."""
    found = [query.best]
    chosen.offer(query.best)
    waiting: dict[bytes, Path] = {}
    for _ in range(_TRIED * query.k):
        if chosen.full:
            return
        for path in _branches(query, found):
            waiting.setdefault(path.links.tobytes(), path)
        if not waiting:
            return
        key = min(waiting, key=lambda one: waiting[one].cost(query.costs))
        found.append(waiting.pop(key))
        chosen.offer(found[-1])


def _branches(query: Query, found: list[Path]) -> list[Path]:
    """The cheapest paths that leave the newest one at each of its links."""
    newest, graph = found[-1], query.graph
    known = {path.links.tobytes() for path in found}
    branches = []
    for place in range(len(newest)):
        begin = newest.links[: place + 1]
        links, turns = query.costs.links.copy(), query.costs.turns.copy()
        links[begin[:-1]] = np.inf
        for path in found:
            if len(path) > place + 1 and (path.links[: place + 1] == begin).all():
                turns[path.turns[place]] = np.inf
        fraction = newest.from_fraction if place == 0 else 0.0
        spur = Position((0.0, 0.0), (int(begin[-1]),), (fraction,))
        try:
            rest = query.unprepared.with_costs(Costs(links, turns)).path(spur, query.target)
        except NoPathError:
            continue
        joined: NDArray[np.int64] = np.concatenate([begin[:-1], rest.links])
        path = Path(graph, joined, newest.from_fraction, rest.to_fraction)
        if joined.tobytes() not in known and path.cost(query.costs) <= query.most:
            branches.append(path)
    return branches
