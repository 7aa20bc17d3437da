"""Problems and jobs: `/v1/problems` and `/v1/solve`."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Annotated, Any, cast

from fastapi import APIRouter, Header, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse

from nco.web.jobs import OVER, Job, State
from nco.web.models import ExportRequest, JudgeRequest, SolveRequest
from nco.web.reply import RefusedError, Reply
from nco.web.routes.asked import TheServer, described, parsed, response
from nco.web.state import Server
from nco.web.work import exporting, judging, posing, solving

router = APIRouter(prefix="/v1", tags=["solve"])
_ALIVE_S = 15.0  # between two signs of life on a stream where nothing happens
_PROBLEM: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"$ref": "#/components/schemas/SolveRequest/properties/problem"}
            }
        },
    }
}


@router.post("/problems", openapi_extra=_PROBLEM)
async def pose(request: Request, server: TheServer) -> Response:
    """Keeps a problem, and tells what was read: nodes, vehicles, features, and what is odd."""
    raw = await request.body()
    reply = await server.ask_of(server.judges, posing.describe, raw)
    if reply.status == 200:
        server.keep(raw)
    return response(reply)


@router.get("/problems/{number}")
async def problem(number: str, server: TheServer) -> Response:
    """A problem in our JSON, with its matrices, as `nco.load` reads it."""
    return response(await server.ask(posing.written, server.kept(number)))


@router.post("/problems/{number}/evaluate", openapi_extra=described(JudgeRequest))
async def evaluate(number: str, request: Request, server: TheServer) -> Response:
    """What routes that a person made cost, when they are where, and what they break.

    `figures` are what plans are compared by, `by_vehicle` has the part of each vehicle.
    """
    raw = await request.body()
    await parsed(JudgeRequest, raw)
    kept = server.kept(number)
    # Problems are large, and the judges know the last ones.
    server.planners.start()  # whoever judges routes soon begins the day with them
    reply = await server.ask_of(server.judges, judging.judge, raw, number, None)
    if reply is None:
        reply = await server.ask_of(server.judges, judging.judge, raw, number, kept)
    return response(cast(Reply, reply))


@router.post("/problems/{number}/export", openapi_extra=described(ExportRequest))
async def export(number: str, request: Request, server: TheServer) -> Response:
    """Routes as a file, of one of the formats that `/v1/about` lists."""
    raw = await request.body()
    asked = await parsed(ExportRequest, raw)
    kept = server.kept(number)
    ask = server.print if asked.format in exporting.PRINTED else server.ask
    return response(await ask(exporting.export, asked.format, raw, kept, asked.city))


@router.post("/solve", status_code=202, openapi_extra=described(SolveRequest))
async def solve(request: Request, server: TheServer) -> Response:
    """Begins a job, and tells where to ask for it."""
    raw = await request.body()
    asked = await parsed(SolveRequest, raw)
    limits = server.settings.limits
    if (asked.problem is None) == (asked.problem_id is None):
        raise RefusedError(422, "RequestError", "give either problem or problem_id")
    if asked.time_limit_s > limits.time_limit_s:
        raise RefusedError(
            422,
            "RequestError",
            f"time_limit_s is {asked.time_limit_s:g}; this server takes {limits.time_limit_s:g} "
            "at most",
        )
    posed = None if asked.problem_id is None else server.kept(asked.problem_id)
    job = server.jobs.submit(solving.solve_job, raw, posed, limit_s=asked.time_limit_s)
    return JSONResponse(job.row(), 202, {"location": f"/v1/solve/{job.id}"})


@router.get("/solve")
async def jobs(server: TheServer) -> dict[str, Any]:
    """All jobs that are known, the latest first."""
    return {"jobs": server.jobs.rows()}


@router.get("/solve/{number}")
async def job(number: str, server: TheServer) -> dict[str, Any]:
    """How a job stands."""
    return server.jobs.get(number).row()


@router.get("/solve/{number}/result")
async def result(number: str, server: TheServer) -> Response:
    """The answer of a job: 200 with a solution, an error, or 409 while it is not over."""
    found = server.jobs.get(number)
    if found.state is State.CANCELLED:
        raise RefusedError(410, "Cancelled", "this job was cancelled; it has no answer")
    if found.reply is None:
        raise RefusedError(409, "NotReady", "this job is not over yet; see its events", 1)
    return response(found.reply)


@router.get("/solve/{number}/events")
async def events(
    number: str,
    server: TheServer,
    last_event_id: Annotated[str | None, Header(max_length=20)] = None,
) -> Response:
    """How a job goes on, as server-sent events: `better` for each better answer, then `end`.

    A stream that was cut off goes on where it was, by `Last-Event-ID`.
    """
    found = server.jobs.get(number)
    known = last_event_id or "0"
    after = int(known) if known.isascii() and known.isdigit() else 0
    return StreamingResponse(
        _stream(server, found, after),
        media_type="text/event-stream",
        headers={"cache-control": "no-store", "x-accel-buffering": "no"},
    )


async def _stream(server: Server, found: Job, after: int) -> AsyncIterator[bytes]:
    yield _event("state", found.row())
    told = server.jobs.events(found, after)
    upcoming = asyncio.ensure_future(anext(told, None))
    closing = asyncio.ensure_future(server.closing.wait())
    try:
        while True:
            await asyncio.wait(
                (upcoming, closing), timeout=_ALIVE_S, return_when=asyncio.FIRST_COMPLETED
            )
            if closing.done():
                return
            if not upcoming.done():
                yield b": still here\n\n"
                continue
            event = upcoming.result()
            if event is None:
                break
            yield _event("better", event[1], event[0])
            upcoming = asyncio.ensure_future(anext(told, None))
        yield _event("end", found.row())
    finally:
        upcoming.cancel()
        closing.cancel()


def _event(kind: str, content: Any, number: int | None = None) -> bytes:
    head = "" if number is None else f"id: {number}\n"
    return f"{head}event: {kind}\ndata: {json.dumps(content, allow_nan=False)}\n\n".encode()


@router.post("/solve/{number}/stop", status_code=202)
async def stop(number: str, server: TheServer) -> dict[str, Any]:
    """Has a search return the best that it has found so far."""
    found = server.jobs.get(number)
    server.jobs.stop(found)
    return found.row()


@router.delete("/solve/{number}")
async def cancel(number: str, server: TheServer) -> dict[str, Any]:
    """Ends a job by force; one that is over is forgotten."""
    found = server.jobs.get(number)
    if found.state in OVER:
        server.jobs.remove(found)
    else:
        server.jobs.cancel(found)
    return found.row()
