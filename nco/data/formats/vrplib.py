"""Classical benchmark instances: VRPLIB, CVRPLIB, TSPLIB and Solomon.

One unit of such a file is read as one metre and one second. Distances between coordinates are
rounded as `nco.data.formats.rounding` explains; explicit matrices are taken as they stand unless a rule
is given. Depots become the first nodes; the other nodes keep their order.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

from nco.data.formats.json_file import read_text
from nco.data.formats.rounding import Rounding, check_rounding, euclidean, rounded
from nco.data.formats.solomon import is_solomon, solomon_problem
from nco.errors import FormatError, ProblemError
from nco.problem import Problem, Profile, Vehicle
from nco.arrays import Floats

RULE_OF: dict[str, Rounding] = {"EUC_2D": "round", "FLOOR_2D": "trunc", "CEIL_2D": "ceil"}
_TYPES = ("TSP", "ATSP", "CVRP", "ACVRP", "VRPTW", "CVRPTW", "ACVRPTW", "MDVRP")
_KNOWN = {
    *("name", "comment", "type", "dimension", "capacity", "vehicles", "service_time"),
    *("edge_weight_type", "edge_weight_format", "edge_weight", "edge_data_format"),
    *("node_coord_type", "node_coord", "display_data_type", "display_data"),
    *("demand", "depot", "time_window"),
}
_WEIGHTS = re.compile(r"EDGE_WEIGHT_SECTION[ :]*\n(.*?)(?=\n[A-Z_ ]*SECTION|\nEOF|\Z)", re.S)


def read_instance(
    path: str | Path, *, rounding: Rounding | None = None, vehicles: int | None = None
) -> Problem:
    """Read a VRPLIB, CVRPLIB, TSPLIB or Solomon instance; its text tells which it is.

    Args:
        path: of the file.
        rounding: of distances; None takes the rule of the format.
        vehicles: how many; None takes the number in the file, and one for each stop where there
            is none (the -k25 in a CVRPLIB name is a lower bound, not a limit). With several
            depots it is the number at each.

    Raises:
        FormatError: the file is malformed or asks for what a `Problem` cannot say.
        InputError: the rounding rule is unknown.
        StorageError: it cannot be read.
    """
    check_rounding(rounding)
    text = read_text(path)
    try:
        if is_solomon(text):
            return solomon_problem(path, text, rounding, vehicles)
        return _problem(path, _parse(path, text), rounding, vehicles)
    except ProblemError as error:
        raise FormatError(f"{path}: {error}") from None


def _parse(path: str | Path, text: str) -> dict[str, Any]:
    """What vrplib reads, after checks that it does not make."""
    from vrplib.parse import parse_vrplib

    lines = [line.strip() for line in text.splitlines()]
    _check_node_numbers(path, lines)
    text, matrix = _take_full_matrix(path, "\n".join(lines))
    try:
        data: dict[str, Any] = parse_vrplib(text, compute_edge_weights=False)
    except (ValueError, RuntimeError, IndexError, TypeError) as error:
        raise FormatError(
            f"{path}: not a VRPLIB or Solomon instance: {error} (explicit weights are read as "
            "FULL_MATRIX or LOWER_ROW)"
        ) from None
    if matrix is not None:
        data["edge_weight"] = matrix
    strange = sorted(set(data) - _KNOWN)
    if strange:
        raise FormatError(
            f"{path}: {strange[0].upper()} cannot be expressed as a problem here; remove it if "
            "nothing depends on it"
        )
    if str(data.get("type", "CVRP")).upper() not in _TYPES:
        raise FormatError(f"{path}: TYPE is {data['type']}; read are {', '.join(_TYPES)}")
    return data


def _check_node_numbers(path: str | Path, lines: list[str]) -> None:
    """Refuse nodes out of order, whose numbers vrplib drops unseen."""
    section, count = "", 0
    for number, line in enumerate(lines, start=1):
        if "_SECTION" in line or line.startswith("EOF"):
            section, count = line.strip(" :"), 0
        elif line.startswith("#") or not line:
            continue
        elif section and section not in ("DEPOT_SECTION", "EDGE_WEIGHT_SECTION"):
            count += 1
            if line.split()[0] != str(count):
                raise FormatError(
                    f"{path}, line {number}: {section} must number its nodes 1, 2, 3, ...; "
                    f"expected {count}, found {line.split()[0]!r}"
                )


def _take_full_matrix(path: str | Path, text: str) -> tuple[str, Floats | None]:
    """Cut a full matrix out of the text, as vrplib is slow on it and asks for one row a line."""
    size = re.search(r"^DIMENSION *: *(\d+)", text, re.M)
    weights = _WEIGHTS.search(text)
    if not weights or not size or not re.search(r"^EDGE_WEIGHT_FORMAT *: *FULL_", text, re.M):
        return text, None
    n, cells = int(size[1]), weights[1].split()
    try:
        matrix = np.array(cells, dtype=np.float64)
    except ValueError as error:
        raise FormatError(f"{path}: EDGE_WEIGHT_SECTION: {error}") from None
    if len(matrix) != n * n:
        raise FormatError(
            f"{path}: EDGE_WEIGHT_SECTION holds {len(matrix)} numbers; a full matrix of {n} nodes "
            f"has {n * n}"
        )
    return text[: weights.start()] + text[weights.end() :], matrix.reshape(n, n)


def _problem(
    path: str | Path, data: dict[str, Any], rounding: Rounding | None, vehicles: int | None
) -> Problem:
    xy = _numbers(path, data, "node_coord")
    distance = _distances(path, data, xy, rounding)
    n = len(distance)
    if data.get("dimension", n) != n:
        raise FormatError(f"{path}: DIMENSION is {data['dimension']} but there are {n} nodes")
    depots = _depots(path, data, n)
    order = [*depots, *(j for j in range(n) if j not in set(depots))]
    sections = {"node_coord": "xy", "demand": "demand", "time_window": "window_s"}
    fields: dict[str, Any] = {}
    for section, field in (*sections.items(), ("service_time", "service_s")):
        values = _numbers(path, data, section)
        if values is None:
            continue
        if values.ndim == 0:  # SERVICE_TIME : 10, the same at every stop
            values = np.where(np.isin(np.arange(n), depots), 0.0, values)
        if len(values) != n:
            raise FormatError(
                f"{path}: {section.upper()} has {len(values)} rows; give one a node ({n})"
            )
        fields[field] = values[order]
    distance = distance[np.ix_(order, order)]
    return Problem(
        profiles=(Profile(distance_m=distance, duration_s=distance),),
        vehicles=_fleet(path, data, n, len(depots), vehicles),
        depots=len(depots),
        name=str(data.get("name", Path(path).stem)),
        **fields,
    )


def _fleet(
    path: str | Path, data: dict[str, Any], n: int, depots: int, vehicles: int | None
) -> tuple[Vehicle, ...]:
    """As many alike vehicles as asked for, at every depot."""
    capacity = _numbers(path, data, "capacity")
    if (capacity is None) != ("demand" not in data):
        raise FormatError(f"{path}: there must be both CAPACITY and DEMAND_SECTION, or neither")
    count = vehicles if vehicles is not None else data.get("vehicles")
    if count is None:
        single = str(data.get("type")).upper() in ("TSP", "ATSP")
        count = 1 if single else max(1, n - depots)
    elif vehicles is None and depots > 1:
        raise FormatError(
            f"{path}: VEHICLES does not say how many stand at each of {depots} depots; give "
            "vehicles= at each"
        )
    if not isinstance(count, int) or count < 1:
        raise FormatError(f"{path}: VEHICLES is {count}; it must be a whole number of 1 or more")
    load = () if capacity is None else (float(capacity),)
    fleets = [(Vehicle(capacity=load, start=d, end=d),) * count for d in range(depots)]
    return tuple(vehicle for fleet in fleets for vehicle in fleet)


def _numbers(path: str | Path, data: dict[str, Any], key: str) -> Floats | None:
    if key not in data:
        return None
    try:
        return np.asarray(data[key], dtype=np.float64)
    except (ValueError, TypeError):
        raise FormatError(
            f"{path}: {key.upper()} holds something that is not a number, or rows of different "
            "lengths"
        ) from None


def _distances(
    path: str | Path, data: dict[str, Any], xy: Floats | None, rounding: Rounding | None
) -> Floats:
    explicit = _numbers(path, data, "edge_weight")
    if explicit is not None:
        if explicit.ndim != 2 or len(set(explicit.shape)) != 1:
            raise FormatError(f"{path}: EDGE_WEIGHT_SECTION does not hold a square matrix")
        distance = rounded(explicit, rounding or "none").copy()
        np.fill_diagonal(distance, 0.0)  # TSPLIB writes 9999 and the like there
        return distance
    kind = str(data.get("edge_weight_type", "missing"))
    if kind not in RULE_OF:
        raise FormatError(
            f"{path}: EDGE_WEIGHT_TYPE is {kind}; read are EXPLICIT with an EDGE_WEIGHT_SECTION, "
            f"and {', '.join(RULE_OF)}"
        )
    if xy is None or xy.ndim != 2 or xy.shape[1] != 2 or not np.isfinite(xy).all():
        raise FormatError(f"{path}: {kind} needs a NODE_COORD_SECTION with x and y of each node")
    return euclidean(xy, rounding or RULE_OF[kind])


def _depots(path: str | Path, data: dict[str, Any], n: int) -> list[int]:
    given = _numbers(path, data, "depot")
    marked = np.zeros(1) if given is None else np.atleast_1d(given).ravel()
    depots = [int(d) if d in range(n) else -1 for d in marked.tolist()]
    if not depots or len(set(depots)) < len(depots) or min(depots) < 0:
        raise FormatError(
            f"{path}: DEPOT_SECTION names nodes {(marked + 1).tolist()}; give different nodes "
            f"from 1 to {n}, then -1"
        )
    return depots
