"""Requests of clients of vroom-express and of OSRM, answered as those would."""

import json

import numpy as np
import pytest
from in_process import Served, serving

from nco.data.formats.polyline import encoded

pytest.importorskip("fastapi", reason="the extra `web` is not installed")
HERE, NEAR, THERE = [24.94, 60.17], [24.945, 60.171], [24.95, 60.168]
VEHICLE = {"id": 0, "start": HERE, "end": HERE}
JOBS = [{"id": 1414, "location": NEAR}, {"id": 1515, "location": THERE}]
FAST = {"l": 0.05}


@pytest.fixture(scope="module")
def ask():
    with serving(limits={"stops": 5, "vehicles": 2}) as served:
        yield served


def vroom(ask: Served, **body):
    reply = ask("POST", "/", json={"options": FAST, **body})
    return reply.status_code, reply.json()


def check_vroom(answer, jobs):
    """What VROOM's API promises of an answer: its keys, their types, and each job once."""
    assert answer["code"] == 0
    summary, numbers = answer["summary"], ("cost", "routes", "unassigned", "duration", "distance")
    for key in (*numbers, "service", "setup", "waiting_time", "priority"):
        assert isinstance(summary[key], int), key
    assert set(summary["computing_times"]) == {"loading", "solving", "routing"}
    done = [entry["id"] for entry in answer["unassigned"]]
    for route in answer["routes"]:
        assert isinstance(route["cost"], int)
        assert route["violations"] == []
        for step in route["steps"]:
            assert step["type"] in ("start", "job", "pickup", "delivery", "break", "end")
            assert isinstance(step["arrival"], int)
            done += [step["id"]] if step["type"] == "job" else []
    assert sorted(done) == sorted(jobs)
    assert summary["unassigned"] == len(answer["unassigned"])


def test_coordinates_are_routed_over_the_city(ask):
    """The example of vroom-express' readme, in the city that is served; `g` asks for lines."""
    status, answer = vroom(ask, vehicles=[VEHICLE], jobs=JOBS, options={"g": True, **FAST})
    assert status == 200
    check_vroom(answer, [1414, 1515])
    [route] = answer["routes"]
    assert route["distance"] > 0
    assert route["geometry"]
    assert "geometry" not in vroom(ask, vehicles=[VEHICLE], jobs=JOBS)[1]["routes"][0]


def test_matrices_are_taken_and_costs_are_those_of_vroom(ask):
    """Driving counts by the hour and fixed costs once; tasks cost by their own rate only."""
    body = {
        "vehicles": [
            {"id": 7, "start_index": 0, "end_index": 0, "costs": {"fixed": 50, "per_hour": 7200}}
        ],
        "jobs": [{"id": 1, "location_index": 1, "service": 1000}],
        "matrices": {"car": {"durations": [[0, 10], [20, 0]]}},
    }
    status, answer = vroom(ask, **body)
    assert (status, answer["summary"]["cost"], answer["summary"]["service"]) == (200, 110, 1000)
    old = {
        "vehicles": [{"id": 7, "start_index": 0}],
        "jobs": body["jobs"],
        "matrix": [[0, 1], [1, 0]],
    }
    assert vroom(ask, **old)[1]["summary"]["cost"] == 1


def test_what_fits_nowhere_is_unassigned(ask):
    """A load beyond every vehicle, a skill that none has, a far place: left out, not refused."""
    vehicle = VEHICLE | {"capacity": [2]}
    jobs = [
        {"id": 1, "location": NEAR, "delivery": [1]},
        {"id": 2, "location": NEAR, "delivery": [3]},
        {"id": 3, "location": THERE, "delivery": [1], "skills": [9]},
        {"id": 4, "location": [0, 0], "delivery": [1]},
    ]
    status, answer = vroom(ask, vehicles=[vehicle], jobs=jobs)
    assert status == 200
    check_vroom(answer, [1, 2, 3, 4])
    assert sorted(entry["id"] for entry in answer["unassigned"]) == [2, 3, 4]
    status, answer = vroom(ask, vehicles=[vehicle], jobs=jobs[1:2])
    check_vroom(answer, [2])


