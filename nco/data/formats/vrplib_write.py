"""Problems as VRPLIB, in PyVRP's dialect where the classical keys do not suffice."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np

from nco.arrays import Floats
from nco.data.formats.rounding import euclidean
from nco.data.formats.vrplib_matrix import RULE_OF, rule_of
from nco.errors import UnsupportedError, quoted
from nco.files import write_atomic
from nco.problem import Problem, Vehicle
from nco.problem.objective import Feature

_FITS = frozenset(
    {
        *(Feature.CAPACITY, Feature.TIME_WINDOWS, Feature.DEPOTS, Feature.MIXED_FLEET),
        *(Feature.ALLOWED_STOPS, Feature.OPTIONAL_STOPS, Feature.TRIPS, Feature.RELOADS),
        Feature.FIXED_COST,
        *(Feature.PICKUPS, Feature.BACKHAULS, Feature.GROUPS, Feature.RELEASES),
        *(Feature.LONGEST_DUTY, Feature.MOST_DISTANCE, Feature.UNREACHABLE),
    }
)
# Of each key the field of a vehicle, and what it is where the key is not there.
_NUMBERS: dict[str, tuple[str, float]] = {
    "VEHICLES_FIXED_COST": ("fixed_cost", 0.0),
    "VEHICLES_UNIT_DISTANCE_COST": ("cost_per_m", 1.0),
    "VEHICLES_MAX_DURATION": ("max_duration_s", np.inf),
    "VEHICLES_MAX_DISTANCE": ("max_distance_m", np.inf),
}


def write_instance(path: str | Path, problem: Problem) -> Path:
    """Write a problem as VRPLIB: one matrix, in which a metre takes a second.

    Distances are written as a full directed matrix unless they follow from `xy` under a rule
    that VRPLIB has a name for. Names and `lonlat` have no place in the format and are left out.
    A window without end closes when everything must be over; a vehicle without a limit gets one
    that it cannot reach where others have one.

    Raises:
        UnsupportedError: the problem does not fit; the message names everything that does not.
        StorageError: the file cannot be written; what stood there before is untouched.
    """
    misfits = list(_misfits(problem))
    if misfits:
        raise UnsupportedError(
            f"problem {quoted(problem.name)} does not fit into VRPLIB: {'; '.join(misfits)}; "
            "save it as .json, which holds everything"
        )
    return write_atomic(path, "\n".join([*_head(problem), *_sections(problem), "EOF", ""]))


def _misfits(problem: Problem) -> Iterator[str]:
    """What of a problem VRPLIB cannot say."""
    asked, profile = problem.features, problem.profile_of(0)
    vehicles = [vehicle for vehicle, _ in problem.fleet]
    for feature in sorted(asked - _FITS):
        yield f"it has {feature}"
    timed = bool(asked & {Feature.TIME_WINDOWS, Feature.RELEASES, Feature.LONGEST_DUTY})
    if (timed or problem.service_s.any()) and not np.array_equal(*_matrices(problem)):
        yield "it has windows or service, and durations that differ from distances"
    if np.isinf(profile.distance_m[~_barred(problem)]).any():
        yield "it has unreachable pairs"
    if Feature.BACKHAULS in asked and not np.isinf(profile.distance_m[_barred(problem)]).all():
        yield "it has routes of pickups alone, which VRPB does not allow"
    if Feature.BACKHAULS in asked and (problem.demand.any(1) & problem.pickup.any(1)).any():
        yield "it has stops that give and take, where deliveries come before pickups"
    if problem.depots > 1 and Feature.DEPOTS not in asked:
        yield f"it has {problem.depots} depots of which one is used"
    if any(vehicle.start != vehicle.end for vehicle in vehicles):
        yield "it has vehicles that end at another depot than they start from"
    if problem.dimensions and not all(np.isfinite(v.capacity).all() for v in vehicles):
        yield "it has demand but no limit on capacity"
    if "EOF" in problem.name or "_SECTION" in problem.name:
        yield "its name contains EOF or _SECTION"
    yield from _costly(problem)


def _costly(problem: Problem) -> Iterator[str]:
    """What of a problem's costs VRPLIB cannot say."""
    asked, weights = problem.features, problem.objective
    if weights.distance != 1:
        yield "its cost is not the distance"
    if Feature.FIXED_COST in asked and weights.fixed != 1:
        yield "it weighs fixed costs"
    if Feature.OPTIONAL_STOPS in asked and weights.unserved != 1:
        yield "it weighs prizes"
    if (problem.prize[problem.depots :] == 0).any():
        yield "it has stops with a prize of 0, which mark required ones"
    if any(np.isfinite(group.prize) for group in problem.groups):
        yield "it has groups that may be left out"


