"""The part of a road graph that alternatives of a query can use.

A path over a link costs at least what the cheapest way over it does, so that no link is needed over
which that one costs more than an alternative may. What is left is a small part of a city, numbered
anew. GenMRP, too, builds a small network for each request and works on that.
"""

# mypy: allow-untyped-defs, allow-untyped-calls
# Numba types the compiled functions by what they are called with.

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nco.arrays import Floats
from nco.kernels.compiled import compiled
from nco.roads.heap import raised, without_first
from nco.roads.kernels import label_seeds
from nco.roads.links import starts
from nco.roads.path import Path
from nco.roads.shortest import no_path, part, turns_back

if TYPE_CHECKING:
    from nco.roads.several.query import Query

_NEARLY = 1 - 1e-9


@dataclass(frozen=True, eq=False)
class Skeleton:
    """Links and turns of a query, numbered anew.

    Attributes:
        query: what is asked for.
        links: `[S]`, indices in the graph, sorted.
        turns: `[U]`, indices in the graph, sorted by the link that they leave.
        from_link: `[U]`, indices in `links`.
        to_link: `[U]`, indices in `links`.
        link_costs: `[S]`, of the query.
        turn_costs: `[U]`, of the query.
        ahead: `[S]`, what it costs to come to the beginning of each link.
        beyond: `[S]`, from the beginning of each link to B.
    """

    query: Query
    links: NDArray[np.int64]
    turns: NDArray[np.int64]
    from_link: NDArray[np.int32]
    to_link: NDArray[np.int32]
    link_costs: Floats
    turn_costs: Floats
    ahead: Floats
    beyond: Floats

    @classmethod
    def of(cls, query: Query) -> Skeleton:
        """All that paths within the limit on costs lead over.

        Raises:
            NoPathError: there are none.
        """
        graph, costs, best = query.graph, query.costs, query.best
        ahead, back = (tree.cost for tree in query.ahead_and_back)
        within = ahead + back <= query.most
        for some in (best.links, query.source.links, query.target.links):
            within[np.asarray(some)] = True
        links = np.flatnonzero(within)
        number = np.empty(len(graph.links), dtype=np.int32)
        number[links] = np.arange(len(links), dtype=np.int32)
        first = graph.adjacency.first[links]
        count = graph.adjacency.first[links + 1] - first
        # Turns out of the links, all in one: where each group begins, and the place within it.
        begin = np.cumsum(count) - count
        turns = np.repeat(first - begin, count) + np.arange(int(count.sum()))
        turns = turns[within[graph.turns.to_link[turns]]]
        return cls(
            query, links, turns.astype(np.int64), number[graph.turns.from_link[turns]],
            number[graph.turns.to_link[turns]], costs.links[links], costs.turns[turns],
            ahead[links], back[links],
        )  # fmt: skip

    @cached_property
    def first(self) -> NDArray[np.int32]:
        """`[S + 1]`, where the turns out of each link begin."""
        return starts(np.bincount(self.from_link, minlength=len(self.links)))

    @cached_property
    def streets(self) -> NDArray[np.int32]:
        """`[S]`, the original of each link, so that copies are known."""
        return np.asarray(self.query.graph.links.original[self.links])

    def numbers(self, links: Any) -> NDArray[np.int64]:
        """Indices in `links` of links of the graph, those that are in the skeleton."""
        links = np.asarray(links)
        place = np.minimum(np.searchsorted(self.links, links), len(self.links) - 1)
        return np.asarray(place[self.links[place] == links], dtype=np.int64)

    def path(self, link_costs: Floats, turn_costs: Floats, *, most: float = np.inf) -> Path:
        """The cheapest path at any costs of its links and turns.

        It is looked for towards B (A*): what ways cost at the costs of the query is known, and they
        are cheaper now by no more than their cheapest part.

        Args:
            link_costs: `[S]`.
            turn_costs: `[U]`.
            most: that it may cost.

        Raises:
            NoPathError: none leads from A to B within the skeleton, or all cost more.
        """
        query = self.query
        rate = _least_ratio(link_costs, self.link_costs)
        if turn_costs is not self.turn_costs:
            rate = min(rate, _least_ratio(turn_costs, self.turn_costs))
        bound = self.beyond * (rate * _NEARLY) if rate > 0 else np.zeros(len(self.links))
        seeds, spent = self._begin(link_costs, turn_costs)
        goals = self.numbers(query.target.links)
        parts = np.array(
            [
                part(link_costs, at, share)
                for at, share in zip(goals.tolist(), query.target.fractions, strict=True)
            ]
        )
        via, reached = _towards(
            self.first, self.to_link, link_costs, turn_costs, seeds, spent, goals, parts,
            bound, most,
        )  # fmt: skip
        if reached < 0:
            raise no_path(query.source, query.target)
        taken = self.turns[turns_back(self.from_link, via, int(goals[reached]))]
        return Path.of_turns(query.graph, taken, query.source, query.target, int(reached))

    def _begin(self, link_costs: Floats, turn_costs: Floats) -> tuple[NDArray[np.int32], Floats]:
        """Turns out of the links of A, and what it costs to have taken each."""
        source = self.query.source
        turns, spent = [], []
        for at, share in zip(self.numbers(source.links).tolist(), source.fractions, strict=True):
            out = np.arange(self.first[at], self.first[at + 1])
            turns.append(out)
            spent.append(part(link_costs, at, 1 - share) + turn_costs[out])
        return np.concatenate(turns).astype(np.int32), np.concatenate(spent)


