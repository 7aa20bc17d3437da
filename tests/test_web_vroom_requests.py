"""What clients of vroom-express really send: VROOM's documented examples, and its trackers.

The requests are restated with places in the city that is served; the number of the thread that one
is after stands with it.
"""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from in_process import Served, serving
from vroom_schema import check_answer

pytest.importorskip("fastapi", reason="the extra `web` is not installed")
HERE, NEAR, THERE, OTHER = [24.94, 60.17], [24.945, 60.171], [24.95, 60.168], [24.938, 60.1725]
DAY = 1745310000  # a time as clients count it
EX_2 = [[0, 2104, 197, 1299], [2103, 0, 2255, 3152], [197, 2256, 0, 1102], [1299, 3153, 1102, 0]]
HOME = {"start": HERE, "end": HERE}
PAIR = {"pickup": {"id": 1, "location": NEAR}, "delivery": {"id": 2, "location": THERE}}


def _example_1() -> dict[str, Any]:
    """Two vehicles with skills and breaks, four jobs, a shipment; one job at a time of the day."""
    jobs = [
        {"id": 1, "location": NEAR, "delivery": [1], "skills": [1]},
        {"id": 2, "location": THERE, "pickup": [1], "skills": [1]},
        {"id": 5, "location": OTHER, "delivery": [1], "skills": [14]},
        {"id": 6, "location": NEAR, "delivery": [1], "skills": [14]},
    ]
    jobs = [{"service": 300, **job} for job in jobs]
    jobs[0]["time_windows"] = [[32400, 36000]]
    pickup, delivery = {"id": 4, "location": OTHER}, {"id": 3, "location": THERE}
    return {
        "vehicles": [
            {
                "id": k, **HOME, "capacity": [4], "skills": [k, 14], "time_window": [28800, 43200],
                "breaks": [{"id": 10 + k, "service": 300, "time_windows": [[32400, 34200]]}],
            }
            for k in (1, 2)
        ],
        "jobs": jobs,
        "shipments": [{
            "amount": [1], "skills": [2],
            "pickup": {"service": 300, **pickup}, "delivery": {"service": 300, **delivery},
        }],
    }  # fmt: skip


def _example_3() -> dict[str, Any]:
    """Steps that are timed as they are: one vehicle is too full, one forced to begin later."""
    ours = _example_1()
    first = [{"type": "start"}, *({"type": "job", "id": k} for k in (1, 2, 5)), {"type": "end"}]
    ends = [{"type": "pickup", "id": 4}, {"type": "delivery", "id": 3}]
    second = [{"type": "start"}, {"type": "job", "id": 6}, *ends, {"type": "end"}]
    vehicles = [
        {"id": k, **HOME, "capacity": [4], "time_window": [28800, 43200], "steps": steps}
        for k, steps in ((1, first), (2, second))
    ]
    jobs = [job | {"delivery": [3 if job["id"] == 5 else 2], "skills": []} for job in ours["jobs"]]
    for job in jobs:
        job.pop("pickup", None)
    shipments = [ours["shipments"][0] | {"skills": []}]
    return {"vehicles": vehicles, "jobs": jobs, "shipments": shipments, "options": {"c": True}}


