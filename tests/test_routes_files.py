"""Routes as CSV, GeoJSON and VROOM output: what is in them, and that they read back."""

import csv
import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fake_city import FakeCity
from hypothesis import HealthCheck, given, settings
from instances import line_of_four, problems_with_routes

from nco import Problem, Solution, sample
from nco.data.formats.geojson import read_geojson, write_geojson
from nco.data.formats.solution_csv import read_routes, write_routes
from nco.data.formats.vroom_solution import read_vroom_solution, write_vroom_solution
from nco.errors import CityError, FormatError, InputError, ProblemError

quick = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(scope="module")
def solved() -> tuple[Problem, Solution]:
    """Four stops with windows on two routes, and one left out."""
    problem = sample.rcvrptw(FakeCity(), 5, seed=4)
    return problem, Solution.from_routes(problem, [[2, 1], [5, 3]], method="hand", seed=9, time_s=2)


@quick
@given(pair=problems_with_routes())
def test_csv_round_trip(tmp_path, pair):
    """Any routes come back, together with all that follows from them."""
    solution = Solution.from_routes(*pair)
    assert read_routes(write_routes(tmp_path / "r.csv", pair[0], solution), pair[0]) == solution


@quick
@given(pair=problems_with_routes())
def test_geojson_round_trip(tmp_path, pair):
    """Any routes come back, with method, seed and both times, and the file is strict JSON."""
    solution = Solution.from_routes(*pair, method="any", seed=5, time_s=0.25)
    solution = replace(solution, setup_s=0.5)
    path = write_geojson(tmp_path / "r.geojson", pair[0], solution)
    assert read_geojson(path, pair[0]) == solution
    json.loads(path.read_text(), parse_constant=pytest.fail)


@quick
@given(pair=problems_with_routes())
def test_vroom_round_trip(tmp_path, pair):
    """Any routes come back, and the file is strict JSON."""
    solution = Solution.from_routes(*pair)
    path = write_vroom_solution(tmp_path / "r.json", pair[0], solution)
    assert read_vroom_solution(path, pair[0]) == solution
    json.loads(path.read_text(), parse_constant=pytest.fail)


def test_csv_rows(tmp_path, solved):
    """Each visit has a row, depots included; a stop left out has one with the reason."""
    problem, solution = solved
    with write_routes(tmp_path / "r.csv", problem, solution).open(newline="") as file:
        rows = list(csv.DictReader(file))
    names = [row["stop"] for row in rows]
    assert names == ["depot", "2", "1", "depot", "depot", "5", "3", "depot", "4"]
    assert [row["position"] for row in rows[:4]] == ["0", "1", "2", "3"]
    assert float(rows[0]["load"]) == problem.demand[[1, 2], 0].sum()
    assert float(rows[3]["distance_m"]) + float(rows[7]["distance_m"]) == pytest.approx(
        solution.cost.distance_m, abs=0.01
    )
    assert rows[8]["route"] == ""
    assert rows[8]["note"] == solution.unassigned[0].reason
    assert float(rows[8]["lat"]) == problem.lonlat[4, 1]
    assert all("OpenStreetMap" in row["attribution"] for row in rows)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("route,vehicle,stop\n0,0,1\n", "there is no column 'position'"),
        ("route,vehicle,position,stop\n0,0,1,9\n", "line 2, column 'stop': .*has no stop '9'"),
        ("route,vehicle,position,stop\nx,0,1,1\n", "line 2, column 'route' is 'x'"),
        ("route,vehicle,position,stop\n0,0,-1,1\n", "line 2, column 'position' is '-1'"),
        ("route,vehicle,position,stop\n0,0,1,1\n0,1,2,2\n", "route 0 is driven by vehicles 0, 1"),
        ("route,vehicle,position,stop\n0,0,1\n", "line 2: 3 cells, but the header has 4"),
    ],
)
def test_malformed_csv(tmp_path, text, message):
    """Each malformed table is refused with line and column."""
    path = tmp_path / "r.csv"
    path.write_text(text)
    with pytest.raises(FormatError, match=message):
        read_routes(path, line_of_four())


def test_csv_with_a_vehicle_that_is_not_there(tmp_path):
    """A vehicle that the problem has not is refused by number."""
    path = tmp_path / "r.csv"
    path.write_text("route,vehicle,position,stop\n0,7,1,1\n")
    with pytest.raises(ProblemError, match="vehicle 7 does not exist"):
        read_routes(path, line_of_four())


