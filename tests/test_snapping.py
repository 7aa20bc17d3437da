"""How far points are moved onto streets: kept, listed, and refused where it is too far."""

import csv
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from extracts import osm_xml
from hypothesis import given, settings
from hypothesis import strategies as st

import nco
from nco.cli import main
from nco.data.cities.city import City
from nco.data.cities.engine import Matrices
from nco.data.cities.roads import haversine_m
from nco.data.cities.table import TableCity
from nco.errors import CityError, InputError, OffStreetError, ProblemError
from nco.problem.problem import Problem
from nco.transit.files.native import load_instance, save_instance

DEPOT = (10.0, 0.0)
BESIDE = (10.002, 0.001)  # 111 m from a street of the grid
WITHIN = (10.002, 0.002)  # 221 m, in the middle of a block
NORTH = (10.0, 0.02)  # 719 m beyond the last street
DEAD_END = (9.99775, 0.0)  # on a one-way street out of the grid, 250.5 m from its beginning


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A cache folder for all cities of this module."""
    path = tmp_path_factory.mktemp("cities")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NCO_CACHE", str(path / "cache"))
        yield path


@pytest.fixture(scope="module")
def toy(folder: Path, toy_extract: Path) -> City:
    """Streets 500 m apart, see `extracts.toy_xml`."""
    return City.from_file(toy_extract)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A depot, a stop on a street, one beside it and one outside."""
    rows = {"depot": DEPOT, "corner": (10.009, 0.009), "beside": BESIDE, "north": NORTH}
    path = tmp_path / "stops.csv"
    lines = [f"{name},{lon},{lat}" for name, (lon, lat) in rows.items()]
    path.write_text("\n".join(["name,lon,lat", *lines]))
    return path


def wider(city: City, max_snap_m: float) -> City:
    """The same city with another limit."""
    assert city.extract is not None
    return City.from_file(city.extract, max_snap_m=max_snap_m)


def test_how_far_each_point_was_moved_is_known(toy: City) -> None:
    """Metres to the street, for points and targets alike, and for a route through them."""
    points = [DEPOT, BESIDE, WITHIN]
    assert toy.matrix(points).moved_m == pytest.approx([0, 110.6, 221.1], abs=1)
    both = toy.matrix(points[:1], targets=points[1:])
    assert both.moved_m == pytest.approx([0], abs=0.1)
    assert both.targets_moved_m == pytest.approx([110.6, 221.1], abs=1)
    assert toy.route(points).moved_m == pytest.approx([0, 110.6, 221.1], abs=1)
    assert toy.matrix([BESIDE]).moved_m == pytest.approx([110.6], abs=1)


def test_beyond_the_limit(toy: City) -> None:
    """A point farther away is refused with name, distance, limit and bounds, by every question."""
    strict = wider(toy, 200)
    points, names = [DEPOT, BESIDE, WITHIN], ["depot", "Anna", "Berta"]
    says = (
        r"Berta.* is 221\.1 m from the nearest street of toy, farther than the limit of 200 m.*"
        r"longitude 10\.0000 to 10\.0270 and latitude 0\.0000 to 0\.0135, 3\.0 by 1\.5 km.*"
        r"--max-snap"
    )
    with pytest.raises(OffStreetError, match=says) as caught:
        strict.matrix(points, names=names)
    assert caught.value.points == (2,)
    assert "Anna" not in str(caught.value)
    for ask in (strict.route, strict.geometry, lambda p: strict.matrix(p[:1], targets=p)):
        with pytest.raises(OffStreetError, match="limit of 200 m"):
            ask(points)
    strict.max_snap_m = 230
    assert strict.matrix(points).moved_m is not None


def test_no_limit_helps_outside(toy: City) -> None:
    """Beyond the streets of an extract nobody knows what is there, whatever may be moved."""
    generous = wider(toy, 5000)
    with pytest.raises(OffStreetError, match=r"718\.7 m.*outside of the area") as caught:
        generous.matrix([DEPOT, NORTH])
    assert "raise the limit" not in str(caught.value)
    assert generous.matrix([DEPOT, DEAD_END, (10.0135, 0.0)]).moved_m is not None


