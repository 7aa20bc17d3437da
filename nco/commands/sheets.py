"""`nco sheets`: a page a vehicle for its driver, and one for the dispatcher."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import TYPE_CHECKING

from nco import console
from nco.commands import _problem
from nco.errors import quoted

if TYPE_CHECKING:
    from nco.data.cities.city import City
    from nco.problem import Problem
    from nco.problem.solution import Solution

_CLOCK = re.compile(r"([01]?\d|2[0-3])[:.]([0-5]\d)")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the verb."""
    parser.epilog = "Exit code 0: written; 2: the files cannot be used."
    _problem.add_arguments(parser)
    parser.add_argument(
        "solution",
        metavar="SOLUTION",
        type=_problem.path,
        help="what `nco solve` wrote: solution.json, routes.csv, routes.geojson or a .sol",
    )
    parser.add_argument(
        "--out", type=_problem.path, metavar="DIR", required=True, help="write there"
    )
    add_begin(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    parser.add_argument("--quiet", action="store_true", help="no progress and no log lines")


def add_begin(group: argparse._ActionsContainer) -> None:
    """Add when the day begins where times do not say it."""
    group.add_argument(
        "--begin", type=time_of_day, default=0.0, metavar="HH:MM",
        help="when times begin on sheets that the problem counts from nowhere (00:00)",
    )  # fmt: skip


def time_of_day(text: str) -> float:
    """Seconds from midnight."""
    found = _CLOCK.fullmatch(text.strip())
    if found is None:
        raise argparse.ArgumentTypeError(f"{quoted(text)} is not a time of day, such as 08:30")
    return 3600.0 * int(found[1]) + 60.0 * int(found[2])


def run(arguments: argparse.Namespace) -> int:
    """Read, lay out and write."""
    with console.progress("reading the problem", quiet=arguments.quiet):
        problem, city, _ = _problem.open_problem(arguments)
    solution = _problem.open_solution(arguments.solution, problem)
    written = write(arguments, arguments.out, problem, solution, city)
    if arguments.json:
        console.write_json({"problem": problem.name, "sheets": written})
    else:
        for path in written:
            console.write(f"written: {path}")
    return 0


def write(
    arguments: argparse.Namespace,
    folder: Path,
    problem: Problem,
    solution: Solution,
    city: City | None,
) -> list[str]:
    """Write all sheets; return their paths."""
    from nco.sheets import write_sheets

    with console.progress("drawing the sheets", quiet=arguments.quiet):
        written = write_sheets(folder, problem, solution, city, begin_s=arguments.begin)
    return [str(path) for path in written.values()]
