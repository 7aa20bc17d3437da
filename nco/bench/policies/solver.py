"""What a process that computes references does; nothing here needs torch, which loads slowly."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nco.baselines.pyvrp import PyVRP
from nco.check import check
from nco.errors import InputError
from nco.solver import ThreadClock

if TYPE_CHECKING:
    from nco.problem import Problem

SEED = 1  # of PyVRP


def solve_by_cpu(problem: Problem, cpu_s: float) -> float:
    """The cost that PyVRP reaches in some CPU seconds of its thread, to 0.1 m.

    Raises:
        InputError: its answer is not feasible.
    """
    solution = PyVRP(clock=ThreadClock).solve(problem, cpu_s, SEED)
    report = check(problem, solution)
    if not report.feasible:
        raise InputError(
            f"PyVRP found no feasible answer in {cpu_s:g} s of CPU time; give it more. {report}"
        )
    return round(report.cost, 1)
