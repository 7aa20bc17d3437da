"""Worker processes that can be ended one by one: an executor that outlives its workers.

`ProcessPoolExecutor` cannot end what runs, and is of no use any more when one of its processes has
died. Here every process has a pipe and a thread of its own beside it: what it does can be told to
end (searches then return the best that they have), or be ended by force at once, and a process that
is gone is replaced by a fresh one. What it was doing fails with `LostWorkerError`, nothing else
does.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import pickle
import queue
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future
from multiprocessing.connection import Connection, wait
from typing import TYPE_CHECKING, Any

from nco.interruption import end_searches
from nco.workers import one_thread_inherited

if TYPE_CHECKING:
    from multiprocessing.context import SpawnProcess

_END = b"end"  # in place of a task: searches are to end
_AGAIN_S = 0.05  # between two calls to end
_starting = threading.Lock()  # the environment is the whole process's
_tell: Callable[[Any], None] | None = None  # in a worker, to whoever waits for its answer


class LostWorkerError(BrokenExecutor):
    """The process that worked on this has died, or was ended by force; the executor goes on."""


class Work[T](Future[T]):
    """What a worker does, or will do.

    Attributes:
        told: called with whatever the worker tells (`tell`) meanwhile, in a thread of the crew.
    """

    def __init__(self, told: Callable[[Any], None] | None = None) -> None:
        super().__init__()
        self.told = told
        self._worker: _Worker | None = None

    def end(self) -> None:
        """Have a search return the best that it has; nothing happens to what has not begun."""
        worker = self._worker
        if worker is not None:
            worker.end(self)

    def kill(self) -> bool:
        """End it at once, by force if it runs; whether it has not come to an end before."""
        if self.cancel():
            return True
        worker = self._worker
        return worker is not None and worker.kill(self)


def tell(content: Any) -> None:
    """In a worker: tells whoever waits for its answer of something; elsewhere nothing happens."""
    if _tell is not None:
        _tell(content)


class Crew(Executor):
    """An executor of worker processes, each with one thread for libraries.

    Args:
        count: processes. They are started when there is something to do, or by `start`.
        prepare: called in each of them first.
        arguments: of `prepare`.
    """

    def __init__(
        self, count: int, prepare: Callable[..., None] | None = None, *arguments: Any
    ) -> None:
        self._workers = [_Worker(self, prepare, arguments) for _ in range(count)]
        self._waiting: deque[tuple[Work[Any], bytes]] = deque()
        self._change = threading.Condition()
        self._closed = self._begun = False

    def start(self) -> None:
        """Start all processes now, so that the first task finds them ready."""
        with self._change:
            if not self._begun and not self._closed:
                self._begun = True
                for worker in self._workers:
                    worker.start()

    def submit[T](self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Work[T]:
        """See `concurrent.futures.Executor`."""
        return self.watch(None, fn, *args, **kwargs)

    def watch[T](
        self, told: Callable[[Any], None] | None, fn: Callable[..., T], /, *args: Any, **kwargs: Any
    ) -> Work[T]:
        """Submit something whose worker tells of its progress.

        Args:
            told: called in a thread of the crew with what the worker tells.
            fn: a function that can be pickled.
            *args: of `fn`.
            **kwargs: of `fn`.

        Raises:
            RuntimeError: the crew was shut down.
        """
        work: Work[T] = Work(told)
        task = pickle.dumps((fn, args, kwargs), pickle.HIGHEST_PROTOCOL)
        self.start()
        with self._change:
            if self._closed:
                raise RuntimeError("this crew was shut down")
            self._waiting.append((work, task))
            self._change.notify()
        return work

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """See `concurrent.futures.Executor`."""
        with self._change:
            self._closed = True
            dropped = list(self._waiting) if cancel_futures else []
            if cancel_futures:
                self._waiting.clear()
            self._change.notify_all()
        for work, _ in dropped:
            work.cancel()
        if wait and self._begun:
            for worker in self._workers:
                worker.join()

    def kill(self) -> None:
        """End everything at once."""
        self.shutdown(wait=False, cancel_futures=True)
        for worker in self._workers:
            worker.kill(None)
        self.shutdown()

    def next_task(self) -> tuple[Work[Any], bytes] | None:
        """For a worker's thread: what to do next; None when there is nothing any more."""
        with self._change:
            while not self._waiting and not self._closed:
                self._change.wait()
            return self._waiting.popleft() if self._waiting else None


