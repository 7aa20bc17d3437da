"""Problems as VROOM's JSON (its API 1.14 and 1.15).

Read are vehicles with start and end, capacity, skills, time window, profile and costs; jobs with
service, delivery, skills and one time window; matrices of durations and distances. Refused by
name is what a `Problem` cannot say: shipments, pickups, breaks, priorities, set-up times, several
windows, speed factors, open routes, and limits on a vehicle's tasks, time or distance.

VROOM's cost of time counts driving only, ours the whole time on duty. Where a file has no
distances, one metre a second is taken.
"""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np

from nco.arrays import Bools, Floats
from nco.data.cities.engine import Matrices
from nco.data.cities.streets import Streets, Table
from nco.data.formats.json_file import Fields, read_json
from nco.data.formats.measured import measured
from nco.data.formats.packed import unpack
from nco.errors import FormatError, InputError, ProblemError, listed, quoted
from nco.problem import Objective, Problem, Profile, Vehicle
from nco.problem.times import counted_by

Naming = Literal["id", "description"]
MOST_ID = 2**64 - 1
FOREVER = 2**32 - 1  # how VROOM says that a window has no end

_KNOWN = {
    "problem": ("vehicles", "jobs", "matrices", "attribution"),
    "vehicle": (
        *("id", "profile", "description", "start", "start_index", "end", "end_index"),
        *("capacity", "costs", "skills", "time_window"),
    ),
    "job": (
        *("id", "description", "location", "location_index", "service", "delivery", "amount"),
        *("skills", "time_windows"),
    ),
    "costs": ("fixed", "per_hour", "per_km"),
    "matrix": ("durations", "distances"),
}
_REFUSED = {
    "problem": ("shipments",),
    "vehicle": (
        *("breaks", "max_tasks", "max_travel_time", "max_distance", "steps", "speed_factor"),
        "type",
    ),
    "job": ("pickup", "priority", "setup", "setup_per_type", "service_per_type"),
    "costs": ("per_task_hour",),
    "matrix": ("costs",),
}
# VROOM's rates: our field, VROOM's default, and how many of our units make one of its.
_RATES = {"per_km": ("cost_per_m", 0, 1000), "per_hour": ("cost_per_s", 3600, 3600)}
# What does instead, of that which is refused.
_OTHER_WAYS = {
    "priority": "in our .json and in tables of stops, a stop with a `prize` may be left out",
    "steps": "give routes to begin with by --initial or initial=",
    "setup": "add it to `service` where it is needed at every visit",
    "speed_factor": "give the vehicle a profile with durations of its own",
    "max_tasks": "a `capacity` of so many, of which each stop takes one, does the same",
    "max_travel_time": "a `time_window` limits the hours of a vehicle",
    "type": "give what it stands for, as the vehicle's own fields",
}
# Written out, these still mean nothing.
_IDLE: dict[str, Any] = {"speed_factor": 1, "priority": 0, "setup": 0, "per_task_hour": 0}


@dataclass(frozen=True)
class _Place:
    """Where something is: a row of the matrices, coordinates, or both."""

    index: int | None
    lonlat: tuple[float, ...] | None

    @property
    def key(self) -> Any:
        """Equal for what is at one place."""
        return self.lonlat if self.index is None else self.index


_OPEN = _Place(None, None)  # of vehicles that may begin or end anywhere


def read_vroom(
    path: str | Path,
    *,
    city: Streets | None = None,
    names: Naming = "id",
    allow_unassigned: bool = False,
) -> Problem:
    """Read a VROOM problem.

    Args:
        path: of the file.
        city: gives the matrices where the file has only coordinates.
        names: whether stops and vehicles are called by their id or by their description.
        allow_unassigned: keep jobs that no street of the city is near enough to, for solvers to
            report unassigned.

    Raises:
        FormatError: the file is malformed, or asks for what a `Problem` cannot say.
        CityError: no street of the city is near enough to where a vehicle starts or ends, or to a
            job while `allow_unassigned` is off.
        StorageError: it cannot be read.
    """
    data = read_json(path)
    return vroom_problem(data, city=city, names=names, allow_unassigned=allow_unassigned)


