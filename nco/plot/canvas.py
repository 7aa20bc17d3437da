"""What every figure of a place has: equal units, a frame, a scale bar, the credit, arrows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nco.arrays import Floats
from nco.data.cities.city import CREDIT

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INK, FAINT, GROUND, STREET, KERB = "#22262b", "#6b727c", "#eef0f2", "#ffffff", "#c6ccd4"
_BOX = {"boxstyle": "square,pad=0.25", "facecolor": "white", "alpha": 0.8, "linewidth": 0}
METRES_PER_DEGREE = 111_195.0


def axes_or_new(ax: Axes | None, size: tuple[float, float] = (7.0, 7.0)) -> Axes:
    """The given axes, or those of a new figure."""
    if ax is not None:
        return ax
    from matplotlib import pyplot

    fresh: Axes = pyplot.subplots(figsize=size, layout="constrained")[1]
    return fresh


def plane(lonlat: Floats) -> Floats:
    """`[2]` factors that make degrees equal units; a degree of longitude is the shorter one."""
    return np.array([np.cos(np.radians(lonlat[:, 1].mean())), 1.0])


def frame(ax: Axes, drawn: Sequence[Floats], *, on_earth: bool) -> None:
    """Show all that was drawn and a little around it, in equal units, without axis labels.

    Args:
        ax: where it was drawn.
        drawn: lines and points `[k, 2]`.
        on_earth: whether they are degrees; a scale bar is added then.
    """
    points = np.concatenate(drawn)
    low, high = points.min(axis=0), points.max(axis=0)
    margin = 0.05 * max(float((high - low).max()), 1e-6)
    ax.set_xlim(low[0] - margin, high[0] + margin)
    ax.set_ylim(low[1] - margin, high[1] + margin)
    ax.set_aspect(1 / plane(points)[0] if on_earth else "equal")
    ax.set_xticks([])
    ax.set_yticks([])
    for spine in ax.spines.values():
        spine.set_color("#c4c8ce")
    if on_earth:
        _scale_bar(ax)


def credit(ax: Axes) -> None:
    """Say in the lower right corner whose streets these are."""
    ax.text(
        0.995,
        0.006,
        CREDIT,
        transform=ax.transAxes,
        ha="right",
        va="bottom",
        fontsize=7,
        color=FAINT,
        zorder=9,
        bbox=_BOX,
    )


def _scale_bar(ax: Axes) -> None:
    """A bar of a round number of metres in the lower left corner."""
    (west, east), (south, north) = ax.get_xlim(), ax.get_ylim()
    metres_per_degree = METRES_PER_DEGREE * np.cos(np.radians((south + north) / 2))
    room = 0.25 * (east - west) * metres_per_degree
    power = 10.0 ** np.floor(np.log10(room))
    metres = power * max(step for step in (1, 2, 5) if step * power <= room)
    x, y = west + 0.03 * (east - west), south + 0.02 * (north - south)
    ax.plot([x, x + metres / metres_per_degree], [y, y], color=INK, linewidth=2, zorder=9)
    label = f"{metres:g} m" if metres < 1000 else f"{metres / 1000:g} km"
    style: dict[str, Any] = {"fontsize": 8, "color": INK, "va": "bottom", "zorder": 9}
    ax.text(x, y + 0.008 * (north - south), label, **style)


def arrow(ax: Axes, line: Floats, units: Floats, colour: str) -> None:
    """An arrow head halfway along a line.

    Args:
        ax: where.
        line: `[k, 2]` in equal units, two places or more.
        units: `[2]`, what the coordinates of the axes were multiplied with to get those.
        colour: of the head.
    """
    length = np.linalg.norm(np.diff(line, axis=0), axis=1)
    k = int(np.searchsorted(np.cumsum(length), length.sum() / 2))
    tail, head = line[k], line[k + 1]
    middle, step = (tail + head) / 2, (head - tail) / length[k] * 1e-7
    style: dict[str, Any] = {"color": colour, "linewidth": 0, "shrinkA": 0, "shrinkB": 0}
    ax.annotate(
        "",
        xy=(middle + step) / units,
        xytext=(middle - step) / units,
        zorder=4,
        arrowprops={"arrowstyle": "-|>,head_length=0.75,head_width=0.4", **style},
    )
