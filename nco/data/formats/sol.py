"""Routes in the `.sol` form of CVRPLIB: stops are counted from 1, the depot is left out.

Route #1: 5 3 7
Route #2: 1 2
Cost 4711

Stop 1 is node `depots` of the problem, stop 2 the next one, and so on.
"""

from __future__ import annotations

import logging
import re
from pathlib import Path

import numpy as np

from nco.data.formats.json_file import read_text
from nco.errors import FormatError, UnsupportedError, quoted
from nco.files import write_atomic
from nco.problem import Problem
from nco.problem.solution import Solution

logger = logging.getLogger("nco")
_ROUTE = re.compile(r"\s*route\b[^:]*:(.*)", re.IGNORECASE)
_COST = re.compile(r"\s*cost\s*:?\s+([0-9.]+(?:e[+-]?[0-9]+)?)\s*$", re.IGNORECASE)
_MOST_DIGITS = 9


def read_sol(path: str | Path, problem: Problem) -> Solution:
    """Read routes for a problem; the first is driven by vehicle 0, the next by vehicle 1, ...

    A stated cost that differs from the routes' cost is reported in the log: most often the
    instance was read under another rounding rule.

    Raises:
        FormatError: the file has no routes, or they do not fit the problem.
        StorageError: it cannot be read.
    """
    routes, stated = _parse(path, read_text(path))
    if not routes:
        raise FormatError(f"{path}: there is no line such as 'Route #1: 5 3 7'")
    most = len(problem.stops)
    for r, route in enumerate(routes, start=1):
        strange = [j for j in route if not 1 <= j <= most]
        if strange:
            raise FormatError(
                f"{path}: route #{r} visits {quoted(strange[0])}, but "
                f"problem {quoted(problem.name)} has stops "
                f"1 to {most}; are the routes for another problem?"
            )
    if len(routes) > len(problem.vehicles):
        raise FormatError(
            f"{path}: there are {len(routes)} routes, but problem {quoted(problem.name)} has "
            f"{len(problem.vehicles)} vehicles; read the problem with more"
        )
    nodes = [[j + problem.depots - 1 for j in route] for route in routes]
    solution = Solution.from_routes(problem, nodes)
    if stated is not None and not np.isclose(stated, solution.cost.total, rtol=1e-6):
        logger.warning(
            "%s states a cost of %.10g, but its routes cost %.10g in problem %s; was the cost "
            "stated under another rounding rule?",
            path,
            stated,
            solution.cost.total,
            quoted(problem.name),
        )
    return solution


def _parse(path: str | Path, text: str) -> tuple[list[list[int]], float | None]:
    """Stops of each route, and the stated cost; other lines say nothing that matters here."""
    routes: list[list[int]] = []
    cost = None
    for number, line in enumerate(text.splitlines(), start=1):
        if found := _ROUTE.match(line):
            stops = found[1].split()
            for stop in stops:
                if not (stop.isascii() and stop.isdigit() and len(stop) <= _MOST_DIGITS):
                    raise FormatError(
                        f"{path}, line {number}: a route holds something that is no stop: "
                        f"{quoted(stop)}"
                    )
            routes.append([int(stop) for stop in stops])
        elif found := _COST.match(line):
            cost = float(found[1])
    return routes, cost


def write_sol(path: str | Path, problem: Problem, solution: Solution) -> Path:
    """Write routes; which vehicle drives which is not kept, so the vehicles must be alike.

    Raises:
        UnsupportedError: the vehicles differ, or one of them drives several routes.
        StorageError: the file cannot be written; what stood there before is untouched.
    """
    vehicles = [route.vehicle for route in solution.routes]
    if len(problem.fleet) > 1 or len(set(vehicles)) < len(vehicles):
        raise UnsupportedError(
            f"the routes for {quoted(problem.name)} do not fit into .sol, which has no vehicles "
            "and "
            "no trips; save them as .json or .csv"
        )
    lines = [
        f"Route #{r}: {' '.join(str(j - problem.depots + 1) for j in route.stops)}"
        for r, route in enumerate(solution.routes, start=1)
    ]
    total = float(solution.cost.total)
    cost = str(int(total)) if total.is_integer() else repr(total)
    return write_atomic(path, "\n".join([*lines, f"Cost {cost}", ""]))
