"""More alternatives by putting detours together.

Each single-via path leaves the cheapest path once. Where none of them differs enough, for the
detours are short against the whole way, several of them that do not overlap are taken at once: the
path is then as good as its detours are, and shares less.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nco.roads.path import Path
from nco.roads.several import quality
from nco.roads.several.query import Chosen, Query

_ROUNDS = 30
# A unit of cost replaced is worth this many units of extra cost, and less each time it was taken.
_WORTH = 0.25
_AGAIN = 0.5


@dataclass(frozen=True, eq=False)
class Detour:
    """A way round a part of the cheapest path.

    Attributes:
        begin: position on the cheapest path of the first link that is left out.
        end: of the first one that is driven again.
        links: what is driven in place of them.
        replaced: what the part left out costs.
        extra: what the way round costs more.
    """

    begin: int
    end: int
    links: NDArray[np.int64]
    replaced: float
    extra: float


def combine(query: Query, chosen: Chosen, candidates: Iterable[Path]) -> None:
    """Offers the cheapest path with several detours, those that replace much for little.

    Args:
        query: what is asked for.
        chosen: what was taken so far, the cheapest path first.
        candidates: paths that share too much, each with a detour or more.
    """
    found = list(detours_of(query, candidates))
    taken = np.zeros(len(found))
    for _ in range(_ROUNDS):
        if chosen.full or not found:
            return
        worth = np.array([one.replaced * _WORTH - one.extra for one in found])
        picked = _best(found, worth - taken * _AGAIN * _WORTH * [one.replaced for one in found])
        if not picked:
            return
        taken[picked] += 1
        path = with_detours(query.best, [found[i] for i in picked])
        # Copies of links need not fit to one another.
        if (path.turns >= 0).all():
            chosen.offer(path)


def detours_of(query: Query, candidates: Iterable[Path]) -> Iterable[Detour]:
    """Different detours of candidates that are good by themselves."""
    best, graph = query.best, query.graph
    original = graph.links.original
    place = {link: at for at, link in enumerate(original[best.links].tolist())}
    spent = quality.spent_before(best, query.costs)
    seen = set()
    for path in candidates:
        own = quality.spent_before(path, query.costs)
        links = original[path.links].tolist()
        for a, b in quality.detours(path, best):
            if a == 0 or b == len(path):
                continue  # copies of links at the ends would have to fit as well
            begin, end = place[links[a - 1]] + 1, place[links[b]]
            key = (begin, end, path.links[a:b].tobytes())
            if begin > end or key in seen:
                continue
            seen.add(key)
            replaced, around = spent[end] - spent[begin], own[b] - own[a]
            if replaced > 0 and around <= query.limits.detour * replaced:
                yield Detour(begin, end, path.links[a:b], replaced, around - replaced)


def _best(found: list[Detour], worth: NDArray[np.float64]) -> list[int]:
    """The detours of most worth that do not overlap (weighted interval scheduling)."""
    order = sorted(np.flatnonzero(worth > 0).tolist(), key=lambda i: found[i].end)
    # A link at least lies between two of them.
    ends = np.array([found[i].end for i in order])
    value = [0.0]
    before, take = [], []
    for at, i in enumerate(order):
        last = int(np.searchsorted(ends[:at], found[i].begin - 1, side="right"))
        with_it = value[last] + worth[i]
        before.append(last)
        take.append(with_it > value[-1])
        value.append(max(value[-1], float(with_it)))
    picked, at = [], len(order)
    while at > 0:
        if take[at - 1]:
            picked.append(order[at - 1])
            at = before[at - 1]
        else:
            at -= 1
    return picked[::-1]


def with_detours(best: Path, detours: Sequence[Detour]) -> Path:
    """The cheapest path with detours, in their order; where one does not fit, a turn is -1."""
    parts, at = [], 0
    for one in detours:
        parts += [best.links[at : one.begin], one.links]
        at = one.end
    links = np.concatenate([*parts, best.links[at:]]).astype(np.int64)
    return Path(best.graph, links, best.from_fraction, best.to_fraction)
