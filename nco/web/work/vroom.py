"""A request of vroom-express, answered as it would be."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from nco.data.formats.json_file import Fields, finite
from nco.data.formats.vroom_json import vroom_problem
from nco.data.formats.vroom_solution import vroom_answer, vroom_routes
from nco.data.formats.vroom_steps import vroom_steps
from nco.data.formats.vroom_tasks import MOST_ID
from nco.errors import CityError, InputError, NcoError, ServiceError, UnsupportedError
from nco.problem import Problem
from nco.problem.solution import Solution
from nco.solve import solve
from nco.web.reply import INPUT, INTERNAL, ROUTING, TOO_LARGE, Reply, as_json
from nco.web.work import served, vroom_itself
from nco.web.work.vroom_costs import as_charged, task_rates
from nco.web.work.vroom_input import as_vroom_reads, in_own_words

STATUS = {INTERNAL: 500, INPUT: 400, ROUTING: 500, TOO_LARGE: 413}
DEFAULT_X = 5
_LEAST_S, _STOP_S, _MOST_S = 0.2, 0.02, 10.0  # of a search at full exploration
_LEVELS = 6
_FIRST, _LEAST = 0.2, 0.5  # shares of the time: of VROOM's own search, and left at least for ours


def failed(code: int, message: str) -> Reply:
    """What vroom-express answers where something is wrong."""
    return as_json({"code": code, "error": message}, STATUS[code])


def solve_vroom(raw: bytes) -> Reply:
    """Solves (or, with the option `c`, times the given steps of) a problem of VROOM."""
    try:
        return as_json(finite(_solved(served.fields_of(raw))))
    except served.TooLargeError as error:
        return failed(TOO_LARGE, str(error))
    except (CityError, ServiceError) as error:
        return failed(ROUTING, str(error))
    except InputError as error:
        return failed(INPUT, str(error))
    except NcoError as error:
        return failed(INTERNAL, str(error))
    except Exception:
        served.log.exception("a request failed")
        return failed(INTERNAL, "Internal error")


def _solved(data: Fields) -> dict[str, Any]:
    data, notes = as_vroom_reads(data)
    options = data.child("options", {})
    plan = _chosen(options, "c", bool, default=False)
    city = None if "matrices" in data else served.city()
    data, too_large = _without_too_large(data)
    if "jobs" not in data and "shipments" not in data:
        return _nothing(too_large)
    itself = vroom_itself.is_needed(data)
    known = vroom_itself.without_such_breaks(data) if itself else data
    problem = vroom_problem(known, city=city, names="id", allow_unassigned=True, plan=plan)
    served.check_size(problem)
    geometry = _chosen(options, "g", bool, default=False)
    if itself:
        answer = vroom_itself.answered(data, problem, _limit_s(problem, options), plan=plan)
        if geometry:
            _drawn(answer, problem)
        return _with(answer, too_large, notes)
    begun = any("steps" in vehicle for vehicle in data.children("vehicles"))
    steps = vroom_steps(data, problem) if begun else None
    if plan:
        found = steps or Solution.from_routes(problem, [])
    else:
        found = _searched(problem, data, _limit_s(problem, options), steps)
    answer = vroom_answer(problem, found, city=served.city() if geometry else None)
    in_own_words(answer, data)
    return _with(_with_costs(answer, data), too_large, notes)


def _with(
    answer: dict[str, Any], too_large: list[dict[str, Any]], notes: list[str]
) -> dict[str, Any]:
    """An answer with what no vehicle can carry, and with what was not used of the request."""
    answer["unassigned"] += too_large
    answer["summary"]["unassigned"] += len(too_large)
    return answer | ({"notes": notes} if notes else {})


def _drawn(answer: dict[str, Any], problem: Problem) -> None:
    """Gives the routes of an answer of VROOM their lines."""
    found = vroom_routes(Fields("answer", "", answer), problem)
    ours = vroom_answer(problem, found, city=served.city())
    lines = {route["vehicle"]: route.get("geometry") for route in ours["routes"]}
    for route in answer["routes"]:
        if lines.get(route["vehicle"]):
            route["geometry"] = lines[route["vehicle"]]


def _searched(problem: Problem, data: Fields, limit_s: float, steps: Solution | None) -> Solution:
    """The best routes found for what VROOM minimises, from VROOM's own on where it has some.

    That takes it a moment, and who has asked VROOM before is never worse off.
    """
    begun = time.perf_counter()
    charged = as_charged(problem, task_rates([costs for _, costs in _costs_of(data)]))
    initial = None if steps is None else steps.on(charged)
    with suppress(UnsupportedError):
        initial = solve(charged, "vroom", time_limit_s=_FIRST * limit_s, initial=initial)
    left_s = limit_s - (time.perf_counter() - begun)
    found = solve(charged, "auto", time_limit_s=max(left_s, _LEAST * limit_s), initial=initial)
    return found.on(problem).with_reasons(problem)


def _costs_of(data: Fields) -> list[tuple[int, dict[str, Any]]]:
    """Id and costs of each vehicle."""
    return [
        (vehicle.whole("id"), vehicle.child("costs", {}).data)
        for vehicle in data.children("vehicles")
    ]


def _without_too_large(data: Fields) -> tuple[Fields, list[dict[str, Any]]]:
    """The problem without what no vehicle can carry, and that as VROOM lists what is unassigned.

    Elsewhere such a task is refused, because it surely is a slip; VROOM leaves it out.
    """
    limits = [vehicle.wholes("capacity", []) for vehicle in data.children("vehicles")]
    kept, left = dict(data.data), []

    def fits(entry: Fields) -> bool:
        loads = [
            entry.wholes(key, []) for key in ("amount", "delivery", "pickup") if _listed(entry, key)
        ]
        return all(any(_within(load, limit) for limit in limits) for load in loads)

    for key in ("jobs", "shipments"):
        entries = data.children(key, [])
        fitting = [entry.data for entry in entries if fits(entry)]
        if len(fitting) == len(entries):
            continue
        kept[key] = fitting or None
        for entry in entries:
            if not fits(entry):
                left += _unassigned(entry, key)
    return Fields(data.path, data.where, kept), left


def _listed(entry: Fields, key: str) -> bool:
    """Whether an amount is given; `pickup` and `delivery` of shipments are places."""
    return isinstance(entry.data.get(key), list)


def _within(load: Sequence[int], limit: Sequence[int]) -> bool:
    """Whether a vehicle can carry something; one without limits carries anything."""
    return (
        not limit
        or len(load) != len(limit)
        or all(a <= b for a, b in zip(load, limit, strict=True))
    )


def _unassigned(entry: Fields, key: str) -> list[dict[str, Any]]:
    steps = (
        [("job", entry)] if key == "jobs" else [(k, entry.child(k)) for k in ("pickup", "delivery")]
    )
    return [
        {
            "id": step.whole("id", most=MOST_ID),
            "type": kind,
            **{k: step.data[k] for k in ("location", "location_index") if k in step},
            "description": "more than any vehicle carries",
        }
        for kind, step in steps
    ]


def _nothing(unassigned: list[dict[str, Any]]) -> dict[str, Any]:
    """The answer where nothing can be served at all."""
    zeros = (
        "cost",
        "routes",
        "setup",
        "service",
        "duration",
        "waiting_time",
        "priority",
        "distance",
    )
    times = dict.fromkeys(("loading", "solving", "routing"), 0)
    amounts: dict[str, Any] = {"delivery": [], "amount": [], "pickup": [], "violations": []}
    summary = dict.fromkeys(zeros, 0) | amounts | {"computing_times": times}
    return {
        "code": 0,
        "summary": summary | {"unassigned": len(unassigned)},
        "unassigned": unassigned,
        "routes": [],
    }


def _chosen[T](options: Fields, key: str, kind: type[T], *, default: T) -> T:
    """An option, where it is of the kind that vroom-express heeds."""
    value = options.data.get(key)
    return value if isinstance(value, kind) else default


def _limit_s(problem: Problem, options: Fields) -> float:
    """How long to search: the option `l` in seconds, else by size and exploration level."""
    most = served.settings().limits.time_limit_s
    asked = options.data.get("l")
    if isinstance(asked, int | float) and not isinstance(asked, bool) and asked > 0:
        return min(float(asked), most)
    level = options.data.get("x")
    if not isinstance(level, int | float) or isinstance(level, bool):
        level = DEFAULT_X
    share = (1 + min(max(level, 0), DEFAULT_X)) / _LEVELS
    return min(most, max(_LEAST_S, share * min(_MOST_S, _STOP_S * len(problem.stops))))


def _with_costs(answer: dict[str, Any], data: Fields) -> dict[str, Any]:
    """The answer with costs as VROOM counts them: of driving, and of tasks by their own rate."""
    costs = dict(_costs_of(data))
    for route in answer["routes"]:
        route["cost"] = _cost(route, costs[route["vehicle"]])
    known = [route["cost"] for route in answer["routes"]]
    answer["summary"]["cost"] = None if None in known else sum(known)
    return answer


def _cost(route: Mapping[str, Any], costs: Mapping[str, Any]) -> int | None:
    if route["duration"] is None or route["distance"] is None:
        return None
    tasks_s = route["service"] + route["setup"]
    cost: float = (
        costs.get("fixed", 0)
        + costs.get("per_hour", 3600) * route["duration"] / 3600
        + costs.get("per_task_hour", 0) * tasks_s / 3600
        + costs.get("per_km", 0) * route["distance"] / 1000
    )
    return round(cost)
