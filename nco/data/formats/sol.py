"""Routes in the `.sol` form of CVRPLIB and PyVRP: stops are counted from 1, the depot is left out.

Route #1: 5 3 7
Route #2: 1 2
Cost 4711

A stop is called by its node number of the problem, which with one depot counts stops from 1. A
depot inside of a route is where the vehicle loads again. The first route is that of vehicle 0, the
next that of vehicle 1: where vehicles differ, those that stay at home have empty routes.
"""

from __future__ import annotations

import logging
import re
from pathlib import Path

import numpy as np

from nco.data.formats.json_file import read_text
from nco.errors import FormatError, counted, quoted
from nco.files import write_atomic
from nco.problem import Problem
from nco.problem.solution import Route, Solution

logger = logging.getLogger("nco")
_ROUTE = re.compile(r"\s*route\b[^:]*:(.*)", re.IGNORECASE)
_COST = re.compile(r"\s*cost\s*:?\s+([0-9.]+(?:e[+-]?[0-9]+)?)\s*$", re.IGNORECASE)
_MOST_DIGITS = 9
_UNITS = {1.0: 1e-8, 10.0: 1e-8, 1000.0: 1e-8, 0.01: 0.005}  # and what is lost to decimals


def read_sol(path: str | Path, problem: Problem) -> Solution:
    """Read routes for a problem; the first is driven by vehicle 0, the next by vehicle 1, ...

    A stated cost that differs from the routes' cost is reported in the log: most often the
    instance was read under another rounding rule. Stated costs may count tenths, thousandths or
    hundreds, as those of PyVRP's families do, and leave out the fixed cost of vehicles where that
    is only there to have few of them.

    Raises:
        FormatError: the file has no routes, or they do not fit the problem.
        StorageError: it cannot be read.
    """
    listed, stated = _parse(path, read_text(path))
    if not listed:
        raise FormatError(f"{path}: there is no line such as 'Route #1: 5 3 7'")
    if len(problem.fleet) == 1:
        listed = [route for route in listed if route]
    while listed and not listed[-1]:
        listed.pop()
    if len(listed) > len(problem.vehicles):
        raise FormatError(
            f"{path}: there are {counted(len(listed), 'route')}, but problem "
            f"{quoted(problem.name)} has "
            f"{counted(len(problem.vehicles), 'vehicle')}; read the problem with more"
        )
    routes = [trip for v, stops in enumerate(listed) for trip in _trips(path, problem, v, stops)]
    solution = Solution.from_routes(problem, routes)
    if stated is not None and not _meets(stated, problem, solution):
        logger.warning(
            "%s states a cost of %.10g, but its routes cost %.10g in problem %s; was the cost "
            "stated under another rounding rule?",
            path,
            stated,
            solution.cost.total,
            quoted(problem.name),
        )
    return solution


def _trips(path: str | Path, problem: Problem, v: int, stops: list[int]) -> list[Route]:
    """The trips of a vehicle, which depots divide; nothing is driven between two of these."""
    trips, own = list[Route](), list[int]()
    for j in stops:
        if j >= problem.size or (j < problem.depots and j not in problem.vehicles[v].reloads):
            first, last = problem.stops.start, problem.stops.stop - 1
            raise FormatError(
                f"{path}: route #{v + 1} visits {quoted(j)}, but problem {quoted(problem.name)} "
                f"has stops {first} to {last}; are the routes for another problem?"
            )
        if j >= problem.depots:
            own.append(j)
        elif own:
            trips.append(Route(v, tuple(own), j))
            own = []
    return [*trips, Route(v, tuple(own))] if own else trips


def _meets(stated: float, problem: Problem, solution: Solution) -> bool:
    """Whether a stated cost is that of the routes, in some decimal unit."""
    costs = [solution.cost.total]
    if fewest_first(problem):
        costs.append(solution.cost.total - solution.cost.fixed)
    return any(
        np.isclose(stated, cost * unit, rtol=1e-6, atol=within)
        for cost in costs
        for unit, within in _UNITS.items()
    )


def fewest_first(problem: Problem) -> bool:
    """Whether each vehicle costs more than all distances that routes can have."""
    fixed = min(problem.objective.fixed * vehicle.fixed_cost for vehicle, _ in problem.fleet)
    farthest = max(
        float(np.max(p.distance_m, initial=0.0, where=np.isfinite(p.distance_m)))
        for p in problem.profiles
    )
    dearest = max(vehicle.cost_per_m for vehicle, _ in problem.fleet)
    return fixed > 2 * len(problem.stops) * problem.objective.distance * dearest * farthest


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
    """Write routes; of vehicles that are alike, it is not kept which drives which.

    Where few vehicles come first, their number has a line of its own and Cost is what the routes
    cost beside.

    Raises:
        StorageError: the file cannot be written; what stood there before is untouched.
    """
    trips: dict[int, list[int]] = {}
    again: dict[int, int] = {}
    for route in solution.routes:
        v = route.vehicle
        if v in again:
            trips[v].append(again[v])
        trips.setdefault(v, []).extend(route.stops)
        again[v] = problem.vehicles[v].loads_at(route.reload_at)
    used = sorted(trips)
    if len(problem.fleet) > 1 and used:  # the place in the file says which vehicle it is
        used = list(range(used[-1] + 1))
    lines = [
        f"Route #{r}: {' '.join(map(str, trips.get(v, ())))}".rstrip()
        for r, v in enumerate(used, start=1)
    ]
    total = float(solution.cost.total)
    if fewest_first(problem):
        lines.append(f"Vehicles {len(trips)}")
        total -= solution.cost.fixed
    cost = str(int(total)) if total.is_integer() else repr(total)
    return write_atomic(path, "\n".join([*lines, f"Cost {cost}", ""]))
