"""Threads of the compiled loops, which are not those of torch."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PARTS = 4  # of a range, for each thread

_lent: ContextVar[int | None] = ContextVar("_lent", default=None)


def count() -> int:
    """How many threads compiled loops may use: as many as torch had been given."""
    return _lent.get() or torch.get_num_threads()


@contextmanager
def lent_by_torch() -> Iterator[None]:
    """Leaves torch one thread, and all of its threads to the compiled loops.

    Torch's threads wait busily for a while after each operation. Between the steps of a rollout
    that takes a second processor away from the loops, which then are no faster than on one.
    """
    threads = torch.get_num_threads()
    if threads == 1:
        yield
        return
    before = _lent.set(count())
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        _lent.reset(before)


def share_out(run: Callable[[int, int], None], length: int) -> None:
    """Runs `run(begin, end)` on all parts of a range; `run` must release the GIL.

    This thread works too. Each thread takes another part when it has done one, since a thread
    wakes up late and parts take unequal time.
    """
    workers = min(count(), length)
    if workers < 2:
        run(0, length)
        return
    pieces = min(length, PARTS * workers)
    # Threads may share an iterator over a list: the GIL guards it.
    parts = iter(list(pairwise(round(k * length / pieces) for k in range(pieces + 1))))

    def work() -> None:
        for part in parts:
            run(*part)

    futures = [_pool(workers - 1).submit(work) for _ in range(workers - 1)]
    work()
    for future in futures:
        future.result()


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, "nco")
