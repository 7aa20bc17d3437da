"""Set-up times of VROOM's tasks, in our terms and back.

In VROOM set-up comes within the window of a task, here before it: there the window is about the
beginning of set-up, here about that of service. Where a stop is alone at its place its set-up is
always paid, so that its window is later by its set-up here.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from nco.arrays import Bools, Floats
from nco.data.formats.json_file import Fields, whole
from nco.errors import listed
from nco.problem import Profile

logger = logging.getLogger("nco")


def add_setups(
    given: dict[str, Any],
    services: dict[str, Floats],
    entries: Sequence[Fields],
    types: Iterable[str],
    profiles: Sequence[Profile],
) -> None:
    """Add `setup_s` to the fields of a problem, where tasks have set-up times.

    Args:
        given: fields of the problem, whose windows and services are changed.
        services: `[N]` service of vehicles by their type; those are changed as well.
        entries: one a stop.
        types: of vehicles.
        profiles: that say which stops are at one place.

    Raises:
        FormatError: set-up differs by the type of vehicle where it is not always paid.
    """
    if not any("setup" in entry or "setup_per_type" in entry for entry in entries):
        return
    service, window, more = (given[key] for key in ("service_s", "window_s", "more_windows_s"))
    setup_s, single = np.zeros(len(service)), alone(profiles)
    unsure = []
    for j, entry in enumerate(entries, start=len(service) - len(entries)):
        setup, by_type = float(entry.whole("setup", 0)), _by_type(entry)
        if by_type and not single[j]:
            entry.fail(
                "setup_per_type",
                "is of a stop that is not the only one at its place, where set-up is not always "
                "paid; there it can differ by type no more: give `setup`",
            )
        if by_type:  # it is always paid, so that it is service as well
            before = service.copy()
            for name in types:
                if name in services or name in by_type:
                    services.setdefault(name, before.copy())[j] += by_type.get(name, setup)
            service[j] += setup
        elif setup:
            setup_s[j] = setup
            if single[j]:
                window[j] = _later(window[j], setup)
                if j in more:
                    more[j] = [_later(further, setup) for further in more[j]]
            elif window[j].tolist() != [0.0, np.inf]:
                unsure.append(entry.where)
    if unsure:
        logger.warning(
            "where several stops are at one place, windows are about the beginning of service "
            "after set-up, not of set-up: %s",
            listed(unsure),
        )
    given["setup_s"] = setup_s


def vroom_window(window: Sequence[float], setup_s: float) -> tuple[float, float]:
    """A window of service as VROOM counts it, of a stop that is alone at its place."""
    begin, end = _later(window, -setup_s)
    return max(0.0, begin), max(0.0, end)


def alone(profiles: Sequence[Profile]) -> Bools:
    """`[N]` nodes that no other one is 0 m and 0 s away from."""
    there: Bools = np.any([(p.distance_m == 0) & (p.duration_s == 0) for p in profiles], axis=0)
    np.fill_diagonal(there, val=False)
    single: Bools = ~there.any(axis=0)
    return single


def _later(window: Sequence[float] | Floats, by_s: float) -> tuple[float, float]:
    """A window moved; what begins with the clock still does."""
    begin, end = float(window[0]), float(window[1])
    return begin + by_s if begin else 0.0, end + by_s


def _by_type(entry: Fields) -> dict[str, float]:
    found = {}
    for name, value in entry.child("setup_per_type", {}).data.items():
        place = f"setup_per_type.{name}"
        found[name] = float(whole(value, lambda text, p=place: entry.fail(p, text)))  # type: ignore[misc]
    return found
