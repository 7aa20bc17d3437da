"""A process that may open no file and no TCP port, where Linux has Landlock (from 5.13 on).

What a newer kernel can also take away is taken where it can: see landlock(7).
"""

from __future__ import annotations

import ctypes
import struct
import sys

_CREATE, _RESTRICT = 444, 446  # system calls, the same on all machines
_VERSION = 1  # flag of `_CREATE`: only tell the version
_FILES = {
    1: 13,
    2: 14,
    3: 15,
    5: 16,
}  # kinds of access to files that a version knows, and those before
_NET_FROM, _SCOPES_FROM = 4, 6  # versions that know TCP; sockets and signals of others


def restrict() -> bool:
    """Allow this process no access by name from now on; whether that is so.

    What is open stays open. The process must have given up new privileges before.
    """
    if sys.platform != "linux":
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    version = libc.syscall(_CREATE, None, ctypes.c_size_t(0), _VERSION)
    if version < 1:
        return False
    kinds = max(count for known, count in _FILES.items() if known <= version)
    words = [(1 << kinds) - 1]
    if version >= _NET_FROM:
        words.append(0b11)
    if version >= _SCOPES_FROM:
        words.append(0b11)
    asked = struct.pack(f"={len(words)}Q", *words)
    rules = libc.syscall(_CREATE, asked, ctypes.c_size_t(len(asked)), 0)
    return bool(rules >= 0 and libc.syscall(_RESTRICT, rules, 0) == 0)
