"""What a solver is, and the two things that every solver needs: a clock and a polite refusal."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np

from nco.errors import InputError, UnsupportedError, quoted, worded
from nco.interruption import asked_since
from nco.problem import Feature, Problem
from nco.problem.solution import Solution

MAX_SEED = 2**31 - 1  # what fits into the seed of every solver, OR-Tools' being the narrowest
MAX_JOBS = 64  # islands; fewer than the cores of some machines, more than any problem has use for

_WHOLES = (int, np.integer)
_NUMBERS = (float, np.floating, *_WHOLES)


class Solver(Protocol):
    """A method behind one signature."""

    @property
    def name(self) -> str:
        """Under which it is registered in `nco.solve`."""
        ...

    @property
    def supports(self) -> frozenset[Feature]:
        """The features of a problem that it handles."""
        ...

    def solve(
        self,
        problem: Problem,
        time_limit_s: float,
        seed: int,
        initial: Solution | None = None,
    ) -> Solution:
        """Solve a problem; always returns a solution, if need be a partial one with reasons.

        Args:
            problem: in its normal form (`nco.problem.normal`), which `nco.solve` gives it; asks
                for nothing beyond `supports`.
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


@runtime_checkable
class Parallel(Protocol):
    """A solver that can use several cores."""

    def with_jobs(self, jobs: int) -> Solver:
        """The same method on so many cores; with a single one it is what it was before."""


@runtime_checkable
class Extensible(Protocol):
    """A solver that operators of the neighbourhood search can join."""

    def with_operators(self, removals: Sequence[Any], insertions: Sequence[Any]) -> Solver:
        """The same method with further operators, as `nco.search.lns.operators` has them."""


@runtime_checkable
class Alternatives(Protocol):
    """A solver that handles one set of features or another, but not both together."""

    @property
    def alternatives(self) -> tuple[frozenset[Feature], ...]:
        """The sets; `Solver.supports` is the first."""
        ...


def supported(solver: Solver, problem: Problem) -> frozenset[Feature]:
    """The features that a solver handles, of its alternatives those of which a problem lacks least.

    Args:
        solver: any.
        problem: to solve.
    """
    if not isinstance(solver, Alternatives):
        return solver.supports
    return min(solver.alternatives, key=lambda known: len(problem.features - known))


class Clock:
    """Wall-clock time since its construction against a limit; an interruption ends it, too."""

    def __init__(self, limit_s: float) -> None:
        self._begin, self._begun_s = self.now_s(), time.perf_counter()
        self._limit_s = float(limit_s)  # numpy's single precision is none to wait for

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
        """Seconds until the limit, never negative; none after an interruption."""
        return 0.0 if asked_since(self._begun_s) else max(0.0, self._limit_s - self.elapsed_s)

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


def refuse_unsupported(solver: Solver, problem: Problem, advice: str = "") -> None:
    """Raise if a problem asks for what a solver cannot do.

    Args:
        solver: any.
        problem: to solve.
        advice: what to state otherwise.

    Raises:
        UnsupportedError: names the solver and each feature that it lacks.
    """
    lacking = sorted(problem.features - supported(solver, problem))
    if lacking:
        raise UnsupportedError(
            f"method {quoted(solver.name)} cannot handle: {', '.join(lacking)}; "
            "choose another method"
            + worded(" (`nco.methods(problem)` lists those that can)", ", such as --method auto")
            + (advice and f", or {advice}")
        )


def check_limits(time_limit_s: float, seed: int, jobs: int = 1) -> None:
    """Refuse limits, seeds and numbers of jobs that make no sense.

    Raises:
        InputError: the time limit is not positive, the seed is negative or above `MAX_SEED`, or
            the number of jobs is below 1 or above `MAX_JOBS`.
    """
    if not (_is(time_limit_s, _NUMBERS) and 0 < time_limit_s <= sys.float_info.max):
        raise InputError(
            f"time_limit_s is {quoted(time_limit_s)}; give a positive number of seconds"
        )
    if not (_is(seed, _WHOLES) and 0 <= seed <= MAX_SEED):
        raise InputError(f"seed is {quoted(seed)}; give a whole number from 0 to {MAX_SEED}")
    if not (_is(jobs, _WHOLES) and 1 <= jobs <= MAX_JOBS):
        raise InputError(
            f"jobs is {quoted(jobs)}; give the number of cores to use, a whole number from 1 to "
            f"{MAX_JOBS}"
        )


def _is(value: object, kinds: tuple[type, ...]) -> bool:
    """Whether something is a number; truth values are none."""
    return isinstance(value, kinds) and not isinstance(value, bool)


def on_cores(solver: Solver, jobs: int) -> Solver:
    """A solver that uses so many cores; with a single one as it is.

    Raises:
        UnsupportedError: it cannot use several.
    """
    if jobs == 1:
        return solver
    if not isinstance(solver, Parallel):
        raise UnsupportedError(
            f"method {quoted(solver.name)} runs on one core, but jobs is {jobs}; "
            f"leave {worded('jobs at 1', '--jobs out')}, or choose a method that has islands, "
            "such as "
            "auto or lns"
        )
    return solver.with_jobs(jobs)


def extended(solver: Solver, removals: Sequence[Any], insertions: Sequence[Any]) -> Solver:
    """A solver that has further operators of the neighbourhood search.

    Raises:
        UnsupportedError: it does not search by such operators.
    """
    if not isinstance(solver, Extensible):
        raise UnsupportedError(
            f"method {quoted(solver.name)} does not search by operators; leave "
            f"{worded('operators', '--operators')} out, or choose a method that does, such as lns"
        )
    return solver.with_operators(removals, insertions)
