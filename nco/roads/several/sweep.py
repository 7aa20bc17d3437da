"""Cheapest ways from A and to B over all links that matter, by one sweep over a hierarchy.

Links are contracted in the order that `Hierarchy` uses (customisable contraction hierarchies, J.
Dibbelt, B. Strasser and D. Wagner 2016). A search goes up from A and from B, and a single pass over
the links from the top down then has all costs: PHAST (D. Delling, A. Goldberg, A. Nowatzyk and R.
Werneck 2011). It reads arrays in their order, which is many times as fast as a heap.

The pass leaves out whole parts of the map. Whatever lies below a place in the elimination tree is
entered and left over the higher neighbours of that place only. Where the way over each of these
costs too much, so does every way through what lies below, unless A or B does.
"""

# mypy: allow-untyped-defs, allow-untyped-calls
# Numba types the compiled functions by what they are called with.

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from nco.arrays import Floats
from nco.kernels.compiled import compiled
from nco.roads.costs import Costs
from nco.roads.graph import RoadGraph
from nco.roads.hierarchy import order_of
from nco.roads.several.query import Query, plain_trees
from nco.roads.shortest import Tree, ends, seeds

# Sums of the same costs in another order differ by less; steps of least cost must be larger.
_ROUNDING = 1e-7
_LEAST_STEP = 1e-5


@dataclass(frozen=True, eq=False)
class Levels:
    """The links of a map in their order, and the arcs that contraction leaves.

    The order is a post-order of the elimination tree: below a place lie those just before it.

    Attributes:
        rank: `[L]`, the place of each link.
        link: `[L]`, the link at each place.
        below: `[L]`, how many places lie below each, itself among them.
        first: `[L + 1]`, where the arcs of each place begin.
        head: `[A]`, the higher place that each arc leads to.
        arc: `[T]`, the arc of each turn; -1 for one onto the same link.
        upward: `[T]`, whether a turn leads to the higher place.
    """

    rank: NDArray[np.int32]
    link: NDArray[np.int32]
    below: NDArray[np.int32]
    first: NDArray[np.int32]
    head: NDArray[np.int32]
    arc: NDArray[np.int64]
    upward: NDArray[np.bool_]

    @classmethod
    def of(cls, graph: RoadGraph) -> Levels:
        """Contract the links of a graph.

        Raises:
            StorageError: the cache folder cannot be written.
        """
        count = len(graph.links)
        link = order_of(graph).astype(np.int32)
        rank = _places(link)
        begin, lower = _neighbours(graph, rank, up=False)
        link = link[_post_order(_parents(begin, lower))]
        rank = _places(link)
        first, head = _contracted(*_neighbours(graph, rank, up=True))
        a, b = rank[graph.turns.from_link], rank[graph.turns.to_link]
        low, high = np.minimum(a, b).astype(np.int64), np.maximum(a, b).astype(np.int64)
        arcs = np.repeat(np.arange(count), np.diff(first)) * count + head
        arc = np.where(low < high, np.searchsorted(arcs, low * count + high), -1)
        return cls(rank, link, _sizes(first, head), first, head, arc, a < b)


def _places(link: NDArray[np.int32]) -> NDArray[np.int32]:
    """The place of each link, of the link at each place."""
    rank = np.empty(len(link), dtype=np.int32)
    rank[link] = np.arange(len(link), dtype=np.int32)
    return rank


