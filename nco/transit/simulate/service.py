"""How lines are run: buses an hour, buses, and where each of them begins."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nco.arrays import Floats
from nco.errors import ProblemError
from nco.transit.simulate.assign import Network
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


def openings_s(network: Network, settings: Settings) -> Floats:
    """`[S]` seconds by timetable from opening at a line's first stop to opening in each state."""
    forward = np.isfinite(network.ride_s)
    step_s = np.where(forward, settings.dwell_s + network.ride_s, settings.layover_s)
    sums_s = np.cumsum(step_s) - step_s
    stops = np.diff(network.begin)
    first_s: Floats = sums_s[2 * network.begin[:-1]]
    return np.asarray(sums_s - np.repeat(first_s, 2 * stops))


def service(
    buses: NDArray[np.int64], per_h: Floats, cycle_s: Floats, network: Network, settings: Settings
) -> Service:
    """Where each bus is when the simulation begins.

    By a timetable, bus `j` of a line opens at the first stop `j` headways after the first
    passengers of the simulation may come, and again whenever all buses of the line have had their
    turn. It did so before as well: at time 0 all buses are spread along their lines, each where
    its timetable has it, so that no figure depends on how long the first passengers are waited
    for. All times of a line are shifted by a part of its headway that differs between lines, or
    lines of the same headway would always come together, and one of them would run empty. Spread
    dispatch has all buses begin at the first stop, at equal distances over the horizon.

    Args:
        buses: `[R]` of each line.
        per_h: `[R]` buses an hour.
        cycle_s: `[R]` seconds of a round.
        network: states of the lines.
        settings: kind of dispatch.
    """
    which = np.repeat(np.arange(len(buses)), buses)
    turn = np.arange(len(which)) - np.repeat(np.cumsum(buses) - buses, buses)
    first = 2 * network.begin[:-1]
    if settings.dispatch == "spread":
        begin_s = turn * settings.horizon_s / buses[which]
        none = np.zeros(len(which))
        return Service(buses, begin_s, first[which], none, none)
    headway_s = 3600.0 / per_h[which]
    # A round takes as long as the headways of its buses, but for what is lost in the last digits.
    period_s = np.maximum(headway_s * buses[which], cycle_s[which])
    leaves_s = (settings.demand_s[0] + (turn + which * _GOLDEN % 1.0) * headway_s) % period_s
    since_s, state = period_s - leaves_s, np.empty(len(which), np.int64)
    opening_s = openings_s(network, settings)
    for r in range(len(buses)):
        of_line, own_s = which == r, opening_s[first[r] : 2 * network.begin[r + 1]]
        state[of_line] = first[r] + np.searchsorted(own_s, since_s[of_line], side="right") - 1
    return Service(buses, opening_s[state] - since_s, state, leaves_s, period_s)
