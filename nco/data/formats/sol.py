"""Routes in the `.sol` form of CVRPLIB: stops are counted from 1, the depot is left out.

Route #1: 5 3 7
Route #2: 1 2
Cost 4711

Stop 1 is node `depots` of the problem, stop 2 the next one, and so on.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np

from nco.files import write_atomic
from nco.data.formats.json_file import read_text
from nco.errors import FormatError, UnsupportedError
from nco.problem import Problem
from nco.problem.solution import Solution

logger = logging.getLogger("nco")


def read_sol(path: str | Path, problem: Problem) -> Solution:
    """Read routes for a problem; the first is driven by vehicle 0, the next by vehicle 1, ...

    A stated cost that differs from the routes' cost is reported in the log: most often the
    instance was read under another rounding rule.

    Raises:
        FormatError: the file has no routes, or they do not fit the problem.
        StorageError: it cannot be read.
    """
    from vrplib.parse import parse_solution

    try:
        data: dict[str, Any] = parse_solution(read_text(path))
    except (ValueError, IndexError) as error:
        raise FormatError(f"{path}: a route holds something that is no stop: {error}") from None
    routes = data["routes"]
    if not routes:
        raise FormatError(f"{path}: there is no line such as 'Route #1: 5 3 7'")
    most = len(problem.stops)
    for r, route in enumerate(routes, start=1):
        strange = [j for j in route if not 1 <= j <= most]
        if strange:
            raise FormatError(
                f"{path}: route #{r} visits {strange[0]}, but problem {problem.name!r} has stops "
                f"1 to {most}; are the routes for another problem?"
            )
    if len(routes) > len(problem.vehicles):
        raise FormatError(
            f"{path}: there are {len(routes)} routes, but problem {problem.name!r} has "
            f"{len(problem.vehicles)} vehicles; read the problem with more"
        )
    nodes = [[j + problem.depots - 1 for j in route] for route in routes]
    solution = Solution.from_routes(problem, nodes)
    stated = data.get("cost")
    if isinstance(stated, int | float) and not np.isclose(stated, solution.cost.total, rtol=1e-6):
        logger.warning(
            "%s states a cost of %s, but its routes cost %.10g in problem %r; was the cost "
            "stated under another rounding rule?",
            path,
            stated,
            solution.cost.total,
            problem.name,
        )
    return solution


def write_sol(path: str | Path, problem: Problem, solution: Solution) -> Path:
    """Write routes; which vehicle drives which is not kept, so the vehicles must be alike.

    Raises:
        UnsupportedError: the vehicles differ, or one of them drives several routes.
        StorageError: the file cannot be written; what stood there before is untouched.
    """
    vehicles = [route.vehicle for route in solution.routes]
    if len(problem.fleet) > 1 or len(set(vehicles)) < len(vehicles):
        raise UnsupportedError(
            f"the routes for {problem.name!r} do not fit into .sol, which has no vehicles and "
            "no trips; save them as .json or .csv"
        )
    lines = [
        f"Route #{r}: {' '.join(str(j - problem.depots + 1) for j in route.stops)}"
        for r, route in enumerate(solution.routes, start=1)
    ]
    total = float(solution.cost.total)
    cost = str(int(total)) if total.is_integer() else repr(total)
    return write_atomic(path, "\n".join([*lines, f"Cost {cost}", ""]))
