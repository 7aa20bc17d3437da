"""Made-up drivers with hidden preferences: drives for any city, to train and to test with.

Every driver minimises time, but each has tastes of their own around those of the population:
small streets, traffic signals and turns to the other side of the road feel longer than they are,
main roads shorter. What they are is not shown to who learns from their drives.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nco.arrays import Floats
from nco.errors import InputError, quoted
from nco.roads.costs import Costs
from nco.roads.graph import RoadGraph
from nco.roads.learn.drive import Drive
from nco.roads.learn.features import rank_of
from nco.roads.position import Position
from nco.roads.shortest import Bidirectional

_TRIES = 20
_RESIDENTIAL = 6


@dataclass(frozen=True)
class Population:
    """What drivers like, in the mean; each differs from it.

    Attributes:
        small: by how much longer a minute feels on residential streets and smaller ones.
        main: by how much a minute feels shorter on secondary roads and larger ones.
        signal_s: seconds that a traffic signal feels longer.
        turn_s: seconds that a turn feels longer.
        spread: of these among drivers, as standard deviation of their logarithm.
        noise: of streets' costs in a driver's mind, likewise.
    """

    small: float = 0.8
    main: float = 0.25
    signal_s: float = 8.0
    turn_s: float = 6.0
    spread: float = 0.3
    noise: float = 0.1

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not 0 <= value < np.inf:
                raise InputError(f"{name} is {quoted(value)}; give 0 or more")
        if self.main >= 1:
            raise InputError(f"main is {quoted(self.main)}; give less than 1")

    def costs(self, graph: RoadGraph, rng: np.random.Generator | None = None) -> Costs:
        """What a driver minimises; without random numbers the driver in the middle."""
        small, main, signal_s, turn_s = (
            value * self._taste(rng)
            for value in (self.small, self.main, self.signal_s, self.turn_s)
        )
        links, turns = graph.links, graph.turns
        rank = rank_of(links.road_class)
        factor = np.ones(len(links))
        factor[rank >= _RESIDENTIAL] += small
        factor[rank <= 3] -= min(main, 0.9)
        if rng is not None:
            street = np.exp(rng.normal(0, self.noise, len(graph.names)))
            factor = factor * street[links.name]
        turned = np.abs(turns.angle_deg) > 45
        return Costs(
            links.duration_s * factor + signal_s * links.signals,
            turns.duration_s + turn_s * turned,
        )

    def _taste(self, rng: np.random.Generator | None) -> float:
        return 1.0 if rng is None else float(np.exp(rng.normal(0, self.spread)))

    def drives(self, graph: RoadGraph, drivers: int, each: int = 3, seed: int = 0) -> list[Drive]:
        """What so many drivers drive between random places.

        Args:
            graph: any.
            drivers: how many.
            each: drives of one.
            seed: of everything random.

        Raises:
            InputError: there are no drivers or drives, or nothing in the graph is connected.
        """
        if drivers < 1 or each < 1:
            raise InputError(f"{drivers} drivers with {each} drives each; give one at least")
        main = np.flatnonzero(graph.links.main)
        if len(main) < 2:
            raise InputError(f"{graph.name} has no connected streets to drive on")
        rng = np.random.default_rng(seed)
        drives = []
        for driver in range(drivers):
            search = Bidirectional(graph, self.costs(graph, rng))
            for _ in range(each):
                source, target = _apart(graph, main, rng)
                path = search.path(source, target)
                drives.append(Drive.along(path, driver=str(driver)))
        return drives


def _apart(
    graph: RoadGraph, main: np.ndarray, rng: np.random.Generator
) -> tuple[Position, Position]:
    """Two places, the farthest of a few pairs, so that most drives have a choice."""
    pairs = rng.choice(main, (_TRIES, 2))
    middle: Floats = graph.lonlat[graph.links.head]
    far = np.abs(middle[pairs[:, 0]] - middle[pairs[:, 1]]).sum(axis=1)
    a, b = pairs[np.argsort(far, kind="stable")[-(_TRIES // 4)]]
    return Position.on(graph, int(a), both=False), Position.on(graph, int(b), both=False)
