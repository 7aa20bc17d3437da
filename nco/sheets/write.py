"""All sheets of a plan, written into a folder."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from nco import _validate as validate
from nco.arguments import of_kind, path_of
from nco.errors import InputError, quoted
from nco.files import write_atomic
from nco.problem import Problem
from nco.problem.given import given_problem
from nco.problem.solution import Solution
from nco.sheets.html import sheet_page, summary_page
from nco.sheets.links import parts
from nco.sheets.sheet import Day, Sheet, day_of

if TYPE_CHECKING:
    from nco.data.cities.city import City
    from nco.data.formats.drawn import Drawn
    from nco.plot.paths import Path as Way

logger = logging.getLogger("nco")
_DAY_S = 86400.0
_KINDS = ("html", "gpx")


def write_sheets(
    folder: str | Path,
    problem: Problem,
    solution: Solution,
    city: City | None = None,
    *,
    begin_s: float = 0.0,
    streets: Mapping[str, Drawn] = MappingProxyType({}),
) -> dict[str, Path]:
    """Write a page a vehicle and a summary for the dispatcher, as HTML and PDF, and ways as GPX.

    Args:
        folder: where to; made if it is missing. Files of the same names are replaced.
        problem: what the solution is for. Without `lonlat` there are no maps, links and GPX.
        solution: feasible or not.
        city: its streets are drawn and followed; None draws straight lines.
        begin_s: time of day, in seconds, at which times begin that count from nowhere
            (`Times.NUMBERS`).
        streets: those of vehicles that drive on others, see `nco.data.formats.drawn.streets_of`.

    Returns:
        What was written, by name: `summary.html`, `sheets.pdf` (all pages), `vehicle-0.html`,
        `vehicle-0.gpx`, ...

    Raises:
        InputError: `begin_s` is no time of a day.
        CityError: the city has no streets here.
        StorageError: a file cannot be written; each is whole or not there.
    """
    folder = path_of(folder, "folder")
    given_problem(problem)
    of_kind(solution, Solution, "solution", "an nco.Solution, as nco.solve makes one")
    if not 0 <= validate.number(begin_s, "begin_s", InputError) < _DAY_S:
        raise InputError(f"begin_s is {quoted(begin_s)}; give seconds from midnight, below 86400")
    day = day_of(problem, solution, begin_s)
    if not day.located:
        logger.warning("%s has no coordinates: sheets are without maps and links", problem.name)
    ways = _ways(day, problem, solution, city, streets)
    contents = list(_contents(day, problem, city, ways))  # all of them, before the first is out
    written = {name: write_atomic(folder / name, content) for name, content in contents}
    left = sorted(
        path.name
        for kind in _KINDS
        for path in folder.glob(f"vehicle-*.{kind}")
        if path.name not in written
    )
    if left:
        logger.warning("%s has sheets of another plan: %s; remove them", folder, ", ".join(left))
    return written


def _contents(
    day: Day, problem: Problem, city: City | None, ways: list[Way]
) -> Iterator[tuple[str, bytes | str]]:
    """Name and content of each file."""
    from nco.sheets.pdf import Pages

    pictures = _Pictures(city, ways)
    names = [f"vehicle-{sheet.vehicle}" for sheet in day.sheets]
    overview = pictures.of(day.sheets)
    yield "summary.html", summary_page(day, [f"{name}.html" for name in names], overview)
    with closing(Pages(repr(day), day.title)) as pages:
        pages.summary(day, overview)
        for sheet, name in zip(day.sheets, names, strict=True):
            profile = problem.profiles[problem.vehicles[sheet.vehicle].profile].name
            gpx = f"{name}.gpx" if day.located else ""
            leads = parts([line.lonlat for line in sheet.lines if line.lonlat is not None], profile)
            picture = pictures.of([sheet])
            yield f"{name}.html", sheet_page(day, sheet, leads, picture, profile, gpx)
            pages.sheet(day, sheet, leads, picture, profile)
            if gpx:
                from nco.sheets.gpx import gpx as document

                yield gpx, document(sheet, [ways[r].line for r in sheet.routes], day.title)
        yield "sheets.pdf", pages.content()


def _ways(
    day: Day,
    problem: Problem,
    solution: Solution,
    city: City | None,
    streets: Mapping[str, Drawn],
) -> list[Way]:
    if not day.located:
        return []
    from nco.plot.paths import paths

    return paths(problem, solution.on(problem), city, streets)


class _Pictures:
    """Maps of some vehicles, on one ground."""

    def __init__(self, city: City | None, ways: list[Way]) -> None:
        self._ways, self._ground = ways, None
        if ways:
            from nco.sheets.picture import Ground

            self._ground = Ground(city)

    def of(self, sheets: list[Sheet] | tuple[Sheet, ...]) -> bytes | None:
        """A PNG; None where there is nothing to draw."""
        if self._ground is None or not sheets:
            return None
        from nco.sheets.picture import picture

        routes = [self._ways[r] for sheet in sheets for r in sheet.routes]
        return picture(self._ground, routes, sheets)
