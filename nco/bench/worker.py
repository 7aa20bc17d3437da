"""What happens in a worker process: draw the instance, solve, check, report."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from nco.bench.suite import Task
from nco.threads import ONE_THREAD

if TYPE_CHECKING:
    from nco.data.city import City
    from nco.problem import Problem

_WARM_UP_S = 0.05


def prepare(methods: Mapping[str, str]) -> None:
    """Begin a worker: one thread, and the methods that its parent knows."""
    os.environ.update(ONE_THREAD)
    from nco.solve import METHODS, register

    for name, target in methods.items():
        if name not in METHODS:
            register(name, target)


def work(task: Task) -> dict[str, Any]:
    """Run a task.

    Returns:
        The line of results: the task, cost by solver and by checker, time, versions, processor.

    Raises:
        NcoError: the city cannot be used, or the method cannot do what the problem asks.
    """
    from nco.check import check
    from nco.compare import Answer
    from nco.solve import solve
    from nco.versions import machine, version_of, versions

    problem = _instance(*task.instance)
    _warm_up(task.method)
    solution = solve(problem, task.method, time_limit_s=task.budget_s, seed=task.seed)
    answer = Answer(solution, check(problem, solution), task.budget_s)
    return {
        **asdict(task),
        "instance": problem.name,
        "cost": answer.report.cost,
        "claimed": solution.cost.total,
        "disagreement": answer.disagreement,
        "distance_m": answer.report.distance_m,
        "duration_s": answer.report.duration_s,
        "routes": len(solution.routes),
        "feasible": answer.feasible,
        "findings": [finding.message for finding in answer.report.findings],
        "time_s": solution.time_s,
        "version": version_of(task.method),
        "nco": versions()["nco"],
        "python": versions()["python"],
        **machine(),
        "threads": 1,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
    }


@cache
def _city(name: str) -> City:
    from nco.data.places import city

    return city(name)


@cache
def _instance(city: str, problem: str, size: int, seed: int, within_km: float | None) -> Problem:
    from nco.data import sample

    options: dict[str, Any] = {} if within_km is None else {"within_km": within_km}
    drawn: Problem = getattr(sample, problem)(_city(city), size, seed=seed, **options)
    return drawn


@cache
def _warm_up(method: str) -> None:
    """Load what a method needs once (modules, weights), so that the first run is like the rest."""
    import numpy as np

    from nco.errors import UnsupportedError
    from nco.problem import Problem
    from nco.solve import solve

    tiny = Problem.from_matrices(
        np.ones((4, 4)) - np.eye(4), demand=[0, 1, 1, 1], capacity=2, lonlat=[[0.0, 0.0]] * 4
    )
    try:
        solve(tiny, method, time_limit_s=_WARM_UP_S)
    except UnsupportedError:
        return
