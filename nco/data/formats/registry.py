"""`nco.load` and `nco.save`: every file format behind two functions.

| suffix | read as | written from |
|---|---|---|
| `.json` | our problem or solution; VROOM problem or solution | problem, solution |
| `.vroom.json` | the same | problem, solution (with `problem=`) |
| `.csv`, `.tsv`, `.xlsx`, `.ods` | stops (a problem with `city=`) | stops, problem (`.csv`) |
| the same | routes (with `problem=`) | solution (`.csv`) |
| `.geojson` | routes (with `problem=`) | solution (with `problem=`, and `city=` for streets) |
| `.vrp`, `.tsp`, `.atsp` | VRPLIB and PyVRP's, TSPLIB | problem (`.vrp`) |
| `.txt` | Solomon; Li and Lim; Sartori and Buriol | |
| `.sol` | routes (with `problem=`) | solution (with `problem=`) |
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from nco.arguments import path_of
from nco.data.cities.geocode.asking import finder
from nco.data.cities.streets import Streets, given_city
from nco.data.formats import (
    geojson,
    native,
    sol,
    solution_csv,
    stops_csv,
    vroom_json,
    vroom_solution,
    vroom_steps,
    vroom_write,
)
from nco.data.formats import vrplib as instances
from nco.data.formats.drawn import Drawn
from nco.data.formats.json_file import read_json
from nco.data.formats.stops import problem_from_stops
from nco.data.formats.table_files import SUFFIXES, is_table, read_rows
from nco.data.formats.tables.stop_table import stops_from
from nco.data.formats.tables.stops import Stops
from nco.data.formats.vrplib_write import write_instance
from nco.errors import FormatError, InputError, option, quoted, shortened, worded
from nco.problem import Problem
from nco.problem.given import given_problem
from nco.problem.solution import Solution

# The command line has no such options.
_PYTHON_ONLY = ("shift_s", "objective", "name", "names", "plan")
_OF_TABLES = ("skip_bad_rows", "geocoder", "accept_doubtful")
_CLASSICAL = (".vrp", ".tsp", ".atsp", ".txt")
_READ = (".json", *SUFFIXES, ".geojson", *_CLASSICAL, ".sol")


def load(
    path: str | Path,
    *,
    city: Streets | None = None,
    problem: Problem | None = None,
    **options: Any,
) -> Problem | Solution | Stops:
    """Read a problem, a solution or a table of stops; suffix and content tell which.

    Args:
        path: of the file, with one of the suffixes above.
        city: where stops or VROOM coordinates are; with it, a table of stops becomes a problem.
        problem: what routes are for, in formats that do not hold it.
        **options: of the reader: those of `problem_from_stops` for stops (vehicles, capacity,
            fleet, depot, shift_s, objective, allow_unassigned, name), `skip_bad_rows`, `geocoder`
            (a Nominatim or Photon server, or its address, that finds addresses in place of the
            extract of `city`) and `accept_doubtful` (of places that are found); `rounding` and
            `vehicles` for classical instances, `names`, `allow_unassigned` and
            `plan` for VROOM.

    Raises:
        FormatError: the file is malformed; the message names the place and the fix.
        CityError: no street of the city is near enough to a stop, or no route reaches it.
        InputError: something is missing that the format does not hold, or an option does not
            apply to it.
        StorageError: the file cannot be read.
    """
    path = path_of(path, "path")
    if city is not None:
        given_city(city, Streets)  # type: ignore[type-abstract]
    if problem is not None:
        given_problem(problem)
    if path.is_dir():
        raise FormatError(f"{path} is a folder; give a file")
    suffix = path.suffix.lower()
    if suffix in (".json", ".geojson"):
        return _load_json(path, city, problem, options)
    if is_table(path):
        return _load_table(path, city, problem, options)
    if suffix in _CLASSICAL:
        _check_options(path, options, ("rounding", "vehicles"))
        return instances.read_instance(path, **options)
    if suffix == ".sol":
        _check_options(path, options, ())
        return sol.read_sol(path, _needed(path, problem))
    raise FormatError(
        f"{shortened(path)}: the suffix {quoted(suffix)} is not known; read are {', '.join(_READ)}"
    )


def _load_json(
    path: Path, city: Streets | None, problem: Problem | None, options: dict[str, Any]
) -> Problem | Solution:
    data = read_json(path)
    kind = data.raw("format", None)
    if kind is None and ("jobs" in data or "shipments" in data):
        if problem is not None:
            _check_options(path, options, ())
            return vroom_steps.vroom_steps(data, problem)
        _check_options(path, options, ("names", "allow_unassigned", "plan"))
        return vroom_json.vroom_problem(data, city=city, **options)
    _check_options(path, options, ())
    if kind == native.PROBLEM:
        return native.problem_from(data)
    if kind == native.SOLUTION:
        return native.solution_from(data)
    if data.raw("type", None) == "FeatureCollection":
        return geojson.routes_from(data, _needed(path, problem))
    if "routes" in data and "code" in data:
        return vroom_solution.vroom_routes(data, _needed(path, problem))
    return data.fail(
        "format",
        f"is {quoted(kind)}; known are '{native.PROBLEM}', '{native.SOLUTION}', VROOM problems "
        "(with 'jobs') and solutions (with 'code' and 'routes'), and GeoJSON",
    )


def _load_table(
    path: Path, city: Streets | None, problem: Problem | None, options: dict[str, Any]
) -> Problem | Solution | Stops:
    table = read_rows(path, stops_csv.SHEETS)
    titles = {title.lower() for title in table.header}
    # Beside a problem, and with all of its columns, this is a timetable; else a column of stops.
    if "route" in titles and (problem is not None or titles.issuperset(solution_csv.REQUIRED)):
        _check_options(path, options, ())
        return solution_csv.routes_from(path, table, _needed(path, problem))
    reading = {name: options.pop(name) for name in _OF_TABLES if name in options}
    server = reading.pop("geocoder", None)
    stops = stops_from(path, table, geocoder=finder(city, server), **reading)
    if city is None:
        if options:
            given = option(next(iter(options)))
            raise InputError(
                f"{path}: {given} does not apply to a table of stops alone; give {option('city')} "
                "to make it a problem"
            )
        return stops
    wanted = (
        "vehicles", "capacity", "fleet", "depot", "shift_s", "objective", "allow_unassigned", "name"
    )  # fmt: skip
    _check_options(path, options, wanted)
    return problem_from_stops(stops, city, **({"name": path.stem} | options))


def _needed(path: Path, problem: Problem | None) -> Problem:
    if problem is None:
        needed = worded(
            "give problem=, the problem that they are for", "give the file of their problem"
        )
        raise InputError(f"{path} holds routes only; {needed}")
    return given_problem(problem)


def _check_options(path: Path, options: dict[str, Any], known: tuple[str, ...]) -> None:
    for name in options:
        if name not in known:
            takes = [option(other) for other in known if worded("", other) not in _PYTHON_ONLY]
            hint = f"it takes {', '.join(takes)}" if takes else "it takes no options"
            raise InputError(f"{path}: {option(name)} does not apply to this file; {hint}")


def save(
    thing: Problem | Solution | Stops,
    path: str | Path,
    *,
    problem: Problem | None = None,
    city: Drawn | None = None,
) -> Path:
    """Write a problem, a solution or a table of stops in the format of the suffix.

    Args:
        thing: what to write.
        path: where to, with one of the suffixes above; missing folders are made.
        problem: what a solution is for; only `.json` does without.
        city: whose streets routes follow in `.geojson`, straight lines without it; and in
            `.vroom.json`, which has no lines without it.

    Raises:
        InputError: the suffix does not go with the thing, or `problem` is missing.
        UnsupportedError: the thing does not fit into the format; the message says why.
        StorageError: the file cannot be written; what stood there before is untouched.
    """
    path = path_of(path, "path")
    if city is not None:
        given_city(city, Drawn)  # type: ignore[type-abstract]
    name = path.name.lower()
    writers = _writers(thing, problem, city)
    # The longest suffix wins: .vroom.json before .json.
    for suffix in sorted(writers, key=len, reverse=True):
        if name.endswith(suffix):
            return writers[suffix](path)
    raise InputError(
        f"{shortened(path)}: a {type(thing).__name__.lower()} cannot be written so; "
        f"use one of the suffixes {', '.join(sorted(writers))}"
    )


def _writers(
    thing: Problem | Solution | Stops, problem: Problem | None, city: Drawn | None
) -> dict[str, Callable[[Path], Path]]:
    """How a thing is written, by suffix."""
    if isinstance(thing, Stops):
        return {".csv": lambda path: stops_csv.write_stops(path, thing)}
    if isinstance(thing, Problem):
        return {
            ".json": lambda path: native.write_problem(path, thing),
            ".vroom.json": lambda path: vroom_write.write_vroom(path, thing),
            ".vrp": lambda path: write_instance(path, thing),
            ".csv": lambda path: stops_csv.write_stops(path, Stops.from_problem(thing)),
        }
    if isinstance(thing, Solution):

        def needed(path: Path) -> Problem:
            if problem is None:
                raise InputError(f"{path}: give problem=, the problem that the solution is for")
            return given_problem(problem)

        return {
            ".json": lambda path: native.write_solution(path, thing, problem),
            ".vroom.json": lambda path: vroom_solution.write_vroom_solution(
                path, needed(path), thing, city=city
            ),
            ".csv": lambda path: solution_csv.write_routes(path, needed(path), thing),
            ".sol": lambda path: sol.write_sol(path, needed(path), thing),
            ".geojson": lambda path: geojson.write_geojson(path, needed(path), thing, city=city),
        }
    raise InputError(
        f"a {type(thing).__name__} cannot be saved; give a Problem, a Solution or Stops"
    )
