"""Jobs: problems that are being solved, told of as they go on, and kept for a while when done."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from nco.crew import Crew, LostWorkerError, Work, tell
from nco.web.reply import RefusedError, Reply, error_json
from nco.web.settings import Limits

OVERRUN, OVERRUN_S = 1.5, 60.0  # times its limit, and more, after which a search's process is ended
_MOST_EVENTS = 2000


class State(StrEnum):
    """What has become of a job."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


OVER = (State.DONE, State.FAILED, State.CANCELLED)


@dataclass(eq=False)
class Job:
    """One of them.

    Attributes:
        id: that nobody guesses.
        limit_s: how long its search may take.
        created: seconds since 1970.
        state: now.
        begun: when it began to run, if it did.
        ended: when it was over, if it is.
        events: what it told of, in order.
        reply: its answer, when it is over.
        stopped: whether it was asked to end early.
    """

    id: str
    limit_s: float
    created: float = field(default_factory=time.time)
    state: State = State.QUEUED
    begun: float | None = None
    ended: float | None = None
    events: list[dict[str, Any]] = field(default_factory=list)
    reply: Reply | None = None
    stopped: bool = False
    work: Work[Reply] | None = None
    timer: asyncio.TimerHandle | None = None
    change: asyncio.Event = field(default_factory=asyncio.Event)

    def row(self) -> dict[str, Any]:
        """As JSON data, without its answer and what it told of."""
        last = self.events[-1] if self.events else None
        best = None if last is None else {k: v for k, v in last.items() if k != "routes"}
        times = {"created": self.created, "begun": self.begun, "ended": self.ended}
        return {"id": self.id, "state": self.state, **times, "stopped": self.stopped, "best": best}


class Jobs:
    """All of them; used by the event loop alone.

    Args:
        crew: where they run, a process each.
        limits: how many.
    """

    def __init__(self, crew: Crew, limits: Limits) -> None:
        self._crew, self._limits = crew, limits
        self._jobs: OrderedDict[str, Job] = OrderedDict()

    @property
    def active(self) -> int:
        """How many run or wait."""
        return sum(job.state not in OVER for job in self._jobs.values())

    def get(self, number: str) -> Job:
        """A job by its id.

        Raises:
            RefusedError: there is none, or none any more.
        """
        if number not in self._jobs:
            raise RefusedError(404, "NotFound", "there is no such job, or none any more")
        return self._jobs[number]

    def rows(self) -> list[dict[str, Any]]:
        """All that are known, the latest first."""
        return [job.row() for job in reversed(self._jobs.values())]

    def submit(self, work: Callable[..., Reply], *arguments: Any, limit_s: float) -> Job:
        """Have something done.

        Args:
            work: makes the answer, in a worker.
            *arguments: of `work`.
            limit_s: how long the search in it may take.

        Raises:
            RefusedError: as many jobs wait as may.
        """
        if self.active >= self._limits.jobs + self._limits.waiting:
            raise RefusedError(
                503, "Busy", "as many jobs run and wait as this server takes; ask again later", 1
            )
        loop = asyncio.get_running_loop()
        job = Job(secrets.token_hex(8), limit_s)

        def heard(content: Any) -> None:
            loop.call_soon_threadsafe(self._told, job, content)

        def over(_future: Future[Reply]) -> None:
            loop.call_soon_threadsafe(self._over, job)

        job.work = self._crew.watch(heard, _begun, work, *arguments)
        job.work.add_done_callback(over)
        self._jobs[job.id] = job
        self._forget()
        return job

    def stop(self, job: Job) -> None:
        """Has a search return what it has found so far."""
        if job.state not in OVER and job.work is not None:
            job.stopped = True
            job.work.end()

    def cancel(self, job: Job) -> None:
        """Ends a job by force; it has no answer then."""
        if job.state not in OVER and job.work is not None:
            job.state = State.CANCELLED
            job.work.kill()
            self._change(job)

    def remove(self, job: Job) -> None:
        """Ends a job, and forgets it."""
        self.cancel(job)
        self._jobs.pop(job.id, None)

    async def finished(self, job: Job) -> None:
        """Waits for a job to be over."""
        while job.state not in OVER:
            await job.change.wait()

    async def events(self, job: Job, after: int = 0) -> AsyncIterator[tuple[int, dict[str, Any]]]:
        """What a job tells of, from the first event behind a number on, until it is over."""
        number = after
        while True:
            change, state = job.change, job.state
            while number < len(job.events):
                number += 1
                yield number, job.events[number - 1]
            if state in OVER:
                return
            await change.wait()

    def _told(self, job: Job, content: Any) -> None:
        if job.state in OVER:
            return
        if content == _RUNS:
            job.state, job.begun = State.RUNNING, time.time()
            most_s = OVERRUN * job.limit_s + OVERRUN_S
            job.timer = asyncio.get_running_loop().call_later(most_s, self._overdue, job)
            if job.stopped and job.work is not None:
                job.work.end()
        elif len(job.events) < _MOST_EVENTS:
            if job.events:  # routes of what has been bettered would fill the memory
                job.events[-1].pop("routes", None)
            job.events.append(content)
        else:
            job.events[-1] = content
        self._change(job)

    def _overdue(self, job: Job) -> None:
        """A search that has not ended long after its time is ended by force."""
        if job.state is State.RUNNING and job.work is not None:
            job.work.kill()

    def _over(self, job: Job) -> None:
        job.ended = time.time()
        if job.state is not State.CANCELLED and job.work is not None:
            try:
                job.reply = job.work.result()
            except (LostWorkerError, CancelledError) as error:
                job.reply = error_json("LostWorkerError", str(error), 500)
            except Exception:
                job.reply = error_json("Fault", "a fault of the server", 500)
            job.state = State.DONE if job.reply.status < 400 else State.FAILED
        if job.timer is not None:
            job.timer.cancel()
        job.work = job.timer = None
        self._change(job)
        self._forget()

    @staticmethod
    def _change(job: Job) -> None:
        """Wakes all that wait for something new of a job."""
        job.change.set()
        job.change = asyncio.Event()

    def _forget(self) -> None:
        """Drops the oldest jobs that are over, beyond as many as are kept."""
        spare = len(self._jobs) - self._limits.kept
        for job in [job for job in self._jobs.values() if job.state in OVER][: max(0, spare)]:
            del self._jobs[job.id]


_RUNS = "runs"


def _begun(work: Callable[..., Reply], *arguments: Any) -> Reply:
    """In a worker: tells that it begins."""
    tell(_RUNS)
    return work(*arguments)
