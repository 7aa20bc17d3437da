"""When passengers appear at their stops: evenly, or as a Poisson process."""

from __future__ import annotations

import numpy as np

from nco.arrays import Floats
from nco.errors import ProblemError
from nco.transit.simulate.kernels import Trips
from nco.transit.simulate.settings import Settings

_GOLDEN = 0.6180339887498949  # multiples of it, modulo 1, spread evenly however many there are
_MOST = 1e8  # passengers; the largest regions have a tenth of it on a day


def trips(demand: Floats, settings: Settings) -> Trips:
    """The passengers of a simulation, by the time they appear.

    Even arrivals are whole passengers at equal distances for each pair of stops. A pair seldom
    comes to a whole number: those of all pairs in a row are rounded together, so that the total is
    right to half a passenger. With one-line assignment each pair is rounded up, as AlphaTransit
    does.

    Args:
        demand: `[N, N]` trips an hour.
        settings: for how long, which share, and how.

    Raises:
        ProblemError: there are too many to be kept.
    """
    begin, end = settings.demand_s
    origin, destination = np.nonzero(demand)
    hours = (end - begin) / 3600.0
    expected = demand[origin, destination] * hours * settings.demand_share * settings.surge
    if expected.sum() > _MOST:
        raise ProblemError(
            f"{expected.sum():.3g} passengers are more than {_MOST:.0e}, too many to travel one by "
            "one; is the demand in trips an hour?"
        )
    if settings.arrivals == "poisson":
        rng = np.random.default_rng(settings.seed)
        count = rng.poisson(expected)
        place = rng.random(int(count.sum()))
    else:
        count = _whole(expected, settings)
        # Pairs begin at different times, or all pairs of one passenger would come at once.
        phase = (np.arange(1, len(count) + 1) * _GOLDEN) % 1.0
        turn = np.arange(int(count.sum())) - np.repeat(np.cumsum(count) - count, count)
        place = (turn + np.repeat(phase, count)) / np.repeat(count, count)
    pair = np.repeat(np.arange(len(count)), count)
    time_s = begin + (end - begin) * place
    order = np.argsort(time_s, kind="stable")
    return Trips(
        time_s[order],
        origin[pair][order].astype(np.int32),
        destination[pair][order].astype(np.int32),
    )


def _whole(expected: Floats, settings: Settings) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Whole numbers of passengers, one a pair."""
    if settings.assignment == "one-line":
        # What is a whole number but for the last digits must not become one more.
        return np.ceil(expected - 1e-9).astype(np.int64)
    up_to = np.floor(np.cumsum(expected) + 0.5)
    return np.diff(up_to, prepend=0.0).astype(np.int64)
