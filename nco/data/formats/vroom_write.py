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
from nco.data.formats.vroom_setup import alone, vroom_window
from nco.data.formats.vroom_tasks import FOREVER
from nco.errors import UnsupportedError, quoted
from nco.problem import Problem, Vehicle
from nco.problem.objective import CLASSICAL, Feature

_CLASSICAL = CLASSICAL - {
    Feature.PREFERENCES,
    Feature.OPTIONAL_STOPS,
    Feature.TRIPS,
    Feature.LONGEST_ROUTE,
    Feature.UNREACHABLE,
}
_FITS = _CLASSICAL | {
    Feature.PICKUPS,
    Feature.SHIPMENTS,
    Feature.MOST_DISTANCE,
    Feature.MOST_DRIVING,
    Feature.MOST_STOPS,
    Feature.OPEN_ROUTES,
    Feature.SKILLS,
    Feature.SPEEDS,
    Feature.OWN_SERVICE,
    Feature.SETUP,
    Feature.SEVERAL_WINDOWS,
    Feature.BREAKS,
    Feature.PRIORITIES,
}
_FASTEST = 5.0  # times
JOB, PICKUP, DELIVERY = "job", "pickup", "delivery"


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
    profiles, steps = profile_names(problem), step_ids(problem)
    able, asked = _skills(problem)
    types = _types(problem)

    def task(j: int) -> dict[str, Any]:
        return _task(problem, j, steps[j][1], types)

    jobs = [
        task(j)
        | _given(_loads(problem, j))
        | _skilled(asked.get(j, []))
        | _given({"priority": int(problem.priority[j])})
        for j, (kind, _) in steps.items()
        if kind == JOB
    ]
    shipments = [
        {
            "amount": [int(amount) for amount in shipment.amount],
            "pickup": task(shipment.pickup),
            "delivery": task(shipment.delivery),
            **_skilled(sorted({n for j in ends for n in asked.get(j, [])})),
            **_given({"priority": int(max(problem.priority[j] for j in ends))}),
        }
        for shipment in problem.shipments
        for ends in [(shipment.pickup, shipment.delivery)]
    ]
    return write_json(
        path,
        {
            **credit,
            "vehicles": [
                _vehicle(problem, v, number, profiles, types) | _skilled(able[v])
                for v, number in enumerate(vehicle_ids(problem))
            ],
            "jobs": jobs,
            **({"shipments": shipments} if shipments else {}),
            "matrices": {
                name: {
                    "durations": _whole(profile.duration_s),
                    "distances": _whole(profile.distance_m),
                }
                for name, profile in zip(profiles, problem.profiles, strict=True)
            },
        },
    )


def step_ids(problem: Problem) -> dict[int, tuple[str, int]]:
    """What VROOM calls each stop, by node: "job", "pickup" or "delivery", and an id among these."""
    kinds = dict.fromkeys(problem.stops, JOB)
    for shipment in problem.shipments:
        kinds |= {shipment.pickup: PICKUP, shipment.delivery: DELIVERY}
    found = {}
    for kind in (JOB, PICKUP, DELIVERY):
        nodes = [j for j in problem.stops if kinds[j] == kind]
        names = [problem.names[j] for j in nodes]
        if kind != JOB and all(name.startswith(f"{kind} ") for name in names):
            names = [name.removeprefix(f"{kind} ") for name in names]
        ids = _as_ids(names) or nodes
        found.update({j: (kind, number) for j, number in zip(nodes, ids, strict=True)})
    return {j: found[j] for j in problem.stops}


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
    shipped = [amount for shipment in problem.shipments for amount in shipment.amount]
    if (problem.demand % 1).any() or (problem.pickup % 1).any() or any(a % 1 for a in shipped):
        found.append("its demand is not in whole numbers (scale it and the capacity)")
    single = alone(problem.profiles)
    given = [j for j in problem.stops if problem.setup_s[j] and not single[j]]
    shared = [j for j in given if _windowed(problem, j)]
    if shared:
        found.append(
            f"stop {shared[0]} has set-up and a window but is not the only one at its place, where "
            "VROOM counts windows from another moment"
        )
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
        if vehicle.open_start and vehicle.open_end:
            found.append(f"vehicle {v} may both begin and end anywhere")
        if vehicle.speed > _FASTEST or round(vehicle.speed, 2) != vehicle.speed:
            found.append(
                f"the speed of vehicle {v} is above {_FASTEST:g} or has more than two decimals"
            )
    return found


