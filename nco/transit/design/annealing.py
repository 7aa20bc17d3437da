"""Simulated annealing of lines, compiled where the exact evaluator judges them.

After S. Kirkpatrick et al. 1983. One line is changed at a time (`nco.transit.design.moves`), two
exchange their ends now and then, and the temperature falls geometrically with the budget.
"""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse.csgraph import minimum_spanning_tree

from nco.kernels.draws import seeded
from nco.transit.design import annealing_kernels as kernels
from nco.transit.design.method import Progress
from nco.transit.design.moves import MOVES, Streets, propose_legal, streets_of
from nco.transit.design.objective import ExactObjective
from nco.transit.design.start import fitted, take
from nco.transit.design.ways import Ways
from nco.transit.evaluate.times import Code, codes
from nco.transit.instance.lines import pad_lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from nco.transit.design.method import Budget
    from nco.transit.design.objective import LineObjective
    from nco.transit.design.result import Design
    from nco.transit.instance.lines import Lines
    from nco.transit.instance.transit_instance import TransitInstance

    Nodes = NDArray[np.int16]

HOT, COLD = 1e-2, 1e-4  # temperatures, as shares of what no lines can cost less than
SAMPLE = 20  # changes, of which half cost more than the hot temperature where no bound is known
WARM = 0.1  # share of the hot one from which given lines are gone on from
TRIES = 30  # changes of a line in a row, in compiled loops
CHUNK_S = 0.05  # of compiled search between two looks at the clock
PLACES = 500  # of a front, by the time of all lines
CHUNKS = 200  # at least, of a budget of evaluations
EXCHANGES = 20  # how often the island that is behind takes over the best lines
CHANCES = {
    "grow": 1.0, "shrink": 1.0, "shift": 1.0, "detour": 3.0, "regrow": 1.0, "renew": 0.5,
    "substitute": 2.0,
}  # fmt: skip
"""How often moves are tried, relative to each other."""

_DRAWS = 1000  # of a first line, until it is legal


