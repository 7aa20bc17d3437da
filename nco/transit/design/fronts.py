"""Fronts of what passengers spend against what the operator spends, and how good they are.

A front is measured by its hypervolume: the area between it and a reference point that is worse in
both, here as a share of the rectangle between that point and one that is better in both.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from nco.errors import InputError, quoted
from nco.transit.design.objective import ExactObjective
from nco.transit.instance.lines import unpad_lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    from nco.arrays import Floats
    from nco.transit.design.method import DesignMethod
    from nco.transit.evaluate.exact import Evaluations
    from nco.transit.instance.lines import Lines
    from nco.transit.instance.transit_instance import TransitInstance


@dataclass(frozen=True)
class Range:
    """What fronts of a network are measured in.

    Attributes:
        worst_travel_min: mean journey at the reference point.
        best_travel_min: less than any front reaches.
        worst_operator_min: time of all lines at the reference point.
        best_operator_min: less than any front reaches.

    Raises:
        InputError: the worst is no worse than the best.
    """

    worst_travel_min: float
    best_travel_min: float
    worst_operator_min: float
    best_operator_min: float

    def __post_init__(self) -> None:
        for kind in ("travel", "operator"):
            worst, best = (getattr(self, f"{which}_{kind}_min") for which in ("worst", "best"))
            if not -np.inf < best < worst < np.inf:
                raise InputError(
                    f"worst_{kind}_min is {worst} and best_{kind}_min {best}; the worst must be "
                    "the larger of two finite numbers"
                )


RANGES = {
    "mandl": Range(15.0, 10.0, 224.0, 63.0),
    "mumford0": Range(32.0, 13.0, 700.0, 94.0),
    "mumford1": Range(50.0, 19.0, 2000.0, 345.0),
    "mumford2": Range(45.0, 22.0, 6000.0, 864.0),
    "mumford3": Range(50.0, 24.0, 6600.0, 982.0),
}
"""Reference points of R. Huesselmann's parameter files for the benchmark networks."""


def range_of(instance: TransitInstance) -> Range:
    """The usual range of a benchmark network; of others one that contains all fronts worth having.

    Nobody travels faster than on the streets, and a spanning tree is the least to drive; the worst
    are three times the one and, with a line of the most stops for every line, the time of these.
    """
    name = "mandl" if instance.name == "mandl1" else instance.name
    if name in RANGES:
        return RANGES[name]
    from scipy.sparse.csgraph import minimum_spanning_tree

    fastest = float((instance.demand * instance.drive_s).sum()) / max(instance.trips, 1e-9) / 60
    links_min = np.where(np.isfinite(instance.link_s), instance.link_s, 0.0) / 60
    least = float(minimum_spanning_tree(links_min).sum())
    usual = float(np.median(links_min[links_min > 0]))
    longest = usual * instance.lines * (instance.max_stops - 1)
    return Range(3 * max(fastest, 1e-3), fastest, max(longest, 1.5 * least), least)


@dataclass
class Front:
    """The designs of which none is beaten in both by another.

    Attributes:
        points: `[k, 2]` mean journey and time of all lines in minutes, by the first.
        lines: of each.
    """

    points: Floats = field(default_factory=lambda: np.empty((0, 2)))
    lines: list[Lines] = field(default_factory=list)

    def add(self, values: Evaluations, lines: NDArray[np.int16]) -> None:
        """Takes up those of `[B, R, L]` designs that break no rule and serve everybody."""
        sound = np.flatnonzero(values.feasible & (values.unreached <= 0))
        fresh = np.stack([values.travel_min[sound], values.operator_min[sound]], axis=1)
        both = np.concatenate([self.points, fresh])
        kept = undominated(both)
        before = len(self.points)
        self.lines = [
            self.lines[k] if k < before else unpad_lines(lines[sound[k - before]])
            for k in kept.tolist()
        ]
        self.points = both[kept]

    def hypervolume(self, within: Range) -> float:
        """See `hypervolume`."""
        return hypervolume(self.points, within)


def undominated(points: Floats) -> NDArray[np.int64]:
    """Numbers of the rows `[k, 2]` that no other is better than, by the first column.

    Of rows that are the same the first one counts.
    """
    order = np.lexsort((points[:, 1], points[:, 0]))
    second = points[order, 1]
    lowest = np.minimum.accumulate(np.append(np.inf, second))[:-1]
    return np.asarray(order[second < lowest])


