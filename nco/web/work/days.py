"""Days that change: a `nco.Planner` for each, made again from what has happened where it is gone.

What is kept of a day is its problem and its changes, in order. Planning anew is kept as what came
of it, so that to make a day again searches nothing.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, NamedTuple

from nco.data.formats.json_file import Fields, finite
from nco.errors import InputError
from nco.planner import Planner
from nco.problem.solution import Solution
from nco.solver import check_limits
from nco.web.reply import Reply, as_json
from nco.web.work import served
from nco.web.work.posing import posed_by, routes_of
from nco.web.work.solving import method_of

if TYPE_CHECKING:
    from nco.planner import Plan

_KEPT = 16
REPLAN_S = 0.2


class Kept(NamedTuple):
    """A day as it is kept.

    Attributes:
        problem: as it was posed.
        options: city, profile, method and seed.
        changes: as JSON texts.
    """

    problem: bytes
    options: str
    changes: Sequence[str]


class Done(NamedTuple):
    """What came of a request.

    Attributes:
        reply: for the client.
        change: to be kept, None if nothing has changed.
        unknown: whether the day is not known here, so that it must be sent along.
    """

    reply: Reply
    change: str | None = None
    unknown: bool = False


class _Day:
    """A day, and how many changes of it are done."""

    def __init__(self, kept: Kept) -> None:
        options = Fields("plan", "", json.loads(kept.options))
        problem = posed_by(kept.problem)
        city = None
        if problem.lonlat is not None and len(problem.profiles) == 1:
            named = [options.raw(name, None) for name in ("city", "profile")]
            there = served.city(*named)
            # A problem from elsewhere, with matrices of its own, is planned without a city.
            city = there if there.covers(problem.lonlat).all() else None
        self.planner = Planner(
            problem, city=city, method=method_of(options), seed=options.whole("seed", 0)
        )
        self.plan: Plan | None = None
        self.count = 0
        for text in kept.changes:
            self.apply(Fields("change", "", json.loads(text)))

    def apply(self, data: Fields) -> str:
        """Does a change; what is to be kept of it."""
        op = data.text("op")
        kept = _OPERATIONS[op](self, data)
        self.count += 1
        return json.dumps(finite(data.data) if kept is None else kept)


_days: OrderedDict[str, _Day] = OrderedDict()


def change(number: str, count: int, raw: bytes | None, kept: Kept | None) -> Done:
    """Does a change to a day, and tells of the plan after it.

    Args:
        number: id of the day.
        count: how many changes it has had.
        raw: the change; None only asks for the plan.
        kept: the day, where it was not known here.
    """
    if kept is None and (number not in _days or _days[number].count != count):
        return Done(as_json({}), unknown=True)
    told: list[str] = []

    @served.replying
    def reply() -> Reply:
        if kept is not None:
            _days.pop(number, None)
            _days[number] = _Day(kept)
            while len(_days) > _KEPT:
                _days.popitem(last=False)
        day = _days[number]
        _days.move_to_end(number)
        with served.notes() as noted:
            if raw is not None:
                told.append(day.apply(served.fields_of(raw)))
        return as_json({"id": number, "changes": day.count, **_shown(day), "notes": noted})

    answer = reply()
    if answer.status >= 500:
        _days.pop(number, None)  # who knows how far it came
    return Done(answer, told[0] if told and answer.status < 400 else None)


def _shown(day: _Day) -> dict[str, Any]:
    planner, plan = day.planner, day.plan
    known = {"now_s": planner.now_s, "waiting": list(planner.waiting), "plan": None}
    if plan is None:
        return known
    routes = [
        {
            "vehicle": route.vehicle,
            "distance_m": route.distance_m,
            "start": asdict(route.start),
            "calls": [asdict(call) for call in route.calls],
            "end": None if route.end is None else asdict(route.end),
        }
        for route in plan.routes
    ]
    names = {call.name for route in plan.routes for call in (route.start, *route.calls)}
    made = {
        "routes": routes,
        "places": {name: planner.place_of(name) for name in sorted(names | set(plan.unassigned))},
        "unassigned": plan.unassigned,
        "violations": list(plan.violations),
        "cost": {"total": plan.cost.total, **asdict(plan.cost)},
        "feasible": plan.feasible,
        "made_at_s": plan.now_s,
        "time_s": plan.time_s,
        "moved": dict(plan.moved),
    }
    return dict(finite(known | {"plan": made}))


def _replan(day: _Day, data: Fields) -> dict[str, Any]:
    limit_s = data.number("time_limit_s", REPLAN_S)
    check_limits(limit_s, 0)
    if limit_s > served.settings().limits.request_s / 2:
        most = served.settings().limits.request_s / 2
        raise InputError(f"time_limit_s is {limit_s:g}; a plan has {most:g} s at most here")
    day.plan = day.planner.replan(limit_s)
    found = day.plan.solution
    routes = () if found is None else found.routes
    return {
        "op": "adopt",
        "routes": [
            {"vehicle": int(route.vehicle), "stops": [int(j) for j in route.stops]}
            | ({} if route.reload_at is None else {"reload_at": int(route.reload_at)})
            for route in routes
        ],
    }


def _adopt(day: _Day, data: Fields) -> None:
    rest = day.planner.rest
    if rest is None:  # nothing was left when this was planned, either
        day.plan = day.planner.replan(REPLAN_S)
        return
    routes = routes_of(data, rest).routes
    day.plan = day.planner.adopt(Solution.from_routes(rest, routes))


def _advance(day: _Day, data: Fields) -> None:
    day.planner.advance(data.number("now_s"))


def _served(day: _Day, data: Fields) -> None:
    stops = [str(name) for name in data.items("stops")]
    day.planner.served(data.whole("vehicle"), stops, data.number("ready_s"))


def _asked(data: Fields) -> dict[str, Any]:
    """What a stop asks for, as far as it is given."""
    given: dict[str, Any] = {}
    if "demand" in data:
        demand = data.raw("demand")
        given["demand"] = (
            data.numbers("demand") if isinstance(demand, list) else data.number("demand")
        )
    if "window_s" in data:
        window = data.numbers("window_s")
        if len(window) != 2:
            data.fail("window_s", "must be two numbers: earliest and latest start of service")
        given["window_s"] = tuple(window)
    for name in ("service_s", "prize"):
        if name in data:
            given[name] = data.number(name)
    return given


def _place(data: Fields) -> list[float]:
    return data.numbers("lonlat")


def _add(day: _Day, data: Fields) -> None:
    able = data.wholes("vehicles") if "vehicles" in data else None
    day.planner.add(data.text("name"), _place(data), vehicles=able, **_asked(data))


def _move(day: _Day, data: Fields) -> None:
    day.planner.move(data.text("name"), _place(data))


def _change(day: _Day, data: Fields) -> None:
    day.planner.change(data.text("name"), **_asked(data))


def _cancel(day: _Day, data: Fields) -> None:
    day.planner.cancel(data.text("name"))


def _drop_vehicle(day: _Day, data: Fields) -> None:
    day.planner.drop_vehicle(data.whole("vehicle"))


_OPERATIONS: dict[str, Callable[[_Day, Fields], dict[str, Any] | None]] = {
    "replan": _replan,
    "adopt": _adopt,
    "advance": _advance,
    "served": _served,
    "add": _add,
    "move": _move,
    "change": _change,
    "cancel": _cancel,
    "drop_vehicle": _drop_vehicle,
}
"""What can happen on a day, by the name that a client gives; each a method of `nco.Planner`."""