def vroom_problem(
    data: Fields,
    *,
    city: Streets | None = None,
    names: Naming = "id",
    allow_unassigned: bool = False,
) -> Problem:
    """The problem in VROOM JSON that was read already; see `read_vroom`."""
    if names not in ("id", "description"):
        raise InputError(f"names is {quoted(names)}; use 'id' or 'description'")
    _check_keys(data, "problem")
    vehicles, jobs = data.children("vehicles"), data.children("jobs")
    for kind, entries in (("vehicle", vehicles), ("job", jobs)):
        if not entries:
            data.fail(f"{kind}s", "is empty; give at least one")
        for entry in entries:
            _check_keys(entry, kind)
    ends = [_ends(vehicle) for vehicle in vehicles]
    depots = list({place.key: place for pair in ends for place in pair}.values())
    if all(place.index is not None or place is _OPEN for place in depots):
        depots.sort(key=lambda place: place.index or 0)
    depots.sort(key=lambda place: place is _OPEN)
    places = depots + [_place(job, "location") for job in jobs]
    kinds = list(dict.fromkeys(vehicle.text("profile", "car") for vehicle in vehicles))
    if len(kinds) > 1 and "matrices" not in data:
        data.fail("matrices", f"is missing; several profiles ({listed(kinds)}) need theirs")
    row_of = {place.key: d for d, place in enumerate(depots)}
    n, first = len(places), len(depots)
    window = np.tile([0.0, np.inf], (n, 1))
    service = np.zeros(n)
    for j, job in enumerate(jobs, start=first):
        window[j] = _job_window(job)
        service[j] = job.whole("service", 0)
    lonlat = [place.lonlat for place in places if place.lonlat is not None]
    charged = {key for key in _RATES if any(_rate(vehicle, key) for vehicle in vehicles)}
    asked = [set(job.wholes("skills", [])) for job in jobs]
    titles = _names(vehicles, names, differ=names == "id")
    labels = (*_depot_names(depots), *_names(jobs, names))
    if "matrices" not in data:
        table = _measured(data, places, city, labels, len(jobs), allow_unassigned=allow_unassigned)
    else:
        table = None
    try:
        profiles = (
            tuple(_profile(data, kind, places) for kind in kinds)
            if table is None
            else (Profile(name=kinds[0], distance_m=table.distance_m, duration_s=table.duration_s),)
        )
        fleet = []
        for vehicle, pair, title in zip(vehicles, ends, titles, strict=True):
            fleet.append(
                Vehicle(
                    name=title,
                    capacity=tuple(vehicle.wholes("capacity", [])),
                    start=row_of[pair[0].key],
                    end=row_of[pair[1].key],
                    shift_s=_interval(vehicle, "time_window"),
                    profile=kinds.index(vehicle.text("profile", "car")),
                    allowed=_allowed(vehicle, asked, first),
                    **_costs(vehicle, charged),
                )
            )
        return Problem(
            profiles=profiles,
            vehicles=tuple(fleet),
            depots=first,
            demand=_demand(jobs, first),
            window_s=window,
            service_s=service,
            objective=Objective(
                distance=float("per_km" in charged),
                duration=float("per_hour" in charged),
            ),
            lonlat=np.array(lonlat) if len(lonlat) == n else None,
            moved_m=None if table is None else table.moved_m,
            off_street={} if table is None else table.refused,
            names=labels,
            times=counted_by([*window.flat, *(t for v in fleet for t in v.shift_s)]),
            name=Path(data.path).name.removesuffix(".json").removesuffix(".vroom"),
        )
    except ProblemError as error:
        raise FormatError(f"{data.path}: {error}") from None


def _check_keys(entry: Fields, kind: str) -> None:
    """Refuse what cannot be expressed, and what looks like a slip of the pen."""
    for key, value in entry.data.items():
        if key in _REFUSED.get(kind, ()) and value and value != _IDLE.get(key):
            other = f" ({_OTHER_WAYS[key]})" if key in _OTHER_WAYS else ""
            entry.fail(key, f"is something that a problem here cannot express; remove it{other}")
        if key in _KNOWN[kind] or key in _REFUSED.get(kind, ()):
            continue
        # VROOM allows keys of one's own, but one that is nearly right is surely meant.
        meant = _nearly(key, kind)
        if meant:
            entry.fail(key, f"is not known; did you mean {quoted(meant)}?")


@lru_cache(maxsize=1000)
def _nearly(key: str, kind: str) -> str | None:
    """The key that is meant by one that is not known."""
    return next(iter(difflib.get_close_matches(key, _KNOWN[kind], 1, cutoff=0.8)), None)


def _ends(vehicle: Fields) -> tuple[_Place, _Place]:
    """Where a vehicle begins and ends; `_OPEN` where it does not say."""
    given = [key in vehicle or f"{key}_index" in vehicle for key in ("start", "end")]
    if not any(given):
        vehicle.fail("start", "and end are missing; give one at least")
    start, end = (
        _place(vehicle, key) if known else _OPEN
        for key, known in zip(("start", "end"), given, strict=True)
    )
    return start, end


def _place(entry: Fields, key: str) -> _Place:
    index = entry.whole(f"{key}_index") if f"{key}_index" in entry else None
    point = tuple(entry.numbers(key)) if key in entry else None
    if point is not None and (len(point) != 2 or abs(point[0]) > 180 or abs(point[1]) > 90):
        entry.fail(key, f"is {quoted(list(point))}; it must be [longitude, latitude] in degrees")
    if index is None and point is None:
        entry.fail(key, f"is missing; give {key} as [longitude, latitude], or {key}_index")
    return _Place(index, point)


def _profile(data: Fields, kind: str, places: list[_Place]) -> Profile:
    """Matrices of the file between the places."""
    matrix = data.child("matrices").child(kind)
    _check_keys(matrix, "matrix")
    rows = [place.index for place in places if place.index is not None]
    if len(rows) < _somewhere(places):
        data.fail("matrices", "are given, so every location needs its index as well")
    duration = _part(matrix, "durations", rows)
    distance = _part(matrix, "distances", rows) if "distances" in matrix else duration
    if _OPEN in places:
        at = places.index(_OPEN)
        distance, duration = _with_nowhere(distance, at), _with_nowhere(duration, at)
    return Profile(name=kind, distance_m=distance, duration_s=duration)


