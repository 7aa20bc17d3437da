"""What happens in a worker process: draw the instance, solve, check, report."""

from __future__ import annotations

import logging
import math
import os
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from nco.bench.instances import Instance
from nco.bench.result import Result
from nco.bench.suite import Task
from nco.threads import ONE_THREAD

if TYPE_CHECKING:
    from nco.problem import Problem
    from nco.problem.solution import Solution

log = logging.getLogger("nco")

_WARM_UP_S = 0.05


def prepare(methods: Mapping[str, str]) -> None:
    """Begin a worker: one thread, and the methods that its parent knows."""
    os.environ.update(ONE_THREAD)
    from nco.solve import METHODS, register

    for name, target in methods.items():
        if name not in METHODS:
            register(name, target)


def work(task: Task, stamp: Mapping[str, Any]) -> Result:
    """Run a task.

    A method that refuses the instance or raises an error is a result too, so that hours of
    others are not lost to it.

    Args:
        task: what to run.
        stamp: fields of the result that the parent knows: suite, suite_instances, code, jobs.

    Raises:
        NcoError: the instance cannot be drawn or read.
    """
    from nco.errors import UnsupportedError
    from nco.solve import solve
    from nco.versions import machine, version_of, versions

    problem, digits = _instance(task.instance)
    refused = crashed = solution = None
    begin = time.perf_counter()
    try:
        _warm_up(task.method, *_kind(problem))
        begin = time.perf_counter()
        solution = solve(problem, task.method, time_limit_s=task.budget_s, seed=task.instance.seed)
    except UnsupportedError as error:
        refused = str(error)
    except Exception as error:
        crashed = f"{type(error).__name__}: {error}"
        log.debug("%s on %s", task.method, task.instance.name, exc_info=True)
    return Result(
        source=task.instance.source,
        instance=task.instance.name,
        group=task.instance.group,
        size=task.instance.size,
        fingerprint=digits,
        best_known=task.instance.best_known,
        method=task.method,
        budget_s=task.budget_s,
        seed=task.instance.seed,
        refused=refused,
        crashed=crashed,
        time_s=time.perf_counter() - begin if solution is None else solution.time_s,
        version=version_of(task.method),
        nco=versions()["nco"],
        python=versions()["python"],
        **machine(),  # type: ignore[arg-type]
        threads=1,
        at=datetime.now(UTC).isoformat(timespec="seconds"),
        **_answer(problem, solution, task.budget_s),
        **stamp,
    )


def prepared_work(methods: Mapping[str, str], task: Task, stamp: Mapping[str, Any]) -> Result:
    """Run a task in a worker of any executor, which nobody has prepared."""
    prepare(methods)
    return work(task, stamp)


def _answer(problem: Problem, solution: Solution | None, budget_s: float) -> dict[str, Any]:
    """What the checker says about a solution, as fields of a result."""
    from nco.compare import Answer
    from nco.problem.check import check

    if solution is None:
        nothing = ("cost", "claimed", "disagreement", "distance_m", "duration_s")
        rest = {"routes": 0, "feasible": False, "findings": (), "fallback": ""}
        return dict.fromkeys(nothing) | rest
    answer = Answer(solution, check(problem, solution), budget_s)
    report = answer.report
    numbers = {
        "cost": report.cost,
        "claimed": solution.cost.total,
        "disagreement": answer.disagreement,
        "distance_m": report.distance_m,
        "duration_s": report.duration_s,
    }
    finite = {name: value if math.isfinite(value) else None for name, value in numbers.items()}
    return finite | {
        "routes": len(solution.routes),
        "fallback": solution.fallback,
        "setup_s": solution.setup_s,
        # A claimed cost that the checker disputes is told apart from routes that break a rule.
        "feasible": all(finding.kind == "cost" for finding in report.findings),
        "findings": tuple(finding.message for finding in report.findings),
    }


@lru_cache(maxsize=2)  # tasks go instance by instance, and large matrices take much memory
def _instance(instance: Instance) -> tuple[Problem, str]:
    from nco.bench.provenance import fingerprint

    problem = instance.build()
    return problem, fingerprint(problem)


def _kind(problem: Problem) -> tuple[bool, bool]:
    """Whether there are capacities, and time windows: what compiled code may depend on."""
    from nco.problem import Feature

    return Feature.CAPACITY in problem.features, Feature.TIME_WINDOWS in problem.features


@cache
def _warm_up(method: str, capacity: bool, windows: bool) -> None:
    """Load what a method needs once (modules, weights), so that the first run is like the rest."""
    import numpy as np

    from nco.errors import UnsupportedError
    from nco.problem import Problem
    from nco.solve import solve

    options: dict[str, Any] = {"lonlat": [[0.0, 0.0]] * 4}
    options |= {"demand": [0, 1, 1, 1], "capacity": 2} if capacity else {}
    options |= {"window_s": [[0.0, 100.0]] * 4, "service_s": [0, 1, 1, 1]} if windows else {}
    tiny = Problem.from_matrices(np.ones((4, 4)) - np.eye(4), **options)
    try:
        solve(tiny, method, time_limit_s=_WARM_UP_S)
    except UnsupportedError:
        return
