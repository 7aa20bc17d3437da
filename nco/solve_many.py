"""Many problems at once, through any `concurrent.futures.Executor`: results as they come."""

from __future__ import annotations

import logging
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from nco.arguments import of_kind
from nco.crew import Crew
from nco.errors import InputError, NcoError, quoted, shortened
from nco.problem import Problem
from nco.problem.given import given_problem
from nco.problem.solution import Solution
from nco.solve import DEFAULT_METHOD, METHODS, register, solve
from nco.solver import check_limits

log = logging.getLogger("nco")
MOST_TRIES = 3
"""Workers that a task may cost, after which it is given up: it is likely what ends them."""
AHEAD = 64  # tasks that wait at executors, so that they are never idle and little is in memory


@dataclass(frozen=True)
class Solved:
    """What came of one of many problems.

    Attributes:
        number: of the problem, in the order in which they were given.
        solution: None where there is none.
        error: why there is none: what `nco.solve` raised, or that workers were lost.
    """

    number: int
    solution: Solution | None
    error: Exception | None = None


def solve_many(
    problems: Iterable[Problem],
    method: str = DEFAULT_METHOD,
    *,
    time_limit_s: float = 2.0,
    seed: int = 0,
    executor: Executor | None = None,
    jobs: int | None = None,
) -> Iterator[Solved]:
    """Solve many problems, each as `nco.solve` does, on all cores or on other machines.

    Results come in the order in which they are there. Each problem has one result: what a worker
    was doing that died is done by another one, and nothing is solved twice besides. An error in
    one problem does not touch the others.

    Args:
        problems: may be endless; only some are read ahead.
        method: name of one.
        time_limit_s: of each problem.
        seed: of each problem.
        executor: where to solve, such as `concurrent.futures.ProcessPoolExecutor()`, that of Dask
            (`Client(...).get_executor()`) or mpi4py's `MPIPoolExecutor()`; it stays open. None
            starts processes here, and ends them. An executor that breaks is replaced by such ones.
        jobs: how many processes are started here; as many as there are cores if left out.

    Yields:
        One result a problem.

    Raises:
        InputError: no such method, or a time limit, a seed or jobs that make no sense.
        ProblemError: something else than a problem is given.
    """
    check_limits(time_limit_s, seed, 1 if jobs is None else jobs)
    if not isinstance(method, str) or method not in METHODS:
        known = ", ".join(METHODS)
        raise InputError(f"method {quoted(method)} is unknown; known are {known}")
    of_kind(problems, Iterable, "problems", "problems, such as a list of them")  # type: ignore[type-abstract]
    if executor is not None:
        of_kind(executor, Executor, "executor", "a concurrent.futures.Executor")
    return _solved(problems, method, time_limit_s, seed, executor, jobs)


def _solved(
    problems: Iterable[Problem],
    method: str,
    time_limit_s: float,
    seed: int,
    executor: Executor | None,
    jobs: int | None,
) -> Iterator[Solved]:
    registered = dict(METHODS)
    tasks = (
        (number, (given_problem(problem), method, time_limit_s, seed, registered))
        for number, problem in enumerate(problems)
    )
    for number, done in spread(_solve, tasks, executor=executor, jobs=jobs):
        try:
            yield Solved(number, done.result())
        except Exception as error:
            yield Solved(number, None, error)


def _solve(
    problem: Problem, method: str, time_limit_s: float, seed: int, registered: dict[str, str]
) -> Solution:
    """What a worker does, which may be anywhere."""
    for name, target in registered.items():
        if name not in METHODS:
            register(name, target)
    return solve(problem, method, time_limit_s=time_limit_s, seed=seed)


def spread[Key, Result](
    function: Callable[..., Result],
    tasks: Iterable[tuple[Key, Sequence[Any]]],
    *,
    executor: Executor | None = None,
    jobs: int | None = None,
) -> Iterator[tuple[Key, Future[Result]]]:
    """Calls a function with many arguments on workers; yields futures that are done.

    A task whose worker is lost is given to another one, `MOST_TRIES` times.

    Args:
        function: what to call; it can be pickled.
        tasks: a key and arguments each; only some are read ahead.
        executor: where to; None starts processes here.
        jobs: how many of them.
    """
    with _workers(executor, jobs) as own:
        where = own
        waiting = iter(tasks)
        again: deque[tuple[Key, Sequence[Any], int]] = deque()
        running: dict[Future[Result], tuple[Key, Sequence[Any], int]] = {}
        try:
            while True:
                while len(running) < AHEAD:
                    if again:
                        key, arguments, tries = again.popleft()
                    elif (task := next(waiting, None)) is not None:
                        key, arguments, tries = *task, 1
                    else:
                        break
                    try:
                        future = where.submit(function, *arguments)
                    except (BrokenExecutor, RuntimeError) as error:
                        where = _instead(own, where, error)
                        future = where.submit(function, *arguments)
                    running[future] = key, arguments, tries
                if not running:
                    return
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    key, arguments, tries = running.pop(future)
                    lost = _lost(future)
                    if lost is None:
                        yield key, future
                    elif tries < MOST_TRIES:
                        log.warning(
                            "a worker was lost (%s); what it did is done again", shortened(lost)
                        )
                        again.append((key, arguments, tries + 1))
                    else:
                        yield key, _given_up(lost)
        finally:
            for future in running:
                future.cancel()
            if where is not executor and isinstance(where, Crew):
                where.kill()


def _lost(future: Future[Any]) -> BaseException | None:
    """Why there is no result, if that is for want of a worker."""
    if future.cancelled():
        return BrokenExecutor("the executor was shut down or dropped it")
    error = future.exception()
    named = type(error).__name__ in _LOST
    return error if isinstance(error, BrokenExecutor) or named else None


# What executors say of lost workers that is no `BrokenExecutor`; they need not be installed.
_LOST = ("KilledWorker", "CommClosedError", "FutureCancelledError")


def _given_up(lost: BaseException) -> Future[Any]:
    future: Future[Any] = Future()
    future.set_exception(
        NcoError(f"{MOST_TRIES} workers were lost at it, so it was given up: {shortened(lost)}")
    )
    return future


def _instead(own: Executor, broken: Executor, error: Exception) -> Executor:
    """Processes in place of an executor that takes no more tasks."""
    if isinstance(broken, Crew) and broken is not own:
        raise NcoError(f"no worker process can be started: {shortened(error)}") from error
    log.warning("the executor is broken (%s); processes here take over", shortened(error))
    return Crew(cores())


@contextmanager
def _workers(executor: Executor | None, jobs: int | None) -> Iterator[Executor]:
    """The executor that was given, or processes of our own until the end."""
    if executor is not None:
        yield executor
        return
    crew = Crew(cores() if jobs is None else jobs)
    try:
        yield crew
    finally:
        crew.kill()


def cores() -> int:
    """Processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
