"""Methods of designing lines side by side: every method on every instance, budget and seed.

Results are kept as lines of JSON as soon as they are there, so that an interrupted benchmark goes
on where it stopped. Runs of other code count no more.
"""

from __future__ import annotations

import hashlib
import logging
import time
from concurrent.futures import as_completed
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from nco.errors import InputError, UnsupportedError
from nco.files import appending
from nco.transit.answer import describe
from nco.transit.bench.result import Run, RunResult, read_runs
from nco.transit.design.named import (
    needs_all_joined,
    objective_of,
    running_lines,
    settings_of,
    usual_rules,
)
from nco.transit.design.registry import design, method_of
from nco.transit.files.read import read_instance
from nco.transit.instance.lines import format_lines
from nco.versions import machine
from nco.workers import workers

if TYPE_CHECKING:
    from collections.abc import Callable

    from nco.transit.design.result import Design
    from nco.transit.instance.transit_instance import TransitInstance
    from nco.transit.operate.network_cost import CostModel

logger = logging.getLogger("nco")

NAME = "results.jsonl"
# What can change an answer.
_PARTS = ("*.py", "transit/**/*", "envs/transit*", "models/**/*", "search/**/*")


@dataclass(frozen=True, kw_only=True)
class Suite:
    """What is compared.

    Attributes:
        instances: see `Run`, as all further ones.
        methods: names.
        objectives: names.
        evaluations: budgets; () for none.
        time_limits_s: budgets; () for none.
        seeds: how many of each, from `seed` on.
        seed: the first.
        rules: of the simulation; None for the usual ones of each objective.
        demand_shares: of the simulation.

    Raises:
        InputError: nothing is to be run, or a name is unknown.
    """

    instances: tuple[str, ...]
    methods: tuple[str, ...]
    objectives: tuple[str, ...] = ("passenger",)
    evaluations: tuple[int, ...] = ()
    time_limits_s: tuple[float, ...] = ()
    seeds: int = 1
    seed: int = 0
    rules: str | None = None
    demand_shares: tuple[float, ...] = (1.0,)

    def __post_init__(self) -> None:
        if not (self.evaluations or self.time_limits_s):
            raise InputError("there is no budget; give evaluations or time limits")
        for name in ("instances", "methods", "objectives", "seeds", "demand_shares"):
            if not getattr(self, name):
                raise InputError(f"{name} is empty; give at least one")
        for method in self.methods:
            method_of(method)

    def runs(self) -> list[Run]:
        """All runs: methods innermost, so that they meet the same machine."""
        budgets = [(count, None) for count in self.evaluations]
        limits = [(None, limit) for limit in self.time_limits_s]
        return [
            Run(
                instance=instance,
                method=method,
                objective=objective,
                rules=self.rules or usual_rules(objective),
                demand_share=share,
                evaluations=evaluations,
                time_limit_s=limit_s,
                seed=self.seed + k,
            )
            for instance, objective, share, (evaluations, limit_s), k, method in product(
                self.instances, self.objectives, self.demand_shares, [*budgets, *limits],
                range(self.seeds), self.methods,
            )
        ]  # fmt: skip


def run(
    suite: Suite,
    folder: str | Path,
    *,
    jobs: int = 1,
    done: Callable[[int, int], None] | None = None,
) -> list[RunResult]:
    """Run what is missing of a suite.

    Args:
        suite: what to compare.
        folder: keeps `results.jsonl`; runs found there, of the same code, instance and processor,
            are not repeated.
        jobs: processes at a time, one thread each.
        done: told after each run how many of how many are done.

    Returns:
        The results of all runs, in the order of the suite.

    Raises:
        NcoError: an instance cannot be read, the folder cannot be written, or its results are of
            something else.
    """
    path, wanted = Path(folder) / NAME, suite.runs()
    prints = {name: fingerprint(read_instance(name)) for name in suite.instances}
    found = _known(path, wanted, prints)
    missing = [task for task in wanted if task not in found]
    if found:
        logger.info("%d of %d runs were done before", len(found), len(wanted))
    if missing:
        with workers(min(jobs, len(missing))) as pool, appending(path) as append:
            pending = [pool.submit(work, task) for task in missing]
            try:
                for future in as_completed(pending):
                    result = future.result()
                    append(result.line())
                    found[result.run] = result
                    if done is not None:
                        done(len(found), len(wanted))
            except KeyboardInterrupt:
                known = len(found)
                logger.warning("%d of %d runs are kept; run it again to go on", known, len(wanted))
                raise
    return [found[task] for task in wanted]


