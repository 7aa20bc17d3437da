"""Threads of the compiled loops: those of torch."""

from __future__ import annotations

import ctypes
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

if TYPE_CHECKING:
    from collections.abc import Callable


PIECES = 4  # of the work, for each thread, at least


def count() -> int:
    """How many threads compiled loops may use: as many as torch has been given."""
    return torch.get_num_threads()


def piece(instances: int, decisions: int) -> int:
    """How many decisions of an instance a thread takes in one go.

    Few instances are shared out by decisions, many by instances.
    """
    parts = -(-PIECES * count() // instances) if count() > 1 else 1
    return -(-decisions // parts)


def share_out(run: Callable[[Any], None], pieces: int) -> None:
    """Runs `run(taken)` in as many threads as there may be, this one among them.

    Args:
        run: does pieces of work until none is left, and releases the GIL. `taken` is an int64 array
            of one number, from which `nco.kernels.products.take` takes the next piece.
        pieces: how many there are.

    Raises:
        BaseException: what `run` raised.
    """
    taken = np.zeros(1, np.int64)
    workers = min(count(), pieces)
    if workers < 2:
        run(taken)
        return
    errors: list[BaseException] = []

    def work() -> None:
        try:
            run(taken)
        except BaseException as error:  # raised again below, in the calling thread
            errors.append(error)

    _team()(work, workers)
    if errors:
        raise errors[0]


@cache
def _team() -> Callable[[Callable[[], None], int], None]:
    """What runs a function in several threads at once, this one among them.

    Torch's own threads where they can be asked. They wait busily for a while after each operation
    of torch; threads beside them would share a processor with that.
    """
    libraries = sorted((Path(torch.__file__).parent / "lib").glob("libgomp*"))
    if not libraries:
        return _pooled
    parallel = ctypes.CDLL(str(libraries[0])).GOMP_parallel
    task = ctypes.CFUNCTYPE(None, ctypes.c_void_p)
    parallel.argtypes = (task, ctypes.c_void_p, ctypes.c_uint, ctypes.c_uint)
    parallel.restype = None

    def team(work: Callable[[], None], workers: int) -> None:
        def called(_data: Any) -> None:
            work()

        parallel(task(called), None, workers, 0)

    return team


def _pooled(work: Callable[[], None], workers: int) -> None:
    """A team of threads of our own."""
    futures = [_pool(workers - 1).submit(work) for _ in range(workers - 1)]
    work()
    for future in futures:
        future.result()


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, "nco")
