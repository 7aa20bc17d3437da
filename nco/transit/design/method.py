"""What a design method is, how long it may go on, and how it keeps its best lines."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import numpy as np

from nco.errors import InputError, quoted
from nco.interruption import asked_since
from nco.transit.design.result import Design
from nco.transit.instance.lines import as_lines

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from nco.arrays import Floats
    from nco.transit.design.objective import LineObjective
    from nco.transit.instance.lines import Lines


@dataclass(frozen=True)
class Budget:
    """When a method has to end: whichever comes first.

    Attributes:
        evaluations: sets of lines; None for any number.
        time_limit_s: wall-clock seconds; None for any time.
        processor_limit_s: seconds of the processor, of all threads of the process together, which
            a busy machine does not change; None for any time.

    Raises:
        InputError: none is given, or one is not positive.
    """

    evaluations: int | None = None
    time_limit_s: float | None = None
    processor_limit_s: float | None = None

    def __post_init__(self) -> None:
        names = ("evaluations", "time_limit_s", "processor_limit_s")
        given = {name: getattr(self, name) for name in names}
        if all(value is None for value in given.values()):
            raise InputError(
                "a budget needs evaluations, time_limit_s or processor_limit_s; give one of them"
            )
        for name, value in given.items():
            if value is not None and not value > 0:
                raise InputError(f"{name} is {quoted(value)}; give a positive number")


class DesignMethod(Protocol):
    """A method behind one signature."""

    @property
    def name(self) -> str:
        """Under which it is registered."""
        ...

    def design(
        self,
        objective: LineObjective,
        budget: Budget,
        seed: int = 0,
        initial: Sequence[Lines] = (),
    ) -> Design:
        """Designs lines.

        Args:
            objective: what they are judged by; it knows the instance.
            budget: is not exceeded by more than what is evaluated in one go.
            seed: the same seed and number of evaluations give the same lines.
            initial: sets of lines to begin with, of any method; the result is never worse.
        """
        ...


@dataclass
class Progress:
    """A method under way: what it may still evaluate, and the best that it found.

    Attributes:
        objective: what lines are judged by.
        budget: when to end.
        lines: `[R, L]` the best, padded; None before the first.
        cost: of the best.
        trace: see `Design`.
    """

    objective: LineObjective
    budget: Budget
    lines: NDArray[np.int16] | None = None
    cost: float = np.inf
    trace: list[tuple[int, float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._first = self.objective.evaluations
        self._begin_s = self._made_s = time.perf_counter()
        self._began_processor_s = time.process_time()

    def restart_clock(self) -> None:
        """Begins to count time anew, behind what is loaded or compiled once."""
        self._begin_s = time.perf_counter()
        self._began_processor_s = time.process_time()

    @property
    def evaluations(self) -> int:
        """How many sets this method has evaluated."""
        return self.objective.evaluations - self._first

    @property
    def time_s(self) -> float:
        """Seconds since the method began."""
        return time.perf_counter() - self._begin_s

    @property
    def interrupted(self) -> bool:
        """Whether the method was asked to end, see `nco.interruption`."""
        return asked_since(self._made_s)

    @property
    def share(self) -> float:
        """Of the budget that is spent, 0 to 1; all of it after an interruption."""
        spent = [1.0 if self.interrupted else 0.0]
        if self.budget.evaluations is not None:
            spent.append(self.evaluations / self.budget.evaluations)
        if self.budget.time_limit_s is not None:
            spent.append(self.time_s / self.budget.time_limit_s)
        if self.budget.processor_limit_s is not None:
            used_s = time.process_time() - self._began_processor_s
            spent.append(used_s / self.budget.processor_limit_s)
        return min(1.0, max(spent))

    @property
    def usual_s(self) -> float:
        """Seconds that the method is given; `inf` where only evaluations count."""
        limits = (self.budget.time_limit_s, self.budget.processor_limit_s)
        return min((limit for limit in limits if limit is not None), default=np.inf)

    @property
    def over(self) -> bool:
        """Whether nothing is left of the budget."""
        return self.share >= 1.0

    @property
    def left(self) -> int:
        """How many sets may still be evaluated; a large number where only time counts."""
        if self.interrupted:
            return 0
        if self.budget.evaluations is None:
            return 2**31
        return max(0, self.budget.evaluations - self.evaluations)

    def costs(self, lines: NDArray[np.int16]) -> Floats:
        """`[B]` costs of `[B, R, L]` sets of lines; the best of them is kept."""
        found = self.objective.costs(lines)
        if len(found):
            k = int(found.argmin())
            self.keep(lines[k], float(found[k]))
        return found

    def keep(self, lines: NDArray[np.int16], cost: float) -> None:
        """Keeps lines if they are better than all before."""
        if cost < self.cost:
            self.lines, self.cost = lines.copy(), cost
            self.trace.append((self.evaluations, cost))

    @contextmanager
    def keeping_best(self) -> Iterator[None]:
        """While a method searches: an interruption that it does not heed in time ends it here.

        Raises:
            KeyboardInterrupt: there are no lines yet, or no command asked for them.
        """
        try:
            yield
        except KeyboardInterrupt:
            if self.lines is None or not self.interrupted:
                raise

    @property
    def best(self) -> NDArray[np.int16]:
        """`[R, L]` the best lines so far.

        Raises:
            InputError: nothing was evaluated.
            KeyboardInterrupt: nothing was evaluated before the user interrupted the method.
        """
        if self.lines is None and self.interrupted:
            raise KeyboardInterrupt
        if self.lines is None:
            raise InputError("no lines were evaluated; give a larger budget")
        return self.lines

    def design(self, method: str, seed: int) -> Design:
        """What the method returns.

        Raises:
            InputError: nothing was evaluated.
        """
        return Design(
            as_lines([line[line >= 0] for line in self.best if line[0] >= 0]),
            self.cost,
            method,
            seed,
            self.evaluations,
            self.time_s,
            tuple(self.trace),
            self.interrupted,
        )
