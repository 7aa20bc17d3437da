"""An interactive map of several paths from A to B, with what tells them apart."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any

import numpy as np

from nco.arguments import of_kind
from nco.colours import COLOURS
from nco.data.cities.city import CREDIT
from nco.errors import InputError
from nco.plot import layers
from nco.plot.page import Page
from nco.roads import Several
from nco.roads.several.described import Described, described, told

if TYPE_CHECKING:
    from nco.data.cities.city import City

_PANEL_PX = 330


def alternatives(found: Several, city: City | None = None, *, title: str = "Several ways") -> Page:
    """Draw several paths on an interactive map, the first one on top.

    Args:
        found: what `city.paths` or `nco.roads.paths` gives.
        city: its streets are drawn behind; None draws none.
        title: of the page.

    Raises:
        InputError: there is no path, or Bokeh is not installed.
    """
    of_kind(found, Several, "found", "what city.paths(...) gives")
    if not len(found):
        raise InputError(f"there is no path to draw: {found.why_fewer or 'none was found'}")
    try:
        from bokeh.embed import file_html
        from bokeh.resources import INLINE
    except ImportError as error:
        raise InputError(
            "maps need Bokeh, which is not installed; install nco-routing[maps]"
        ) from error
    return Page(file_html(_layout(found, city, title), INLINE, title=title))


def _layout(found: Several, city: City | None, title: str) -> Any:
    from bokeh.layouts import column, row
    from bokeh.models.widgets import Div

    rows = described(found)
    lines = [layers.mercator(path.lonlat) for path in found]
    plot, box = _figure(np.concatenate(lines))
    if city is not None:
        layers.add_streets(plot, city, box)
    for rank in reversed(range(len(lines))):
        colour = COLOURS[rank % len(COLOURS)]
        for width, paint in ((8.0, "#ffffff"), (5.0, colour)):
            plot.line(*lines[rank].T, line_width=width, line_color=paint, line_cap="round")
    for name, place in (("A", lines[0][0]), ("B", lines[0][-1])):
        plot.scatter([place[0]], [place[1]], size=14, fill_color="white", line_color="black")
        plot.text([place[0]], [place[1]], [name], text_align="center", text_baseline="middle",
                  text_font_size="9px")  # fmt: skip
    cards = "".join(_card(rank, one) for rank, one in enumerate(rows))
    fewer = f"<p>{html.escape(found.why_fewer)}</p>" if found.why_fewer else ""
    if found.relaxed:
        fewer += f"<p>Limits were relaxed: {html.escape(found.relaxed)}</p>"
    text = f"<h2 style='margin:0 0 4px'>{html.escape(title)}</h2>{cards}{fewer}<p>{CREDIT}</p>"
    font = {"font-family": "system-ui, sans-serif", "font-size": "14px", "padding": "14px"}
    panel = column(Div(text=text, width=_PANEL_PX - 30), width=_PANEL_PX, styles=font)
    return row(panel, plot, sizing_mode="stretch_both")


def _figure(points: Any) -> tuple[Any, tuple[float, float, float, float]]:
    """An empty map around points, and its box in Mercator metres."""
    from bokeh.models import Range1d
    from bokeh.plotting import figure

    low, high = points.min(axis=0), points.max(axis=0)
    margin = 0.06 * float((high - low).max()) + 50
    (west, south), (east, north) = (low - margin).tolist(), (high + margin).tolist()
    plot = figure(
        x_range=Range1d(west, east), y_range=Range1d(south, north), match_aspect=True,
        sizing_mode="stretch_both", tools="pan,wheel_zoom,reset,save", active_scroll="wheel_zoom",
        background_fill_color="#eef0f2", outline_line_color=None,
    )  # fmt: skip
    plot.axis.visible = False
    plot.grid.visible = False
    plot.toolbar.logo = None
    return plot, (west, south, east, north)


def _card(rank: int, row: Described) -> str:
    facts = [
        f"<b>{row.duration_s / 60:.0f} min</b>, {row.distance_m / 1000:.1f} km",
        f"{row.main_roads_m / 1000:.1f} km on main roads, {row.turns} turns, {row.lights} lights",
    ]
    if row.toll_m > 0:
        facts.append(f"{row.toll_m / 1000:.1f} km with toll")
    if row.ferry_m > 0:
        facts.append(f"{row.ferry_m / 1000:.1f} km by ferry")
    if rank:
        facts.append(f"{row.shared:.0%} shared with an earlier way")
    if words := told(row):
        facts.append(html.escape(words))
    colour = COLOURS[rank % len(COLOURS)]
    return (
        f"<div style='border-left:6px solid {colour};padding:2px 8px;margin:8px 0'>"
        f"{'<br>'.join(facts)}</div>"
    )
