"""Who may ask, and how much of it is read: in front of everything else.

On loopback, whoever may use the machine may use the server; pages of other sites may not, though
the browser on it runs them. They are told by `Host` (another name that points here, DNS rebinding)
and `Origin` (another site's page). Elsewhere every request needs the token.
"""

from __future__ import annotations

import asyncio
import hmac
import re
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, parse_qs, urlsplit

from nco.web.reply import INPUT, INTERNAL, TOO_LARGE, RefusedError, Reply, as_json, error_json
from nco.web.settings import Settings, is_loopback

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

COOKIE = "nco_token"
READ_S = 30.0  # for the body of a request to arrive
POLICY = "; ".join(
    (
        "default-src 'self'",
        "img-src 'self' data: blob:{tiles}",
        "style-src 'self' 'unsafe-inline'",
        "worker-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
# A name or an address and a port, and nothing around them: `urlsplit` reads "[::1].evil" as ::1.
_HOST = re.compile(r"(?P<name>\[[0-9A-Fa-f:.]+\]|[\w.-]+)(?::\d{1,5})?", re.ASCII)
_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
)


class Guard:
    """Refuses who may not ask and what is too large; adds the headers that browsers heed.

    Args:
        app: what is guarded.
        settings: who may.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app, self._settings = app, settings
        tiles = "" if settings.tiles is None else f" {_origin(settings.tiles)}"
        self._policy = POLICY.format(tiles=tiles).encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = {
            key.decode("latin-1"): value.decode("latin-1") for key, value in scope["headers"]
        }
        more = [(b"content-security-policy", self._policy), *_HEADERS]

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                known = {key.lower() for key, _ in message.get("headers", [])}
                message = {
                    **message,
                    "headers": [
                        *message.get("headers", []),
                        *((key, value) for key, value in more if key not in known),
                    ],
                }
            await send(message)

        try:
            more += self._allowed(scope, headers)
            if scope["method"] == "OPTIONS" and "access-control-request-method" in headers:
                await answer(Reply(204, b""), sending)
                return
            body = await self._body(scope, headers, receive)
        except RefusedError as error:
            await answer(refusal(error, scope["path"]), sending, error.retry_s)
            return
        if body is None:
            await self._app(scope, receive, sending)
        else:
            await self._app(scope, _Replay(body, receive), sending)

    def _allowed(self, scope: Scope, headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
        """Headers for whoever may ask.

        Raises:
            RefusedError: who may not.
        """
        settings, found = self._settings, []
        host = headers.get("host", "")
        named = _HOST.fullmatch(host)
        if settings.on_loopback and not (named and is_loopback(named["name"])):
            raise RefusedError(
                403, "WrongHost", "this server answers to its own address on this machine only"
            )
        origin = headers.get("origin")
        if origin is not None:
            if origin in settings.origins:
                found += [
                    (b"access-control-allow-origin", origin.encode("latin-1")),
                    (b"access-control-allow-headers", b"authorization, content-type"),
                    (b"access-control-allow-methods", b"GET, POST, PUT, DELETE"),
                    (b"vary", b"origin"),
                ]
            elif _parts(origin).netloc != host:
                raise RefusedError(
                    403, "WrongOrigin", "pages of this site may not ask; see --allow-origin"
                )
        if settings.token is not None and scope["method"] != "OPTIONS":
            found += self._token(scope, headers)
        return found

    def _token(self, scope: Scope, headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
        """The cookie, for a browser that has opened an address with the token in it.

        Raises:
            RefusedError: there is no token, or another one.
        """
        scheme, _, given = headers.get("authorization", "").partition(" ")
        if scheme.casefold() == "bearer" and self._is(given.strip()):
            return []
        try:
            cookies = SimpleCookie(headers.get("cookie", ""))
        except CookieError:
            cookies = SimpleCookie()
        if COOKIE in cookies and self._is(cookies[COOKIE].value):
            return []
        if scope["method"] == "GET" and self._is(_asked(scope, "token")):
            cookie = f"{COOKIE}={self._settings.token}; HttpOnly; SameSite=Strict; Path=/"
            return [(b"set-cookie", cookie.encode("latin-1"))]
        raise RefusedError(
            401, "NoToken", "give the server's token, as 'Authorization: Bearer TOKEN'"
        )

    def _is(self, given: str) -> bool:
        token = self._settings.token or ""
        return hmac.compare_digest(given.encode(), token.encode())

    async def _body(self, scope: Scope, headers: dict[str, str], receive: Receive) -> bytes | None:
        """The whole body of a request; None where there can be none.

        Raises:
            RefusedError: it is too large, or does not arrive.
        """
        if scope["method"] in ("GET", "HEAD", "OPTIONS"):
            return None
        most = self._settings.limits.body_bytes
        too_large = RefusedError(
            413, "TooLargeError", f"the request is larger than {most} bytes, which is the limit"
        )
        length = headers.get("content-length", "0")
        if not (length.isascii() and length.isdigit()) or int(length[:20]) > most:
            raise too_large
        parts, size = [], 0
        try:
            async with asyncio.timeout(READ_S):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise RefusedError(400, "Gone", "the request was cut off")
                    parts.append(message.get("body", b""))
                    size += len(parts[-1])
                    if size > most:
                        raise too_large
                    if not message.get("more_body", False):
                        return b"".join(parts)
        except TimeoutError:
            raise RefusedError(408, "TooSlow", "the request did not arrive in time") from None


def _parts(address: str) -> SplitResult:
    """An address taken apart; nothing of what is none."""
    try:
        return urlsplit(address)
    except ValueError:
        return urlsplit("")


def _origin(address: str) -> str:
    """Scheme, host and port of an address."""
    parts = _parts(address)
    return f"{parts.scheme}://{parts.netloc}"


def _asked(scope: Scope, name: str) -> str:
    """A parameter of the query; nothing where there is none."""
    try:
        query = parse_qs(scope["query_string"].decode("latin-1"), max_num_fields=20)
    except ValueError:
        return ""
    return str(query.get(name, [""])[0])


class _Replay:
    """Gives a body that was read to the application, and then what else comes."""

    def __init__(self, body: bytes, receive: Receive) -> None:
        self._body: bytes | None = body
        self._receive = receive

    async def __call__(self) -> Message:
        if self._body is not None:
            body, self._body = self._body, None
            return {"type": "http.request", "body": body, "more_body": False}
        return await self._receive()


def refusal(error: RefusedError, path: str) -> Reply:
    """A refusal, in the shape that clients of a path read."""
    if path == "/":
        code = {413: TOO_LARGE, 500: INTERNAL, 503: INTERNAL}.get(error.status, INPUT)
        return as_json({"code": code, "error": str(error)}, error.status)
    return error_json(error.kind, str(error), error.status)


async def answer(reply: Reply, send: Send, retry_s: int | None = None) -> None:
    """Sends a reply without an application."""
    headers = [
        (b"content-type", reply.media.encode()),
        (b"content-length", str(len(reply.body)).encode()),
    ]
    if retry_s is not None:
        headers.append((b"retry-after", str(retry_s).encode()))
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body})
