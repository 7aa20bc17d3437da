"""The anytime figure of a report: one panel a group of instances, the same colours in all."""

from __future__ import annotations

import io
import math

from matplotlib.figure import Figure

from nco.bench.report import Report
from nco.bench.summary import groups
from nco.errors import InputError
from nco.plot import anytime

_WIDTH, _HEIGHT = 6.4, 4.0  # inches of a panel
_COLUMNS = 2


def picture(report: Report) -> bytes:
    """The figure as a PNG.

    Raises:
        InputError: no run has a gap.
    """
    panels = {group: report.gaps(group) for group in groups(report.results)}
    panels = {group: runs for group, runs in panels.items() if runs}
    if not panels:
        raise InputError("no run has a feasible answer that counts; there is nothing to draw")
    methods = sorted({result.method for result in report.results})
    columns = min(_COLUMNS, len(panels))
    rows = math.ceil(len(panels) / columns)
    figure = Figure(figsize=(_WIDTH * columns, _HEIGHT * rows), dpi=150, layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for ax, (group, runs) in zip(axes, panels.items(), strict=False):
        count = len({r.fingerprint for r in report.results if r.group == group})
        title = f"{group}: {count} instance{'' if count == 1 else 's'}"
        anytime(runs, ax, title=title, methods=methods, fallbacks=report.fallbacks(group))
    for ax in axes[len(panels) :]:
        ax.set_axis_off()
    processors = sorted({result.processor for result in report.results})
    figure.supxlabel(", ".join(processors), fontsize=8, color="#555e70")
    png = io.BytesIO()
    figure.savefig(png, format="png")
    return png.getvalue()
