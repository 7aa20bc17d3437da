"""VROOM's problems: what is read, what is refused, what is written and that VROOM takes it."""

import json
import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fake_city import FakeCity
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from instances import directed

from nco import (
    Group,
    Objective,
    Problem,
    Profile,
    Route,
    Shipment,
    Solution,
    Vehicle,
    check,
    load,
    sample,
    save,
)
from nco.cli import main
from nco.data.formats import vroom_solution
from nco.data.formats.polyline import encoded
from nco.data.formats.vroom_json import read_vroom
from nco.data.formats.vroom_solution import read_vroom_solution, write_vroom_solution
from nco.data.formats.vroom_write import write_vroom
from nco.errors import CityError, FormatError, InputError, UnsupportedError
from nco.problem.work_rules import Break

DATA = Path(__file__).parent / "data" / "vroom"
quick = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def test_problem():
    """Vehicles, skills, windows, costs and directed matrices are all understood."""
    problem = read_vroom(DATA / "tiny.json")
    assert problem.depots == 2
    assert problem.names == ("depot 0", "depot 1", "11", "12", "13")
    assert problem.demand[:, 0].tolist() == [0, 0, 2, 1, 0]
    assert problem.window_s.tolist()[2:] == [[100, 200], [0, np.inf], [0, np.inf]]
    assert problem.service_s.tolist() == [0, 0, 30, 0, 0]
    profile = problem.profiles[0]
    # Nodes are rows 0, 2, 1, 3, 1 of the file's matrices.
    assert profile.duration_s[0].tolist() == [0, 20, 10, 30, 10]
    assert profile.distance_m[:, 0].tolist() == [0, 210, 110, 310, 110]
    van, other = problem.vehicles
    assert (van.name, van.capacity, van.shift_s, van.fixed_cost) == ("7", (4,), (0, 1000), 50)
    assert (van.start, van.end, other.start, other.end) == (0, 0, 1, 0)
    assert (van.skills, other.skills, problem.skills) == ({"1"}, set(), {2: {"1"}})
    assert (van.cost_per_m, van.cost_per_s) == (1, 0)
    assert (other.cost_per_m, other.cost_per_s) == (0.5, 1)
    assert (problem.objective.distance, problem.objective.duration) == (1, 1)


def test_open_routes(tmp_path):
    """A vehicle without an end (or a start) is free of the way back (or there)."""
    minutes = [[0, 60, 900], [60, 0, 450], [900, 450, 0]]
    path = tmp_path / "open.json"
    data = {
        "vehicles": [{"id": 1, "start_index": 0}, {"id": 2, "end_index": 0}],
        "jobs": [{"id": 1, "location_index": 1}, {"id": 2, "location_index": 2}],
        "matrices": {"car": {"durations": minutes}},
    }
    path.write_text(json.dumps(data))
    problem = read_vroom(path)
    assert problem.names == ("depot", "1", "2")
    assert [(van.open_start, van.open_end) for van in problem.vehicles] == [
        (False, True),
        (True, False),
    ]
    out = Solution.from_routes(problem, [Route(0, (1, 2))])
    back = Solution.from_routes(problem, [Route(1, (2, 1))])
    assert [out.cost.duration_s, back.cost.duration_s] == [60 + 450, 450 + 60]
    assert check(problem, out)


def test_descriptions_as_names():
    """Stops may be called by their descriptions."""
    problem = read_vroom(DATA / "tiny.json", names="description")
    assert problem.names[2:] == ("Kallio", "Töölö", "Hakaniemi")
    assert problem.vehicles[0].name == "van"
    with pytest.raises(InputError, match="use 'id' or 'description'"):
        read_vroom(DATA / "tiny.json", names="label")


def changed(tmp_path, change):
    """The tiny file with something changed."""
    data = json.loads((DATA / "tiny.json").read_text())
    change(data)
    path = tmp_path / "p.json"
    path.write_text(json.dumps(data))
    return path


