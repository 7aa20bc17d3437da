"""What building lines takes to know of an instance: shortest ways, legal ends, lines that grow.

A line in the making is a list of nodes that grows at its last. With a hub it begins there; without
one a line means the same from either end, so that growing at the last is enough (`turned`).
"""

from __future__ import annotations

from bisect import bisect
from typing import TYPE_CHECKING

import numpy as np
from scipy.sparse.csgraph import dijkstra

from nco.errors import ProblemError, quoted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from random import Random

    from numpy.typing import NDArray

    from nco.transit.instance.transit_instance import TransitInstance

Line = tuple[int, ...]

TABLES = 8  # of shortest ways, under times that differ
SPREAD = 0.8  # a link takes up to so much longer in a table, as a share; nothing in the first
_TRIES = 50  # random walks for a line, before a search that goes back where it is stuck
_STEPS = 200_000  # of that search
_REACH = 6  # most stops that are added at once to come to where a line may end


class Ways:
    """An instance as methods see it.

    Args:
        instance: what lines are for.
        seed: of the times under which the further tables of ways are shortest.

    Attributes:
        instance: the same.
        fewest: stops of a line.
        most: stops of a line.
        hub: where all lines begin, or None.
        ends: `[N]` where lines may end.
        starts: where lines may begin.
        link_min: `[N][N]` minutes of links.
        trips: `[N][N]` demand of both directions together.
    """

    def __init__(self, instance: TransitInstance, seed: int) -> None:
        self.instance = instance
        self.fewest, self.most, self.hub = instance.min_stops, instance.max_stops, instance.hub
        size, terminals = instance.size, instance.terminals
        self.ends: list[bool] = [True] * size if terminals is None else terminals.tolist()
        last = [node for node in range(size) if self.ends[node]]
        self.starts = last if self.hub is None else [int(self.hub)]
        self.link_min: list[list[float]] = (instance.link_s / 60.0).tolist()
        self.trips: list[list[float]] = (instance.demand + instance.demand.T).tolist()
        linked = np.isfinite(instance.link_s) & ~np.eye(size, dtype=bool)
        generator = np.random.default_rng(seed)
        self._hops = []
        for table in range(TABLES):
            longer = 1 + SPREAD * generator.random((size, size)) * (table > 0)
            times = np.where(linked, np.maximum(instance.link_s, 1e-3) * longer, 0.0)
            # The last node before the goal, seen from the goal backwards, is the first after it.
            self._hops.append(dijkstra(times.T, return_predecessors=True)[1].T.tolist())
        chance = np.full(size * size, 0.5 / size**2)
        if instance.demand.any():
            chance += 0.5 * instance.demand.ravel() / instance.demand.sum()
        self._pairs = np.cumsum(chance / chance.sum()).tolist()

    def legal(self, line: Sequence[int]) -> bool:
        """Whether a path without repeated nodes is as long, and ends where, a line may."""
        if not self.fewest <= len(line) <= self.most or not self.ends[line[-1]]:
            return False
        return line[0] == self.hub if self.hub is not None else self.ends[line[0]]

    def pair(self, rng: Random) -> tuple[int, int]:
        """Two nodes: half of the time by demand, else any."""
        return divmod(min(bisect(self._pairs, rng.random()), len(self._pairs) - 1), len(self.ends))

    def way(self, begin: int, end: int, table: int = 0) -> list[int]:
        """Nodes of the shortest way from one node to another under the times of a table."""
        path, hops = [begin], self._hops[table]
        while path[-1] != end:
            path.append(hops[path[-1]][end])
        return path

    def toward(self, path: list[int], goal: int, rng: Random) -> list[int]:
        """Goes on towards a node, until there, at the most stops, or where the path was before."""
        hops = self._hops[rng.randrange(TABLES)]
        while path[-1] != goal and len(path) < self.most:
            node = hops[path[-1]][goal]
            if node in path:
                break
            path.append(node)
        return path

    def free(self, path: Sequence[int]) -> list[int]:
        """Where a path can go on to."""
        return [node for node in self.instance.neighbours[path[-1]] if node not in path]

    def turned(self, line: Line, rng: Random) -> Line:
        """The line from either end; from its hub if there is one."""
        return line[::-1] if self.hub is None and rng.random() < 0.5 else line

    def grown(self, line: Sequence[int], rng: Random) -> Line | None:
        """One stop more, or as many as lead to where a line may end; None where that fails."""
        path = list(line)
        for _ in range(_REACH):
            free = self.free(path)
            if not free or len(path) >= self.most:
                return None
            path.append(rng.choice(free))
            if self.legal(path):
                return tuple(path)
        return None

    def trimmed(self, path: Sequence[int]) -> Line | None:
        """The longest beginning of a path that is a legal line; None without one."""
        for count in range(min(len(path), self.most), self.fewest - 1, -1):
            if self.legal(path[:count]):
                return tuple(path[:count])
        return None

    def finished(self, path: Sequence[int], rng: Random) -> Line | None:
        """A path cut or grown at random until it is a legal line; None where that fails."""
        found = self.trimmed(path)
        if found is not None or len(path) >= self.most:
            return found
        grown = list(path)
        for side in range(1 if self.hub is not None else 2):
            if side:
                grown.reverse()
            while len(grown) < self.most and not self.legal(grown):
                free = self.free(grown)
                if not free:
                    break
                grown.append(rng.choice(free))
        return tuple(grown) if self.legal(grown) else None

    def walk(
        self, rng: Random, start: int, choose: Callable[[list[int], list[int]], int]
    ) -> Line | None:
        """A line of as many stops as it may have.

        Args:
            rng: draws.
            start: its first node.
            choose: the next node, of a path and those it can go on to.
        """
        path = [start]
        while len(path) < self.most:
            free = self.free(path)
            if not free:
                break
            path.append(choose(path, free))
        return self.finished(path, rng)

    def between(self, begin: int, end: int, rng: Random) -> Line | None:
        """A line by the way from a node towards another, finished at random."""
        return self.finished(self.toward([begin], end, rng), rng)

    def any_line(self, rng: Random) -> Line:
        """A legal line, at random.

        Raises:
            ProblemError: none was found, which takes bounds that hardly any line can meet.
        """
        for _ in range(_TRIES):
            begin, end = self.pair(rng)
            line = self.between(begin if self.hub is None else self.starts[0], end, rng)
            if line is not None:
                return line
        return self._searched(rng)

    def _searched(self, rng: Random) -> Line:
        """A legal line by a search in depth, in random order."""
        start = rng.choice(self.starts)
        path, choices = [start], [self._shuffled([start], rng)]
        for _ in range(_STEPS):
            if self.legal(path):
                return tuple(path)
            if len(path) < self.most and choices[-1]:
                path.append(choices[-1].pop())
                choices.append(self._shuffled(path, rng))
                continue
            path.pop()
            choices.pop()
            if not path:
                start = rng.choice(self.starts)
                path, choices = [start], [self._shuffled([start], rng)]
        raise ProblemError(
            f"no line of {self.fewest} to {self.most} stops was found on "
            f"{quoted(self.instance.name)}; widen min_stops and max_stops"
        )

    def _shuffled(self, path: Sequence[int], rng: Random) -> list[int]:
        free = self.free(path)
        rng.shuffle(free)
        return free


def padded(sets: Sequence[Iterable[Sequence[int]]], ways: Ways) -> NDArray[np.int16]:
    """`[B, R, L]` sets of legal lines as objectives take them."""
    found = np.full((len(sets), ways.instance.lines, ways.most), -1, np.int16)
    for rows, lines in zip(found, sets, strict=True):
        for row, line in zip(rows, lines, strict=False):
            row[: len(line)] = line
    return found
