"""The interface over HTTP: cities, problems, jobs, tables, files, days and scenarios."""

import asyncio
import io
import json
import zipfile

import gpxpy
import pytest
from in_process import Served, serving
from python_calamine import CalamineWorkbook

import nco
from nco.data.formats.json_file import finite
from nco.data.formats.native import problem_data

pytest.importorskip("fastapi", reason="the extra `web` is not installed")

HERE, NEAR, THERE = [24.94, 60.17], [24.945, 60.171], [24.95, 60.168]
STOPS = {
    "header": ["name", "lat", "lon", "demand"],
    "rows": [["depot", 60.17, 24.94, None], ["a", 60.171, 24.945, 3], ["=b", 60.168, 24.95, 4]],
}
TABLES = {"stops": STOPS, "options": {"vehicles": 2, "capacity": [5]}}
ROUTES = [{"vehicle": 0, "stops": [1]}, {"vehicle": 1, "stops": [2]}]


@pytest.fixture(scope="module")
def ask():
    with serving() as served:
        yield served


@pytest.fixture(scope="module")
def posed(ask: Served) -> str:
    """The id of a problem that tables pose."""
    return ask("POST", "/v1/problems", json=TABLES).json()["id"]


def test_the_city_tells_of_itself_and_measures(ask):
    """A city has an extent; a matrix and a route agree, and an unreachable place is refused."""
    [city] = ask("GET", "/v1/cities").json()["cities"]
    assert (city["name"], len(city["bbox"])) == ("helsinki", 4)
    table = ask("POST", "/v1/matrix", json={"points": [HERE, NEAR, THERE]}).json()
    part = ask("POST", "/v1/matrix", json={"points": [HERE], "targets": [NEAR]}).json()
    way = ask("POST", "/v1/route", json={"points": [HERE, NEAR]}).json()
    assert table["distance_m"][0][1] == part["distance_m"][0][0] == way["distance_m"][0] > 0
    assert way["legs"][0][0] == pytest.approx(HERE, abs=1e-3)
    far = ask("POST", "/v1/matrix", json={"points": [HERE, [0, 0]]})
    assert (far.status_code, far.json()["error"]["kind"]) == (422, "OffStreetError")


def test_addresses_are_found_in_the_extract(ask):
    """A house is found, and what is nowhere is doubtful or not there."""
    asked = {"addresses": ["Kaivokatu 1", {"text": "Nowhere 999", "postcode": "1"}]}
    found = ask("POST", "/v1/geocode", json=asked).json()["results"]
    assert (found[0]["word"], found[0]["doubtful"], found[1]["doubtful"]) == ("exact", False, True)


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "kind"),
    [
        ("POST", "/v1/matrix", {"points": [[200, 0]]}, 422, "RequestError"),
        ("POST", "/v1/matrix", {"points": [HERE], "city": "/etc/passwd"}, 422, "CityError"),
        ("POST", "/v1/matrix", {"points": [HERE], "profile": "rocket"}, 422, "CityError"),
        ("POST", "/v1/route", {"points": [HERE, NEAR], "more": 1}, 422, "RequestError"),
        ("POST", "/v1/solve", {}, 422, "RequestError"),
        ("POST", "/v1/solve", {"problem_id": "none"}, 404, "NotFound"),
        ("POST", "/v1/solve", {"problem": {}, "time_limit_s": 1e9}, 422, "RequestError"),
        ("POST", "/v1/problems", {"stops": {}}, 400, "FormatError"),
        ("POST", "/v1/problems", {"neither": 1}, 400, "FormatError"),
        ("GET", "/v1/solve/none", None, 404, "NotFound"),
        ("GET", "/v1/plans/none", None, 404, "NotFound"),
        ("GET", "/v1/scenarios/none", None, 404, "NotFound"),
        ("GET", "/nothing/here", None, 404, "HTTPError"),
        ("POST", "/v1/tables?kind=stops&suffix=.exe", {"a": 1}, 400, "FormatError"),
    ],
)
def test_what_is_wrong_is_said_in_one_shape(ask, method, path, body, status, kind):
    """Whatever is refused has a status, a word for programs, and a short message for people."""
    reply = ask(method, path, json=body)
    error = reply.json()["error"]
    assert (reply.status_code, error["kind"]) == (status, kind)
    assert 0 < len(error["message"]) < 600


