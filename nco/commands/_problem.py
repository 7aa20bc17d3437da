"""How verbs name a problem on the command line: a file, and for a table of stops a city."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from nco.errors import FormatError, InputError

if TYPE_CHECKING:
    from nco.data.cities.city import City
    from nco.problem import Problem
    from nco.problem.solution import Solution

ROUNDINGS = ("none", "round", "trunc", "ceil", "dimacs")
PROFILES = ("car", "bicycle", "foot")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the problem and the options that say how to read it."""
    parser.add_argument(
        "problem",
        metavar="PROBLEM",
        type=Path,
        help="stops as .csv (needs --city), VRPLIB .vrp, Solomon .txt, VROOM or nco .json",
    )
    group = parser.add_argument_group("tables of stops")
    group.add_argument("--city", help="name of a city, or path of an .osm.pbf, .osm or .city file")
    group.add_argument("--profile", choices=PROFILES, default="car", help="how one moves (car)")
    group.add_argument("--vehicles", type=whole, metavar="N", help="how many vehicles there are")
    group.add_argument(
        "--capacity", type=numbers, metavar="Q", help="of each vehicle; Q1,Q2 for two demands"
    )
    group.add_argument(
        "--depot", metavar="NAME|LON,LAT", help="the depot's row or place (the row 'depot')"
    )
    group.add_argument(
        "--allow-unassigned",
        action="store_true",
        help="report stops that no street reaches and solve for the rest",
    )
    files = parser.add_argument_group("benchmark instances")
    files.add_argument(
        "--rounding", choices=ROUNDINGS, help="of distances (the rule of the file's format)"
    )


def whole(text: str) -> int:
    """A whole number of 1 or more."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of 1 or more")
    return int(text)


def seed(text: str) -> int:
    """A whole number of 0 or more."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of 0 or more")
    return int(text)


def seconds(text: str) -> float:
    """A finite number above 0."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive number of seconds")
    return value


def numbers(text: str) -> tuple[float, ...]:
    """Numbers with commas between them."""
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a number, or numbers like 50,8"
        ) from None


def names(text: str) -> tuple[str, ...]:
    """Different names with commas between them."""
    found = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    if not found:
        raise argparse.ArgumentTypeError(f"{text!r} names nothing")
    return found


def open_problem(arguments: argparse.Namespace) -> tuple[Problem, City | None]:
    """Read the problem that the arguments name, and open its city if they name one.

    Raises:
        InputError: options are missing or do not apply to this kind of file.
        NcoError: the file or the city cannot be used.
    """
    from nco.data.formats.registry import load
    from nco.problem import Problem
    from nco.problem.solution import Solution

    path: Path = arguments.problem
    city = None
    if arguments.city is not None:
        from nco.data.cities.places import city as open_city

        city = open_city(arguments.city, profile=arguments.profile)
    given = {
        "vehicles": arguments.vehicles,
        "capacity": arguments.capacity,
        "depot": _depot(arguments.depot),
        "allow_unassigned": arguments.allow_unassigned or None,
        "rounding": arguments.rounding,
    }
    options = {name: value for name, value in given.items() if value is not None}
    if city is None and path.suffix.lower() in (".csv", ".tsv"):
        raise InputError(f"{path} is a table of stops; say where with --city (`nco city list`)")
    loaded = load(path, city=city, **options)
    if isinstance(loaded, Problem):
        return loaded, city
    kind = "a solution" if isinstance(loaded, Solution) else "stops"
    raise FormatError(f"{path} holds {kind}; give the file of a problem")


def _depot(text: str | None) -> str | tuple[float, ...] | None:
    try:
        return None if text is None else numbers(text)
    except argparse.ArgumentTypeError:
        return text


def open_solution(path: Path, problem: Problem) -> Solution:
    """Read a solution of a problem, in any format that `nco solve` writes.

    Raises:
        NcoError: the file cannot be used.
    """
    from nco.data.formats.registry import load
    from nco.problem.solution import Solution

    solution = load(path, problem=problem)
    if not isinstance(solution, Solution):
        raise FormatError(f"{path} holds a problem; give the file of a solution")
    return solution
