"""What is kept: scenarios of the page, and days that change."""

from __future__ import annotations

import json
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from nco.errors import NcoError
from nco.web.models import Change, ExportDayRequest, PlanRequest, ScenarioRequest
from nco.web.reply import RefusedError
from nco.web.routes.asked import TheServer, described, parsed, response
from nco.web.state import Server
from nco.web.work import days, exporting

scenarios = APIRouter(prefix="/v1/scenarios", tags=["scenarios"])
plans = APIRouter(prefix="/v1/plans", tags=["plans"])


@scenarios.get("")
async def all_scenarios(server: TheServer) -> dict[str, Any]:
    """All that are saved, the latest first, without their content."""
    return {"scenarios": await server.keeping(server.store.scenarios)}


@scenarios.post("", status_code=201)
async def add_scenario(asked: ScenarioRequest, server: TheServer) -> dict[str, Any]:
    """Saves a new one; it is on the disk when this answers."""
    most = server.settings.limits.scenarios
    return await server.keeping(
        server.store.add_scenario, asked.name, _text(asked.content, "content"), most
    )


@scenarios.get("/{number}")
async def scenario(number: str, server: TheServer) -> Response:
    """A scenario as it was saved."""
    row, content = await server.keeping(server.store.scenario, number)
    head = json.dumps(row, ensure_ascii=False)
    return Response(f'{head[:-1]}, "content": {content}}}', media_type="application/json")


@scenarios.put("/{number}")
async def change_scenario(number: str, asked: ScenarioRequest, server: TheServer) -> dict[str, Any]:
    """Saves it again; with `version`, only if nobody has changed it since."""
    return await server.keeping(
        server.store.change_scenario,
        number,
        asked.name,
        _text(asked.content, "content"),
        asked.version,
    )


@scenarios.delete("/{number}", status_code=204)
async def remove_scenario(number: str, server: TheServer) -> None:
    """Deletes it."""
    await server.keeping(server.store.remove_scenario, number)


def _text(content: Any, name: str) -> str:
    try:
        return json.dumps(content, allow_nan=False)
    except ValueError:
        raise RefusedError(422, "RequestError", f"{name}: NaN and Infinity are no JSON") from None


@plans.get("")
async def all_plans(server: TheServer) -> dict[str, Any]:
    """All days that are kept, the latest first."""
    return {"plans": await server.keeping(server.store.plans)}


@plans.post("", status_code=201, openapi_extra=described(PlanRequest))
async def begin(request: Request, server: TheServer) -> Response:
    """Begins a day with a problem; nothing is planned yet."""
    raw = await request.body()
    asked = await parsed(PlanRequest, raw)
    if (asked.problem is None) == (asked.problem_id is None):
        raise RefusedError(422, "RequestError", "give either problem or problem_id")
    if asked.problem_id is not None:
        problem = server.kept(asked.problem_id)
    else:
        problem = _text(asked.problem, "problem").encode()
    options = {"city": asked.city, "profile": asked.profile, "method": asked.method}
    text = json.dumps(options | {"seed": asked.seed})
    # It is planned once without being kept, so that nothing is kept that cannot be planned.
    trial = await server.ask_of(
        server.planners, days.change, "", 0, None, days.Kept(problem, text, ())
    )
    if trial.reply.status >= 400:
        return response(trial.reply)
    number = await server.keeping(
        server.store.add_plan, problem, text, server.settings.limits.plans
    )
    return JSONResponse({"id": number}, 201, {"location": f"/v1/plans/{number}"})


@plans.get("/{number}")
async def plan(number: str, server: TheServer) -> Response:
    """The present plan of a day, whole: what is done, and what is planned."""
    return await _changed(server, number, None)


@plans.post("/{number}/changes", openapi_extra=described(Change))
async def change(number: str, request: Request, server: TheServer) -> Response:
    """Something happens: a stop is added, a vehicle drops out, it is planned again, ..."""
    raw = await request.body()
    await parsed(Change, raw)
    return await _changed(server, number, raw)


@plans.post("/{number}/export")
async def export(number: str, asked: ExportDayRequest, server: TheServer) -> Response:
    """What is left of a day as a file, of one of the formats that `/v1/about` lists."""
    async with server.one_at_a_time(number):
        problem, options, changes = await server.keeping(server.store.plan, number)
        count = len(changes)
        left = await server.ask_of(server.planners, days.left, number, count, None)
        if left.unknown:
            kept = days.Kept(problem, options, changes)
            left = await server.ask_of(server.planners, days.left, number, count, kept)
    if left.reply.status >= 400:
        return response(left.reply)
    ask = server.print if asked.format in exporting.PRINTED else server.ask
    given = asked.format, left.reply.body, problem, asked.city
    return response(await ask(exporting.export_left, *given))


@plans.delete("/{number}", status_code=204)
async def remove(number: str, server: TheServer) -> None:
    """Deletes a day."""
    await server.keeping(server.store.remove_plan, number)


async def _changed(server: Server, number: str, raw: bytes | None) -> Response:
    """One change after the other; each is kept before the client hears of it."""
    async with server.one_at_a_time(number):
        problem, options, changes = await server.keeping(server.store.plan, number)
        count = len(changes)
        done = await server.ask_of(server.planners, days.change, number, count, raw, None)
        if done.unknown:
            kept = days.Kept(problem, options, changes)
            done = await server.ask_of(server.planners, days.change, number, count, raw, kept)
        if done.change is not None:
            try:
                await server.keeping(server.store.add_change, number, count, done.change)
            except NcoError as error:
                raise RefusedError(409, "Changed", str(error)) from None
        return response(done.reply)
