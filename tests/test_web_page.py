"""What the planner's page asks for beyond problems and jobs: the map, an example, zones, files."""

import os
import re

import numpy as np
import pytest
import shapely
from in_process import Served, serving

import nco
from nco.data.cities.cache import content_hash
from nco.data.cities.osrm_build import remove_old_variants
from nco.data.formats.json_file import finite
from nco.data.formats.native import problem_data

pytest.importorskip("fastapi", reason="the extra `web` is not installed")


@pytest.fixture(scope="module")
def ask():
    with serving() as served:
        yield served


def test_the_map_is_cut_into_tiles_that_browsers_keep(ask: Served):
    """A tile by its version is kept for good; without one, and what is wrong, never."""
    about = ask("GET", "/v1/map").json()
    place = "/v1/map/14/9327/4742"
    kept = ask("GET", f"{place}?version={about['version']}")
    assert "immutable" in kept.headers["cache-control"]
    assert kept.headers["content-encoding"] == "gzip"
    assert "Mannerheimintie" in {one.get("name") for one in kept.json()["streets"]}
    plain = ask("GET", place, headers={"accept-encoding": "identity"})
    assert (plain.headers["cache-control"], plain.json()) == ("no-cache", kept.json())
    assert ask("GET", "/v1/map/20/0/0?version=1").headers["cache-control"] == "no-cache"
    assert ask("GET", "/v1/map?city=/etc/passwd").status_code == 422


def test_an_example_can_be_planned_as_it_is(ask: Served):
    """Tables of the served city have no fault, pose a problem, and are always the same."""
    example = ask("GET", "/v1/example").json()
    assert (example["city"], len(example["stops"]["rows"])) == ("helsinki", 49)
    read = ask("POST", "/v1/tables?kind=stops", json=example["stops"]).json()
    assert (read["faults"], read["columns"][6:8]) == ([], ["window", "service"])
    tables = {"stops": example["stops"], "fleet": example["fleet"]}
    posed = ask("POST", "/v1/problems", json=tables).json()
    assert (len(posed["names"]), posed["notes"]) == (49, [])
    assert {"time windows", "skills"} <= set(posed["features"])
    assert ask("GET", "/v1/example").json() == example


_ZONE = [[24.944, 60.17], [24.944, 60.172], [24.947, 60.172], [24.947, 60.17]]
_TABLES = {
    "stops": {
        "header": ["name", "lat", "lon", "demand"],
        "rows": [["depot", 60.17, 24.94, ""], ["a", 60.171, 24.945, 3], ["b", 60.168, 24.95, 4]],
    },
    "fleet": {"header": ["name", "capacity", "count"], "rows": [["van", 9, 2], ["bike", 9, 1]]},
}


@pytest.fixture(scope="module")
def zoned(ask: Served) -> str:
    """The id of a problem whose vans avoid a zone with stop `a` in it."""
    zones = [{"name": "centre", "ring": _ZONE, "vehicles": ["van"]}]
    return ask("POST", "/v1/problems", json={**_TABLES, "zones": zones}).json()["id"]


def test_vehicles_drive_around_their_zones(ask: Served, zoned: str):
    """What lies in a zone is reached by the vehicles alone that may enter it."""

    def judged(vehicle: int, stops: list[int]) -> list[str]:
        body = {"routes": [{"vehicle": vehicle, "stops": stops}]}
        found = ask("POST", f"/v1/problems/{zoned}/evaluate", json=body).json()
        return [one["kind"] for one in found["violations"]]

    assert judged(0, [1, 2])[:1] == judged(1, [1])[:1] == ["unreachable"]
    assert judged(2, [1, 2]) == judged(1, [2]) == []


@pytest.mark.parametrize(
    ("zone", "told"),
    [
        ({"ring": _ZONE, "vehicles": ["lorry"]}, "vehicle 'lorry', which there is not"),
        ({"ring": _ZONE, "profiles": ["foot"]}, "profile 'foot', which no vehicle has"),
        ({"ring": _ZONE[:2]}, "3 to 500"),
        ({"ring": [_ZONE[0], _ZONE[2], _ZONE[1], _ZONE[3]]}, "outline crosses itself"),
        ({"ring": [[1], [2], [3]]}, "must be corners"),
        ({"ring": _ZONE, "more": 1}, "more is not known"),
    ],
)
def test_zones_that_are_none_are_refused(ask: Served, zone, told):
    """A zone for nobody, or without an area, is told by its name."""
    reply = ask("POST", "/v1/problems", json={**_TABLES, "zones": [{"name": "<z>", **zone}]})
    assert reply.status_code in (400, 422)
    assert told in reply.json()["error"]["message"]


