"""The application: routes, the guard in front of them, and the page.

FastAPI, because it describes itself (OpenAPI) from the types that it checks, is typed throughout
and in wide use; Starlette below it serves streams and files. Its own pages of documentation are
off, because they load scripts from elsewhere.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from fastapi.responses import FileResponse, HTMLResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException

import nco
from nco.errors import NcoError
from nco.solve import METHODS
from nco.web import models
from nco.web.guard import Guard
from nco.web.reply import RefusedError, error_json, error_reply
from nco.web.routes import cities, kept, solve, vroom
from nco.web.routes.asked import faults, response
from nco.web.settings import Settings
from nco.web.state import Server
from nco.web.work import exporting

PAGE = Path(__file__).with_name("page")
_NO_PAGE = "<!doctype html><title>nco</title><p>nco serves its interface here: /openapi.json</p>"


def application(settings: Settings | None = None) -> Guard:
    """The server as an ASGI application, for `nco serve` or any other ASGI server.

    Args:
        settings: what is served, to whom; Helsinki on loopback if left out.
    """
    return served_by(Server(settings or Settings()))


def served_by(server: Server) -> Guard:
    """The application of a server."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        server.start()
        try:
            yield
        finally:
            server.close()

    app = FastAPI(
        title="nco",
        version=nco.__version__,
        description="Route planning on real cities.",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        responses={"default": {"model": models.ErrorAnswer, "description": "what went wrong"}},
    )
    app.state.server = server
    _add_errors(app)
    _add_page(app)
    _add_about(app)
    for router in (
        vroom.router, solve.router, cities.router, cities.as_osrm, kept.scenarios, kept.plans,
    ):  # fmt: skip
        app.include_router(router)
    app.openapi = lambda: _described(app)  # type: ignore[method-assign]
    return Guard(app, server.settings)


def _add_errors(app: FastAPI) -> None:
    @app.exception_handler(RefusedError)
    async def refused(_request: Request, error: RefusedError) -> Response:
        more = {} if error.retry_s is None else {"retry-after": str(error.retry_s)}
        return response(error_json(error.kind, str(error), error.status), **more)

    @app.exception_handler(NcoError)
    async def failed(_request: Request, error: NcoError) -> Response:
        return response(error_reply(error))

    @app.exception_handler(RequestValidationError)
    async def invalid(_request: Request, error: RequestValidationError) -> Response:
        return response(error_json("RequestError", faults(error.errors()), 422))

    @app.exception_handler(HTTPException)
    async def other(_request: Request, error: HTTPException) -> Response:
        return response(error_json("HTTPError", str(error.detail), error.status_code))


def _add_page(app: FastAPI) -> None:
    @app.get("/", include_in_schema=False)
    async def page() -> Response:
        index = PAGE / "index.html"
        return FileResponse(index) if index.is_file() else HTMLResponse(_NO_PAGE)

    app.mount("/page", StaticFiles(directory=PAGE, check_dir=False), name="page")


def _add_about(app: FastAPI) -> None:
    @app.get("/v1/about", tags=["about"])
    async def about(request: Request) -> dict[str, Any]:
        """What is served, by which version, and how much of it may be asked for."""
        settings: Settings = request.app.state.server.settings
        limits = settings.limits
        return {
            "nco": nco.__version__,
            "cities": settings.cities,
            "profiles": settings.profiles,
            "methods": list(METHODS),
            "formats": list(exporting.FORMATS),
            "tiles": settings.tiles,
            "limits": {name: getattr(limits, name) for name in limits.__dataclass_fields__},
        }


def _described(app: FastAPI) -> dict[str, Any]:
    """The description, with the bodies that are read as bytes."""
    if app.openapi_schema is None:
        found = get_openapi(
            title=app.title, version=app.version, description=app.description, routes=app.routes
        )
        schemas = found.setdefault("components", {}).setdefault("schemas", {})
        for model in (
            models.SolveRequest, models.JudgeRequest, models.ExportRequest, models.VroomRequest,
            models.PlanRequest, models.Change,
        ):  # fmt: skip
            place = "#/components/schemas/{model}"
            schema = model.model_json_schema(ref_template=place)
            schemas |= schema.pop("$defs", {})
            schemas[model.__name__] = schema
        app.openapi_schema = found
    return app.openapi_schema
