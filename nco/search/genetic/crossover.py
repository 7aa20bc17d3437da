"""Selective route exchange for directed solutions of several vehicles.

After Y. Nagata and O. Braeysy, "Edge assembly-based memetic algorithm for the capacitated vehicle
routing problem" (2009), as PyVRP's genetic search used it: neighbouring routes of one parent give
way to the routes of the other that serve most of the same stops. Routes keep their direction, and
which are neighbours is told by road costs, not by coordinates. Stops that are then on no route are
left to the local search, which inserts them where they are cheapest.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy as np

    from nco.arrays import Floats
    from nco.baselines.pyvrp_model import KindTrips


def exchanged(
    first: Sequence[KindTrips],
    second: Sequence[KindTrips],
    apart: Floats,
    vehicles: Sequence[int],
    rng: np.random.Generator,
) -> list[KindTrips]:
    """A child: the first parent with some neighbouring routes of the second.

    Args:
        first: duties, at least one.
        second: duties, at least one.
        apart: `[N, N]` how far two stops are from one another, both ways together.
        vehicles: how many of each kind there are.
        rng: draws the place, the number of routes, and who gives way: where both sides serve a
            stop, either the first parent's route keeps it or that of the second.

    Returns:
        Duties on which no stop is twice, and none that neither parent serves; not more of a kind
        than there are vehicles.
    """
    most = min(len(first), len(second))
    count = int(rng.integers(1, max(2, most)))  # never all where there are several
    leaving = _nearest(first, apart, count, rng)
    gone = _stops(first[k] for k in leaving)
    joining = _overlapping(second, gone, count)
    come = _stops(joining)
    kept = [duty for k, duty in enumerate(first) if k not in leaving]
    if rng.random() < 0.5:
        joining = _without(joining, come - gone)
    else:
        kept = _without(kept, come - gone)
    return kept + _fitting(joining, kept, vehicles)


def _nearest(
    duties: Sequence[KindTrips], apart: Floats, count: int, rng: np.random.Generator
) -> set[int]:
    """Numbers of the duties that come nearest to a random stop."""
    begin = duties[int(rng.integers(len(duties)))]
    stops = [stop for trip in begin[1] for stop in trip.stops]
    near = apart[stops[int(rng.integers(len(stops)))]].tolist()
    distance = [min(near[stop] for trip in trips for stop in trip.stops) for _, trips in duties]
    return set(sorted(range(len(duties)), key=distance.__getitem__)[:count])


def _overlapping(duties: Sequence[KindTrips], stops: set[int], count: int) -> list[KindTrips]:
    """The duties of which the largest shares are some stops, but none without any."""

    def share(duty: KindTrips) -> float:
        served = [stop in stops for trip in duty[1] for stop in trip.stops]
        return sum(served) / len(served)

    ranked = sorted(((share(duty), k) for k, duty in enumerate(duties)), reverse=True)
    return [duties[k] for shared, k in ranked[:count] if shared > 0]


def _stops(duties: Iterable[KindTrips]) -> set[int]:
    return {stop for _, trips in duties for trip in trips for stop in trip.stops}


def _without(duties: Iterable[KindTrips], stops: set[int]) -> list[KindTrips]:
    """Duties less some stops, and less the trips and duties that are then empty."""
    left = []
    for kind, trips in duties:
        fewer = (tuple(stop for stop in trip.stops if stop not in stops) for trip in trips)
        rest = tuple(
            replace(trip, stops=own) for trip, own in zip(trips, fewer, strict=True) if own
        )
        if rest:
            left.append((kind, rest))
    return left


def _fitting(
    joining: Sequence[KindTrips], kept: Sequence[KindTrips], vehicles: Sequence[int]
) -> list[KindTrips]:
    """Duties that find a vehicle besides those kept: of their own kind, else of any."""
    used = Counter(kind for kind, _ in kept)
    free = [count - used[kind] for kind, count in enumerate(vehicles)]
    found = []
    for kind, trips in joining:
        taken = kind if free[kind] else next((k for k, spare in enumerate(free) if spare), None)
        if taken is not None:
            free[taken] -= 1
            found.append((taken, trips))
    return found
