"""Classical benchmark instances: VRPLIB with PyVRP's dialect, CVRPLIB, TSPLIB and those of `.txt`.

One unit of such a file is read as one metre and one second. Distances between coordinates are
rounded as `rounding` explains; explicit matrices are taken as they stand unless a rule is given.
Depots become the first nodes; the other nodes keep their order. DISTANCE, the longest that
a route may be with its service, is the end of every vehicle's shift, and its longest duty beside
time windows.

PyVRP's dialect describes vehicles one by one, prizes, backhauls, groups, release times and
reloads; its sections mean here what PyVRP's own reader makes of them. A prize of 0 makes a stop
required. With TYPE VRPB, no street leads from the depot to a backhaul stop. A vehicle that loads
again at its depot has several trips.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from nco.arrays import Floats
from nco.data.formats.json_file import read_text
from nco.data.formats.li_lim import is_li_lim, li_lim_problem
from nco.data.formats.rounding import Rounding, check_rounding
from nco.data.formats.sartori_buriol import is_sartori_buriol, sartori_buriol_problem
from nco.data.formats.solomon import is_solomon, solomon_problem
from nco.data.formats.vrplib_fleet import AMOUNTS, OF_VEHICLES, fleet
from nco.data.formats.vrplib_matrix import distances
from nco.data.formats.vrplib_text import Text, take_apart
from nco.errors import FormatError, ProblemError, listed, quoted, shortened
from nco.problem import Group, Problem, Profile

# Formats of `.txt` files, and how their texts are known.
_OTHERS = (
    (is_solomon, solomon_problem),
    (is_sartori_buriol, sartori_buriol_problem),
    (is_li_lim, li_lim_problem),
)
_TYPES = (
    *("TSP", "ATSP", "CVRP", "ACVRP", "VRPTW", "CVRPTW", "ACVRPTW", "MDVRP"),
    *("HFVRP", "MDVRPTW", "SDVRPTW", "PCVRPTW", "VRPB", "GVRP", "MTVRPTWR"),
)
_LINEHAULS_FIRST = "VRPB"
_GROUP = "MUTUALLY_EXCLUSIVE_GROUP"
_EITHER = ("CAPACITY", "SERVICE_TIME", "RELEASE_TIME", "PRIZE", *AMOUNTS, *OF_VEHICLES)
_SPECIFICATIONS = (
    *("NAME", "COMMENT", "TYPE", "DIMENSION", "VEHICLES", "DISTANCE"),
    *("EDGE_WEIGHT_TYPE", "EDGE_WEIGHT_FORMAT", "EDGE_DATA_FORMAT"),
    *("NODE_COORD_TYPE", "DISPLAY_DATA_TYPE"),
    *(key for key in _EITHER if key != "VEHICLES_ALLOWED_CLIENTS"),
)
_SECTIONS = (
    *("NODE_COORD", "EDGE_WEIGHT", "DISPLAY_DATA", "DEPOT", "TIME_WINDOW", _GROUP),
    *_EITHER,
)
# What no classical file can say here, but our own .json can.
_OTHER_WAYS = {
    "OVRP": "routes end at their last stop where a vehicle has `open_end`",
    "PDPTW": "goods that go from stop to stop are `shipments`",
    "PICKUP_AND_DELIVERY": "goods that go from stop to stop are `shipments`",
}


def read_instance(
    path: str | Path, *, rounding: Rounding | None = None, vehicles: int | None = None
) -> Problem:
    """Read an instance of VRPLIB, TSPLIB, Solomon, Li and Lim, or Sartori and Buriol.

    The text tells which of them it is.

    Args:
        path: of the file.
        rounding: of distances; None takes the rule of the format.
        vehicles: how many; None takes the number in the file, and one for each stop where there
            is none (the -k25 in a CVRPLIB name is a lower bound, not a limit). With several
            depots it is the number at each. Not for files that list vehicles one by one.

    Raises:
        FormatError: the file is malformed or asks for what a `Problem` cannot say.
        InputError: the rounding rule is unknown, `vehicles` does not apply, or there are more nodes
            than fit into the memory.
        StorageError: it cannot be read.
    """
    check_rounding(rounding)
    text = read_text(path)
    try:
        for is_such, read in _OTHERS:
            if is_such(text):
                return read(path, text, rounding, vehicles)
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
    distance = distances(text, n, xy, rounding)  # first: it shows that there are n nodes
    depots = _depots(text, n)
    order = [*depots, *(j for j in range(n) if j not in set(depots))]
    node_of: dict[float, int] = {j: node for node, j in enumerate(order)}
    prize = _of_stops(text, "PRIZE", n, depots)
    fields: dict[str, Floats | None] = {
        **_amounts(text, n, depots),
        "window_s": _table(text, "TIME_WINDOW", n, 2),
        "service_s": _of_stops(text, "SERVICE_TIME", n, depots),
        "release_s": _of_stops(text, "RELEASE_TIME", n, depots),
        "prize": None if prize is None else np.where(prize == 0, np.inf, prize),
        "xy": xy,
    }
    if text.word("TYPE").upper() == _LINEHAULS_FIRST:
        distance = _linehauls_first(text, distance, depots, fields)
    given: dict[str, Any] = {key: x[order] for key, x in fields.items() if x is not None}
    distance = distance[np.ix_(order, order)]
    return Problem(
        profiles=(Profile(distance_m=distance, duration_s=distance),),
        vehicles=fleet(text, n, node_of, len(depots), vehicles),
        depots=len(depots),
        linehauls_first=text.word("TYPE").upper() == _LINEHAULS_FIRST,
        groups=_groups(text, n, node_of, len(depots), prize),
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


def _amounts(text: Text, n: int, depots: list[int]) -> dict[str, Floats]:
    """What is given and taken at each node."""
    both = [key for key in ("DEMAND", "LINEHAUL") if key in text]
    if len(both) > 1:
        raise FormatError(
            f"{text.path}: DEMAND and LINEHAUL are two names of one thing; remove one"
        )
    found = {}
    for key, name in (*((key, "demand") for key in both), ("BACKHAUL", "pickup")):
        amounts = _of_stops(text, key, n, depots)
        if amounts is not None:
            found[name] = amounts[:, None]
    return found


def _of_stops(text: Text, key: str, n: int, depots: list[int]) -> Floats | None:
    """`[n]` numbers; one value for all is that of stops, and 0 at depots."""
    found = text.each(key, n, "node")
    if found is not None and key in text.specifications:
        found[depots] = 0.0
    return found


def _groups(
    text: Text, n: int, node_of: Mapping[float, int], depots: int, prize: Floats | None
) -> tuple[Group, ...]:
    """Groups of which one stop is served; a group of a single stop is no group."""
    if _GROUP not in text.sections:
        return ()
    section, found = text.sections[_GROUP], []
    for k, row in enumerate(section.lists(None, n, "group"), start=1):
        members = tuple(node_of[j] for j in row)
        if any(node < depots for node in members):
            section.fail(f"names a depot in group {k}; list stops alone")
        if prize is not None and prize[row].any():
            section.fail(f"names a stop with a PRIZE in group {k}; of groups one stop is required")
        if len(members) > 1:
            found.append(Group(stops=members))
    return tuple(found)


def _linehauls_first(
    text: Text, distance: Floats, depots: list[int], fields: Mapping[str, Floats | None]
) -> Floats:
    """Distances in which no street leads from a depot to where something is picked up."""
    demand, pickup = (fields.get(name) for name in ("demand", "pickup"))
    taken = np.zeros(len(distance), bool) if pickup is None else pickup[:, 0] > 0
    taken[depots] = False
    both = taken & (demand is not None and demand[:, 0] > 0)
    if both.any():
        raise FormatError(
            f"{text.path}: node {int(np.argmax(both)) + 1} has both DEMAND and BACKHAUL; with TYPE "
            "VRPB it has one of them"
        )
    distance = distance.copy()
    distance[np.ix_(depots, np.flatnonzero(taken))] = np.inf
    return distance


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
