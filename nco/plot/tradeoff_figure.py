"""A figure of what preferences cost: effort against how well stops suit their vehicles."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from nco.arguments import of_kind
from nco.colours import COLOURS
from nco.errors import InputError
from nco.plot.canvas import INK, axes_or_new
from nco.tradeoff import Tradeoff

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_GIVE = "an nco.tradeoff(problem), or several by their names"


def tradeoff(
    found: Tradeoff | Mapping[str, Tradeoff], ax: Axes | None = None, *, title: str | None = None
) -> Axes:
    """Draw effort against preference, a point a weight, and beside it how often that counts.

    Args:
        found: one curve, or several by their names.
        ax: where to draw.
        title: None says which problem it is of.

    Raises:
        InputError: there is no curve, or those of several are in metres and in seconds.
    """
    curves = found if isinstance(found, Mapping) else {"": found}
    for curve in curves.values():
        of_kind(curve, Tradeoff, "found", _GIVE)
    if not curves:
        raise InputError(f"found is empty; give {_GIVE}")
    first = next(iter(curves.values()))
    if any(curve.seconds != first.seconds for curve in curves.values()):
        raise InputError("some curves are in seconds and others in metres; draw them apart")
    ax = axes_or_new(ax)
    far = first.problem.lonlat is not None
    unit, label = (60.0, "time of all vehicles (min)") if first.seconds else (1.0, "distance")
    if not first.seconds and far:
        unit, label = 1000.0, "distance of all vehicles (km)"
    for (name, curve), colour in zip(curves.items(), COLOURS * len(curves), strict=False):
        x, y = curve.effort / unit, curve.preference
        ax.plot(x, y, "-o", color=colour, markersize=5, linewidth=1.6, label=name or None)
        for factor, a, b in zip(curve.factors, x.tolist(), y.tolist(), strict=True):
            style: dict[str, Any] = {"fontsize": 8, "color": INK, "textcoords": "offset points"}
            ax.annotate(f"{factor:g}", (a, b), (5, -10), **style)
    ax.set_xlabel(label)
    ax.set_ylabel("mean preference of a stop for its vehicle")
    ax.grid(color="#e3e6ea", linewidth=0.8)
    ax.set_axisbelow(True)
    ax.spines[["top", "right"]].set_visible(False)
    if len(curves) > 1:
        ax.legend(frameon=False)
    text = f"{first.problem.name}: what preferences cost"
    ax.set_title(text if title is None else title, loc="left", color=INK)
    return ax
