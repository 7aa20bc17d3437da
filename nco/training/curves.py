"""Learning curves: what a run wrote down step by step, as one picture."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

from nco.data.formats.json_file import read_text
from nco.errors import FormatError, shortened
from nco.files import write_atomic

if TYPE_CHECKING:
    from collections.abc import Sequence

type Curve = dict[int, float]
"""Value by step."""

_PANELS = {  # beginning of a name -> what its axis says
    "val/gap_percent": "gap to references, %",
    "train/best_to_mean": "best of an instance's rollouts / their mean",
    "train/probability": "probability of a labelled action",
    "train/loss": "loss",
}
_SMOOTH = 0.05  # share of a training curve that each point is the mean of


def read_curves(folder: str | Path) -> dict[str, Curve]:
    """Everything that the runs in a folder logged, by name.

    A run that was resumed has several files; what a later one says of a step holds.

    Raises:
        FormatError: there is no `metrics.csv` under the folder, or one is damaged.
    """
    paths = sorted(Path(folder).rglob("metrics.csv"), key=lambda path: path.stat().st_mtime)
    if not paths:
        raise FormatError(
            f"{folder} has no metrics.csv; give the folder of a run (trainer.logger.save_dir and "
            "its name)"
        )
    curves: defaultdict[str, Curve] = defaultdict(dict)
    for path in paths:
        try:
            for row in csv.DictReader(io.StringIO(read_text(path), newline="")):
                step = int(row["step"])
                for name, value in row.items():
                    if "/" in str(name) and value:
                        curves[name][step] = float(value)
        except (csv.Error, KeyError, ValueError, TypeError) as error:
            raise FormatError(f"{path} is not a log of training: {shortened(error)}") from error
    return dict(curves)


def plot_curves(folders: Sequence[str | Path], out: str | Path) -> Path:
    """Draws the curves of one or more runs; validation gaps come first.

    Args:
        folders: of the runs.
        out: picture to write, ending in `.png`, `.svg` or `.pdf`.

    Raises:
        FormatError: a folder has no log, or `out` has another ending.
        StorageError: the picture cannot be written.
    """
    out = Path(out)
    if out.suffix not in (".png", ".svg", ".pdf"):
        raise FormatError(f"{out.name}: a picture must end in .png, .svg or .pdf")
    runs = {Path(folder).name: read_curves(folder) for folder in folders}
    from matplotlib.figure import Figure

    names = {name for curves in runs.values() for name in curves}
    shown = [start for start in _PANELS if any(name.startswith(start) for name in names)]
    figure = Figure(figsize=(8, 3 * max(1, len(shown))), layout="constrained")
    for axes, start in zip(
        figure.subplots(len(shown), sharex=True, squeeze=False)[:, 0], shown, strict=True
    ):
        for run, curves in runs.items():
            for name in sorted(name for name in curves if name.startswith(start)):
                label = name.removeprefix(start).strip("_").replace("_", " ") or "all"
                steps, values = _points(curves[name], smooth=not name.startswith("val/"))
                axes.plot(steps, values, label=f"{run}: {label}" if len(runs) > 1 else label)
        axes.set_ylabel(_PANELS[start], fontsize=8)
        axes.grid(alpha=0.3)
        axes.legend(fontsize=7)
    figure.supxlabel("optimizer steps", fontsize=9)
    buffer = io.BytesIO()
    figure.savefig(buffer, format=out.suffix[1:], dpi=150)
    return write_atomic(out, buffer.getvalue())


def _points(curve: Curve, smooth: bool) -> tuple[list[int], list[float]]:
    steps = sorted(curve)
    values = [curve[step] for step in steps]
    width = max(1, round(_SMOOTH * len(values))) if smooth else 1
    if width == 1:
        return steps, values
    sums = [0.0]
    for value in values:
        sums.append(sums[-1] + value)
    means = [(sums[k + width] - sums[k]) / width for k in range(len(values) - width + 1)]
    return steps[width - 1 :], means
