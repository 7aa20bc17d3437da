"""When stops may be served: several windows, and windows that may be missed at a price."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from nco import _validate as validate
from nco.arrays import Floats
from nco.errors import ProblemError, quoted

Pair = tuple[float, float]


def checked_windows(
    given: Mapping[int, Sequence[Pair]], stops: range, window_s: Floats, names: Sequence[str]
) -> dict[int, tuple[Pair, ...]]:
    """Further windows of stops, in order and apart from each other and from the first one.

    Raises:
        ProblemError: names the stop and the windows.
    """
    if not isinstance(given, Mapping):
        raise ProblemError(
            f"more_windows_s is {quoted(given)}; give windows by stop: {{3: [(28800, 36000)]}}"
        )
    found: dict[int, tuple[Pair, ...]] = {}
    for node, windows in given.items():
        what = f"more_windows_s[{node}]"
        if node not in stops:
            raise ProblemError(
                f"more_windows_s names node {quoted(node)}; stops are {stops.start} to "
                f"{stops.stop - 1}"
            )
        if not len(windows):
            continue
        own = [tuple(pair) for pair in validate.windows(windows, len(windows), what).tolist()]
        first = (float(window_s[node, 0]), float(window_s[node, 1]))
        for before, after in pairwise(sorted([first, *own])):
            if after[0] <= before[1]:
                raise ProblemError(
                    f"{what}: stop {quoted(names[node])} has the windows ({before[0]:g}, "
                    f"{before[1]:g}) and ({after[0]:g}, {after[1]:g}), which overlap; give "
                    "windows that are apart, window_s among them"
                )
        found[int(node)] = tuple(sorted((float(a), float(b)) for a, b in own))
    return found


def checked_soft(
    soft: ArrayLike | None, early: ArrayLike | None, late: ArrayLike | None, size: int, depots: int
) -> dict[str, Any]:
    """The fields of soft windows as arrays.

    Raises:
        ProblemError: names the field and the index.
    """
    window = np.tile([0.0, np.inf], (size, 1)) if soft is None else soft
    found: dict[str, Any] = {"soft_window_s": validate.windows(window, size, "soft_window_s")}
    for name, given in (("early_per_s", early), ("late_per_s", late)):
        rate = np.zeros(size) if given is None else validate.array(given, name)
        rate = np.full(size, rate) if rate.ndim == 0 else rate
        if given is not None and np.ndim(given) == 0:
            rate[:depots] = 0.0
        found[name] = validate.vector(rate, name, size, low=0.0)
        if found[name][:depots].any():
            raise ProblemError(f"{name} is not 0 at a depot; only stops have soft windows")
        if found[name].any() and soft is None:
            raise ProblemError(
                f"{name} is given without soft_window_s; give the times between which nothing is "
                "early or late"
            )
    return found