def _measured(
    data: Fields,
    places: list[_Place],
    city: Streets | None,
    labels: Sequence[str],
    jobs: int,
    *,
    allow_unassigned: bool,
) -> Table:
    """Matrices of a city between the places."""
    known = [k for k, place in enumerate(places) if place.lonlat is not None]
    if len(known) < _somewhere(places):
        data.fail("matrices", "is missing; locations given by index alone need it")
    if city is None:
        raise InputError(
            f"{data.path} has coordinates but no matrices; give city= to measure distances there"
        )
    table = measured(
        city,
        np.array([places[k].lonlat for k in known]),
        [labels[k] for k in known],
        depots=len(known) - jobs,
        allow_unassigned=allow_unassigned,
    )
    if _OPEN not in places:
        return table
    at = places.index(_OPEN)
    refused = {known[k]: why for k, why in table.refused.items()}
    distance, duration = (
        _with_nowhere(matrix, at) for matrix in (table.distance_m, table.duration_s)
    )
    for matrix in (distance, duration):
        matrix[list(refused), at] = matrix[at, list(refused)] = np.inf
    moved = None if table.moved_m is None else np.insert(table.moved_m, at, 0.0)
    return Matrices(distance, duration, moved, moved, refused)


def _somewhere(places: list[_Place]) -> int:
    """How many places are not the end of open routes."""
    return sum(place is not _OPEN for place in places)


def _with_nowhere(matrix: Floats, at: int) -> Floats:
    """A matrix with one more node, at distance 0 from all others."""
    return np.insert(np.insert(matrix, at, 0.0, axis=0), at, 0.0, axis=1)


def _part(matrix: Fields, key: str, rows: list[int]) -> Floats:
    whole = unpack(matrix, key)
    if whole.ndim != 2 or whole.shape[0] != whole.shape[1]:
        matrix.fail(key, "must be a square matrix")
    if max(rows) >= len(whole):
        matrix.fail(key, f"has {len(whole)} rows, but there is a location_index {max(rows)}")
    part = whole[np.ix_(rows, rows)]
    np.fill_diagonal(part, 0.0)
    return part


def _interval(entry: Fields, key: str) -> tuple[float, float]:
    window = entry.wholes(key, [0, FOREVER])
    if len(window) != 2 or window[1] < window[0]:
        entry.fail(key, f"is {quoted(window)}; it must be [earliest, latest] in seconds")
    return float(window[0]), np.inf if window[1] >= FOREVER else float(window[1])


def _job_window(job: Fields) -> tuple[float, float]:
    windows = job.items("time_windows", [])
    if len(windows) > 1:
        job.fail("time_windows", f"are {len(windows)}; a stop has one window here")
    if not windows:
        return 0.0, np.inf
    return _interval(
        Fields(job.path, job.where, {"time_windows[0]": windows[0]}), "time_windows[0]"
    )


def _demand(jobs: list[Fields], first: int) -> Floats:
    amounts = [job.wholes("delivery" if "delivery" in job else "amount", []) for job in jobs]
    demand = np.zeros((first + len(jobs), max(map(len, amounts))))
    for j, amount in enumerate(amounts, start=first):
        demand[j, : len(amount)] = amount
    return demand


def _allowed(vehicle: Fields, asked: list[set[int]], first: int) -> Bools | None:
    """Which stops ask for no skill that the vehicle lacks."""
    skills = set(vehicle.wholes("skills", []))
    able = [skills >= wanted for wanted in asked]
    return None if all(able) else np.array([True] * first + able)


def _costs(vehicle: Fields, charged: set[str]) -> dict[str, Any]:
    """Costs of a vehicle; what no vehicle is charged for keeps its default."""
    costs = vehicle.child("costs", {})
    _check_keys(costs, "costs")
    rates = {_RATES[key][0]: _rate(vehicle, key) for key in charged}
    return {"fixed_cost": float(costs.whole("fixed", 0)), **rates}


def _rate(vehicle: Fields, key: str) -> float:
    """Cost of a metre or a second."""
    _, default, units = _RATES[key]
    return vehicle.child("costs", {}).whole(key, default) / units


def _names(entries: list[Fields], names: Naming, *, differ: bool = True) -> list[str]:
    titles = [str(entry.whole("id", most=MOST_ID)) for entry in entries]
    if names == "description":
        titles = [entry.text("description", "") for entry in entries]
    counts = Counter(titles)
    for entry, title in zip(entries, titles, strict=True):
        if differ and counts[title] > 1:
            entry.fail(names, f"{quoted(title)} is not the only one; they must differ")
    return titles


def _depot_names(depots: list[_Place]) -> list[str]:
    count = _somewhere(depots)
    names = ["depot"] if count == 1 else [f"depot {d}" for d in range(count)]
    return names + ["anywhere"] * (len(depots) - count)
