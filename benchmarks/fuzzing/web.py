"""Bodies of requests, as readers: a server in this process answers them.

A server has no fault if it answers or refuses: a status of 500 and more is one.
"""

from __future__ import annotations

import atexit
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any

from in_process import Served, serving

from fuzzing.mutations import JSON, TEXT, Mutation
from nco.errors import InputError
from nco.web.work.solving import solve_job

STOPS = {
    "header": ["name", "lat", "lon", "demand"],
    "rows": [["depot", 60.17, 24.94, None], ["a", 60.171, 24.945, 3], ["b", 60.168, 24.95, 4]],
}
FLEET = {"header": ["name", "capacity"], "rows": [["van", 5], ["bike", 9]]}
OPTIONS = {"vehicles": 2, "capacity": [5]}
TABLES = {"stops": STOPS, "options": OPTIONS}
ROUTES = [{"vehicle": 0, "stops": [1]}, {"vehicle": 1, "stops": [2]}]
HERE, THERE = [24.94, 60.17], [24.945, 60.171]
VROOM = {
    "vehicles": [{"id": 1, "start": HERE, "end": HERE, "capacity": [4]}],
    "jobs": [{"id": 1, "location": THERE, "service": 30, "delivery": [2]}],
    "options": {"x": 0},
}
CHANGES: dict[str, dict[str, Any]] = {
    "add": {"op": "add", "name": "c", "lonlat": THERE, "demand": 1, "window_s": [0, 900],
            "service_s": 5, "prize": 9, "vehicles": [0]},
    "replan": {"op": "replan", "time_limit_s": 0.05},
    "advance": {"op": "advance", "now_s": 60},
    "change": {"op": "change", "name": "a", "demand": [2]},
    "served": {"op": "served", "vehicle": 0, "stops": ["a"], "ready_s": 30},
}  # fmt: skip
BODIES: dict[str, tuple[str, Any]] = {
    "matrix": ("/v1/matrix", {"points": [HERE, THERE], "targets": [HERE], "city": "helsinki"}),
    "route": ("/v1/route", {"points": [HERE, THERE]}),
    "geocode": ("/v1/geocode", {"addresses": ["Kaivokatu 1", {"text": "x"}], "most": 2}),
    "problems": ("/v1/problems", TABLES),
    "fleet": ("/v1/problems", {"stops": STOPS, "fleet": FLEET}),
    "evaluate": ("/v1/problems/ID/evaluate", {"routes": ROUTES, "explain": False}),
    "export": ("/v1/problems/ID/export", {"routes": ROUTES, "format": "csv"}),
    "vroom": ("/", VROOM),
    "tables": ("/v1/tables", STOPS),
    "scenarios": ("/v1/scenarios", {"name": "x", "content": {"a": [1, 2]}}),
    "plans": ("/v1/plans", {"problem": TABLES, "seed": 1}),
    **{f"day {name}": ("/v1/plans/DAY/changes", body) for name, body in CHANGES.items()},
}
SOLVING = {
    "problem": TABLES, "method": "lns", "time_limit_s": 0.05, "seed": 1, "initial": ROUTES,
    "locked": [1], "fixed": [{"stops": [1], "vehicle": 0}],
}  # fmt: skip
LIMITS = {"time_limit_s": 0.1, "scenarios": 10**9, "plans": 10**9, "stops": 100, "vehicles": 100}


def readers(
    folder: Path,
) -> Iterator[tuple[str, Path, tuple[Mutation, ...], Callable[[Path], Any]]]:
    """Name, file, ways to damage it and reader of each."""
    folder = folder / "web"
    folder.mkdir()
    for name, (path, body) in BODIES.items():
        file = folder / f"{name.replace(' ', '-')}.json"
        file.write_text(json.dumps(body))
        yield f"web {name}", file, JSON, _posted(path)
    (folder / "solve.json").write_text(json.dumps(SOLVING))
    yield "web solve", folder / "solve.json", JSON, _solved
    table = folder / "table.csv"
    table.write_text("name,lat,lon,demand\ndepot,60.17,24.94,\na,60.171,24.945,3\n")
    yield "web table.csv", table, TEXT, _posted("/v1/tables?suffix=.csv&city=helsinki")


@cache
def _served() -> Served:
    ends = ExitStack()
    atexit.register(ends.close)
    return ends.enter_context(serving(limits=LIMITS))


@cache
def _problem() -> str:
    return str(_served()("POST", "/v1/problems", json=TABLES).json()["id"])


def _posted(path: str) -> Callable[[Path], object]:
    def post(file: Path) -> object:
        served = _served()
        where = path.replace("ID", _problem())
        if "DAY" in path:  # a new one each time, so that files do not depend on one another
            day = served("POST", "/v1/plans", json={"problem": TABLES}).json()["id"]
            where = path.replace("DAY", day)
        headers = {"content-type": "application/json"}
        answer = served("POST", where, content=file.read_bytes(), headers=headers)
        if "DAY" in path:
            served("DELETE", f"/v1/plans/{day}")
        return _judged(answer.status_code, answer.text)

    return post


def _solved(file: Path) -> object:
    _served()
    reply = solve_job(file.read_bytes(), None)
    return _judged(reply.status, reply.body.decode())


def _judged(status: int, told: str) -> str:
    if status >= 500 and '"code": 3' not in told:  # as vroom-express says that there is no street
        raise AssertionError(f"status {status}: {told[:200]}")
    if status >= 400:
        raise InputError(told)
    return told
