"""Classical benchmark instances: VRPLIB, CVRPLIB, TSPLIB and Solomon.

One unit of such a file is read as one metre and one second. Distances between coordinates are
rounded as `rounding` explains; explicit matrices are taken as they stand unless a rule is given.
Depots become the first nodes; the other nodes keep their order. DISTANCE, the longest that
a route may be with its service, is the end of every vehicle's shift.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from nco.arrays import Floats
from nco.data.formats.json_file import read_text
from nco.data.formats.rounding import Rounding, check_rounding, euclidean, rounded
from nco.data.formats.solomon import is_solomon, solomon_problem
from nco.data.formats.vrplib_text import Section, Text, take_apart
from nco.errors import FormatError, ProblemError, listed, quoted, shortened
from nco.memory import require_matrices
from nco.problem import Problem, Profile, Vehicle

RULE_OF: dict[str, Rounding] = {"EUC_2D": "round", "FLOOR_2D": "trunc", "CEIL_2D": "ceil"}
_TYPES = ("TSP", "ATSP", "CVRP", "ACVRP", "VRPTW", "CVRPTW", "ACVRPTW", "MDVRP")
_MOST_VEHICLES = 1_000_000
_SPECIFICATIONS = (
    *("NAME", "COMMENT", "TYPE", "DIMENSION", "CAPACITY", "VEHICLES", "SERVICE_TIME", "DISTANCE"),
    *("EDGE_WEIGHT_TYPE", "EDGE_WEIGHT_FORMAT", "EDGE_DATA_FORMAT"),
    *("NODE_COORD_TYPE", "DISPLAY_DATA_TYPE"),
)
_SECTIONS = (
    *("NODE_COORD", "EDGE_WEIGHT", "DISPLAY_DATA", "DEMAND", "DEPOT", "TIME_WINDOW"),
    "SERVICE_TIME",
)
# What no classical file can say here, but our own .json can.
_OTHER_WAYS = {
    "OVRP": "open routes are those to an `end` depot that is at distance 0 from everywhere",
    "PRIZE": "optional stops are those with a `prize`",
    "VEHICLES_DEPOT": "each vehicle has its `start` and `end`",
    "VEHICLES_MAX_DURATION": "a vehicle's hours are its `shift_s`",
    "VEHICLES_MAX_RELOADS": "a vehicle that returns to load again has `max_trips`",
    "VEHICLES_ALLOWED_CLIENTS": "a vehicle's stops are those `allowed`",
}
# Whether the triangle is the upper one, read row by row, and whether the diagonal is in it. A
# symmetric matrix has the same numbers in its lower triangle, read column by column.
_TRIANGLES = {
    "UPPER_ROW": (True, False),
    "LOWER_COL": (True, False),
    "LOWER_ROW": (False, False),
    "UPPER_COL": (False, False),
    "UPPER_DIAG_ROW": (True, True),
    "LOWER_DIAG_COL": (True, True),
    "LOWER_DIAG_ROW": (False, True),
    "UPPER_DIAG_COL": (False, True),
}


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
        InputError: the rounding rule is unknown, or there are more nodes than fit into the memory.
        StorageError: it cannot be read.
    """
    check_rounding(rounding)
    text = read_text(path)
    try:
        if is_solomon(text):
            return solomon_problem(path, text, rounding, vehicles)
        return _problem(_checked(take_apart(path, text)), rounding, vehicles)
    except ProblemError as error:
        raise FormatError(f"{path}: {error}") from None


def _checked(text: Text) -> Text:
    """Refuse what is not understood, so that nothing is dropped unseen."""
    for given, known in (
        (text.specifications, _SPECIFICATIONS),
        (text.sections, _SECTIONS),
    ):
        for key in given:
            if key not in known:
                raise FormatError(
                    f"{text.path}: {shortened(key)} cannot be expressed as a problem here; "
                    + _other_way(key, "remove it if nothing depends on it")
                )
    kind = text.word("TYPE", "CVRP").upper()
    if kind not in _TYPES:
        raise FormatError(
            f"{text.path}: TYPE is {shortened(kind)}; "
            + _other_way(kind, f"read are {listed(_TYPES)}")
        )
    both = [key for key in text.sections if key in text.specifications]
    if both:
        raise FormatError(f"{text.path}: {both[0]} is there twice, as a value and as a section")
    return text


def _other_way(key: str, otherwise: str) -> str:
    return f"in .json, {_OTHER_WAYS[key]}" if key in _OTHER_WAYS else otherwise


def _problem(text: Text, rounding: Rounding | None, vehicles: int | None) -> Problem:
    n = _dimension(text)
    xy = _table(text, "NODE_COORD", n, 2)
    distance = _distances(text, n, xy, rounding)  # first: it shows that there are n nodes
    depots = _depots(text, n)
    order = [*depots, *(j for j in range(n) if j not in set(depots))]
    service = _table(text, "SERVICE_TIME", n, 1)
    uniform = text.number("SERVICE_TIME")
    if uniform is not None:  # the same at every stop
        service = np.where(np.isin(np.arange(n), depots), 0.0, uniform)[:, None]
    fields: dict[str, Floats | None] = {
        "demand": _table(text, "DEMAND", n, 1),
        "window_s": _table(text, "TIME_WINDOW", n, 2),
        "service_s": None if service is None else service[:, 0],
        "xy": xy,
    }
    given: dict[str, Any] = {key: x[order] for key, x in fields.items() if x is not None}
    distance = distance[np.ix_(order, order)]
    return Problem(
        profiles=(Profile(distance_m=distance, duration_s=distance),),
        vehicles=_fleet(text, n, len(depots), vehicles),
        depots=len(depots),
        name=text.word("NAME") or Path(text.path).stem,
        **given,
    )


