"""What a process that computes references does; nothing here needs torch, which loads slowly."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nco.baselines import pyvrp
from nco.errors import InputError
from nco.problem.check import check

if TYPE_CHECKING:
    from nco.problem import Problem


def solve_by_cpu(problem: Problem, cpu_s: float) -> float:
    """The cost that PyVRP reaches in some CPU seconds of its thread, to 0.1 m.

    Raises:
        InputError: its answer is not feasible, or not its own.
    """
    solution = pyvrp.solve_by_cpu(problem, cpu_s)
    if solution.fallback:
        raise InputError(
            f"PyVRP's search did not run in {cpu_s:g} s of CPU time, so that there is only a "
            f"{solution.fallback}, which is no reference; give it more"
        )
    report = check(problem, solution)
    if not report.feasible:
        raise InputError(
            f"PyVRP found no feasible answer in {cpu_s:g} s of CPU time; give it more. {report}"
        )
    return round(report.cost, 1)
