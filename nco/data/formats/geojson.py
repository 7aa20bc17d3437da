"""Solutions as GeoJSON (RFC 7946): routes along the streets, stops with times and loads.

The collection holds one LineString for each route, one Point for each visit to a stop, one for
each depot, and one for each stop that no route serves; `kind` tells them apart. Every number that
a map shows on hover is among the properties. Where a city gave the matrices, `moved_m` is how far a
point was moved onto a street. `details` has the words that a problem carries about a node.
Unreachable times are `null`.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from nco.arrays import Floats
from nco.data.cities.city import CREDIT
from nco.data.formats.drawn import Drawn, streets_of
from nco.data.formats.json_file import Fields, read_json, write_json
from nco.errors import InputError, NcoError, quoted
from nco.problem import Problem
from nco.problem.schedule import RouteSchedule, schedule
from nco.problem.solution import Route, Solution

logger = logging.getLogger("nco")


def write_geojson(
    path: str | Path,
    problem: Problem,
    solution: Solution,
    *,
    city: Drawn | None = None,
    streets: Mapping[str, Drawn] = MappingProxyType({}),
) -> Path:
    """Write the routes of a solution for maps.

    Args:
        path: where to.
        problem: with `lonlat`.
        solution: what to draw.
        city: draws the routes along its streets; None draws straight lines.
        streets: those of vehicles that drive on others, see `streets_of`.

    Raises:
        InputError: the problem has no coordinates.
        StorageError: the file cannot be written; what stood there before is untouched.
    """
    return write_json(path, geojson_data(problem, solution, city=city, streets=streets))


def geojson_data(
    problem: Problem,
    solution: Solution,
    *,
    city: Drawn | None = None,
    streets: Mapping[str, Drawn] = MappingProxyType({}),
) -> dict[str, Any]:
    """The collection as JSON data, in which infinity has yet to become null; see `write_geojson`.

    Raises:
        InputError: the problem has no coordinates.
    """
    if problem.lonlat is None:
        raise InputError(
            f"problem {quoted(problem.name)} has no lonlat, so its routes cannot be drawn; "
            "save them as .json, .csv or .sol"
        )
    timetables = schedule(problem, solution)
    along = streets_of(problem, city, streets)
    features = [
        _line(problem, r, t, along[problem.vehicles[t.vehicle].profile])
        for r, t in enumerate(timetables)
    ]
    for feature, route in zip(features, solution.routes, strict=True):
        if route.reload_at is not None:
            feature["properties"]["reload_at"] = int(route.reload_at)
    features += [
        _point(problem, d, {"kind": "depot", "node": d, "name": problem.names[d]})
        for d in range(problem.depots)
    ]
    features += [stop for r, t in enumerate(timetables) for stop in _visits(problem, r, t)]
    features += [
        _point(
            problem,
            entry.stop,
            {
                "kind": "unassigned",
                "node": entry.stop,
                "name": problem.names[entry.stop],
                "reason": entry.reason,
                "required": entry.required,
            },
        )
        for entry in solution.unassigned
    ]
    return {
        "type": "FeatureCollection",
        "attribution": CREDIT,
        "problem": problem.name,
        "method": solution.method,
        "seed": int(solution.seed),
        "time_s": float(solution.time_s),
        "setup_s": float(solution.setup_s),
        **solution.remarks,
        "feasible": solution.feasible,
        "cost": solution.cost.total,
        "distance_m": solution.cost.distance_m,
        "duration_s": solution.cost.duration_s,
        "bbox": [*problem.lonlat.min(axis=0).tolist(), *problem.lonlat.max(axis=0).tolist()],
        "features": features,
    }


def read_geojson(path: str | Path, problem: Problem) -> Solution:
    """Read back the routes of a file that `write_geojson` wrote; costs are computed anew.

    Raises:
        FormatError: the file is no such collection.
        StorageError: it cannot be read.
        ProblemError: a route names a vehicle or a stop that the problem has not.
    """
    return routes_from(read_json(path), problem)


def routes_from(data: Fields, problem: Problem) -> Solution:
    """The routes in GeoJSON that was read already.

    Raises:
        FormatError: it is no collection with routes.
        ProblemError: a route names a vehicle or a stop that the problem has not.
    """
    if data.raw("type", None) != "FeatureCollection":
        data.fail("type", "must be 'FeatureCollection'")
    routes: dict[int, Route] = {}
    for feature in data.children("features"):
        properties = feature.child("properties", {})
        if properties.raw("kind", None) == "route":
            number = properties.whole("route")
            if number in routes:
                properties.fail("route", f"{number} is there twice")
            stops = tuple(properties.wholes("nodes"))
            depot = properties.whole("reload_at") if "reload_at" in properties else None
            routes[number] = Route(properties.whole("vehicle"), stops, depot)
    found = Solution.from_routes(
        problem,
        [routes[number] for number in sorted(routes)],
        method=data.text("method", ""),
        seed=data.whole("seed", 0),
        time_s=data.number("time_s", 0.0),
    )
    return replace(
        found,
        setup_s=data.number("setup_s", 0.0),
        fallback=data.text("fallback", ""),
        interrupted=data.raw("interrupted", False) is True,
    )


def _line(problem: Problem, r: int, timetable: RouteSchedule, city: Drawn | None) -> dict[str, Any]:
    nodes = [visit.node for visit in timetable.visits]
    first, last = timetable.visits[0], timetable.visits[-1]
    properties = {
        "kind": "route",
        "route": r,
        "vehicle": timetable.vehicle,
        "vehicle_name": problem.vehicles[timetable.vehicle].name,
        "trip": timetable.trip,
        "nodes": [int(node) for node in nodes[1:-1]],
        "stops": [problem.names[node] for node in nodes[1:-1]],
        "load": list(first.load),
        "departure_s": first.departure_s,
        "return_s": last.arrival_s,
        "distance_m": timetable.distance_m,
        "duration_s": timetable.duration_s,
    }
    if problem.vehicles[timetable.vehicle].details:
        properties["details"] = dict(problem.vehicles[timetable.vehicle].details)
    shape = _shape(problem, nodes, city)
    geometry = {"type": "LineString", "coordinates": np.round(shape, 6).tolist()}
    return {"type": "Feature", "geometry": geometry, "properties": properties}


def _shape(problem: Problem, nodes: list[int], city: Drawn | None) -> Floats:
    """`[k, 2]` the way along the streets, straight where no street leads."""
    assert problem.lonlat is not None  # noqa: S101 -- write_geojson saw to it
    corners: Floats = problem.lonlat[nodes]
    if city is None:
        return corners
    try:
        shape = np.concatenate([np.reshape(leg, (-1, 2)) for leg in city.geometry(corners)])
    except NcoError as error:
        logger.warning("a route is drawn in straight lines: %s", error)
        return corners
    return shape if len(shape) > 1 else corners


def _visits(problem: Problem, r: int, timetable: RouteSchedule) -> list[dict[str, Any]]:
    return [
        _point(
            problem,
            visit.node,
            {
                "kind": "stop",
                "node": int(visit.node),
                "name": problem.names[visit.node],
                "route": r,
                "vehicle": timetable.vehicle,
                "position": k,
                "arrival_s": visit.arrival_s,
                "start_s": visit.start_s,
                "departure_s": visit.departure_s,
                "load": list(visit.load),
                "demand": problem.demand[visit.node].tolist(),
                "window_s": problem.window_s[visit.node].tolist(),
                "distance_m": visit.distance_m,
            },
        )
        for k, visit in enumerate(timetable.visits[1:-1], start=1)
    ]


def _point(problem: Problem, node: int, properties: dict[str, Any]) -> dict[str, Any]:
    assert problem.lonlat is not None  # noqa: S101 -- write_geojson saw to it
    if problem.moved_m is not None:
        properties = properties | {"moved_m": round(float(problem.moved_m[node]), 1)}
    if node in problem.details:
        properties = properties | {"details": dict(problem.details[node])}
    geometry = {"type": "Point", "coordinates": problem.lonlat[node].tolist()}
    return {"type": "Feature", "geometry": geometry, "properties": properties}
