"""Computes labels: PyVRP solves drawn training instances, group by group, and may be stopped."""

from __future__ import annotations

import logging
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from nco.baselines.pyvrp import solve_by_cpu
from nco.envs import environment
from nco.envs.base import feasible
from nco.envs.convert import conversion
from nco.errors import InputError
from nco.training.labels import Group, padded, read_labels, write_labels
from nco.workers import workers

if TYPE_CHECKING:
    from concurrent.futures import Executor

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
        InputError: PyVRP found no feasible answer in its time.
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


def _group(lessons: Lessons, number: int, pool: Executor) -> Group:
    name, instance = lessons.instance(number)
    cpu_s = lessons.plan.time_limit_s
    kind = conversion(name)
    problems = kind.problems(instance)
    found = list(pool.map(solve_by_cpu, problems, [cpu_s] * len(problems)))
    if any(s.fallback for s in found):
        raise InputError(
            f"PyVRP's search did not run on an instance of {name} with {instance.nodes} nodes in "
            f"{cpu_s:g} s of CPU time; give more in data.labels.time_limit_s"
        )
    nodes = range(instance.nodes)
    actions = padded(
        [kind.actions(p, nodes, s.routes) for p, s in zip(problems, found, strict=True)]
    )
    env = environment(name)
    taken = torch.from_numpy(actions.astype(np.int64)).clamp_min(0)[:, None]
    if not feasible(env, instance, taken).all():
        raise InputError(
            f"PyVRP found no feasible answer to an instance of {name} with "
            f"{instance.nodes} nodes in {cpu_s:g} s of CPU time; give more in "
            "data.labels.time_limit_s"
        )
    return Group(actions, env.cost(instance, taken)[:, 0].numpy())
