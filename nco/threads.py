"""One thread a solver: fair comparisons, and far quicker answers where problems are small."""

import os

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