def _least_ratio(costs: Floats, usual: Floats) -> float:
    """The least that costs are of the usual ones; at most 1."""
    known = (usual > 0) & np.isfinite(usual)
    ratio = np.divide(costs, usual, out=np.ones(len(costs)), where=known)
    return float(ratio.min(initial=1.0))


@compiled
def _towards(
    first, to_link, link_cost, turn_cost, seed_turn, seed_cost, goal, goal_part, beyond, most
):
    """A* (Hart, Nilsson and Raphael 1968) with what is known to lie beyond each link.

    Args:
        first: `[S + 1]`, where the turns out of each link begin.
        to_link: `[U]`.
        link_cost: `[S]`.
        turn_cost: `[U]`.
        seed_turn: `[s]`, turns out of the source.
        seed_cost: `[s]`, costs after them.
        goal: `[t]`, links of the target.
        goal_part: `[t]`, what the way on them to the target costs.
        beyond: `[S]`, the least that is to be paid from the beginning of each link on.
        most: that a path may cost.

    Returns:
        `via` `[S]` as `nco.roads.kernels.search` has it, and the index of the goal that is
        cheapest, -1 where none is reached.
    """
    links = len(link_cost)
    cost, key = np.full(links, np.inf), np.empty(links)
    via = np.full(links, -1, dtype=np.int32)
    heap = np.empty(links, dtype=np.int32)
    place = np.full(links, -1, dtype=np.int32)
    size, reached, best = 0, -1, most
    label_seeds(cost, via, to_link, seed_turn, seed_cost)
    for turn in seed_turn:
        onto = to_link[turn]
        key[onto] = cost[onto] + beyond[onto]
        size = raised(heap, place, key, size, onto)
    while size > 0:
        link = heap[0]
        if key[link] > best or (reached >= 0 and key[link] >= best):
            break
        size = without_first(heap, place, key, size)
        for k in range(len(goal)):
            total = cost[link] + goal_part[k]
            if goal[k] == link and (total < best or (total == best and reached < 0)):
                best, reached = total, k
        end = cost[link] + link_cost[link]
        for turn in range(first[link], first[link + 1]):
            onto = to_link[turn]
            new = end + turn_cost[turn]
            if new < cost[onto] and new + beyond[onto] <= best:
                cost[onto] = new
                key[onto] = new + beyond[onto]
                via[onto] = turn
                size = raised(heap, place, key, size, onto)
    return via, reached
