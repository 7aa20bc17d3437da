"""VROOM's output as its API describes it (docs/API.md of VROOM 1.14), to hold answers against."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

NUMBERS = ("cost", "setup", "service", "duration", "waiting_time", "priority")
AMOUNTS = ("delivery", "pickup")
STEPS = ("start", "job", "pickup", "delivery", "break", "end")
CAUSES = {
    "delay", "lead_time", "load", "max_tasks", "skills", "precedence", "missing_break",
    "max_travel_time", "max_distance", "max_load",
}  # fmt: skip
ROUNDED_S = 2  # seconds that a sum of whole numbers may be off


def check_answer(answer: dict[str, Any], request: dict[str, Any]) -> None:
    """An answer has what is promised, each task once, and times, loads and sums that agree."""
    assert answer["code"] == 0
    summary, routes = answer["summary"], answer["routes"]
    for key in (*NUMBERS, "routes", "unassigned", "distance"):
        assert _count(summary[key]), key
    for key in ("loading", "solving", "routing"):
        assert _count(summary["computing_times"][key])
    assert summary["routes"] == len(routes)
    assert summary["unassigned"] == len(answer["unassigned"])
    for key in (*NUMBERS, "distance"):
        assert summary[key] == sum(route[key] for route in routes), key
    done = [(entry["type"], entry["id"]) for entry in answer["unassigned"]]
    vehicles = {vehicle["id"]: vehicle for vehicle in request["vehicles"]}
    for route in routes:
        check_route(route, vehicles[route["vehicle"]])
        steps = [step for step in route["steps"] if step["type"] in STEPS[1:4]]
        done += [(step["type"], step["id"]) for step in steps]
    assert sorted(done) == sorted(_tasks(request))
    _check_violations(summary["violations"])


def check_route(route: dict[str, Any], vehicle: dict[str, Any]) -> None:
    """A route begins and ends where its vehicle does, and its steps follow one another."""
    for key in (*NUMBERS, "distance"):
        assert _count(route[key]), key
    for key in AMOUNTS:
        assert all(_count(amount) for amount in route.get(key, ()))
    assert route.get("description") == vehicle.get("description")
    _check_violations(route["violations"])
    steps = route["steps"]
    kinds = [step["type"] for step in steps]
    assert ("start" in kinds) == ("start" in vehicle or "start_index" in vehicle)
    assert ("end" in kinds) == ("end" in vehicle or "end_index" in vehicle)
    assert {"start": 0}.items() >= {k: kinds.index(k) for k in ("start",) if k in kinds}.items()
    assert "end" not in kinds[:-1]
    for step in steps:
        _check_step(step, vehicle)
    own = {entry["id"] for entry in vehicle.get("breaks", ())}
    assert {step["id"] for step in steps if step["type"] == "break"} <= own
    for one, other in pairwise(steps):
        busy = one["setup"] + one["service"] + one["waiting_time"]
        drive = other["duration"] - one["duration"]
        assert drive >= 0
        assert abs(one["arrival"] + busy + drive - other["arrival"]) <= ROUNDED_S
    for key in ("setup", "service", "waiting_time"):
        assert abs(route[key] - sum(step[key] for step in steps)) <= ROUNDED_S


def _check_step(step: dict[str, Any], vehicle: dict[str, Any]) -> None:
    assert step["type"] in STEPS
    for key in ("arrival", "duration", "setup", "service", "waiting_time", "distance"):
        assert _count(step[key]), key
    assert ("id" in step) == (step["type"] not in ("start", "end"))
    if step["type"] == "break":
        assert "location" not in step
        assert "location_index" not in step
    elif "location" in step:
        assert len(step["location"]) == 2
    if not step["violations"] and "capacity" in vehicle:
        loads = zip(step.get("load", ()), vehicle["capacity"], strict=False)
        assert all(load <= most for load, most in loads)
    _check_violations(step["violations"])


def _check_violations(violations: list[dict[str, Any]]) -> None:
    for one in violations:
        assert one["cause"] in CAUSES
        assert ("duration" in one) == (one["cause"] in ("delay", "lead_time"))


def _tasks(request: dict[str, Any]) -> list[tuple[str, int]]:
    jobs = [("job", job["id"]) for job in request.get("jobs", ())]
    ends = ("pickup", "delivery")
    return jobs + [(k, one[k]["id"]) for one in request.get("shipments", ()) for k in ends]


def _count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
