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
from nco.data.formats.native import problem_data, route_data, vehicle_from
from nco.errors import InputError
from nco.planner import Planner
from nco.problem.solution import Solution
from nco.solver import check_limits
from nco.web.reply import Reply, as_json
from nco.web.work import served
from nco.web.work.posing import posed_by, routes_of, streets_by
from nco.web.work.solving import method_of

if TYPE_CHECKING:
    from nco.data.cities.city import City
    from nco.planner import Plan
    from nco.problem import Problem

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
        self.planner = Planner(
            problem,
            city=_streets(kept.problem, problem, options),
            method=method_of(options),
            seed=options.whole("seed", 0),
        )
        self.plan: Plan | None = None
        self.count = 0
        for text in kept.changes:
            self.apply(Fields("change", "", json.loads(text)))

    def apply(self, data: Fields) -> str:
        """Does a change; what is to be kept of it."""
        op = data.text("op")
        kept = _OPERATIONS[op].do(self, data)
        self.count += 1
        return json.dumps(finite(data.data) if kept is None else kept)


def _streets(raw: bytes, problem: Problem, options: Fields) -> list[City] | None:
    """What new places are measured on, one a profile.

    None for a problem from elsewhere, with matrices of its own: new places come with theirs.
    """
    own = streets_by(raw)
    if own:
        return [own[profile.name] for profile in problem.profiles]
    if problem.lonlat is None or len(problem.profiles) > 1:
        return None
    there = served.city(*(options.raw(name, None) for name in ("city", "profile")))
    return [there] if there.covers(problem.lonlat).all() else None


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
                asked = served.fields_of(raw)
                _refuse_others(asked)
                told.append(day.apply(asked))
        return as_json({"id": number, "changes": day.count, **_shown(day), "notes": noted})

    answer = reply()
    if answer.status >= 500:
        _days.pop(number, None)  # who knows how far it came
    return Done(answer, told[0] if told and answer.status < 400 else None)


def left(number: str, count: int, kept: Kept | None) -> Done:
    """What is left of a day and its plan, in our JSON: `{"problem": ..., "routes": [...]}`.

    Args:
        number: id of the day.
        count: how many changes it has had.
        kept: the day, where it was not known here.
    """
    done = change(number, count, None, kept)
    if done.unknown or done.reply.status >= 400:
        return done

    @served.replying
    def reply() -> Reply:
        planner = _days[number].planner
        problem, planned = planner.rest, planner.rest_planned
        if problem is None or planned is None:
            raise InputError("nothing is left of this day that could be written")
        routes = [route_data(route) for route in planned.routes]
        return as_json(finite({"problem": problem_data(problem), "routes": routes}))

    return done._replace(reply=reply())


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
    return {"op": "adopt", "routes": [route_data(route) for route in routes]}


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
    return {name: read(data, name) for name, read in _ASKED.items() if name in data}


def _amount(data: Fields, name: str) -> float | list[float]:
    """One number, or one a dimension."""
    return data.numbers(name) if isinstance(data.raw(name), list) else data.number(name)


def _pair(data: Fields, name: str) -> tuple[float, float]:
    window = data.numbers(name)
    if len(window) != 2:
        data.fail(name, "must be two numbers: earliest and latest start of service")
    return window[0], window[1]


def _pairs(data: Fields, name: str) -> list[tuple[float, float]]:
    return [_pair(Fields(data.path, data.where, {name: one}), name) for one in data.items(name, [])]


def _words(data: Fields, name: str) -> list[str]:
    words = data.items(name, [])
    if not all(isinstance(word, str) for word in words):
        data.fail(name, "must be a list of words")
    return words


_ASKED: dict[str, Callable[[Fields, str], Any]] = {
    **dict.fromkeys(("demand", "pickup"), _amount),
    **dict.fromkeys(("window_s", "soft_window_s"), _pair),
    **dict.fromkeys(("early_per_s", "late_per_s", "service_s", "setup_s"), Fields.number),
    **dict.fromkeys(("release_s", "prize", "priority"), Fields.number),
    "more_windows_s": _pairs,
    "skills": _words,
}
"""What a stop can ask for, see `nco.planner.asked.Asked`, and how it is read."""


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


def _add_shipment(day: _Day, data: Fields) -> None:
    amount = _amount(data, "amount") if "amount" in data else ()
    day.planner.add_shipment(data.text("pickup"), data.text("delivery"), amount)


def _add_vehicle(day: _Day, data: Fields) -> None:
    day.planner.add_vehicle(vehicle_from(data.child("vehicle")))


def _drop_vehicle(day: _Day, data: Fields) -> None:
    day.planner.drop_vehicle(data.whole("vehicle"))


class _Operation(NamedTuple):
    """Something that can happen on a day.

    Attributes:
        do: does it; what is to be kept of it, None for the change as it came.
        fields: what it may be given.
    """

    do: Callable[[_Day, Fields], dict[str, Any] | None]
    fields: tuple[str, ...] = ()


_OPERATIONS: dict[str, _Operation] = {
    "replan": _Operation(_replan, ("time_limit_s",)),
    "adopt": _Operation(_adopt, ("routes",)),
    "advance": _Operation(_advance, ("now_s",)),
    "served": _Operation(_served, ("vehicle", "stops", "ready_s")),
    "add": _Operation(_add, ("name", "lonlat", "vehicles", *_ASKED)),
    "add_shipment": _Operation(_add_shipment, ("pickup", "delivery", "amount")),
    "add_vehicle": _Operation(_add_vehicle, ("vehicle",)),
    "move": _Operation(_move, ("name", "lonlat")),
    "change": _Operation(_change, ("name", *_ASKED)),
    "cancel": _Operation(_cancel, ("name",)),
    "drop_vehicle": _Operation(_drop_vehicle, ("vehicle",)),
}
"""What can happen on a day, by the name that a client gives; each a method of `nco.Planner`."""


def _refuse_others(data: Fields) -> None:
    """Refuse fields that an operation would not look at: whoever gave them meant something."""
    op = data.text("op")
    for name, value in data.data.items():
        if value is not None and name not in ("op", *_OPERATIONS[op].fields):
            known = ", ".join(_OPERATIONS[op].fields)
            data.fail(name, f"is nothing that {op} knows; it takes {known}")
