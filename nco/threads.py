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
