"""An interactive map in one HTML file that opens without a network.

Streets come from the city's extract; routes, stops, loads and times from the solutions. Bokeh's
scripts are written into the file. OpenStreetMap tiles are fetched only if the reader asks for
them with the button on the map.
"""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from nco.arguments import of_kind, several
from nco.compare import cost_text, cost_unit
from nco.data.cities.city import CREDIT
from nco.errors import InputError, counted, quoted, worded
from nco.files import write_atomic
from nco.plot import layers as layers
from nco.problem import Problem
from nco.problem.given import given_problem
from nco.problem.solution import Solution

if TYPE_CHECKING:
    from bokeh.plotting import figure

    from nco.data.cities.city import City

_TILES = "https://a.basemaps.cartocdn.com/light_all/{Z}/{X}/{Y}@2x.png"
_TILES_CREDIT = f"{CREDIT}, © CARTO"
_CREDIT_LINK = f'<a href="https://www.openstreetmap.org/copyright">{CREDIT}</a>'
_PANEL_PX = 290
_MOST_MOVED = 20
_SHOW_LAYERS = """
layers.forEach((glyphs, k) => glyphs.forEach(glyph => {
  glyph.visible = this.active.includes(k)
}))"""
_SHOW_TILES = """
if (!plot.renderers.includes(tiles)) plot.renderers = [...plot.renderers, tiles]
tiles.visible = this.active"""


@dataclass(frozen=True)
class Page:
    """A map as one HTML document; notebooks show it by itself.

    Attributes:
        html: the document.
    """

    html: str

    def save(self, path: str | Path) -> Path:
        """Write the document.

        Raises:
            StorageError: the place cannot be written.
        """
        return write_atomic(path, self.html)

    def _repr_html_(self) -> str:
        source = html.escape(self.html, quote=True)
        return f'<iframe srcdoc="{source}" style="width:100%;height:600px;border:0"></iframe>'


def map(  # noqa: A001 -- the name that users know from other packages
    problem: Problem,
    solutions: Solution | Sequence[Solution] | Mapping[str, Solution],
    city: City | None = None,
    *,
    title: str | None = None,
    streets: Mapping[str, City] = MappingProxyType({}),
) -> Page:
    """Draw solutions of one problem on an interactive map, one layer each.

    Args:
        problem: what the solutions are for; needs `lonlat`.
        solutions: one a layer, told apart by `method`; the first is shown at the start.
            A mapping's values count.
        city: its streets are drawn and followed; None draws straight lines.
        title: None takes the problem's name.
        streets: those of vehicles that drive on others, by the names of their profiles.

    Raises:
        InputError: the problem has no `lonlat`, there is no solution, or Bokeh is not installed.
        CityError: the city has no streets here, or does not hold the stops.
    """
    given_problem(problem)
    several_of = solutions.values() if isinstance(solutions, Mapping) else solutions
    give = "an nco.Solution, or several"
    given = list(
        [solutions] if isinstance(solutions, Solution) else several(several_of, "solutions", give)
    )
    for one in given:
        of_kind(one, Solution, "solutions", give)
    if problem.lonlat is None:
        raise InputError(
            f"problem {quoted(problem.name)} has no lonlat, so it has no place on a map; "
            + worded("`nco.plot.routes` draws problems that have only xy", "leave --map out")
        )
    if not given:
        raise InputError("solutions is empty; give at least one Solution")
    try:
        from bokeh.embed import file_html
        from bokeh.resources import INLINE
    except ImportError as error:
        raise InputError(
            "maps need Bokeh, which is not installed; install nco-routing[maps]"
        ) from error
    text = problem.name if title is None else title
    page = file_html(_layout(problem, given, (city, streets), text), INLINE, title=text)
    return Page(page)


