"""VROOM's problems: what is read, what is refused, what is written and that VROOM takes it."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fake_city import FakeCity
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from instances import directed

from nco import Objective, Problem, Profile, Route, Solution, Vehicle, check, sample
from nco.data.formats.vroom_json import read_vroom
from nco.data.formats.vroom_solution import read_vroom_solution
from nco.data.formats.vroom_write import write_vroom
from nco.errors import CityError, FormatError, InputError, UnsupportedError

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
    assert van.allowed is None
    assert other.allowed.tolist() == [True, True, False, True, True]
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
    assert problem.names == ("depot", "anywhere", "1", "2")
    assert [(van.start, van.end) for van in problem.vehicles] == [(0, 1), (1, 0)]
    out = Solution.from_routes(problem, [Route(0, (2, 3))])
    back = Solution.from_routes(problem, [Route(1, (3, 2))])
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
        (put("shipments", value=[{}]), "shipments is something that a problem here cannot"),
        (put("jobs", 0, "pickup", value=[1]), r"jobs\[0\].pickup is something"),
        (put("jobs", 0, "priority", value=5), r"jobs\[0\].priority is something"),
        (put("jobs", 0, "setup", value=5), r"jobs\[0\].setup is something"),
        (put("vehicles", 0, "breaks", value=[{"id": 1}]), r"vehicles\[0\].breaks is something"),
        (put("vehicles", 0, "speed_factor", value=2), r"vehicles\[0\].speed_factor is something"),
        (put("vehicles", 0, "max_tasks", value=2), r"vehicles\[0\].max_tasks is something"),
        (put("vehicles", 0, "costs", "per_task_hour", value=2), "per_task_hour is something"),
        (put("matrices", "car", "costs", value=[[0]]), "matrices.car.costs is something"),
        (put("jobs", 0, "time_windows", value=[[0, 1], [2, 3]]), "time_windows are 2; a stop has"),
        (put("jobs", 0, "time_windows", value=[[5, 1]]), r"time_windows\[0\] is \[5, 1\]"),
        (put("jobs", 0, "time_window", value=[[5, 1]]), "did you mean 'time_windows'"),
        (put("vehicles", 0, value={"id": 7}), "start and end are missing; give one at least"),
        (put("vehicles", 0, "capacity", value=[10**300]), r"capacity\[0\] is 1000.*at most"),
        (put("vehicles", 0, "costs", value={"per_km": 10**400}), "costs.per_km is 100.*at most"),
        (put("jobs", 0, "priority", value=9), "priority is something.*with a `prize` may be left"),
        (put("vehicles", 0, "steps", value=[{"type": "start"}]), "steps is something.*--initial"),
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
    by_time = draw(st.booleans())
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
            allowed=(rng.random(n) < 0.7) | ~is_stop if rng.random() < 0.5 else None,
        )
        for v in range(2 + draw(st.integers(0, 2)))
    ]
    vehicles = [
        replace(vehicle, allowed=None)
        if vehicle.allowed is not None and vehicle.allowed.all()
        else vehicle
        for vehicle in vehicles
    ]
    return Problem(
        profiles=profiles,
        vehicles=tuple(vehicles),
        depots=depots,
        demand=rng.integers(0, 9, (n, k)) * is_stop[:, None],
        window_s=np.stack([start, end], axis=1),
        service_s=rng.integers(0, 60, n) * is_stop,
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
