"""Shortest paths by a customisable contraction hierarchy.

J. Dibbelt, B. Strasser and D. Wagner, "Customizable contraction hierarchies" (ACM JEA 2016), as
RoutingKit implements it (package `routingkit-cch`). Links are contracted in an order that depends
on the map alone and is kept in the cache folder; new costs are worked in within a fraction of a
second, and a path then takes well under a millisecond.

RoutingKit counts in whole numbers below 2^31. Costs are scaled so that a path over 20,000 links of
average cost fits; what a path costs is added up from the true costs, and a path can be dearer than
the best one by as many roundings as it has links (about 0.1 ms each where costs are seconds).
Where no path fits, `Bidirectional` answers.
"""

from __future__ import annotations

import hashlib
import io
import logging
import threading
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path as FilePath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nco.archives import BrokenArchiveError, as_numbers, read_npy
from nco.arrays import Floats
from nco.data.cities.cache import cache_dir
from nco.files import write_atomic
from nco.roads.costs import Costs
from nco.roads.graph import RoadGraph
from nco.roads.position import Position
from nco.roads.shortest import Bidirectional, Search, ends, seeds

log = logging.getLogger("nco")

_NEVER = 2**31 - 1
_ROOM = 2**30
_LINKS = 20_000
# Fewer links are ordered in less time than a file takes to be read.
_WORTH_KEEPING = 5_000
# Up to this share of turns may change for changes to be worked in one by one.
_FEW = 0.005
_SAME_SIZE = (0.25, 4.0)


@dataclass(frozen=True, eq=False)
class Contraction:
    """The part of a hierarchy that depends on the map alone.

    Attributes:
        graph: the map.
        inner: RoutingKit's.
    """

    graph: RoadGraph
    inner: Any

    @classmethod
    def of(cls, graph: RoadGraph) -> Contraction:
        """Order and contract the links of a graph; its order is kept in the cache folder.

        Raises:
            StorageError: the cache folder cannot be written.
        """
        import routingkit_cch

        turns = graph.turns
        tail, head = turns.from_link.tolist(), turns.to_link.tolist()
        order = order_of(graph)
        return cls(graph, routingkit_cch.CCH(order.tolist(), tail, head, False))