def hypervolume(points: ArrayLike, within: Range) -> float:
    """Share of a range that a front dominates, 0 to 1; what lies outside of it counts nothing.

    Args:
        points: `[k, 2]` mean journey and time of all lines in minutes.
        within: the range.
    """
    found = np.asarray(points, np.float64).reshape(-1, 2)
    best = np.array([within.best_travel_min, within.best_operator_min])
    wide = np.array([within.worst_travel_min, within.worst_operator_min]) - best
    scaled = np.clip((found - best) / wide, 0.0, 1.0)
    front = scaled[undominated(scaled)]
    right = np.append(front[1:, 0], 1.0)
    return float(((right - front[:, 0]) * (1.0 - front[:, 1])).sum())


class Recorded(ExactObjective):
    """An exact objective that keeps the front of all that was evaluated.

    Args:
        instance: what lines are for.
        passenger: see `ExactObjective`.
        operator: see there.
        front: to take designs up; None for a new one.
    """

    def __init__(
        self,
        instance: TransitInstance,
        passenger: float = 1.0,
        operator: float = 0.0,
        front: Front | None = None,
    ) -> None:
        super().__init__(instance, passenger, operator)
        self.front = Front() if front is None else front

    @property
    def front_operator_min(self) -> tuple[float, float]:
        """See `ExactObjective`."""
        usual = range_of(self.instance)
        return usual.best_operator_min, usual.worst_operator_min

    def take_up(self, lines: NDArray[np.int16]) -> None:
        """See `ExactObjective`."""
        if len(lines):
            self.front.add(self.evaluator.batch(lines, self.threads), lines)

    def values(self, lines: NDArray[np.int16]) -> Evaluations:
        """See `ExactObjective`."""
        found = super().values(lines)
        self.front.add(found, lines)
        return found


def weighted(instance: TransitInstance, share: float, front: Front | None = None) -> Recorded:
    """An objective between passengers (a share of 1) and operator (0), in shares of their ranges.

    Raises:
        InputError: the share is not 0 to 1.
    """
    if not 0 <= share <= 1:
        raise InputError(f"share is {quoted(share)}; it is the passengers', 0 to 1")
    given = range_of(instance)
    travel = given.worst_travel_min - given.best_travel_min
    operator = given.worst_operator_min - given.best_operator_min
    # In minutes of a journey, so that what breaks a rule costs more than either.
    return Recorded(instance, share, (1 - share) * travel / operator, front)


def sweep(
    instance: TransitInstance,
    method: str | DesignMethod,
    *,
    evaluations: int | None = None,
    time_limit_s: float | None = None,
    weights: int = 11,
    sweeps: int = 1,
    seed: int = 0,
    initial: Sequence[Lines] = (),
) -> Front:
    """The front of a method that is run with one weight after the other, from the last one's lines.

    Annealing on the exact evaluator also takes up the best lines that it passes by at every time of
    all lines, which fills the front between the optima of weights.

    Args:
        instance: what lines are for.
        method: one of `nco.transit.design.registry.METHODS`, or a method.
        evaluations: in total; each run gets its share.
        time_limit_s: in total.
        weights: how many, from the operator's side to the passengers'.
        sweeps: how often, each time from the beginning by other seeds; what lines a sweep goes on
            from is chance, so several of them together find more.
        seed: of the first run, the next ones take the next seeds.
        initial: sets of lines to begin with.

    Raises:
        InputError: fewer than two weights or one sweep, or no budget.
    """
    from nco.transit.design.registry import design

    if weights < 2:
        raise InputError(f"weights is {quoted(weights)}; give 2 or more")
    if sweeps < 1:
        raise InputError(f"sweeps is {quoted(sweeps)}; give 1 or more")
    front, runs = Front(), weights * sweeps
    for run in range(runs):
        k = run % weights
        if k == 0:
            start = list(initial)
        objective = weighted(instance, k / (weights - 1), front)
        found = design(
            objective,
            method,
            evaluations=None if evaluations is None else max(1, evaluations // runs),
            time_limit_s=None if time_limit_s is None else time_limit_s / runs,
            seed=seed + run,
            initial=start,
        )
        # A method may have its own evaluator, so its answer is taken up besides.
        _take(front, objective, found.lines)
        start = [*initial, found.lines]
    return front


def _take(front: Front, objective: Recorded, lines: Lines) -> None:
    from nco.transit.instance.lines import pad_lines

    given = pad_lines(lines)[None]
    front.add(objective.evaluator.batch(given), given)