def put(*keys, value):
    """A change that sets one entry; `...` removes it."""

    def change(data):
        *way, last = keys
        for key in way:
            data = data[key]
        if value is ...:
            del data[last]
        else:
            data[last] = value

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (put("shipments", value=[{}]), r"shipments\[0\].pickup is missing"),
        (
            put("jobs", 0, "priority", value=101),
            r"jobs\[0\].priority is 101; it must be 100 at most",
        ),
        (put("jobs", 0, "setup", value=-5), r"jobs\[0\].setup is -5; it must be 0 or more"),
        (put("vehicles", 0, "breaks", value=[{"id": 1, "service": -1}]), "service is -1; it must"),
        (
            put("vehicles", 0, "breaks", value=[{"max_load": [1]}]),
            "max_load is some.*taken whatever is on board",
        ),
        (
            put("vehicles", 0, "breaks", value=[{"time_windows": [[0, 1], [2, 3]]}]),
            "time_windows are 2 with gaps between them",
        ),
        (
            put("vehicles", 0, "breaks", value=[{"time_windows": [[0, 1]], "service": 5}] * 2),
            "leaves no room for the one",
        ),
        (put("vehicles", 0, "speed_factor", value=0), "speed is 0; it must be above 0"),
        (put("vehicles", 0, "speed_factor", value="fast"), "speed_factor is 'fast'; it must be a"),
        (
            put("vehicles", 0, "max_tasks", value=0),
            r"vehicles\[0\].max_tasks is 0; it must be 1 or",
        ),
        (put("vehicles", 0, "max_distance", value=-1), "max_distance is -1; it must be 0 or more"),
        (put("vehicles", 0, "max_travel_time", value=10**400), "max_travel_time is 100.*at most"),
        (
            put("jobs", 0, "setup_per_type", value={"a": 5}),
            "setup_per_type is of a stop that is not the only one at its place",
        ),
        (put("jobs", 1, "setup_per_type", value={"a": "x"}), "setup_per_type.a is 'x'"),
        (
            put("jobs", 0, "service_per_type", value={"a": -5}),
            "service_per_type.a is -5; it must be",
        ),
        (
            put("jobs", 0, "service_per_type", value=5),
            "service_per_type is 5; it must be an object",
        ),
        (put("jobs", 0, "pickup", value={}), "pickup is an object; it must be a list"),
        (put("jobs", 0, "pickup", value=[5]), r"pickup\[2\].*more than any vehicle carries"),
        (put("jobs", 0, "amount", value=[1]), "amount is what `delivery` was called once; remove"),
        (put("jobs", 0, "deliveries", value=[1]), "did you mean 'delivery'"),
        (
            put("jobs", 0, "capacity", value=[1]),
            r"jobs\[0\].capacity does not belong to a job; veh",
        ),
        (put("vehicles", 0, "time_windows", value=[[5, 1]]), "did you mean 'time_window'"),
        (put("vehicles", 0, "max_task", value=1), "did you mean 'max_tasks'"),
        (put("matrix", value=[[0]]), "did you mean 'matrices'"),
        (put("shipments", value=[5]), r"shipments\[0\] is 5; it must be an object"),
        (put("vehicles", 0, "costs", "per_task_hour", value=-2), "per_task_hour is -2; it must"),
        (put("vehicles", 0, "costs", "per_mile", value=2), "costs.per_mile is not known; a costs"),
        (
            put("matrices", "car", "costs", value=[[0]]),
            "per_hour is given beside a matrix of costs",
        ),
        (put("jobs", 0, "time_windows", value=[[0, 3], [2, 5]]), "which overlap; give windows"),
        (put("jobs", 0, "time_windows", value=[[5, 1]]), r"time_windows\[0\] is \[5, 1\]"),
        (put("jobs", 0, "time_window", value=[[5, 1]]), "did you mean 'time_windows'"),
        (put("vehicles", 0, value={"id": 7}), "start and end are missing; give one at least"),
        (put("vehicles", 0, "capacity", value=[10**300]), r"capacity\[0\] is 1000.*at most"),
        (put("vehicles", 0, "costs", value={"per_km": 10**400}), "costs.per_km is 100.*at most"),
        (put("jobs", 0, "location_index", value=...), "location is missing; give location as"),
        (put("jobs", 0, "location_index", value=9), "durations has 4 rows, but there is a loc"),
        (put("jobs", 0, "location_index", value=-1), "location_index is -1; it must be 0 or more"),
        (put("jobs", 0, "location", value=[60, 160]), "must be .longitude, latitude. in degrees"),
        (put("jobs", 0, "id", value=...), r"jobs\[0\].id is missing"),
        (put("jobs", 0, "id", value=12), "'12' is not the only one"),
        (put("jobs", 0, "delivery", value=[1.5]), r"delivery\[0\] is 1.5; it must be a whole"),
        (put("jobs", 0, "delivery", value=[5]), "more than any vehicle carries"),
        (put("jobs", 0, "service", value="long"), "service is 'long'; it must be a whole number"),
        (put("vehicles", value=[]), "vehicles is empty"),
        (put("vehicles", 0, "profile", value="bike"), "matrices.bike is missing"),
        (put("vehicles", 0, "capacity", value=[4, 4]), "capacity has 2 numbers but demand has 1"),
        (put("matrices", value=...), "matrices is missing; locations given by index alone"),
        (put("matrices", "car", "durations", value=[[0, 1]]), "durations must be a square matrix"),
        (put("matrices", "car", "durations", 0, 1, value=-5), "is -5; it must be"),
    ],
)
def test_refused(tmp_path, change, message):
    """What is malformed, or cannot be expressed, is refused by name and place."""
    with pytest.raises(FormatError, match=message):
        read_vroom(changed(tmp_path, change))


def test_harmless_keys(tmp_path):
    """Keys of one's own and defaults written out are no reason to refuse."""
    path = changed(tmp_path, put("vehicles", 0, "speed_factor", value=1.0))
    assert read_vroom(path).size == 5
    path = changed(tmp_path, put("jobs", 0, "telephone", value="110"))
    assert read_vroom(path).size == 5


