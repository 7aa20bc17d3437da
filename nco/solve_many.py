"""Many problems at once, through any `concurrent.futures.Executor`: results as they come."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass

from nco.arguments import of_kind
from nco.errors import InputError, quoted
from nco.problem import Problem
from nco.problem.given import given_problem
from nco.problem.solution import Solution
from nco.solve import DEFAULT_METHOD, METHODS, register, solve
from nco.solver import check_limits
from nco.spread import spread


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
