"""Problems as VROOM's JSON (its API 1.14 and 1.15).

Read are vehicles with start and end (or one of them: routes may begin or end anywhere), capacity,
skills, time window, profile, costs, speed factor and limits on tasks, driving time and distance;
breaks; jobs with delivery, pickup, set-up, service, skills and time windows; shipments; set-up and
service by type of vehicle; matrices of durations and distances. Steps of vehicles are routes
(`vroom_steps`). Refused by name is what a `Problem` cannot say: breaks of several windows or
with a largest load. A break may lie outside of a duty here. What tasks have beyond
VROOM's keys goes along as `Problem.details`.

VROOM's cost of time counts driving, and tasks only by `per_task_hour`, ours the whole time on duty;
a cost of tasks that is neither 0 nor that of driving is said by preferences. Where a file has no
distances, one metre a second is taken. Skills, which are numbers there, are words here.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from nco.arrays import Floats
from nco.data.cities.streets import Streets, Table
from nco.data.formats.json_file import Fields, read_json
from nco.data.formats.measured import measured
from nco.data.formats.packed import unpack
from nco.data.formats.vroom_keys import check_keys
from nco.data.formats.vroom_setup import add_setups
from nco.data.formats.vroom_steps import narrow_windows
from nco.data.formats.vroom_tasks import (
    MOST_ID,
    Task,
    breaks_of,
    fields_of,
    interval,
    services_by_type,
    tasks_of,
    titles_of,
    words_of,
)
from nco.errors import FormatError, InputError, ProblemError, counted, listed, option, quoted
from nco.problem import Objective, Problem, Profile, Vehicle
from nco.problem.times import counted_by

logger = logging.getLogger("nco")
Naming = Literal["id", "description"]
# VROOM's rates: our field, VROOM's default, and how many of our units make one of its.
_RATES = {"per_km": ("cost_per_m", 0, 1000), "per_hour": ("cost_per_s", 3600, 3600)}
# VROOM's limits of vehicles, and the fields that they are.
_LIMITS = {
    "max_tasks": "max_stops",
    "max_travel_time": "max_driving_s",
    "max_distance": "max_distance_m",
}


@dataclass(frozen=True)
class _Place:
    """Where something is: a row of the matrices, coordinates, or both."""

    index: int | None
    lonlat: tuple[float, ...] | None

    @property
    def key(self) -> Any:
        """Equal for what is at one place."""
        return self.lonlat if self.index is None else self.index


def read_vroom(
    path: str | Path,
    *,
    city: Streets | None = None,
    names: Naming = "id",
    allow_unassigned: bool = False,
    plan: bool = False,
) -> Problem:
    """Read a VROOM problem.

    Args:
        path: of the file.
        city: gives the matrices where the file has only coordinates.
        names: whether stops and vehicles are called by their id or by their description.
        allow_unassigned: keep jobs that no street of the city is near enough to, for solvers to
            report unassigned.
        plan: let the times that steps of vehicles ask for count, as VROOM does in plan mode.

    Raises:
        FormatError: the file is malformed, or asks for what a `Problem` cannot say.
        CityError: no street of the city is near enough to where a vehicle starts or ends, or to a
            job while `allow_unassigned` is off.
        StorageError: it cannot be read.
    """
    data = read_json(path)
    return vroom_problem(data, city=city, names=names, allow_unassigned=allow_unassigned, plan=plan)


def vroom_problem(
    data: Fields,
    *,
    city: Streets | None = None,
    names: Naming = "id",
    allow_unassigned: bool = False,
    plan: bool = False,
) -> Problem:
    """The problem in VROOM JSON that was read already; see `read_vroom`."""
    if names not in ("id", "description"):
        raise InputError(f"names is {quoted(names)}; use 'id' or 'description'")
    own = check_keys(data, "problem")
    vehicles, tasks = data.children("vehicles"), tasks_of(data)
    if not vehicles:
        data.fail("vehicles", "is empty; give at least one")
    own += [key for vehicle in vehicles for key in check_keys(vehicle, "vehicle")]
    own += ["options"] * ("options" in data)  # of a server, such as vroom-express
    if own:
        logger.info("%s: not used: %s", data.path, listed(dict.fromkeys(own)))
    ends = [_ends(vehicle) for vehicle in vehicles]
    depots = list({place.key: place for pair in ends for place in pair}.values())
    if all(place.index is not None for place in depots):
        depots.sort(key=lambda place: place.index or 0)
    places = depots + [_place(task.entry, "location") for task in tasks]
    kinds = list(dict.fromkeys(vehicle.text("profile", "car") for vehicle in vehicles))
    if len(kinds) > 1 and "matrices" not in data:
        data.fail("matrices", f"is missing; several profiles ({listed(kinds)}) need theirs")
    row_of = {place.key: d for d, place in enumerate(depots)}
    lonlat = [place.lonlat for place in places if place.lonlat is not None]
    priced = _priced(data, vehicles)
    charged = {key for key in _RATES if any(_rate(v, key, priced) for v in vehicles)}
    titles = _differing([_title(vehicle, names) for vehicle in vehicles], differ=names == "id")
    labels = (*_depot_names(len(depots)), *_differing(titles_of(tasks, names)))
    if "matrices" not in data:
        table = _measured(data, places, city, labels, tasks, allow_unassigned=allow_unassigned)
    else:
        table = None
    try:
        profiles = (
            tuple(_profile(data, kind, places) for kind in kinds)
            if table is None
            else (Profile(name=kinds[0], distance_m=table.distance_m, duration_s=table.duration_s),)
        )
        given = fields_of(tasks, len(depots))
        if plan:
            narrow_windows(data, tasks, given)
        services = services_by_type(tasks, vehicles, given["service_s"])
        types = {vehicle.text("type", "") for vehicle in vehicles}
        add_setups(given, services, [task.entry for task in tasks], types, profiles)
        fleet = []
        for vehicle, pair, title in zip(vehicles, ends, titles, strict=True):
            fleet.append(
                Vehicle(
                    name=title,
                    capacity=tuple(vehicle.wholes("capacity", [])),
                    start=row_of[pair[0].key],
                    end=row_of[pair[1].key],
                    open_start=not _given(vehicle, "start"),
                    open_end=not _given(vehicle, "end"),
                    shift_s=interval(vehicle, "time_window"),
                    profile=kinds.index(vehicle.text("profile", "car")),
                    skills=words_of(vehicle),
                    speed=vehicle.number("speed_factor", 1.0),
                    service_s=services.get(vehicle.text("type", "")),
                    preference=_preference(vehicle, charged, priced, given["service_s"], services),
                    breaks=breaks_of(vehicle),
                    **_limits(vehicle),
                    **_costs(vehicle, charged, priced),
                )
            )
        times = [*given["window_s"].flat, *(t for v in fleet for t in v.shift_s)]
        return Problem(
            profiles=profiles,
            vehicles=tuple(fleet),
            depots=len(depots),
            objective=Objective(
                distance=float("per_km" in charged),
                duration=float("per_hour" in charged),
            ),
            lonlat=np.array(lonlat) if len(lonlat) == len(places) else None,
            moved_m=None if table is None else table.moved_m,
            off_street={} if table is None else table.refused,
            names=labels,
            times=counted_by(times),
            name=Path(data.path).name.removesuffix(".json").removesuffix(".vroom"),
            **given,
        )
    except ProblemError as error:
        raise FormatError(f"{data.path}: {error}") from None


def _given(vehicle: Fields, key: str) -> bool:
    """Whether a vehicle says where it begins or ends."""
    return key in vehicle or f"{key}_index" in vehicle


def _ends(vehicle: Fields) -> tuple[_Place, _Place]:
    """Where a vehicle begins and ends; one that it does not say is the same as the other."""
    known = [key for key in ("start", "end") if _given(vehicle, key)]
    if not known:
        vehicle.fail("start", "and end are missing; give one at least")
    places = [_place(vehicle, key) for key in known]
    return places[0], places[-1]


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
    check_keys(matrix, "matrix")
    rows = [place.index for place in places if place.index is not None]
    if len(rows) < len(places):
        data.fail("matrices", "are given, so every location needs its index as well")
    duration = _part(matrix, "durations", rows)
    key = next((key for key in ("costs", "distances") if key in matrix), None)
    distance = duration if key is None else _part(matrix, key, rows)
    return Profile(name=kind, distance_m=distance, duration_s=duration)


def _measured(
    data: Fields,
    places: list[_Place],
    city: Streets | None,
    labels: Sequence[str],
    tasks: Sequence[Task],
    *,
    allow_unassigned: bool,
) -> Table:
    """Matrices of a city between the places."""
    known = [place.lonlat for place in places if place.lonlat is not None]
    if len(known) < len(places):
        data.fail("matrices", "is missing; locations given by index alone need it")
    if city is None:
        raise InputError(
            f"{data.path} has coordinates but no matrices; give {option('city')} to measure "
            "distances there"
        )
    return measured(
        city,
        np.array(known),
        labels,
        depots=len(places) - len(tasks),
        allow_unassigned=allow_unassigned,
    )


def _part(matrix: Fields, key: str, rows: list[int]) -> Floats:
    whole = unpack(matrix, key)
    if whole.ndim != 2 or whole.shape[0] != whole.shape[1]:
        matrix.fail(key, "must be a square matrix")
    if max(rows) >= len(whole):
        matrix.fail(
            key, f"has {counted(len(whole), 'row')}, but there is a location_index {max(rows)}"
        )
    part = whole[np.ix_(rows, rows)]
    np.fill_diagonal(part, 0.0)
    return part


def _limits(vehicle: Fields) -> dict[str, Any]:
    """Limits that a vehicle has."""
    return {
        field: vehicle.whole(key, low=1 if field == "max_stops" else 0)
        for key, field in _LIMITS.items()
        if key in vehicle
    }


def _priced(data: Fields, vehicles: Sequence[Fields]) -> set[str]:
    """Profiles with a matrix of costs, which are what their metres are here.

    Raises:
        FormatError: something else is to be told from these costs.
    """
    matrices = data.child("matrices", {})
    found = {kind for kind in matrices.data if "costs" in matrices.child(kind).data}
    for vehicle in vehicles:
        if vehicle.text("profile", "car") not in found:
            continue
        if "max_distance" in vehicle:
            vehicle.fail(
                "max_distance",
                "is of a vehicle whose profile has a matrix of costs, and a problem here has one "
                "matrix for both; remove one of the two",
            )
        costs = vehicle.child("costs", {})
        for key in ("per_hour", "per_km"):
            if key in costs:
                costs.fail(key, "is given beside a matrix of costs; VROOM allows one of the two")
    if found:
        logger.info(
            "%s: metres of answers are the matrix of costs of %s, which decides them; its "
            "`distances`, if there are any, are not used",
            data.path,
            listed(sorted(found)),
        )
    return found


def _costs(vehicle: Fields, charged: set[str], priced: set[str]) -> dict[str, Any]:
    """Costs of a vehicle; what no vehicle is charged for keeps its default."""
    costs = vehicle.child("costs", {})
    check_keys(costs, "costs")
    rates = {_RATES[key][0]: _rate(vehicle, key, priced) for key in charged}
    return {"fixed_cost": float(costs.whole("fixed", 0)), **rates}


def _preference(
    vehicle: Fields,
    charged: set[str],
    priced: set[str],
    service_s: Floats,
    services: dict[str, Floats],
) -> Floats | None:
    """What service costs less than as much driving; None where it costs as much, or nothing."""
    asked = vehicle.child("costs", {}).whole("per_task_hour", 0) / 3600
    duty = _rate(vehicle, "per_hour", priced) if "per_hour" in charged else 0.0
    if not asked or asked == duty:
        return None
    return (duty - asked) * services.get(vehicle.text("type", ""), service_s)


def _rate(vehicle: Fields, key: str, priced: set[str]) -> float:
    """Cost of a metre or a second; metres of profiles with a matrix of costs are these."""
    if vehicle.text("profile", "car") in priced:
        return 1.0 if key == "per_km" else 0.0
    _, default, units = _RATES[key]
    return vehicle.child("costs", {}).whole(key, default) / units


def _title(vehicle: Fields, names: Naming) -> tuple[Fields, str, str]:
    """Entry, key and title of a vehicle."""
    title = str(vehicle.whole("id", most=MOST_ID))
    return vehicle, names, title if names == "id" else vehicle.text("description", "")


def _differing(titles: Iterable[tuple[Fields, str, str]], *, differ: bool = True) -> list[str]:
    given = list(titles)
    counts = Counter(title for *_, title in given)
    for entry, key, title in given:
        if differ and counts[title] > 1:
            entry.fail(key, f"{quoted(title)} is not the only one; they must differ")
    return [title for *_, title in given]


def _depot_names(count: int) -> list[str]:
    return ["depot"] if count == 1 else [f"depot {d}" for d in range(count)]