def test_coordinates_need_a_city(tmp_path):
    """Without matrices, a city measures between the coordinates; without a city it is an error."""
    data = {
        "vehicles": [{"id": 1, "start": [24.91, 60.11], "end": [24.91, 60.11]}],
        "jobs": [{"id": 1, "location": [24.95, 60.15]}, {"id": 2, "location": [24.92, 60.18]}],
    }
    path = tmp_path / "p.json"
    path.write_text(json.dumps(data))
    with pytest.raises(InputError, match="give city="):
        read_vroom(path)
    problem = read_vroom(path, city=FakeCity())
    table = FakeCity().matrix(problem.lonlat)
    assert np.array_equal(problem.profiles[0].distance_m, table.distance_m)
    assert (problem.objective.distance, problem.objective.duration) == (0, 1)
    data["jobs"][0]["location"] = [2.35, 48.85]
    path.write_text(json.dumps(data))
    with pytest.raises(CityError):
        read_vroom(path, city=FakeCity())


@st.composite
def expressible(draw):
    """Problems that VROOM can express, in whole numbers."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    depots, stops, k = draw(st.integers(1, 2)), draw(st.integers(1, 5)), draw(st.integers(0, 2))
    n, is_stop = depots + stops, np.arange(depots + stops) >= depots
    profiles = tuple(
        Profile(
            name=name,
            distance_m=np.rint(directed(n, int(rng.integers(99)))),
            duration_s=np.rint(directed(n, int(rng.integers(99)))),
        )
        for name in ("car", "bike")[: draw(st.integers(1, 2))]
    )
    start = rng.integers(0, 100, n) * is_stop
    end = np.where(is_stop & (rng.random(n) < 0.5), start + rng.integers(0, 900, n), np.inf)
    setup = rng.integers(1, 50, n) * is_stop * (rng.random(n) < draw(st.sampled_from([0, 0.4])))
    start, end = np.where(start > 0, start + setup, 0), end + setup + 1  # as late as it is paid
    by_time = draw(st.booleans())
    service = rng.integers(0, 60, n) * is_stop
    own = [(service + 1 + v) * is_stop for v in range(2)]
    vehicles = [
        Vehicle(
            name=f"vehicle {v}",
            capacity=tuple(rng.integers(9, 30, k).astype(float)),
            start=v % depots,
            end=int(rng.integers(depots)),
            shift_s=(float(rng.integers(100)), np.inf if v else 5000.0),
            profile=min(v, len(profiles) - 1),
            fixed_cost=float(rng.integers(100)),
            **{"cost_per_s" if by_time else "cost_per_m": float(1 + rng.integers(3))},
            skills=frozenset(map(str, np.flatnonzero(rng.random(3) < 0.5))),
            speed=float(rng.choice([1.0, 1.25])),
            max_stops=int(rng.integers(1, 9)) if rng.random() < 0.3 else None,
            max_driving_s=float(rng.choice([np.inf, 4000.0])),
            max_distance_m=float(rng.choice([np.inf, 5000.0])),
            service_s=own[v % 2] if rng.random() < 0.3 else None,
            breaks=(Break(window_s=(100, 900), length_s=60), Break(length_s=5))[
                : int(rng.integers(3)) if v == 1 else 0
            ],
        )
        for v in range(2 + draw(st.integers(0, 2)))
    ]
    if draw(st.booleans()):  # one that begins where it likes, and one that ends there
        vehicles.append(replace(vehicles[0], name="back", start=0, end=0, open_start=True))
        vehicles.append(replace(vehicles[0], name="out", start=0, end=0, open_end=True))
    pickup = rng.integers(0, 9, (n, k)) * (is_stop & (rng.random(n) < 0.3))[:, None]
    demand = rng.integers(0, 9, (n, k)) * is_stop[:, None]
    shipments = []
    if stops >= 2 and draw(st.booleans()):  # the last two, as they come last in a file
        demand[-2:] = pickup[-2:] = 0
        amount = tuple(rng.integers(0, 9, k).astype(float))
        shipments.append(Shipment(pickup=n - 2, delivery=n - 1, amount=amount))
    more = {
        int(j): ((end[j] + 100 + int(j), end[j] + 300.0), (end[j] + 500.0, np.inf))
        for j in np.flatnonzero(is_stop & np.isfinite(end) & (rng.random(n) < 0.3))
    }
    skills = {
        j: frozenset(words)
        for j in range(depots, n - 2 * len(shipments))
        if (words := set(map(str, np.flatnonzero(rng.random(3) < 0.2))))
    }
    return Problem(
        profiles=profiles,
        vehicles=tuple(vehicles),
        depots=depots,
        demand=demand,
        pickup=pickup,
        shipments=shipments,
        skills=skills,
        window_s=np.stack([start, end], axis=1),
        more_windows_s=more,
        service_s=service,
        setup_s=setup,
        objective=Objective(distance=float(not by_time), duration=float(by_time)),
        lonlat=np.stack([24.9 + rng.random(n) / 50, 60.1 + rng.random(n) / 50], axis=1),
        name="p",
    )


@quick
@given(problem=expressible())
def test_round_trip(tmp_path, problem):
    """A problem that VROOM can express reads back the same."""
    back = read_vroom(write_vroom(tmp_path / "p.json", problem), names="description")
    assert back == problem


def test_ids(tmp_path):
    """Names that are whole numbers are kept as ids, so that answers go back to their owner."""
    path = write_vroom(tmp_path / "p.vroom.json", read_vroom(DATA / "tiny.json"))
    data = json.loads(path.read_text())
    assert [job["id"] for job in data["jobs"]] == [11, 12, 13]
    assert [vehicle["id"] for vehicle in data["vehicles"]] == [7, 8]


def test_fractions_are_rounded(tmp_path):
    """Fractions of metres and seconds are rounded, an unlimited capacity holds everything."""
    problem = Problem.from_matrices(
        [[0, 1.6], [2.4, 0]], demand=[0, 3], window_s=[[0, 99.6], [0.4, 50.6]], name="p"
    )
    back = read_vroom(write_vroom(tmp_path / "p.json", problem))
    assert back.profiles[0].distance_m.tolist() == [[0, 2], [2, 0]]
    assert back.window_s[1].tolist() == [0, 51]
    assert back.vehicles[0].capacity == (3,)
    assert back.vehicles[0].shift_s == (0, 99.6 // 1 + 1)  # the depot's opening hours


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"prize": [1, 1, 1]}, "it has optional stops"),
        ({"objective": Objective(longest_route=1)}, "a cost on the longest route"),
        ({"demand": [0, 0.5, 1]}, "its demand is not in whole numbers"),
        ({"demand": [0, 1, 1], "pickup": [0, 0.5, 1]}, "its demand is not in whole numbers"),
        ({"release_s": [0, 5, 1]}, "it has release times"),
        ({"groups": [Group(stops=(1, 2))]}, "it has groups of alternative stops"),
        ({"vehicles": [Vehicle(max_duration_s=5)]}, "it has a longest duty"),
        ({"vehicles": [Vehicle(open_start=True, open_end=True)]}, "both begin and end anywhere"),
        ({"vehicles": [Vehicle(speed=1.234)]}, "has more than two decimals"),
        (
            {"demand": [0, 1, 0], "pickup": [0, 0, 1], "linehauls_first": True},
            "it has deliveries before pickups",
        ),
        (
            {"demand": [0, 1, 1], "shipments": [Shipment(pickup=1, delivery=2)]},
            "stops of shipments with loads or release times of their own",
        ),
        (
            {"vehicles": [Vehicle(open_end=True)], "window_s": [[0, 40], [0, 9], [0, 9]]},
            "are no one window",
        ),
        ({"objective": Objective(distance=0.0001)}, "a cost of vehicle 0 is not a whole number"),
        (
            {"vehicles": [Vehicle(shift_s=(50, 60))], "window_s": [[0, 40], [0, 9], [0, 9]]},
            "are no one window",
        ),
    ],
)
def test_problem_that_does_not_fit(tmp_path, fields, message):
    """What VROOM has no words for is refused by name, and nothing is written."""
    problem = Problem.from_matrices(directed(3), **fields)
    with pytest.raises(UnsupportedError, match=f"{message}.*save it as .json"):
        write_vroom(tmp_path / "p.json", problem)
    assert not list(tmp_path.iterdir())


def test_unreachable_does_not_fit(tmp_path):
    """VROOM has no word for a pair without a way."""
    problem = Problem.from_matrices([[0, np.inf], [1, 0]])
    with pytest.raises(UnsupportedError, match="it has unreachable pairs"):
        write_vroom(tmp_path / "p.json", problem)


def test_vroom_takes_it(tmp_path):
    """VROOM itself reads the problem, and its answer is feasible at the cost that it states."""
    vroom = pytest.importorskip("vroom")
    problem = sample.rcvrptw(FakeCity(), 8, seed=2)
    path = write_vroom(tmp_path / "p.vroom.json", problem)
    answer = vroom.Input.from_json(path).solve(exploration_level=1, nb_threads=1).to_dict()
    out = tmp_path / "answer.json"
    out.write_text(json.dumps(answer))
    whole = read_vroom(path)
    solution = read_vroom_solution(out, whole)
    assert check(whole, solution)
    assert solution.cost.total == pytest.approx(answer["summary"]["cost"], abs=8)
    again = Solution.from_routes(problem, solution.routes)
    assert again.cost.total == pytest.approx(solution.cost.total, rel=1e-3)


def shipping():
    """Two jobs and a shipment whose ids are those of jobs, for two vans and a bicycle."""
    place = iter(range(1, 5))
    return {
        "vehicles": [
            {"id": 1, "start_index": 0, "end_index": 0, "capacity": [9], "type": "van"},
            {"id": 2, "start_index": 0, "capacity": [9], "speed_factor": 0.5, "max_tasks": 3,
             "max_travel_time": 900, "max_distance": 5000, "skills": [7, 9]},
        ],
        "jobs": [
            {"id": 1, "location_index": next(place), "delivery": [4], "pickup": [5],
             "service": 30, "service_per_type": {"van": 60}},
            {"id": 2, "location_index": next(place), "skills": [7]},
        ],
        "shipments": [{
            "amount": [3], "skills": [9],
            "pickup": {"id": 1, "location_index": next(place), "time_windows": [[5, 800]]},
            "delivery": {"id": 1, "location_index": next(place), "service": 20},
        }],
        "matrices": {"car": {"durations": (100 * (1 - np.eye(5))).astype(int).tolist()}},
    }  # fmt: skip


def test_rules(tmp_path):
    """Shipments, pickups, skills, speeds, limits and service by type become fields of a problem."""
    path = tmp_path / "p.vroom.json"
    path.write_text(json.dumps(shipping()))
    problem = read_vroom(path)
    van, bicycle = problem.vehicles
    assert problem.names == ("depot", "1", "2", "pickup 1", "delivery 1")
    assert problem.demand[:, 0].tolist() == [0, 4, 0, 0, 0]
    assert problem.pickup[:, 0].tolist() == [0, 5, 0, 0, 0]
    assert problem.shipments == (Shipment(pickup=3, delivery=4, amount=(3,)),)
    assert problem.skills == {2: {"7"}, 3: {"9"}, 4: {"9"}}
    assert problem.window_s[3].tolist() == [5, 800]
    assert (van.service_s.tolist(), bicycle.service_s) == ([0, 60, 0, 0, 20], None)
    assert (bicycle.speed, bicycle.max_stops, bicycle.skills) == (0.5, 3, {"7", "9"})
    assert (bicycle.max_driving_s, bicycle.max_distance_m) == (900, 5000)
    assert (van.open_end, bicycle.open_end) == (False, True)
    again = read_vroom(write_vroom(tmp_path / "again.vroom.json", problem))
    assert replace(again, name=problem.name) == problem


def test_routes_with_shipments(tmp_path):
    """Routes name jobs, pickups and deliveries by their own ids, and leave out open ends."""
    path = tmp_path / "p.vroom.json"
    path.write_text(json.dumps(shipping()))
    problem = read_vroom(path)
    solution = Solution.from_routes(problem, [Route(0, (1,)), Route(1, (3, 2, 4))])
    assert check(problem, solution)
    file = write_vroom_solution(tmp_path / "s.vroom.json", problem, solution)
    assert read_vroom_solution(file, problem).routes == solution.routes
    van, bicycle = json.loads(file.read_text())["routes"]
    assert [(step["type"], step.get("id")) for step in bicycle["steps"]] == [
        ("start", None),
        ("pickup", 1),
        ("job", 2),
        ("delivery", 1),
    ]
    assert (van["delivery"], van["pickup"], van["service"]) == ([4], [5], 60)
    assert (bicycle["delivery"], bicycle["pickup"]) == ([3], [3])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            put("skills", value=["cold"]),
            r"shipments\[0\].skills\[0\] is 'cold'; it must be a whole",
        ),
        (put("priority", value=-1), r"shipments\[0\].priority is -1; it must be 0 or more"),
        (put("amount", value=[1, 99]), "capacity has 1 number but demand has 2"),
        (put("amount", value=[99]), "the amount of the shipment.*more than any vehicle carries"),
        (put("pickup", value=[1]), r"shipments\[0\].pickup is a list; it must be an object"),
        (put("delivery", value=...), r"shipments\[0\].delivery is missing"),
        (put("pickup", "setup", value=0.5), "pickup.setup is 0.5; it must be a whole number"),
        (put("pickup", "amount", value=[1]), "pickup.amount does not belong to a shipment step"),
        (put("pickup", "time_window", value=[1, 2]), "did you mean 'time_windows'"),
        (put("pickup", "time_windows", value=[[0, 3], [2, 5]]), "which overlap; give windows"),
        (
            put("service", value=9),
            "service does not belong to a shipment; job, shipment step, break may",
        ),
    ],
)
def test_refused_shipment(tmp_path, change, message):
    """What is malformed about a shipment is refused by name and place."""
    data = shipping()
    change(data["shipments"][0])
    path = tmp_path / "p.json"
    path.write_text(json.dumps(data))
    with pytest.raises(FormatError, match=message):
        read_vroom(path)


def test_type_without_vehicle(tmp_path, caplog):
    """Service for a type that no vehicle has is named in the log."""
    data = shipping()
    data["jobs"][1]["service_per_type"] = {"lorry": 9}
    path = tmp_path / "p.json"
    path.write_text(json.dumps(data))
    with caplog.at_level(logging.WARNING, "nco"):
        read_vroom(path)
    assert "jobs[1].service_per_type.lorry names a type that no vehicle has" in caplog.text


def test_sets_of_vehicles_become_skills(tmp_path):
    """VROOM has no list of allowed vehicles; a skill for each set of them says the same."""
    only = Vehicle(allowed=[True, True, False])
    problem = Problem.from_matrices(directed(3), vehicles=[Vehicle(skills=["5"]), only])
    back = read_vroom(write_vroom(tmp_path / "p.json", problem))
    assert back.skills == {2: {"6"}}
    assert [van.skills for van in back.vehicles] == [{"5", "6"}, frozenset()]


def test_vroom_takes_shipments(tmp_path):
    """VROOM itself reads what is written, and its answer is feasible here."""
    vroom = pytest.importorskip("vroom")
    path = tmp_path / "p.vroom.json"
    path.write_text(json.dumps(shipping()))
    problem = read_vroom(path)
    written = write_vroom(tmp_path / "w.vroom.json", problem)
    answer = vroom.Input.from_json(written).solve(exploration_level=1, nb_threads=1).to_dict()
    out = tmp_path / "answer.json"
    out.write_text(json.dumps(answer))
    solution = read_vroom_solution(out, problem)
    assert not solution.unassigned
    assert check(problem, solution)


def with_setups():
    """Jobs with set-up: two at one place, one with a window, one whose set-up is by type."""
    far = np.array([[0, 100, 200, 300], [110, 0, 90, 210], [190, 95, 0, 120], [310, 205, 130, 0]])
    return {
        "vehicles": [{"id": 1, "start_index": 0, "end_index": 0, "type": "van"}],
        "jobs": [
            {"id": 1, "location_index": 1, "setup": 40, "service": 10},
            {"id": 2, "location_index": 1, "setup": 40, "service": 10},
            {"id": 3, "location_index": 2, "setup": 25, "time_windows": [[500, 600]]},
            {"id": 4, "location_index": 3, "setup": 5, "service": 7, "time_windows": [[0, 900]],
             "setup_per_type": {"van": 33}},
        ],
        "matrices": {"car": {"durations": far.tolist()}},
    }  # fmt: skip


def vroom_answer(tmp_path, data):
    """What VROOM itself answers to its input, as a file, and that input."""
    vroom = pytest.importorskip("vroom")
    path, out = tmp_path / "input.json", tmp_path / "answer.json"
    path.write_text(json.dumps(data))
    answer = vroom.Input.from_json(path).solve(exploration_level=1, nb_threads=1).to_dict()
    out.write_text(json.dumps(answer))
    return path, out


def test_setups_are_paid_as_vroom_pays_them(tmp_path):
    """Arrivals, set-up and service of VROOM's own answer are those of its routes here."""
    path, out = vroom_answer(tmp_path, with_setups())
    problem, answer = read_vroom(path), json.loads(out.read_text())
    assert problem.window_s[3].tolist() == [525, 625]  # set-up comes before service
    solution = read_vroom_solution(out, problem)
    assert check(problem, solution)
    ours = json.loads(write_vroom_solution(out, problem, solution).read_text())
    for here, there in zip(ours["routes"][0]["steps"], answer["routes"][0]["steps"], strict=True):
        assert here["arrival"] == there["arrival"]
        assert here["setup"] + here["service"] == there["setup"] + there["service"]
    written = json.loads(write_vroom(tmp_path / "again.json", problem).read_text())
    assert [job.get("setup") for job in written["jobs"]] == [40, 40, 25, None]
    assert written["jobs"][2]["time_windows"] == [[500, 600]]


