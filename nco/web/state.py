"""What a running server holds: its workers, its jobs, what it keeps."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from weakref import WeakValueDictionary

from nco.crew import Crew, LostWorkerError
from nco.web.jobs import Jobs
from nco.web.reply import RefusedError, Reply
from nco.web.settings import Settings
from nco.web.store import Store
from nco.web.work import served
from nco.web.work.posing import key_of

_PRINTING = 6.0  # times as long as other requests
_LOOK_S = 0.25  # between two looks at how long something has run
_FEW = 20  # of the largest problems, which are kept at most
_AT_DESK = 64  # quick requests that wait, before further ones are refused


class Server:
    """The parts of a server.

    Args:
        settings: what is served.
        crew: what work is done by.

    Attributes:
        settings: what is served.
        jobs: problems that are being solved.
        planners: has the days, in one process.
        press: makes pages for drivers.
        judges: reads problems and judges plans by hand, so that it knows the last ones.
        maps: cuts maps into tiles.
        store: scenarios and days.
        closing: set when the server is about to end, so that streams end as well.
    """

    def __init__(self, settings: Settings, crew: type[Crew] = Crew) -> None:
        self.settings = settings
        limits = settings.limits
        self._solvers = crew(limits.jobs, _begin, settings, settings.warm_up)
        self._desk = crew(1, _begin, settings, False)  # what is quick does not wait for searches
        self.planners = crew(
            1, _begin, settings, settings.warm_up
        )  # has the days, begun by the first of them
        self.press = crew(1, _begin, settings, False)  # prints, which takes seconds
        self.judges = crew(1, _begin, settings, False)
        self.maps = crew(1, _begin, settings, False)  # begun by the first who looks at one
        self.store = Store(settings.data, limits.store_bytes)
        self._writer = ThreadPoolExecutor(1, "nco-store")
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self.jobs = Jobs(self._solvers, limits)
        self.closing = asyncio.Event()
        self._at_desk = 0
        self._problems: OrderedDict[str, bytes] = OrderedDict()

    def start(self) -> None:
        """Starts the workers, so that the first request finds them ready."""
        self._desk.start()
        self.judges.start()
        self._solvers.start()

    def close(self) -> None:
        """Ends them, whatever they do."""
        self.closing.set()
        crews = (self._desk, self._solvers, self.planners, self.press, self.judges, self.maps)
        for crew in crews:
            crew.kill()
        self._writer.shutdown()
        self.store.close()

    async def ask(self, work: Callable[..., Reply], *arguments: Any) -> Reply:
        """Has something quick done at once; it is ended by force where it takes too long.

        Raises:
            RefusedError: too much is asked at once, or it took too long.
        """
        return await self.ask_of(self._desk, work, *arguments)

    async def print(self, work: Callable[..., Reply], *arguments: Any) -> Reply:
        """Likewise, for what takes seconds."""
        return await self.ask_of(self.press, work, *arguments, times=_PRINTING)

    async def keeping[T](self, work: Callable[..., T], *arguments: Any) -> T:
        """Has the store do something, beside the event loop.

        Raises:
            RefusedError: what it refuses.
            StorageError: the disk is full.
        """
        return await asyncio.get_running_loop().run_in_executor(self._writer, work, *arguments)

    def one_at_a_time(self, key: str) -> asyncio.Lock:
        """A lock by its name."""
        return self._locks.setdefault(key, asyncio.Lock())

    async def ask_of[T](
        self, crew: Crew, work: Callable[..., T], *arguments: Any, times: float = 1.0
    ) -> T:
        """Likewise, of another crew.

        Args:
            crew: that does it.
            work: what it does.
            *arguments: of `work`.
            times: how many times as long as usual it may take.
        """
        if self._at_desk >= _AT_DESK:
            raise RefusedError(503, "Busy", "too much is asked at once; ask again later", 1)
        self._at_desk += 1
        future = crew.submit(work, *arguments)
        waiting = asyncio.wrap_future(future)
        most_s, begun_s = times * self.settings.limits.request_s, 0.0
        try:
            # What counts is how long it runs: a worker may have to start first, and to compile.
            while not (await asyncio.wait((waiting,), timeout=_LOOK_S))[0]:
                now_s = time.monotonic()
                begun_s = begun_s or (now_s if future.running() else 0.0)
                if begun_s and now_s - begun_s > most_s:
                    raise RefusedError(
                        503,
                        "TooSlow",
                        "this took longer than the server lets it; ask for less at once",
                    )
            return waiting.result()
        except LostWorkerError as error:
            raise RefusedError(500, "LostWorkerError", str(error)) from None
        finally:
            self._at_desk -= 1
            waiting.cancel()
            future.kill()  # nothing where it is done

    def keep(self, raw: bytes) -> str:
        """Keeps a problem under a key, so that it can be named; the oldest are dropped."""
        key = key_of(raw)
        self._problems[key] = raw
        self._problems.move_to_end(key)
        limits = self.settings.limits
        while len(self._problems) > 1 and (
            len(self._problems) > limits.kept
            or sum(map(len, self._problems.values())) > _FEW * limits.body_bytes
        ):
            self._problems.popitem(last=False)
        return key

    def kept(self, key: str) -> bytes:
        """A problem that was kept.

        Raises:
            RefusedError: it is not there, or not any more.
        """
        if key not in self._problems:
            raise RefusedError(
                404, "NotFound", "there is no such problem, or none any more; post it"
            )
        self._problems.move_to_end(key)
        return self._problems[key]


def _begin(settings: Settings, searches: bool) -> None:
    served.begin(settings, searches=searches)