class Hierarchy(Search):
    """A customisable contraction hierarchy: many paths for the same costs, or quickly new costs.

    Args:
        graph: what to search.
        costs: of its links and turns; OSRM's (`Costs.usual`) if left out.

    Raises:
        InputError: the costs are not of this graph.
        StorageError: the cache folder cannot be written.
    """

    def __init__(self, graph: RoadGraph, costs: Costs | None = None) -> None:
        import routingkit_cch

        super().__init__(graph, costs)
        self._lock = threading.Lock()
        self._scale = _scale(self.costs)
        self._weights = self._arcs(self.costs)
        inner = graph.contraction.inner
        self._metric = routingkit_cch.CCHMetric(inner, self._weights.tolist())
        self._query = routingkit_cch.CCHQuery(self._metric)

    def update(self, costs: Costs) -> None:
        """Change the costs in place, which is quicker than `with_costs`, the more so for a few.

        Raises:
            InputError: the costs are not of this graph.
        """
        import routingkit_cch

        costs = costs.fitting(self.graph)
        with self._lock:
            before, scale = self._scale, _scale(costs)
            # Of another size costs would round to nothing, or find no room.
            if not _SAME_SIZE[0] < scale / before < _SAME_SIZE[1]:
                self._scale = scale
            weights = self._arcs(costs)
            changed = np.flatnonzero(weights != self._weights)
            del self._query  # RoutingKit changes no costs that a query could still look at
            if len(changed) <= _FEW * len(weights):
                new = dict(zip(changed.tolist(), weights[changed].tolist(), strict=True))
                self._updater.apply(self._metric, new)
            else:
                self._metric.reset(weights.tolist())
            self._query = routingkit_cch.CCHQuery(self._metric)
            self.costs, self._weights = costs, weights

    @cached_property
    def _updater(self) -> Any:
        import routingkit_cch

        return routingkit_cch.CCHMetricPartialUpdater(self.graph.contraction.inner)

    def _arcs(self, costs: Costs) -> NDArray[np.int64]:
        """`[T]`, what it costs to drive a link from its beginning and turn, in whole numbers."""
        return self._whole(costs.links[self.graph.turns.from_link] + costs.turns)

    def _whole(self, costs: Floats) -> NDArray[np.int64]:
        return np.minimum(np.rint(costs * self._scale), _NEVER).astype(np.int64)

    def _around(self, source: Position, target: Position) -> tuple[NDArray[np.int64], int] | None:
        begin, spent = seeds(self.graph, self.costs, source)
        links, parts = ends(self.costs, target)
        onto = self.graph.turns.to_link[begin]
        starts, goals = self._numbered(onto, spent), self._numbered(links, parts)
        if not starts or not goals:
            return None
        with self._lock:
            found = self._query.run_multi(starts, goals)
            passed, arcs = found.node_path, found.arc_path
            del found  # or the next query would fail
        if not passed:
            return Bidirectional(self.graph, self.costs)._around(source, target)  # noqa: SLF001
        first = np.flatnonzero(onto == passed[0])
        last = np.flatnonzero(links == passed[-1])
        turn = begin[first[spent[first].argmin()]]
        return np.array([turn, *arcs], dtype=np.int64), int(last[parts[last].argmin()])

    def _numbered(self, links: NDArray[np.int32], costs: Floats) -> list[tuple[int, int]]:
        """Links at which a search begins or ends, each once, in whole numbers."""
        least: dict[int, int] = {}
        for link, cost in zip(links.tolist(), self._whole(costs).tolist(), strict=True):
            if cost < least.get(link, _NEVER):
                least[link] = cost
        return list(least.items())


def _scale(costs: Costs) -> float:
    """By how much costs are multiplied."""
    known = costs.links[np.isfinite(costs.links)]
    mean = float(known.mean()) if len(known) else 0.0
    known = costs.turns[np.isfinite(costs.turns)]
    mean += float(known.mean()) if len(known) else 0.0
    return _ROOM / (_LINKS * mean) if mean > 0 else 1.0


def order_of(graph: RoadGraph) -> NDArray[np.int64]:
    """In which order links are contracted (nested dissection by coordinates), `[L]`.

    Raises:
        StorageError: the cache folder cannot be written.
    """
    import routingkit_cch

    turns, links = graph.turns, graph.links
    path = _file(graph) if len(links) >= _WORTH_KEEPING else None
    if path is not None and (kept := _kept(path, len(links))) is not None:
        return kept
    log.info("ordering %d links of %s for a hierarchy", len(links), graph.name)
    middle = (graph.lonlat[links.tail] + graph.lonlat[links.head]) / 2
    order = np.array(
        routingkit_cch.compute_order_inertial(
            len(links),
            turns.from_link.tolist(),
            turns.to_link.tolist(),
            middle[:, 1].tolist(),
            middle[:, 0].tolist(),
        ),
        dtype=np.int64,
    )
    if path is not None:
        raw = io.BytesIO()
        np.save(raw, order.astype(np.int32), allow_pickle=False)
        write_atomic(path, raw.getvalue())
    return order


def _file(graph: RoadGraph) -> FilePath:
    digest = hashlib.sha256(graph.turns.from_link.tobytes() + graph.turns.to_link.tobytes())
    return cache_dir() / "roads" / f"order-{digest.hexdigest()[:24]}.npy"


def _kept(path: FilePath, links: int) -> NDArray[np.int64] | None:
    """An order that was kept, if it is whole."""
    try:
        order = as_numbers(read_npy(path), np.int64)
    except (OSError, BrokenArchiveError):
        return None
    whole = order.shape == (links,) and (np.sort(order) == np.arange(links)).all()
    return order if whole else None