def test_windows_with_set_up_at_a_shared_place(tmp_path, caplog):
    """They are read with a warning, and not written."""
    data = with_setups()
    data["jobs"][1]["time_windows"] = [[100, 500]]
    path = tmp_path / "p.json"
    path.write_text(json.dumps(data))
    problem = read_vroom(path)
    assert "jobs[1]" in caplog.text
    with pytest.raises(UnsupportedError, match="stop 2 has set-up and a window"):
        write_vroom(path, problem)


@pytest.mark.parametrize("rate", [3600, 7200, 1800])
def test_time_of_tasks_costs_what_vroom_charges(tmp_path, rate):
    """Driving at a price an hour, tasks at another; the total is VROOM's."""
    data = with_setups()
    data["vehicles"][0]["costs"] = {"per_hour": 3600, "per_task_hour": rate}
    del data["jobs"][2]["time_windows"]  # VROOM charges no waiting
    for job in data["jobs"]:
        job["setup"], job["setup_per_type"] = 0, {}
    path, out = vroom_answer(tmp_path, data)
    total = read_vroom_solution(out, read_vroom(path)).cost.total
    assert total == pytest.approx(json.loads(out.read_text())["summary"]["cost"], abs=0.5)


def stepping():
    """A problem whose vehicles have steps, the last of them at a time of its own."""
    data = shipping()
    del data["vehicles"][1]["max_travel_time"]
    data["vehicles"][0]["steps"] = [{"type": "start"}, {"type": "job", "id": 1}, {"type": "end"}]
    data["vehicles"][1]["steps"] = [
        {"type": "pickup", "id": 1, "service_after": 50},
        {"type": "job", "id": 2},
        {"type": "delivery", "id": 1, "service_before": 400},
    ]
    return data