def test_json_that_is_none_is_refused(ask):
    """Text, numbers that JSON has not, and depth without end are told apart from faults."""
    for raw in (b"{", b'{"points": [[NaN, 1]]}', b"[" * 100_000):
        for path in ("/v1/matrix", "/v1/solve", "/v1/problems"):
            assert ask("POST", path, content=raw).status_code in (400, 422)


def test_tables_are_read_with_what_is_doubtful_and_wrong(ask):
    """Faults name row and column, doubtful addresses have candidates, the rest was read."""
    text = (
        "name,address,lat,lon,demand\ndepot,,60.17,24.94,\na,Kaivokatu 1,,,3\nb,,60.168,24.95,x\n"
    )
    text += "c,Mannerheimintie 999,,,2\n"
    reply = ask("POST", "/v1/tables?kind=stops&suffix=.csv", content=text.encode())
    found = reply.json()
    [fault] = [f for f in found["faults"] if f["line"] == 4]
    assert (fault["column"], [row["name"] for row in found["read"]][:2]) == (
        "demand",
        ["depot", "a"],
    )
    nowhere = {"header": ["name", "address"], "rows": [["depot", "Nowhere 7"]]}
    [lost] = ask("POST", "/v1/tables?kind=stops", json=nowhere).json()["faults"]
    assert lost["column"] == "address"
    [doubtful] = [d for d in found["doubtful"] if d["kind"] == "address"]
    assert doubtful["line"] == 5
    assert doubtful["candidates"]
    as_json = {"header": ["name", "capacity"], "rows": [["van", 5], ["bus", "many"]]}
    [wrong] = ask("POST", "/v1/tables?kind=fleet", json=as_json).json()["faults"]
    assert (wrong["line"], wrong["column"]) == (3, "capacity")


def test_routes_by_hand_are_judged(ask, posed):
    """Costs, times and what is broken of routes that a person made."""
    good = ask("POST", f"/v1/problems/{posed}/evaluate", json={"routes": ROUTES}).json()
    assert good["feasible"]
    assert good["schedule"][1]["visits"][1]["name"] == "=b"
    both = [{"vehicle": 0, "stops": [1, 2]}]
    bad = ask("POST", f"/v1/problems/{posed}/evaluate", json={"routes": both}).json()
    assert [v["kind"] for v in bad["violations"]] == ["capacity"]
    nobody = [{"vehicle": 9, "stops": [1]}]
    assert ask("POST", f"/v1/problems/{posed}/evaluate", json={"routes": nobody}).status_code == 400


def load_workbook_rows(raw: bytes) -> dict[str, list[list]]:
    """Rows of all sheets, as another package reads them."""
    book = CalamineWorkbook.from_filelike(io.BytesIO(raw))
    return {name: book.get_sheet_by_name(name).to_python() for name in book.sheet_names}


def test_plans_are_written_as_files(ask, posed):
    """Every format is what it says, and no cell of a CSV is a formula."""

    def export(kind: str):
        return ask("POST", f"/v1/problems/{posed}/export", json={"routes": ROUTES, "format": kind})

    table = export("csv")
    assert ",'=b," in table.text
    assert table.text.lstrip("\ufeff").split(",")[4:7] == ["vehicle_name", "arrival", "departure"]
    assert "attachment" in table.headers["content-disposition"]
    assert export("geojson").json()["type"] == "FeatureCollection"
    assert export("vroom").json()["summary"]["routes"] == 2
    assert export("json").json()["format"] == "nco-solution"
    book = load_workbook_rows(export("xlsx").content)
    assert [row[3] for row in book["routes"]] == [
        "stop",
        "depot",
        "a",
        "depot",
        "depot",
        "=b",
        "depot",
    ]
    assert dict(book["plan"])["vehicles"] == 2
    assert [name for name, *_ in book["not served"]] == ["stop"]
    track = gpxpy.parse(export("gpx").text)
    assert [route.points[1].name for route in track.routes] == ["1. a", "1. =b"]
    assert all(len(way.segments[0].points) > 2 for way in track.tracks)
    assert export("../x").status_code == 400


@pytest.mark.slow
def test_sheets_for_drivers_are_an_archive(ask, posed):
    """The pages of all vehicles and the summary, in one file."""
    asked = {"routes": ROUTES, "format": "sheets"}
    raw = ask("POST", f"/v1/problems/{posed}/export", json=asked).content
    assert "sheets.pdf" in zipfile.ZipFile(io.BytesIO(raw)).namelist()


