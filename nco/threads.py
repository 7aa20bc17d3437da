"""One thread a solver: fair comparisons, and far quicker answers where problems are small.

`one_thread` and `sleep_while_waiting` are for commands, before libraries are loaded; within
`torch_threads`, from Python too, torch has another number of threads for a while.
"""

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

# Every library that would start threads of its own reads one of these when it is loaded.
ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS"), "1"
)


def one_thread() -> None:
    """Have libraries that are loaded from now on use one thread, unless the user chose a number."""
    for name, count in ONE_THREAD.items():
        os.environ.setdefault(name, count)


def sleep_while_waiting() -> None:
    """Have threads of libraries loaded from now on sleep while they wait for one another.

    By default they wait busily, which pays as long as each has a core of its own. If another
    process holds one of the cores, the thread there is late for every operation, and the waiting
    ones keep it from the cores that are left: training of tiny tensors is then many times slower
    than on one thread. What the user chose stays.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")


_lock = threading.Lock()
_inside: set[int] = set()  # threads that are in `torch_threads`
_outside = 0  # what torch had when the first of them entered


@contextmanager
def torch_threads(count: int) -> Iterator[None]:
    """Has torch compute on so many threads meanwhile, and afterwards on as many as before.

    Nothing changes where torch is not loaded, or where the user chose a number by
    `OMP_NUM_THREADS`.

    Args:
        count: of threads.
    """
    global _outside
    torch, me = sys.modules.get("torch"), threading.get_ident()
    if torch is None or "OMP_NUM_THREADS" in os.environ:
        yield
        return
    with _lock:
        nested = me in _inside
        # What other threads set meanwhile is nobody's choice.
        if nested or not _inside:
            before = torch.get_num_threads()
            _outside = _outside if nested else before
        else:
            before = _outside
        _inside.add(me)
        torch.set_num_threads(count)
    try:
        yield
    finally:
        with _lock:
            if not nested:
                _inside.discard(me)
            torch.set_num_threads(before)