def _vehicle(
    problem: Problem, v: int, number: int, profiles: list[str], types: dict[bytes, str]
) -> dict[str, Any]:
    vehicle = problem.vehicles[v]
    everything = problem.demand.sum(axis=0) + problem.pickup.sum(axis=0)
    for shipment in problem.shipments:
        everything = everything + np.array(shipment.amount)
    entry: dict[str, Any] = {"id": number, "profile": profiles[vehicle.profile]}
    entry |= {"description": vehicle.name} if vehicle.name else {}
    entry |= {} if vehicle.open_start else location(problem, vehicle.start, "start")
    entry |= {} if vehicle.open_end else location(problem, vehicle.end, "end")
    entry["capacity"] = [
        int(total if np.isinf(limit) else limit)
        for limit, total in zip(vehicle.capacity, everything, strict=True)
    ]
    entry["costs"] = {key: round(rate) for key, rate in _costs(problem, vehicle).items()}
    shift = _shift(problem, vehicle)
    if shift is not None and shift != (0.0, np.inf):
        entry["time_window"] = _window(shift)
    if vehicle.speed != 1:
        entry["speed_factor"] = vehicle.speed
    for key, limit in (
        ("max_tasks", np.inf if vehicle.max_stops is None else vehicle.max_stops),
        ("max_travel_time", vehicle.max_driving_s),
        ("max_distance", vehicle.max_distance_m),
    ):
        entry |= {key: round(limit)} if np.isfinite(limit) else {}
    if vehicle.breaks:
        entry["breaks"] = [
            {"id": k, "time_windows": [_window(one.window_s)], "service": round(one.length_s)}
            for k, one in enumerate(vehicle.breaks, start=1)
        ]
    if vehicle.service_s is not None:
        entry["type"] = types[vehicle.service_s.tobytes()]
    return entry


def _task(problem: Problem, j: int, number: int, types: dict[bytes, str]) -> dict[str, Any]:
    entry: dict[str, Any] = {"id": number, "description": problem.names[j]}
    entry |= location(problem, j)
    usual = round(float(problem.service_s[j]))
    entry["service"] = usual
    own = {name: round(float(np.frombuffer(service_s)[j])) for service_s, name in types.items()}
    entry |= _given({"service_per_type": {name: s for name, s in own.items() if s != usual}})
    entry |= _given({"setup": round(float(problem.setup_s[j]))})
    if _windowed(problem, j):
        setup_s = float(problem.setup_s[j])
        entry["time_windows"] = [_window(vroom_window(w, setup_s)) for w in problem.windows[j]]
    return entry


def _windowed(problem: Problem, j: int) -> bool:
    return bool(problem.window_s[j, 0] > 0 or np.isfinite(problem.window_s[j, 1]))


def _types(problem: Problem) -> dict[bytes, str]:
    """A type of vehicles for each service of their own."""
    own = [v.service_s.tobytes() for v, _ in problem.fleet if v.service_s is not None]
    return {service_s: f"type {k}" for k, service_s in enumerate(dict.fromkeys(own))}


def _loads(problem: Problem, j: int) -> dict[str, Any]:
    """What a job gives and takes."""
    taken = problem.pickup[j] if problem.pickup.any() else np.zeros(0)
    return {
        "delivery": [int(amount) for amount in problem.demand[j]],
        "pickup": [int(amount) for amount in taken],
    }


def _given(entries: dict[str, Any]) -> dict[str, Any]:
    """Those that are not empty."""
    return {key: value for key, value in entries.items() if value}


def _skilled(skills: list[int]) -> dict[str, Any]:
    return {"skills": skills} if skills else {}


def _skills(problem: Problem) -> tuple[list[list[int]], dict[int, list[int]]]:
    """Skills of each vehicle and of each stop: words, and one for each set of vehicles allowed."""
    words = set().union(*problem.skills.values(), *(v.skills for v, _ in problem.fleet))
    order = sorted(words)
    numbers = _as_ids(order) or list(range(1, len(order) + 1))
    number_of = dict(zip(order, numbers, strict=True))
    may = np.ones((len(problem.fleet), problem.size), bool)
    kind_of = {}
    for k, (kind, members) in enumerate(problem.fleet):
        kind_of.update(dict.fromkeys(members, k))
        if kind.allowed is not None:
            may[k] = kind.allowed
    teams = {j: tuple(may[:, j].tolist()) for j in problem.stops if not may[:, j].all()}
    first = 1 + max(numbers, default=0)
    skill_of = {team: s for s, team in enumerate(dict.fromkeys(teams.values()), start=first)}
    of_vehicles = [
        sorted(number_of[word] for word in vehicle.skills)
        + [skill for team, skill in skill_of.items() if team[kind_of[v]]]
        for v, vehicle in enumerate(problem.vehicles)
    ]
    asked = {j: sorted(number_of[word] for word in own) for j, own in problem.skills.items()}
    for j, team in teams.items():
        asked[j] = [*asked.get(j, []), skill_of[team]]
    return of_vehicles, asked


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
    begin, end = vehicle.shift_s
    hours = problem.window_s[[vehicle.start, vehicle.end]].tolist()
    if not vehicle.open_start:
        begin = max(begin, hours[0][0])
    if not vehicle.open_end:
        end = min(end, hours[1][1])
    if vehicle.open_start or vehicle.open_end:
        # What else the one depot asks for must follow from the rest.
        fits = hours[1][0] <= begin if vehicle.open_start else hours[0][1] >= end
    else:
        fits = hours[0] == hours[1]
    return (begin, end) if fits and begin <= end else None


def _window(window: tuple[float, float]) -> list[int]:
    return [FOREVER if np.isinf(time) else round(time) for time in window]


def _whole(matrix: Floats) -> list[list[int]]:
    rows: list[list[int]] = np.rint(matrix).astype(np.int64).tolist()
    return rows