def work(task: Run) -> RunResult:
    """Run one task; a method that refuses the objective is a result too.

    Raises:
        NcoError: the instance cannot be read.
    """
    instance = read_instance(task.instance)
    settings = settings_of(task.rules, task.demand_share)
    _warm_up(task.method, task.objective)
    objective = objective_of(instance, task.objective, settings)
    initial = running_lines(task.instance, instance) if task.method == "real" else []
    refused, found = None, None
    begin_s, begin_cpu_s = time.perf_counter(), time.process_time()
    try:
        found = design(
            objective,
            task.method,
            evaluations=task.evaluations,
            time_limit_s=task.time_limit_s,
            seed=task.seed,
            initial=initial,
        )
    except UnsupportedError as error:
        refused = str(error)
    time_s, cpu_s = time.perf_counter() - begin_s, time.process_time() - begin_cpu_s
    numbers = _numbers(task, instance, found, getattr(objective, "model", None))
    return RunResult(
        run=task,
        fingerprint=fingerprint(instance),
        refused=refused,
        evaluations=objective.evaluations,
        time_s=time_s,
        cpu_s=cpu_s,
        code=code(),
        processor=str(machine()["processor"]),
        at=datetime.now(UTC).isoformat(timespec="seconds"),
        **numbers,  # type: ignore[arg-type]
    )


def _numbers(
    task: Run, instance: TransitInstance, found: Design | None, model: CostModel | None
) -> dict[str, object]:
    """What is known of the lines, as fields of a result."""
    names = ("cost", "travel_min", "operator_min", "service_rate", "fleet", "wait_min")
    if found is None:
        return dict.fromkeys(names) | {"feasible": False, "lines": ""}
    facts, simulation = describe(
        instance,
        found.lines,
        settings_of(task.rules, task.demand_share),
        connected=needs_all_joined(task.objective),
        model=model,
    )
    travel_min = facts["exact"]["travel_min"]
    numbers: dict[str, object] = dict.fromkeys(names) | {
        "cost": found.cost,
        "travel_min": travel_min if np.isfinite(travel_min) else None,
        "operator_min": facts["exact"]["operator_min"],
        "feasible": facts["feasible"],
        "lines": format_lines(found.lines),
    }
    if simulation is not None:
        numbers["service_rate"] = simulation.service_rate_of_all
        numbers["fleet"] = simulation.fleet
        numbers["wait_min"] = simulation.mean_wait_s / 60
    return numbers


@cache
def _warm_up(method: str, objective: str) -> None:
    """Loads and compiles what a method needs, once a process, on a small network."""
    from nco.transit.instance.transit_instance import TransitInstance

    small = TransitInstance.mandl()
    try:
        design(objective_of(small, objective), method, evaluations=20)
    except UnsupportedError:
        return


@cache
def code() -> str:
    """Hexadecimal digits that follow from the code and the policies as they lie on the disk."""
    root = Path(__file__).parents[2]
    found = {path for part in _PARTS for path in root.glob(part)}
    digest = hashlib.sha256()
    for path in sorted(found):
        if path.suffix in (".py", ".safetensors"):
            digest.update(path.relative_to(root).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()[:12]


def fingerprint(instance: TransitInstance) -> str:
    """Hexadecimal digits that follow from all that decides which lines are good."""
    digest = hashlib.sha256()
    for array in (instance.link_s, instance.demand, instance.terminals):
        counted = np.zeros(0) if array is None else np.where(np.isinf(array), -1.0, array)
        digest.update(np.rint(1000 * counted).astype("<i8").tobytes())
    rules = ("lines", "min_stops", "max_stops", "hub", "fleet", "capacity")
    digest.update(repr([getattr(instance, name) for name in rules]).encode())
    return digest.hexdigest()[:12]


def _known(path: Path, wanted: list[Run], prints: dict[str, str]) -> dict[Run, RunResult]:
    """Results of earlier runs that still count."""
    if not path.exists() or not path.stat().st_size:
        return {}
    now = (code(), str(machine()["processor"]))
    return {
        result.run: result
        for result in read_runs(path)
        if result.run in wanted
        and (result.code, result.processor) == now
        and result.fingerprint == prints[result.run.instance]
    }
