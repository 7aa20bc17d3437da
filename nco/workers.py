"""Worker processes that have one thread each."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from multiprocessing.process import BaseProcess
from typing import Any

from nco.interruption import undone
from nco.threads import ONE_THREAD


@contextmanager
def workers(
    count: int, prepare: Callable[..., None] | None = None, *arguments: Any
) -> Iterator[ProcessPoolExecutor]:
    """A pool of fresh processes; what is still waiting at the end is dropped.

    An interruption is for their parent to heed: it ends them all, whatever they do.

    Args:
        count: processes at a time.
        prepare: called in each of them first.
        arguments: of `prepare`.
    """
    with one_thread_inherited():
        pool = ProcessPoolExecutor(
            count,
            mp_context=multiprocessing.get_context("spawn"),
            initializer=_begin,
            initargs=(prepare, arguments),
        )
        children = partial(_started_since, frozenset(multiprocessing.active_children()))
        try:
            with undone(partial(_kill, children)):
                yield pool
        except BaseException:  # an interruption, say: what runs would go on to its end
            _kill(children)
            raise
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


@contextmanager
def one_thread_inherited() -> Iterator[None]:
    """Has processes that are started meanwhile inherit an environment that says one thread.

    They are fresh ones, not forks: threads are counted when a library is loaded, and a fork of a
    process that has threads can hang.
    """
    before = {name: os.environ.get(name) for name in ONE_THREAD}
    os.environ.update(ONE_THREAD)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _begin(prepare: Callable[..., None] | None, arguments: tuple[Any, ...]) -> None:
    """Begins a worker. Ctrl-C on a terminal is sent to all processes, but the parent decides."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if prepare is not None:
        prepare(*arguments)


def _started_since(before: frozenset[BaseProcess]) -> list[BaseProcess]:
    return [child for child in multiprocessing.active_children() if child not in before]


def _kill(children: Callable[[], list[BaseProcess]]) -> None:
    for child in children():
        child.kill()
