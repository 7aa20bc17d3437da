"""What lies on the interactive map: streets, routes and stops with what hovering tells, depots."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from nco.arrays import Floats
from nco.plot.paths import Path, keep_right, lanes, paths, street_widths
from nco.problem import Problem
from nco.problem.schedule import RouteSchedule
from nco.problem.solution import Solution
from nco.problem.times import Times

if TYPE_CHECKING:
    from bokeh.plotting import figure

    from nco.data.cities.city import City

_EARTH_M = 6_378_137.0
_MOST_PLACES = 150_000  # of street geometry; beyond that the slowest streets are left out
_DASHES = ("solid", "dashed", "dotdash", "dotted", "dashdot")
_LANE = 0.0044  # width of a lane, of the extent of the stops

_ROUTE_TIP = """
<div style="padding:2px 4px"><b style="color:@colour">@method, route @route</b><br>
@leg<br>@km km, @minutes min, on board @load</div>"""
_STOP_TIP = """
<div style="padding:2px 4px"><b>@name</b> <span style="color:@colour">(@method, route @route)</span>
<table style="border-spacing:6px 0">
<tr><td>order</td><td>@order</td></tr><tr><td>demand</td><td>@demand</td></tr>
<tr><td>load after</td><td>@load</td></tr><tr><td>arrival</td><td>@arrival</td></tr>
<tr><td>service</td><td>@service</td></tr><tr><td>window</td><td>@window</td></tr>
<tr><td>to the street</td><td>@moved</td></tr></table>@details</div>"""
_DEPOT_TIP = '<div style="padding:2px 4px"><b>@name</b><br>to the street: @moved</div>'
_MISSED_TIP = (
    '<div style="padding:2px 4px"><b>@name</b> is not served (@method)<br>@reason<br>@details</div>'
)


def mercator(lonlat: Floats) -> Floats:
    """Web Mercator metres of `[k, 2]` degrees, to the decimetre."""
    lon, lat = np.radians(lonlat).T
    lat = np.clip(lat, -1.484, 1.484)  # the projection ends at 85 degrees
    return np.stack([lon, np.log(np.tan(np.pi / 4 + lat / 2))], axis=1) * _EARTH_M


def add_streets(plot: figure, city: City, box: tuple[float, float, float, float]) -> None:
    """The streets inside a box (Mercator metres), fast ones wider, as a quiet background."""
    lines = [mercator(line) for line in city.streets()]
    west, south, east, north = box
    widths = street_widths(city, north - south)
    pad = max(east - west, north - south)  # so that a wide window is filled too
    low, high = np.array([west, south]) - pad, np.array([east, north]) + pad
    inside = [bool(((line >= low) & (line <= high)).all(axis=1).any()) for line in lines]
    places = 0
    kept = []
    for s in sorted(np.flatnonzero(inside).tolist(), key=lambda s: -widths[s]):
        places += len(lines[s])
        if places > _MOST_PLACES:
            break
        kept.append(s)
    xs, ys = _columns([lines[s] for s in kept])
    for colour, extra in (("#c6ccd4", 1.2), ("#ffffff", 0.0)):
        width = [round(float(widths[s]) + extra, 2) for s in kept]
        source = _source({"xs": xs, "ys": ys, "width": width})
        plot.multi_line(
            "xs", "ys", line_width="width", line_color=colour, line_cap="round", source=source
        )


def add_depots(plot: figure, problem: Problem) -> None:
    """A black square a depot."""
    at = mercator(np.asarray(problem.lonlat)[: problem.depots])
    names = list(problem.names[: problem.depots])
    moved = [to_street(problem, d) for d in range(problem.depots)]
    source = _source(
        {"x": at[:, 0].tolist(), "y": at[:, 1].tolist(), "name": names, "moved": moved}
    )
    glyph = plot.scatter(
        "x", "y", marker="square", size=14, color="#22262b", line_color="white", source=source
    )
    _hover(plot, glyph, _DEPOT_TIP)


def add_solution(
    plot: figure,
    problem: Problem,
    solution: Solution,
    city: City | None,
    streets: Mapping[str, City],
    number: int,
    *,
    visible: bool,
) -> list[Any]:
    """Routes, stops and missed stops of a solution.

    Args:
        plot: where.
        problem: what the solution is for.
        solution: what to draw.
        city: whose streets to follow.
        streets: those of vehicles that drive on others, by the names of their profiles.
        number: of the layer; chooses how lines are dashed.
        visible: at the start.

    Returns:
        The glyphs that make up the layer.
    """
    drawn = paths(problem, solution, city, streets)
    glyphs = [
        *_routes(plot, problem, solution, drawn, _DASHES[number % len(_DASHES)]),
        _stops(plot, problem, solution, drawn),
        _missed(plot, problem, solution),
    ]
    for glyph in glyphs:
        glyph.visible = visible
    return glyphs


def _routes(
    plot: figure, problem: Problem, solution: Solution, drawn: list[Path], dash: str
) -> tuple[Any, Any]:
    lane = _LANE * float(np.ptp(mercator(np.asarray(problem.lonlat)), axis=0).max())
    lines: list[Floats] = []
    data: dict[str, list[Any]] = {
        key: [] for key in ("method", "route", "leg", "km", "minutes", "load", "colour")
    }
    for r, (path, offsets) in enumerate(zip(drawn, lanes(drawn), strict=True)):
        visits = path.timetable.visits
        for leg, offset, (here, there) in zip(path.legs, offsets, pairwise(visits), strict=True):
            lines.append(keep_right(mercator(leg.line), lane * (0.6 + offset)))
            data["method"].append(solution.method)
            data["route"].append(r + 1)
            data["leg"].append(f"{problem.names[here.node]} → {problem.names[there.node]}")
            data["km"].append(f"{(there.distance_m - here.distance_m) / 1000:.2f}")
            data["minutes"].append(f"{(there.duration_s - here.duration_s) / 60:.1f}")
            data["load"].append(_amounts(here.load))
            data["colour"].append(path.colour)
    xs, ys = _columns(lines)
    source = _source({"xs": xs, "ys": ys, **data})
    style: dict[str, Any] = {"line_join": "round", "line_cap": "round", "source": source}
    casing = plot.multi_line("xs", "ys", line_width=5.5, line_color="white", **style)
    style |= {"line_dash": dash, "hover_line_width": 7}
    glyph = plot.multi_line("xs", "ys", line_width=3, line_color="colour", **style)
    _hover(plot, glyph, _ROUTE_TIP)
    return casing, glyph


def _stops(plot: figure, problem: Problem, solution: Solution, drawn: list[Path]) -> Any:
    rows = [row for r, path in enumerate(drawn) for row in _visits(problem, r, path)]
    columns = (
        "node",
        "name",
        "route",
        "order",
        "demand",
        "load",
        "arrival",
        "service",
        "window",
        "moved",
        "details",
    )
    data = {key: [row[k] for row in rows] for k, key in enumerate((*columns, "colour"))}
    at = mercator(np.asarray(problem.lonlat)[data.pop("node")].reshape(-1, 2))
    most = max(float(problem.demand.max(initial=0.0)), 1e-9)
    size = [9 + 6 * float(problem.demand[row[0]].max(initial=0.0)) / most for row in rows]
    source = _source(
        {
            "x": at[:, 0].round(1).tolist(),
            "y": at[:, 1].round(1).tolist(),
            "size": size,
            "method": [solution.method] * len(rows),
            **data,
        }
    )
    glyph = plot.scatter(
        "x", "y", size="size", color="colour", line_color="white", line_width=1.5, source=source
    )
    _hover(plot, glyph, _STOP_TIP)
    return glyph


def _visits(problem: Problem, r: int, path: Path) -> list[tuple[Any, ...]]:
    timetable: RouteSchedule = path.timetable
    stops = timetable.visits[1:-1]
    return [
        (
            visit.node,
            problem.names[visit.node],
            r + 1,
            f"{k} of {len(stops)}",
            _amounts(problem.demand[visit.node]),
            _amounts(visit.load),
            problem.times.at(visit.arrival_s),
            _span(problem.times, visit.start_s, visit.departure_s),
            _span(problem.times, *problem.window_s[visit.node].tolist()),
            to_street(problem, visit.node),
            details(problem, visit.node),
            path.colour,
        )
        for k, visit in enumerate(stops, start=1)
    ]


def to_street(problem: Problem, node: int) -> str:
    """How far a node is from the place on a street that stands for it, as people read it."""
    return "-" if problem.moved_m is None else f"{float(problem.moved_m[node]):.0f} m"


def details(problem: Problem, node: int) -> str:
    """What a problem carries about a node, in a line."""
    return "; ".join(f"{title}: {text}" for title, text in problem.details.get(node, {}).items())


def _missed(plot: figure, problem: Problem, solution: Solution) -> Any:
    nodes = [u.stop for u in solution.unassigned]
    at = mercator(np.asarray(problem.lonlat)[nodes].reshape(-1, 2))
    source = _source(
        {
            "x": at[:, 0].tolist(),
            "y": at[:, 1].tolist(),
            "name": [problem.names[j] for j in nodes],
            "reason": [u.reason for u in solution.unassigned],
            "details": [details(problem, j) for j in nodes],
            "method": [solution.method] * len(nodes),
        }
    )
    glyph = plot.scatter(
        "x", "y", marker="x", size=13, line_width=3, color="#b00020", source=source
    )
    _hover(plot, glyph, _MISSED_TIP)
    return glyph


def _hover(plot: figure, glyph: Any, tip: str) -> None:
    from bokeh.models import HoverTool

    plot.add_tools(HoverTool(renderers=[glyph], tooltips=tip, visible=False))


def _source(data: dict[str, list[Any]]) -> Any:
    from bokeh.models import ColumnDataSource

    return ColumnDataSource(data)


def _columns(lines: list[Floats]) -> tuple[list[list[float]], list[list[float]]]:
    rounded = [line.round(1) for line in lines]
    return [line[:, 0].tolist() for line in rounded], [line[:, 1].tolist() for line in rounded]


def _amounts(values: Any) -> str:
    return ", ".join(f"{float(value):g}" for value in values) or "-"


def _span(times: Times, begin: float, end: float) -> str:
    """Two times, or what they amount to."""
    if begin == end:
        return times.at(begin)
    if np.isinf(end):
        return f"from {times.at(begin)}" if begin else "any time"
    return f"{times.at(begin)} to {times.at(end)}"
