"""A process that may make few system calls only, on Linux; any other one ends it.

Opening a file is refused but does not end it: an interpreter tries to for the words of its errors.

The filter is written here and not by `libseccomp`, because that is a library of the system that
pip cannot install, and a list of a dozen calls needs no more than this. See seccomp(2), bpf(4).
"""

from __future__ import annotations

import ctypes
import errno
import platform
import struct
import sys

# What an interpreter needs that has loaded all that it uses and only computes, reads its data from
# a pipe and writes its answer to one: memory, locks, the clock, the way back from a signal, an end.
_NAMES = (
    "read",
    "write",
    "mmap",
    "mprotect",
    "munmap",
    "mremap",
    "brk",
    "madvise",
    "futex",
    "rt_sigreturn",
    "clock_gettime",
    "exit",
    "exit_group",
)
# By machine: how the kernel calls it (AUDIT_ARCH_*), its number of `openat`, and those of these.
_MACHINES = {
    "x86_64": (0xC000003E, 257, (0, 1, 9, 10, 11, 25, 12, 28, 202, 15, 228, 60, 231)),
    "aarch64": (0xC00000B7, 56, (63, 64, 222, 226, 215, 216, 214, 233, 98, 139, 113, 93, 94)),
}
_LOAD, _EQUAL, _RETURN = 0x20, 0x15, 0x06  # a word of `seccomp_data`, a jump, an end
_NUMBER_AT, _MACHINE_AT = 0, 4  # in `seccomp_data`
_ALLOW, _KILL, _DENY = 0x7FFF0000, 0x80000000, 0x00050000 | errno.EACCES
_PR_SET_SECCOMP, _FILTER = 22, 2


class _Program(ctypes.Structure):
    """`struct sock_fprog`."""

    _fields_ = (("length", ctypes.c_ushort), ("code", ctypes.c_char_p))


def _code(machine: int, denied: int, numbers: tuple[int, ...]) -> bytes:
    """Instructions that end the process at any call but these, or deny one."""

    def step(code: int, value: int, equal: int = 0, other: int = 0) -> bytes:
        return struct.pack("=HBBI", code, equal, other, value)

    calls = [
        step(_EQUAL, number, equal=len(numbers) - k) for k, number in enumerate(numbers)
    ]  # to the last step, which allows
    return b"".join(
        (
            step(_LOAD, _MACHINE_AT),
            step(_EQUAL, machine, equal=1),  # calls of another machine have other numbers
            step(_RETURN, _KILL),
            step(_LOAD, _NUMBER_AT),
            step(_EQUAL, denied, other=1),
            step(_RETURN, _DENY),
            *calls,
            step(_RETURN, _KILL),
            step(_RETURN, _ALLOW),
        )
    )


def restrict() -> bool:
    """Allow this process no other system calls from now on; whether that is so.

    The process must have given up new privileges before (`no_new_privs`).
    """
    known = _MACHINES.get(platform.machine())
    if sys.platform != "linux" or known is None or sys.maxsize < 2**32:
        return False
    code = _code(*known)
    program = _Program(len(code) // 8, code)
    libc = ctypes.CDLL(None, use_errno=True)
    return bool(libc.prctl(_PR_SET_SECCOMP, _FILTER, ctypes.byref(program), 0, 0) == 0)
