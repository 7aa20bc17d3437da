"""How lines are run: buses an hour, buses, and when each of them begins."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nco.arrays import Floats
from nco.errors import ProblemError
from nco.transit.simulate.kernels import Service
from nco.transit.simulate.settings import Settings

_GOLDEN = 0.6180339887498949  # multiples of it, modulo 1, spread evenly however many there are
_DIGITS = 1e-6  # by which a whole number may be missed without counting as more


def planned_per_h(peak_per_h: Floats, capacity: int, settings: Settings) -> Floats:
    """`[R]` buses an hour by maximum load: enough places for the fullest segment of each line."""
    needed = peak_per_h / (settings.comfort * capacity)
    return np.maximum(np.ceil(needed - _DIGITS), settings.min_per_h)


def buses_for(
    per_h: Floats, cycle_s: Floats, fleet: int | None, settings: Settings
) -> NDArray[np.int64]:
    """`[R]` buses that run so many times an hour, or as many as there are.

    With a timetable a line needs a bus for each headway of its cycle; with spread dispatch it has
    as many buses as it should run an hour. Where the fleet does not suffice, buses are taken one by
    one from the line that has most of them for what it needs, but no line loses its last.

    Args:
        per_h: `[R]` buses an hour that are wanted.
        cycle_s: `[R]` seconds of a round.
        fleet: how many buses there are; None for any number.
        settings: kind of dispatch.

    Raises:
        ProblemError: there are fewer buses than lines.
    """
    wanted = per_h if settings.dispatch == "spread" else per_h * cycle_s / 3600.0
    buses = np.maximum(np.ceil(wanted - _DIGITS), 1.0).astype(np.int64)
    if fleet is None:
        return buses
    if len(buses) > fleet:
        raise ProblemError(
            f"fleet is {fleet} but there are {len(buses)} lines; each needs a bus, so allow more "
            "buses or fewer lines"
        )
    for _ in range(int(buses.sum()) - fleet):
        shortage = np.where(buses > 1, wanted / np.maximum(buses - 1, 1), np.inf)
        buses[np.argmin(shortage)] -= 1
    return buses


def runs_per_h(
    per_h: Floats, buses: NDArray[np.int64], cycle_s: Floats, settings: Settings
) -> Floats:
    """`[R]` buses an hour that so many buses can run, no more than are wanted."""
    most = buses.astype(np.float64)
    return np.minimum(per_h, most if settings.dispatch == "spread" else 3600.0 * most / cycle_s)


def service(
    buses: NDArray[np.int64], per_h: Floats, cycle_s: Floats, settings: Settings
) -> Service:
    """When each bus begins.

    By a timetable, bus `j` of a line opens at the first stop at `j` headways, and again whenever
    all buses of the line have had their turn; those that would be on their way back at time 0
    begin at the last stop, so that both directions run regularly from the start. All times of a
    line are shifted by a part of its headway that differs between lines, or lines of the same
    headway would always come together, and one of them would run empty. Spread dispatch has all
    buses begin at the first stop, at equal distances over the horizon.

    Args:
        buses: `[R]` of each line.
        per_h: `[R]` buses an hour.
        cycle_s: `[R, 2]` seconds from opening at the first stop to opening at the last, and back.
        settings: kind of dispatch.
    """
    which = np.repeat(np.arange(len(buses)), buses)
    turn = np.arange(len(which)) - np.repeat(np.cumsum(buses) - buses, buses)
    if settings.dispatch == "spread":
        begin_s = turn * settings.horizon_s / buses[which]
        none = np.zeros(len(which))
        return Service(buses, begin_s, np.zeros(len(which), np.bool_), none, none)
    headway_s = 3600.0 / per_h[which]
    period_s = headway_s * buses[which]
    leaves_s = (turn + which * _GOLDEN % 1.0) * headway_s
    back_s = leaves_s + cycle_s[which, 0] - period_s
    at_end = back_s >= 0.0
    return Service(
        buses,
        np.where(at_end, back_s, leaves_s),
        at_end,
        np.where(at_end, leaves_s, leaves_s + period_s),
        period_s,
    )
