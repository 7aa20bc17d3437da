"""The files that a solved problem leaves behind."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nco.errors import StorageError

if TYPE_CHECKING:
    from nco.data.cities.city import City
    from nco.problem import Problem
    from nco.problem.solution import Solution


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
    from nco.data.formats.registry import save

    def write(kind: str, name: str) -> None:
        written[kind] = save(solution, folder / name, problem=problem, city=city)

    written = {"problem": save(problem, folder / "problem.json")}
    write("solution", "solution.json")
    write("routes", "routes.csv")
    if problem.lonlat is not None:
        write("geojson", "routes.geojson")
    elif problem.depots == 1:
        write("sol", "solution.sol")
    return written


def write_map(
    folder: Path,
    problem: Problem,
    solutions: Sequence[Solution],
    city: City | None,
    title: str | None = None,
) -> Path:
    """Write the interactive map.

    Raises:
        InputError: the problem has no coordinates, or Bokeh is not installed.
        StorageError: the folder cannot be written.
    """
    from nco.plot.page import map as draw

    return draw(problem, solutions, city, title=title).save(folder / "map.html")
