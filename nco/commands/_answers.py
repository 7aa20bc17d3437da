"""The files that a solved problem leaves behind."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nco.errors import StorageError

if TYPE_CHECKING:
    from nco.data.city import City
    from nco.problem import Problem
    from nco.solution import Solution


def prepare(folder: Path) -> None:
    """Make a folder and see that files can be written there, before hours of solving.

    Raises:
        StorageError: it cannot be made or written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise StorageError(
            f"cannot write into {folder}: {error.strerror or error}; "
            "choose a folder that can be written"
        ) from error


def write_answer(
    folder: Path, problem: Problem, solution: Solution, city: City | None
) -> dict[str, Path]:
    """Write problem and solution in every format that fits them.

    Each file is written whole under another name and then renamed, so that what stood there
    before is lost only to its replacement.

    Raises:
        StorageError: the folder cannot be written.
    """
    from nco.data.geojson import write_geojson
    from nco.data.native import write_problem, write_solution
    from nco.data.solution_csv import write_routes

    written = {
        "problem": write_problem(folder / "problem.json", problem),
        "solution": write_solution(folder / "solution.json", solution),
        "routes": write_routes(folder / "routes.csv", problem, solution),
    }
    if problem.lonlat is not None:
        written["geojson"] = write_geojson(folder / "routes.geojson", problem, solution, city=city)
    elif problem.depots == 1:
        from nco.data.formats import save

        written["sol"] = save(folder / "solution.sol", solution, problem)
    return written


def write_map(
    folder: Path, problem: Problem, solutions: Sequence[Solution], city: City | None
) -> Path:
    """Write the interactive map.

    Raises:
        InputError: the problem has no coordinates, or Bokeh is not installed.
        StorageError: the folder cannot be written.
    """
    from nco.map import map as draw

    return draw(problem, solutions, city).save(folder / "map.html")