def _matrices(problem: Problem) -> tuple[Floats, Floats]:
    profile = problem.profile_of(0)
    return profile.distance_m, profile.duration_s


def _barred(problem: Problem) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """`[N, N]` pairs that TYPE VRPB makes unreachable: from depots to pickups."""
    barred = np.zeros((problem.size, problem.size), bool)
    if Feature.BACKHAULS in problem.features:
        barred[: problem.depots] = problem.pickup.any(axis=1)
    return barred


def _kind(problem: Problem) -> str:
    """The TYPE, which says how distances are rounded; of VRPB it says that linehauls are first."""
    asked = problem.features
    for kind, feature in (
        ("VRPB", Feature.BACKHAULS),
        ("MTVRPTWR", Feature.TRIPS),
        ("MTVRPTWR", Feature.RELEASES),
        ("GVRP", Feature.GROUPS),
        ("PCVRPTW", Feature.OPTIONAL_STOPS),
        ("SDVRPTW", Feature.ALLOWED_STOPS),
        ("MDVRPTW", Feature.DEPOTS),
        ("HFVRP", Feature.MIXED_FLEET),
        ("HFVRP", Feature.FIXED_COST),
        ("VRPTW", Feature.TIME_WINDOWS),
    ):
        if feature in asked:
            return kind
    kind = "CVRP" if problem.dimensions else "TSP"
    return kind if _weights(problem, kind) else f"A{kind}"


def _head(problem: Problem) -> list[str]:
    vehicles, kind = len(problem.vehicles), _kind(problem)
    single = kind in ("TSP", "ATSP")
    weights = _weights(problem, kind)
    lines = [
        f"NAME : {' '.join(problem.name.split())}",
        f"TYPE : {kind}",
        f"DIMENSION : {problem.size}",
    ]
    if vehicles != (1 if single else len(problem.stops)):
        lines.append(f"VEHICLES : {vehicles}")
    lines += [f"{key} : {values[0]}" for key, values in _of_vehicles(problem) if _alike(values)]
    lines.append(f"EDGE_WEIGHT_TYPE : {weights or 'EXPLICIT'}")
    return lines if weights else [*lines, "EDGE_WEIGHT_FORMAT : FULL_MATRIX"]


def _sections(problem: Problem) -> list[str]:
    lines: list[str] = []
    if problem.xy is not None:
        lines += ["NODE_COORD_SECTION", *_numbered(problem.xy)]
    if not _weights(problem, _kind(problem)):
        distance = np.where(_barred(problem), 0.0, problem.profile_of(0).distance_m)
        lines.append("EDGE_WEIGHT_SECTION")
        lines += [" ".join(map(_numeral, row)) for row in distance.tolist()]
    for key, table in _of_stops(problem):
        lines += [f"{key}_SECTION", *_numbered(table if table.ndim == 2 else table[:, None])]
    if Feature.GROUPS in problem.features:
        lines += ["MUTUALLY_EXCLUSIVE_GROUP_SECTION"]
        lines += _numbered([j + 1 for j in group.stops] for group in problem.groups)
    for key, values in _of_vehicles(problem):
        if not _alike(values):
            lines += [f"{key}_SECTION", *(f"{v} {value}" for v, value in enumerate(values, 1))]
    if Feature.RELOADS in problem.features:
        lines += ["VEHICLES_RELOAD_DEPOT_SECTION"]
        lines += _numbered([d + 1 for d in v.reloads] for v in problem.vehicles)
    if Feature.ALLOWED_STOPS in problem.features:
        stops = np.arange(problem.size) >= problem.depots
        lines += ["VEHICLES_ALLOWED_CLIENTS_SECTION"]
        lines += _numbered(
            (np.flatnonzero(stops if v.allowed is None else v.allowed & stops) + 1).tolist()
            for v in problem.vehicles
        )
    return [*lines, "DEPOT_SECTION", *(str(d + 1) for d in range(problem.depots)), "-1"]