def test_a_job_tells_how_it_goes_and_has_an_answer(ask, posed):
    """Events are better answers in order and an end; the answer is a solution in our JSON."""
    asked = {"problem_id": posed, "method": "pyvrp", "time_limit_s": 0.2}
    reply = ask("POST", "/v1/solve", json=asked)
    place = reply.headers["location"]
    assert reply.status_code == 202
    events = ask("GET", f"{place}/events").text
    told = [json.loads(e.split("data: ")[1]) for e in events.split("\n\n") if "event: better" in e]
    assert told
    assert told == sorted(told, key=lambda one: -one["cost"])
    assert events.rstrip().rsplit("event: ", 1)[1].startswith("end")
    again = ask("GET", f"{place}/events", headers={"last-event-id": str(len(told))}).text
    assert "better" not in again
    found = ask("GET", f"{place}/result").json()
    assert found["checked"]["feasible"]
    assert found["cost"]["total"] == told[-1]["cost"]
    assert ask("GET", "/v1/solve").json()["jobs"][0]["state"] == "done"
    ask("DELETE", place)
    assert ask("GET", place).status_code == 404


def test_our_own_problems_are_solved_as_well(ask):
    """A problem in our JSON comes back as the same problem, and starts from given routes."""
    problem = nco.Problem.from_matrices([[0, 1, 2], [1, 0, 1], [2, 1, 0]])
    data = finite(problem_data(problem))
    asked = {
        "problem": data, "method": "nearest", "initial": [{"vehicle": 0, "stops": [2, 1]}]
    }  # fmt: skip
    place = ask("POST", "/v1/solve", json=asked).headers["location"]
    ask("GET", f"{place}/events")
    assert ask("GET", f"{place}/result").json()["cost"]["total"] == 4
    number = ask("POST", "/v1/problems", json=data).json()["id"]
    back = ask("GET", f"/v1/problems/{number}").json()
    assert back["profiles"][0]["distance_m"] == [[0, 1, 2], [1, 0, 1], [2, 1, 0]]


def test_a_job_can_be_stopped_and_cancelled(ask, posed):
    """To stop keeps what was found so far; to cancel leaves nothing."""

    async def begun(limit_s: float) -> str:
        asked = {"problem_id": posed, "method": "pyvrp", "time_limit_s": limit_s}
        reply = await ask.request("POST", "/v1/solve", json=asked)
        place = reply.headers["location"]
        while (await ask.request("GET", place)).json()["state"] == "queued":
            await asyncio.sleep(0.01)
        return place

    async def stopped() -> tuple[dict, dict]:
        place = await begun(60)
        early = await ask.request("GET", f"{place}/result")
        await ask.request("POST", f"{place}/stop")
        await ask.request("GET", f"{place}/events")
        return early.json(), (await ask.request("GET", f"{place}/result")).json()

    async def cancelled() -> int:
        place = await begun(60)
        await ask.request("DELETE", place)
        return (await ask.request("GET", f"{place}/result")).status_code

    early, found = ask.run(stopped())
    assert early["error"]["kind"] == "NotReady"
    assert found["interrupted"]
    assert ask.run(cancelled()) == 410


def test_a_busy_server_says_so_at_once():
    """What is beyond the jobs that run and wait is refused with 503, and the rest is done."""
    with serving(limits={"jobs": 1, "waiting": 1}) as ask:
        problem = {"problem": TABLES, "method": "pyvrp", "time_limit_s": 0.3}
        replies = ask.together(*[("POST", "/v1/solve")] * 4, json=problem)
        assert sorted(reply.status_code for reply in replies) == [202, 202, 503, 503]
        refused = next(reply for reply in replies if reply.status_code == 503)
        assert refused.headers["retry-after"] == "1"
        busy = ask("POST", "/", json={"vehicles": [], "jobs": []})
        assert (busy.status_code, busy.json()["code"]) == (503, 1)


def test_limits_hold(tmp_path):
    """Too many stops, points or scenarios are refused with the limit in the message."""
    with serving(limits={"stops": 1, "points": 1, "scenarios": 1}) as ask:
        assert ask("POST", "/v1/problems", json=TABLES).status_code == 413
        assert ask("POST", "/v1/route", json={"points": [HERE, NEAR]}).status_code == 413
        saved = [ask("POST", "/v1/scenarios", json={"name": "x", "content": 1}) for _ in range(2)]
        assert [reply.status_code for reply in saved] == [201, 507]