def test_steps_are_routes(tmp_path, capsys):
    """They are a solution of the problem: a search begins with it, and it may be late."""
    path = tmp_path / "p.json"
    path.write_text(json.dumps(stepping()))
    problem = load(path)
    steps = load(path, problem=problem)
    assert steps.routes == (Route(0, (1,)), Route(1, (3, 2, 4)))
    assert check(problem, steps)
    plan = load(path, plan=True)
    assert plan.window_s[[3, 4]].tolist() == [[50, 800], [0, 400]]
    [late] = check(plan, steps.on(plan)).findings
    assert (late.kind, late.stop) == ("time window", 4)
    assert main(["check", str(path), str(path)]) == 1
    assert "delivery 1" in capsys.readouterr().out
    assert main(["solve", str(path), "--method", "lns", "--time-limit", "0.1", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["answers"][0]["routes"]) == 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (put("vehicles", 0, "steps", 1, "id", value=9), "there is no job with this id"),
        (put("vehicles", 0, "steps", 1, "type", value="visit"), "use start, job, pickup"),
        (
            put("vehicles", 0, "steps", 1, "service_when", value=9),
            "service_when is not known; a step has",
        ),
        (put("vehicles", 1, "steps", 0, "service_before", value=3), "before service may begin"),
        (put("vehicles", 1, "steps", value={"type": "start"}), "steps is an object"),
    ],
)
def test_malformed_steps(tmp_path, change, message):
    """Steps that name no task, or no time, are refused by name and place."""
    data = stepping()
    change(data)
    path = tmp_path / "p.json"
    path.write_text(json.dumps(data))
    with pytest.raises(FormatError, match=message):
        load(path, problem=load(path, plan=True))