def test_a_street_that_is_cut_off(toy: City) -> None:
    """On a one-way street out of the city the engine takes another: that is how far it moves."""
    assert toy.nearest([DEAD_END])[1] == pytest.approx([0], abs=0.1)
    points = [DEPOT, BESIDE, DEAD_END, (10.0, 0.0135)]
    with pytest.raises(OffStreetError, match=r"points\[2\].* 250\.5 m .*leads to the other points"):
        toy.matrix(points)
    assert wider(toy, 260).matrix(points).moved_m[2] == pytest.approx(250.5, abs=0.1)
    left = toy.matrix(points, optional=[False, True, True, True])
    assert list(left.refused) == [2]
    assert np.isinf(left.distance_m[2, [0, 1, 3]]).all()
    assert np.isfinite(left.distance_m[[0, 1, 3]][:, [0, 1, 3]]).all()


def test_optional_points_are_refused_without_an_error(toy: City) -> None:
    """No route leads to them, why is said, and the others do not notice."""
    points = [DEPOT, NORTH, BESIDE]
    found = toy.matrix(points, optional=[False, True, True])
    assert list(found.refused) == [1]
    assert "outside of the area" in found.refused[1]
    assert found.moved_m == pytest.approx([0, 718.7, 110.6], abs=1)
    assert np.isinf(found.distance_m[1, [0, 2]]).all()
    assert np.isinf(found.duration_s[[0, 2], 1]).all()
    assert not np.diagonal(found.distance_m).any()
    rest = toy.matrix([DEPOT, BESIDE])
    assert (found.distance_m[np.ix_([0, 2], [0, 2])] == rest.distance_m).all()
    with pytest.raises(OffStreetError, match=r"points\[1\]"):
        toy.matrix(points, optional=[True, False, True])
    with pytest.raises(CityError, match="one a point, 3"):
        toy.matrix(points, optional=[True])


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(st.floats(9.99, 10.03), st.floats(-0.01, 0.03)), min_size=1, max_size=6))
def test_no_point_is_moved_in_silence(toy: City, places: list[tuple[float, float]]) -> None:
    """Whatever is asked, a point is refused or its move is told and within the limit."""
    found = toy.matrix([DEPOT, *places], optional=[False, *[True] * len(places)])
    assert found.moved_m is not None
    away_m = toy.nearest([DEPOT, *places])[1]
    for i, moved_m in enumerate(found.moved_m):
        assert moved_m >= away_m[i] - 1e-6
        assert (i in found.refused) == (moved_m > 250 or not toy.covers([[DEPOT, *places][i]])[0])


@pytest.mark.parametrize("limit", [0, -1, float("nan"), float("inf"), "far", None])
def test_limits_are_positive(toy: City, limit: object) -> None:
    """Anything else is refused where the city is opened."""
    with pytest.raises(CityError, match="max_snap_m"):
        City("toy", toy.engine, max_snap_m=limit)  # type: ignore[arg-type]