ANSWERED: dict[str, dict[str, Any]] = {
    "example 1: skills, breaks, a shipment": _example_1(),
    "example 2: a matrix by its old name": {
        "vehicles": [{"id": 0, "start_index": 0, "end_index": 3}],
        "jobs": [{"id": 1414, "location_index": 1}, {"id": 1515, "location_index": 2}],
        "matrix": EX_2,
    },
    "example 2 as it is now (vroom#502)": {
        "vehicles": [{"id": 0, "start_index": 0, "end_index": 3}],
        "jobs": [{"id": 1414, "location_index": 1}, {"id": 1515, "location_index": 2}],
        "matrices": {"car": {"durations": EX_2}},
    },
    "example 3: given steps": _example_3(),
    "the readme of vroom-express": {
        "vehicles": [{"id": 0, **HOME}],
        "jobs": [{"id": 0, "location": NEAR}, {"id": 1, "location": THERE}],
        "options": {"g": True},
    },
    "room for four goods that nobody has (vroom#541)": {
        "vehicles": [{"id": 19, "start": HERE, "capacity": [9000, 200, 15, 200000]}],
        "jobs": [{"id": 2840, "description": "first", "location": NEAR, "priority": 0}],
    },
    "amounts by both names (vroom#762)": {
        "vehicles": [{"id": 1, **HOME, "capacity": [5], "skills": [], "time_window": [600, 4000]}],
        "jobs": [{"id": 1, "delivery": [1], "amount": [1], "skills": [], "location": NEAR}],
    },
    "a shipment alone and no jobs (vroom#779, #880)": {
        "jobs": [],
        "shipments": [{**PAIR, "skills": [1000000007]}],
        "vehicles": [{"id": 1, "start": HERE, "end": OTHER, "skills": [1000000007], "max_tasks": 40,
                      "description": "description"}],
    },
    "windows by a wrong name in a shipment, empty steps (vroom#1223)": {
        "vehicles": [{"id": 9, "start": HERE, "capacity": [5], "steps": []}],
        "shipments": [{
            "amount": [1], "delivery": PAIR["delivery"],
            "pickup": {**PAIR["pickup"], "service": 300, "time_window": [[DAY, DAY + 4000]]},
        }],
    },
    "a window by a wrong name, no start (vroom#414, #1245)": {
        "vehicles": [{"id": 1, "end": HERE, "time_window": [DAY, DAY + 9000]}],
        "jobs": [{"id": 1, "location": NEAR, "time_window": [DAY, DAY + 60]}],
    },
    "a profile of another router, unix times (vroom#1312)": {
        "vehicles": [{"id": 6, "steps": [], "profile": "driving-car", "start": HERE}],
        "jobs": [
            {"id": 3, "location": NEAR, "service": 300, "priority": 20, "description": "x",
             "time_windows": [[DAY, DAY + 1500]]},
            {"id": 4, "location": THERE, "service": 300, "priority": 10},
        ],
        "shipments": [PAIR | {"priority": 10}],
    },
    "a cost that is none (vroom#1221)": {
        "vehicles": [{"id": 1, **HOME, "cost": 50}],
        "jobs": [{"id": 1, "location": THERE}],
    },
    "indices without matrices, ends only (vroom#649)": {
        "vehicles": [{"id": 0, "end": HERE, "capacity": [13], "time_window": [0, 2700],
                      "end_index": 2}],
        "jobs": [{"id": 85, "pickup": [1], "location": NEAR, "location_index": 0,
                  "description": "85", "service": 0}],
    },
    "fractions of seconds and metres (vroom#1043)": {
        "vehicles": [{"id": 58932, "start_index": 0, "end_index": 0, "time_window": [0, 61200],
                      "max_travel_time": 48000.0}],
        "jobs": [{"id": 1, "location_index": 1}],
        "matrices": {"car": {"durations": [[0, 10.4], [11.2, 0]],
                             "distances": [[0, 100.5], [99.1, 0]]}},
    },
    "prices by the kilometre beside steps (vroom#1344)": {
        "vehicles": [
            {"id": 5, **HOME, "skills": [1], "costs": {"fixed": 0, "per_km": 2}, "capacity": [4],
             "steps": [{"type": "pickup", "id": 1}, {"type": "delivery", "id": 2}]},
            {"id": 6, **HOME, "costs": {"fixed": 0, "per_km": 2000}, "capacity": [4]},
        ],
        "shipments": [
            {"amount": [1], "skills": [1], **PAIR},
            {"amount": [1], "pickup": {"id": 3, "location": OTHER},
             "delivery": {"id": 4, "location": THERE}},
        ],
    },
    "shipments without amounts (vroom#685)": {
        "vehicles": [{"id": 1, **HOME, "profile": "car"}, {"id": 2, **HOME, "profile": "car"}],
        "shipments": [PAIR],
    },
    "a profile of lorries and an amount without windows (vroom#343)": {
        "vehicles": [{"id": 1, "profile": "driving-hgv", **HOME, "capacity": [4],
                      "skills": [1, 14], "time_window": [28800, 43200]}],
        "jobs": [{"id": 1, "location": NEAR, "delivery": [1], "skills": [1]},
                 {"id": 2, "location": THERE, "amount": [1], "service": 300}],
    },
    "given steps with a break (vroom#1326)": {
        "vehicles": [{
            "id": 39, **HOME, "time_window": [0, 20000],
            "breaks": [{"id": 40, "service": 600, "time_windows": [[0, 4000]]}],
            "steps": [
                {"type": "start"},
                {"type": "break", "id": 40, "service_after": 0, "service_before": 4000},
                {"type": "job", "id": 71, "service_after": 100, "service_before": 9000},
                {"type": "end"},
            ],
        }],
        "jobs": [{"id": 71, "location": NEAR, "time_windows": [[100, 9000]]}],
        "options": {"c": True},
    },
    "plan mode tells of limits (vroom#566, #835)": {
        "vehicles": [{"id": 1, **HOME, "max_travel_time": 1, "max_tasks": 1,
                      "steps": [{"type": "job", "id": 1}, {"type": "job", "id": 2}]}],
        "jobs": [{"id": 1, "location": THERE}, {"id": 2, "location": NEAR}],
        "options": {"c": True},
    },
    "a break in one of two windows": {
        "vehicles": [{"id": 1, **HOME, "time_window": [0, 20000], "description": "van", "breaks": [
            {"id": 7, "service": 300, "time_windows": [[0, 100], [9000, 9100]]}]}],
        "jobs": [{"id": 1, "location": NEAR, "time_windows": [[150, 9000]]}],
        "options": {"g": True},
    },
    "a break of an empty vehicle (vroom#794)": {
        "vehicles": [{"id": 1, **HOME, "capacity": [4], "profile": "lorry", "breaks": [
            {"id": 7, "service": 300, "time_windows": [[0, 9000]], "max_load": [0]}]}],
        "jobs": [{"id": 1, "location": NEAR, "delivery": [1]}],
        "shipments": [PAIR | {"amount": [2]}],
    },
    "keys of one's own, and a limit (vroom#1226)": {
        "vehicles": [{"id": 1, **HOME, "capacity": [4], "driver": {"name": "x"}, "plate": "A 1"}],
        "jobs": [{"id": 1, "location": THERE, "amount": [1], "address": "x", "windows": 5}],
        "options": {"l": 0.05, "t": 4, "x": 5},
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def ask():
    with serving() as served:
        yield served


def sent(ask: Served, body: dict[str, Any]) -> tuple[int, Any]:
    """Status and answer, after a moment's search."""
    given = body | {"options": {"l": 0.05, **body.get("options", {})}}
    reply = ask("POST", "/", content=json.dumps(given).encode())
    return reply.status_code, reply.json()


@pytest.mark.parametrize("name", ANSWERED)
def test_what_vroom_answers_is_answered_as_it_promises(ask, name):
    """The answer has the keys, types, sums and times of VROOM's API, and no task is left out."""
    status, answer = sent(ask, ANSWERED[name])
    assert status == 200, answer
    check_answer(answer, ANSWERED[name])
    assert answer["unassigned"] == []


def test_what_was_not_used_is_told(ask):
    """VROOM says nothing of a key that it does not know; a near one is named beside the answer."""
    [name] = [name for name in ANSWERED if "#1245" in name]
    _, answer = sent(ask, ANSWERED[name])
    assert answer["notes"] == [
        "jobs[0].time_window is not known and was not used; did you mean 'time_windows'?"
    ]
    [name] = [name for name in ANSWERED if "#343" in name]
    assert "notes" not in sent(ask, ANSWERED[name])[1]


def test_breaks_are_in_the_route_with_their_own_ids(ask):
    """One that is over before the departure, or begins after the return, is told nevertheless."""
    found = sent(ask, ANSWERED["example 1: skills, breaks, a shipment"])[1]["routes"]
    for route in found:
        [taken] = [step for step in route["steps"] if step["type"] == "break"]
        assert taken["id"] == 10 + route["vehicle"]
        assert 32400 <= taken["arrival"] + taken["waiting_time"] <= 34200


def test_breaks_that_only_vroom_knows_are_kept(ask):
    """VROOM's own answer: the break is in one of its windows, and with nothing on board."""
    for name, allowed in (
        ("a break in one of two windows", lambda s, at: at <= 100 or 9000 <= at <= 9100),
        ("a break of an empty vehicle (vroom#794)", lambda s, at: s["load"] == [0]),
    ):
        [route] = sent(ask, ANSWERED[name])[1]["routes"]
        [taken] = [step for step in route["steps"] if step["type"] == "break"]
        assert allowed(taken, taken["arrival"] + taken["waiting_time"])
        assert ("geometry" in route) == ("options" in ANSWERED[name])
        timed = copy.deepcopy(ANSWERED[name]) | {"options": {"c": True}}
        timed["vehicles"][0]["steps"] = [
            {key: step[key] for key in ("type", "id") if key in step} for step in route["steps"]
        ]
        status, answer = sent(ask, timed)
        assert (status, answer["unassigned"]) == (200, [])
        check_answer(answer, timed)
    bad = copy.deepcopy(timed)
    bad["vehicles"][0]["breaks"][0]["max_load"] = [0, 0]
    status, answer = sent(ask, bad)
    assert (status, answer["code"]) == (400, 2)
    bad["vehicles"][0]["start"] = [0, 0]
    assert sent(ask, bad)[1]["code"] == 3
    assert sent(ask, timed | {"jobs": [{"id": 9, "location": [0, 0]}], "shipments": []})[0] == 400


@pytest.mark.parametrize(
    ("change", "left"),
    [
        ({"time_window": [600, 700]}, [1, 2]),  # vroom#762: too short for any
        ({"max_travel_time": 1, "steps": [{"type": "job", "id": 1}]}, [1, 2]),  # vroom#954
        ({"max_tasks": 1}, [2]),
        ({"time_window": [8, 16]}, [1, 2]),  # vroom#1165: hours in place of seconds
    ],
)
def test_what_no_vehicle_can_serve_is_unassigned(ask, change, left):
    """Limits hold whatever steps say, and what is left out is listed."""
    request = {
        "vehicles": [{"id": 1, **HOME, **change}],
        "jobs": [
            {"id": 1, "location": NEAR, "service": 600, "priority": 2},
            {"id": 2, "location": THERE},
        ],
    }
    status, answer = sent(ask, request)
    assert status == 200
    check_answer(answer, request)
    assert sorted(entry["id"] for entry in answer["unassigned"]) == left


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"vehicles": []}, "vehicles"),
        ({"jobs": []}, "jobs"),
        ({"jobs": [{"id": "a", "location": NEAR}]}, "whole number"),
        ({"jobs": [{"id": 1, "location": NEAR, "service": -5}]}, "0 or more"),
        ({"jobs": [{"id": 1, "location": NEAR}, {"id": 1, "location": THERE}]}, "differ"),
        ({"jobs": [{"id": 1, "location": NEAR, "delivery": [1]}]}, "capacity"),  # as in VROOM
        ({"vehicles": [{"id": 1}]}, "start and end"),  # vroom#502 of old versions
    ],
)
def test_what_vroom_refuses_is_refused_with_its_code(ask, change, told):
    """Code 2 and status 400, with what is wrong."""
    request = {"vehicles": [{"id": 1, **HOME}], "jobs": [{"id": 1, "location": NEAR}]} | change
    status, answer = sent(ask, request)
    assert (status, answer["code"]) == (400, 2)
    assert told in answer["error"]
