"""Problems as VRPLIB, for those that fit into the format."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from nco.data.formats.rounding import euclidean
from nco.data.formats.vrplib import RULE_OF
from nco.errors import UnsupportedError, quoted
from nco.files import write_atomic
from nco.problem import Problem
from nco.problem.objective import Feature

_FITS = frozenset({Feature.CAPACITY, Feature.TIME_WINDOWS})


def write_instance(path: str | Path, problem: Problem) -> Path:
    """Write a problem as VRPLIB: one depot, alike vehicles, one matrix, distance as the cost.

    Distances are written as a full directed matrix unless they follow from `xy` under a rule
    that VRPLIB has a name for. Names and `lonlat` have no place in the format and are left out.
    A window without end closes when everything must be over.

    Raises:
        UnsupportedError: the problem does not fit; the message names everything that does not.
        StorageError: the file cannot be written; what stood there before is untouched.
    """
    misfits = _misfits(problem)
    if misfits:
        raise UnsupportedError(
            f"problem {quoted(problem.name)} does not fit into VRPLIB: {'; '.join(misfits)}; "
            "save it as .json, which holds everything"
        )
    return write_atomic(path, "\n".join([*_head(problem), *_sections(problem), "EOF", ""]))


def _misfits(problem: Problem) -> list[str]:
    """What of a problem VRPLIB cannot say."""
    profile, vehicle = problem.profile_of(0), problem.vehicles[0]
    found = [f"it has {feature}" for feature in sorted(problem.features - _FITS)]
    timed = Feature.TIME_WINDOWS in problem.features or bool(problem.service_s.any())
    if timed and not np.array_equal(profile.distance_m, profile.duration_s):
        found.append("it has windows or service, and durations that differ from distances")
    if problem.depots > 1:
        found.append(f"it has {problem.depots} depots")
    if problem.objective.distance * vehicle.cost_per_m != 1:
        found.append("its cost is not the distance")
    if problem.dimensions and not np.isfinite(vehicle.capacity).all():
        found.append("it has demand but no limit on capacity")
    if "EOF" in problem.name or "_SECTION" in problem.name:
        found.append("its name contains EOF or _SECTION")
    return found


def _head(problem: Problem) -> list[str]:
    vehicles = len(problem.vehicles)
    timed = Feature.TIME_WINDOWS in problem.features
    kind = "CVRP" if problem.dimensions else "TSP"
    unlimited = vehicles == (len(problem.stops) if problem.dimensions or timed else 1)
    euclid = _euclidean_type(problem)
    lines = [
        f"NAME : {' '.join(problem.name.split())}",
        f"TYPE : {'VRPTW' if timed else kind if euclid else 'A' + kind}",
        f"DIMENSION : {problem.size}",
    ]
    if problem.dimensions:
        lines.append(f"CAPACITY : {_numeral(problem.vehicles[0].capacity[0])}")
    if not unlimited:
        lines.append(f"VEHICLES : {vehicles}")
    lines.append(f"EDGE_WEIGHT_TYPE : {euclid or 'EXPLICIT'}")
    return lines if euclid else [*lines, "EDGE_WEIGHT_FORMAT : FULL_MATRIX"]


def _sections(problem: Problem) -> list[str]:
    lines = []
    if problem.xy is not None:
        lines += ["NODE_COORD_SECTION", *_numbered(problem.xy)]
    if not _euclidean_type(problem):
        lines.append("EDGE_WEIGHT_SECTION")
        lines += [" ".join(map(_numeral, row)) for row in problem.profile_of(0).distance_m.tolist()]
    if problem.dimensions:
        lines += ["DEMAND_SECTION", *_numbered(problem.demand)]
    if Feature.TIME_WINDOWS in problem.features:
        windows = np.where(np.isinf(problem.window_s), _horizon(problem), problem.window_s)
        lines += ["TIME_WINDOW_SECTION", *_numbered(windows)]
    if problem.service_s.any():
        lines += ["SERVICE_TIME_SECTION", *_numbered(problem.service_s[:, None])]
    return [*lines, "DEPOT_SECTION", "1", "-1"]


def _euclidean_type(problem: Problem) -> str:
    """The EDGE_WEIGHT_TYPE under which `xy` gives the distances, empty if there is none."""
    if problem.xy is not None:
        for name, rule in RULE_OF.items():
            if np.array_equal(euclidean(problem.xy, rule), problem.profile_of(0).distance_m):
                return name
    return ""


def _horizon(problem: Problem) -> float:
    """A time at which any vehicle that does not dawdle is back."""
    finite = problem.window_s[np.isfinite(problem.window_s)].max(initial=0.0)
    driving = problem.profile_of(0).duration_s.max(axis=1).sum()
    return float(np.ceil(finite + 2 * driving + problem.service_s.sum()))


def _numbered(rows: Iterable[Iterable[float]]) -> list[str]:
    return [f"{k} {' '.join(map(_numeral, row))}" for k, row in enumerate(rows, start=1)]


def _numeral(number: float) -> str:
    """A number as short as it reads back."""
    number = float(number)
    return str(int(number)) if number == int(number) and abs(number) < 1e15 else repr(number)