def test_lines_lead_around_zones_as_well(ask: Served):
    """A way around an area is longer than the one through it; one without streets changes none."""

    def metres(*avoid) -> float:
        body = {"points": [[24.94, 60.17], [24.95, 60.1712]], "avoid": list(avoid)}
        return ask("POST", "/v1/route", json=body).json()["distance_m"][0]

    assert metres(_ZONE) > metres() == metres([[0, 0], [0, 1], [1, 1]])


def test_zones_do_not_fill_the_disk(helsinki, tmp_path, monkeypatch):
    """Of the engines of variants the last ones stay, and those of the city itself."""
    monkeypatch.setenv("NCO_CACHE", str(tmp_path))
    name = f"{content_hash(helsinki.extract)[:24]}-car-1-2"
    for k, end in enumerate(
        ("", "-contracted", "-open-extract", *(f"-{k:024x}" for k in range(5)))
    ):
        (tmp_path / "osrm" / f"{name}{end}").mkdir(parents=True)
        os.utime(tmp_path / "osrm" / f"{name}{end}", (k, k))
    remove_old_variants(helsinki.extract, 2)
    left = {path.name.removeprefix(name) for path in (tmp_path / "osrm").iterdir() if path.is_dir()}
    assert left == {"", "-contracted", "-open-extract", f"-{3:024x}", f"-{4:024x}"}


def test_a_zone_without_streets_changes_nothing_and_is_told(ask: Served):
    """It may be a park, or a slip."""
    zones = [{"name": "sea", "ring": [[0, 0], [0, 1], [1, 1]]}]
    told = ask("POST", "/v1/problems", json={**_TABLES, "zones": zones}).json()["notes"]
    assert any("no street in it" in note for note in told)


def test_written_lines_are_those_of_each_vehicle(ask: Served):
    """What is drawn is as long as what was planned: around a zone, by bicycle, and plainly."""
    fleet = {
        "header": ["name", "capacity", "profile"],
        "rows": [["van", 9, ""], ["bike", 9, "bicycle"], ["lorry", 9, ""]],
    }
    zones = [{"name": "centre", "ring": _ZONE, "vehicles": ["van"]}]
    posed = {"stops": _TABLES["stops"], "fleet": fleet, "zones": zones}
    place = f"/v1/problems/{ask('POST', '/v1/problems', json=posed).json()['id']}"
    routes = [{"vehicle": 0, "stops": [2]}, {"vehicle": 1, "stops": [1]}]
    written = {
        kind: ask("POST", f"{place}/export", json={"routes": routes, "format": kind})
        for kind in ("geojson", "gpx", "vroom")
    }
    lines = [one for one in written["geojson"].json()["features"] if "stops" in one["properties"]]
    for one in lines:
        drawn_m = metres_along(np.array(one["geometry"]["coordinates"]))
        assert drawn_m == pytest.approx(one["properties"]["distance_m"], rel=0.03)
    around = np.array(lines[0]["geometry"]["coordinates"])
    assert not shapely.contains_xy(shapely.Polygon(_ZONE).buffer(-1e-5), around).any()
    tracks = re.findall(r'<trkpt lat="([^"]*)" lon="([^"]*)"', written["gpx"].text)
    driven = np.array([(float(lon), float(lat)) for lat, lon in tracks])
    assert abs(around[:, None] - driven).max(axis=2).min(axis=1).max() < 1e-5
    assert all(route["geometry"] for route in written["vroom"].json()["routes"])


def metres_along(line: np.ndarray) -> float:
    """Length of a line in degrees."""
    metres = np.array([111_320 * np.cos(np.radians(line[0, 1])), 110_570])
    return float(np.linalg.norm(np.diff(line, axis=0) * metres, axis=1).sum())


def test_what_lies_in_a_zone_of_all_is_told_by_its_name(ask: Served):
    """A dispatcher reads which zone it is."""
    zones = [{"name": "Market", "ring": _ZONE}]
    posed = ask("POST", "/v1/problems", json={**_TABLES, "zones": zones}).json()
    assert [one["reason"] for one in posed["off_street"]] == [
        "it lies in 'Market', a zone that vehicles avoid"
    ]