def test_every_way_to_open_a_city_takes_the_limit(
    toy: City, toy_extract: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By path, by name, saved, fetched and contracted; the same points are known."""
    monkeypatch.setattr("nco.data.cities.overpass.fetch", lambda place: toy_extract)
    saved = toy.save(tmp_path / "toy.city")
    opened = [
        nco.city(toy_extract, max_snap_m=77),
        nco.city(saved, max_snap_m=77),
        City.load(saved, max_snap_m=77),
        City.from_place("Toy", max_snap_m=77),
        nco.city("Toy", max_snap_m=77),
        nco.city("helsinki", max_snap_m=77),
        wider(toy, 77).contracted(),
        City.from_server("http://127.0.0.1:9", max_snap_m=77),
        City.from_server("http://127.0.0.1:9", extract=toy_extract, max_snap_m=77),
    ]
    assert [city.max_snap_m for city in opened] == [77] * 9


def test_what_is_covered(folder: Path) -> None:
    """What is near a street or surrounded by streets, not what lies in a bounding box."""
    side = 0.027  # 3 km: two sides of a square and a ring in their corner
    nodes = {1: (0.0, side), 2: (0.0, 0.0), 3: (side, 0.0), 4: (side / 2, 0.0)}
    nodes |= {5: (side / 2, side / 2), 6: (0.0, side / 2)}
    path = folder / "corner.osm"
    path.write_text(osm_xml(nodes, [([1, 6, 2, 4, 3, 4, 5, 6], {"highway": "residential"})]))
    city = City.from_file(path)
    inside = {
        "on a street": (0.0, 0.01),
        "200 m outside": (-0.0018, 0.01),
        "700 m from any street, surrounded": (side / 4, side / 4),
    }
    outside = {
        "300 m outside": (-0.0027, 0.01),
        "in the bounding box, where no streets are": (0.8 * side, 0.8 * side),
        "far": (1.0, 1.0),
    }
    assert city.covers(list(inside.values())).all(), inside
    assert not city.covers(list(outside.values())).any(), outside
    assert city.covers([[0.0, 0.0]]).tolist() == [True]
    assert city.covers(np.empty((0, 2))).tolist() == []
    facts = city.info()
    assert facts["size_km"] == pytest.approx([3.0, 3.0], abs=0.01)
    # The ring of 1.5 km, 250 m around it, and both arms of 1.5 km, 500 m wide with a round end.
    assert facts["covered_km2"] == pytest.approx(2 * 2 + 2 * 1.5 * 0.5, rel=0.05)


def test_a_large_extract_has_larger_cells(folder: Path) -> None:
    """Two degrees of streets take no more memory than others, and what they surround is covered."""
    path = folder / "square.osm"
    nodes = {1: (0.0, 0.0), 2: (0.0, 2.0), 3: (2.0, 2.0), 4: (2.0, 0.0)}
    path.write_text(osm_xml(nodes, [([1, 2, 3, 4, 1], {"highway": "residential"})]))
    city = City.from_file(path)
    assert city.area.inside.size < 4.1e6
    assert city.covers([[1.0, 1.0], [0.0, 0.002], [0.002, 0.5], [-0.1, 1.0]]).tolist() == [
        *[True] * 3,
        False,
    ]


def test_the_size_of_helsinki(helsinki: City) -> None:
    """The built-in extract is the middle of the city only, as README says."""
    west, south, _, north = helsinki.bbox
    wide_m, high_m = helsinki.info()["size_km"]
    assert (round(wide_m, 1), round(high_m, 1)) == (1.0, 1.7)
    assert haversine_m(np.array([west, south]), np.array([west, north])) == pytest.approx(
        1000 * high_m, abs=1
    )
    readme = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    assert "1.0 by 1.7 km" in readme
    assert helsinki.covers([[24.984, 60.1454], [24.9414, 60.1719]]).tolist() == [False, True]


def test_behind_a_server_only_the_distance_counts(toy: City) -> None:
    """Without an extract nobody knows what is covered; farther than the limit is too far still."""
    remote = City("remote", toy.engine)
    with pytest.raises(CityError, match="only a server"):
        remote.covers([DEPOT])
    assert remote.matrix([DEPOT, BESIDE]).moved_m == pytest.approx([0, 110.6], abs=1)
    with pytest.raises(OffStreetError, match=r"718\.7 m .*limit of 250 m\. correct"):
        remote.matrix([DEPOT, NORTH])
    remote.max_snap_m = 800
    assert remote.matrix([DEPOT, NORTH]).moved_m == pytest.approx([0, 718.7], abs=1)


def test_an_engine_that_does_not_tell(toy: City, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a table does not say how far it moved points, the nearest street counts."""
    plain = toy.engine.table(np.array([DEPOT, BESIDE]))
    silent = Matrices(plain.distance_m, plain.duration_s)
    monkeypatch.setattr(toy.engine, "table", lambda *_: silent)
    assert toy.matrix([DEPOT, BESIDE]).moved_m == pytest.approx([0, 110.6], abs=1)


def test_a_table_city_refuses_and_leaves_out(toy: City) -> None:
    """Of a table's points none is moved; others are refused by the same question."""
    points = toy.sample(4, seed=1)
    city = TableCity("four", points, toy.matrix(points))
    assert city.covers([points[0], NORTH]).tolist() == [True, False]
    with pytest.raises(OffStreetError, match=r"Anna.*not one of the 4 points of four"):
        city.matrix([points[0], NORTH], names=["depot", "Anna"])
    found = city.matrix([points[0], NORTH, points[1]], optional=[False, True, True])
    assert list(found.refused) == [1]
    assert found.moved_m.tolist() == [0, np.inf, 0]
    assert np.isinf(found.distance_m[0, 1])
    assert found.distance_m[0, 2] == city.matrices.distance_m[0, 1]


def test_stops_of_a_table(toy: City, table: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A stop outside is refused with its line; allowed to, it stays unassigned for that reason."""
    with pytest.raises(OffStreetError, match=r"line 5 \('north'\).* 718\.7 m .*allow unassigned"):
        nco.load(table, city=toy)
    problem = nco.load(table, city=toy, allow_unassigned=True)
    assert isinstance(problem, Problem)
    assert "line 5 ('north')" in caplog.text
    assert problem.moved_m == pytest.approx([0, 0, 110.6, 718.7], abs=1)
    assert list(problem.off_street) == [3]
    assert problem.moved == {2: pytest.approx(110.6, abs=1)}
    solution = nco.solve(problem, "savings")
    assert [entry.stop for entry in solution.unassigned] == [3]
    assert solution.unassigned[0].reason == problem.off_street[3]
    assert "outside of the area that its extract covers" in solution.unassigned[0].reason
    assert not nco.check(problem, solution).feasible


def test_a_depot_outside_is_always_refused(toy: City, table: Path) -> None:
    """Without its depot nothing can be solved, so that no option helps."""
    for options in ({}, {"allow_unassigned": True}):
        with pytest.raises(OffStreetError, match=r"depot.* 718\.7 m") as caught:
            nco.load(table, city=toy, depot=NORTH, **options)
        assert "allow unassigned" not in str(caught.value)
    with pytest.raises(OffStreetError, match=r"718\.7 m"):
        nco.sample.rcvrp(toy, 3, seed=1, depot=NORTH)


def test_moves_survive_files(toy: City, table: Path, tmp_path: Path) -> None:
    """What was moved and what is off the streets reads back from JSON as it was."""
    problem = nco.load(table, city=toy, allow_unassigned=True)
    again = nco.load(nco.save(problem, tmp_path / "problem.json"))
    assert isinstance(again, Problem)
    assert again == problem
    assert again.off_street == problem.off_street
    plain = replace(problem, moved_m=None, off_street={})
    assert nco.load(nco.save(plain, tmp_path / "plain.json")) == plain


def test_sampled_points_are_not_moved(toy: City) -> None:
    """Points drawn on streets stay there, a depot beside one says how far it was moved."""
    problem = nco.sample.rcvrp(toy, 5, seed=1, depot=BESIDE)
    assert problem.moved_m[0] == pytest.approx(110.6, abs=1)
    assert problem.moved_m[1:].max() <= 1
    assert problem.moved == {0: problem.moved_m[0]}
    assert nco.sample.atsp(toy, 4, seed=1).moved_m.max() <= 1


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"moved_m": [0, 0, 0]}, "moved_m"),
        ({"moved_m": [0, 0, 0, -1]}, "moved_m"),
        ({"off_street": {0: "a depot"}}, "stops are 1 to 3"),
        ({"off_street": {4: "no stop"}}, "stops are 1 to 3"),
        ({"off_street": {2: "can be reached"}}, "leads there"),
    ],
)
def test_malformed_moves(toy: City, table: Path, fields: dict[str, object], message: str) -> None:
    """Every entry is checked, so that nobody reads of a stop off the streets that is served."""
    problem = nco.load(table, city=toy, allow_unassigned=True)
    with pytest.raises(ProblemError, match=message):
        replace(problem, **fields)  # type: ignore[type-var]


def test_the_command_line(
    toy: City, table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Refused by default, else listed in report, JSON, CSV, GeoJSON and map; the limit can move."""
    out = tmp_path / "out"
    base = ["solve", str(table), "--city", str(toy.extract), "--method", "savings", "--quiet"]
    assert main(base) == 2
    assert "718.7 m from the nearest street of toy" in capsys.readouterr().err
    assert main([*base, "--max-snap", "50", "--allow-unassigned"]) == 1
    told = capsys.readouterr().out
    assert "unassigned: beside: it is 110.6 m from the nearest street of toy, farther than" in told
    assert "moved:" not in told
    assert main([*base, "--max-snap", "0"]) == 2
    assert main(["solve", str(tmp_path / "x.vrp"), "--max-snap", "9"]) == 2
    assert "--city" in capsys.readouterr().err

    assert main([*base, "--allow-unassigned", "--out", str(out), "--map"]) == 1
    told = capsys.readouterr().out
    assert "unassigned: north: it is 718.7 m from the nearest street of toy, outside of" in told
    assert "moved: beside: 111 m, onto the nearest street" in told
    with (out / "routes.csv").open(encoding="utf-8") as file:
        rows = {row["stop"]: row for row in csv.DictReader(file)}
    assert float(rows["beside"]["moved_m"]) == pytest.approx(110.6, abs=1)
    assert "moved far" in rows["beside"]["note"]
    assert rows["corner"]["note"] == ""
    assert "outside of the area" in rows["north"]["note"]
    assert float(rows["north"]["moved_m"]) == pytest.approx(718.7, abs=1)
    features = json.loads((out / "routes.geojson").read_text())["features"]
    points = {
        f["properties"]["name"]: f["properties"] for f in features if "name" in f["properties"]
    }
    assert points["beside"]["moved_m"] == pytest.approx(110.6, abs=1)
    assert "outside of the area" in points["north"]["reason"]
    page = (out / "map.html").read_text(encoding="utf-8")
    assert "Moved far onto a street" in page
    assert "beside: 111 m" in page

    assert main([*base, "--allow-unassigned", "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["moved"] == [{"stop": "beside", "moved_m": pytest.approx(110.6, abs=1)}]
    assert [entry["stop"] for entry in told["answers"][0]["unassigned"]] == ["north"]

    files = [str(out / "problem.json"), str(out / "routes.csv")]
    assert main(["check", *files]) == 1
    assert "moved: beside: 111 m" in capsys.readouterr().out


def test_city_info(toy: City, capsys: pytest.CaptureFixture[str]) -> None:
    """`nco city info` tells bounds, size and how much is covered."""
    assert main(["city", "info", str(toy.extract), "--json", "--quiet"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["bbox"] == pytest.approx([10.0, 0.0, 10.027, 0.0135])
    assert facts["size_km"] == pytest.approx([3.0, 1.5], abs=0.01)
    assert facts["covered_km2"] == pytest.approx(toy.area.km2, abs=0.001)
    assert facts["max_snap_m"] == 250


def test_vroom_problems(toy: City, tmp_path: Path) -> None:
    """Jobs and ends of vehicles follow the same rule; only jobs may be left."""
    path = tmp_path / "vroom.json"

    def written(start: tuple[float, float], job: tuple[float, float]) -> Path:
        jobs = [{"id": 11, "location": list(job)}, {"id": 12, "location": [10.009, 0.009]}]
        van = {"id": 1, "start": list(start), "end": list(start)}
        path.write_text(json.dumps({"vehicles": [van], "jobs": jobs}))
        return path

    with pytest.raises(OffStreetError, match=r"\(11\).* 718\.7 m .*allow unassigned"):
        nco.load(written(DEPOT, NORTH), city=toy)
    problem = nco.load(path, city=toy, allow_unassigned=True)
    assert list(problem.off_street) == [1]
    assert nco.load(written(DEPOT, BESIDE), city=toy).moved == {1: pytest.approx(110.6, abs=1)}
    with pytest.raises(OffStreetError, match=r"\(depot\).* 718\.7 m"):
        nco.load(written(NORTH, BESIDE), city=toy, allow_unassigned=True)


def test_a_day_that_is_planned_again(toy: City, table: Path) -> None:
    """A new stop outside is refused as everywhere; moves of the others are told with the plan."""
    problem = nco.load(table, city=toy, allow_unassigned=True)
    planner = nco.Planner(problem, city=toy, method="savings")
    with pytest.raises(OffStreetError, match=r"late.*outside of the area that its extract covers"):
        planner.add("late", NORTH)
    with pytest.raises(OffStreetError, match=r"late.* 250\.5 m .*leads to the other points"):
        planner.add("late", DEAD_END)
    with pytest.raises(OffStreetError, match=r"corner.*outside of the area"):
        planner.move("corner", NORTH)
    assert planner.waiting == ("corner", "beside", "north")
    planner.add("within", WITHIN)
    plan = planner.plan(0.2)
    assert plan.moved == {
        "beside": pytest.approx(110.6, abs=1),
        "within": pytest.approx(221.1, abs=1),
    }
    assert plan.unassigned == {"north": problem.off_street[3]}
    assert "moved: 'within', 221 m" in str(plan)
    assert planner.rest.moved_m is not None
    planner.move("north", BESIDE)
    assert not planner.plan(0.2).unassigned


def test_stops_of_buses(toy: City, tmp_path: Path) -> None:
    """Given stops follow the rule, and instances keep how far theirs were moved."""
    grid = [(10 + 0.0045 * i, 0.0045 * j) for i in range(4) for j in range(4)]
    options = {"lines": 2, "demand": None}
    with pytest.raises(OffStreetError, match=r"718\.7 m .*outside of the area"):
        nco.TransitInstance.from_city(toy, stops=[*grid, NORTH], **options)
    instance = nco.TransitInstance.from_city(toy, stops=[*grid, BESIDE], **options)
    assert instance.moved == {16: pytest.approx(110.6, abs=1)}
    again = load_instance(save_instance(tmp_path / "instance.json", instance))
    assert again.moved == instance.moved
    assert again == instance


def test_no_option_is_silently_unused(toy: City, tmp_path: Path) -> None:
    """The limit belongs to a city, so that a file without one refuses it."""
    path = tmp_path / "stops.csv"
    path.write_text("name,lon,lat\ndepot,10,0\na,10,0.001\n")
    with pytest.raises(InputError, match="max_snap_m"):
        nco.load(path, city=toy, max_snap_m=5)
