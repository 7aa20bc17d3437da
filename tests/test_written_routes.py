"""What files of routes say beside the routes agrees with the timetable and the cost."""

import csv
import json
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from instances import line_of_four, problems_with_routes

from nco import Objective, Problem, Route, Solution, Vehicle
from nco.data.formats.geojson import read_geojson, write_geojson
from nco.data.formats.sol import read_sol, write_sol
from nco.data.formats.solution_csv import read_routes, write_routes
from nco.data.formats.vroom_solution import write_vroom_solution
from nco.errors import FormatError
from nco.problem.schedule import schedule

quick = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def rounded(number: float) -> int | None:
    """As VROOM writes it."""
    return round(number) if math.isfinite(number) else None


@quick
@given(pair=problems_with_routes())
def test_vroom_output_is_the_timetable(tmp_path, pair):
    """Each step says when and with what on board, in whole numbers; each route sums them up."""
    problem, routes = pair
    solution = Solution.from_routes(problem, routes, time_s=1.2345)
    path = write_vroom_solution(tmp_path / "r.json", problem, solution)
    data = json.loads(path.read_text())
    timetables = schedule(problem, solution)
    assert len(data["routes"]) == data["summary"]["routes"] == len(timetables)
    for route, timetable in zip(data["routes"], timetables, strict=True):
        visits, first = timetable.visits, timetable.visits[0]
        assert route["vehicle"] == timetable.vehicle
        assert route["distance"] == rounded(timetable.distance_m)
        assert route["duration"] == rounded(timetable.driving_s)
        assert route["waiting_time"] == rounded(sum(visit.waiting_s for visit in visits))
        assert route["service"] == rounded(sum(problem.service_s[v.node] for v in visits))
        assert route["delivery"] == route["amount"] == list(first.load)
        assert route["pickup"] == [0] * problem.dimensions
        assert (route["setup"], route["priority"]) == (0, 0)
        kinds = [step["type"] for step in route["steps"]]
        assert kinds == ["start", *["job"] * (len(visits) - 2), "end"]
        for step, visit in zip(route["steps"], visits, strict=True):
            assert ("id" in step) == (step["type"] == "job")
            assert step.get("id", visit.node) == step.get("job", visit.node) == visit.node
            assert step["location_index"] == visit.node
            assert step["location"] == problem.lonlat[visit.node].tolist()
            assert step["description"] == problem.names[visit.node]
            assert step["arrival"] == rounded(visit.arrival_s)
            assert step["waiting_time"] == rounded(visit.waiting_s)
            assert step["service"] == rounded(problem.service_s[visit.node])
            assert step["distance"] == rounded(visit.distance_m - first.distance_m)
            assert step["duration"] == rounded(visit.duration_s - first.duration_s)
            assert (step["load"], step["setup"]) == (list(visit.load), 0)
    summary = data["summary"]
    assert summary["cost"] == rounded(solution.cost.total)
    assert summary["unassigned"] == len(data["unassigned"]) == len(solution.unassigned)
    assert summary["computing_times"] == {"loading": 0, "solving": 1234, "routing": 0}
    for key in ("service", "duration", "waiting_time", "distance", "setup", "priority"):
        parts = [route[key] for route in data["routes"]]
        assert summary[key] == (None if None in parts else sum(parts))
    for key in ("delivery", "amount", "pickup"):
        parts = [route[key] for route in data["routes"]] or [[]]
        assert summary[key] == [sum(column) for column in zip(*parts, strict=True)]
    for entry, ours in zip(data["unassigned"], solution.unassigned, strict=True):
        assert (entry["id"], entry["type"], entry["location_index"]) == (
            ours.stop, "job", ours.stop
        )  # fmt: skip
        assert ours.reason in entry["description"]


@quick
@given(pair=problems_with_routes())
def test_costs_of_vroom_routes_make_up_the_cost(tmp_path, pair):
    """Metres, seconds and vehicles of all routes together cost what the solution does for them."""
    problem, routes = pair
    once = [route for k, route in enumerate(routes) if route.vehicle not in
            {other.vehicle for other in routes[:k]}]  # fmt: skip
    solution = Solution.from_routes(problem, once)
    path = write_vroom_solution(tmp_path / "r.json", problem, solution)
    data = json.loads(path.read_text())
    costs = [route["cost"] for route in data["routes"]]
    total = solution.cost.distance + solution.cost.duration + solution.cost.fixed
    if math.isfinite(total):
        assert sum(costs) == pytest.approx(total, abs=0.5 * len(costs) + 1e-6)
    else:
        assert None in costs


