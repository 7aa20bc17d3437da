"""Several methods on one problem under the same clock, each answer checked independently."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from typing import Any

from nco.fleet.reductions.reduced import advice, reduced
from nco.interruption import heeding
from nco.problem import Feature, Problem
from nco.problem.check import check
from nco.problem.check_tally import Report
from nco.problem.given import given_problem
from nco.problem.solution import Solution, explained
from nco.solve import solve, solver
from nco.solver import Solver, refuse_unsupported, supported
from nco.versions import version_of

Show = Callable[[str, float], AbstractContextManager[None]]


@dataclass(frozen=True)
class Answer:
    """What a method found and what the checker says about it.

    Attributes:
        solution: as the method returned it.
        report: of `nco.check`.
        time_limit_s: what the method was given.
    """

    solution: Solution
    report: Report
    time_limit_s: float

    @property
    def method(self) -> str:
        """Name of the method."""
        return self.solution.method

    @property
    def feasible(self) -> bool:
        """Whether the checker finds nothing wrong."""
        return self.report.feasible

    @property
    def disagreement(self) -> float:
        """Relative difference between the method's cost and the checker's."""
        claimed, found = self.solution.cost.total, self.report.cost
        return 0.0 if claimed == found else abs(claimed - found) / max(abs(found), 1e-12)


@contextmanager
def _silence(_task: str, _expected_s: float) -> Iterator[None]:
    yield


def compare(
    problem: Problem,
    methods: Sequence[str | Solver],
    *,
    time_limit_s: float = 2.0,
    seed: int = 0,
    initial: Solution | None = None,
    show: Show = _silence,
) -> list[Answer]:
    """Solve a problem by each method in turn and check each answer.

    Args:
        problem: what to solve.
        methods: names known to `nco.solve`, or solvers.
        time_limit_s: of each method.
        seed: of each method.
        initial: a solution that each method starts from.
        show: wraps each run, told the task and the seconds that it may take.

    Returns:
        One answer a method, in the order given; where a command that heeds interruptions is
        interrupted, those that there are, if any.

    Raises:
        InputError: a method is unknown or cannot do what the problem asks.
        KeyboardInterrupt: the user interrupted it, and there is no answer yet.
    """
    given_problem(problem)
    chosen, loading_s = [], []
    for method in methods:  # before any of them spends its time
        begin = time.perf_counter()
        chosen.append(solver(method))
        loading_s.append(time.perf_counter() - begin)
        known = supported(chosen[-1], problem)
        other = reduced(problem, known).problem
        refuse_unsupported(chosen[-1], other, advice(other, known))
    answers: list[Answer] = []
    for one, loaded_s in zip(chosen, loading_s, strict=True):
        try:
            with show(f"solving by {one.name}", time_limit_s):
                found = solve(problem, one, time_limit_s=time_limit_s, seed=seed, initial=initial)
        except KeyboardInterrupt:
            if not answers or not heeding():
                raise
            break
        found = replace(found, setup_s=loaded_s + found.setup_s)
        answers.append(Answer(found, check(problem, found), time_limit_s))
        if found.interrupted:
            break
    return answers


def best(answers: Sequence[Answer]) -> Answer:
    """The feasible answer of least cost; without one, the nearest to feasible."""
    return min(answers, key=lambda a: (not a.feasible, a.solution.rank))


def gaps(answers: Sequence[Answer]) -> list[float | None]:
    """How much more each answer costs than the best feasible one; None where not feasible."""
    reference = best(answers)
    if not reference.feasible:
        return [None] * len(answers)
    least = reference.report.cost
    return [
        (a.report.cost - least) / abs(least)
        if a.feasible and least
        else (0.0 if a.feasible else None)
        for a in answers
    ]


def as_row(problem: Problem, answer: Answer, gap: float | None) -> dict[str, Any]:
    """An answer as plain data for JSON: cost, times, findings, and routes by names of stops."""
    solution, report = answer.solution, answer.report
    return {
        "method": answer.method,
        "version": version_of(answer.method),
        "fallback": solution.fallback or None,
        "interrupted": solution.interrupted,
        "feasible": answer.feasible,
        "cost": report.cost,
        "gap": gap,
        "distance_m": report.distance_m,
        "duration_s": report.duration_s,
        "time_s": solution.time_s,
        "setup_s": solution.setup_s,
        "time_limit_s": answer.time_limit_s,
        "seed": solution.seed,
        "disagreement": answer.disagreement,
        "findings": [
            {"kind": f.kind, "message": f.message, "route": f.route, "stop": f.stop}
            for f in report.findings
        ],
        "unassigned": [
            {"stop": problem.names[u.stop], "reason": u.reason, "required": u.required}
            for u in solution.unassigned
        ],
        "routes": [
            {"vehicle": route.vehicle, "stops": [problem.names[j] for j in route.stops]}
            for route in solution.routes
        ],
    }


_OTHER_COSTS = {
    Feature.DURATION_COST,
    Feature.FIXED_COST,
    Feature.LONGEST_ROUTE,
    Feature.OPTIONAL_STOPS,
    Feature.PREFERENCES,
}


def table(problem: Problem, answers: Sequence[Answer]) -> list[tuple[str, ...]]:
    """Answers as text: titles of columns, then a row each.

    A gap is to the best of several answers; a single one has none.
    """
    cost = f"cost {cost_unit(problem)}".rstrip()
    titles = ("method", cost, "gap to best", "time s", "setup", "routes", "unserved", "feasible")
    rows: list[tuple[str, ...]] = [titles]
    for answer, gap in zip(answers, gaps(answers), strict=True):
        solution = answer.solution
        row = (
            solution.label,
            cost_text(problem, answer.report.cost),
            "-" if gap is None else f"{100 * gap:.2f} %",
            f"{solution.time_s:.2f}",
            f"{solution.setup_s:.2f}",
            str(len(solution.routes)),
            str(len(solution.unassigned)),
            "yes" if answer.feasible else "NO",
        )
        rows.append(row)
    return rows if len(answers) > 1 else [(*row[:2], *row[3:]) for row in rows]


def notes(answers: Sequence[Answer]) -> list[str]:
    """What a `table` needs said below it: which answers are not what they seem."""
    found = []
    for answer in answers:
        solution = answer.solution
        if solution.fallback:
            found.append(f"{solution.label}: {explained(solution.fallback)}")
        if solution.interrupted:
            found.append(
                f"{answer.method}: interrupted after {solution.time_s:.1f} s of "
                f"{answer.time_limit_s:g} s; this is the best answer until then"
            )
    return found


def cost_unit(problem: Problem) -> str:
    """What `cost_text` counts: "km" if metres are all that the problem counts, else nothing."""
    return "km" if _in_metres(problem) else ""


def cost_text(problem: Problem, cost: float) -> str:
    """A cost as people read it, in the unit of `cost_unit`."""
    return f"{cost / 1000:.3f}" if _in_metres(problem) else f"{cost:.6g}"


def _in_metres(problem: Problem) -> bool:
    return (
        problem.lonlat is not None
        and problem.objective.distance == 1
        and not problem.features & _OTHER_COSTS
        and all(vehicle.cost_per_m == 1 for vehicle, _ in problem.fleet)
    )