def test_given_steps_are_timed_with_the_option_c(ask):
    """Plan mode keeps the order of the steps, and reports what it breaks."""
    steps = [{"type": "job", "id": 1515}, {"type": "job", "id": 1414}]
    late = [JOBS[0] | {"time_windows": [[0, 1]]}, JOBS[1]]
    body = {"vehicles": [VEHICLE | {"steps": steps}], "jobs": late, "options": {"c": True}}
    status, answer = vroom(ask, **body)
    order = [step["id"] for step in answer["routes"][0]["steps"] if step["type"] == "job"]
    assert (status, order) == (200, [1515, 1414])
    assert answer["summary"]["violations"][0]["cause"] == "delay"


@pytest.mark.parametrize(
    ("body", "status", "code", "message"),
    [
        ({"vehicles": [VEHICLE]}, 400, 2, "Invalid JSON object in request"),
        ({"jobs": JOBS}, 400, 2, "Invalid JSON object in request"),
        ({"vehicles": [VEHICLE], "jobs": JOBS * 3}, 413, 4, "Too many locations"),
        ({"vehicles": [VEHICLE] * 3, "jobs": JOBS}, 413, 4, "Too many vehicles"),
        ({"vehicles": [{"id": 0}], "jobs": JOBS}, 400, 2, "start and end are missing"),
        ({"vehicles": [{"id": 0, "start": [0, 0]}], "jobs": JOBS}, 500, 3, "street|outside|far"),
    ],
)
def test_errors_are_those_of_vroom_express(ask, body, status, code, message):
    """Codes 2 (input), 3 (routing) and 4 (too large), with the status that goes with each."""
    found, answer = vroom(ask, **body)
    assert (found, answer["code"]) == (status, code)
    assert pytest.importorskip("re").search(message, answer["error"])
    assert ask("POST", "/", content=b"no json").json()["code"] == 2


def test_health_solves_something(ask):
    """Health is 200 without a body, as vroom-express answers."""
    reply = ask("GET", "/health")
    assert (reply.status_code, reply.content) == (200, b"")


def path(*points):
    return ";".join(f"{lon},{lat}" for lon, lat in points)


def test_tables_as_osrm(ask):
    """Durations by default, distances if asked for, and some rows and columns."""
    whole = ask("GET", f"/table/v1/driving/{path(HERE, NEAR, THERE)}").json()
    assert whole["code"] == "Ok"
    assert "distances" not in whole
    query = "?annotations=distance,duration&sources=0&destinations=1;2"
    part = ask("GET", f"/table/v1/car/{path(HERE, NEAR, THERE)}{query}").json()
    assert part["durations"] == [whole["durations"][0][1:]]
    assert np.shape(part["distances"]) == (1, 2)
    assert len(part["destinations"]) == 2


def test_routes_and_nearest_streets_as_osrm(ask):
    """A route has legs and a line in three encodings; the nearest street is a waypoint."""
    found = ask("GET", f"/route/v1/driving/{path(HERE, NEAR, THERE)}?geometries=geojson").json()
    [route] = found["routes"]
    assert route["distance"] == pytest.approx(sum(leg["distance"] for leg in route["legs"]))
    line = np.array(route["geometry"]["coordinates"])
    for shape, digits in (("polyline", 5), ("polyline6", 6)):
        other = ask("GET", f"/route/v1/x/{path(HERE, NEAR, THERE)}?geometries={shape}").json()
        assert other["routes"][0]["geometry"] == encoded([line], digits)
    bare = ask("GET", f"/route/v1/x/{path(HERE, NEAR)}?overview=false").json()
    assert "geometry" not in bare["routes"][0]
    [waypoint] = ask("GET", f"/nearest/v1/driving/{path(HERE)}").json()["waypoints"]
    assert waypoint["distance"] < 50


