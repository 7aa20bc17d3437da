"""Solutions in the shape of VROOM's output, written and read.

Numbers are whole as in VROOM, except for amounts that are not; what is never reached is `null`.
Violations of a kind that VROOM does not know keep our name.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from nco.arrays import Floats
from nco.data.cities.city import CREDIT
from nco.data.formats.drawn import Drawn, streets_of
from nco.data.formats.json_file import Fields, read_json, write_json
from nco.data.formats.polyline import encoded
from nco.data.formats.vroom_breaks import OffDuty, is_break, off_duty
from nco.data.formats.vroom_tasks import MOST_ID
from nco.data.formats.vroom_write import DELIVERY, JOB, PICKUP, location, step_ids, vehicle_ids
from nco.errors import quoted, shortened
from nco.problem import Problem, Vehicle
from nco.problem.passages import services
from nco.problem.schedule import RouteSchedule, Visit, schedule
from nco.problem.solution import Route, Solution, Violation

_CAUSES = {
    "capacity": "load",
    "time window": "delay",
    "shift": "delay",
    "not allowed": "skills",
    "trips": "max_tasks",
    "stops": "max_tasks",
    "shipment": "precedence",
    "break": "missing_break",
    "longest driving": "max_travel_time",
    "longest distance": "max_distance",
}


def write_vroom_solution(
    path: str | Path,
    problem: Problem,
    solution: Solution,
    *,
    city: Drawn | None = None,
    streets: Mapping[str, Drawn] = MappingProxyType({}),
) -> Path:
    """Write a solution as VROOM would; ids are those of `write_vroom`.

    Args:
        path: where to.
        problem: what the solution is for.
        solution: what to write.
        city: along whose streets routes have a `geometry`; without it, or without coordinates,
            they have none.
        streets: those of vehicles that drive on others, see `streets_of`.

    Raises:
        StorageError: the file cannot be written; what stood there before is untouched.
    """
    return write_json(path, vroom_answer(problem, solution, city=city, streets=streets))


def vroom_answer(
    problem: Problem,
    solution: Solution,
    *,
    city: Drawn | None = None,
    streets: Mapping[str, Drawn] = MappingProxyType({}),
) -> dict[str, Any]:
    """A solution as VROOM would answer; see `write_vroom_solution`."""
    steps = step_ids(problem)
    vehicles = vehicle_ids(problem)
    timetables = schedule(problem, solution)
    along = [None] * len(problem.profiles) if city is None else streets_of(problem, city, streets)
    routes = [
        _route(problem, t, vehicles, steps, solution.violations)
        | _geometry(problem, t, along[problem.vehicles[t.vehicle].profile])
        for t in timetables
    ]
    total = {
        key: _sum([route[key] for route in routes])
        for key in ("setup", "service", "duration", "waiting_time", "priority", "distance")
    }
    nodes = [visit.node for timetable in timetables for visit in timetable.visits]
    given, taken = _moved(problem, nodes) if nodes else ([], [])
    credit = {} if problem.lonlat is None else {"attribution": CREDIT}
    return {
        "code": 0,
        **credit,
        "summary": {
            "cost": _whole(solution.cost.total),
            "routes": len(routes),
            "unassigned": len(solution.unassigned),
            **{key: _amounts(given) for key in ("delivery", "amount")},
            "pickup": _amounts(taken),
            **total,
            "violations": [_violation(v) for v in solution.violations],
            "computing_times": {
                "loading": 0,
                "solving": _whole(1000 * solution.time_s),
                "routing": 0,
            },
        },
        "unassigned": [
            {
                "id": steps[j][1],
                "type": steps[j][0],
                **location(problem, j),
                "description": f"{problem.names[j]}: {entry.reason}",
            }
            for entry in solution.unassigned
            for j in (entry.stop,)
        ],
        "routes": routes,
    }


def read_vroom_solution(path: str | Path, problem: Problem) -> Solution:
    """Read the routes of VROOM's output for a problem; times and costs are computed anew.

    Raises:
        FormatError: the file is no such output, or not for this problem.
        StorageError: it cannot be read.
    """
    return vroom_routes(read_json(path), problem)


def vroom_routes(data: Fields, problem: Problem) -> Solution:
    """The routes in such JSON that was read already; see `read_vroom_solution`."""
    if data.whole("code") != 0:
        data.fail(
            "code", f"is {data.whole('code')}: {shortened(data.raw('error', 'VROOM failed'))}"
        )
    nodes = {step: node for node, step in step_ids(problem).items()}
    numbers = {number: v for v, number in enumerate(vehicle_ids(problem))}
    routes = []
    for route in data.children("routes"):
        vehicle = route.whole("vehicle", most=MOST_ID)
        if vehicle not in numbers:
            route.fail(
                "vehicle", f"is {vehicle}; problem {quoted(problem.name)} has no such vehicle"
            )
        stops = []
        for step in route.children("steps"):
            kind = step.text("type")
            if kind in ("start", "break", "end"):
                continue
            if kind not in (JOB, PICKUP, DELIVERY):
                step.fail(
                    "type",
                    f"is {quoted(kind)}; use start, job, pickup, delivery, break or end",
                )
            number = step.whole("id" if "id" in step else "job", most=MOST_ID)
            if (kind, number) not in nodes:
                step.fail("id", f"is {number}; problem {quoted(problem.name)} has no such stop")
            stops.append(nodes[kind, number])
        routes.append(Route(numbers[vehicle], tuple(stops)))
    return Solution.from_routes(problem, routes)


def _route(
    problem: Problem,
    timetable: RouteSchedule,
    vehicles: list[int],
    steps: dict[int, tuple[str, int]],
    violations: tuple[Violation, ...],
) -> dict[str, Any]:
    vehicle = problem.vehicles[timetable.vehicle]
    visits = timetable.visits
    mine = [v for v in violations if v.vehicle == timetable.vehicle]
    weights = problem.objective
    cost = [weights.fixed * vehicle.fixed_cost if timetable.trip == 0 else 0.0]
    for rate, amount in (
        (weights.distance * vehicle.cost_per_m, timetable.distance_m),
        (weights.duration * vehicle.cost_per_s, timetable.duration_s),
    ):
        if rate:  # what costs nothing costs nothing however long
            cost.append(rate * amount)
    nodes = [visit.node for visit in visits]
    given, taken = (_amounts(amounts) for amounts in _moved(problem, nodes))
    service_s = services(problem, vehicle)
    off = off_duty(vehicle, visits)
    paused = [length for visit in visits for _, length in visit.pauses] + off.lengths_s
    return {
        "vehicle": vehicles[timetable.vehicle],
        "cost": _whole(sum(cost)),
        "setup": _whole(sum(visit.setup_s for visit in visits)),
        "service": _whole(float(service_s[nodes].sum()) + sum(paused)),
        "duration": _whole(timetable.driving_s),
        "waiting_time": _whole(sum(_idle(visits, k) for k in range(len(visits))) + off.waiting_s),
        "priority": _whole(float(problem.priority[_tasks(problem, nodes)].sum())),
        "distance": _whole(timetable.distance_m),
        "delivery": given,
        "amount": given,
        "pickup": taken,
        **({"description": vehicle.name} if vehicle.name else {}),
        "violations": [_violation(v) for v in mine],
        "steps": list(_steps(problem, timetable, steps, mine, service_s, off)),
    }


def _tasks(problem: Problem, nodes: Sequence[int]) -> list[int]:
    """Nodes that are tasks: jobs, and of each shipment the pickup."""
    ends = {shipment.delivery for shipment in problem.shipments}
    return [j for j in nodes if j >= problem.depots and j not in ends]


def _steps(
    problem: Problem,
    timetable: RouteSchedule,
    steps: dict[int, tuple[str, int]],
    violations: Sequence[Violation],
    service_s: Floats,
    off: OffDuty,
) -> Iterator[dict[str, Any]]:
    """What a vehicle does one after the other: stops, and the breaks and rests between them."""
    vehicle, visits = problem.vehicles[timetable.vehicle], timetable.visits
    last = len(visits) - 1
    left = list(enumerate(vehicle.breaks, start=1))
    for k, visit in enumerate(visits):
        so_far = _so_far(visits, k)
        if k == last:
            for one in off.after:
                yield _pause({"id": one.number}, one.begin_s, one.length_s, one.waiting_s, so_far)
        if not (k == 0 and vehicle.open_start) and not (k == last and vehicle.open_end):
            yield {
                **_kind(k, steps, visit),
                **location(problem, visit.node),
                "description": problem.names[visit.node],
                "arrival": _whole(off.arrival_s(k, last, visit.arrival_s)),
                "setup": _whole(visit.setup_s),
                "service": _whole(float(service_s[visit.node])),
                "waiting_time": _whole(_idle(visits, k) + off.waits_s(k)),
                **so_far,
                "violations": [
                    _violation(v)
                    for v in violations
                    if (v.stop == visit.node and 0 < k < last)
                    or (v.stop is None and v.kind == "capacity" and _too_full(visit, vehicle))
                ],
            }
        for begin_s, length_s in visit.pauses:
            number = next((n for n, one in left if is_break(one, begin_s, length_s)), None)
            left = [(n, one) for n, one in left if n != number]
            named = {"description": "rest"} if number is None else {"id": number}
            yield _pause(named, begin_s, length_s, 0.0, so_far)
        if k == 0:
            for one in off.before:
                yield _pause({"id": one.number}, one.begin_s, one.length_s, one.waiting_s, so_far)


def _too_full(visit: Visit, vehicle: Vehicle) -> bool:
    """Whether a vehicle leaves with more on board than it holds."""
    return any(load > most for load, most in zip(visit.load, vehicle.capacity, strict=True))


def _so_far(visits: Sequence[Visit], k: int) -> dict[str, Any]:
    return {
        "duration": _whole(visits[k].duration_s - visits[0].duration_s),
        "distance": _whole(visits[k].distance_m - visits[0].distance_m),
        "load": _amounts(visits[k].load),
    }


def _pause(
    named: dict[str, Any],
    begin_s: float,
    length_s: float,
    waiting_s: float,
    so_far: dict[str, Any],
) -> dict[str, Any]:
    """A step that is a break; VROOM's arrival there is before the wait for its window."""
    return {
        "type": "break",
        **named,
        "arrival": _whole(begin_s - waiting_s),
        "setup": 0,
        "service": _whole(length_s),
        "waiting_time": _whole(waiting_s),
        **so_far,
        "violations": [],
    }


