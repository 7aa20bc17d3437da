"""The vehicles of VRPLIB files, in PyVRP's dialect described one by one where they differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from nco.arrays import Floats
from nco.data.formats.vrplib_text import Text
from nco.errors import FormatError, InputError, option, quoted
from nco.problem import Vehicle

MOST_VEHICLES = 1_000_000
AMOUNTS = ("DEMAND", "LINEHAUL", "BACKHAUL")
# Numbers of vehicles, and the fields that they are.
_NUMBERS = {
    "VEHICLES_FIXED_COST": "fixed_cost",
    "VEHICLES_UNIT_DISTANCE_COST": "cost_per_m",
    "VEHICLES_MAX_DURATION": "max_duration_s",
    "VEHICLES_MAX_DISTANCE": "max_distance_m",
}
OF_VEHICLES = (
    *_NUMBERS,
    *("VEHICLES_DEPOT", "VEHICLES_MAX_RELOADS", "VEHICLES_RELOAD_DEPOT"),
    "VEHICLES_ALLOWED_CLIENTS",
)
# So many vehicles for each stop are no real fleet but a file's way to say that there is no limit.
_UNLIMITED = 10


def fleet(
    text: Text, n: int, node_of: Mapping[float, int], depots: int, vehicles: int | None
) -> tuple[Vehicle, ...]:
    """The vehicles of a file; alike ones are one object repeated.

    Args:
        text: of the file.
        n: how many nodes there are.
        node_of: node of the problem, depots first, by node of the file from 0.
        depots: how many nodes are depots.
        vehicles: how many in place of what the file says; at each depot if there are several.

    Raises:
        FormatError: something is malformed.
        InputError: the vehicles are listed one by one, and their number is given as well.
        ProblemError: a field of a vehicle is malformed.
    """
    if ("CAPACITY" in text) != any(key in text for key in AMOUNTS):
        raise FormatError(
            f"{text.path}: there must be both CAPACITY and DEMAND_SECTION, or neither"
        )
    one_by_one = [key for key in ("CAPACITY", *OF_VEHICLES) if key in text.sections]
    if vehicles is not None and one_by_one:
        raise InputError(
            f"{text.path}: {option('vehicles')} does not apply, {one_by_one[0]}_SECTION has a "
            "row for each of "
            "its vehicles"
        )
    everywhere = depots > 1 and "VEHICLES_DEPOT" not in text
    count = _count(text, n - depots, vehicles, depots if everywhere else 1)
    kinds = _kinds(text, n, node_of, depots, count if one_by_one else 1)
    if everywhere:
        kinds = [kind | {"start": d, "end": d} for d in range(depots) for kind in kinds]
    made: dict[Any, Vehicle] = {}
    found = []
    for kind in kinds:
        key = tuple(kind.values())
        if key not in made:
            made[key] = _vehicle(kind, n, depots)
        found.append(made[key])
    if not one_by_one:
        found = [vehicle for vehicle in found for _ in range(count)]
    return tuple(found if vehicles is not None else _useful(found, n - depots))


def _count(text: Text, stops: int, vehicles: int | None, places: int) -> int:
    """How many vehicles there are at each of some places."""
    stated = text.number("VEHICLES")
    count = stated if vehicles is None else vehicles
    if count is None:
        count = 1 if text.word("TYPE").upper() in ("TSP", "ATSP") else max(1, stops)
    elif vehicles is None and places > 1:
        raise FormatError(
            f"{text.path}: VEHICLES does not say how many stand at each of {places} depots; "
            f"give VEHICLES_DEPOT_SECTION, or {option('vehicles')} at each"
        )
    if count % 1 or not 1 <= count <= MOST_VEHICLES:
        raise FormatError(
            f"{text.path}: VEHICLES is {count:g}; it must be a whole number from 1 to "
            f"{MOST_VEHICLES}"
        )
    return int(count)


def _kinds(
    text: Text, n: int, node_of: Mapping[float, int], depots: int, count: int
) -> list[dict[str, Any]]:
    """What each vehicle is, its stops as a tuple of nodes."""
    columns: dict[str, Sequence[Any]] = {}
    capacity = text.each("CAPACITY", count, "vehicle")
    if capacity is not None:
        columns["capacity"] = [(amount,) for amount in capacity.tolist()]
    for key, name in _NUMBERS.items():
        numbers = text.each(key, count, "vehicle")
        if numbers is not None:
            columns[name] = numbers.tolist()
    longest = text.number("DISTANCE")
    if longest is not None and "TIME_WINDOW" not in text.sections:
        columns["shift_s"] = [(0.0, longest)] * count
    elif longest is not None and "max_duration_s" not in columns:
        columns["max_duration_s"] = [longest] * count
    elif longest is not None:
        raise FormatError(
            f"{text.path}: DISTANCE and VEHICLES_MAX_DURATION both limit how long a route takes; "
            "remove one"
        )
    starts = _depots_of(text, text.each("VEHICLES_DEPOT", count, "vehicle"), node_of, depots)
    columns["start"] = columns["end"] = starts if starts is not None else [0] * count
    columns["max_trips"], columns["reload_at"] = _trips(text, n, node_of, columns["start"], depots)
    if "VEHICLES_ALLOWED_CLIENTS" in text.sections:
        section = text.sections["VEHICLES_ALLOWED_CLIENTS"]
        columns["allowed"] = [
            tuple(sorted({node_of[j] for j in row})) for row in section.lists(count, n, "vehicle")
        ]
        for v, row in enumerate(columns["allowed"], start=1):
            if row and row[0] < depots:
                section.fail(f"names a depot for vehicle {v}; list stops alone")
    names = list(columns)
    return [dict(zip(names, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _depots_of(
    text: Text, given: Floats | None, node_of: Mapping[float, int], depots: int
) -> list[int] | None:
    """Where vehicles stand."""
    if given is None:
        return None
    found = [node_of.get(number - 1, depots) for number in given.tolist()]
    for v, (depot, number) in enumerate(zip(found, given.tolist(), strict=True), start=1):
        if depot >= depots:
            raise FormatError(
                f"{text.path}: VEHICLES_DEPOT of vehicle {v} is {quoted(f'{number:g}')}, which is "
                "no node of DEPOT_SECTION"
            )
    return found


def _trips(
    text: Text, n: int, node_of: Mapping[float, int], starts: Sequence[int], depots: int
) -> tuple[list[int], list[tuple[int, ...]]]:
    """How many trips each vehicle may drive, and where it loads in between if not at home."""
    count, stops = len(starts), n - depots
    most = text.each("VEHICLES_MAX_RELOADS", count, "vehicle")
    if most is not None and ((most < 0) | (most % 1 != 0)).any():
        raise FormatError(
            f"{text.path}: VEHICLES_MAX_RELOADS holds {most[(most < 0) | (most % 1 != 0)][0]:g}; "
            "give whole numbers of 0 and more"
        )
    if "VEHICLES_RELOAD_DEPOT" in text.sections:
        rows = text.sections["VEHICLES_RELOAD_DEPOT"].lists(count, n, "vehicle")
        reloads = [dict.fromkeys(node_of[j] for j in row) for row in rows]
    else:
        one = text.number("VEHICLES_RELOAD_DEPOT")
        reloads = [{} if one is None else {node_of.get(one - 1, n): None}] * count
    found, places = list[int](), list[tuple[int, ...]]()
    for v, (start, own) in enumerate(zip(starts, reloads, strict=True)):
        if any(node >= depots for node in own):
            raise FormatError(
                f"{text.path}: VEHICLES_RELOAD_DEPOT of vehicle {v + 1} is no node of "
                "DEPOT_SECTION; give depots alone"
            )
        if most is not None and most[v] and not own:
            raise FormatError(
                f"{text.path}: VEHICLES_MAX_RELOADS of vehicle {v + 1} is {most[v]:g}, but no "
                "VEHICLES_RELOAD_DEPOT says where it loads again"
            )
        again = stops if most is None else min(stops, int(most[v]))
        found.append(max(1, min(stops, 1 + again)) if own else 1)
        places.append(tuple(own) if found[-1] > 1 and tuple(own) != (start,) else ())
    return found, places


def _vehicle(kind: dict[str, Any], n: int, depots: int) -> Vehicle:
    if "allowed" not in kind:
        return Vehicle(**kind)
    allowed = np.arange(n) < depots
    allowed[list(kind["allowed"])] = True
    return Vehicle(**kind | {"allowed": None if allowed.all() else allowed})


def _useful(vehicles: list[Vehicle], stops: int) -> list[Vehicle]:
    """Without the vehicles that no answer can use, where there are far too many."""
    if len(vehicles) <= _UNLIMITED * max(1, stops):
        return vehicles
    counts: Counter[int] = Counter()
    kept = []
    for vehicle in vehicles:
        counts[id(vehicle)] += 1
        if counts[id(vehicle)] <= max(1, stops):
            kept.append(vehicle)
    return kept