def features(path: Path, kind: str) -> list[dict]:
    """The features of one kind."""
    data = json.loads(path.read_text())
    return [f for f in data["features"] if f["properties"]["kind"] == kind]


def test_geojson_features(tmp_path, solved):
    """Routes follow the streets, points carry times and loads, the map is credited."""
    problem, solution = solved
    path = write_geojson(tmp_path / "r.geojson", problem, solution, city=FakeCity())
    data = json.loads(path.read_text())
    assert data["attribution"] == "© OpenStreetMap contributors"
    assert (data["method"], data["seed"], data["feasible"]) == ("hand", 9, False)
    first, second = features(path, "route")
    assert len(first["geometry"]["coordinates"]) == 9  # three legs with a middle point each
    assert first["properties"]["nodes"] == [2, 1]
    assert first["properties"]["stops"] == ["2", "1"]
    metres = first["properties"]["distance_m"] + second["properties"]["distance_m"]
    assert math.isclose(metres, solution.cost.distance_m)
    stops = features(path, "stop")
    assert [stop["properties"]["name"] for stop in stops] == ["2", "1", "5", "3"]
    assert stops[0]["geometry"]["coordinates"] == problem.lonlat[2].tolist()
    assert stops[0]["properties"]["load"] == [problem.demand[1, 0]]
    assert stops[0]["properties"]["arrival_s"] <= stops[0]["properties"]["start_s"]
    assert [depot["properties"]["name"] for depot in features(path, "depot")] == ["depot"]
    (left_out,) = features(path, "unassigned")
    assert left_out["properties"]["reason"] == solution.unassigned[0].reason


def test_geojson_without_a_city(tmp_path, solved):
    """Without a city, or where it knows no way, routes are straight lines."""

    class NoWay:
        def geometry(self, points):
            raise CityError("no route")

    for city in (None, NoWay()):
        path = write_geojson(tmp_path / "r.geojson", *solved, city=city)
        line = features(path, "route")[0]["geometry"]["coordinates"]
        assert line == solved[0].lonlat[[0, 2, 1, 0]].tolist()


def test_geojson_on_real_streets(tmp_path, helsinki):
    """On a real city a route has many more corners than stops and stays near them."""
    problem = sample.rcvrp(helsinki, 6, seed=1)
    solution = Solution.from_routes(problem, [[1, 2, 3]])
    path = write_geojson(tmp_path / "r.geojson", problem, solution, city=helsinki)
    line = np.array(features(path, "route")[0]["geometry"]["coordinates"])
    assert len(line) > 20
    for stop in (0, 1, 2, 3):
        assert np.abs(line - problem.lonlat[stop]).sum(axis=1).min() < 0.002


def test_geojson_needs_coordinates(tmp_path):
    """A problem without geography cannot be drawn, and nothing is written."""
    problem = line_of_four()
    with pytest.raises(InputError, match="has no lonlat"):
        write_geojson(tmp_path / "r.geojson", problem, Solution.from_routes(problem, [[1]]))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"type": "Feature"}, "type must be 'FeatureCollection'"),
        ({"type": "FeatureCollection"}, "features is missing"),
        (
            {
                "type": "FeatureCollection",
                "features": [{"properties": {"kind": "route", "route": 0, "vehicle": 0}}],
            },
            r"features\[0\].properties.nodes is missing",
        ),
    ],
)
def test_malformed_geojson(tmp_path, content, message):
    """Each malformed collection is refused with the place."""
    path = tmp_path / "r.geojson"
    path.write_text(json.dumps(content))
    with pytest.raises(FormatError, match=message):
        read_geojson(path, line_of_four())


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"code": 2, "error": "bad input"}, "code is 2: bad input"),
        ({"code": 0, "routes": [{"vehicle": 9, "steps": []}]}, "has no such vehicle"),
        (
            {"code": 0, "routes": [{"vehicle": 0, "steps": [{"type": "job", "id": 77}]}]},
            r"routes\[0\].steps\[0\].id is 77; problem 'line_of_four' has no such stop",
        ),
        (
            {"code": 0, "routes": [{"vehicle": 0, "steps": [{"type": "lunch", "id": 1}]}]},
            "type is 'lunch'; use start, job, pickup",
        ),
    ],
)
def test_malformed_vroom_solution(tmp_path, content, message):
    """Output of VROOM that failed, or is for another problem, is refused."""
    path = tmp_path / "r.json"
    path.write_text(json.dumps(content))
    with pytest.raises(FormatError, match=message):
        read_vroom_solution(path, line_of_four())
