"""Computes labels: drawn training instances are solved, group by group, and it may be stopped."""

from __future__ import annotations

import logging
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from nco.baselines.pyvrp import solve_by_cpu
from nco.envs import environment
from nco.envs.base import feasible
from nco.envs.convert import conversion
from nco.errors import InputError
from nco.solve import solve
from nco.solver import ThreadClock
from nco.training.labels import Group, padded, read_labels, write_labels
from nco.workers import workers

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from nco.problem import Problem
    from nco.problem.solution import Solution
    from nco.training.lessons import Lessons

log = logging.getLogger("nco")

_WRITE_EVERY_S = 30.0


def compute_labels(lessons: Lessons) -> int:
    """Computes the labels that the file lacks; what was computed survives an interruption.

    Args:
        lessons: how instances are drawn, and which labels there are to be.

    Returns:
        How many groups were computed.

    Raises:
        FormatError: the file is damaged or of other instances.
        InputError: the solver found no feasible answer in its time.
    """
    plan, law = lessons.plan, lessons.law
    known = read_labels(plan.path, law) if Path(plan.path).is_file() else {}
    missing = [number for number in range(plan.groups) if number not in known]
    log.info("%s: %d of %d groups of labels are missing", plan.path, len(missing), plan.groups)
    wrote = time.monotonic()
    with ExitStack() as stack:
        pool: Executor = stack.enter_context(
            workers(plan.jobs) if plan.jobs > 1 else ThreadPoolExecutor(1)
        )
        try:
            for done, number in enumerate(missing):
                known[number] = _group(lessons, number, pool)
                if time.monotonic() - wrote > _WRITE_EVERY_S:
                    write_labels(plan.path, law, known)
                    wrote = time.monotonic()
                    log.info("%d of %d groups of labels computed", done + 1, len(missing))
        finally:
            if missing:
                write_labels(plan.path, law, known)
    return len(missing)


def solved(problem: Problem, method: str, limit_s: float) -> Solution:
    """What a method of `labels.SOLVERS` finds; in CPU seconds, but for `auto`."""
    if method == "pyvrp":
        return solve_by_cpu(problem, limit_s)
    if method == "lns":
        from nco.search.lns.solver import SOLVER

        return solve(problem, replace(SOLVER, clock=ThreadClock), time_limit_s=limit_s)
    return solve(problem, method, time_limit_s=limit_s)


def _group(lessons: Lessons, number: int, pool: Executor) -> Group:
    name, instance = lessons.instance(number)
    plan = lessons.plan
    kind = conversion(name)
    problems = kind.problems(instance)
    count = len(problems)
    found = list(pool.map(solved, problems, [plan.solver] * count, [plan.time_limit_s] * count))
    said = f"an instance of {name} with {instance.nodes} nodes in {plan.time_limit_s:g} s"
    if any(s.fallback for s in found):
        raise InputError(
            f"the search of {plan.solver} did not run on {said}; give more in "
            "data.labels.time_limit_s"
        )
    nodes = range(instance.nodes)
    actions = padded(
        [kind.actions(p, nodes, s.routes) for p, s in zip(problems, found, strict=True)]
    )
    env = environment(name)
    taken = torch.from_numpy(actions.astype(np.int64)).clamp_min(0)[:, None]
    if not feasible(env, instance, taken).all():
        raise InputError(
            f"{plan.solver} found no feasible answer to {said}; give more in "
            "data.labels.time_limit_s"
        )
    return Group(actions, env.cost(instance, taken)[:, 0].numpy())
