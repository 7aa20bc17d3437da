"""A server in the test's own process: threads in place of worker processes, no socket."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import httpx

from nco import crew
from nco.crew import Crew, Work
from nco.interruption import end_searches
from nco.web.app import served_by
from nco.web.settings import Limits, Settings
from nco.web.state import Server
from nco.web.work import served


class Threads(Crew):
    """A crew of one thread; what runs can be told to end, but not be ended by force."""

    def __init__(self, count: int, prepare: Callable[..., None], *arguments: Any) -> None:
        self._pool = ThreadPoolExecutor(1)

    def start(self) -> None:
        """Nothing has to start."""

    def watch(self, told, fn, /, *args, **kwargs):
        """See `Crew`."""
        work: Work[Any] = _ThreadWork(told)

        def run() -> None:
            if not work.set_running_or_notify_cancel():
                return
            crew._tell = told
            try:
                found = fn(*args, **kwargs)
            except BaseException as error:
                work.set_exception(error)
            else:
                work.set_result(found)

        self._pool.submit(run)
        return work

    def kill(self) -> None:
        """See `Crew`."""
        self._pool.shutdown(cancel_futures=True)


class _ThreadWork(Work):
    def end(self) -> None:
        end_searches()

    def kill(self) -> bool:
        end_searches()
        return self.cancel()


class Served:
    """A server and a client of it.

    Attributes:
        server: its state.
    """

    def __init__(self, settings: Settings) -> None:
        self.server = Server(settings, Threads)
        self._app = served_by(self.server)
        self._loop = asyncio.Runner()

    def __call__(self, method: str, path: str, **more: Any) -> httpx.Response:
        """One request."""
        return self._loop.run(self.request(method, path, **more))

    def together(self, *requests: tuple[Any, ...], **more: Any) -> list[httpx.Response]:
        """Several requests at once."""

        async def all_of() -> list[httpx.Response]:
            return await asyncio.gather(*(self.request(*one, **more) for one in requests))

        return self._loop.run(all_of())

    async def request(self, method: str, path: str, **more: Any) -> httpx.Response:
        """One request, from inside an event loop."""
        base = "http://127.0.0.1:8765"
        transport = httpx.ASGITransport(self._app)
        async with httpx.AsyncClient(transport=transport, base_url=base) as client:
            return await client.request(method, path, **more)

    def run(self, work: Any) -> Any:
        """Something that waits, in the server's event loop."""
        return self._loop.run(work)

    def close(self) -> None:
        """Ends the server."""
        self.server.close()
        self._loop.close()


@contextmanager
def serving(**settings: Any) -> Iterator[Served]:
    """A server until the end of a block; its limits are those of `Limits` where not given."""
    limits = Limits(**settings.pop("limits", {}))
    chosen = Settings(limits=limits, **settings)
    before = served.settings()
    served.begin(chosen, searches=False)
    found = Served(chosen)
    try:
        yield found
    finally:
        found.close()
        served.begin(before, searches=False)