@pytest.mark.parametrize("path", ["/v1/scenarios", "/v1/plans"])
def test_what_is_kept_is_json(ask, path):
    """Numbers that JSON has no words for are refused before they are kept."""
    body = b'{"name": "x", "content": [NaN], "problem": {"stops": Infinity}}'
    if path == "/v1/plans":
        body = b'{"problem": {"stops": Infinity}}'
    reply = ask("POST", path, content=body, headers={"content-type": "application/json"})
    assert reply.status_code == 422


def test_what_is_kept_fills_no_disk(tmp_path):
    """Beyond its size nothing is saved, what was saved stays, and the message says so."""
    with serving(data=tmp_path / "kept", limits={"store_bytes": 200_000}) as ask:
        small = ask("POST", "/v1/scenarios", json={"name": "small", "content": 1})
        reply = ask("POST", "/v1/scenarios", json={"name": "x", "content": "x" * 300_000})
        assert (small.status_code, reply.status_code) == (201, 507)
        assert "full" in reply.json()["error"]["message"]
        assert [s["name"] for s in ask("GET", "/v1/scenarios").json()["scenarios"]] == ["small"]


def test_scenarios_are_kept_and_nobody_overwrites_another(ask):
    """A scenario comes back as it was; who has read an older version does not overwrite it."""
    content = {"<b>": ['"; drop table scenarios; --', None, 1.5]}
    row = ask("POST", "/v1/scenarios", json={"name": "<i>x</i>", "content": content}).json()
    place = f"/v1/scenarios/{row['id']}"
    assert ask("GET", place).json()["content"] == content
    newer = {"name": "y", "content": 2, "version": 1}
    assert ask("PUT", place, json=newer).json()["version"] == 2
    assert ask("PUT", place, json=newer).status_code == 409
    assert [s["name"] for s in ask("GET", "/v1/scenarios").json()["scenarios"]] == ["y"]
    assert ask("DELETE", place).status_code == 204
    assert ask("DELETE", place).status_code == 404


def test_a_day_is_planned_again_and_outlives_its_process(ask, posed):
    """A day goes on from what was kept of it as if nothing had happened, and searches nothing."""
    from nco.web.work import days

    asked = {"problem_id": posed, "method": "nearest"}
    place = f"/v1/plans/{ask('POST', '/v1/plans', json=asked).json()['id']}"

    def change(op: str, **more):
        return ask("POST", f"{place}/changes", json={"op": op, **more})

    assert ask("GET", place).json()["plan"] is None
    assert change("replan", time_limit_s=0.1).json()["plan"]["feasible"]
    assert change("add", name="new", lonlat=[24.943, 60.169], demand=1).status_code == 200
    before = change("replan", time_limit_s=0.1).json()
    assert "new" in [c["name"] for r in before["plan"]["routes"] for c in r["calls"]]
    assert before["plan"]["places"]["new"] == pytest.approx([24.943, 60.169], abs=1e-3)
    assert change("cancel", name="nobody").status_code == 400
    assert change("party").status_code == 422
    before = change("advance", now_s=50).json()
    days._days.clear()
    after = ask("GET", place).json()
    for one in (before, after):
        one["plan"].pop("time_s")
        one.pop("notes")
    assert after == before
    assert ask("DELETE", place).status_code == 204


def test_what_is_left_of_a_day_is_written_as_files(ask, posed):
    """Driver sheets of the afternoon: without what was served, with what came up."""
    from nco.web.work import days

    asked = {"problem_id": posed, "method": "nearest"}
    place = f"/v1/plans/{ask('POST', '/v1/plans', json=asked).json()['id']}"

    def change(op: str, **more):
        assert ask("POST", f"{place}/changes", json={"op": op, **more}).status_code == 200

    change("replan", time_limit_s=0.1)
    change("add", name="new", lonlat=[24.943, 60.169], demand=1)
    change("replan", time_limit_s=0.1)
    days._days.clear()  # it is made again for that
    table = ask("POST", f"{place}/export", json={"format": "csv"})
    assert "new" in table.text
    lines = ask("POST", f"{place}/export", json={"format": "geojson"}).json()
    assert any(one["geometry"]["type"] == "LineString" for one in lines["features"])
    assert ask("POST", f"{place}/export", json={"format": "../x"}).status_code == 400
    assert ask("POST", "/v1/plans/none/export", json={}).status_code == 404
    change("advance", now_s=10_000_000)
    gone = ask("POST", f"{place}/export", json={"format": "csv"})
    assert "nothing is left" in gone.json()["error"]["message"]