@dataclass(frozen=True)
class Annealing:
    """Anneals lines; on the exact evaluator with as many islands as the objective has threads.

    Attributes:
        name: of the method.
        hot: first temperature, as a share of a lower bound of the cost, or where none is known of
            the change that a move makes, a hundred times.
        cold: last temperature, likewise.
    """

    name: str = "annealing"
    hot: float = HOT
    cold: float = COLD

    def design(
        self,
        objective: LineObjective,
        budget: Budget,
        seed: int = 0,
        initial: Sequence[Lines] = (),
    ) -> Design:
        """See `DesignMethod`."""
        instance = objective.instance
        progress = Progress(objective, budget)
        streets = streets_of(instance, seed)
        bits = seeded(seed)
        take(progress, initial)
        sets = [first_lines(streets, instance, bits)]
        if initial:
            ways, rng = Ways(instance, seed), Random(seed)
            shape = (instance.lines, instance.max_stops)
            sets = [pad_lines(fitted(ways, lines, rng), *shape) for lines in initial]
        with progress.keeping_best():
            if progress.left:
                costs = progress.costs(np.stack(sets[: progress.left]))
                first = int(costs.argmin())
                if isinstance(objective, ExactObjective):
                    self._compiled(objective, progress, streets, sets[first], seed, bool(initial))
                else:
                    start = sets[first], float(costs[first])
                    self._anywhere(progress, streets, *start, bits, bool(initial))
        return progress.design(self.name, seed)

    def _temperature(self, scale: float, share: float, warm: bool) -> float:
        hot = self.hot * (WARM if warm else 1.0)
        return float(scale * hot * (self.cold / hot) ** share)

    def _anywhere(
        self,
        progress: Progress,
        streets: Streets,
        lines: Nodes,
        cost: float,
        bits: NDArray[np.uint64],
        warm: bool,
    ) -> None:
        """One change at a time, for objectives of any kind."""
        scale, changes = 0.0, list[float]()
        generator = np.random.default_rng(int(bits[0]))
        moves, chances = list(CHANCES), np.array(list(CHANCES.values()))
        mark = np.zeros(len(streets.degree), np.int32)
        trial = np.full(lines.shape[1], -1, np.int16)
        while not progress.over:
            r = generator.integers(len(lines))
            move = MOVES.index(generator.choice(moves, p=chances / chances.sum()))
            if not propose_legal(move, streets, lines[r], trial, mark, bits):
                continue
            changed = lines.copy()
            changed[r] = trial
            found = float(progress.costs(changed[None])[0])
            if len(changes) < SAMPLE:
                changes.append(abs(found - cost))
                scale = float(np.median(changes)) / HOT
            temperature = self._temperature(scale, progress.share, warm)
            if found < cost - temperature * math.log(1.0 - generator.random()):
                lines, cost = changed, found

    def _compiled(
        self,
        objective: ExactObjective,
        progress: Progress,
        streets: Streets,
        lines: Nodes,
        seed: int,
        warm: bool,
    ) -> None:
        islands = [
            Island(objective, streets, lines, island * 1_000_003 + seed)
            for island in range(objective.threads)
        ]
        scale = _bound(objective)
        islands[0].run(1, self.hot * scale)  # compiles the loops, which no time is charged for
        progress.restart_clock()
        rounds, exchanged = 1, 0
        counted = progress.budget.evaluations is not None
        if counted:
            per_round = (TRIES + 2) * len(islands)
            rounds = max(1, progress.left // (CHUNKS * per_round))
        with ThreadPoolExecutor(len(islands)) as pool:
            while not progress.over:
                if counted:
                    rounds = max(1, min(rounds, progress.left // per_round))
                temperature, begin_s = (
                    self._temperature(scale, progress.share, warm),
                    progress.time_s,
                )
                before = [island.evaluations for island in islands]
                list(pool.map(lambda island: island.run(rounds, temperature), islands))  # noqa: B023
                objective.evaluations += sum(i.evaluations for i in islands) - sum(before)
                for island in islands:
                    if island.best_cost < progress.cost - 1e-9:
                        progress.costs(island.best[None])
                if not counted:
                    took_s = max(progress.time_s - begin_s, 1e-6)
                    rounds = max(1, min(2 * rounds, int(rounds * CHUNK_S / took_s)))
                if int(progress.share * EXCHANGES) > exchanged:
                    exchanged = int(progress.share * EXCHANGES)
                    behind = max(islands, key=lambda island: island.cost)
                    behind.go_on_from(min(islands, key=lambda island: island.cost))
        for island in islands:
            objective.take_up(island.shelved)


class Island:
    """Lines that are annealed in compiled loops.

    Args:
        objective: what they are judged by.
        streets: what moves know.
        lines: `[R, L]` to begin with.
        seed: of all that is random.
    """

    def __init__(
        self, objective: ExactObjective, streets: Streets, lines: Nodes, seed: int
    ) -> None:
        self._streets, self._bits = streets, seeded(seed)
        code = codes(objective.instance.link_s, objective.evaluator.transfer_s)[0]
        self._times = _times(objective, code)
        self._room = _room(code, lines.shape[1])
        self.lines, self.best = lines.copy(), lines.copy()
        both = kernels.whole(
            self._times, self._room, self.lines, -1, self._room.dist, self._room.on,
            self._room.group,
        )  # fmt: skip
        cost, outside = kernels.cost_of(self._times, self._room, both)
        self._state = np.array([cost, np.inf if outside else cost, 0.0])
        self._offset = self._times.weights[0] * code.transfer
        self._shelf = _shelf(objective, code, lines)
        weights = np.array([CHANCES[move] for move in MOVES])
        self._chances = np.cumsum(weights) / weights.sum()

    @property
    def cost(self) -> float:
        """Of the lines where the search stands, with what is unconnected."""
        return float(self._state[0]) - self._offset

    @property
    def best_cost(self) -> float:
        """Of the best lines that connect all nodes."""
        return float(self._state[1]) - self._offset

    @property
    def evaluations(self) -> int:
        """How many sets of lines were evaluated."""
        return int(self._state[2])

    @property
    def shelved(self) -> Nodes:
        """`[B, R, L]` what was kept for a front."""
        return self._shelf.lines[np.isfinite(self._shelf.journey)]

    def run(self, rounds: int, temperature: float) -> None:
        """Changes so many lines, each many times."""
        kernels.anneal(
            self._streets, self._times, self._room, self.lines, self.best, self._state,
            self._shelf, rounds, TRIES, temperature, self._chances, self._bits,
        )  # fmt: skip

    def go_on_from(self, other: Island) -> None:
        """Takes over where another one stands."""
        self.lines[:] = other.lines
        self._state[0] = other.cost + self._offset


def first_lines(streets: Streets, instance: TransitInstance, bits: NDArray[np.uint64]) -> Nodes:
    """`[R, L]` random legal lines on shortest ways; empty rows where none was drawn."""
    lines = np.full((instance.lines, instance.max_stops), -1, np.int16)
    mark = np.zeros(instance.size, np.int32)
    trial = np.full(instance.max_stops, -1, np.int16)
    for line in lines:
        for _ in range(_DRAWS):
            if propose_legal(MOVES.index("renew"), streets, line, trial, mark, bits):
                line[:] = trial
                break
    return lines


def _bound(objective: ExactObjective) -> float:
    """What no lines cost less than: all journeys on streets, lines that only just connect all."""
    instance = objective.instance
    trips = max(instance.trips, 1e-9)
    journey_s = float((instance.demand * instance.drive_s).sum()) / trips
    linked = np.where(np.isfinite(instance.link_s), np.maximum(instance.link_s, 1e-3), 0.0)
    tree_s = float(minimum_spanning_tree(linked).sum())
    return (objective.passenger * journey_s + objective.operator * tree_s) / 60 or 1.0


def _times(objective: ExactObjective, code: Code) -> kernels.Times:
    instance = objective.instance
    size, stride = instance.size, code.stride
    demand = np.zeros((size, stride), np.float32)
    if instance.demand.any():
        demand[:, :size] = instance.demand / instance.demand.sum()
    minute = code.unit_s / 60
    # A way with two changes there and back, longer than any that is worth a line; and what it
    # costs at most to connect one more node, several times over.
    longest = 2 * int(instance.drive_s.max() / code.unit_s) + 2 * code.transfer
    node = 5.0 * objective.passenger + 4.0 * objective.operator * float(code.link.max()) * minute
    return kernels.Times(
        code.link.astype(np.int64),
        demand.ravel(),
        (code.bits, code.numbers[1], code.far, code.limit),
        (stride, code.vectors),
        (objective.passenger * minute, objective.operator * minute / 2, node, longest),
    )


def _shelf(objective: ExactObjective, code: Code, lines: Nodes) -> kernels.Shelf:
    """Places for a front, if one is asked for and passengers count."""
    asked = objective.front_operator_min if objective.passenger else None
    places = PLACES if asked else 0
    # One unit of time of all lines is half a minute's share there and back.
    first, last = (int(2 * minutes * 60 / code.unit_s) for minutes in asked or (0, 0))
    return kernels.Shelf(
        np.full(places, np.inf),
        np.full((places, *lines.shape), -1, np.int16),
        first,
        max(1, -(-(last - first) // PLACES)),
    )


def _room(code: Code, stops: int) -> kernels.Room:
    nodes = len(code.link)
    arrays: list[Any] = [
        *np.zeros((2, nodes * code.stride), code.dtype),
        np.zeros(2 * code.stride, code.dtype),
        *np.zeros((2, stops), np.int64),
        *np.zeros((5, nodes), np.int32),
        np.full((2, stops), -1, np.int16),
    ]
    return kernels.Room(*arrays)


SOLVER = Annealing()