def test_steps_belong_to_their_problem(tmp_path):
    """Those of another file, and a file without any, are refused."""
    path = tmp_path / "p.json"
    path.write_text(json.dumps(stepping()))
    with pytest.raises(InputError, match="give the problem that was read from this file"):
        load(path, problem=read_vroom(DATA / "tiny.json"))
    with pytest.raises(InputError, match="no vehicle has steps"):
        load(DATA / "tiny.json", problem=read_vroom(DATA / "tiny.json"))


def test_keys_of_ones_own_go_along(tmp_path, caplog):
    """What VROOM does not know of a task is kept with its stop; what nobody uses is named."""
    caplog.set_level("INFO")
    data = shipping() | {"options": {"g": True}}
    data["jobs"][0] |= {"phone": "+358 9", "boxes": 3, "nested": {}}
    data["shipments"][0]["pickup"]["notes"] = "ring"
    data["vehicles"][0]["driver"] = "Ann"
    path = tmp_path / "p.json"
    path.write_text(json.dumps(data))
    problem = read_vroom(path)
    assert problem.details == {1: {"phone": "+358 9", "boxes": "3"}, 3: {"notes": "ring"}}
    assert "not used: driver, options" in caplog.text
    assert "not used: nested" in caplog.text


def test_routes_have_polylines(tmp_path):
    """Along the streets of a city, in Google's format, latitude first."""
    known = np.array([[-120.2, 38.5], [-120.95, 40.7], [-126.453, 43.252]])
    assert encoded([known[:1], known[:1], known]) == "_p~iF~ps|U_ulLnnqC_mqNvxq`@"
    city = FakeCity()
    problem = sample.rcvrp(city, 3, seed=1)
    solution = Solution.from_routes(problem, [[1, 2, 3]])
    path = save(solution, tmp_path / "s.vroom.json", problem=problem, city=city)
    [route] = json.loads(path.read_text())["routes"]
    legs = city.geometry(problem.lonlat[[0, 1, 2, 3, 0]])
    assert route["geometry"] == encoded(legs)
    plain = save(solution, tmp_path / "s.vroom.json", problem=problem)
    assert "geometry" not in json.loads(plain.read_text())["routes"][0]


