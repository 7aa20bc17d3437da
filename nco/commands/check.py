"""`nco check`: is this solution feasible, and does it cost what it says?"""

from __future__ import annotations

import argparse

from nco import console
from nco.commands import _problem


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the verb."""
    parser.epilog = "Exit code 0: feasible, and the cost is as claimed; 1: not; 2: unusable files."
    _problem.add_arguments(parser)
    parser.add_argument(
        "solution",
        metavar="SOLUTION",
        type=_problem.path,
        help="what `nco solve` wrote: solution.json, routes.csv, routes.geojson or a .sol; or the "
        "problem itself, if it is VROOM's with steps: how late would they be?",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    parser.add_argument("--quiet", action="store_true", help="no log lines")


def run(arguments: argparse.Namespace) -> int:
    """Check and print."""
    from nco.data.formats.vroom_steps import has_steps
    from nco.problem.check import check

    if arguments.solution == arguments.problem and has_steps(arguments.problem):
        arguments.plan = True  # VROOM's: the steps of its vehicles as they are
    with console.progress("reading the problem", quiet=arguments.quiet):
        problem = _problem.open_problem(arguments).problem
    solution = _problem.open_solution(arguments.solution, problem)
    report = check(problem, solution)
    if arguments.json:
        console.write_json(
            {
                "feasible": report.feasible,
                "cost": report.cost,
                "claimed": solution.cost.total,
                "parts": report.parts,
                "distance_m": report.distance_m,
                "duration_s": report.duration_s,
                "moved": _problem.moved(problem),
                "geocoded": _problem.geocoded(problem),
                "findings": [
                    {
                        "kind": finding.kind,
                        "message": finding.message,
                        "route": finding.route,
                        "stop": finding.stop,
                    }
                    for finding in report.findings
                ],
            }
        )
    else:
        console.write(str(report))
        _problem.tell_geocoded(problem)
        _problem.tell_moved(problem)
    return 0 if report.feasible else 1