def test_a_vehicle_costs_once(tmp_path):
    """The fixed cost is on the first trip; a violation is told where it is, in VROOM's words."""
    vehicle = Vehicle(capacity=(2,), fixed_cost=70.0, max_trips=2, shift_s=(0, 95), name="van")
    weights = Objective(duration=3.0)
    problem = replace(line_of_four(), vehicles=(vehicle,), objective=weights)
    solution = Solution.from_routes(problem, [Route(0, (1, 2)), Route(0, (3,))])
    data = json.loads(write_vroom_solution(tmp_path / "r.json", problem, solution).read_text())
    first, second = data["routes"]
    assert (first["cost"], second["cost"]) == (70 + 400 + 3 * 40, 600 + 3 * 60)
    assert first["description"] == "van"
    (late,) = data["summary"]["violations"]
    assert late == first["violations"][0] == second["violations"][0]
    assert (late["cause"], late["duration"]) == ("delay", 5)
    assert all(step["violations"] == [] for step in second["steps"])
    banned = replace(vehicle, allowed=[1, 0, 1, 1], shift_s=(0, np.inf))
    problem = replace(problem, vehicles=(banned,))
    solution = Solution.from_routes(problem, [Route(0, (1, 2)), Route(0, (3,))])
    data = json.loads(write_vroom_solution(tmp_path / "r.json", problem, solution).read_text())
    steps = data["routes"][0]["steps"]
    assert [len(step["violations"]) for step in steps] == [0, 1, 0, 0]
    assert steps[1]["violations"][0]["cause"] == "skills"
    assert "duration" not in steps[1]["violations"][0]


@quick
@given(pair=problems_with_routes())
def test_geojson_is_the_timetable(tmp_path, pair):
    """Lines and points carry what a map shows: numbers of the timetable, places of the problem."""
    problem, routes = pair
    solution = Solution.from_routes(problem, routes)
    data = json.loads(write_geojson(tmp_path / "r.geojson", problem, solution).read_text())

    def number(value: float) -> float | None:
        return None if math.isinf(value) else value

    features = data["features"]
    assert {feature["type"] for feature in features} == {"Feature"}
    west, south, east, north = data["bbox"]
    assert (west, south) == tuple(problem.lonlat.min(axis=0))
    assert (east, north) == tuple(problem.lonlat.max(axis=0))
    for name in ("distance_m", "duration_s"):
        assert data[name] == number(getattr(solution.cost, name))
    assert (data["cost"], data["feasible"]) == (number(solution.cost.total), solution.feasible)
    stops = [f for f in features if f["properties"]["kind"] == "stop"]
    lines = [f for f in features if f["properties"]["kind"] == "route"]
    for r, (line, timetable) in enumerate(zip(lines, schedule(problem, solution), strict=True)):
        said, visits = line["properties"], timetable.visits
        assert (said["route"], said["vehicle"], said["trip"]) == (
            r,
            timetable.vehicle,
            timetable.trip,
        )
        assert said["vehicle_name"] == problem.vehicles[timetable.vehicle].name
        assert said["departure_s"] == number(visits[0].departure_s)
        assert said["return_s"] == number(visits[-1].arrival_s)
        assert said["duration_s"] == number(timetable.duration_s)
        assert said["distance_m"] == number(timetable.distance_m)
        assert said["load"] == list(visits[0].load)
        assert line["geometry"]["type"] == "LineString"
        places = [problem.lonlat[visit.node] for visit in visits]
        assert np.allclose(line["geometry"]["coordinates"], places, atol=1e-6)
        own = [f for f in stops if f["properties"]["route"] == r]
        for k, (point, visit) in enumerate(zip(own, visits[1:-1], strict=True), start=1):
            said = point["properties"]
            assert (said["position"], said["node"]) == (k, visit.node)
            assert (said["name"], said["vehicle"]) == (problem.names[visit.node], timetable.vehicle)
            for name in ("arrival_s", "start_s", "departure_s", "distance_m"):
                assert said[name] == number(getattr(visit, name))
            assert said["load"] == list(visit.load)
            assert said["demand"] == problem.demand[visit.node].tolist()
            assert said["window_s"] == [number(t) for t in problem.window_s[visit.node]]
            assert point["geometry"] == {
                "type": "Point", "coordinates": problem.lonlat[visit.node].tolist()
            }  # fmt: skip


