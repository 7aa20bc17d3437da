"""Several paths from A to B by learned costs.

The first one is the cheapest path by costs of links and turns. Further ones lead over plateaus of
the same costs; where those are not enough, each is cheapest by costs that depend on those before
it. On Porto plateaus of learned costs cover more of recorded drives than conditioned costs do
(`benchmarks/paths_learned.py`), so these come second. All of it works on a skeleton of the request.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

import numpy as np

from nco.arrays import Floats
from nco.errors import NoPathError
from nco.roads.costs import Costs
from nco.roads.graph import RoadGraph
from nco.roads.hierarchy import Hierarchy
from nco.roads.learn.features import Usage
from nco.roads.learn.files import load_costs
from nco.roads.learn.memory import Memory
from nco.roads.learn.network import CostNetwork, factor
from nco.roads.learn.skeleton import STRETCH, Skeleton
from nco.roads.path import Path
from nco.roads.position import Position
from nco.roads.several.plateau import plateau
from nco.roads.several.query import Chosen, Limits, Query, check_k
from nco.roads.shortest import Bidirectional, ShortestPaths

_TRIES = 3


@dataclass(frozen=True, eq=False)
class LearnedPaths:
    """Answers with several paths by learned costs.

    Attributes:
        graph: what it searches.
        network: of costs.
        usage: where drives went, if that is known.
        costs: of the first path; the network's if left out. Give your own to close streets.
    """

    graph: RoadGraph
    network: CostNetwork
    usage: Usage | None = None
    costs: Costs | None = None

    @cached_property
    def search(self) -> Hierarchy:
        """Of the first path."""
        costs = self.costs or self.network.costs(self.graph, self.usage)
        return Hierarchy(self.graph, costs)

    def __call__(
        self, source: Position, target: Position, k: int = 3, limits: Limits | None = None
    ) -> list[Path]:
        """Up to `k` paths, the best one first; fewer where no others keep the limits.

        Args:
            source: where they begin.
            target: where they end.
            k: how many, 1 or more.
            limits: what alternatives must keep.

        Raises:
            InputError: `k` is no whole number from 1 to 100.
            NoPathError: none leads from source to target.
        """
        query = Query(
            self.graph, self.search.costs, source, target, check_k(k), limits or Limits(),
            self.search,
        )  # fmt: skip
        chosen = Chosen(query)
        self.offer(chosen)
        return chosen.paths

    def offer(self, chosen: Chosen) -> None:
        """Offer paths until enough are chosen: over plateaus first, then conditioned ones.

        The costs of the query must be those of the first path.
        """
        skeleton = self._begun(chosen)
        if skeleton is None:
            return
        wide = chosen.query.limits.stretch > STRETCH  # the skeleton would not do
        whole = chosen.query
        if not wide:
            chosen.query = replace(whole, first=whole.best, trees=lambda _: skeleton.trees())
        plateau(chosen.query, chosen)
        chosen.query = whole
        self._conditioned(chosen, skeleton)

    def offer_conditioned(self, chosen: Chosen) -> None:
        """Offer paths that are conditioned on those before, until enough are chosen."""
        skeleton = self._begun(chosen)
        if skeleton is not None:
            self._conditioned(chosen, skeleton)

    def _begun(self, chosen: Chosen) -> Skeleton | None:
        """The first path is offered; the skeleton, if others are wanted."""
        query = chosen.query
        chosen.offer(query.best)
        if chosen.full or len(query.best) == 1:
            return None
        return Skeleton.around(query.costs, query.best, query.source, query.target)

    def _conditioned(self, chosen: Chosen, skeleton: Skeleton) -> None:
        """Whether parts of a path are cheapest is not asked: at its own costs they are."""
        memory = Memory(skeleton)
        seen = list(chosen.paths)
        while not chosen.full and len(seen) < _TRIES * chosen.query.k:
            # What was refused is remembered too, so that the next one differs more.
            link_costs = skeleton.link_costs * factor(self.network.memory(memory.features(seen)))
            try:
                path = skeleton.path(link_costs, skeleton.turn_costs)
            except NoPathError:
                return
            seen.append(path)
            chosen.offer(path, tested=True)


@lru_cache(maxsize=2)
def shipped(graph: RoadGraph) -> LearnedPaths:
    """By the costs that come with the package, once a graph."""
    return LearnedPaths(graph, load_costs().network)


def learned(query: Query, chosen: Chosen) -> None:
    """Offers paths by learned costs; what the query's costs close or change stays so.

    Where costs differ from OSRM's (rules, closed streets), learned ones differ by the same factor.
    """
    _asked(query, chosen, LearnedPaths.offer)


def conditioned(query: Query, chosen: Chosen) -> None:
    """The same, each further path by costs that depend on those before it alone."""
    _asked(query, chosen, LearnedPaths.offer_conditioned)


def _asked(query: Query, chosen: Chosen, offer: Callable[[LearnedPaths, Chosen], None]) -> None:
    ours = shipped(query.graph)
    usual = Costs.usual(query.graph)
    search: ShortestPaths = ours.search
    same = np.array_equal(query.costs.links, usual.links)
    if not (same and np.array_equal(query.costs.turns, usual.turns)):
        costs = ours.search.costs
        changed = Costs(
            _as_changed(costs.links, query.costs.links, usual.links),
            _as_changed(costs.turns, query.costs.turns, usual.turns),
        )
        search = Bidirectional(query.graph, changed)
    inner = Chosen(replace(query, costs=search.costs, search=search, first=None, trees=None))
    offer(ours, inner)
    chosen.paths, chosen.refused = inner.paths, inner.refused


def _as_changed(costs: Floats, given: Floats, usual: Floats) -> Floats:
    """Costs that differ by the factor by which the given ones differ from the usual ones."""
    known = (usual > 0) & np.isfinite(usual) & np.isfinite(given) & np.isfinite(costs)
    ratio = np.divide(given, usual, out=np.ones(len(given)), where=known)
    return np.where(np.isfinite(given), np.where(known, costs * ratio, costs), np.inf)
