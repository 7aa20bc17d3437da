"""What routes share: the server, the body of a request, and replies as responses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import anyio.to_thread
from fastapi import Depends, Request
from fastapi.responses import Response
from pydantic import BaseModel, ValidationError

from nco.errors import shortened
from nco.web.reply import RefusedError, Reply
from nco.web.state import Server

if TYPE_CHECKING:
    from collections.abc import Sequence

_SOON = 100_000  # bytes that are parsed in no time


def _server(request: Request) -> Server:
    found: Server = request.app.state.server
    return found


TheServer = Annotated[Server, Depends(_server)]


def response(reply: Reply, **headers: str) -> Response:
    """A reply as a response."""
    if reply.name:
        headers["content-disposition"] = f'attachment; filename="{reply.name}"'
    if reply.encoding:
        headers["content-encoding"] = reply.encoding
    return Response(reply.body, reply.status, headers or None, reply.media)


async def parsed[Model: BaseModel](model: type[Model], raw: bytes) -> Model:
    """The body of a request as what it should be; its bytes go on to a worker as they came.

    Raises:
        RefusedError: it is not.
    """
    try:
        if len(raw) < _SOON:
            return model.model_validate_json(raw)
        return await anyio.to_thread.run_sync(model.model_validate_json, raw)
    except ValidationError as error:
        raise RefusedError(422, "RequestError", faults(error.errors(include_url=False))) from None


def faults(errors: Sequence[Any]) -> str:
    """What is wrong with a request, in one line."""
    told = []
    for error in errors[:5]:
        place = ".".join(shortened(part) for part in error["loc"])
        told.append(f"{place}: {error['msg']}" if place else str(error["msg"]))
    return shortened("; ".join(told))


def described(model: type[BaseModel]) -> dict[str, Any]:
    """How OpenAPI is told of a body that is read by `parsed`."""
    place = {"$ref": f"#/components/schemas/{model.__name__}"}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": place}}}}
