"""Our own JSON for problems and solutions: exact, versioned, strict JSON.

Numbers are written so that they read back bit for bit; infinity (an unreachable pair, a
window that never closes, a required stop) is `null`. Arrays of up to 2500 numbers are nested
lists that people can read and edit; larger ones are packed as
`{"encoding": "zlib+base64", "dtype": "<f8", "shape": [...], "data": "..."}`, which is a fifth
of the size and far quicker. Alike vehicles in a row are one entry with a `count`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, fields
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from nco.data.cities.city import CREDIT
from nco.data.formats.json_file import Fields, number, read_json, write_json
from nco.data.formats.packed import pack, unpack
from nco.errors import FormatError, ProblemError, quoted
from nco.problem import Break, Group, Objective, Problem, Profile, Rest, Shipment, Vehicle
from nco.problem.solution import Cost, Route, Solution, Unassigned, Violation
from nco.problem.tied import KINDS, Tie
from nco.problem.times import Times

PROBLEM, SOLUTION = "nco-problem", "nco-solution"
VERSION = 1
_MOST_VEHICLES = 1_000_000
_ARRAYS = ("demand", "window_s", "service_s", "prize", "lonlat", "xy", "moved_m")
_LATER_PARTS = (
    "soft_windows",
    "overtime",
    "longest_leg",
    "makespan",
)  # of a cost, which older files do not have
# Written where they say something.
_RARE_ARRAYS = ("pickup", "priority", "release_s", "setup_s", "early_per_s", "late_per_s")


def write_problem(path: str | Path, problem: Problem) -> Path:
    """Write a problem, exactly.

    Raises:
        StorageError: the file cannot be written; what stood there before is untouched.
    """
    return write_json(path, problem_data(problem))


def problem_data(problem: Problem) -> dict[str, Any]:
    """A problem as JSON data, in which infinity has yet to become null."""
    arrays = {name: getattr(problem, name) for name in _ARRAYS}
    credit = {} if problem.lonlat is None else {"attribution": CREDIT}
    return {
        "format": PROBLEM,
        "version": VERSION,
        **credit,
        "name": problem.name,
        **({} if problem.times is Times.NUMBERS else {"times": problem.times}),
        "depots": problem.depots,
        "names": list(problem.names),
        "objective": asdict(problem.objective),
        "vehicles": [
            {"count": count, **_from_vehicle(vehicle)} for vehicle, count in _runs(problem.vehicles)
        ],
        **{name: pack(array) for name, array in arrays.items() if array is not None},
        **{
            name: pack(getattr(problem, name))
            for name in _RARE_ARRAYS
            if getattr(problem, name).any()
        },
        **_from_hours(problem),
        **_from_ties(problem),
        **({"off_street": _from_off_street(problem)} if problem.off_street else {}),
        **_from_details(problem),
        "profiles": [
            {
                "name": profile.name,
                "distance_m": pack(profile.distance_m),
                "duration_s": pack(profile.duration_s),
                **({"traffic": profile.traffic} if profile.traffic else {}),
            }
            for profile in problem.profiles
        ],
    }


def read_problem(path: str | Path) -> Problem:
    """Read a problem; only `profiles` and `vehicles` are required.

    Raises:
        FormatError: the file is not such JSON, of another version, or holds a bad field.
        StorageError: it cannot be read.
    """
    return problem_from(read_json(path))


def problem_from(data: Fields) -> Problem:
    """A problem from JSON that was read already.

    Raises:
        FormatError: it is something else, of another version, or a field is bad.
    """
    _check_version(data, PROBLEM)
    data.refuse_unknown(("format", "version", "attribution", *(f.name for f in fields(Problem))))
    vehicles: list[Vehicle] = []
    for entry in data.children("vehicles"):
        count = entry.whole("count", 1, low=1)
        if len(vehicles) + count > _MOST_VEHICLES:
            entry.fail("count", f"is {count}; a problem has at most {_MOST_VEHICLES} vehicles")
        vehicles += [vehicle_from(entry)] * count
    profiles = []
    for entry in data.children("profiles"):
        entry.refuse_unknown(f.name for f in fields(Profile))
        with _located(entry):
            profiles.append(
                Profile(
                    name=entry.text("name", "car"),
                    distance_m=unpack(entry, "distance_m"),
                    duration_s=unpack(entry, "duration_s"),
                    traffic=_pairs(entry, "traffic"),
                )
            )
    given: dict[str, Any] = {
        name: unpack(data, name)
        for name in (*_ARRAYS, *_RARE_ARRAYS, "soft_window_s")
        if name in data
    }
    if "times" in data:
        given["times"] = data.text("times")
    with _located(data):
        return Problem(
            profiles=tuple(profiles),
            vehicles=tuple(vehicles),
            depots=data.whole("depots", 1),
            names=tuple(str(name) for name in data.items("names", [])),
            name=data.text("name", "problem"),
            objective=_to_objective(data.child("objective", {})),
            off_street=_to_off_street(data),
            details=_to_details(data),
            linehauls_first=data.flag("linehauls_first"),
            shipments=_to_shipments(data),
            groups=_to_groups(data),
            ties=_to_ties(data),
            skills=_to_skills(data),
            more_windows_s=_to_windows(data),
            **given,
        )


def _from_off_street(problem: Problem) -> list[dict[str, Any]]:
    return [{"stop": node, "reason": why} for node, why in problem.off_street.items()]


def _to_off_street(data: Fields) -> dict[int, str]:
    found: dict[int, str] = {}
    for entry in data.children("off_street", []):
        entry.refuse_unknown(("stop", "reason"))
        found[entry.whole("stop")] = entry.text("reason")
    return found


def _from_details(problem: Problem) -> dict[str, Any]:
    """The details of a problem as files have them, nothing where there are none."""
    listed = [{"node": node, "words": dict(words)} for node, words in problem.details.items()]
    return {"details": listed} if listed else {}


def _to_details(data: Fields) -> dict[int, dict[str, str]]:
    found: dict[int, dict[str, str]] = {}
    for entry in data.children("details", []):
        entry.refuse_unknown(("node", "words"))
        words = entry.child("words")
        found[entry.whole("node")] = {title: words.text(title) for title in words.data}
    return found


def _from_hours(problem: Problem) -> dict[str, Any]:
    """Further and soft windows, where there are any."""
    windows = [{"stop": node, "windows_s": own} for node, own in problem.more_windows_s.items()]
    given = {"more_windows_s": windows} if windows else {}
    bounded = not (problem.soft_window_s == (0.0, np.inf)).all()
    if bounded or problem.early_per_s.any() or problem.late_per_s.any():
        given["soft_window_s"] = pack(problem.soft_window_s)
    return given


def _to_windows(data: Fields) -> dict[int, tuple[tuple[float, float], ...]]:
    found: dict[int, tuple[tuple[float, float], ...]] = {}
    for entry in data.children("more_windows_s", []):
        entry.refuse_unknown(("stop", "windows_s"))
        found[entry.whole("stop")] = _pairs(entry, "windows_s")
    return found


def _pairs(data: Fields, name: str) -> tuple[tuple[float, float], ...]:
    """Pairs of numbers; none where the field is missing."""
    found = []
    for pair in data.items(name, []):
        if not (isinstance(pair, list) and len(pair) == 2):
            data.fail(name, f"holds {quoted(pair)}; give pairs of numbers")
        first, second = (number(value, partial(data.fail, name)) for value in pair)
        found.append((first, second))
    return tuple(found)


def _from_ties(problem: Problem) -> dict[str, Any]:
    """What ties stops together or to vehicles, where there is any."""
    given: dict[str, Any] = {
        "linehauls_first": problem.linehauls_first,
        "shipments": [asdict(shipment) for shipment in problem.shipments],
        "groups": [asdict(group) for group in problem.groups],
        "ties": [{"kind": tie.kind, "stops": list(tie.stops)} for tie in problem.ties],
        "skills": [
            {"stop": node, "words": sorted(words)} for node, words in problem.skills.items()
        ],
    }
    return {name: value for name, value in given.items() if value}


def _to_shipments(data: Fields) -> tuple[Shipment, ...]:
    found = []
    for entry in data.children("shipments", []):
        entry.refuse_unknown(f.name for f in fields(Shipment))
        with _located(entry):
            found.append(
                Shipment(
                    pickup=entry.whole("pickup"),
                    delivery=entry.whole("delivery"),
                    amount=tuple(entry.numbers("amount")) if "amount" in entry else (),
                )
            )
    return tuple(found)


def _to_groups(data: Fields) -> tuple[Group, ...]:
    found = []
    for entry in data.children("groups", []):
        entry.refuse_unknown(f.name for f in fields(Group))
        with _located(entry):
            prize = entry.number("prize", math.inf)
            found.append(Group(stops=tuple(entry.wholes("stops")), prize=prize))
    return tuple(found)


def _to_ties(data: Fields) -> tuple[Tie, ...]:
    found = []
    for entry in data.children("ties", []):
        entry.refuse_unknown(("kind", "stops"))
        kind = entry.text("kind")
        if kind not in KINDS:
            entry.fail("kind", f"is {quoted(kind)}; known are {', '.join(KINDS)}")
        with _located(entry):
            found.append(KINDS[kind](stops=tuple(entry.wholes("stops"))))
    return tuple(found)


def _to_skills(data: Fields) -> dict[int, frozenset[str]]:
    found: dict[int, frozenset[str]] = {}
    for entry in data.children("skills", []):
        entry.refuse_unknown(("stop", "words"))
        words = frozenset(str(word) for word in entry.items("words"))
        found[entry.whole("stop")] = words
    return found


def _to_objective(data: Fields) -> Objective:
    data.refuse_unknown(f.name for f in fields(Objective))
    words = {"longest_by", "fewest_vehicles"}
    numbers = {name: data.number(name) for name in data.data if name not in words}
    return Objective(
        longest_by=data.raw("longest_by", "distance"),
        fewest_vehicles=data.flag("fewest_vehicles"),
        **numbers,
    )


def write_solution(path: str | Path, solution: Solution, problem: Problem | None = None) -> Path:
    """Write a solution with all that it claims, exactly.

    Args:
        path: where to.
        solution: what to write.
        problem: what it is for; its details are written as well, for people. Reading passes them.

    Raises:
        StorageError: the file cannot be written; what stood there before is untouched.
    """
    return write_json(path, solution_data(solution, problem))


def solution_data(solution: Solution, problem: Problem | None = None) -> dict[str, Any]:
    """A solution as JSON data, in which infinity has yet to become null; see `write_solution`."""
    return {
        "format": SOLUTION,
        "version": VERSION,
        "method": solution.method,
        "seed": int(solution.seed),
        "time_s": float(solution.time_s),
        "setup_s": float(solution.setup_s),
        **solution.remarks,
        "feasible": solution.feasible,
        "cost": {"total": solution.cost.total, **_plain(asdict(solution.cost))},
        "routes": [route_data(route) for route in solution.routes],
        "unassigned": [_plain(asdict(entry)) for entry in solution.unassigned],
        "violations": [_plain(asdict(entry)) for entry in solution.violations],
        **({} if problem is None else _from_details(problem)),
    }


def read_solution(path: str | Path) -> Solution:
    """Read a solution as it was written; `nco.problem.check` tells whether its claims are true.

    Raises:
        FormatError: the file is not such JSON, of another version, or holds a bad field.
        StorageError: it cannot be read.
    """
    return solution_from(read_json(path))


def solution_from(data: Fields) -> Solution:
    """A solution from JSON that was read already.

    Raises:
        FormatError: it is something else, of another version, or a field is bad.
    """
    _check_version(data, SOLUTION)
    entry = data.child("cost")
    known = [f.name for f in fields(Cost) if f.name != "vehicles"]
    parts = [name for name in known if name in entry or name not in _LATER_PARTS]
    given = {name: entry.number(name) for name in parts}
    cost = Cost(vehicles=entry.whole("vehicles", 0), **given)
    total = entry.number("total", cost.total)
    if not math.isclose(total, cost.total, rel_tol=1e-9, abs_tol=1e-9):
        entry.fail("total", f"is {total:g}, but its parts make {cost.total:g}; leave it out")
    return Solution(
        routes=tuple(
            Route(
                entry.whole("vehicle"),
                tuple(entry.wholes("stops")),
                entry.whole("reload_at") if "reload_at" in entry else None,
            )
            for entry in data.children("routes")
        ),
        unassigned=tuple(
            Unassigned(
                entry.whole("stop"),
                entry.text("reason"),
                bool(entry.raw("required")),
                entry.whole("priority", 0),
            )
            for entry in data.children("unassigned", [])
        ),
        violations=tuple(
            Violation(
                entry.text("kind"),
                entry.text("message"),
                entry.whole("vehicle") if "vehicle" in entry else None,
                entry.whole("stop") if "stop" in entry else None,
                entry.number("amount"),
            )
            for entry in data.children("violations", [])
        ),
        cost=cost,
        method=data.text("method", ""),
        seed=data.whole("seed", 0),
        time_s=data.number("time_s", 0.0),
        setup_s=data.number("setup_s", 0.0),
        fallback=data.text("fallback", ""),
        interrupted=data.raw("interrupted", False) is True,
    )


def route_data(route: Route) -> dict[str, Any]:
    """A route as JSON data."""
    entry: dict[str, Any] = {"vehicle": int(route.vehicle), "stops": [int(j) for j in route.stops]}
    return entry if route.reload_at is None else entry | {"reload_at": int(route.reload_at)}


@contextmanager
def _located(data: Fields) -> Iterator[None]:
    """Turn a ProblemError into a FormatError that names the file."""
    try:
        yield
    except ProblemError as error:
        raise FormatError(f"{data.place('')}: {error}") from None


def _check_version(data: Fields, wanted: str) -> None:
    if data.text("format", "") != wanted:
        given = f"is {quoted(data.text('format'))}" if "format" in data else "is missing"
        data.fail("format", f"{given}; it must be {quoted(wanted)}")
    if data.whole("version") != VERSION:
        data.fail(
            "version",
            f"is {data.whole('version')}; this nco reads version {VERSION}: update nco, "
            "or write the file again with this one",
        )


def _runs(vehicles: Iterable[Vehicle]) -> list[tuple[Vehicle, int]]:
    """Equal vehicles in a row, each run with its length."""
    runs: list[tuple[Vehicle, int]] = []
    for vehicle in vehicles:
        if runs and (vehicle is runs[-1][0] or vehicle == runs[-1][0]):
            runs[-1] = (runs[-1][0], runs[-1][1] + 1)
        else:
            runs.append((vehicle, 1))
    return runs


def _from_vehicle(vehicle: Vehicle) -> dict[str, Any]:
    """The fields of a vehicle that differ from their defaults."""
    entry = {}
    for f in fields(Vehicle):
        value = getattr(vehicle, f.name)
        if isinstance(value, np.ndarray):
            entry[f.name] = value.tolist()
        elif isinstance(value, Rest):
            entry[f.name] = asdict(value)
        elif f.name == "breaks":
            entry.update({f.name: [asdict(one) for one in value]} if value else {})
        elif f.name == "details":
            entry.update({f.name: dict(value)} if value else {})
        elif isinstance(value, frozenset):
            entry.update({f.name: sorted(value)} if value else {})
        elif value is not None and value != f.default:
            entry[f.name] = value
    return entry


_VEHICLE: dict[str, Callable[[Fields, str], Any]] = {
    **dict.fromkeys(("capacity", "shift_s"), lambda entry, name: tuple(entry.numbers(name))),
    **dict.fromkeys(("start", "end", "profile", "max_trips", "max_stops"), Fields.whole),
    **dict.fromkeys(("fixed_cost", "cost_per_m", "cost_per_s", "speed"), Fields.number),
    **dict.fromkeys(("max_duration_s", "max_distance_m", "max_driving_s"), Fields.number),
    **dict.fromkeys(("loading_s", "unloading_s"), Fields.number),
    **dict.fromkeys(("overtime_after_s", "cost_per_overtime_s"), Fields.number),
    **dict.fromkeys(("open_start", "open_end"), Fields.flag),
    **dict.fromkeys(("preference", "service_s"), Fields.numbers),
    "reload_at": lambda entry, name: tuple(entry.wholes(name)),
    "allowed": lambda entry, name: [bool(flag) for flag in entry.items(name)],
    "skills": lambda entry, name: frozenset(str(word) for word in entry.items(name)),
    "breaks": lambda entry, name: tuple(map(_to_break, entry.children(name))),
    "rest": lambda entry, name: _to_rest(entry.child(name)),
    "details": lambda entry, name: dict(entry.child(name).data),
}
"""How each field of a vehicle is read."""


def vehicle_from(entry: Fields) -> Vehicle:
    """A vehicle as it stands in a problem.

    Raises:
        FormatError: a field is not known or malformed.
    """
    entry.refuse_unknown(("count", *(f.name for f in fields(Vehicle))))
    given = {name: _VEHICLE[name](entry, name) for name in _VEHICLE if name in entry}
    if len(given.get("shift_s", (0, 0))) != 2:
        entry.fail("shift_s", "must be two numbers: earliest departure, latest return")
    with _located(entry):
        return Vehicle(name=entry.text("name", ""), **given)


def _to_break(entry: Fields) -> Break:
    entry.refuse_unknown(f.name for f in fields(Break))
    window = tuple(entry.numbers("window_s", [0.0, math.inf]))
    if len(window) != 2:
        entry.fail("window_s", "must be two numbers: earliest and latest begin")
    with _located(entry):
        return Break(window_s=window, length_s=entry.number("length_s"))


def _to_rest(entry: Fields) -> Rest:
    entry.refuse_unknown(f.name for f in fields(Rest))
    with _located(entry):
        return Rest(**{f.name: entry.number(f.name) for f in fields(Rest)})


def _plain(entry: dict[str, Any]) -> dict[str, Any]:
    """Plain Python numbers in place of what numpy may have left in a solution."""
    return {
        key: value.item() if isinstance(value, np.generic) else value
        for key, value in entry.items()
    }
