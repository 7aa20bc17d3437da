"""The demo: one delivery problem on the built-in city by every method, checked, drawn, reported."""

from __future__ import annotations

import io
import json
import logging
import textwrap
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nco import console
from nco.compare import Answer, Show, as_row, best, compare, cost_text, gaps
from nco.data.cities.city import CREDIT
from nco.files import write_atomic
from nco.interruption import interrupted
from nco.versions import machine, versions

if TYPE_CHECKING:
    from nco.data.cities.city import City
    from nco.problem import Problem

log = logging.getLogger("nco")

METHODS = ("auto", "pyvrp", "hgs", "ortools", "vroom", "policy", "savings")
CITY, SIZE, SEED, TIME_LIMIT_S = "helsinki", 120, 1, 2.0
POLICY = "learned, without a search"
"""What an answer of `policy` is, beside those of searches."""


@dataclass(frozen=True)
class Demo:
    """What the demo did.

    Attributes:
        problem: what was solved.
        answers: one a method.
        files: what was written, by kind.
    """

    problem: Problem
    answers: list[Answer]
    files: dict[str, Path]

    @property
    def sound(self) -> bool:
        """Whether the checker finds nothing wrong with any answer."""
        return all(answer.feasible for answer in self.answers)


def run(
    folder: Path,
    *,
    methods: Sequence[str] = METHODS,
    size: int = SIZE,
    seed: int = SEED,
    time_limit_s: float = TIME_LIMIT_S,
    show: Show = console.progress,
) -> Demo:
    """Solve a problem in Helsinki by several methods and write what came of it.

    Args:
        folder: gets problem.json, solution.json, routes.csv and routes.geojson of the best
            answer, routes.png, map.html with all answers, and report.json; no figures where a
            command that heeds interruptions is interrupted.
        methods: names of methods.
        size: stops.
        seed: of the problem and of each method.
        time_limit_s: of each method.
        show: shows progress, told the task and the seconds that it may take.

    Raises:
        NcoError: a method is unknown, or the folder cannot be written.
    """
    from nco.answers import prepare, write_answer
    from nco.data.cities.places import city as open_city
    from nco.data.sampling import sample

    prepare(folder)
    log.info("opening the streets of %s", CITY.title())
    with show("building the streets", 5.0):
        city = open_city(CITY)
        problem = sample.rcvrp(city, size, seed=seed)

    def told(task: str, expected_s: float) -> AbstractContextManager[None]:
        log.info("%s", task)
        return show(task, expected_s)

    answers = compare(problem, methods, time_limit_s=time_limit_s, seed=seed, show=told)
    ranked = sorted(answers, key=lambda a: (not a.feasible, a.solution.rank))
    files = write_answer(folder, problem, ranked[0].solution, city)
    if not interrupted():  # drawing takes seconds
        log.info("drawing")
        with show("drawing", 8.0):
            files |= _drawn(folder, problem, answers, ranked, city)
    report = folder / "report.json"
    files["report"] = report
    text = json.dumps(console.finite(describe(problem, city, answers, files)), indent=1)
    write_atomic(report, text + "\n")
    return Demo(problem, answers, files)


def _drawn(
    folder: Path, problem: Problem, answers: list[Answer], ranked: list[Answer], city: City
) -> dict[str, Path]:
    from nco.answers import write_map

    title = f"{len(problem.stops)} deliveries in {CITY.title()}"
    return {
        "picture": write_atomic(folder / "routes.png", picture(problem, answers, city)),
        "map": write_map(folder, problem, [a.solution for a in ranked], city, title),
    }


def describe(
    problem: Problem, city: City, answers: list[Answer], files: dict[str, Path]
) -> dict[str, Any]:
    """All that is needed to repeat and to judge the demo, as plain data."""
    rows = [as_row(problem, a, gap) for a, gap in zip(answers, gaps(answers), strict=True)]
    return {
        "city": {key: fact for key, fact in city.info().items() if key != "extract"},
        "problem": problem.name,
        "stops": len(problem.stops),
        "capacity": list(problem.vehicles[0].capacity),
        "demand": float(problem.demand.sum()),
        "interrupted": interrupted(),
        "best": best(answers).method,
        "answers": rows,
        "versions": versions(),
        "machine": machine(),
        "files": {kind: path.name for kind, path in files.items()},
        "credit": CREDIT,
    }


def picture(problem: Problem, answers: list[Answer], city: City) -> bytes:
    """The best answer beside that of the policy (or of the next best method), as a PNG."""
    from matplotlib.figure import Figure

    from nco.plot import routes

    ranked = sorted(answers, key=lambda a: (not a.feasible, a.solution.rank))
    others = [a for a in ranked[1:] if a.method == "policy"] or ranked[1:2]
    shown = [ranked[0], *others[:1]]
    figure = Figure(figsize=(5.6 * len(shown), 8.9), dpi=120, layout="constrained")
    axes = figure.subplots(1, len(shown), squeeze=False)[0]
    gap_of = dict(zip((a.method for a in answers), gaps(answers), strict=True))
    for ax, answer in zip(axes, shown, strict=True):
        gap = gap_of[answer.method]
        label = answer.solution.label
        if answer.method == "policy":
            label += f" ({POLICY})"
        text = f"{label}   {cost_text(problem, answer.report.cost)} km"
        text += (
            "" if gap is None else "   best" if answer is ranked[0] else f"   +{100 * gap:.1f} %"
        )
        routes(problem, answer.solution, city, ax, title=text)
        ax.title.set_fontsize(12)
    load = int(problem.demand.sum())
    words = (
        f"{len(problem.stops)} deliveries in {city.name.title()}: {load} units, "
        f"vehicles of {problem.vehicles[0].capacity[0]:g}, shortest total distance by road"
    )
    figure.suptitle(textwrap.fill(words, 90), fontsize=14, weight="bold")
    png = io.BytesIO()
    figure.savefig(png, format="png")
    return png.getvalue()
