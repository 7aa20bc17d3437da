"""What cities are asked for: what they are, matrices, routes, addresses, tables."""

from __future__ import annotations

import gzip
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from nco.web.models import Asked, GeocodeRequest, MatrixRequest, RouteRequest
from nco.web.reply import RefusedError
from nco.web.routes.asked import TheServer, response
from nco.web.state import Server
from nco.web.work import asking, maps, osrm, tables
from nco.web.work import example as examples

router = APIRouter(prefix="/v1", tags=["cities"])
as_osrm = APIRouter(tags=["OSRM"])
_City = Annotated[str | None, Query(max_length=1000)]
_READING = 6.0  # times as long as other requests: the extract may have to be read first


def _check(server: Server, what: str, count: int) -> None:
    most = server.settings.limits.points
    if count > most:
        raise RefusedError(
            413, "TooLargeError", f"there are {count} {what}; this server takes {most} at most"
        )


@router.get("/cities")
async def cities(server: TheServer) -> Response:
    """The cities that are served, with their extents."""
    return response(await server.ask(asking.cities))


@router.post("/matrix")
async def matrix(asked: MatrixRequest, server: TheServer) -> Response:
    """Metres and seconds of the fastest routes between places; null where there is none."""
    _check(server, "points", max(len(asked.points), len(asked.targets or ())))
    return response(
        await server.ask(asking.matrix, asked.points, asked.targets, asked.city, asked.profile)
    )


@router.post("/route")
async def route(asked: RouteRequest, server: TheServer) -> Response:
    """The fastest way along the streets through places in their order."""
    _check(server, "points", len(asked.points))
    given = asked.points, asked.city, asked.profile, asked.avoid or ()
    return response(await server.ask(asking.route, *given))


@router.post("/geocode")
async def geocode(asked: GeocodeRequest, server: TheServer) -> Response:
    """Places of addresses, found in the extract of the city: no other server is asked."""
    _check(server, "addresses", len(asked.addresses))
    addresses = [
        (Asked(text=one) if isinstance(one, str) else one).model_dump() for one in asked.addresses
    ]
    town = {"postcode": asked.postcode, "city": asked.town}
    return response(await server.ask(asking.geocode, addresses, town, asked.most, asked.city))


@router.get("/example")
async def example(server: TheServer, city: _City = None) -> Response:
    """Tables of stops and of vehicles of a day in a city, to begin with."""
    return response(await server.ask_of(server.maps, examples.example, city, times=_READING))


@router.get("/map")
async def about_map(server: TheServer, city: _City = None) -> Response:
    """Which tiles there are of the map of a city, and its `version`, that tiles are cached by."""
    return response(await server.ask_of(server.maps, maps.about, city, times=_READING))


@router.get("/map/{zoom}/{column}/{row}")
async def map_tile(
    zoom: int,
    column: int,
    row: int,
    request: Request,
    server: TheServer,
    city: _City = None,
    version: Annotated[str | None, Query(max_length=64)] = None,
) -> Response:
    """A tile of the map: streets, water, parks, buildings and names, from the extract of the city.

    With the `version` that `/v1/map` tells, a browser keeps it for good.
    """
    reply = await server.ask_of(server.maps, maps.tile, city, zoom, column, row, times=_READING)
    if reply.encoding and reply.encoding not in request.headers.get("accept-encoding", ""):
        reply = reply._replace(body=gzip.decompress(reply.body), encoding="")
    kept = version is not None and reply.status == 200
    return response(
        reply,
        **{
            "cache-control": "private, max-age=31536000, immutable" if kept else "no-cache",
            "vary": "accept-encoding, origin",
        },
    )


_TABLE: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["header", "rows"],
                    "properties": {
                        "header": {"type": "array", "items": {"type": "string"}},
                        "rows": {"type": "array", "items": {"type": "array"}},
                    },
                }
            },
            "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
        },
    }
}


@router.post("/tables", openapi_extra=_TABLE)
async def table(
    request: Request,
    server: TheServer,
    kind: Literal["stops", "fleet"] = "stops",
    suffix: Annotated[str | None, Query(max_length=10)] = None,
    city: _City = None,
) -> Response:
    """What a table holds: its rows, what was read of them, what is doubtful, what is wrong.

    The body is a file (with `suffix`, such as `.csv` or `.xlsx`), or JSON with `header` and `rows`.
    """
    raw = await request.body()
    return response(await server.ask(tables.read_table, raw, kind, suffix, city))


@as_osrm.get("/{service}/v1/{profile}/{places}")
async def as_osrm_does(
    service: Literal["table", "route", "nearest"],
    profile: str,
    places: str,
    request: Request,
    server: TheServer,
) -> Response:
    """OSRM's own requests; the first city answers."""
    query = dict(request.query_params)
    return response(await server.ask(osrm.answer, service, profile, places, query))
