"""A plan as a file for other programs and for people: whatever `nco solve` writes."""

from __future__ import annotations

import io
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from nco.data.cities.city import City
from nco.data.formats import native
from nco.data.formats.csv_rows import table_text
from nco.data.formats.geojson import geojson_data
from nco.data.formats.json_file import finite, json_text
from nco.data.formats.native import solution_data
from nco.data.formats.solution_csv import REQUIRED, routes_table
from nco.data.formats.vroom_solution import vroom_answer
from nco.data.formats.xlsx import workbook
from nco.errors import InputError
from nco.problem import Problem
from nco.problem.solution import Solution
from nco.web.reply import JSON, Reply
from nco.web.work import served
from nco.web.work.judging import answer
from nco.web.work.posing import city_by, needs_lonlat, posed_by, routes_of, streets_by

_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class _Ground(NamedTuple):
    """What routes are drawn on: a city, and the streets of vehicles that do not use its own."""

    city: City | None
    streets: Mapping[str, City]


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "backslashreplace")


def _json(problem: Problem, solution: Solution, _ground: _Ground) -> Reply:
    body = _bytes(json_text(solution_data(solution, problem)))
    return Reply(200, body, JSON, "solution.json")


def _geojson(problem: Problem, solution: Solution, ground: _Ground) -> Reply:
    body = _bytes(json_text(finite(geojson_data(problem, solution, **ground._asdict()))))
    return Reply(200, body, "application/geo+json", "routes.geojson")


def _vroom(problem: Problem, solution: Solution, ground: _Ground) -> Reply:
    body = _bytes(json_text(vroom_answer(problem, solution, **ground._asdict())))
    return Reply(200, body, JSON, "solution.vroom.json")


def _table(problem: Problem, solution: Solution) -> tuple[list[str], list[list[object]]]:
    """The timetable, in which people find vehicles by their names, and times by the clock.

    Columns that `nco.load` and other programs read stay as they are.
    """
    header, rows = routes_table(problem, solution)
    vehicle, *times = (header.index(title) for title in ("vehicle", "arrival_s", "departure_s"))

    def told(row: list[object]) -> list[object]:
        if row[vehicle] == "":  # nobody serves it
            return ["", "", ""]
        clock = [
            problem.times.at(60 * (float(str(row[k])) // 60)) if row[k] != "" else "" for k in times
        ]
        return [problem.vehicles[int(str(row[vehicle]))].name, *clock]

    at = len(REQUIRED)
    shown = ["vehicle_name", "arrival", "departure"]
    return [*header[:at], *shown, *header[at:]], [
        [*row[:at], *told(row), *row[at:]] for row in rows
    ]


def _csv(problem: Problem, solution: Solution, _ground: _Ground) -> Reply:
    text = "\ufeff" + table_text(*_table(problem, solution))  # or Excel takes it for another code
    return Reply(200, _bytes(text), "text/csv; charset=utf-8", "routes.csv")


def _xlsx(problem: Problem, solution: Solution, _ground: _Ground) -> Reply:
    """The timetable, the vehicles, the figures of the plan, and what is not served and why."""
    header, rows = _table(problem, solution)
    found = answer(problem, solution)
    vehicles = [
        {name: value for name, value in one.items() if name not in ("cost", "violations")}
        | {"cost": one["cost"]["total"], "violations": "; ".join(one["violations"])}
        for one in found["by_vehicle"]
    ]
    names = list(vehicles[0]) if vehicles else []
    left = [[problem.names[one.stop], one.reason, one.required] for one in solution.unassigned]
    sheets: dict[str, list[Any]] = {
        "routes": [header, *rows],
        "vehicles": [names, *([one[name] for name in names] for one in vehicles)],
        "plan": [["figure", "value"], *found["figures"].items()],
        "not served": [["stop", "reason", "required"], *left],
    }
    return Reply(200, workbook(sheets), _XLSX, "routes.xlsx")


def _gpx(problem: Problem, solution: Solution, ground: _Ground) -> Reply:
    """Every vehicle's stops as a route, and its way along the streets as a track."""
    from nco.plot.paths import paths
    from nco.sheets.gpx import gpx_of_all
    from nco.sheets.sheet import day_of

    needs_lonlat(problem)
    ways, day = paths(problem, solution, *ground), day_of(problem, solution)
    text = gpx_of_all(
        ((sheet, [ways[r].line for r in sheet.routes]) for sheet in day.sheets), day.title
    )
    return Reply(200, _bytes(text), "application/gpx+xml", "routes.gpx")


def _sheets(problem: Problem, solution: Solution, ground: _Ground) -> Reply:
    """All pages for drivers and the dispatcher in one archive."""
    from nco.sheets import write_sheets

    packed = io.BytesIO()
    with tempfile.TemporaryDirectory(prefix="nco-") as folder:
        written = write_sheets(folder, problem, solution, **ground._asdict())
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, path in written.items():
                archive.write(path, name)
    return Reply(200, packed.getvalue(), "application/zip", "sheets.zip")


def _sheet(kind: str, media: str) -> Callable[[Problem, Solution, _Ground], Reply]:
    """A single one of the sheets."""

    def one(problem: Problem, solution: Solution, ground: _Ground) -> Reply:
        from nco.sheets import write_sheets

        with tempfile.TemporaryDirectory(prefix="nco-") as folder:
            written = write_sheets(folder, problem, solution, **ground._asdict())
            if kind not in written:
                raise InputError("the problem has no coordinates, or nothing is driven")
            return Reply(200, Path(written[kind]).read_bytes(), media, kind)

    return one


FORMATS: dict[str, Callable[[Problem, Solution, _Ground], Reply]] = {
    "json": _json,
    "geojson": _geojson,
    "vroom": _vroom,
    "csv": _csv,
    "xlsx": _xlsx,
    "gpx": _gpx,
    "sheets": _sheets,
    "pdf": _sheet("sheets.pdf", "application/pdf"),
    "html": _sheet("summary.html", "text/html; charset=utf-8"),
}
"""Formats by the name that a client gives."""
PRINTED = frozenset({"sheets", "pdf", "html", "gpx"})
"""Those that take seconds, because maps are drawn."""


@served.replying
def export(kind: str, solution: bytes, problem: bytes, city: str | None) -> Reply:
    """A plan as a file.

    Args:
        kind: of `FORMATS`.
        solution: JSON with `routes`.
        problem: JSON as it was posed.
        city: whose streets routes follow; that of the problem, or the first one, if left out.
    """
    _refuse(kind)
    posed_problem = posed_by(problem)
    found = routes_of(served.fields_of(solution), posed_problem).with_reasons(posed_problem)
    ground = _Ground(city_by(problem, city), streets_by(problem))
    return FORMATS[kind](posed_problem, found, ground)


@served.replying
def export_left(kind: str, left: bytes, whole: bytes, city: str | None) -> Reply:
    """What is left of a day as a file.

    Args:
        kind: of `FORMATS`.
        left: JSON of what is left: `problem` and `routes`, see `days.left`.
        whole: the problem that the day began with, as it was posed; its streets are driven.
        city: as in `export`.
    """
    _refuse(kind)
    data = served.fields_of(left)
    problem = native.problem_from(data.child("problem"))
    found = routes_of(data, problem).with_reasons(problem)
    return FORMATS[kind](problem, found, _Ground(city_by(whole, city), streets_by(whole)))


def _refuse(kind: str) -> None:
    if kind not in FORMATS:
        raise InputError(f"this format is not known; known are {', '.join(FORMATS)}")
