"""Lines that are built without a look at what they are worth, again and again; the best is kept.

The first three are AlphaTransit's baselines (arXiv 2605.28730, its `baselines`): every line begins
at the hub (anywhere without one) and goes on until it has as many stops as it may.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from nco.errors import UnsupportedError, quoted
from nco.transit.design.greedy import construction
from nco.transit.design.method import Progress
from nco.transit.design.start import take
from nco.transit.design.ways import Line, Ways, padded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nco.transit.design.method import Budget
    from nco.transit.design.objective import LineObjective
    from nco.transit.design.result import Design
    from nco.transit.instance.lines import Lines

Build = Callable[[Ways, Random, int], list[Line]]
"""A set of lines: of the instance, draws, and how many were built before."""

_BATCH = 32


@dataclass(frozen=True)
class Built:
    """The best of many constructions.

    Attributes:
        name: see `DesignMethod`.
        build: makes one.
    """

    name: str
    build: Build

    def design(
        self,
        objective: LineObjective,
        budget: Budget,
        seed: int = 0,
        initial: Sequence[Lines] = (),
    ) -> Design:
        """See `DesignMethod`."""
        progress, rng = Progress(objective, budget), Random(seed)
        ways, built = Ways(objective.instance, seed), 0
        take(progress, initial)
        with progress.keeping_best():
            while not progress.over:
                count = min(progress.left, _BATCH)
                sets = [self.build(ways, rng, built + k) for k in range(count)]
                progress.costs(padded(sets, ways))
                built += count
        return progress.design(self.name, seed)


@dataclass(frozen=True)
class Given:
    """Lines that are there already, such as those that run today; nothing is designed.

    Attributes:
        name: see `DesignMethod`.
    """

    name: str = "real"

    def design(
        self,
        objective: LineObjective,
        budget: Budget,
        seed: int = 0,
        initial: Sequence[Lines] = (),
    ) -> Design:
        """See `DesignMethod`.

        Raises:
            UnsupportedError: no lines are given.
        """
        if not initial:
            raise UnsupportedError(
                f"method {quoted(self.name)} takes the lines that run today, but none are known of "
                f"{quoted(objective.instance.name)}; give them as initial, or choose another method"
            )
        progress = Progress(objective, budget)
        take(progress, initial)
        return progress.design(self.name, seed)


def random_walk(ways: Ways, rng: Random, _built: int) -> list[Line]:
    """Each next stop is any neighbour."""
    return _walks(ways, rng, lambda _path, free: rng.choice(free))


def demand_cover(ways: Ways, rng: Random, _built: int) -> list[Line]:
    """A next stop is likelier the more people travel between it and the stops of the line."""
    trips = ways.trips

    def choose(path: list[int], free: list[int]) -> int:
        return _softmax([sum(map(trips[node].__getitem__, path)) for node in free], free, rng)

    return _walks(ways, rng, choose)


def shortest_path(ways: Ways, rng: Random, _built: int) -> list[Line]:
    """A next stop is likelier the shorter the link to it."""
    link_min = ways.link_min

    def choose(path: list[int], free: list[int]) -> int:
        return _softmax([-link_min[path[-1]][node] for node in free], free, rng)

    return _walks(ways, rng, choose)


def _walks(ways: Ways, rng: Random, choose: Callable[[list[int], list[int]], int]) -> list[Line]:
    walks = (ways.walk(rng, rng.choice(ways.starts), choose) for _ in range(ways.instance.lines))
    return [ways.any_line(rng) if line is None else line for line in walks]


def _softmax(scores: list[float], free: list[int], rng: Random) -> int:
    """One of the nodes, by the exponentials of their scores in standard deviations."""
    mean, top = sum(scores) / len(scores), max(scores)
    spread = math.sqrt(sum((score - mean) ** 2 for score in scores) / len(scores))
    weights = [math.exp((score - top) / spread) if spread else 1.0 for score in scores]
    (node,) = rng.choices(free, weights)
    return node


RANDOM = Built("random", random_walk)
DEMAND = Built("demand", demand_cover)
SHORTEST = Built("shortest", shortest_path)
GREEDY = Built("greedy", construction)
REAL = Given()
