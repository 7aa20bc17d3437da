"""Runs a suite in worker processes and keeps each result at once, so that it can go on later."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from concurrent.futures import Executor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from pathlib import Path
from typing import Any

from nco.bench.provenance import code
from nco.bench.result import RESULTS, Result, read_results
from nco.bench.shards import Shard
from nco.bench.suite import Suite, Task
from nco.bench.worker import prepare, prepared_work, work
from nco.errors import NcoError, StorageError
from nco.files import appending
from nco.solve import METHODS
from nco.spread import spread
from nco.versions import machine, version_of, versions
from nco.workers import workers

log = logging.getLogger("nco")


def run(
    suite: Suite,
    folder: str | Path,
    *,
    jobs: int = 1,
    shard: Shard | None = None,
    executor: Executor | None = None,
    done: Callable[[int, int], None] | None = None,
) -> list[Result]:
    """Run what is missing of a suite, or of a share of it.

    Args:
        suite: what to measure.
        folder: keeps `results.jsonl`, or `results-i-of-n.jsonl` of a share. Runs found there, of
            the same code and versions on the same processor, are not repeated.
        jobs: worker processes at a time, one thread each. More than there are free processors
            spoil the measurement.
        shard: the share; None for all.
        executor: where runs are made, such as Dask's; it must give each a processor of its own.
            None starts worker processes here.
        done: told after each run how many of how many are done.

    Returns:
        The results of all runs, in the order of the suite.

    Raises:
        NcoError: an instance cannot be drawn or read, the folder cannot be written, or its
            results are not of this program.
    """
    folder = Path(folder)
    path = folder / results_name(shard)
    tasks = list(suite.tasks()) if shard is None else shard.share(suite.tasks())
    stamp: dict[str, Any] = {
        "suite": suite.digest,
        "suite_instances": len(suite.instances),
        "code": code(),
        "jobs": jobs,
    }
    found = _known(folder, tasks)
    missing = [task for task in tasks if task not in found]
    if found:
        log.info("%d of %d runs were done before", len(found), len(tasks))
    with appending(path) as append:
        for task, result in found.items():
            if result.suite != suite.digest:  # the suite has grown
                found[task] = replace(
                    result, suite=suite.digest, suite_instances=len(suite.instances)
                )
                append(found[task].line())
        try:
            for task, result in _work(missing, jobs, stamp, executor):
                append(result.line())
                found[task] = result
                log.debug("%s", result)
                if result.crashed is not None:
                    log.warning("%s on %s: %s", result.method, result.instance, result.crashed)
                if done is not None:
                    done(len(found), len(tasks))
        except KeyboardInterrupt:
            log.warning("%d of %d runs are kept; run it again to go on", len(found), len(tasks))
            raise
    return [found[task] for task in tasks]


def results_name(shard: Shard | None) -> str:
    """The file that keeps the results of a share, or of all."""
    return "results.jsonl" if shard is None else f"results-{shard.number}-of-{shard.count}.jsonl"


def _work(
    tasks: list[Task], jobs: int, stamp: dict[str, Any], executor: Executor | None
) -> Iterable[tuple[Task, Result]]:
    if not tasks:
        return
    if executor is not None:
        methods = dict(METHODS)
        asked = ((task, (methods, task, stamp)) for task in tasks)
        for task, future in spread(prepared_work, asked, executor=executor):
            yield task, future.result()
        return
    with workers(min(jobs, len(tasks)), prepare, dict(METHODS)) as pool:
        pending = {pool.submit(work, task, stamp): task for task in tasks}
        try:
            for future in as_completed(pending):
                yield pending[future], future.result()
        except BrokenProcessPool:
            raise NcoError(
                "a process that solves was ended from outside, most likely for want of memory; "
                "give fewer --jobs or smaller sizes, then run again to go on"
            ) from None


def _known(folder: Path, tasks: list[Task]) -> dict[Task, Result]:
    """Results of earlier runs that still count, by task."""
    wanted = {task.key: task for task in tasks}
    found: dict[Task, Result] = {}
    try:
        # Empty files are of runs that were ended before their first result.
        paths = [path for path in sorted(folder.glob(RESULTS)) if path.stat().st_size]
    except OSError as error:
        raise StorageError(
            f"cannot read {folder}: {error.strerror or error}; choose another folder"
        ) from error
    for path in paths:
        for result in read_results(path):
            task = wanted.get(result.key)
            if task is not None and _still_counts(result):
                found[task] = result
    return found


def _still_counts(result: Result) -> bool:
    """Whether a run would be no different today, and did not end by an error."""
    now = (version_of(result.method), versions()["nco"], versions()["python"], code())
    then = (result.version, result.nco, result.python, result.code)
    same_machine = result.processor == machine()["processor"]
    return now == then and same_machine and result.crashed is None