@pytest.mark.parametrize(
    ("request_path", "code"),
    [
        ("/table/v1/car/1,2;x", "InvalidUrl"),
        (f"/table/v1/car/{path(HERE, NEAR)}?sources=5", "InvalidOptions"),
        (f"/table/v1/car/{path(HERE, NEAR)}?sources=a", "InvalidQuery"),
        (f"/table/v1/car/{path(HERE, NEAR)}?annotations=nodes", "InvalidOptions"),
        (f"/table/v1/car/{path(HERE, [0, 0])}", "NoTable"),
        (f"/route/v1/car/{path(HERE)}", "InvalidOptions"),
        (f"/route/v1/car/{path(HERE, NEAR)}?steps=true", "NotImplemented"),
        (f"/route/v1/car/{path(HERE, NEAR)}?geometries=wkt", "InvalidOptions"),
        (f"/route/v1/car/{path(HERE, [0, 0])}", "NoRoute"),
        (f"/nearest/v1/car/{path(HERE, NEAR)}", "InvalidOptions"),
        (f"/nearest/v1/car/{path(HERE)}?number=3", "NotImplemented"),
    ],
)
def test_errors_are_those_of_osrm(ask, request_path, code):
    """A word for programs, a message for people, and status 400."""
    reply = ask("GET", request_path)
    assert (reply.status_code, reply.json()["code"]) == (400, code)
    assert reply.json()["message"]


# What people send, after VROOM's documents and its trackers, with places in the city.
SENT = {
    "the example of the readme, without options": {"vehicles": [VEHICLE], "jobs": JOBS},
    "a profile by its name (vroom#691)": {"vehicles": [VEHICLE | {"profile": "car"}], "jobs": JOBS},
    "shipments alone (vroom#779)": {
        "vehicles": [VEHICLE | {"capacity": [1]}],
        "shipments": [
            {
                "amount": [1],
                "pickup": {"id": 4, "location": NEAR, "service": 60},
                "delivery": {"id": 4, "location": THERE},
            }
        ],
    },
    "a vehicle that ends anywhere": {"vehicles": [{"id": 0, "start": HERE}], "jobs": JOBS},
    "a vehicle that begins anywhere": {"vehicles": [{"id": 0, "end": HERE}], "jobs": JOBS},
    "amounts by their old name": {
        "vehicles": [VEHICLE | {"capacity": [4]}],
        "jobs": [JOBS[0] | {"amount": [2]}, JOBS[1] | {"amount": [2]}],
    },
    "keys of one's own": {
        "vehicles": [VEHICLE | {"description": "van <b>1</b>"}],
        "jobs": [JOBS[0] | {"description": "x", "customer": 7}, JOBS[1]],
    },
    "priorities and too few places": {
        "vehicles": [VEHICLE | {"capacity": [1], "max_tasks": 1}],
        "jobs": [JOBS[0] | {"delivery": [1], "priority": 9}, JOBS[1] | {"delivery": [1]}],
    },
    "two vehicles with skills": {
        "vehicles": [VEHICLE | {"skills": [1]}, {"id": 5, "start": HERE, "skills": [2, 14]}],
        "jobs": [JOBS[0] | {"skills": [14]}, JOBS[1] | {"skills": [1]}],
    },
    "a fleet of other speeds": {
        "vehicles": [VEHICLE | {"speed_factor": 2.0, "costs": {"fixed": 1}}],
        "jobs": [JOBS[0] | {"service": 300, "setup": 60}, JOBS[1]],
    },
}


@pytest.mark.parametrize("name", SENT)
def test_what_people_send_is_answered_as_vroom_promises(ask, name):
    """Whatever the request, the answer has the keys and types of VROOM's API."""
    body = {"options": FAST, **SENT[name]}
    reply = ask("POST", "/", content=json.dumps(body).encode())  # whatever the type is called
    assert reply.status_code == 200, reply.text
    check_vroom(reply.json(), [job["id"] for job in body.get("jobs", ())])
    if name.startswith("priorities"):
        [left] = reply.json()["unassigned"]
        assert left["id"] == 1515
