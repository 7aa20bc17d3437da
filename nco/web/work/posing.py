"""Problems as requests pose them: our JSON, VROOM's, or tables of stops and vehicles."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np

from nco.data.cities.city import City
from nco.data.formats import native, vroom_json
from nco.data.formats.json_file import Fields, finite, json_text
from nco.data.formats.stops import problem_from_stops
from nco.data.formats.tables.fleet import fleet_from
from nco.data.formats.zones import Around, Zone, around_zones
from nco.errors import CityError, InputError
from nco.problem import Problem
from nco.problem.solution import Route, Solution
from nco.web.reply import Reply, as_json
from nco.web.work import served
from nco.web.work.tables import rows_of, stops_of

_MOST_ZONES, _MOST_CORNERS = 50, 500
_OPTIONS = ("vehicles", "capacity", "depot", "allow_unassigned", "accept_doubtful")


def posed(data: Fields) -> Problem:
    """The problem that an object describes.

    Raises:
        NcoError: it cannot be read, or is too large.
    """
    return served.check_size(_read(data))


def posed_by(raw: bytes) -> Problem:
    """The problem that a request describes; it is read once, however often it is asked about.

    Raises:
        NcoError: it cannot be read, or is too large.
    """
    return served.remembered(key_of(raw), lambda: posed(served.fields_of(raw)))


@lru_cache(4)
def streets_by(raw: bytes) -> Mapping[str, City]:
    """What vehicles of a problem that was posed as tables drive on, by the names of its profiles.

    Nothing is known of other problems: their profiles are called as whoever made them likes.
    """
    data = served.fields_of(raw)
    return {} if _is_other(data) or "stops" not in data else _tables(data).streets


def city_by(raw: bytes, name: str | None = None) -> City | None:
    """The city in which the places of a problem lie, if that is served.

    Args:
        raw: the problem.
        name: of the city; the one that the problem names, or the first one, if left out.

    Raises:
        CityError: there is a name, and the places are elsewhere.
    """
    problem, data = posed_by(raw), served.fields_of(raw)
    if problem.lonlat is None:
        return None
    options = data.child("options", {}) if "format" not in data else Fields("", "", {})
    there = _city(options) if name is None else served.city(name)
    if there.covers(problem.lonlat).all():
        return there
    if name is not None:
        raise CityError("places of the problem are outside of the city")
    return None


def key_of(raw: bytes) -> str:
    """What a problem is known by: a digest of what was sent."""
    return hashlib.sha256(raw).hexdigest()[:32]


def _is_other(data: Fields) -> bool:
    """Whether a problem is no tables."""
    return "format" in data or "jobs" in data or "shipments" in data


def _read(data: Fields) -> Problem:
    if "format" in data:
        return native.problem_from(data)
    if _is_other(data):
        options = data.child("options", {})
        return vroom_json.vroom_problem(
            data, city=_city(options), names="id", allow_unassigned=True
        )
    if "stops" in data:
        return _tables(data).problem
    return data.fail(
        "",
        "is no problem; give ours ('format': 'nco-problem'), VROOM's ('jobs', 'vehicles'), or "
        "tables ('stops': {'header': [...], 'rows': [[...], ...]}, 'fleet' likewise)",
    )


def _city(options: Fields) -> Any:
    name = options.text("city") if "city" in options else None
    profile = options.text("profile") if "profile" in options else None
    return served.city(name, profile)


def _tables(data: Fields) -> Around:
    """The problem that tables pose, as `nco solve stops.csv --fleet fleet.csv --city ...` does."""
    data.refuse_unknown(("stops", "fleet", "zones", "name", "options"))
    options = data.child("options", {})
    options.refuse_unknown((*_OPTIONS, "city", "profile"))
    city = _city(options)
    stops = stops_of(
        rows_of(data.child("stops"), "stops"), city, accept=options.flag("accept_doubtful")
    )
    given: dict[str, Any] = {"allow_unassigned": options.flag("allow_unassigned")}
    if "fleet" in data:
        given["fleet"] = fleet_from("fleet", rows_of(data.child("fleet"), "fleet"), stops.first_day)
    if "vehicles" in options:
        given["vehicles"] = options.whole("vehicles", low=1, most=served.settings().limits.vehicles)
    if "capacity" in options:
        given["capacity"] = options.numbers("capacity")
    if "depot" in options:
        depot = options.raw("depot")
        given["depot"] = depot if isinstance(depot, str) else options.numbers("depot")
    problem = problem_from_stops(stops, city, name=data.text("name", "stops"), **given)
    zones = _zones(data)
    if zones:
        served.tidy(city)
    return around_zones(problem, city, zones)


def _zones(data: Fields) -> list[Zone]:
    """Zones that vehicles avoid: `[{"name", "ring": [[lon, lat], ...], "vehicles": [names]}]`."""
    given = data.children("zones", [])
    if len(given) > _MOST_ZONES:
        data.fail("zones", f"are {len(given)}; {_MOST_ZONES} may be given")
    zones = []
    for zone in given:
        zone.refuse_unknown(("name", "ring", "vehicles", "profiles"))
        corners = zone.items("ring")
        if not 3 <= len(corners) <= _MOST_CORNERS:
            zone.fail("ring", f"has {len(corners)} corners; give 3 to {_MOST_CORNERS}")
        ring = [
            Fields(zone.path, zone.where, {"ring": corner}).numbers("ring") for corner in corners
        ]
        if any(len(corner) != 2 for corner in ring):
            zone.fail("ring", "must be corners [longitude, latitude]")
        vehicles, profiles = (
            tuple(str(name) for name in zone.items(key, [])) for key in ("vehicles", "profiles")
        )
        zones.append(Zone(zone.text("name", "zone"), np.array(ring), vehicles, profiles))
    return zones


def routes_of(data: Fields, problem: Problem, key: str = "routes") -> Solution:
    """Routes in a request: `[{"vehicle": 0, "stops": [3, 1]}, ...]`, by numbers of nodes.

    Reasons for stops that are left out are not looked for.

    Raises:
        NcoError: they are malformed, or name a vehicle or a stop that there is not.
    """
    found = [
        Route(
            route.whole("vehicle"),
            tuple(route.wholes("stops")),
            route.whole("reload_at") if "reload_at" in route else None,
        )
        for route in data.children(key)
    ]
    return Solution.from_routes(problem, found, explain=False)


@served.replying
def describe(raw: bytes) -> Reply:
    """What a problem is once it is read: its nodes, its vehicles, what is odd about it."""
    with served.notes() as told:
        problem = posed_by(raw)
    return as_json({"id": key_of(raw), **summary(problem), "notes": told})


def summary(problem: Problem) -> dict[str, Any]:
    """A problem as pages show it: everything but its matrices."""
    data = native.problem_data(problem)
    for bulky in ("profiles", "format", "version"):
        del data[bulky]
    lists = {
        name: getattr(problem, name).tolist()
        for name in ("demand", "window_s", "service_s", "prize", "lonlat")
        if getattr(problem, name) is not None
    }
    packed = {
        name: value for name, value in data.items() if isinstance(value, dict) and "data" in value
    }
    moved = [{"node": node, "moved_m": round(far, 1)} for node, far in problem.moved.items()]
    plain = {name: value for name, value in data.items() if name not in packed}
    return dict(finite({**plain, **lists, "moved": moved, "features": sorted(problem.features)}))


@served.replying
def written(raw: bytes) -> Reply:
    """A problem in our JSON, whole, as `nco.load` reads it."""
    problem = posed_by(raw)
    body = json_text(native.problem_data(problem)).encode("utf-8", "backslashreplace")
    return Reply(200, body, name="problem.json")


def needs_lonlat(problem: Problem) -> None:
    """Refuse a problem that is nowhere on a map."""
    if problem.lonlat is None:
        raise InputError("the problem has no coordinates; give lonlat")