def test_a_day_has_new_stops_on_the_streets_of_every_kind(ask: Served):
    """With vans that avoid a zone and a bicycle, a stop that comes up is on the streets of all."""
    fleet = {
        "header": ["name", "capacity", "profile"],
        "rows": [["van", 9, ""], ["bike", 9, "bicycle"]],
    }
    zones = [{"name": "centre", "ring": _ZONE, "vehicles": ["van"]}]
    posed = {"stops": _TABLES["stops"], "fleet": fleet, "zones": zones}
    day = ask("POST", "/v1/plans", json={"problem": posed, "method": "nearest"}).json()["id"]

    def change(op: str, **more):
        return ask("POST", f"/v1/plans/{day}/changes", json={"op": op, **more})

    assert change("add", name="new", lonlat=[24.9455, 60.171], demand=1).status_code == 200
    plan = change("replan", time_limit_s=0.1).json()["plan"]
    [own] = [r["vehicle"] for r in plan["routes"] if "new" in [c["name"] for c in r["calls"]]]
    assert (own, plan["unassigned"]) == (1, {})


@pytest.fixture(scope="module")
def line(ask: Served) -> str:
    """The id of a problem on a line: three vehicles of 3, stops at 1, 2, 3, 4, one of them late."""
    at = np.arange(5.0)
    way = abs(at[:, None] - at[None, :])
    problem = nco.Problem.from_matrices(
        way, 60 * way, demand=[0, 1, 1, 1, 1], capacity=3, vehicles=3,
        window_s=[[0, 600], [0, 600], [0, 120], [0, 600], [0, 600]],
    )  # fmt: skip
    return ask("POST", "/v1/problems", json=finite(problem_data(problem))).json()["id"]


def _judged(ask: Served, line: str, routes, **more):
    body = {"routes": [{"vehicle": v, "stops": stops} for v, stops in routes], **more}
    return ask("POST", f"/v1/problems/{line}/evaluate", json=body).json()


def test_a_plan_by_hand_has_its_figures_and_those_of_each_vehicle(ask: Served, line: str):
    """Costs of vehicles add up, lateness is told by stop, and the balance is a share."""
    found = _judged(ask, line, [(0, [3, 2]), (2, [4])])
    sums, each = found["figures"], found["by_vehicle"]
    assert sum(one["cost"]["total"] for one in each) == found["cost"]["total"] == sums["cost"] == 14
    assert (sums["vehicles"], sums["stops"], sums["unserved"]) == (2, 3, 1)
    assert (sums["late"], sums["late_s"], sums["broken"]) == (1, 120, 1)
    assert (each[0]["late_s"], len(each[0]["violations"]), each[1]["late_s"]) == (120, 1, 0)
    assert [visit["late_s"] for visit in found["schedule"][0]["visits"]] == [0, 0, 120, 0]
    assert sums["balance"] == pytest.approx((360 + 480) / 2 / 480)
    assert found["unassigned"][0]["reason"]
    quick = _judged(ask, line, [(0, [3, 2]), (2, [4])], explain=False)
    assert quick["unassigned"][0]["reason"] == ""
    assert _judged(ask, line, [])["figures"]["balance"] == 1


def _solved(ask: Served, line: str, **more):
    body = {"problem_id": line, "method": "nearest", "time_limit_s": 5, **more}
    place = ask("POST", "/v1/solve", json=body).headers["location"]
    ask("GET", f"{place}/events")
    return ask("GET", f"{place}/result").json()


def test_locked_routes_and_fixed_parts_are_held(ask: Served, line: str):
    """A detour that is locked stays as it is, an empty locked vehicle empty, a row in its order."""
    initial = [{"vehicle": 1, "stops": [4, 3]}]
    found = _solved(ask, line, initial=initial, locked=[1, 2])
    routes = {route["vehicle"]: route["stops"] for route in found["routes"]}
    assert (routes.keys(), routes[1], sorted(routes[0])) == ({0, 1}, [4, 3], [1, 2])
    assert found["unassigned"] == []
    part = _solved(ask, line, fixed=[{"stops": [4, 1], "vehicle": 2}])
    [mine] = [r["stops"] for r in part["routes"] if r["vehicle"] == 2]
    assert mine[mine.index(4) + 1] == 1


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"locked": [0]}, "give them as initial"),
        ({"locked": [9], "initial": []}, "vehicle 9 is to be held"),
        ({"fixed": [{"stops": [0]}]}, "stops are nodes 1 to 4"),
        ({"locked": [0], "initial": [{"vehicle": 0, "stops": [4, 2]}]}, "cannot be held as it is"),
    ],
)
def test_what_cannot_be_held_is_refused(ask: Served, line: str, more, told):
    """There is no such vehicle or stop, or the locked route is late by itself."""
    assert told in _solved(ask, line, **more)["error"]["message"]
