"""Figures of transit design: lines in colour on the map, and fronts of travel time and cost."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from nco import _validate as validate
from nco.arguments import of_kind
from nco.arrays import Floats
from nco.colours import COLOURS
from nco.errors import InputError, counted, quoted
from nco.plot.canvas import INK, axes_or_new, frame, plane
from nco.plot.paths import keep_right
from nco.transit.files.geojson import line_names
from nco.transit.instance.lines import Lines, LinesLike, as_lines, refuse_bad_lines
from nco.transit.instance.transit_instance import TransitInstance

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from nco.data.cities.city import City
    from nco.transit.simulate.result import Simulation

_THIN_PT, _THICK_PT, _GAP_PT = 1.8, 7.0, 0.7
# Points from edge to edge of a new figure, to turn widths into places on the ground.
_ACROSS_PT = 480.0
_DASHES: tuple[Any, ...] = ("-", (0, (5, 1.5)), (0, (1.5, 1.5)))  # of lines of one colour
_MOST_NAMED = 24


def picture(
    instance: TransitInstance,
    lines: LinesLike,
    city: City | None = None,
    simulation: Simulation | None = None,
    names: Sequence[str] | None = None,
) -> bytes:
    """A PNG of `transit`, lines as wide as passengers ride them in a simulation."""
    from matplotlib.figure import Figure

    given = as_lines(lines)
    loads = None
    if simulation is not None:
        loads = [
            load[:, : len(line) - 1].sum(axis=0)
            for line, load in zip(given, simulation.load, strict=True)
        ]
    figure = Figure(figsize=(9.0, 8.0), dpi=150, layout="constrained")
    transit(instance, given, city, figure.subplots(), loads=loads, names=names)
    png = io.BytesIO()
    figure.savefig(png, format="png")
    return png.getvalue()


def transit(
    instance: TransitInstance,
    lines: LinesLike,
    city: City | None = None,
    ax: Axes | None = None,
    *,
    loads: Sequence[ArrayLike] | None = None,
    names: Sequence[str] | None = None,
    title: str | None = None,
) -> Axes:
    """Draw lines in colour, those that share a link side by side.

    Args:
        instance: with `lonlat` or `xy`.
        lines: nodes in order.
        city: its streets are drawn and followed; None draws straight pieces over all links.
        ax: where to draw.
        loads: for each line its passengers on each stretch from stop to stop, in any unit; more
            are drawn wider.
        names: of the lines, for the legend.
        title: None says the instance and how many lines there are.

    Raises:
        InputError: the instance has no coordinates, or `loads` does not match the lines.
        ProblemError: a line uses a link or a stop that does not exist.
        CityError: the city has no streets here, or does not hold the stops.
    """
    of_kind(instance, TransitInstance, "instance", "a TransitInstance")
    given = refuse_bad_lines(instance, lines)
    titles = line_names(given, names)
    on_earth = instance.lonlat is not None
    where = instance.lonlat if instance.lonlat is not None else instance.xy
    if where is None:
        raise InputError(
            f"instance {quoted(instance.name)} has neither lonlat nor xy, so it cannot be drawn; "
            "give TransitInstance(xy=...)"
        )
    widths = _widths(given, loads)
    units = plane(where) if on_earth else np.ones(2)
    size = float(np.ptp(where * units, axis=0).max())
    ax = axes_or_new(ax)
    if city is not None and on_earth:
        from nco.plot.figures import background  # what `plot.routes` lays under its lines

        background(ax, city, size)
    else:
        city = None
        for i, j in instance.links:
            ax.plot(*where[[i, j]].T, color="#d5d9df", linewidth=1.0, zorder=1)
    ways = {link: _way(where, link, city) for line in given for link in _links(line)}
    for (r, k), lane in sorted(_lanes(given, widths).items()):
        link = _links(given[r])[k]
        way = ways[link] * units
        shift = np.full(len(way) - 1, lane * size / _ACROSS_PT)
        style: dict[str, Any] = {"solid_capstyle": "round", "solid_joinstyle": "round"}
        style |= {"color": COLOURS[r % len(COLOURS)], "linewidth": widths[r][k], "zorder": 3}
        # The eleventh line is told from the first, whose colour it has, by its dashes.
        style["linestyle"] = _DASHES[r // len(COLOURS) % len(_DASHES)]
        style["label"] = titles[r] if k == 0 and len(given) <= _MOST_NAMED else None
        ax.plot(*(keep_right(way, shift) / units).T, **style)
    _stops(ax, instance, where, given)
    frame(ax, [where, *ways.values()], on_earth=on_earth)
    if len(given) <= _MOST_NAMED:
        ax.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), fontsize=7, frameon=False)
    text = f"{instance.name}: {counted(len(given), 'line')}"
    ax.set_title(text if title is None else title, loc="left", color=INK)
    return ax


def fronts(sets: Mapping[str, ArrayLike], ax: Axes | None = None, *, title: str = "") -> Axes:
    """Draw what passengers spend against what the operator spends, one front a method.

    Args:
        sets: for each method `[k, 2]`, mean travel time and cost of its designs, both in minutes.
            Designs that another of the same method beats in both are drawn fainter.
        ax: where to draw.
        title: above the figure.

    Raises:
        InputError: there is nothing to draw, or a set is not `[k, 2]`.
    """
    of_kind(sets, Mapping, "sets", "a mapping from methods to their (time, cost) pairs")  # type: ignore[type-abstract]
    points = {name: validate.array(values, quoted(name)) for name, values in sets.items()}
    for name, values in points.items():
        if values.ndim != 2 or values.shape[1] != 2 or not len(values):
            raise InputError(
                f"{quoted(name)} has shape {values.shape}; one row (time, cost) a design"
            )
    if not points:
        raise InputError("there are no designs to draw; give (time, cost) of each")
    ax = axes_or_new(ax, size=(6.4, 4.4))
    for m, (name, values) in enumerate(points.items()):
        colour = COLOURS[m % len(COLOURS)]
        best = undominated(values)
        ax.scatter(values[:, 0], values[:, 1], s=10, color=colour, alpha=0.3, linewidths=0)
        style: dict[str, Any] = {"where": "post", "color": colour, "linewidth": 1.2}
        ax.step(*best.T, "o-", markersize=3.5, label=name, **style)
    ax.set_xlabel("mean travel time of passengers (min)")
    ax.set_ylabel("length of all lines (min)")
    ax.grid(color="#e3e6ea", linewidth=0.8)
    ax.set_axisbelow(True)
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(frameon=False)
    ax.set_title(title, loc="left", color=INK)
    return ax


def undominated(values: Floats) -> Floats:
    """The rows `[k, 2]` that no other row beats in one column without losing in the other.

    Returns:
        They are sorted by the first column, each once.
    """
    ordered = np.unique(values, axis=0)
    lowest = np.minimum.accumulate(ordered[:, 1])
    keep = np.append(True, ordered[1:, 1] < lowest[:-1])
    return np.asarray(ordered[keep])


def _links(line: tuple[int, ...]) -> list[tuple[int, int]]:
    """The stretches of a line, each from its smaller to its larger node."""
    return [(min(pair), max(pair)) for pair in pairwise(line)]


def _widths(lines: Lines, loads: Sequence[ArrayLike] | None) -> list[Floats]:
    """Points of width for each line and stretch."""
    if loads is None:
        return [np.full(len(line) - 1, _THIN_PT) for line in lines]
    numbers = [np.asarray(load, dtype=np.float64) for load in loads]
    wanted = [(len(line) - 1,) for line in lines]
    if [load.shape for load in numbers] != wanted:
        raise InputError(
            f"loads has {counted(len(numbers), 'entry')} for {counted(len(lines), 'line')}, or "
            "one of another length "
            "than its line has stretches; give one number from each stop to the next"
        )
    most = max((float(load.max()) for load in numbers), default=0.0)
    return [_THIN_PT + (_THICK_PT - _THIN_PT) * load / max(most, 1e-9) for load in numbers]


def _lanes(lines: Lines, widths: Sequence[Floats]) -> dict[tuple[int, int], float]:
    """How far each stretch of each line is shifted from the middle of its link, in points."""
    users: dict[tuple[int, int], list[tuple[int, int]]] = {}
    for r, line in enumerate(lines):
        for k, link in enumerate(_links(line)):
            users.setdefault(link, []).append((r, k))
    lanes: dict[tuple[int, int], float] = {}
    for stretches in users.values():
        wide = np.array([widths[r][k] + _GAP_PT for r, k in stretches])
        middle = np.cumsum(wide) - wide / 2 - wide.sum() / 2
        lanes |= dict(zip(stretches, middle.tolist(), strict=True))
    return lanes


def _way(where: Floats, link: tuple[int, int], city: City | None) -> Floats:
    """`[k, 2]` along the streets from the smaller to the larger node."""
    ends = where[list(link)]
    if city is None:
        return ends
    way = city.geometry(ends)[0]
    return way if len(way) > 1 else ends


def _stops(ax: Axes, instance: TransitInstance, where: Floats, lines: Lines) -> None:
    """Larger dots where more lines meet, a square at the hub, a ring where no line stops."""
    count = np.zeros(instance.size)
    for line in lines:
        count[list(set(line))] += 1
    served = count > 0
    style: dict[str, Any] = {"edgecolors": INK, "zorder": 5}
    area = 10 + 8 * count[served]
    x, y = where.T
    ax.scatter(x[served], y[served], s=area, facecolors="white", linewidths=1.0, **style)
    ax.scatter(x[~served], y[~served], s=10, facecolors="none", linewidths=0.6, **style)
    if instance.hub is not None:
        h = instance.hub
        ax.scatter(x[h], y[h], marker="s", s=70, color=INK, edgecolors="white", zorder=6)