def _of_stops(problem: Problem) -> Iterator[tuple[str, Floats]]:
    """Keys and values of all nodes, for what is not left out."""
    asked = problem.features
    if problem.dimensions:
        yield "DEMAND", problem.demand
    if Feature.PICKUPS in asked:
        yield "BACKHAUL", problem.pickup
    if Feature.TIME_WINDOWS in asked:
        closing = np.where(np.isinf(problem.window_s), _horizon(problem), problem.window_s)
        yield "TIME_WINDOW", closing
    if problem.service_s.any():
        yield "SERVICE_TIME", problem.service_s
    if Feature.RELEASES in asked:
        yield "RELEASE_TIME", problem.release_s
    if Feature.OPTIONAL_STOPS in asked:
        prize = np.where(np.isfinite(problem.prize), problem.prize, 0.0)
        prize[: problem.depots] = 0.0
        prize[[j for group in problem.groups for j in group.stops]] = 0.0
        yield "PRIZE", prize


def _of_vehicles(problem: Problem) -> Iterator[tuple[str, list[str]]]:
    """Keys and values of all vehicles, for what is not left out."""
    never = _horizon(problem)

    def each(value: Callable[[Vehicle], float]) -> list[str]:
        known = {id(vehicle): value(vehicle) for vehicle in problem.vehicles}
        texts = {key: _numeral(never if np.isinf(x) else x) for key, x in known.items()}
        return [texts[id(vehicle)] for vehicle in problem.vehicles]

    asked = problem.features
    if problem.dimensions:
        yield "CAPACITY", each(lambda vehicle: vehicle.capacity[0])
    if Feature.DEPOTS in asked:
        yield "VEHICLES_DEPOT", each(lambda vehicle: vehicle.start + 1)
    for key, (name, default) in _NUMBERS.items():
        if any(getattr(vehicle, name) != default for vehicle, _ in problem.fleet):
            yield key, each(lambda vehicle, name=name: getattr(vehicle, name))  # type: ignore[misc]
    if Feature.TRIPS in asked:
        if Feature.RELOADS not in asked:
            yield "VEHICLES_RELOAD_DEPOT", each(lambda vehicle: vehicle.start + 1)
        yield "VEHICLES_MAX_RELOADS", each(lambda vehicle: vehicle.max_trips - 1)


def _alike(values: list[str]) -> bool:
    return len(set(values)) == 1


def _weights(problem: Problem, kind: str) -> str:
    """The EDGE_WEIGHT_TYPE under which `xy` gives the distances, empty if there is none."""
    if problem.xy is not None:
        barred, distance = _barred(problem), problem.profile_of(0).distance_m
        for name in RULE_OF:
            given = euclidean(problem.xy, rule_of(name, kind))
            if np.array_equal(given[~barred], distance[~barred]):
                return name
    return ""


def _horizon(problem: Problem) -> float:
    """A time at which any vehicle that does not dawdle is back, and that far it never drives."""
    times = np.append(problem.window_s, problem.release_s)
    duration = problem.profile_of(0).duration_s
    farthest = np.max(duration, initial=0.0, where=np.isfinite(duration))
    latest = np.max(times, initial=0.0, where=np.isfinite(times))
    return float(np.ceil(latest + 2 * problem.size * farthest + problem.service_s.sum()))


def _numbered(rows: Iterable[Iterable[float]]) -> list[str]:
    return [f"{k} {' '.join(map(_numeral, row))}".rstrip() for k, row in enumerate(rows, start=1)]


def _numeral(number: float) -> str:
    """A number as short as it reads back."""
    number = float(number)
    return str(int(number)) if number == int(number) and abs(number) < 1e15 else repr(number)
