"""What a design is judged by: costs of many sets of lines at once, counted.

An objective is the only thing a method knows of passengers and operators, so that every method
meets every evaluator, and numbers of evaluations can be compared.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np

from nco.transit.evaluate.exact import KINDS, Evaluator
from nco.transit.simulate.simulation import (
    PUBLISHED_WEIGHTS,
    RewardWeights,
    Settings,
    Simulator,
    reward,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from nco.arrays import Floats
    from nco.transit.evaluate.exact import Evaluations
    from nco.transit.instance.lines import Lines
    from nco.transit.instance.transit_instance import TransitInstance

    Nodes = NDArray[np.int16]

BROKEN_MIN = 1000.0
"""Minutes that a violation costs: more than any line or journey of the benchmarks takes."""


class LineObjective(Protocol):
    """Costs of sets of lines.

    Attributes:
        instance: what the lines are for.
        evaluations: how many sets of lines were evaluated so far.
    """

    instance: TransitInstance
    evaluations: int

    def costs(self, lines: Nodes) -> Floats:
        """`[B]` costs of sets of lines; the lower, the better, and finite for any lines.

        Args:
            lines: `[B, R, L]` nodes, -1 after the end of a line and in rows without one. Lines use
                links that exist and no stop twice; they may break any other rule.
        """
        ...


@runtime_checkable
class RuleKnowing(Protocol):
    """An objective that knows more of lines than what they cost, and spares methods evaluations."""

    def lawful(self, lines: Iterable[tuple[int, ...]]) -> bool:
        """Whether lines break none of its own rules, known without an evaluation."""
        ...

    def constructions(self, seed: int, count: int, share: float) -> list[Lines]:
        """So many sets of lines to begin with, or none.

        Args:
            seed: of what is random.
            count: of sets.
            share: of the time that this usually takes.
        """
        ...

    def rebuilt(self, lines: Sequence[tuple[int, ...]], which: Sequence[int]) -> Lines | None:
        """The same lines with a few of them, given by number, built anew; None if it cannot."""
        ...


class ExactObjective:
    """Minutes of passengers and operators, weighted, by the exact evaluator.

    Everyone who does not arrive, and every other violation, costs `BROKEN_MIN` instead. With a
    weight of 1 and 0 that is the passengers' perspective of the benchmarks, with 0 and 1 the
    operator's.

    Args:
        instance: what the lines are for.
        passenger: weight of a minute of the mean journey.
        operator: weight of a minute of all lines one way.
        threads: that evaluate.
    """

    def __init__(
        self,
        instance: TransitInstance,
        passenger: float = 1.0,
        operator: float = 0.0,
        threads: int = 1,
    ) -> None:
        self.instance = instance
        self.passenger, self.operator, self.threads = passenger, operator, threads
        self.evaluator = Evaluator(instance)
        self.evaluations = 0

    @property
    def front_operator_min(self) -> tuple[float, float] | None:
        """Minutes of all lines between which a method should also `take_up` what it passes by.

        None where only the best lines count.
        """
        return None

    def take_up(self, lines: Nodes) -> None:
        """Is shown lines that a method evaluated, and counted, by itself."""

    def costs(self, lines: Nodes) -> Floats:
        """See `Objective`."""
        return self.of(self.values(lines))

    def values(self, lines: Nodes) -> Evaluations:
        """What costs are made of, counted as evaluations; lines as for `costs`."""
        self.evaluations += len(lines)
        return self.evaluator.batch(lines, self.threads)

    def of(self, values: Evaluations) -> Floats:
        """`[B]` costs of what the evaluator returned."""
        travel = np.minimum(values.travel_min, BROKEN_MIN)
        broken = values.violations.sum(axis=1) + values.unreached
        return self.passenger * travel + self.operator * values.operator_min + BROKEN_MIN * broken


class ServiceObjective:
    """The reward of the passenger simulation, which AlphaTransit defines, as a cost.

    Args:
        instance: what the lines are for.
        settings: of the simulation; None for the defaults.
        weights: of the reward's parts.
        threads: that simulate.
    """

    def __init__(
        self,
        instance: TransitInstance,
        settings: Settings | None = None,
        weights: RewardWeights = PUBLISHED_WEIGHTS,
        threads: int = 1,
    ) -> None:
        self.instance = instance
        self.weights, self.threads = weights, threads
        self.simulator = Simulator(instance, settings)
        self._rules = Evaluator(instance)
        self.evaluations = 0

    def costs(self, lines: Nodes) -> Floats:
        """See `Objective`; lines that break a rule of the instance cost `BROKEN_MIN` for each."""
        self.evaluations += len(lines)
        sets = [[line[line >= 0] for line in given if line[0] >= 0] for given in lines]
        results = self.simulator.batch(sets, threads=self.threads)
        found = np.array([-reward(result, self.weights) for result in results])
        return found + BROKEN_MIN * self._broken(lines)

    def _broken(self, lines: Nodes) -> Floats:
        """`[B]` how many lines break a rule; being unconnected is the simulation's business."""
        counted = [k for k, kind in enumerate(KINDS) if kind != "unconnected"]
        return self._rules.batch(lines).violations[:, counted].sum(axis=1).astype(float)