def test_a_day_takes_all_that_the_planner_knows(ask, posed):
    """Stops with every field, a shipment and a further vehicle, after a restart as before."""
    from nco.web.work import days

    asked = {"problem_id": posed, "method": "auto"}
    place = f"/v1/plans/{ask('POST', '/v1/plans', json=asked).json()['id']}"

    def change(op: str, **more):
        return ask("POST", f"{place}/changes", json={"op": op, **more})

    fields = {
        "window_s": [100, 5000], "more_windows_s": [[6000, None]], "soft_window_s": [200, 4000],
        "early_per_s": 0.01, "late_per_s": 0.02, "service_s": 60, "setup_s": 30, "prize": None,
        "priority": 5, "skills": [], "demand": [1], "pickup": [1], "release_s": 0,
    }  # fmt: skip
    for name in ("new", "other"):
        told = change("add", name=name, lonlat=[24.943, 60.169], **fields)
        assert told.status_code == 200, told.text
    assert change("add_shipment", pickup="new", delivery="other", amount=1).status_code == 200
    for name in ("new", "other"):  # which methods do not know beside several windows
        assert change("change", name=name, setup_s=0).status_code == 200
    van = {"name": "spare", "capacity": [9], "cost_per_m": 2, "shift_s": [0, None]}
    assert change("add_vehicle", vehicle=van).status_code == 200
    told = change("replan", time_limit_s=0.2)
    assert told.status_code == 200, told.text
    plan = told.json()["plan"]
    names = [call["name"] for route in plan["routes"] for call in route["calls"]]
    assert names.index("new") < names.index("other")
    days._days.clear()
    assert ask("GET", place).json()["plan"]["cost"] == plan["cost"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"op": "cancel", "name": "a", "lonlat": [24.9, 60.1]}, "lonlat is nothing that cancel"),
        ({"op": "replan", "prize": 3}, "prize is nothing that replan knows"),
        ({"op": "add", "name": "x", "group": 1}, "group"),
        ({"op": "add_vehicle", "vehicle": {"wheels": 4}}, "wheels"),
        ({"op": "add_shipment", "pickup": "nobody", "delivery": "a"}, "'nobody'"),
    ],
)
def test_what_a_change_cannot_take_is_refused_by_name(ask, posed, change, told):
    """Nothing is left out in silence."""
    day = ask("POST", "/v1/plans", json={"problem_id": posed, "method": "nearest"}).json()["id"]
    reply = ask("POST", f"/v1/plans/{day}/changes", json=change)
    assert reply.status_code in (400, 422)
    assert told in reply.json()["error"]["message"]


def test_the_description_covers_what_there_is(ask):
    """OpenAPI names every path, and its references lead somewhere."""
    found = ask("GET", "/openapi.json").json()
    wanted = """/ /health /v1/about /v1/cities /v1/matrix /v1/route /v1/geocode /v1/tables
        /v1/problems /v1/problems/{number} /v1/problems/{number}/evaluate
        /v1/problems/{number}/export /v1/solve
        /v1/solve/{number} /v1/solve/{number}/events /v1/solve/{number}/result
        /v1/solve/{number}/stop /v1/plans /v1/plans/{number} /v1/plans/{number}/changes
        /v1/plans/{number}/export /v1/scenarios /v1/scenarios/{number} /v1/example /v1/map
        /v1/map/{zoom}/{column}/{row}
        /{service}/v1/{profile}/{places}"""
    assert set(wanted.split()) <= set(found["paths"])
    for reference in set(json.dumps(found).split('"$ref": "')[1:]):
        part = found
        for name in reference.split('"')[0].removeprefix("#/").split("/"):
            part = part[name]


def test_the_page_is_there_and_nothing_beside_it(ask):
    """The page answers; paths that lead out of its folder do not."""
    assert "text/html" in ask("GET", "/").headers["content-type"]
    for path in ("/page/../settings.py", "/page/%2e%2e/settings.py", "/page//etc/passwd"):
        assert ask("GET", path).status_code == 404