def test_geojson_has_defaults_and_refuses_twins(tmp_path):
    """Routes by others come without method and seed; two routes of one number are refused."""
    route = {"kind": "route", "route": 0, "vehicle": 1, "nodes": [1, 2]}
    path = tmp_path / "r.geojson"
    path.write_text(
        json.dumps({"type": "FeatureCollection", "features": [{"properties": route}, {}]})
    )
    found = read_geojson(path, line_of_four())
    assert (found.routes, found.method, found.seed, found.time_s) == ((Route(1, (1, 2)),), "", 0, 0)
    twins = [{"properties": route}, {"properties": route}]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": twins}))
    with pytest.raises(FormatError, match="route 0 is there twice"):
        read_geojson(path, line_of_four())


@quick
@given(pair=problems_with_routes())
def test_csv_is_the_timetable(tmp_path, pair):
    """Each row has the times of a visit to the millisecond, its load and the way so far."""
    problem, routes = pair
    solution = Solution.from_routes(problem, routes)
    with write_routes(tmp_path / "r.csv", problem, solution).open(newline="") as file:
        rows = list(csv.DictReader(file))
    loads = ["load", "load_2", "load_3"][: problem.dimensions]
    visits = [
        (r, k, timetable.vehicle, visit)
        for r, timetable in enumerate(schedule(problem, solution))
        for k, visit in enumerate(timetable.visits)
    ]
    for row, (r, k, vehicle, visit) in zip(rows, visits, strict=False):
        assert (row["route"], row["position"], row["vehicle"]) == (str(r), str(k), str(vehicle))
        assert row["stop"] == problem.names[visit.node]
        assert [float(row["lon"]), float(row["lat"])] == problem.lonlat[visit.node].tolist()
        numbers = [visit.arrival_s, visit.start_s, visit.departure_s, *visit.load, visit.distance_m]
        names = ["arrival_s", "start_s", "departure_s", *loads, "distance_m"]
        for name, value in zip(names, numbers, strict=True):
            assert row[name] == ("" if math.isinf(value) else str(round(value, 3)))
    left_out = rows[len(visits) :]
    assert [row["stop"] for row in left_out] == [problem.names[u.stop] for u in solution.unassigned]
    assert [row["note"] for row in left_out] == [u.reason for u in solution.unassigned]


def test_rows_may_come_in_any_order(tmp_path):
    """Positions say the order, not rows; spaces around names do not matter."""
    path = tmp_path / "r.csv"
    path.write_text("route,vehicle,position,stop\n1,1,9,3\n0,0,2, 2 \n0,0,1,1\n,,,3\n")
    assert read_routes(path, line_of_four()).routes == (Route(0, (1, 2)), Route(1, (3,)))


@pytest.mark.parametrize(("stated", "warns"), [(800, False), (800.0004, False), (801, True)])
def test_a_stated_cost_is_compared(tmp_path, caplog, stated, warns):
    """A cost in a .sol file that is not that of its routes is told, one within rounding is not."""
    path = tmp_path / "r.sol"
    path.write_text(f"Route #1: 1 2\nRoute #2: 3\nCost {stated}\n")
    assert read_sol(path, line_of_four()).cost.total == 1000
    caplog.clear()
    problem = replace(line_of_four(), objective=Objective(distance=0.8))
    assert read_sol(path, problem).cost.total == pytest.approx(800)
    assert bool(caplog.records) == warns


def test_stops_of_sol_files_are_counted_from_the_last_depot(tmp_path):
    """The first stop is called by its node, as PyVRP does: 1 with one depot, 2 with two."""
    ones = np.ones((5, 5)) - np.eye(5)
    problem = Problem.from_matrices(ones, depots=2, vehicles=2)
    solution = Solution.from_routes(problem, [[2, 4], [3]])
    path = write_sol(tmp_path / "r.sol", problem, solution)
    assert path.read_text() == "Route #1: 2 4\nRoute #2: 3\nCost 5\n"
    assert read_sol(path, problem) == solution
    for strange in (1, 5):
        path.write_text(f"Route #1: {strange}\n")
        with pytest.raises(FormatError, match=f"route #1 visits {strange}, .* has stops 2 to 4"):
            read_sol(path, problem)
