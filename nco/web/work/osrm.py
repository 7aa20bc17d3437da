"""OSRM's own requests, answered by the city that is served.

Of its interface (v1) these are there: `table` with `sources`, `destinations` and `annotations`,
`route` with `overview`, `geometries` and `steps=false`, and `nearest` with `number=1`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nco.arrays import Floats
from nco.data.formats.polyline import encoded
from nco.errors import CityError, NcoError
from nco.web.reply import Reply, as_json
from nco.web.work import served
from nco.web.work.asking import nulls

_NUMBER = r"-?\d{1,3}(?:\.\d{1,20})?"
_POINT = re.compile(rf"({_NUMBER}),({_NUMBER})")
_PRECISION = {"polyline": 5, "polyline6": 6}


class _BadRequestError(Exception):
    """What OSRM answers with 400.

    Attributes:
        code: OSRM's word for it.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def answer(service: str, profile: str, places: str, query: Mapping[str, str]) -> Reply:
    """Answers a request as OSRM does."""
    try:
        if service not in _SERVICES:
            raise _BadRequestError("InvalidService", f"Service {service} is not here")
        points = _points(places)
        city = served.city(None, _profile(profile))
        return as_json({"code": "Ok", **_SERVICES[service](city, points, query)})
    except _BadRequestError as error:
        return as_json({"code": error.code, "message": str(error)}, 400)
    except CityError as error:
        code = {"table": "NoTable", "route": "NoRoute"}.get(service, "NoSegment")
        return as_json({"code": code, "message": str(error)}, 400)
    except NcoError as error:
        return as_json({"code": "InvalidValue", "message": str(error)}, 400)
    except Exception:
        served.log.exception("a request failed")
        return as_json({"code": "InternalError", "message": "Internal error"}, 500)


def _profile(word: str) -> str:
    """The profile of a path; like OSRM, any word does where there is one only."""
    known = served.settings().profiles
    return word if word in known else known[0]


def _points(places: str) -> Floats:
    found = [_POINT.fullmatch(place) for place in places.removesuffix(".json").split(";")]
    most = served.settings().limits.points
    if len(found) > most:
        raise _BadRequestError("TooBig", f"Too many coordinates: {len(found)}, {most} at most")
    if None in found:
        raise _BadRequestError(
            "InvalidUrl", "URL string malformed: give longitude,latitude;longitude,latitude;..."
        )
    return np.array([[float(m[1]), float(m[2])] for m in found if m is not None])


def _rows(query: Mapping[str, str], key: str, count: int) -> list[int]:
    text = query.get(key, "all")
    if text == "all":
        return list(range(count))
    parts = text.split(";")
    if not all(part.isascii() and part.isdigit() and len(part) <= 6 for part in parts):
        raise _BadRequestError("InvalidQuery", f"{key} must be indices with ; between them")
    rows = [int(part) for part in parts]
    if max(rows) >= count:
        raise _BadRequestError("InvalidOptions", f"{key} names a coordinate that is not there")
    return rows


def _table(city: Any, points: Floats, query: Mapping[str, str]) -> dict[str, Any]:
    wanted = query.get("annotations", "duration").split(",")
    if not set(wanted) <= {"duration", "distance"}:
        raise _BadRequestError("InvalidOptions", "annotations are duration, distance or both")
    sources = _rows(query, "sources", len(points))
    targets = _rows(query, "destinations", len(points))
    table = city.matrix(points)
    found = {
        "sources": _waypoints(city, points[sources]),
        "destinations": _waypoints(city, points[targets]),
    }
    part = np.ix_(sources, targets)
    for word, name, matrix in (
        ("duration", "durations", table.duration_s),
        ("distance", "distances", table.distance_m),
    ):
        if word in wanted:
            kept: Floats = np.round(matrix[part], 1)
            found[name] = nulls(kept)
    return found


def _route(city: Any, points: Floats, query: Mapping[str, str]) -> dict[str, Any]:
    if len(points) < 2:
        raise _BadRequestError("InvalidOptions", "a route needs two coordinates or more")
    shape = query.get("geometries", "polyline")
    if shape not in (*_PRECISION, "geojson"):
        raise _BadRequestError("InvalidOptions", "geometries is polyline, polyline6 or geojson")
    if query.get("steps", "false") != "false":
        raise _BadRequestError("NotImplemented", "steps are not here; leave steps out")
    way = city.route(points)
    distance, duration = np.round(way.distance_m, 1), np.round(way.duration_s, 1)
    route: dict[str, Any] = {
        "distance": float(distance.sum()),
        "duration": float(duration.sum()),
        "weight": float(duration.sum()),
        "weight_name": "duration",
        "legs": [
            {"distance": d, "duration": s, "weight": s, "summary": "", "steps": []}
            for d, s in zip(distance.tolist(), duration.tolist(), strict=True)
        ],
    }
    if query.get("overview", "simplified") != "false":
        route["geometry"] = _shape(way.legs, shape)
    return {"routes": [route], "waypoints": _waypoints(city, points)}


def _shape(legs: Sequence[Floats], shape: str) -> Any:
    if shape == "geojson":
        line = np.concatenate([legs[0][:1], *(leg[1:] for leg in legs)])
        return {"type": "LineString", "coordinates": np.round(line, 6).tolist()}
    return encoded(list(legs), _PRECISION[shape])


def _nearest(city: Any, points: Floats, query: Mapping[str, str]) -> dict[str, Any]:
    if len(points) != 1:
        raise _BadRequestError("InvalidOptions", "nearest takes a single coordinate")
    if query.get("number", "1") != "1":
        raise _BadRequestError("NotImplemented", "number is 1 here")
    return {"waypoints": _waypoints(city, points)}


def _waypoints(city: Any, points: Floats) -> list[dict[str, Any]]:
    there, away_m = city.nearest(points)
    return [
        {"location": place, "distance": round(far, 3), "name": "", "hint": ""}
        for place, far in zip(np.round(there, 6).tolist(), away_m.tolist(), strict=True)
    ]


_SERVICES = {"table": _table, "route": _route, "nearest": _nearest}
