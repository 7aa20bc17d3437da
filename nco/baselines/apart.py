"""Searches of other people's libraries in a child process, because nothing else can end them.

OR-Tools and VROOM hold the interpreter's lock until their time is over, and neither VROOM nor HGS
looks at anything but their own clock. A child of `fork` begins at once with all that its parent
has built (some milliseconds; pages are copied only where one of the two writes), and it can be
ended whatever it does. It only calls the library and sends back what came of it, so that locks
which other threads of the parent hold do not matter to it.
"""

from __future__ import annotations

import contextlib
import ctypes
import logging
import multiprocessing
import os
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from nco.interruption import SIGNALS, asked_since, undone

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

log = logging.getLogger("nco")

LEAST_S = 0.5  # a search that ends by itself as soon needs no child
LATE, LATE_S = 0.05, 0.025  # share of its limit, and more, after which a search is given up
_LOOK_S = 0.02  # between two looks at whether an end is wanted
_HERE = not sys.platform.startswith("linux")  # forks of processes with threads are safe on Linux
_PR_SET_PDEATHSIG = 1
_forking = threading.Lock()

type Tell[T] = Callable[[T], None]
"""Told by a search what it would return if it were ended now."""


def searched[T](search: Callable[[Tell[T]], T], limit_s: float) -> T | None:
    """What a search returns, run where it can be ended.

    An interruption ends it, and so does its limit where it is late. On other systems than Linux
    it runs in this process and ends by itself.

    Args:
        search: heeds a limit; what it tells and returns can be pickled.
        limit_s: seconds of wall-clock time; infinite where it ends by something else.

    Returns:
        What it told last where it was ended before it returned; None where it told nothing.

    Raises:
        KeyboardInterrupt: the user interrupted it, and no command heeds that.
    """
    if _HERE or limit_s <= LEAST_S:
        return search(lambda _best: None)
    begin_s = time.perf_counter()
    child, reader = _begun(search)
    with reader, undone(lambda: os.kill(child, signal.SIGKILL)):
        try:
            found: T | None = _heard(reader, begin_s, (1 + LATE) * limit_s + LATE_S)
            return found
        finally:
            os.kill(child, signal.SIGKILL)  # it is there until it is waited for
            os.waitpid(child, 0)


def _begun(search: Callable[[Tell[Any]], Any]) -> tuple[int, Connection]:
    """Number of a child that searches, and where one hears of it."""
    # One at a time, or a child would hold the open end of another one's answer. Signals wait, or
    # the child would take one for its parent's.
    with _forking, warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of threads, see above
        reader, writer = multiprocessing.Pipe(duplex=False)
        parent, before = os.getpid(), signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        try:
            child = os.fork()
            if not child:
                _run(search, writer, parent)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        writer.close()
    return child, reader


def _run(search: Callable[[Tell[Any]], Any], writer: Connection, parent: int) -> None:
    """All that a child does; it never returns."""
    try:
        for number in SIGNALS:  # its parent decides
            signal.signal(number, signal.SIG_IGN)
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() == parent:
            try:
                writer.send((search(lambda best: writer.send((best, False))), True))
            except Exception as error:
                writer.send((error, True))
    finally:
        os._exit(0)


def _heard(reader: Connection, begin_s: float, most_s: float) -> Any:
    """What a child sends last; None where it sends nothing in time."""
    found, complete = None, False
    while not complete:
        left_s = begin_s + most_s - time.perf_counter()
        if asked_since(begin_s) or left_s <= 0:
            return found
        if reader.poll(min(_LOOK_S, left_s)):
            try:
                found, complete = reader.recv()
            except EOFError:
                log.warning("a search was ended from outside, most likely for want of memory")
                return found
    if isinstance(found, Exception):
        raise found
    return found


with contextlib.suppress(OSError, TypeError):
    _libc = ctypes.CDLL(None)
