"""One call for every method: `solve(problem, method, time_limit_s, seed)`."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from nco.errors import InputError, quoted
from nco.fleet.ending import evaluated_again
from nco.fleet.mending import unexplained
from nco.fleet.reductions.reduced import Reduced, advice, reduced
from nco.interruption import asked_since, keeping
from nco.problem import Feature, Problem
from nco.problem.given import given_problem
from nco.problem.route import Route
from nco.problem.solution import INITIAL, Solution
from nco.progress import Routes, listening
from nco.registry import add_method, load_method
from nco.solver import (
    Prepares,
    Solver,
    check_limits,
    extended,
    on_cores,
    refuse_unsupported,
    supported,
)
from nco.threads import torch_threads

if TYPE_CHECKING:
    from nco.search.evolve.files import OperatorSet

# Name -> "module:attribute" of a solver. Modules load on first use: some take seconds.
_METHODS: dict[str, str] = {
    "auto": "nco.search.auto:SOLVER",
    "nearest": "nco.baselines.nearest:SOLVER",
    "savings": "nco.baselines.savings:SOLVER",
    "ortools": "nco.baselines.ortools:SOLVER",
    "pyvrp": "nco.baselines.pyvrp:SOLVER",
    "vroom": "nco.baselines.vroom:SOLVER",
    "hgs": "nco.baselines.hgs:SOLVER",
    "lns": "nco.search.lns.solver:SOLVER",
    "lns-policy": "nco.search.lns.solver:GUIDED",
    "policy": "nco.search.policy.solver:SOLVER",
    "policy-x8": "nco.search.policy.solver:AUGMENTED",
    "policy-sample": "nco.search.policy.solver:SAMPLING",
    "policy-beam": "nco.search.policy.solver:BEAM",
    "policy-active": "nco.search.policy.solver:ACTIVE",
    "mcts": "nco.search.tree.solver:SOLVER",
    "genetic": "nco.search.genetic.solver:SOLVER",
    "genetic-policy": "nco.search.genetic.solver:POLICY",
    "genetic-savings": "nco.search.genetic.solver:SAVINGS",
    "genetic-nearest": "nco.search.genetic.solver:NEAREST",
    "genetic-random": "nco.search.genetic.solver:RANDOM",
}
METHODS = MappingProxyType(_METHODS)
DEFAULT_METHOD = "auto"

# Beyond the limit, to say why stops are left out: part of the 10 % + 50 ms that are forgiven.
REASONS_SHARE, REASONS_S = 0.05, 0.02
# Saying a problem without some features takes part of the time where that is more than such a
# share of it (a method does not begin otherwise for a millisecond less), but never all of it.
REDUCING_SHARE, LEAST_SHARE = 0.05, 0.01

type Watch = Callable[[Solution], None]
"""Called with each better solution that a search tells of."""
_WATCH_SHARE = 0.02  # of the time, that evaluating what searches tell of may take, about
_WATCH_S = 0.05  # between two solutions that are evaluated, at least


def register(name: str, target: str) -> None:
    """Add a method.

    Args:
        name: what users write in `method=`.
        target: "package.module:attribute" of an object that is a `Solver`.

    Raises:
        InputError: the name is taken, or one of the two is no such text.
    """
    add_method(_METHODS, name, target)


def solver(method: str | Solver) -> Solver:
    """The solver of a method, its module loaded; a solver is its own.

    Raises:
        InputError: no such method.
    """
    if not isinstance(method, str):
        if not (hasattr(method, "supports") and hasattr(method, "solve")):
            raise InputError(f"method is {quoted(method)}; give the name of one, or a solver")
        return method
    found: Solver = load_method(_METHODS, method)
    return found


def methods(problem: Problem | None = None) -> tuple[str, ...]:
    """Names of all methods, or of those that can handle a problem."""
    if problem is None:
        return tuple(_METHODS)
    given_problem(problem)
    fits: dict[frozenset[Feature], bool] = {}
    chosen = {name: supported(solver(name), problem) for name in _METHODS}
    for known in chosen.values():
        if known not in fits:
            fits[known] = reduced(problem, known).problem.features <= known
    return tuple(name for name, known in chosen.items() if fits[known])


def solve(
    problem: Problem,
    method: str | Solver = DEFAULT_METHOD,
    *,
    time_limit_s: float = 2.0,
    seed: int = 0,
    initial: Solution | None = None,
    jobs: int = 1,
    operators: OperatorSet | str | Path | None = None,
    watch: Watch | None = None,
) -> Solution:
    """Solve a problem.

    A method is one thread, as it is on the command line: torch, whose threads would wait busily for
    one another, has one while it searches, and then again as many as before. `OMP_NUM_THREADS`
    in the environment is a choice of yours, and nothing is changed. That libraries loaded
    before (such as numpy's) have threads of their own cannot be helped here.

    Features that the method lacks are said by others where that is exact, see
    `nco.fleet.reductions`.

    Args:
        problem: what to solve.
        method: one of `METHODS`, or a solver, such as one with other settings.
        time_limit_s: wall-clock seconds. Loading the method's module, its policy and compiled
            loops is not counted in them nor in `Solution.time_s`, but is `Solution.setup_s`.
        seed: the same seed gives the same answer for the same number of iterations.
        initial: a solution to start from, or to return if nothing better is found. It may have
            been one of another problem: its routes count, evaluated on this one.
        jobs: cores to use; `auto` and `lns` have islands on them that exchange their best. The
            same seed gives the same answer for the same number of jobs.
        operators: further ones of the neighbourhood search, which `auto` and `lns` use beside their
            own: the path of a file that `nco evolve operators` has written, or what
            `nco.search.evolve.files.read_operators` makes of it. Nothing in it is executed.
        watch: called in this thread with each better solution while the method searches, 20 times a
            second at most, its `time_s` being when it was found; the one that is returned comes
            last. `auto`, `lns`, `pyvrp` and what evolves with PyVRP tell of what they find, other
            methods of their answer only. What it raises ends the search.

    Returns:
        Always a solution. If none is feasible it is the best partial one, and its
        `violations` and `unassigned` say why.

    Raises:
        InputError: unknown method, a time limit, a seed or jobs that make no sense, or an
            `initial` that is no solution.
        ProblemError: the problem is none, or `initial` names a vehicle or a stop that does not
            exist.
        UnsupportedError: the method cannot do what the problem asks, use several cores, or search
            by operators.
        FormatError: the file of operators is none, or damaged.
        StorageError: it cannot be read.
        KeyboardInterrupt: the user interrupted it. A command that would rather have the best
            answer until then solves under `nco.interruption.heeded`, as `nco solve` does.
    """
    entered = time.perf_counter()
    given_problem(problem)
    check_limits(time_limit_s, seed, jobs)
    chosen = on_cores(solver(method), jobs)
    if operators is not None:
        chosen = with_operators(chosen, operators)
    begin = time.perf_counter()
    known = supported(chosen, problem)
    form = reduced(problem, known)
    refuse_unsupported(chosen, form.problem, advice(form.problem, known))
    took_s = time.perf_counter() - begin
    if isinstance(chosen, Prepares):
        chosen.prepare(form.problem)
    begin = time.perf_counter() - took_s
    if initial is not None:
        if not isinstance(initial, Solution):
            raise InputError(
                f"initial is {quoted(initial)}; give a Solution, such as Solution.from_routes makes"
            )
        initial = form.there(initial)
    heard = None if watch is None else _Heard(problem, form, watch, chosen.name, seed, begin)
    again = form.problem is not problem
    left_s = time_limit_s - took_s if took_s > REDUCING_SHARE * time_limit_s else time_limit_s
    left_s = max(left_s, LEAST_SHARE * time_limit_s)
    with keeping(), torch_threads(1), listening(heard), unexplained(), evaluated_again(again):
        found = chosen.solve(form.problem, left_s, seed, initial)
    if initial is not None and initial.better_than(found):
        found = replace(initial, fallback=INITIAL)
    if again:
        given = Solution.from_routes(problem, form.back(found.routes), explain=False)
        found = replace(given, fallback=found.fallback)
    left_s = time_limit_s - (time.perf_counter() - begin)
    found = found.with_reasons(problem, max(0.0, left_s) + REASONS_SHARE * time_limit_s + REASONS_S)
    found = replace(found, interrupted=asked_since(begin))
    found = found.stamped(
        method=chosen.name,
        seed=seed,
        time_s=time.perf_counter() - begin,
        setup_s=begin - entered,
    )
    if watch is not None:
        watch(found)
    return found


def with_operators(chosen: Solver, operators: OperatorSet | str | Path) -> Solver:
    """A solver that has further operators, see `solve`.

    Raises:
        InputError: these are neither a set of operators nor a path.
        UnsupportedError: the solver does not search by operators.
        FormatError: the file is none of operators.
        StorageError: it cannot be read.
    """
    from nco.search.evolve.files import given_operators

    given = given_operators(operators)
    return extended(chosen, given.removals, given.insertions)


class _Heard:
    """Makes solutions of what searches tell of, and passes on those that are better."""

    def __init__(
        self, problem: Problem, form: Reduced, watch: Watch, method: str, seed: int, begin: float
    ) -> None:
        self._problem, self._form, self._watch = problem, form, watch
        self._method, self._seed, self._begin = method, seed, begin
        self._best: Solution | None = None
        self._next = 0.0

    def __call__(self, routes: Routes) -> None:
        before = time.perf_counter()
        if before < self._next:
            return
        found = self._solution(routes())
        after = time.perf_counter()
        self._next = after + max(_WATCH_S, (after - before) / _WATCH_SHARE)
        if found.better_than(self._best):
            self._best = found.stamped(
                method=self._method, seed=self._seed, time_s=after - self._begin, setup_s=0.0
            )
            self._watch(self._best)

    def _solution(self, routes: Sequence[Route]) -> Solution:
        if self._form.problem is not self._problem:
            routes = self._form.back(routes)
        return Solution.from_routes(self._problem, routes, explain=False)
