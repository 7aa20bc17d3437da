"""What keeps a caged process from everything outside of it; each is used where the system has it.

Called in the process itself, after it has loaded whatever it needs and before it sees any data.
None of them can be taken back.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys

from nco.sandbox import landlock, seccomp

LIMITS, DESCRIPTORS, PRIVILEGES, USER, FILES, CALLS = (
    "limits",  # on processor time, memory, files, processes: without them nothing unknown is run
    "descriptors",  # nothing is open but its three pipes
    "no_new_privs",  # no program that it could run would have more rights
    "user",  # it is nobody, where it would have been root
    "landlock",  # files and ports cannot be opened
    "seccomp",  # any system call that it does not need ends it
)
_NOBODY = 65534
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_NO_NEW_PRIVS = 1, 4, 38
_SIGKILL = 9


def activate(cpu_s: int, memory_bytes: int) -> list[str]:
    """Puts this process under all guards that there are.

    Args:
        cpu_s: processor time in whole seconds; the process is ended then.
        memory_bytes: of address space; further memory is refused.

    Returns:
        The names of those that hold.
    """
    limited = _limit(cpu_s, memory_bytes)
    os.closerange(3, 1 << 16)
    active = [LIMITS, DESCRIPTORS] if limited else [DESCRIPTORS]
    if _gave_up_root():
        active.append(USER)
    if sys.platform == "linux":
        prctl = ctypes.CDLL(None, use_errno=True).prctl
        prctl(_PR_SET_PDEATHSIG, _SIGKILL, 0, 0, 0)
        prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
        if prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0:
            active.append(PRIVILEGES)
    if landlock.restrict():
        active.append(FILES)
    if limited:
        _forbid_descriptors()
    if seccomp.restrict():
        active.append(CALLS)
    return active


def _limit(cpu_s: int, memory_bytes: int) -> bool:
    """Limits what the process may use; whether all of it is limited."""
    try:
        import resource
    except ImportError:  # not a Unix
        return False
    limits = {
        "RLIMIT_CPU": (cpu_s, cpu_s + 1),  # told by a signal first, which says why
        "RLIMIT_AS": (memory_bytes, memory_bytes),
        "RLIMIT_FSIZE": (0, 0),
        "RLIMIT_CORE": (0, 0),
        "RLIMIT_NPROC": (0, 0),
        "RLIMIT_MEMLOCK": (0, 0),
        "RLIMIT_MSGQUEUE": (0, 0),
    }
    try:
        for name, pair in limits.items():
            if hasattr(resource, name):
                resource.setrlimit(getattr(resource, name), pair)
        return all(
            resource.getrlimit(getattr(resource, name)) == limits[name]
            for name in ("RLIMIT_CPU", "RLIMIT_AS")
        )
    except (OSError, ValueError, AttributeError):
        return False


def _forbid_descriptors() -> None:
    """No descriptor can be opened any more."""
    import resource

    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))


def _gave_up_root() -> bool:
    """Becomes nobody if it is root; whether it is no root."""
    if not hasattr(os, "geteuid"):
        return False
    if os.geteuid() == 0:
        try:
            os.setgroups([])
            os.setresgid(_NOBODY, _NOBODY, _NOBODY)
            os.setresuid(_NOBODY, _NOBODY, _NOBODY)
        except OSError:
            return False
    return os.geteuid() != 0
