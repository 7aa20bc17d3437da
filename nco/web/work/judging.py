"""What a plan amounts to: its timetable, its figures, what each vehicle costs, what is broken."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

import numpy as np

from nco.data.formats import native
from nco.data.formats.json_file import finite
from nco.problem import Problem
from nco.problem.check import check
from nco.problem.evaluate import Cost, evaluate
from nco.problem.schedule import RouteSchedule, schedule
from nco.problem.solution import Route, Solution
from nco.web.reply import Reply, as_json
from nco.web.work import served
from nco.web.work.posing import posed_by, routes_of

type _Costs = dict[tuple[Route, ...], Cost]

_KEPT, _MOST = 16, 5000  # problems, and trips of each, whose costs are at hand
_costs_known: dict[str, _Costs] = {}  # where one stop is dragged, most vehicles drive as before


def judge(raw: bytes, key: str, problem: bytes | None) -> Reply | None:
    """What routes that a person made cost, and what they break.

    Args:
        raw: the request, see `nco.web.models.JudgeRequest`.
        key: of the problem.
        problem: as it was posed; None where it should be known here.

    Returns:
        None where it is not, so that it must be sent along.
    """
    if problem is None and not served.is_remembered(key):
        return None
    return _judged(raw, key, problem)


@served.replying
def _judged(raw: bytes, key: str, problem: bytes | None) -> Reply:
    data = served.fields_of(raw)
    found = served.known(key) if problem is None else posed_by(problem)
    solution = routes_of(data, found)
    if data.flag("explain", True):
        solution = solution.with_reasons(found)
    costs = _costs_known.setdefault(key, {})
    if len(costs) > _MOST:
        costs.clear()
    told = _told(found, replace(solution, method="by hand"), costs)
    while len(_costs_known) > _KEPT:
        del _costs_known[next(iter(_costs_known))]
    try:
        return as_json(told)
    except ValueError:  # something is infinite, which takes a walk through all of it
        return as_json(finite(told))


def answer(problem: Problem, solution: Solution) -> dict[str, Any]:
    """A solution with its timetable, its figures and what the checker says, as JSON data."""
    return dict(finite(_told(problem, solution, {})))


def _told(problem: Problem, solution: Solution, costs: _Costs) -> dict[str, Any]:
    """Likewise, with infinite numbers.

    Args:
        problem: what the solution is for.
        solution: what is told of.
        costs: of trips of one vehicle, as far as they are known; more are added.
    """
    data = native.solution_data(solution, problem)
    report = check(problem, solution)
    findings = [
        {"kind": f.kind, "message": f.message, "route": f.route, "stop": f.stop}
        for f in report.findings
    ]
    timed = schedule(problem, solution)
    late_s = _late(problem, solution, timed)
    return {
        **data,
        "checked": {"feasible": report.feasible, "cost": report.cost, "findings": findings},
        "schedule": [_route(problem, route, late_s) for route in timed],
        "by_vehicle": _by_vehicle(problem, solution, timed, late_s, costs),
        "figures": figures(solution, timed, late_s),
    }


def _late(
    problem: Problem, solution: Solution, timed: tuple[RouteSchedule, ...]
) -> dict[int, float]:
    """Seconds by which each stop is late: behind its window, or behind its soft one."""
    late = {}
    soft = problem.soft_window_s[:, 1]
    if np.isfinite(soft).any():
        for route in timed:
            for visit in route.visits[1:-1]:
                if visit.start_s > soft[visit.node]:
                    late[visit.node] = visit.start_s - float(soft[visit.node])
    for one in solution.violations:
        if one.kind == "time window" and one.stop is not None:
            late[one.stop] = max(one.amount, late.get(one.stop, 0.0))
    return late


def _route(problem: Problem, route: RouteSchedule, late_s: dict[int, float]) -> dict[str, Any]:
    """When a vehicle is where: what timelines and tables show."""
    last = len(route.visits) - 1
    return {
        "vehicle": route.vehicle,
        "trip": route.trip,
        "distance_m": route.distance_m,
        "duration_s": route.duration_s,
        "driving_s": route.driving_s,
        "visits": [
            {
                "node": int(visit.node),
                "name": problem.names[visit.node],
                "arrival_s": visit.arrival_s,
                "start_s": visit.start_s,
                "departure_s": visit.departure_s,
                "waiting_s": visit.waiting_s,
                "late_s": late_s.get(visit.node, 0.0) if 0 < k < last else 0.0,
                "distance_m": visit.distance_m,
                "load": list(visit.load),
                "breaks": [[begin, length] for begin, length in visit.pauses],
            }
            for k, visit in enumerate(route.visits)
        ],
    }


def _by_vehicle(
    problem: Problem,
    solution: Solution,
    timed: tuple[RouteSchedule, ...],
    late_s: dict[int, float],
    costs: _Costs,
) -> list[dict[str, Any]]:
    """Of each vehicle that drives: its part of the costs, its times, and what it breaks."""
    found = []
    for number in dict.fromkeys(route.vehicle for route in solution.routes):
        routes = tuple(route for route in solution.routes if route.vehicle == number)
        if routes not in costs:
            cost, _ = evaluate(problem, routes)
            costs[routes] = replace(cost, unserved=0.0)  # of stops that others serve
        own = costs[routes]
        trips = [route for route in timed if route.vehicle == number]
        visits = [visit for route in trips for visit in route.visits[1:-1]]
        found.append(
            {
                "vehicle": number,
                "name": problem.vehicles[number].name,
                "trips": len(trips),
                "stops": len(visits),
                "cost": {"total": own.total, **asdict(own)},
                "driving_s": sum(route.driving_s for route in trips),
                "waiting_s": sum(visit.waiting_s for visit in visits),
                "late_s": sum(late_s.get(visit.node, 0.0) for visit in visits),
                "violations": [one.message for one in solution.violations if one.vehicle == number],
            }
        )
    return found


def figures(
    solution: Solution, timed: tuple[RouteSchedule, ...], late_s: dict[int, float]
) -> dict[str, Any]:
    """What two plans are compared by.

    `balance` is the mean day of a vehicle in use as a share of the longest one: 1 where all are
    equally long.
    """
    days: dict[int, float] = {}
    for route in timed:
        days[route.vehicle] = days.get(route.vehicle, 0.0) + route.duration_s
    longest = max(days.values(), default=0.0)
    known = 0 < longest < np.inf
    visits = [visit for route in timed for visit in route.visits[1:-1]]
    return {
        "cost": solution.cost.total,
        "distance_m": solution.cost.distance_m,
        "duration_s": solution.cost.duration_s,
        "driving_s": sum(route.driving_s for route in timed),
        "waiting_s": sum(visit.waiting_s for visit in visits),
        "vehicles": len(days),
        "trips": len(timed),
        "stops": len(visits),
        "late": len(late_s),
        "late_s": sum(late_s.values()),
        "broken": len(solution.violations),
        "unserved": sum(one.required for one in solution.unassigned),
        "left_out": sum(not one.required for one in solution.unassigned),
        "longest_s": longest,
        "shortest_s": min(days.values(), default=0.0),
        "balance": sum(days.values()) / len(days) / longest if known else 1.0,
    }
