"""The compiled search for lines that join the most trips without a change: see `direct`."""

# mypy: allow-untyped-defs, allow-untyped-calls
# Numba types these functions by what they are called with.

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from nco.kernels.compiled import compiled
from nco.kernels.draws import below, uniform
from nco.transit.design.moves import inline, propose_legal
from nco.transit.evaluate.kernels import stops_of

if TYPE_CHECKING:
    from nco.arrays import Floats

_compiled: Any = compiled(nogil=True, error_model="numpy")


class Ride(NamedTuple):
    """What is known of rides.

    Attributes:
        drive_s: `[N, N]` seconds of links.
        fastest_s: `[N, N]` seconds of the fastest ways between the ends of a line.
        most_s: `[N, N]` seconds on board at most, above which nobody takes a direct line.
        share: `[N, N]` of all trips, both directions together, the same both ways.
        most_detour: of a line between its ends.
    """

    drive_s: Floats
    fastest_s: Floats
    most_s: Floats
    share: Floats
    most_detour: float


@inline
def _along(line, ride, there, back):
    """Fills seconds since the first stop in both directions; what a twisted line costs."""
    stops = stops_of(line)
    there[0] = back[0] = 0.0
    for k in range(1, stops):
        there[k] = there[k - 1] + ride.drive_s[line[k - 1], line[k]]
        back[k] = back[k - 1] + ride.drive_s[line[k], line[k - 1]]
    first, last = line[0], line[stops - 1]
    beyond = max(there[stops - 1] / ride.fastest_s[first, last],
                 back[stops - 1] / ride.fastest_s[last, first]) - ride.most_detour  # fmt: skip
    return 0.0 if beyond < 0.0 else 0.1 + min(beyond, 1.0)


@inline
def _counted(line, ride, there, back, count, step):
    """Counts a line in or out of those that join each pair; the share of trips that this joins."""
    stops, joined = stops_of(line), 0.0
    for i in range(stops):
        for j in range(i + 1, stops):
            a, b = line[i], line[j]
            if (there[j] - there[i] > ride.most_s[a, b]) or (back[j] - back[i] > ride.most_s[b, a]):
                continue
            low, high = min(a, b), max(a, b)
            before = count[low, high]
            count[low, high] = before + step
            if before == 0:
                joined += ride.share[a, b]
            elif before + step == 0:
                joined -= ride.share[a, b]
    return joined


@_compiled
def search(streets, ride, lines, best, free, steps, heat, chances, bits):
    """Anneals lines one change at a time.

    Args:
        streets: what moves know.
        ride: what rides are like.
        lines: `[R, L]` to begin with, changed.
        best: `[R, L]` overwritten by the best.
        free: numbers of the lines that may be changed.
        steps: changes that are tried.
        heat: first and last temperature, in shares of all trips.
        chances: `[M]` cumulative, of moves.
        bits: state of the random numbers.

    Returns:
        The share of all trips that the best lines join, less what twisted lines cost.
    """
    n, longest = len(ride.share), lines.shape[1]
    count, mark = np.zeros((n, n), np.int32), np.zeros(n, np.int32)
    trial = np.full(longest, -1, np.int16)
    there, back = np.zeros(longest), np.zeros(longest)
    tried_there, tried_back = np.zeros(longest), np.zeros(longest)
    twisted, worth = np.zeros(len(lines)), 0.0
    for r in range(len(lines)):
        if lines[r, 0] >= 0:
            twisted[r] = _along(lines[r], ride, there, back)
            worth += _counted(lines[r], ride, there, back, count, 1) - twisted[r]
    best[:] = lines
    most = worth
    for step in range(steps):
        r = free[below(bits, len(free))]
        draw, move = uniform(bits), 0
        while move < len(chances) - 1 and chances[move] <= draw:
            move += 1
        if not propose_legal(move, streets, lines[r], trial, mark, bits):
            continue
        _along(lines[r], ride, there, back)
        twist = _along(trial, ride, tried_there, tried_back)
        gain = twisted[r] - twist + _counted(lines[r], ride, there, back, count, -1)
        gain += _counted(trial, ride, tried_there, tried_back, count, 1)
        temperature = heat[0] * (heat[1] / heat[0]) ** (step / steps)
        if gain > temperature * np.log(1.0 - uniform(bits)):
            lines[r] = trial
            twisted[r] = twist
            worth += gain
            if worth > most + 1e-12:
                most = worth
                best[:] = lines
        else:
            _counted(trial, ride, tried_there, tried_back, count, -1)
            _counted(lines[r], ride, there, back, count, 1)
    return most
