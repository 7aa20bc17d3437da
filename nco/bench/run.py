"""Runs a suite in worker processes and keeps each result at once, so that it can go on later."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import as_completed
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from nco.bench.suite import Suite, Task
from nco.bench.worker import prepare, work
from nco.errors import FormatError, StorageError
from nco.solve import METHODS
from nco.versions import version_of, versions
from nco.workers import workers

log = logging.getLogger("nco")

RESULTS = "results.jsonl"


def run(
    suite: Suite,
    folder: str | Path,
    *,
    jobs: int = 1,
    done: Callable[[int, int], None] | None = None,
) -> list[dict[str, Any]]:
    """Run what is missing of a suite.

    Args:
        suite: what to measure.
        folder: keeps `results.jsonl`; runs found there with the same versions are not repeated.
        jobs: worker processes at a time, one thread each. More than there are free processors
            spoil the measurement.
        done: told after each run how many of how many are done.

    Returns:
        The lines of all runs of the suite, in its order.

    Raises:
        NcoError: a city cannot be used, a method cannot do what the problem asks, the folder
            cannot be written, or its results are not of this program.
    """
    path = Path(folder) / RESULTS
    tasks = list(suite.tasks())
    found = _known(path, tasks)
    missing = [task for task in tasks if task not in found]
    if found:
        log.info("%d of %d runs were done before", len(found), len(tasks))
    with _appending(path) as append:
        for task, line in _work(missing, jobs):
            append(line)
            found[task] = line
            log.debug("%s", line)
            if done is not None:
                done(len(found), len(tasks))
    return [found[task] for task in tasks]


def _work(tasks: list[Task], jobs: int) -> Iterable[tuple[Task, dict[str, Any]]]:
    if not tasks:
        return
    with workers(min(jobs, len(tasks)), prepare, dict(METHODS)) as pool:
        pending = {pool.submit(work, task): task for task in tasks}
        for future in as_completed(pending):
            yield pending[future], future.result()


def _known(path: Path, tasks: list[Task]) -> dict[Task, dict[str, Any]]:
    """Results of earlier runs that still count, by task."""
    found: dict[Task, dict[str, Any]] = {}
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return found
    except OSError as error:
        raise StorageError(
            f"cannot read {path}: {error.strerror or error}; choose another folder"
        ) from error
    except UnicodeDecodeError as error:
        raise FormatError(f"{path} is not UTF-8, so not of `nco bench`: {error}") from error
    wanted = {_key(asdict(task)): task for task in tasks}
    for number, text in enumerate(lines, start=1):
        try:
            line = json.loads(text)
            task = wanted.get(_key(line))
        except (ValueError, KeyError, TypeError):
            if not text.endswith("}"):  # cut off while it was written
                continue
            raise FormatError(
                f"{path}, line {number}: not a result of `nco bench`; choose another folder"
            ) from None
        if task is not None and _same_versions(task, line):
            found[task] = line
    return found


def _key(line: dict[str, Any]) -> str:
    return json.dumps([line[name] for name in sorted(Task.__dataclass_fields__)])


def _same_versions(task: Task, line: dict[str, Any]) -> bool:
    now = (version_of(task.method), versions()["nco"])
    return (line.get("version"), line.get("nco")) == now


@contextmanager
def _appending(path: Path) -> Iterator[Callable[[dict[str, Any]], None]]:
    """A function that appends one line at a time, whole and on the disk before it returns."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a+b") as file:
            file.seek(0)
            lines = file.read()
            if lines.endswith(b"}"):
                file.write(b"\n")
            else:  # without a last line that was cut off
                file.truncate(lines.rfind(b"\n") + 1)

            def append(line: dict[str, Any]) -> None:
                file.write(json.dumps(line).encode() + b"\n")
                file.flush()
                os.fsync(file.fileno())

            yield append
    except OSError as error:
        raise StorageError(
            f"cannot write {path}: {error.strerror or error}; "
            "free some space or choose a folder that can be written"
        ) from error
