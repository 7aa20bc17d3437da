"""As vroom-express: `POST /` and `GET /health`."""

from __future__ import annotations

import asyncio
import json

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import ValidationError

from nco.web.jobs import Job
from nco.web.models import VroomRequest
from nco.web.reply import INPUT, INTERNAL, TOO_LARGE, RefusedError
from nco.web.routes.asked import TheServer, described, parsed, response
from nco.web.state import Server
from nco.web.work import vroom

router = APIRouter(tags=["vroom-express"])
NO_OBJECT = (
    "Invalid JSON object in request, please add vehicles and jobs or shipments to the object body"
)
_LOOK_S = 0.5  # between two looks at whether the client is still there

# The check of vroom-express at `/health`.
_HEALTH = {
    "vehicles": [{"id": 0, "start_index": 0, "end_index": 1}],
    "jobs": [{"id": 1, "location_index": 1}, {"id": 2, "location_index": 2}],
    "matrices": {"car": {"durations": [[0, 2, 3], [2, 0, 4], [3, 4, 0]]}},
    "options": {"l": 0.1},
}


@router.post("/", openapi_extra=described(VroomRequest), operation_id="vroom")
async def solve(request: Request, server: TheServer) -> Response:
    """Solves a problem of VROOM, as vroom-express does.

    Of `options`, `g` (geometry), `c` (times of given steps), `x` (exploration, by which the time
    is chosen) and `l` (seconds) are heeded; a job has one thread, whatever `t` says.
    """
    raw = await request.body()
    try:
        asked = await parsed(VroomRequest, raw)
    except (RefusedError, ValidationError):
        return response(vroom.failed(INPUT, NO_OBJECT))
    if asked.jobs is None and asked.shipments is None:
        return response(vroom.failed(INPUT, NO_OBJECT))
    limits = server.settings.limits
    places = len(asked.jobs or ()) + 2 * len(asked.shipments or ())
    for count, what, most in (
        (places, "locations", limits.stops),
        (len(asked.vehicles), "vehicles", limits.vehicles),
    ):
        if count > most:
            text = f"Too many {what} ({count}) in query, maximum is set to {most:g}"
            return response(vroom.failed(TOO_LARGE, text))
    try:
        job = server.jobs.submit(vroom.solve_vroom, raw, limit_s=limits.time_limit_s)
    except RefusedError as error:
        reply = vroom.failed(INTERNAL, str(error))._replace(status=error.status)
        return response(reply, **{"retry-after": str(error.retry_s)})
    return await _answer(request, server, job)


async def _answer(request: Request, server: Server, job: Job) -> Response:
    """The answer of a job, which ends when its client goes away."""
    try:
        while True:
            try:
                async with asyncio.timeout(_LOOK_S):
                    await server.jobs.finished(job)
                break
            except TimeoutError:
                if await request.is_disconnected():
                    return response(vroom.failed(INTERNAL, "the client has gone"))
    finally:
        server.jobs.remove(job)
    if job.reply is None:
        return response(vroom.failed(INTERNAL, "Internal error"))
    if b'"code"' not in job.reply.body[:12]:  # its process was lost
        return response(vroom.failed(INTERNAL, "Internal error"))
    return response(job.reply)


@router.get("/health", operation_id="health")
async def health(server: TheServer) -> Response:
    """Solves a tiny problem: 200 where that works."""
    reply = await server.ask(vroom.solve_vroom, json.dumps(_HEALTH).encode())
    return Response(status_code=200 if reply.status == 200 else 500)
