"""What goes back to a client: a status and bytes, and errors in one shape."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from nco.errors import (
    CityError,
    InputError,
    NcoError,
    ServiceError,
    StorageError,
    UnsupportedError,
)

JSON = "application/json"
INTERNAL, INPUT, ROUTING, TOO_LARGE = 1, 2, 3, 4
"""Codes of VROOM, and of vroom-express, for what has gone wrong."""


class Reply(NamedTuple):
    """An answer as it is sent, made in a worker.

    Attributes:
        status: of HTTP.
        body: as it is sent.
        media: what it is.
        name: of the file that a browser should save it as; empty for what is no file.
        encoding: `gzip` where the body is compressed.
    """

    status: int
    body: bytes
    media: str = JSON
    name: str = ""
    encoding: str = ""


def as_json(content: Any, status: int = 200) -> Reply:
    """An answer in JSON; infinite numbers must have become None."""
    text = json.dumps(content, ensure_ascii=False, allow_nan=False)
    return Reply(status, text.encode("utf-8", "backslashreplace"))


class RefusedError(Exception):
    """A request that is refused before any work is done.

    Attributes:
        status: of HTTP.
        kind: a word for programs.
        retry_s: after which to ask again, where that may help.
    """

    def __init__(self, status: int, kind: str, message: str, retry_s: int | None = None) -> None:
        super().__init__(message)
        self.status, self.kind, self.retry_s = status, kind, retry_s


def status_of(error: NcoError) -> int:
    """The status of HTTP that goes with an error."""
    if isinstance(error, UnsupportedError | CityError):
        return 422
    if isinstance(error, InputError):
        return 400
    if isinstance(error, StorageError):
        return 507
    return 502 if isinstance(error, ServiceError) else 500


def error_json(kind: str, message: str, status: int, **more: Any) -> Reply:
    """An error as programs read it, like `nco ... --json` writes it."""
    return as_json({"error": {"kind": kind, "message": message, **more}}, status)


def error_reply(error: NcoError) -> Reply:
    """An error of ours as an answer."""
    return error_json(type(error).__name__, str(error), status_of(error))
