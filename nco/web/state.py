"""What a running server holds: its workers, its jobs, what it keeps."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from nco.crew import Crew, LostWorkerError
from nco.web.jobs import Jobs
from nco.web.reply import RefusedError, Reply
from nco.web.settings import Settings
from nco.web.work import served
from nco.web.work.posing import key_of

_AT_DESK = 64  # quick requests that wait, before further ones are refused


class Server:
    """The parts of a server.

    Attributes:
        settings: what is served.
        jobs: problems that are being solved.
        closing: set when the server is about to end, so that streams end as well.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        limits = settings.limits
        self._solvers = Crew(limits.jobs, _begin, settings, True)
        self._desk = Crew(1, _begin, settings, False)  # what is quick does not wait for searches
        self.jobs = Jobs(self._solvers, limits)
        self.closing = asyncio.Event()
        self._at_desk = 0
        self._problems: OrderedDict[str, bytes] = OrderedDict()

    def start(self) -> None:
        """Starts the workers, so that the first request finds them ready."""
        self._desk.start()
        self._solvers.start()

    def close(self) -> None:
        """Ends them, whatever they do."""
        self.closing.set()
        for crew in (self._desk, self._solvers):
            crew.kill()

    async def ask(self, work: Callable[..., Reply], *arguments: Any) -> Reply:
        """Has something quick done at once; it is ended by force where it takes too long.

        Raises:
            RefusedError: too much is asked at once, or it took too long.
        """
        return await self.ask_of(self._desk, work, *arguments)

    async def ask_of(self, crew: Crew, work: Callable[..., Reply], *arguments: Any) -> Reply:
        """Likewise, of another crew."""
        if self._at_desk >= _AT_DESK:
            raise RefusedError(503, "Busy", "too much is asked at once; ask again later", 1)
        self._at_desk += 1
        future = crew.submit(work, *arguments)
        try:
            async with asyncio.timeout(self.settings.limits.request_s):
                return await asyncio.wrap_future(future)
        except TimeoutError:
            raise RefusedError(
                503, "TooSlow", "this took longer than the server lets it; ask for less at once"
            ) from None
        except LostWorkerError as error:
            raise RefusedError(500, "LostWorkerError", str(error)) from None
        finally:
            self._at_desk -= 1
            future.kill()  # nothing where it is done

    def keep(self, raw: bytes) -> str:
        """Keeps a problem under a key, so that it can be named; the oldest are dropped."""
        key = key_of(raw)
        self._problems[key] = raw
        self._problems.move_to_end(key)
        while len(self._problems) > self.settings.limits.kept:
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
