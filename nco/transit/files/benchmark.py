"""Benchmark networks of Mandl and Mumford, in the two layouts they circulate in.

- Raw: `<City>Coords.txt` (the number of nodes, then x and y of each), `<City>TravelTimes.txt` (a
  matrix in minutes, `Inf` where there is no link) and `<City>Demand.txt` (a matrix of trips). Line
  ends and blank lines do not matter.
- CSV: `<city>_nodes.txt` (id, lat, lon, terminal), `<city>_links.txt` (from, to, travel_time in
  minutes, each link in both directions) and `<city>_demand.txt` (from, to, demand).

The networks are undirected by definition, so times that differ between the two directions are an
error here. The files say nothing of lines; the usual number and bounds are known by name.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from nco.arrays import Bools, Floats
from nco.data.formats.json_file import read_text
from nco.errors import FormatError, quoted
from nco.transit.instance.transit_instance import TransitInstance
from nco.transit.sources.demand import read_demand
from nco.transit.sources.table import number_nodes, read_columns


class Size(NamedTuple):
    """How many lines a benchmark asks for, and of how many stops."""

    lines: int
    min_stops: int
    max_stops: int


# Mandl (1979) and Mumford (2013) as everybody has used them since.
SIZES = {
    "mandl": Size(6, 2, 8),
    "mumford0": Size(12, 2, 15),
    "mumford1": Size(15, 10, 30),
    "mumford2": Size(56, 10, 22),
    "mumford3": Size(60, 12, 25),
}
_RAW = ("Coords", "TravelTimes", "Demand")
_CSV = ("_nodes", "_links", "_demand")
_ENDINGS = (".txt", ".csv")


def read_benchmark(
    path: str | Path,
    *,
    lines: int | None = None,
    min_stops: int | None = None,
    max_stops: int | None = None,
) -> TransitInstance:
    """Read a network in either layout.

    Args:
        path: one of its three files, what their names have in common (`mumford/mumford0`), or a
            folder that holds a single network.
        lines: how many lines to design; None takes the usual number for the name.
        min_stops: fewest stops of a line; None likewise.
        max_stops: most stops of a line; None likewise.

    Raises:
        FormatError: a file is missing or wrong (the message names the line), or the name is
            unknown and the number or bounds of lines are left out.
        ProblemError: the network is in pieces, or no line can meet the bounds.
        StorageError: a file cannot be read.
    """
    prefix, ending, raw = _find(Path(path))
    name = prefix.name.lower()
    # The CSV files of Mandl's network are called mandl1.
    usual = SIZES.get("mandl" if name == "mandl1" else name)
    if usual is None and (lines is None or min_stops is None or max_stops is None):
        raise FormatError(
            f"{prefix}: the name {quoted(prefix.name)} says nothing of lines (known: "
            f"{', '.join(SIZES)}); give lines, min_stops and max_stops"
        )
    bounds: dict[str, Any] = {"lines": lines, "min_stops": min_stops, "max_stops": max_stops}
    if usual is not None:
        bounds = {k: getattr(usual, k) if v is None else v for k, v in bounds.items()}
    fields = _read_raw(prefix, ending) if raw else _read_csv(prefix, ending)
    return TransitInstance(**fields, **bounds, name=name)


def _find(path: Path) -> tuple[Path, str, bool]:
    """What the names of the files have in common, their ending, and whether the layout is raw."""
    kinds = [(part, raw) for raw, parts in ((True, _RAW), (False, _CSV)) for part in parts]
    if path.is_dir():
        first = {part: raw for part, raw in kinds if part in (_RAW[0], _CSV[0])}
        found = [
            (path / file.name.removesuffix(part + ending), ending, raw)
            for file in sorted(path.iterdir())
            for part, raw in first.items()
            for ending in _ENDINGS
            if file.name.endswith(part + ending)
        ]
        if len(found) == 1:
            return found[0]
        names = ", ".join(prefix.name for prefix, _, _ in found)
        which = f"several networks ({names}); name one of them" if found else "no network"
        raise FormatError(f"{path} holds {which}; a network is {_layouts('<name>')}")
    for ending in _ENDINGS:
        for part, raw in kinds:
            if path.name.endswith(part + ending):
                return path.with_name(path.name.removesuffix(part + ending)), ending, raw
        for part, raw in kinds:
            if path.with_name(path.name + part + ending).exists():
                return path, ending, raw
    raise FormatError(f"{path}: there is no such network; it would be {_layouts(path.name)}")


def _layouts(name: str) -> str:
    raw, table = ([f"{name}{part}.txt" for part in parts] for parts in (_RAW, _CSV))
    return f"{', '.join(raw)} or {', '.join(table)}"


def _read_csv(prefix: Path, ending: str) -> dict[str, Any]:
    files = [prefix.with_name(f"{prefix.name}{part}{ending}") for part in _CSV]
    rows = read_columns(files[0], ("id", "lat", "lon"))
    nodes = number_nodes(rows, "id")
    xy = np.array([[row.number("lon", -np.inf), row.number("lat", -np.inf)] for row in rows])
    minutes = np.full((len(nodes), len(nodes)), np.inf)
    np.fill_diagonal(minutes, 0.0)
    where: dict[tuple[int, int], int] = {}
    for row in read_columns(files[1], ("from", "to", "travel_time")):
        i, j = row.node("from", nodes), row.node("to", nodes)
        if i == j:
            row.fail("to", f"is {quoted(row.text('to'))} like 'from'; a link joins two nodes")
        if (i, j) in where:
            row.fail("to", f"closes a link that line {where[i, j]} has already; remove one")
        where[i, j] = row.line
        minutes[i, j] = row.above_zero("travel_time")
    for (i, j), line in where.items():
        if minutes[i, j] != minutes[j, i]:
            a, b = (list(nodes)[k] for k in (i, j))
            back = f"{minutes[j, i]:g}" if (j, i) in where else "missing"
            raise FormatError(
                f"{files[1]}, line {line}: the link from {a} to {b} takes {minutes[i, j]:g} min, "
                f"the one back is {back}; benchmark networks are undirected, make them equal"
            )
    terminals: Bools | None = None
    if "terminal" in rows[0].cells:
        terminals = np.array([bool(row.number("terminal")) for row in rows])
        terminals = None if terminals.all() else terminals
    demand = read_demand(files[2], nodes)
    return {"link_s": 60.0 * minutes, "demand": demand, "xy": xy, "terminals": terminals}


def _read_raw(prefix: Path, ending: str) -> dict[str, Any]:
    files = [prefix.with_name(f"{prefix.name}{part}{ending}") for part in _RAW]
    count, *rest = _numbers(files[0])
    n = int(count[1]) if np.isfinite(count[1]) else 0
    if n != count[1] or n < 2 or len(rest) != 2 * n:
        raise FormatError(
            f"{files[0]}: {len(rest)} numbers after a first line of {count[1]:g}; it must be the "
            "number of nodes, then x and y of each"
        )
    xy = np.array([value for _, value in rest]).reshape(n, 2)
    minutes, demand = (_matrix(file, n) for file in files[1:])
    differ = minutes != minutes.T
    if differ.any():
        i, j = (int(k) for k in np.argwhere(differ)[0])
        raise FormatError(
            f"{files[1]}: row {i + 1}, column {j + 1} is {minutes[i, j]:g} but row {j + 1}, column "
            f"{i + 1} is {minutes[j, i]:g}; benchmark networks are undirected, make them equal"
        )
    if not np.isfinite(demand).all():
        i, j = (int(k) for k in np.argwhere(~np.isfinite(demand))[0])
        raise FormatError(f"{files[2]}: row {i + 1}, column {j + 1} is Inf; trips are finite")
    return {"link_s": 60.0 * minutes, "demand": demand, "xy": xy}


def _matrix(path: Path, n: int) -> Floats:
    """`[n, n]` numbers of 0 or more."""
    numbers = _numbers(path)
    if len(numbers) != n * n:
        raise FormatError(f"{path}: {len(numbers)} numbers; {n} nodes need {n} x {n} = {n * n}")
    for line, value in numbers:
        if not value >= 0:
            raise FormatError(f"{path}, line {line}: {value:g} is negative; give 0 or more")
    return np.array([value for _, value in numbers]).reshape(n, n)


def _numbers(path: Path) -> list[tuple[int, float]]:
    """All numbers of a file with their lines, however they are broken into lines."""
    found = []
    for line, text in enumerate(read_text(path).splitlines(), start=1):
        for word in re.split(r"[\s,;]+", text.strip()):
            if not word:
                continue
            try:
                value = float(word)
            except ValueError:
                value = np.nan
            if np.isnan(value):
                raise FormatError(f"{path}, line {line}: {quoted(word)} is no number (or Inf)")
            found.append((line, value))
    return found
