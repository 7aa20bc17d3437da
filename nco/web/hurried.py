"""Connections that keep nobody waiting: who does not send, or does not read, is cut off.

The server takes so many connections at once and no more. Who opens them all and lets a header drip,
sends nothing, or never reads an answer would shut everybody else out. What follows a header, the
body, has its own time (`guard`).
"""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol

HEADERS_S = 20.0  # from a connection, or the first byte of a further request, to its last header
WRITTEN_S = 60.0  # for a client to take in some of an answer that waits for it


class Hurried(H11Protocol):
    """HTTP/1.1 with time limits on both sides."""

    _late: asyncio.TimerHandle | None = None
    _unread: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """See `asyncio.Protocol`."""
        super().connection_made(transport)
        self._hurry()

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`."""
        super().data_received(data)
        self._hurry()

    def connection_lost(self, exc: Exception | None) -> None:
        """See `asyncio.Protocol`."""
        for timer in (self._late, self._unread):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """See `asyncio.Protocol`."""
        super().pause_writing()
        self._unread = self.loop.call_later(WRITTEN_S, self.transport.abort)

    def resume_writing(self) -> None:
        """See `asyncio.Protocol`."""
        super().resume_writing()
        if self._unread is not None:
            self._unread.cancel()

    def _hurry(self) -> None:
        """Begins to count where a request has begun, and ends where its header is there."""
        answering = self.cycle is not None and not self.cycle.response_complete
        if self._late is None and not answering:
            self._late = self.loop.call_later(HEADERS_S, self._cut)
        elif self._late is not None and answering:
            self._late.cancel()
            self._late = None

    def _cut(self) -> None:
        self._late = None
        self.transport.abort()