def _dimension(text: Text) -> int:
    """How many nodes there are."""
    listed_nodes = text.sections.get("NODE_COORD", text.sections.get("DEMAND"))
    stated = text.number("DIMENSION")
    n = len(listed_nodes.lines) if listed_nodes and stated is None else stated
    if n is None or n < 1 or n % 1:
        given = "missing" if stated is None else f"{stated:g}"
        raise FormatError(f"{text.path}: DIMENSION is {given}; give the number of nodes")
    if listed_nodes and n != len(listed_nodes.lines):
        raise FormatError(
            f"{text.path}: DIMENSION is {n:g} but there are {len(listed_nodes.lines)} nodes in "
            f"{listed_nodes.name}_SECTION; give one row a node"
        )
    return int(n)


def _table(text: Text, name: str, n: int, width: int) -> Floats | None:
    return text.sections[name].table(n, width) if name in text.sections else None


def _fleet(text: Text, n: int, depots: int, vehicles: int | None) -> tuple[Vehicle, ...]:
    """As many alike vehicles as asked for, at every depot."""
    capacity = text.number("CAPACITY")
    if (capacity is None) != ("DEMAND" not in text.sections):
        raise FormatError(
            f"{text.path}: there must be both CAPACITY and DEMAND_SECTION, or neither"
        )
    stated = text.number("VEHICLES")
    count = stated if vehicles is None else vehicles
    if count is None:
        single = text.word("TYPE").upper() in ("TSP", "ATSP")
        count = 1 if single else max(1, n - depots)
    elif vehicles is None and depots > 1:
        raise FormatError(
            f"{text.path}: VEHICLES does not say how many stand at each of {depots} depots; give "
            "vehicles= at each"
        )
    if count % 1 or not 1 <= count <= _MOST_VEHICLES:
        raise FormatError(
            f"{text.path}: VEHICLES is {count:g}; it must be a whole number from 1 to "
            f"{_MOST_VEHICLES}"
        )
    longest = text.number("DISTANCE")
    if longest is not None and "TIME_WINDOW" in text.sections:
        raise FormatError(
            f"{text.path}: DISTANCE limits how long a route takes, whenever it begins; beside time "
            "windows this cannot be expressed, only a shift that ends (`shift_s` in .json)"
        )
    load = () if capacity is None else (capacity,)
    shift_s = (0.0, np.inf if longest is None else longest)
    fleets = [
        (Vehicle(capacity=load, shift_s=shift_s, start=d, end=d),) * int(count)
        for d in range(depots)
    ]
    return tuple(vehicle for fleet in fleets for vehicle in fleet)


def _distances(text: Text, n: int, xy: Floats | None, rounding: Rounding | None) -> Floats:
    if "EDGE_WEIGHT" in text.sections:
        explicit = _matrix(text, text.sections["EDGE_WEIGHT"], n)
        distance = rounded(explicit, rounding or "none").copy()
        np.fill_diagonal(distance, 0.0)  # TSPLIB writes 9999 and the like there
        return distance
    kind = text.word("EDGE_WEIGHT_TYPE", "missing").upper()
    if kind not in RULE_OF:
        raise FormatError(
            f"{text.path}: EDGE_WEIGHT_TYPE is {shortened(kind)}; read are EXPLICIT with an "
            f"EDGE_WEIGHT_SECTION, and {', '.join(RULE_OF)}"
        )
    if xy is None:
        raise FormatError(
            f"{text.path}: {kind} needs a NODE_COORD_SECTION with x and y of each node"
        )
    return euclidean(xy, rounding or RULE_OF[kind])


def _matrix(text: Text, section: Section, n: int) -> Floats:
    """`[n, n]` weights, in whichever of TSPLIB's formats."""
    kind = text.word("EDGE_WEIGHT_FORMAT", "FULL_MATRIX").upper()
    if kind != "FULL_MATRIX" and kind not in _TRIANGLES:
        known = ", ".join(("FULL_MATRIX", *_TRIANGLES))
        raise FormatError(f"{text.path}: EDGE_WEIGHT_FORMAT is {shortened(kind)}; read are {known}")
    weights = section.numbers()
    upper, diagonal = _TRIANGLES.get(kind, (False, False))
    wanted = n * n if kind == "FULL_MATRIX" else n * (n + (1 if diagonal else -1)) // 2
    if len(weights) != wanted:
        raise FormatError(
            f"{text.path}: EDGE_WEIGHT_SECTION holds {len(weights)} numbers; as {kind}, {n} nodes "
            f"have {wanted}"
        )
    if kind == "FULL_MATRIX":
        return weights.reshape(n, n)
    require_matrices(n, n, 3)
    matrix = np.zeros((n, n))
    offset = 0 if diagonal else 1
    matrix[np.triu_indices(n, offset) if upper else np.tril_indices(n, -offset)] = weights
    return matrix + matrix.T


def _depots(text: Text, n: int) -> list[int]:
    if "DEPOT" not in text.sections:
        return [0]
    given = text.sections["DEPOT"].numbers()
    marked = given[given != -1]
    depots = [int(d) - 1 if d in range(1, n + 1) else -1 for d in marked.tolist()]
    if not depots or len(set(depots)) < len(depots) or min(depots) < 0:
        raise FormatError(
            f"{text.path}: DEPOT_SECTION names nodes {quoted(marked.tolist())}; give different "
            f"nodes from 1 to {n}, then -1"
        )
    return depots