def _neighbours(
    graph: RoadGraph, rank: NDArray[np.int32], *, up: bool
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Higher or lower places that turns lead to from each, either way: first, and in order."""
    count = len(rank)
    a, b = rank[graph.turns.from_link], rank[graph.turns.to_link]
    low, high = np.minimum(a, b).astype(np.int64), np.maximum(a, b).astype(np.int64)
    at, other = (low, high) if up else (high, low)
    keys = np.unique((at * count + other)[low < high])
    begin = np.searchsorted(keys // count, np.arange(count + 1)).astype(np.int32)
    return begin, (keys % count).astype(np.int32)


@lru_cache(maxsize=2)
def levels(graph: RoadGraph) -> Levels:
    """The order of a graph, once for all costs."""
    return Levels.of(graph)


@dataclass(frozen=True, eq=False)
class Sweep:
    """Trees for queries at some costs; called as `trees` of `paths`. Others get plain trees.

    Attributes:
        graph: what is searched.
        costs: of its links and turns.
    """

    graph: RoadGraph
    costs: Costs

    def __call__(self, query: Query) -> tuple[Tree, Tree]:
        """Costs and ways from A and to B, of links that paths within the limit lead over."""
        if query.costs is not self.costs or not self._strict:
            return plain_trees(query)
        graph, order = self.graph, levels(self.graph)
        begin, spent = seeds(graph, self.costs, query.source)
        links, parts = ends(self.costs, query.target)
        up, down = self._weights
        ahead, back = _swept(
            order.rank, order.link, order.below, order.first, order.head, up, down,
            graph.turns.to_link[begin], spent, links, parts, query.most * (1 + _ROUNDING),
        )  # fmt: skip
        via, on = _ways(
            ahead, back, query.most, graph.adjacency.first, graph.adjacency.into_first,
            graph.adjacency.into, graph.turns.from_link, graph.turns.to_link,
            self.costs.links, self.costs.turns, begin, spent, links, parts,
        )  # fmt: skip
        return Tree(ahead, via), Tree(back, on)

    def with_costs(self, costs: Costs) -> Sweep:
        """The same at other costs."""
        return Sweep(self.graph, costs)

    @cached_property
    def _step(self) -> Floats:
        """`[T]`, what it costs to drive a link from its beginning and turn."""
        return self.costs.links[self.graph.turns.from_link] + self.costs.turns

    @cached_property
    def _strict(self) -> bool:
        """Whether every step costs something, so that ways can be read off costs."""
        return bool((self._step >= _LEAST_STEP).all())

    @cached_property
    def _weights(self) -> tuple[Floats, Floats]:
        """Costs of arcs upwards and downwards."""
        order = levels(self.graph)
        up, down = (np.full(len(order.head), np.inf) for _ in range(2))
        inside = order.arc >= 0
        for weights, mine in ((up, inside & order.upward), (down, inside & ~order.upward)):
            np.minimum.at(weights, order.arc[mine], self._step[mine])
        _customised(order.first, order.head, up, down)
        return up, down


@compiled
def _contracted(begin, neighbour):
    """The arcs of each place to higher ones when all lower ones are contracted.

    Args:
        begin: `[L + 1]`, where the higher neighbours of each place begin.
        neighbour: `[E]`, those, in order.
    """
    count = len(begin) - 1
    first = np.zeros(count + 1, dtype=np.int32)
    head = np.empty(4 * len(neighbour) + 64, dtype=np.int32)
    seen = np.full(count, -1, dtype=np.int32)
    child = np.full(count, -1, dtype=np.int32)
    sibling = np.full(count, -1, dtype=np.int32)
    size = 0
    for v in range(count):
        start = size
        for k in range(begin[v], begin[v + 1]):
            seen[neighbour[k]] = v
            if size == len(head):
                head = np.concatenate((head, np.empty(len(head), dtype=np.int32)))
            head[size] = neighbour[k]
            size += 1
        c = child[v]
        while c >= 0:
            for k in range(first[c], first[c + 1]):
                u = head[k]
                if u != v and seen[u] != v:
                    seen[u] = v
                    if size == len(head):
                        head = np.concatenate((head, np.empty(len(head), dtype=np.int32)))
                    head[size] = u
                    size += 1
            c = sibling[c]
        head[start:size] = np.sort(head[start:size])
        first[v + 1] = size
        if size > start:
            parent = head[start]
            sibling[v] = child[parent]
            child[parent] = v
    return first, head[:size].copy()


@compiled
def _customised(first, head, up, down):
    """Lowers the costs of arcs to those of the best way over lower places, in place."""
    for v in range(len(first) - 1):
        for i in range(first[v], first[v + 1]):
            u = head[i]
            k = first[u]
            for j in range(i + 1, first[v + 1]):
                w = head[j]
                while head[k] < w:
                    k += 1
                up[k] = min(up[k], down[i] + up[j])
                down[k] = min(down[k], down[j] + up[i])


@compiled
def _parents(begin, lower):
    """The parent of each place in the elimination tree, -1 for roots (J. Liu 1986).

    Args:
        begin: `[L + 1]`, where the lower neighbours of each place begin.
        lower: `[E]`, those.
    """
    count = len(begin) - 1
    parent = np.full(count, -1, dtype=np.int32)
    shortcut = np.full(count, -1, dtype=np.int32)
    for v in range(count):
        for k in range(begin[v], begin[v + 1]):
            at = lower[k]
            while at != v:
                above = shortcut[at]
                shortcut[at] = v
                if above < 0:
                    parent[at] = v
                    break
                at = above
    return parent


@compiled
def _post_order(parent):
    """Places in an order in which those below each come just before it."""
    count = len(parent)
    child = np.full(count, -1, dtype=np.int32)
    sibling = np.full(count, -1, dtype=np.int32)
    for v in range(count - 1, -1, -1):
        if parent[v] >= 0:
            sibling[v] = child[parent[v]]
            child[parent[v]] = v
    order = np.empty(count, dtype=np.int32)
    size = 0
    for root in range(count):
        if parent[root] >= 0:
            continue
        at = root
        while child[at] >= 0:
            at = child[at]
        while True:
            order[size] = at
            size += 1
            if at == root:
                break
            if sibling[at] < 0:
                at = parent[at]
                continue
            at = sibling[at]
            while child[at] >= 0:
                at = child[at]
    return order


@compiled
def _sizes(first, head):
    """How many places lie below each, itself among them."""
    count = len(first) - 1
    below = np.ones(count, dtype=np.int32)
    for v in range(count):
        if first[v] < first[v + 1]:
            below[head[first[v]]] += below[v]
    return below


@compiled(cache=False)
def _climb(first, head, weight, start, spent, side, both, marked):
    """Carries costs from some places to all that lie above them.

    Args:
        first: `[L + 1]`.
        head: `[A]`.
        weight: `[A]`, of arcs upwards.
        start: `[s]`, places.
        spent: `[s]`, what it costs to be there.
        side: 0 from A, 1 to B.
        both: `[L, 2]`, costs; those of places that are marked are known.
        marked: `[L]`, raised by `1 + side` on all places above.
    """
    size = 0
    climbed = np.empty(len(marked), dtype=np.int32)
    for at in start:
        while not marked[at] & (1 + side):
            if not marked[at]:
                both[at, 0] = both[at, 1] = np.inf
            marked[at] |= 1 + side
            climbed[size] = at
            size += 1
            if first[at] == first[at + 1]:
                break
            at = head[first[at]]
    for k in range(len(start)):
        both[start[k], side] = min(both[start[k], side], spent[k])
    for v in np.sort(climbed[:size]):
        for k in range(first[v], first[v + 1]):
            u = head[k]
            both[u, side] = min(both[u, side], both[v, side] + weight[k])


@compiled
def _swept(
    rank, link, below, first, head, up, down,
    seed_link, seed_cost, target_link, target_part, limit,
):  # fmt: skip
    """Costs `[L]` from A to the beginning of links and from there to B; `inf` beyond the limit."""
    count = len(rank)
    ahead, back = np.full(count, np.inf), np.full(count, np.inf)
    # Both costs of a place lie beside one another, so that they are fetched at once.
    both = np.empty((count, 2))
    marked = np.zeros(count, dtype=np.uint8)
    _climb(first, head, up, rank[seed_link], seed_cost, 0, both, marked)
    _climb(first, head, down, rank[target_link], target_part, 1, both, marked)
    v = count - 1
    while v >= 0:
        a = b = least = np.inf
        if marked[v]:
            a, b = both[v]
        for k in range(first[v], first[v + 1]):
            c, d = both[head[k]]
            a = min(a, c + down[k])
            b = min(b, d + up[k])
            least = min(least, c + d)
        if least > limit and not marked[v]:
            v -= below[v]
            continue
        both[v, 0], both[v, 1] = a, b
        if a + b <= limit:
            ahead[link[v]], back[link[v]] = a, b
        v -= 1
    return ahead, back


@compiled
def _ways(
    ahead, back, most, first, into_first, into, from_link, to_link, link_cost, turn_cost,
    seed_turn, seed_cost, target_link, target_part,
):  # fmt: skip
    """The turns of both trees, as `kernels` has them, on links within the limit."""
    count = len(ahead)
    via, on = np.full(count, -1, dtype=np.int32), np.full(count, -1, dtype=np.int32)
    limit = most * (1 + _ROUNDING)
    for link in range(count):
        if ahead[link] + back[link] > limit:
            continue
        least = ahead[link] * (1 + _ROUNDING) + _ROUNDING
        for k in range(into_first[link], into_first[link + 1]):
            turn = into[k]
            before = from_link[turn]
            total = ahead[before] + link_cost[before] + turn_cost[turn]
            if total <= least:
                least, via[link] = total, turn
        least = back[link] * (1 + _ROUNDING) + _ROUNDING
        for turn in range(first[link], first[link + 1]):
            total = link_cost[link] + turn_cost[turn] + back[to_link[turn]]
            if total <= least:
                least, on[link] = total, turn
    for k in range(len(seed_turn)):
        link = to_link[seed_turn[k]]
        if ahead[link] < np.inf and seed_cost[k] <= ahead[link] + _ROUNDING:
            via[link] = -2 - seed_turn[k]
    for k in range(len(target_link)):
        link = target_link[k]
        if back[link] < np.inf and target_part[k] <= back[link] + _ROUNDING:
            on[link] = -2 - k
    return via, on