class _Worker:
    """One process at a time, and the thread that speaks with it."""

    def __init__(
        self, crew: Crew, prepare: Callable[..., None] | None, arguments: tuple[Any, ...]
    ) -> None:
        self._crew, self._prepare, self._arguments = crew, prepare, arguments
        self._thread = threading.Thread(target=self._run, name="nco-crew", daemon=True)
        self._lock = threading.Lock()
        self._process: SpawnProcess | None = None
        self._pipe: Connection | None = None
        self._work: Work[Any] | None = None

    def start(self) -> None:
        self._thread.start()

    def join(self) -> None:
        self._thread.join()

    def end(self, work: Work[Any]) -> None:
        """Has the search that is `work` end, if it is what the process does."""
        with self._lock, contextlib.suppress(OSError):
            if self._work is work and self._pipe is not None:
                self._pipe.send_bytes(_END)

    def kill(self, work: Work[Any] | None) -> bool:
        """Ends the process by force if it does `work`, or whatever it does; whether it did."""
        with self._lock:
            if (work is not None and self._work is not work) or self._process is None:
                return False
            self._process.kill()
            return True

    def _run(self) -> None:
        self._ready()
        while (task := self._crew.next_task()) is not None:
            work, raw = task
            if not work.set_running_or_notify_cancel():
                continue
            with self._lock:
                self._work = work
            work._worker = self  # noqa: SLF001 -- its other half
            try:
                answer = self._answered(work, raw)
            except LostWorkerError as error:
                self._close()  # it may not be quite dead
                answer = False, error
            with self._lock:
                self._work = None
            succeeded, value = answer
            if succeeded:
                work.set_result(value)
            else:
                work.set_exception(value)
            del work, task, answer, value
            if not self._alive():
                self._ready()
        self._close()

    def _alive(self) -> bool:
        return self._process is not None and self._process.is_alive()

    def _answered(self, work: Work[Any], raw: bytes) -> tuple[bool, Any]:
        """Whether a task succeeded, and its result or its error.

        Raises:
            LostWorkerError: the process is gone.
        """
        if not (self._alive() or self._ready()) or self._pipe is None or self._process is None:
            raise LostWorkerError("a worker process died while it started; is memory short?")
        try:
            with self._lock:
                self._pipe.send_bytes(raw)
            while True:
                kind, content = self._heard()
                if kind == "told":
                    if work.told is not None:
                        work.told(content)
                else:
                    return kind == "done", content
        except (OSError, EOFError) as error:
            raise LostWorkerError(
                "the worker process was ended before it had an answer, by force or for want of "
                "memory"
            ) from error

    def _heard(self) -> tuple[str, Any]:
        """What the process says next.

        Raises:
            EOFError: it is gone.
        """
        assert self._pipe is not None  # noqa: S101 -- of whoever calls
        assert self._process is not None  # noqa: S101
        # The end of a pipe may be held open by a child of a process that is gone.
        wait([self._pipe, self._process.sentinel])
        if not self._pipe.poll():
            raise EOFError
        kind, content = pickle.loads(self._pipe.recv_bytes())  # noqa: S301 -- of our own process
        return kind, content

    def _ready(self) -> bool:
        """Starts a fresh process; whether it is ready for its first task."""
        self._close()
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(
            target=_serve, args=(theirs, self._prepare, self._arguments), daemon=True
        )
        with _starting, one_thread_inherited(), _deaf():
            process.start()
        theirs.close()
        with self._lock:
            self._process, self._pipe = process, ours
        try:
            return self._heard()[0] == "ready"
        except (OSError, EOFError):
            return False

    def _close(self) -> None:
        with self._lock:
            pipe, process = self._pipe, self._process
            self._pipe = self._process = None
        if pipe is not None:
            pipe.close()  # which ends the process
        if process is not None:
            process.join(1.0)
            process.kill()
            process.join()


@contextlib.contextmanager
def _deaf() -> Iterator[None]:
    """A process that is started meanwhile hears no Ctrl-C before it can ignore it.

    Ended while its interpreter begins, it would show a traceback on the user's terminal.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    from multiprocessing import resource_tracker

    resource_tracker.ensure_running()  # or `start` does it, and lets signals through again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _serve(
    pipe: Connection, prepare: Callable[..., None] | None, arguments: tuple[Any, ...]
) -> None:
    """What a worker process does: one task after the other, until its parent is gone."""
    global _tell
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # sent to all on a terminal; the parent decides
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})  # see `_deaf`
    writing = threading.Lock()

    def say(raw: bytes) -> None:
        with writing, contextlib.suppress(OSError):
            pipe.send_bytes(raw)

    _tell = lambda content: say(_packed("told", content))  # noqa: E731
    tasks: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    ending = threading.Event()

    def end_all() -> None:
        while ending.is_set():  # a search may begin later, after what it needs was loaded
            end_searches()
            time.sleep(_AGAIN_S)

    def listen() -> None:
        while True:
            try:
                raw = pipe.recv_bytes()
            except (OSError, EOFError):  # the parent is done with us, or dead
                os._exit(0)
            if raw != _END:
                tasks.put(raw)
            elif not ending.is_set():
                ending.set()
                threading.Thread(target=end_all, daemon=True).start()

    threading.Thread(target=listen, daemon=True).start()
    if prepare is not None:
        prepare(*arguments)
    say(_packed("ready", None))
    while True:
        task = tasks.get()
        ending.clear()  # what was asked to end has ended by itself
        say(_outcome(task))
        ending.clear()


def _outcome(raw: bytes) -> bytes:
    """What came of a task, as the parent is told."""
    try:
        function, args, kwargs = pickle.loads(raw)  # noqa: S301 -- of our own parent
        return _packed("done", function(*args, **kwargs))
    except BaseException as error:
        try:
            told = _packed("failed", error)
            pickle.loads(told)  # noqa: S301 -- just made here
        except Exception:
            return _packed("failed", RuntimeError(f"{type(error).__name__}: {error}"))
        return told


def _packed(kind: str, content: Any) -> bytes:
    return pickle.dumps((kind, content), pickle.HIGHEST_PROTOCOL)
