"""Routes as CSV, one row for each visit: who is where, when, with what on board.

`route` and `vehicle` count from 0, `position` is 0 at the start depot. Times are seconds,
`distance_m` is what the vehicle has driven so far, `load` is on board when it leaves (`load_2`,
... for further dimensions). Stops that no route serves come last, with the reason in `note`. Where
a city gave the matrices, `moved_m` is how far a place was moved onto a street; `note` says so where
that is far. The details of a problem (phone, notes) come behind, a column a title; one that is
called like a column of the timetable is marked `(given)`. Those of vehicles come last, marked
`(vehicle)`.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import NoReturn

from nco.data.cities.city import CREDIT
from nco.data.formats.csv_rows import table_text
from nco.data.formats.rows import Rows
from nco.data.formats.table_files import read_rows
from nco.errors import FormatError, listed, quoted
from nco.files import write_atomic
from nco.problem import Problem
from nco.problem.details import titles
from nco.problem.schedule import Visit, schedule
from nco.problem.solution import Route, Solution

MOVED = "moved far onto a street"
REQUIRED = ("route", "vehicle", "position", "stop")
_MOST_DIGITS = 9


def write_routes(path: str | Path, problem: Problem, solution: Solution) -> Path:
    """Write the timetable of a solution.

    Raises:
        StorageError: the file cannot be written; what stood there before is untouched.
    """
    return write_atomic(path, routes_text(problem, solution))


def routes_text(problem: Problem, solution: Solution) -> str:
    """The timetable of a solution as CSV, in which no cell is a formula."""
    return table_text(*routes_table(problem, solution))


def routes_table(problem: Problem, solution: Solution) -> tuple[list[str], list[list[object]]]:
    """Titles and rows of the timetable of a solution."""
    dimensions = problem.dimensions
    loads = ["load", *(f"load_{k}" for k in range(2, dimensions + 1))][:dimensions]
    header = [*REQUIRED, "lon", "lat", "arrival_s", "start_s", "departure_s", *loads]
    header += ["distance_m", *([] if problem.moved_m is None else ["moved_m"]), "note"]
    credit = [] if problem.lonlat is None else ["attribution"]
    width = len(header)
    rows: list[list[object]] = []
    told = titles(problem.details)
    of_vehicles = titles({v: own.details for v, own in enumerate(problem.vehicles)})

    def add(node: int, cells: list[object], vehicle: int | None = None) -> None:
        words = problem.details.get(node, {})
        own = {} if vehicle is None else problem.vehicles[vehicle].details
        cells += [words.get(title, "") for title in told]
        cells += [own.get(title, "") for title in of_vehicles]
        rows.append([*cells, *[CREDIT] * len(credit)])

    for r, timetable in enumerate(schedule(problem, solution)):
        for k, visit in enumerate(timetable.visits):
            cells = [r, timetable.vehicle, k, *_place(problem, visit.node), *_numbers(visit)]
            note = MOVED if visit.node in problem.moved else ""
            cells += [*_moved(problem, visit.node), note]
            add(visit.node, cells, timetable.vehicle)
    for entry in solution.unassigned:
        cells, last = ["", "", "", *_place(problem, entry.stop)], _moved(problem, entry.stop)
        gap = [""] * (width - 1 - len(cells) - len(last))
        add(entry.stop, [*cells, *gap, *last, entry.reason])
    taken = {title.casefold() for title in header + credit}
    header += [f"{title} (given)" if title.casefold() in taken else title for title in told]
    header += [f"{title} (vehicle)" for title in of_vehicles]
    return header + credit, rows


def read_routes(path: str | Path, problem: Problem) -> Solution:
    """Read routes for a problem, by the names of its stops; times and loads are computed anew.

    Only the columns `route`, `vehicle`, `position` and `stop` matter; rows may be in any order.

    Raises:
        FormatError: the file is not such a table, or names a stop that the problem has not.
        StorageError: it cannot be read.
        ProblemError: a vehicle does not exist.
    """
    return routes_from(path, read_rows(path), problem)


def routes_from(path: str | Path, table: Rows, problem: Problem) -> Solution:
    """The routes in a table that was read already; see `read_routes`."""
    header, rows = table.header, table.whole(path).rows
    missing = [name for name in REQUIRED if name not in header]
    if missing:
        raise FormatError(
            f"{path}, line 1: there is no column '{missing[0]}'; routes need {', '.join(REQUIRED)}"
        )
    at = [header.index(name) for name in REQUIRED]
    node_of = {name: node for node, name in enumerate(problem.names)}
    found: dict[int, list[tuple[int, int, int]]] = {}
    for line, cells in rows:
        route, vehicle, position, stop = (cells[k] for k in at)
        if not route.strip():
            continue
        r = _whole(path, line, "route", route)
        entry = (_whole(path, line, "position", position), _whole(path, line, "vehicle", vehicle))
        node = node_of.get(stop, node_of.get(stop.strip()))
        if node is None:
            raise FormatError(
                f"{path}, line {line}, column 'stop': problem {quoted(problem.name)} has no stop "
                f"{quoted(stop)}; are the routes for another problem?"
            )
        found.setdefault(r, []).append((*entry, node))
    routes = []
    for r in sorted(found):
        vehicles = {vehicle for _, vehicle, _ in found[r]}
        if len(vehicles) > 1:
            raise FormatError(
                f"{path}: route {r} is driven by vehicles {listed(sorted(vehicles))}; "
                "a route has one vehicle"
            )
        nodes = [node for _, _, node in sorted(found[r], key=lambda entry: entry[0])]
        stops = tuple(node for node in nodes if node >= problem.depots)
        end = nodes[-1] if nodes[-1] < problem.depots else None
        routes.append(Route(vehicles.pop(), stops, end))
    return Solution.from_routes(problem, routes)


def _place(problem: Problem, node: int) -> list[object]:
    lonlat = ["", ""] if problem.lonlat is None else problem.lonlat[node].tolist()
    return [problem.names[node], *lonlat]


def _moved(problem: Problem, node: int) -> list[object]:
    """Metres to the street, where a city told them; nothing for a place that it does not know."""
    if problem.moved_m is None:
        return []
    metres = float(problem.moved_m[node])
    return ["" if math.isinf(metres) else round(metres, 1)]


def _numbers(visit: Visit) -> list[object]:
    """Times to the millisecond, loads and metres; nothing for what is never reached."""
    numbers = [visit.arrival_s, visit.start_s, visit.departure_s, *visit.load, visit.distance_m]
    return ["" if math.isinf(value) else round(value, 3) for value in numbers]


def _whole(path: str | Path, line: int, column: str, text: str) -> int:
    def fail() -> NoReturn:
        raise FormatError(
            f"{path}, line {line}, column {quoted(column)} is {quoted(text)}; it must be "
            "a whole number from 0"
        )

    digits = text.strip()
    if not (digits.isascii() and digits.isdigit() and len(digits) <= _MOST_DIGITS):
        fail()
    return int(digits)