def test_priorities_decide_who_is_left_out(tmp_path):
    """A job of a higher priority is served before any others, and VROOM's output counts it."""
    data = with_setups()
    for job in data["jobs"]:
        job |= {"setup": 0, "setup_per_type": {}, "priority": 1}
    data["jobs"][2]["priority"] = 100
    data["vehicles"] = [{**data["vehicles"][0], "max_tasks": 1}]
    path = tmp_path / "p.json"
    path.write_text(json.dumps(data))
    problem = read_vroom(path)
    assert problem.priority.tolist() == [0, 1, 1, 100, *[1] * (problem.size - 4)]
    worse, better = (Solution.from_routes(problem, [[j]]) for j in (1, 3))
    assert better.better_than(worse)
    file = write_vroom_solution(tmp_path / "s.json", problem, better)
    written = json.loads(file.read_text())
    assert written["routes"][0]["priority"] == written["summary"]["priority"] == 100


def test_a_matrix_of_costs_decides(tmp_path):
    """It is what the answer costs, whatever the times; limits on metres beside it are refused."""
    data = json.loads((DATA / "tiny.json").read_text())
    size = len(data["matrices"]["car"]["durations"])
    data["matrices"]["car"]["costs"] = [[7 * (i != j) for j in range(size)] for i in range(size)]
    for vehicle in data["vehicles"]:
        vehicle["costs"] = {"fixed": 3}
    path = tmp_path / "p.json"
    path.write_text(json.dumps(data))
    problem = read_vroom(path)
    route = Solution.from_routes(problem, [[2]])
    assert route.cost.total == 7 + 7 + 3
    assert check(problem, route).cost == route.cost.total
    data["vehicles"][0]["max_distance"] = 5
    path.write_text(json.dumps(data))
    with pytest.raises(FormatError, match="max_distance is of a vehicle whose profile has a matr"):
        read_vroom(path)


