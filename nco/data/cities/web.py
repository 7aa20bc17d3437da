"""Asking a web server without hanging: time-outs, retries with back-off, plain errors."""

import contextlib
import http.client
import logging
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from urllib.parse import urlsplit

from nco.errors import ServiceError, quoted

log = logging.getLogger("nco")

_RETRIED = frozenset({429, 500, 502, 503, 504})
_CHUNK = 1 << 16
_LONGEST_PAUSE_S = 60.0
USER_AGENT = "nco-routing (route planning on OpenStreetMap)"
_GRACE_S = 0.1  # for what is just arriving
type _Reply = tuple[int, bytes, str | None, float]


@dataclass(frozen=True)
class Ask:
    """How to ask a server.

    Attributes:
        timeout_s: for one try, from connecting to the last byte.
        retries: further tries after a failed connection, a time-out, 429 or a server error.
        pause_s: before the first retry; doubled before each further one.
        max_bytes: a longer answer is refused.
        headers: sent with every request; never shown, because there may be a key among them.
        follow: whether to go where the server says that something is; with a key in the headers
            better not, because they would be sent there too.
        retried: statuses after which is asked again; those of others are returned.
    """

    timeout_s: float = 30.0
    retries: int = 3
    pause_s: float = 0.5
    max_bytes: int = 1 << 30
    headers: Mapping[str, str] = field(default=MappingProxyType({}), repr=False)
    follow: bool = True
    retried: frozenset[int] = _RETRIED

    def __call__(
        self, url: str, data: bytes | None = None, method: str | None = None
    ) -> tuple[int, bytes]:
        """GET a URL, or POST data to it (or what `method` says); return the status and the body.

        Raises:
            ServiceError: no usable answer after all tries, or one that is too long.
        """
        if urlsplit(url).scheme not in ("http", "https"):
            raise ServiceError(
                f"{quoted(url)} is no web address; it must begin with http:// or https://"
            )
        host = urlsplit(url).netloc
        pause_s = self.pause_s
        for attempt in range(self.retries + 1):
            status, body, problem, asked_pause_s = self._in_time(url, data, method)
            if problem is None:
                return status, body
            if attempt < self.retries:
                wait_s = min(max(pause_s, asked_pause_s), _LONGEST_PAUSE_S)
                log.info("%s %s; asking again in %.1f s", host, problem, wait_s)
                time.sleep(wait_s)
                pause_s *= 2
        tries = f"{self.retries + 1} tries" if self.retries else "1 try"
        raise ServiceError(
            f"{host} {problem} ({tries}); check the address and that the server runs, "
            "or try again later"
        )

    def _in_time(self, url: str, data: bytes | None, method: str | None) -> _Reply:
        """`_once` by a thread of its own, which is left behind when the time is over.

        A socket's time-out is for each piece that arrives: a server that sends its headers letter
        by letter, or a name that nobody resolves, would take as long as they like.
        """
        replies: list[_Reply | BaseException] = []

        def ask() -> None:
            try:
                replies.append(self._once(url, data, method))
            except BaseException as error:
                replies.append(error)

        asking = threading.Thread(target=ask, name="nco-ask", daemon=True)
        asking.start()
        asking.join(min(self.timeout_s + _GRACE_S, threading.TIMEOUT_MAX))
        if not replies:
            return 0, b"", f"gave no whole answer within {self.timeout_s:g} s", 0.0
        [reply] = replies
        if isinstance(reply, BaseException):
            raise reply
        return reply

    def _once(self, url: str, data: bytes | None, method: str | None) -> _Reply:
        """Status, body, what went wrong if another try may help, and the pause asked for."""
        headers = {"User-Agent": USER_AGENT, **self.headers}
        request = urllib.request.Request(url, data, headers, method=method)  # noqa: S310
        deadline = time.monotonic() + self.timeout_s
        try:
            with opener(follow=self.follow).open(request, timeout=self.timeout_s) as response:
                return response.status, self._read(response, url, deadline), None, 0.0
        except urllib.error.HTTPError as error:
            with error:
                if error.code in self.retried:
                    asked_s = _seconds(error.headers.get("Retry-After"))
                    return error.code, b"", f"answered {error.code} {error.reason}", asked_s
                try:
                    return error.code, self._read(error, url, deadline), None, 0.0
                except OSError as cut:
                    return 0, b"", f"broke off ({cut})", 0.0
        except TimeoutError:
            return 0, b"", f"gave no whole answer within {self.timeout_s:g} s", 0.0
        except urllib.error.URLError as error:
            if isinstance(error.reason, TimeoutError):
                return 0, b"", f"gave no answer within {self.timeout_s:g} s", 0.0
            return 0, b"", f"cannot be reached ({error.reason})", 0.0
        except (OSError, http.client.HTTPException) as error:
            return 0, b"", f"broke off ({error or type(error).__name__})", 0.0

    def _read(
        self, response: http.client.HTTPResponse | urllib.error.HTTPError, url: str, deadline: float
    ) -> bytes:
        """The body; a socket's time-out alone would let a server drip bytes for ever."""
        parts, size = [], 0
        while chunk := response.read1(_CHUNK) if hasattr(response, "read1") else response.read():
            parts.append(chunk)
            size += len(chunk)
            if size > self.max_bytes:
                raise ServiceError(
                    f"{urlsplit(url).netloc} answered with more than {self.max_bytes} bytes; "
                    "ask for less at once"
                )
            if time.monotonic() > deadline:
                raise TimeoutError
        return b"".join(parts)


def opener(*, follow: bool) -> urllib.request.OpenerDirector:
    """What opens http and https addresses and no others, wherever a server sends us."""
    found = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler,
        urllib.request.UnknownHandler,
        urllib.request.HTTPHandler,
        urllib.request.HTTPSHandler,
        urllib.request.HTTPDefaultErrorHandler,
        *([urllib.request.HTTPRedirectHandler] if follow else []),
        urllib.request.HTTPErrorProcessor,
    ):
        found.add_handler(handler())
    return found


def _seconds(header: str | None) -> float:
    with contextlib.suppress(TypeError, ValueError):
        return max(0.0, float(header or 0))
    return 0.0
