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
from nco.roads.path import Path
from nco.roads.position import Position
from nco.roads.several.plateau import plateau
from nco.roads.several.query import Chosen, Limits, Query, check_k
from nco.roads.several.sweep import Sweep

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

    @cached_property
    def trees(self) -> Sweep:
        """Of further ones."""
        return Sweep(self.graph, self.search.costs)

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
            self.search, trees=self.trees,
        )  # fmt: skip
        chosen = Chosen(query)
        self.offer(chosen)
        return chosen.paths

    def offer(self, chosen: Chosen) -> None:
        """Offer paths until enough are chosen: over plateaus first, then conditioned ones.

        The costs of the query must be those of the first path.
        """
        plateau(chosen.query, chosen)
        self._conditioned(chosen)

    def offer_conditioned(self, chosen: Chosen) -> None:
        """Offer paths that are conditioned on those before, until enough are chosen."""
        chosen.offer(chosen.query.best)
        self._conditioned(chosen)

    def _conditioned(self, chosen: Chosen) -> None:
        """Whether parts of a path are cheapest is not asked: at its own costs they are."""
        query = chosen.query
        if chosen.full or len(query.best) == 1:
            return
        skeleton = query.skeleton
        memory = Memory(skeleton)
        seen = list(chosen.paths)
        while not chosen.full and len(seen) < _TRIES * query.k:
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
    ours = _at(shipped(query.graph), query.costs)
    search = ours.search
    inner = Chosen(replace(query, costs=search.costs, search=search, first=None, trees=ours.trees))
    offer(ours, inner)
    chosen.paths, chosen.refused = inner.paths, inner.refused


@lru_cache(maxsize=8)
def _at(ours: LearnedPaths, costs: Costs) -> LearnedPaths:
    """The same at costs that differ from OSRM's as given ones do."""
    usual, graph = Costs.usual(ours.graph), ours.graph
    if np.array_equal(costs.links, usual.links) and np.array_equal(costs.turns, usual.turns):
        return ours
    learned = ours.search.costs
    changed = Costs(
        _as_changed(learned.links, costs.links, usual.links),
        _as_changed(learned.turns, costs.turns, usual.turns),
    )
    return LearnedPaths(graph, ours.network, ours.usage, changed)


def _as_changed(costs: Floats, given: Floats, usual: Floats) -> Floats:
    """Costs that differ by the factor by which the given ones differ from the usual ones."""
    known = (usual > 0) & np.isfinite(usual) & np.isfinite(given) & np.isfinite(costs)
    ratio = np.divide(given, usual, out=np.ones(len(given)), where=known)
    return np.where(np.isfinite(given), np.where(known, costs * ratio, costs), np.inf)
