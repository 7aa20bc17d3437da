"""What a solver is, and the two things that every solver needs: a clock and a polite refusal."""

from __future__ import annotations

import time
from typing import Protocol, runtime_checkable

from nco.errors import InputError, UnsupportedError
from nco.problem import Feature, Problem
from nco.solution import Solution

MAX_SEED = 2**31 - 1  # what fits into the seed of every solver, OR-Tools' being the narrowest


class Solver(Protocol):
    """A method behind one signature.

    Attributes:
        name: under which it is registered in `nco.solve`.
        supports: the features of a problem that it handles.
    """

    name: str
    supports: frozenset[Feature]

    def solve(
        self,
        problem: Problem,
        time_limit_s: float,
        seed: int,
        initial: Solution | None = None,
    ) -> Solution:
        """Solve a problem; always returns a solution, if need be a partial one with reasons.

        Args:
            problem: asks for nothing beyond `supports`.
            time_limit_s: wall-clock seconds, set-up included; kept within 10 % + 50 ms.
            seed: the same seed gives the same answer for the same number of iterations.
            initial: a solution to start from; methods that cannot use it return the better
                of it and their own.
        """
        ...


@runtime_checkable
class Prepares(Protocol):
    """A solver that has to load something before its time begins."""

    def prepare(self, problem: Problem) -> None:
        """Loads what solving takes; does nothing where it was loaded before."""


class Clock:
    """Wall-clock time since its construction against a limit."""

    def __init__(self, limit_s: float) -> None:
        self._begin = self.now_s()
        self._limit_s = limit_s

    @staticmethod
    def now_s() -> float:
        """What differences are taken of."""
        return time.perf_counter()

    @property
    def elapsed_s(self) -> float:
        """Seconds since construction."""
        return self.now_s() - self._begin

    @property
    def left_s(self) -> float:
        """Seconds until the limit, never negative."""
        return max(0.0, self._limit_s - self.elapsed_s)

    @property
    def over(self) -> bool:
        """Whether the limit has passed."""
        return self.left_s <= 0.0


class ThreadClock(Clock):
    """CPU time of the thread it is read in, which other load on the machine does not shorten."""

    @staticmethod
    def now_s() -> float:
        """What differences are taken of."""
        return time.thread_time()


def refuse_unsupported(solver: Solver, problem: Problem) -> None:
    """Raise if a problem asks for what a solver cannot do.

    Raises:
        UnsupportedError: names the solver and each feature that it lacks.
    """
    lacking = sorted(problem.features - solver.supports)
    if lacking:
        raise UnsupportedError(
            f"method {solver.name!r} cannot handle: {', '.join(lacking)}; "
            "choose another method (`nco.methods(problem)` lists those that can)"
        )


def check_limits(time_limit_s: float, seed: int) -> None:
    """Refuse limits and seeds that make no sense.

    Raises:
        InputError: the time limit is not positive, or the seed is negative or above `MAX_SEED`.
    """
    if not 0 < time_limit_s < float("inf"):
        raise InputError(f"time_limit_s is {time_limit_s}; give a positive number of seconds")
    if not 0 <= seed <= MAX_SEED:
        raise InputError(f"seed is {seed}; give a whole number from 0 to {MAX_SEED}")