def _idle(visits: Sequence[Visit], k: int) -> float:
    """Seconds that a vehicle waits for a stop beside its pauses there."""
    pauses = visits[k - 1].pauses if k else ()
    paused = sum(length for begin, length in pauses if begin >= visits[k].arrival_s)
    return max(0.0, visits[k].waiting_s - paused)


def _geometry(problem: Problem, timetable: RouteSchedule, city: Drawn | None) -> dict[str, str]:
    """The way along streets as an encoded polyline."""
    if city is None or problem.lonlat is None:
        return {}
    vehicle = problem.vehicles[timetable.vehicle]
    nodes = [visit.node for visit in timetable.visits]
    nodes = nodes[int(vehicle.open_start) : len(nodes) - int(vehicle.open_end)]
    legs = city.geometry(problem.lonlat[nodes]) if len(nodes) > 1 else []
    return {"geometry": encoded([problem.lonlat[nodes[:1]], *legs])}


def _kind(k: int, steps: dict[int, tuple[str, int]], visit: Visit) -> dict[str, Any]:
    if visit.node not in steps:
        return {"type": "end" if k else "start"}
    kind, number = steps[visit.node]
    return {"type": kind, "id": number} | ({"job": number} if kind == JOB else {})


def _moved(problem: Problem, nodes: Sequence[int]) -> tuple[list[float], list[float]]:
    """What is brought to some nodes, and what is taken there."""
    given, taken = problem.demand[nodes].sum(axis=0), problem.pickup[nodes].sum(axis=0)
    for shipment in problem.shipments:
        amount = np.array(shipment.amount)
        given = given + amount * (shipment.delivery in nodes)
        taken = taken + amount * (shipment.pickup in nodes)
    return given.tolist(), taken.tolist()


def _violation(violation: Violation) -> dict[str, Any]:
    cause = _CAUSES.get(violation.kind, violation.kind)
    amount = {"duration": _whole(violation.amount)} if cause == "delay" else {}
    return {"cause": cause, "description": violation.message, **amount}


def _sum(values: list[int | None]) -> int | None:
    return None if None in values else sum(value for value in values if value is not None)


def _amounts(load: Sequence[float]) -> list[int | float]:
    return [int(amount) if float(amount).is_integer() else amount for amount in load]


def _whole(number: float) -> int | None:
    """A whole number, None for what is never reached."""
    return round(float(number)) if math.isfinite(number) else None
