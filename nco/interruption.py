"""Ends what runs when the user asks for it, by Ctrl-C (SIGINT) or by SIGTERM.

From Python, an interruption is what it always is: `KeyboardInterrupt`, out of whatever was called.
The command line does better. While a search runs under `keeping`, a signal only ends the clocks of
searches (`nco.solver.Clock`), so that they return the best that they have; anywhere else it raises
`KeyboardInterrupt`. What has not come to an end then is ended by force: within a second a command
is over, whatever it was doing.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)
EXIT_CODE = 130
SEARCH_S = 0.5  # after a signal, until a search must have returned its best
FORCE_S = 0.85  # until a command must have ended,
WRITE_S = 5.0  # or where it has an answer: a slow disk should not lose it

_asked_s = -float("inf")  # when searches were last asked to end, by time.perf_counter


def end_searches() -> None:
    """Ends all clocks that run in this process; those that begin later are not concerned."""
    global _asked_s
    _asked_s = time.perf_counter()


def asked_since(begin_s: float) -> bool:
    """Whether searches were asked to end after a moment of `time.perf_counter`."""
    return _asked_s >= begin_s


@contextmanager
def ending_searches() -> Iterator[None]:
    """Ends searches in other threads if waiting for them ends by an exception."""
    try:
        yield
    except BaseException:
        end_searches()
        raise


_undo: dict[object, Callable[[], object]] = {}


@contextmanager
def undone(undo: Callable[[], object]) -> Iterator[None]:
    """Has something undone if the process is ended by force meanwhile.

    Args:
        undo: removes a file that is half written, or ends a child.
    """
    key = object()
    _undo[key] = undo
    try:
        yield
    finally:
        del _undo[key]


class Command:
    """A command that heeds signals; see `heeded`.

    Attributes:
        interrupted: whether a signal came.
    """

    def __init__(self) -> None:
        self.interrupted = False
        self._searches = 0  # that run under `keeping`, one in the other
        self._answered = False
        self._overdue = False
        self._over = threading.Event()
        self._main = threading.get_ident()

    @contextmanager
    def keeping(self) -> Iterator[None]:
        """While a search runs: a signal ends it, and it returns the best that it has.

        Raises:
            KeyboardInterrupt: there was a signal before, or the search did not return in time.
        """
        if self.interrupted:
            raise KeyboardInterrupt
        self._searches += 1
        try:
            yield
            self._answered = self._searches == 1
        finally:
            self._searches -= 1

    @contextmanager
    def answering(self) -> Iterator[None]:
        """While there is an answer that would be lost: it may take as long as writing one."""
        before, self._answered = self._answered, True
        try:
            yield
        finally:
            self._answered = before

    def handle(self, _number: int, frame: FrameType | None) -> None:
        """What a signal does, in the main thread."""
        overdue, self._overdue = self._overdue, False
        again, self.interrupted = self.interrupted, True
        if overdue and not self._searches:  # the search has just returned
            return
        end_searches()
        if again or not self._searches:
            if _loads(frame):
                _end()
            raise KeyboardInterrupt

    def watch(self, signals: socket.socket) -> None:
        """Waits for a signal beside the main thread, which may be in compiled code for long."""
        while True:
            number = signals.recv(1)
            if not number:
                return
            if number[0] in SIGNALS:
                break
        end_searches()
        if self._over.wait(SEARCH_S):
            return
        if self._searches:
            self._overdue = True
            signal.pthread_kill(self._main, signal.SIGINT)
        if self._over.wait(FORCE_S - SEARCH_S):
            return
        if self._answered and self._over.wait(WRITE_S - FORCE_S):
            return
        _end()

    def end(self) -> None:
        """The command has ended by itself."""
        self._over.set()


def _loads(frame: FrameType | None) -> bool:
    """Whether a module is being loaded; C++ that is may abort the process at an exception."""
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib._bootstrap"):
            return True
        frame = frame.f_back
    return False


def _end() -> NoReturn:
    """Ends the process by force, without leaving anything half done."""
    for undo in list(_undo.values()):
        with contextlib.suppress(Exception):
            undo()
    with contextlib.suppress(OSError):
        os.write(2, b"nco: error: interrupted\n")
    os._exit(EXIT_CODE)


@contextmanager
def _no_signal_swallowed() -> Iterator[None]:
    """Ends the process where `KeyboardInterrupt` could not be raised.

    In what C calls back (the compiler of loops does, and so does the garbage collector), Python
    only prints an exception and goes on.
    """
    before = sys.unraisablehook

    def heed(ignored: sys.UnraisableHookArgs) -> None:
        if issubclass(ignored.exc_type, KeyboardInterrupt):
            _end()
        before(ignored)

    sys.unraisablehook = heed
    try:
        yield
    finally:
        sys.unraisablehook = before


_command: Command | None = None


def heeding() -> bool:
    """Whether signals are heeded by a command, so that searches return their best."""
    return _command is not None


def interrupted() -> bool:
    """Whether a command that heeds signals was sent one."""
    return _command is not None and _command.interrupted


@contextmanager
def keeping() -> Iterator[None]:
    """While a search runs: under `heeded`, see `Command.keeping`; otherwise nothing changes."""
    with contextlib.nullcontext() if _command is None else _command.keeping():
        yield


@contextmanager
def answering() -> Iterator[None]:
    """While there is an answer that would be lost: under `heeded`, see `Command.answering`."""
    with contextlib.nullcontext() if _command is None else _command.answering():
        yield


@contextmanager
def heeded() -> Iterator[Command]:
    """While a command runs, by which it is told of signals.

    A signal that was ignored when the process began (`nohup`, `&` in a script) still is. In any
    thread but the main one nothing changes, because Python tells no other of signals.
    """
    global _command
    command, before = Command(), {}
    if threading.current_thread() is not threading.main_thread():
        yield command
        return
    ours, theirs = socket.socketpair()
    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            before[number] = signal.signal(number, command.handle)
    theirs.setblocking(False)
    others = signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
    watcher = threading.Thread(target=command.watch, args=(ours,), daemon=True)
    watcher.start()
    _command = command
    try:
        with _no_signal_swallowed():
            yield command
    finally:
        _command = None
        command.end()
        signal.set_wakeup_fd(others)
        for number, handler in before.items():
            signal.signal(number, handler)
        theirs.close()
        watcher.join()
        ours.close()
