"""Keeping freed memory in the process: large tensors come and go at every training step."""

from __future__ import annotations

import ctypes
import sys

# Options of glibc's mallopt, from its malloc.h.
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_MAX = -1, -2, -4
_TOP_PAD_BYTES = 256 * 2**20


def keep_freed_memory() -> bool:
    """Asks glibc not to hand large blocks back to the system when they are freed.

    By default every tensor over 32 MB is mapped afresh, and its pages are cleared by the system
    on first touch, which costs more than the arithmetic on them.

    Returns:
        Whether the C library took the advice; others than glibc have no such option.
    """
    if not sys.platform.startswith("linux"):
        return False
    library = ctypes.CDLL(None)
    if not hasattr(library, "mallopt"):
        return False
    options = {_TRIM_THRESHOLD: 2**31 - 1, _TOP_PAD: _TOP_PAD_BYTES, _MMAP_MAX: 0}
    taken = [library.mallopt(option, value) == 1 for option, value in options.items()]
    return all(taken)
