"""Figures: routes on streets, anytime curves, and how directed a city's matrices are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from nco.arguments import of_kind, several
from nco.arrays import Floats
from nco.colours import COLOURS
from nco.data.cities.engine import as_lonlat
from nco.data.cities.streets import Streets, given_city
from nco.errors import InputError, counted, quoted
from nco.plot.canvas import (
    GROUND,
    INK,
    KERB,
    METRES_PER_DEGREE,
    STREET,
    arrow,
    axes_or_new,
    credit,
    frame,
    plane,
)
from nco.plot.paths import Path, keep_right, lanes, paths, places, street_widths
from nco.problem import Problem
from nco.problem.given import given_problem
from nco.problem.solution import Solution
from nco.stats import interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from nco.data.cities.city import City

_LANE = 0.0040  # width of a lane, of the extent of what is drawn
_ARROW = 0.05  # legs shorter than this, of the extent, get no arrow


def streets(city: City, ax: Axes | None = None) -> Axes:
    """Draw the streets of a city as a quiet background, fast ones wider, with the credit.

    Args:
        city: with streets (not behind a server).
        ax: where to draw.

    Raises:
        CityError: the city has no streets here.
    """
    from nco.data.cities.city import City

    west, south, east, north = given_city(city, City).bbox
    ax = axes_or_new(ax)
    background(ax, city, north - south)
    frame(ax, [np.array([[west, south], [east, north]])], on_earth=True)
    return ax


def background(ax: Axes, city: City, extent: float) -> None:
    """Streets as white lines with a kerb; `extent` is what will be shown, in degrees north."""
    from matplotlib.collections import LineCollection

    lines, widths = city.streets(), street_widths(city, extent * METRES_PER_DEGREE)
    ax.set_facecolor(GROUND)
    for colour, extra in ((KERB, 1.0), (STREET, 0.0)):
        ax.add_collection(
            LineCollection(
                lines,
                colors=colour,
                linewidths=widths + min(1.0, float(widths.max()) / 4) * extra,
                capstyle="round",
                zorder=1,
            )
        )
    credit(ax)


def routes(
    problem: Problem,
    solution: Solution,
    city: City | None = None,
    ax: Axes | None = None,
    *,
    title: str | None = None,
    streets: Mapping[str, City] = MappingProxyType({}),
) -> Axes:
    """Draw a solution: each route in a colour of its own, larger demands as larger dots.

    Args:
        problem: what the solution is for; needs coordinates.
        solution: feasible or not; what no route serves is marked with a cross.
        city: its streets are drawn and followed; None draws straight lines.
        ax: where to draw.
        title: None says method, kilometres and number of routes.
        streets: those of vehicles that drive on others, by the names of their profiles.

    Raises:
        InputError: the problem has no coordinates.
        CityError: the city has no streets here, or does not hold the stops.
    """
    given_problem(problem)
    of_kind(solution, Solution, "solution", "an nco.Solution, as nco.solve makes one")
    where, drawn = places(problem), paths(problem, solution, city, streets)
    ax = axes_or_new(ax)
    extent = [where, *(path.line for path in drawn)]
    units = np.ones(2) if problem.lonlat is None else plane(where)
    size = float(np.ptp(np.concatenate(extent) * units, axis=0).max())
    if city is not None and problem.lonlat is not None:
        background(ax, city, size)
    for path, offsets in zip(drawn, lanes(drawn), strict=True):
        _draw(ax, problem, path, offsets, units, size)
    missing = [u.stop for u in solution.unassigned]
    ax.scatter(
        where[missing, 0],
        where[missing, 1],
        marker="x",
        s=45,
        color="#b00020",
        zorder=6,
        linewidths=2,
    )
    x, y = where[: problem.depots].T
    ax.scatter(x, y, marker="s", s=80, color=INK, edgecolors="white", linewidths=1.5, zorder=7)
    frame(ax, extent, on_earth=problem.lonlat is not None)
    ax.set_title(_title(problem, solution) if title is None else title, loc="left", color=INK)
    return ax


def anytime(
    runs: Iterable[tuple[str, float, float]],
    ax: Axes | None = None,
    *,
    title: str = "",
    methods: Sequence[str] = (),
    fallbacks: Mapping[tuple[str, float], int] = MappingProxyType({}),
) -> Axes:
    """Draw how far methods are from the best answer at each time budget.

    Bands are intervals that hold the mean of all such instances with a probability of 95 %
    (bootstrap); a single run has none. A point whose mean is over fewer runs than that of others
    says over how many. One that fallbacks are part of is hollow, and says how many they are.

    Args:
        runs: method, budget in seconds, gap to the best known answer (0.01 is 1 %); several of
            one method and budget are averaged.
        ax: where to draw.
        title: above the figure.
        methods: all methods of a figure with several axes, so that each has one colour there.
        fallbacks: how many of the runs of a method and budget have an answer that is not the
            method's own, see `nco.Solution`.

    Raises:
        InputError: there is nothing to draw.
    """
    found: dict[str, dict[float, list[float]]] = {}
    for run in several(runs, "runs", "(method, budget_s, gap) of each"):
        try:
            method, budget_s, gap = run
        except (TypeError, ValueError):
            given = quoted(run)
            raise InputError(f"a run is {given}; give (method, budget_s, gap) of each") from None
        found.setdefault(method, {}).setdefault(budget_s, []).append(gap)
    if not found:
        raise InputError("there are no runs to draw; give (method, budget_s, gap) of each")
    ax = axes_or_new(ax, size=(6.4, 4.0))
    coloured = sorted({*found, *methods})
    colour_of = {m: COLOURS[k % len(COLOURS)] for k, m in enumerate(coloured)}
    # From the top down as the lines end, so that the legend reads like the figure.
    order = sorted(found, key=lambda m: -np.mean(found[m][max(found[m])]))
    most = max(len(gaps) for by_budget in found.values() for gaps in by_budget.values())
    for method in order:
        budgets = sorted(found[method])
        means = [100 * float(np.mean(found[method][b])) for b in budgets]
        ax.plot(budgets, means, "o-", color=colour_of[method], label=method, markersize=5)
        ends = [interval(found[method][b]) or (np.nan, np.nan) for b in budgets]
        low, high = 100 * np.array(ends).T
        ax.fill_between(budgets, low, high, color=colour_of[method], alpha=0.15, linewidth=0)
        ax.vlines(budgets, low, high, color=colour_of[method], alpha=0.4, linewidth=1)
        for budget_s, mean in zip(budgets, means, strict=True):
            count, fallen = len(found[method][budget_s]), fallbacks.get((method, budget_s), 0)
            if fallen:
                ax.plot(budget_s, mean, "o", color=colour_of[method], mfc="white", markersize=5)
            words = [f"n={count}"] * (count < most) + [f"*{fallen}"] * bool(fallen)
            if words:
                ax.annotate(
                    " ".join(words), (budget_s, mean), (5, 4), textcoords="offset points",
                    fontsize=7, color=colour_of[method],
                )  # fmt: skip
    if any((m, b) in fallbacks for m, by_budget in found.items() for b in by_budget):
        star = "not its own answers in *n runs"
        ax.plot([], [], "o", color=INK, mfc="white", markersize=5, label=star)
    ticks = sorted({budget for by_budget in found.values() for budget in by_budget})
    ax.set_xscale("log")
    ax.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    ax.minorticks_off()
    ax.set_ylim(bottom=min(0.0, ax.get_ylim()[0]))
    ax.set_xlabel("time limit (s)")
    ax.set_ylabel("mean gap to the best (%)")
    ax.grid(color="#e3e6ea", linewidth=0.8)
    ax.set_axisbelow(True)
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(frameon=False)
    ax.set_title(title, loc="left", color=INK)
    return ax


def asymmetry(
    city: City, points: ArrayLike, ax: Axes | None = None, *, title: str | None = None
) -> Axes:
    """Show on a map how much the way there differs from the way back.

    Points are coloured by the relative difference of the two distances, averaged over all other
    points; the pair that differs most is drawn along the streets in both directions.

    Args:
        city: with streets.
        points: `[n, 2]` lonlat, 2 or more.
        ax: where to draw.
        title: None says how far the drawn pair is apart in both directions.

    Raises:
        CityError: a point is not in the city.
        InputError: no two of the points reach one another.
    """
    given_city(city, Streets)  # type: ignore[type-abstract]
    lonlat = as_lonlat(points)
    there = city.matrix(lonlat).distance_m if len(lonlat) > 1 else np.zeros((1, 1))
    both = np.isfinite(there) & np.isfinite(there.T) & ~np.eye(len(there), dtype=bool)
    if not both.any():
        raise InputError("no two of the points reach one another; give 2 or more that do")
    longer = np.subtract(there, there.T, out=np.full_like(there, -1.0), where=both)
    share = np.abs(longer) / np.maximum(np.maximum(there, there.T), 1e-9)
    mean = np.where(both, share, 0.0).sum(axis=1) / np.maximum(both.sum(axis=1), 1)
    a, b = (int(k) for k in np.unravel_index(np.argmax(longer), longer.shape))
    ax = streets(city, ax)
    units = plane(lonlat)
    for i, j, names, colour in ((a, b, "A to B", COLOURS[1]), (b, a, "B to A", COLOURS[0])):
        line = city.geometry(lonlat[[i, j]])[0]
        label = f"{names}: {there[i, j]:.0f} m"
        ax.plot(*line.T, color=colour, linewidth=2.4, zorder=3, label=label)
        arrow(ax, line * units, units, colour)
    x, y = lonlat.T
    style: dict[str, Any] = {"edgecolors": "white", "linewidths": 0.8, "zorder": 5}
    dots = ax.scatter(x, y, c=100 * mean, cmap="viridis", s=36, **style)
    box = {"boxstyle": "circle,pad=0.2", "facecolor": INK, "linewidth": 0}
    for k, text in ((a, "A"), (b, "B")):
        style = {"color": "white", "fontsize": 9, "weight": "bold", "zorder": 8, "bbox": box}
        ax.annotate(text, lonlat[k], (7, 7), textcoords="offset points", **style)
    ax.figure.colorbar(
        dots, ax=ax, shrink=0.6, pad=0.02, label="mean difference of there and back (%)"
    )
    ax.legend(loc="upper left", framealpha=0.9, edgecolor="none")
    text = f"{city.name}: {there[a, b]:.0f} m there, {there[b, a]:.0f} m back"
    ax.set_title(text if title is None else title, loc="left", color=INK)
    return ax


def _title(problem: Problem, solution: Solution) -> str:
    length = solution.cost.distance_m
    far = f"{length:g}" if problem.lonlat is None else f"{length / 1000:.2f} km"
    trouble = "" if solution.feasible else ", not feasible"
    return (
        f"{solution.method or 'routes'}: {far}, {counted(len(solution.routes), 'route')}{trouble}"
    )


def _draw(
    ax: Axes, problem: Problem, path: Path, offsets: list[Floats], units: Floats, size: float
) -> None:
    """One route over white casings, the direction of its longer legs, and its stops."""
    for leg, lane in zip(path.legs, offsets, strict=True):
        line = keep_right(leg.line * units, _LANE * size * (0.6 + lane))
        style: dict[str, Any] = {"solid_capstyle": "round", "solid_joinstyle": "round"}
        ax.plot(*(line / units).T, color="white", linewidth=3.8, zorder=2.5, **style)
        dashes = "-" if leg.on_streets or problem.lonlat is None else (0, (4, 2))
        style |= {"color": path.colour, "linewidth": 1.8, "linestyle": dashes, "zorder": 3}
        ax.plot(*(line / units).T, **style)
        if len(line) > 1 and np.linalg.norm(np.diff(line, axis=0), axis=1).sum() > _ARROW * size:
            arrow(ax, line, units, path.colour)
    stops = [visit.node for visit in path.timetable.visits[1:-1]]
    demand = problem.demand[:, 0] if problem.dimensions else np.ones(problem.size)
    area = 20 + 42 * demand[stops] / max(float(demand.max()), 1e-9)
    x, y = places(problem)[stops].T
    ax.scatter(x, y, s=area, color=path.colour, edgecolors="white", linewidths=1.1, zorder=5)
