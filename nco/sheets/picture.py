"""The map on a sheet: a vehicle's way along the streets, its stops numbered in order."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from nco.arrays import Floats
from nco.errors import CityError
from nco.plot.canvas import (
    GROUND,
    INK,
    KERB,
    METRES_PER_DEGREE,
    STREET,
    arrow,
    credit,
    frame,
    plane,
)
from nco.plot.paths import Path, street_widths

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from nco.data.cities.city import City
    from nco.sheets.sheet import Sheet

_INCHES, _DPI = (7.4, 5.2), 130
_AROUND = 0.15  # of the extent, shown around the way
_LEAST_DEGREES = 0.002
_MOST_STREETS = 15_000
_SHORT = 0.04  # of the extent: shorter legs get no arrow
_LARGE, _SMALL = 8.0, 3.0  # points of the numbers


class Ground:
    """The streets of a city, cut out for one picture after the other."""

    def __init__(self, city: City | None) -> None:
        self._city = None
        try:
            self._lines = [] if city is None else city.streets()
        except CityError:  # only a server knows them
            self._lines = []
        if not self._lines:
            return
        self._city = city
        self._low = np.array([line.min(axis=0) for line in self._lines]).reshape(-1, 2)
        self._high = np.array([line.max(axis=0) for line in self._lines]).reshape(-1, 2)

    def draw(self, ax: Axes, low: Floats, high: Floats) -> None:
        """The streets in a box, fast ones wider; the slow ones are left out if they are many."""
        if self._city is None:
            return
        widths = street_widths(self._city, float(high[1] - low[1]) * METRES_PER_DEGREE)
        inside = np.flatnonzero(((self._high >= low) & (self._low <= high)).all(axis=1))
        inside = inside[np.argsort(-widths[inside], kind="stable")][:_MOST_STREETS]
        ax.set_facecolor(GROUND)
        lines = [self._lines[s] for s in inside]
        for colour, extra in ((KERB, 0.8), (STREET, 0.0)):
            wide = widths[inside] + extra
            style: dict[str, Any] = {"linewidths": wide, "capstyle": "round", "zorder": 1}
            ax.add_collection(LineCollection(lines, colors=colour, **style))
        credit(ax)


def picture(ground: Ground, ways: Sequence[Path], sheets: Sequence[Sheet]) -> bytes:
    """A PNG of the ways of one vehicle or of several.

    Args:
        ground: what they are drawn on.
        ways: the routes to draw.
        sheets: whose stops to mark; they are numbered where it is one.
    """
    figure = Figure(figsize=_INCHES, dpi=_DPI)
    ax = figure.add_axes((0.005, 0.005, 0.99, 0.99))
    lines = [way.line for way in ways]
    points = np.concatenate(lines)
    units = plane(points)
    low, high = _box(points, units)
    ground.draw(ax, low, high)
    size = float(np.ptp(points * units, axis=0).max())
    for way in ways:
        ax.plot(*way.line.T, color=way.colour, linewidth=2.2, alpha=0.85, zorder=3)
        for leg in way.legs:
            if np.linalg.norm(np.diff(leg.line * units, axis=0), axis=1).sum() > _SHORT * size > 0:
                arrow(ax, leg.line * units, units, way.colour)
    for sheet in sheets:
        _mark(ax, sheet, numbered=len(sheets) == 1)
    frame(ax, [low[None], high[None]], on_earth=True)
    png = io.BytesIO()
    figure.savefig(png, format="png")
    return png.getvalue()


def _box(points: Floats, units: Floats) -> tuple[Floats, Floats]:
    """What the picture shows: all points with some room, in the shape of the picture."""
    low, high = (points * units).min(axis=0), (points * units).max(axis=0)
    middle, side = (low + high) / 2, (high - low) * (1 + _AROUND)
    side = np.maximum(side, _LEAST_DEGREES)
    shape = np.array(_INCHES) / _INCHES[1]
    side = shape * float((side / shape).max())
    return (middle - side / 2) / units, (middle + side / 2) / units


def _mark(ax: Axes, sheet: Sheet, *, numbered: bool) -> None:
    """A number in a circle at each stop, a square at depots."""
    size = float(np.clip(200.0 / max(sheet.stops, 1), _SMALL, _LARGE))
    for line in sheet.lines:
        if line.lonlat is None:
            continue
        x, y = line.lonlat
        if not line.number:
            ax.scatter(x, y, marker="s", s=60, color=INK, edgecolors="white", zorder=7)
        elif not numbered:
            ax.scatter(x, y, s=9, color=INK, linewidths=0, zorder=5)
        else:
            colour = "#b00020" if line.late_s > 0 else INK
            box = {"boxstyle": "circle,pad=0.2", "facecolor": "white", "edgecolor": colour}
            ax.text(
                x, y, str(line.number), fontsize=size, ha="center", va="center", color=colour,
                zorder=6, bbox=box | {"linewidth": 0.8},
            )  # fmt: skip
