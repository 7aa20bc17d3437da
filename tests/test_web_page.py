"""What the planner's page asks for beyond problems and jobs: the map, an example, zones, files."""

import pytest
from in_process import Served, serving

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


def test_a_zone_without_streets_changes_nothing_and_is_told(ask: Served):
    """It may be a park, or a slip."""
    zones = [{"name": "sea", "ring": [[0, 0], [0, 1], [1, 1]]}]
    told = ask("POST", "/v1/problems", json={**_TABLES, "zones": zones}).json()["notes"]
    assert any("no street in it" in note for note in told)
