"""Many calls of a function on any `concurrent.futures.Executor`, those of lost workers again."""

from __future__ import annotations

import logging
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from contextlib import contextmanager
from typing import Any

from nco.crew import Crew
from nco.errors import NcoError, shortened

log = logging.getLogger("nco")
MOST_TRIES = 3
"""Workers that a task may cost, after which it is given up: it is likely what ends them."""
AHEAD = 64  # tasks that wait at executors, so that they are never idle and little is in memory


def spread[Key, Result](
    function: Callable[..., Result],
    tasks: Iterable[tuple[Key, Sequence[Any]]],
    *,
    executor: Executor | None = None,
    jobs: int | None = None,
) -> Iterator[tuple[Key, Future[Result]]]:
    """Calls a function with many arguments on workers; yields futures that are done.

    A task whose worker is lost is given to another one, `MOST_TRIES` times.

    Args:
        function: what to call; it can be pickled.
        tasks: a key and arguments each; only some are read ahead.
        executor: where to; None starts processes here.
        jobs: how many of them.
    """
    with _workers(executor, jobs) as own:
        where = own
        waiting = iter(tasks)
        again: deque[tuple[Key, Sequence[Any], int]] = deque()
        running: dict[Future[Result], tuple[Key, Sequence[Any], int]] = {}
        try:
            while True:
                while len(running) < AHEAD:
                    if again:
                        key, arguments, tries = again.popleft()
                    elif (task := next(waiting, None)) is not None:
                        key, arguments, tries = *task, 1
                    else:
                        break
                    try:
                        future = where.submit(function, *arguments)
                    except (BrokenExecutor, RuntimeError) as error:
                        where = _instead(own, where, error)
                        future = where.submit(function, *arguments)
                    running[future] = key, arguments, tries
                if not running:
                    return
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    key, arguments, tries = running.pop(future)
                    lost = _lost(future)
                    if lost is None:
                        yield key, future
                    elif tries < MOST_TRIES:
                        log.warning(
                            "a worker was lost (%s); what it did is done again", shortened(lost)
                        )
                        again.append((key, arguments, tries + 1))
                    else:
                        yield key, _given_up(lost)
        finally:
            for future in running:
                future.cancel()
            if where is not executor and isinstance(where, Crew):
                where.kill()


def _lost(future: Future[Any]) -> BaseException | None:
    """Why there is no result, if that is for want of a worker."""
    if future.cancelled():
        return BrokenExecutor("the executor was shut down or dropped it")
    error = future.exception()
    named = type(error).__name__ in _LOST
    return error if isinstance(error, BrokenExecutor) or named else None


# What executors say of lost workers that is no `BrokenExecutor`; they need not be installed.
_LOST = ("KilledWorker", "CommClosedError", "FutureCancelledError")


def _given_up(lost: BaseException) -> Future[Any]:
    future: Future[Any] = Future()
    future.set_exception(
        NcoError(f"{MOST_TRIES} workers were lost at it, so it was given up: {shortened(lost)}")
    )
    return future


def _instead(own: Executor, broken: Executor, error: Exception) -> Executor:
    """Processes in place of an executor that takes no more tasks."""
    if isinstance(broken, Crew) and broken is not own:
        raise NcoError(f"no worker process can be started: {shortened(error)}") from error
    log.warning("the executor is broken (%s); processes here take over", shortened(error))
    return Crew(cores())


@contextmanager
def _workers(executor: Executor | None, jobs: int | None) -> Iterator[Executor]:
    """The executor that was given, or processes of our own until the end."""
    if executor is not None:
        yield executor
        return
    crew = Crew(cores() if jobs is None else jobs)
    try:
        yield crew
    finally:
        crew.kill()


def cores() -> int:
    """Processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