def _layout(
    problem: Problem,
    solutions: list[Solution],
    cities: tuple[City | None, Mapping[str, City]],
    title: str,
) -> Any:
    """Panel to the left, map over the rest of the window."""
    from bokeh.layouts import column, row
    from bokeh.models import CustomJS
    from bokeh.models.widgets import CheckboxGroup, Div, Toggle

    plot, (city, streets) = _figure(problem), cities
    if city is not None:
        layers.add_streets(plot, city, _surroundings(problem))
    drawn = [
        layers.add_solution(plot, problem, solution, city, streets, number, visible=number == 0)
        for number, solution in enumerate(solutions)
    ]
    layers.add_depots(plot, problem)
    choice = CheckboxGroup(labels=_labels(problem, solutions), active=[0], name="layers")
    choice.js_on_change("active", CustomJS(args={"layers": drawn}, code=_SHOW_LAYERS))
    button = Toggle(label="Fetch background tiles (network)", name="tiles", width=_PANEL_PX - 40)
    fetch = CustomJS(args={"plot": plot, "tiles": _tiles()}, code=_SHOW_TILES)
    button.js_on_change("active", fetch)
    hint = (
        "Point at a stop or a route for loads and times. Scroll to zoom, drag to move. "
        "Squares are depots; crosses are stops that no route serves."
    )
    parts = [
        Div(text=f"<h2 style='margin:0 0 4px'>{html.escape(title)}</h2>{_facts(problem, city)}"),
        Div(text="<b>Layers</b>", styles={"margin-top": "10px"}),
        choice,
        *_moved(problem),
        Div(text=f"<p style='color:#6b727c'>{hint}</p>"),
        button,
        Div(text=f"<p style='color:#6b727c'>Streets: {_CREDIT_LINK}</p>"),
    ]
    font = {"font-family": "system-ui, sans-serif", "font-size": "14px", "padding": "14px"}
    panel = column(*parts, width=_PANEL_PX, sizing_mode="stretch_height", styles=font)
    return row(panel, plot, sizing_mode="stretch_both")


def _figure(problem: Problem) -> figure:
    """An empty map that shows all nodes and a little around them, in equal units."""
    from bokeh.models import DataRange1d
    from bokeh.models.annotations import Label
    from bokeh.plotting import figure

    x_range, y_range = DataRange1d(range_padding=0), DataRange1d(range_padding=0)
    plot = figure(
        x_range=x_range,
        y_range=y_range,
        match_aspect=True,
        sizing_mode="stretch_both",
        tools="pan,wheel_zoom,box_zoom,reset,save",
        active_scroll="wheel_zoom",
        background_fill_color="#eef0f2",
        outline_line_color=None,
        name="map",
    )
    west, south, east, north = _surroundings(problem)
    corners = plot.scatter([west, east], [south, north], alpha=0)
    x_range.renderers = y_range.renderers = [corners]
    plot.axis.visible = False
    plot.grid.visible = False
    plot.toolbar.logo = None
    plot.add_layout(
        Label(
            text=CREDIT,
            x=6,
            y=6,
            x_units="screen",
            y_units="screen",
            text_font_size="11px",
            text_color="#6b727c",
            background_fill_color="white",
            background_fill_alpha=0.8,
        )
    )
    return plot


def _surroundings(problem: Problem) -> tuple[float, float, float, float]:
    """West, south, east, north in Mercator metres, with a margin around all nodes."""
    points = layers.mercator(np.asarray(problem.lonlat))
    low, high = points.min(axis=0), points.max(axis=0)
    margin = 0.06 * float((high - low).max()) + 50
    (west, south), (east, north) = low - margin, high + margin
    return float(west), float(south), float(east), float(north)


def _tiles() -> Any:
    """Background tiles that are not on the map yet, so that nothing is fetched."""
    from bokeh.models import WMTSTileSource
    from bokeh.models.renderers import TileRenderer

    source = WMTSTileSource(url=_TILES, attribution=_TILES_CREDIT)
    return TileRenderer(tile_source=source, level="underlay")


def _facts(problem: Problem, city: City | None) -> str:
    place = f" in {city.name.replace('_', ' ').title()}" if city is not None else ""
    return f"{counted(len(problem.stops), 'stop')}{html.escape(place)}"


def _moved(problem: Problem) -> list[Any]:
    """What was moved far onto a street, the farthest first."""
    from bokeh.models.widgets import Div

    if not problem.moved:
        return []
    farthest = sorted(problem.moved, key=lambda node: -problem.moved[node])
    shown = [
        f"<li>{html.escape(problem.names[node])}: {layers.to_street(problem, node)}</li>"
        for node in farthest[:_MOST_MOVED]
    ]
    if len(farthest) > _MOST_MOVED:
        shown.append(f"<li>and {len(farthest) - _MOST_MOVED} more</li>")
    listed = "".join(shown)
    return [Div(text=f"<b>Moved far onto a street</b><ul>{listed}</ul>", name="moved")]


def _labels(problem: Problem, solutions: list[Solution]) -> list[str]:
    """Method, cost and gap to the best feasible cost of each layer."""
    costs = [solution.cost.total for solution in solutions if solution.feasible]
    least = min(costs, default=0.0)
    unit = f" {cost_unit(problem)}".rstrip()
    labels = []
    for solution in solutions:
        total = solution.cost.total
        text = f"{solution.label or 'routes'}: {cost_text(problem, total)}{unit}"
        if not solution.feasible:
            text += ", not feasible"
        elif total > least > 0:
            text += f" (+{100 * (total / least - 1):.1f} %)"
        labels.append(text)
    return labels
