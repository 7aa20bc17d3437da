"""Sartori and Buriol's instances of pickup and delivery with time windows, on real streets.

`KEY: value` lines are followed by NODES, whose rows `pairs` explains with latitude and longitude
as the place, and EDGES, a directed matrix of travel times in minutes. A minute is read as one
metre and one second, so that costs are those that are published.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from nco.arrays import Floats
from nco.data.formats.pairs import MOST_VEHICLES, paired_problem, rows_of
from nco.data.formats.rounding import Rounding, rounded
from nco.errors import FormatError, listed, quoted
from nco.memory import require_matrices
from nco.problem import Problem

_KEYS = (
    *("NAME", "LOCATION", "COMMENT", "TYPE", "SIZE", "DISTRIBUTION", "DEPOT", "ROUTE-TIME"),
    *("TIME-WINDOW", "CAPACITY"),
)
_TYPE = "PDPTW"
_PARTS = ("NODES", "EDGES")

Lines = list[tuple[int, str]]


def is_sartori_buriol(text: str) -> bool:
    """Whether a text has the parts of these instances."""
    return re.search(r"^\s*NODES\s*$", text, re.MULTILINE) is not None


def sartori_buriol_problem(
    path: str | Path, text: str, rounding: Rounding | None, vehicles: int | None
) -> Problem:
    """The problem in such a text; there is a vehicle for each shipment unless it is said.

    Raises:
        FormatError: the text is malformed.
        InputError: there are more nodes than fit into the memory.
        ProblemError: a field is malformed.
    """
    head, nodes, edges = _parts(path, text)
    keys = _keys(path, head)
    rows = rows_of(path, nodes)
    n = len(rows)
    if "SIZE" in keys and _number(path, keys, "SIZE") != n:
        raise FormatError(
            f"{path}: SIZE is {quoted(keys['SIZE'][1])}, but NODES has {n} rows; give one a node"
        )
    distance = rounded(_matrix(path, edges, n), rounding or "none")
    opens, closes = rows[0, 4:6].tolist()
    longest = _number(path, keys, "ROUTE-TIME") if "ROUTE-TIME" in keys else np.inf
    count = max(1, (n - 1) // 2) if vehicles is None else vehicles
    if not 1 <= count <= MOST_VEHICLES:
        raise FormatError(f"{path}: vehicles is {count}; give 1 to {MOST_VEHICLES}")
    return paired_problem(
        path,
        rows,
        distance,
        count,
        capacity=(_number(path, keys, "CAPACITY"),),
        max_duration_s=longest if longest < closes - opens else np.inf,
        lonlat=rows[:, [2, 1]],
        name=keys["NAME"][1] if "NAME" in keys else Path(path).stem,
    )


def _parts(path: str | Path, text: str) -> tuple[Lines, Lines, Lines]:
    """Lines before NODES, those of NODES, and those of EDGES."""
    parts: list[Lines] = [[]]
    for number, raw in enumerate(text.splitlines(), start=1):
        line = raw.strip()
        if line == "EOF":
            break
        if line in _PARTS:
            wanted = _PARTS[len(parts) - 1] if len(parts) <= len(_PARTS) else "EOF"
            if line != wanted:
                raise FormatError(f"{path}, line {number}: found {line}, expected {wanted}")
            parts.append([])
        elif line:
            parts[-1].append((number, line))
    if len(parts) != 1 + len(_PARTS):
        raise FormatError(f"{path}: EDGES is missing; it gives travel times behind NODES")
    return parts[0], parts[1], parts[2]


def _keys(path: str | Path, lines: Lines) -> dict[str, tuple[int, str]]:
    """Line and value of each key."""
    keys: dict[str, tuple[int, str]] = {}
    for number, line in lines:
        key, colon, value = (part.strip() for part in line.partition(":"))
        if not colon or key not in _KEYS:
            raise FormatError(
                f"{path}, line {number}: {quoted(line)} is none of the keys {listed(_KEYS)}"
            )
        if key in keys:
            raise FormatError(f"{path}, line {number}: {key} is there twice; remove one")
        keys[key] = number, value
    if "TYPE" in keys and keys["TYPE"][1] != _TYPE:
        raise FormatError(f"{path}: TYPE is {quoted(keys['TYPE'][1])}; read is {_TYPE}")
    return keys


def _number(path: str | Path, keys: dict[str, tuple[int, str]], key: str) -> float:
    if key not in keys:
        raise FormatError(f"{path}: {key} is missing; give it before NODES")
    line, word = keys[key]
    try:
        value = float(word)
    except ValueError:
        value = np.nan
    if not 0 <= value < np.inf:
        raise FormatError(
            f"{path}, line {line}: {key} is {quoted(word)}; it must be a number of 0 or more"
        )
    return value


def _matrix(path: str | Path, lines: Lines, n: int) -> Floats:
    """`[n, n]` minutes, 0 from a node to itself."""
    if len(lines) != n:
        raise FormatError(f"{path}: EDGES has {len(lines)} rows; give one a node ({n})")
    require_matrices(n, n, 3)
    matrix = np.zeros((n, n))
    for j, (number, line) in enumerate(lines):
        words = line.split()
        if len(words) != n:
            raise FormatError(
                f"{path}, line {number}: EDGES has {len(words)} numbers for node {j}; give {n}"
            )
        try:
            matrix[j] = [float(word) for word in words]
        except ValueError:
            matrix[j] = np.nan
        if not np.isfinite(matrix[j]).all():
            raise FormatError(
                f"{path}, line {number}: {quoted(line)} holds something that is no finite number"
            )
    np.fill_diagonal(matrix, 0.0)
    return matrix
