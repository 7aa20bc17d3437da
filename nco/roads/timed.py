"""Shortest paths where it depends on the time how fast one drives."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from nco.arguments import refuse_unknown
from nco.arrays import Floats
from nco.errors import InputError, quoted
from nco.problem.work_rules import Traffic, arrival, checked_traffic
from nco.roads import timed_kernels
from nco.roads.classes import ROAD_CLASSES
from nco.roads.costs import Costs
from nco.roads.graph import RoadGraph
from nco.roads.links import starts
from nco.roads.path import Path
from nco.roads.position import Position
from nco.roads.shortest import ends, no_path, part, stays, turns_back

Given = Iterable[tuple[float, float]]


class TimeDependent:
    """The earliest arrivals, by Dijkstra's algorithm on times (S. E. Dreyfus 1969).

    How fast one drives is said as for `nco.Profile.traffic`: `(from_s, factor)` in order; from that
    time of the clock on, one drives as many times as fast as usual. Whoever leaves a link's
    beginning later never comes to its end sooner, so that waiting never pays. The turn at the end
    of a link counts as part of it.

    Args:
        graph: what to search.
        traffic: of all links; usual if left out. By itself it changes arrivals and no path.
        by_class: traffic of links of some classes, by the names of `ROAD_CLASSES`, in place of it.
        costs: usual seconds of links and turns; those of free flow if left out.

    Raises:
        InputError: a class that is none, or costs that are not of this graph.
        ProblemError: traffic that is malformed.
    """

    def __init__(
        self,
        graph: RoadGraph,
        traffic: Given = (),
        by_class: Mapping[str, Given] | None = None,
        costs: Costs | None = None,
    ) -> None:
        self.graph = graph
        self.costs = (Costs.free_flow(graph) if costs is None else costs).fitting(graph)
        by_class = by_class or {}
        refuse_unknown(by_class, ROAD_CLASSES, "road class")
        self._traffic: list[Traffic] = [checked_traffic(traffic, "traffic")]
        group_of_class = np.zeros(len(ROAD_CLASSES), dtype=np.int32)
        for name, periods in by_class.items():
            group_of_class[ROAD_CLASSES.index(name)] = len(self._traffic)
            self._traffic.append(checked_traffic(periods, f"traffic of {name}"))
        self._group = group_of_class[graph.links.road_class]
        self._first = starts(np.array([len(periods) for periods in self._traffic]))
        flat = np.array([pair for periods in self._traffic for pair in periods]).reshape(-1, 2)
        self._begin, self._factor = flat[:, 0].copy(), flat[:, 1].copy()

    def arrival_s(self, source: Position, target: Position, departure_s: float) -> float:
        """The earliest time of the clock at the target; `inf` where no path leads.

        Raises:
            InputError: the departure is no time.
        """
        path = self._best(source, target, _time(departure_s))
        return float("inf") if path is None else float(self.times_s(path, departure_s)[-1])

    def path(self, source: Position, target: Position, departure_s: float) -> Path:
        """A path that arrives earliest.

        Args:
            source: where it begins.
            target: where it ends.
            departure_s: seconds of the clock.

        Raises:
            NoPathError: none leads from source to target.
            InputError: the departure is no time.
        """
        found = self._best(source, target, _time(departure_s))
        if found is None:
            raise no_path(source, target)
        return found

    def times_s(self, path: Path, departure_s: float) -> Floats:
        """`[k + 1]`, when a path is at its beginning, behind each turn, and at its end."""
        now = _time(departure_s)
        times = [now]
        for k, link in enumerate(path.links.tolist()):
            share = float(path.shares[k])
            usual = share * float(self.costs.links[link]) if share > 0 else 0.0
            if k < len(path.turns):
                usual += float(self.costs.turns[path.turns[k]])
            now = self._after(link, now, usual)
            times.append(now)
        return np.array(times)

    def _after(self, link: int, now: float, usual_s: float) -> float:
        return arrival(self._traffic[self._group[link]], now, usual_s)

    def _best(self, source: Position, target: Position, departure_s: float) -> Path | None:
        graph, costs = self.graph, self.costs
        found = stays(graph, source, target)
        turns, when = [], []
        for link, fraction in zip(source.links, source.fractions, strict=True):
            rest = part(costs.links, link, 1 - fraction)
            for turn in range(graph.adjacency.first[link], graph.adjacency.first[link + 1]):
                usual = rest + float(costs.turns[turn])
                if np.isfinite(usual):
                    turns.append(turn)
                    when.append(self._after(link, departure_s, usual))
        goals, parts = ends(costs, target)
        via, reached = timed_kernels.earliest(
            graph.adjacency.first, graph.turns.to_link, costs.links, costs.turns,
            np.array(turns, dtype=np.int32), np.array(when, dtype=np.float64), goals, parts,
            self._group, self._first, self._begin, self._factor,
        )  # fmt: skip
        if reached >= 0:
            taken = turns_back(graph.turns.from_link, via, int(goals[reached]))
            found.append(Path.of_turns(graph, taken, source, target, int(reached)))
        timed = [(float(self.times_s(path, departure_s)[-1]), k) for k, path in enumerate(found)]
        arrives, best = min(timed, default=(np.inf, -1))
        return found[best] if np.isfinite(arrives) else None


def _time(given: float) -> float:
    try:
        seconds = float(given)
    except (TypeError, ValueError):
        seconds = float("nan")
    if not 0 <= seconds < float("inf"):
        raise InputError(f"departure_s is {quoted(given)}; give seconds of the clock, 0 or more")
    return seconds