def test_windows_of_a_break_that_touch_are_one(tmp_path):
    """Of others a break has one only."""
    data = with_breaks()
    data["vehicles"][0]["breaks"][0]["time_windows"] = [[450, 500], [400, 460]]
    path = tmp_path / "p.json"
    path.write_text(json.dumps(data))
    assert read_vroom(path).vehicles[0].breaks[0].window_s == (400, 500)


def with_breaks():
    """A van that must rest for lunch between jobs of several windows."""
    data = with_setups()
    for job in data["jobs"]:
        job["setup"], job["setup_per_type"] = 0, {}
    data["jobs"][0]["time_windows"] = [[0, 50], [1000, 1100]]
    data["vehicles"][0]["breaks"] = [
        {"id": 5, "description": "lunch", "time_windows": [[400, 500]], "service": 150}
    ]
    return data


def test_breaks_and_several_windows_as_vroom_has_them(tmp_path):
    """VROOM's own answer breaks nothing here, and its breaks come back as steps."""
    path, out = vroom_answer(tmp_path, with_breaks())
    problem = read_vroom(path)
    assert problem.vehicles[0].breaks == (Break(window_s=(400, 500), length_s=150),)
    assert problem.more_windows_s == {1: ((1000, 1100),)}
    solution = read_vroom_solution(out, problem)
    assert not solution.unassigned
    assert check(problem, solution)
    file = write_vroom_solution(out, problem, solution)
    [route] = json.loads(file.read_text())["routes"]
    [lunch] = [step for step in route["steps"] if step["type"] == "break"]
    assert 400 <= lunch["arrival"] <= 500 and lunch["service"] == 150
    assert read_vroom_solution(file, problem).routes == solution.routes
    again = read_vroom(write_vroom(tmp_path / "again.json", problem))
    assert replace(again, name=problem.name) == problem


def test_a_missed_break_has_vroom_s_cause(tmp_path):
    """A break for which a route leaves no time is a violation that VROOM has a word for."""
    data = with_breaks()
    data["jobs"][2]["time_windows"] = [[450, 560]]
    data["jobs"][3]["time_windows"] = [[560, 610]]
    data["vehicles"][0]["breaks"][0]["time_windows"] = [[500, 520]]
    path = tmp_path / "p.json"
    path.write_text(json.dumps(data))
    problem = read_vroom(path)
    solution = Solution.from_routes(problem, [[3, 4]])
    file = write_vroom_solution(tmp_path / "s.json", problem, solution)
    causes = {v["cause"] for v in json.loads(file.read_text())["summary"]["violations"]}
    assert causes & {"missing_break", "delay"}


def test_priorities_are_read_and_written_back(tmp_path):
    """A job's priority is its stop's, and both ends of a shipment have that of the shipment."""
    data = {
        "vehicles": [{"id": 1, "start_index": 0, "capacity": [1]}],
        "jobs": [{"id": 1, "location_index": 1, "delivery": [1], "priority": 7}],
        "shipments": [
            {
                "amount": [1],
                "priority": 3,
                "pickup": {"id": 1, "location_index": 2},
                "delivery": {"id": 1, "location_index": 3},
            }
        ],
        "matrices": {"car": {"durations": (9 - 9 * np.eye(4, dtype=int)).tolist()}},
    }
    path = tmp_path / "p.json"
    path.write_text(json.dumps(data))
    problem = load(path)
    assert problem.priority.tolist() == [0, 7, 3, 3]
    save(problem, tmp_path / "again.vroom.json")
    written = json.loads((tmp_path / "again.vroom.json").read_text())
    assert (written["jobs"][0]["priority"], written["shipments"][0]["priority"]) == (7, 3)
    told = vroom_solution.vroom_answer(problem, Solution.from_routes(problem, [Route(0, (1,))]))
    assert told["summary"]["priority"] == 7
