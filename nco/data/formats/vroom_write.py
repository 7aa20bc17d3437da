"""Problems written as VROOM's JSON, for those that VROOM can express.

VROOM counts in whole seconds, metres and units: durations, distances, windows, shifts and service
are rounded to them. A vehicle without a limit of capacity gets one that holds everything.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from nco.arrays import Floats
from nco.data.cities.city import CREDIT
from nco.data.formats.json_file import write_json
from nco.data.formats.vroom_json import FOREVER
from nco.errors import UnsupportedError, quoted
from nco.problem import Problem, Vehicle
from nco.problem.objective import Feature

_FITS = frozenset(Feature) - {
    Feature.PREFERENCES,
    Feature.OPTIONAL_STOPS,
    Feature.TRIPS,
    Feature.LONGEST_ROUTE,
    Feature.UNREACHABLE,
}


def write_vroom(path: str | Path, problem: Problem) -> Path:
    """Write a problem for VROOM.

    Stops and vehicles get their names as ids if all of these are different whole numbers, else
    their numbers; the names are the descriptions in any case.

    Raises:
        UnsupportedError: VROOM cannot express the problem; the message names everything.
        StorageError: the file cannot be written; what stood there before is untouched.
    """
    misfits = _misfits(problem)
    if misfits:
        raise UnsupportedError(
            f"problem {quoted(problem.name)} cannot be written for VROOM: {'; '.join(misfits)}; "
            "save it as .json, which holds everything"
        )
    credit = {} if problem.lonlat is None else {"attribution": CREDIT}
    profiles = profile_names(problem)
    able, asked = _skills(problem)
    return write_json(
        path,
        {
            **credit,
            "vehicles": [
                _vehicle(problem, v, number, profiles) | _skilled(able[v])
                for v, number in enumerate(vehicle_ids(problem))
            ],
            "jobs": [
                _job(problem, j, number) | _skilled(asked.get(j, []))
                for j, number in stop_ids(problem).items()
            ],
            "matrices": {
                name: {
                    "durations": _whole(profile.duration_s),
                    "distances": _whole(profile.distance_m),
                }
                for name, profile in zip(profiles, problem.profiles, strict=True)
            },
        },
    )


def stop_ids(problem: Problem) -> dict[int, int]:
    """VROOM's id of each stop, by node."""
    names = problem.names[problem.depots :]
    return dict(zip(problem.stops, _as_ids(names) or list(problem.stops), strict=True))


def vehicle_ids(problem: Problem) -> list[int]:
    """VROOM's id of each vehicle."""
    names = [vehicle.name for vehicle in problem.vehicles]
    return _as_ids(names) or list(range(len(names)))


def profile_names(problem: Problem) -> list[str]:
    """A different name for each profile."""
    names = [profile.name for profile in problem.profiles]
    return names if len(set(names)) == len(names) else [f"profile {p}" for p in range(len(names))]


def location(problem: Problem, node: int, key: str = "location") -> dict[str, Any]:
    """Row of the matrices and, where known, coordinates of a node."""
    where = {} if problem.lonlat is None else {key: problem.lonlat[node].tolist()}
    return {**where, f"{key}_index": int(node)}


def _as_ids(names: Sequence[str]) -> list[int]:
    """Names that are different whole numbers as such, else nothing."""
    plain = all(name.isascii() and name.isdigit() and str(int(name)) == name for name in names)
    return [int(name) for name in names] if plain and len(set(names)) == len(names) else []


def _misfits(problem: Problem) -> list[str]:
    """What of a problem VROOM cannot say."""
    found = [f"it has {feature}" for feature in sorted(problem.features - _FITS)]
    if (problem.demand % 1).any():
        found.append("its demand is not in whole numbers (scale it and the capacity)")
    for vehicle, (v, *_) in problem.fleet:
        rates = [*_costs(problem, vehicle).values()]
        if not np.allclose(rates, np.rint(rates), rtol=0, atol=1e-6):
            found.append(
                f"a cost of vehicle {v} is not a whole number a kilometre or an hour (scale all)"
            )
        if _shift(problem, vehicle) is None:
            found.append(
                f"vehicle {v} has depots whose windows, together with its shift, are no one window"
            )
    return found


def _vehicle(problem: Problem, v: int, number: int, profiles: list[str]) -> dict[str, Any]:
    vehicle = problem.vehicles[v]
    everything = problem.demand.sum(axis=0)
    entry: dict[str, Any] = {"id": number, "profile": profiles[vehicle.profile]}
    entry |= {"description": vehicle.name} if vehicle.name else {}
    entry |= location(problem, vehicle.start, "start") | location(problem, vehicle.end, "end")
    entry["capacity"] = [
        int(total if np.isinf(limit) else limit)
        for limit, total in zip(vehicle.capacity, everything, strict=True)
    ]
    entry["costs"] = {key: round(rate) for key, rate in _costs(problem, vehicle).items()}
    shift = _shift(problem, vehicle)
    if shift is not None and shift != (0.0, np.inf):
        entry["time_window"] = _window(shift)
    return entry


def _job(problem: Problem, j: int, number: int) -> dict[str, Any]:
    entry: dict[str, Any] = {"id": number, "description": problem.names[j]}
    entry |= location(problem, j)
    entry["service"] = round(float(problem.service_s[j]))
    entry["delivery"] = [int(amount) for amount in problem.demand[j]]
    window = (float(problem.window_s[j, 0]), float(problem.window_s[j, 1]))
    return entry | ({} if window == (0.0, np.inf) else {"time_windows": [_window(window)]})


def _skilled(skills: list[int]) -> dict[str, Any]:
    return {"skills": skills} if skills else {}


def _skills(problem: Problem) -> tuple[list[list[int]], dict[int, list[int]]]:
    """Skills of each vehicle and of each stop: one for each set of vehicles that may come."""
    may = np.ones((len(problem.fleet), problem.size), bool)
    kind_of = {}
    for k, (kind, members) in enumerate(problem.fleet):
        kind_of.update(dict.fromkeys(members, k))
        if kind.allowed is not None:
            may[k] = kind.allowed
    teams = {j: tuple(may[:, j].tolist()) for j in problem.stops if not may[:, j].all()}
    skill_of = {team: s for s, team in enumerate(dict.fromkeys(teams.values()), start=1)}
    of_vehicles = [
        [skill for team, skill in skill_of.items() if team[kind_of[v]]]
        for v in range(len(problem.vehicles))
    ]
    return of_vehicles, {j: [skill_of[team]] for j, team in teams.items()}


def _costs(problem: Problem, vehicle: Vehicle) -> dict[str, float]:
    """VROOM's costs of a vehicle, whole or not."""
    weights = problem.objective
    return {
        "fixed": weights.fixed * vehicle.fixed_cost,
        "per_hour": weights.duration * vehicle.cost_per_s * 3600,
        "per_km": weights.distance * vehicle.cost_per_m * 1000,
    }


def _shift(problem: Problem, vehicle: Vehicle) -> tuple[float, float] | None:
    """The shift within the opening hours of the vehicle's depots, None if that is no interval."""
    opens, closes = problem.window_s[vehicle.start].tolist()
    if problem.window_s[vehicle.end].tolist() != [opens, closes]:
        return None
    begin, end = max(vehicle.shift_s[0], opens), min(vehicle.shift_s[1], closes)
    return (begin, end) if begin <= end else None


def _window(window: tuple[float, float]) -> list[int]:
    return [FOREVER if np.isinf(time) else round(time) for time in window]


def _whole(matrix: Floats) -> list[list[int]]:
    rows: list[list[int]] = np.rint(matrix).astype(np.int64).tolist()
    return rows
