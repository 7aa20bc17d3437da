"""Worker processes that have one thread each."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from typing import Any

from nco.threads import ONE_THREAD


@contextmanager
def workers(
    count: int, prepare: Callable[..., None] | None = None, *arguments: Any
) -> Iterator[ProcessPoolExecutor]:
    """A pool of fresh processes; what is still waiting at the end is dropped.

    Args:
        count: processes at a time.
        prepare: called in each of them first.
        arguments: of `prepare`.
    """
    # Fresh processes: threads are counted when a library is loaded, and a fork of a process that
    # has threads can hang. They inherit the environment that says one thread.
    before = {name: os.environ.get(name) for name in ONE_THREAD}
    os.environ.update(ONE_THREAD)
    pool = ProcessPoolExecutor(
        count,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=prepare,
        initargs=arguments,
    )
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
