"""Fewer vehicles where each costs more than its route: routes are dissolved, one after the other.

The stops of a route are left out, and then take the places of others on the routes that remain,
until all are served again (`nco.search.lns.ejection`). Where there are too few vehicles to begin
with, stops that fit nowhere are served in the same way.
"""

from __future__ import annotations

from itertools import pairwise
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from nco.search.lns.search import Search
    from nco.solver import Clock

DEAR = 1.0  # mean costs of a route without its vehicle, from which on a vehicle is worth saving
PIECE_S = 0.01  # between two looks at the clock, about
LONGER = 2  # times as many iterations a piece has as the one before, at most
PATIENCE = 5.0  # times as long as the last route took to go, counted from the begin,
LEAST = 0.4  # and this share of the time, after which a route that does not go is left
TRIES = 20_000  # iterations a stop that is left out, after which a route is not dissolved


def worth_shrinking(search: Search) -> bool:
    """Whether a vehicle costs more than what it drives, and all stops are served and required."""
    instance, state = search.instance, search.state
    used = state.served > 0
    count = int(used.sum())
    if count < 2 or state.bank_size[0] or not _ejecting(search):
        return False
    fixed = float(instance.fixed[used].sum())
    return float(instance.fixed[used].min()) * count > DEAR * (float(state.total[0]) - fixed)


def _ejecting(search: Search) -> bool:
    """Whether ejections know the problem: each stop is to be served, and trips are apart."""
    instance = search.instance
    if len(instance.group_prize) or instance.chained:
        return False
    return bool((instance.prize[instance.stops] >= instance.reward).all())


def _idle_of_all(search: Search) -> bool:
    """Whether a vehicle of each kind is idle: what fits on none of them fits nowhere."""
    idle, first = search.state.served == 0, search.instance.first
    return all(idle[a:b].any() for a, b in pairwise(first))


def complete(search: Search, clock: Clock, until_s: float, seed: int) -> None:
    """Serves the stops that are left out, if there is a way and it is found in time.

    Args:
        search: goes on from routes that serve all stops; if none are found, it stays as it is.
        clock: looked at.
        until_s: elapsed seconds at which this ends.
        seed: of all that is random.
    """
    if not search.state.bank_size[0] or not _ejecting(search) or _idle_of_all(search):
        return
    whole = search.beside(seed)
    absences = np.zeros(len(search.instance.service))
    if _served(whole, absences, clock, until_s):
        search.adopt(np.arange(len(search.state.served), dtype=np.int32), whole)


def shrink(search: Search, clock: Clock, until_s: float, seed: int) -> None:
    """Dissolves routes until a time, or until one cannot be.

    Args:
        search: serves all stops; goes on from the routes with fewest vehicles.
        clock: looked at.
        until_s: elapsed seconds at which this ends.
        seed: of all that is random.
    """
    rng = np.random.default_rng(seed)
    absences = np.zeros(len(search.instance.service))
    begun_s = clock.elapsed_s
    last_s = begun_s + LEAST * (until_s - begun_s)
    while worth_shrinking(search) and clock.elapsed_s < until_s and not clock.over:
        used = np.flatnonzero(search.state.served > 0).astype(np.int32)
        if not _dissolved(search, used, absences, clock, min(last_s, until_s), rng):
            return
        last_s = max(last_s, begun_s + PATIENCE * (clock.elapsed_s - begun_s))


def _dissolved(
    search: Search,
    used: np.ndarray,
    absences: np.ndarray,
    clock: Clock,
    until_s: float,
    rng: np.random.Generator,
) -> bool:
    """Whether the route that was easiest to serve so far could be dissolved."""
    vehicle = search.state.vehicle[search.instance.stops]
    hard = np.bincount(
        vehicle, 1.0 + absences[search.instance.stops], minlength=int(used.max()) + 1
    )
    gone = used[int(np.argmin(hard[used]))]
    rest = used[used != gone]
    part = search.part(rest, search.instance.stops, int(rng.integers(2**31)))
    if not _served(part, absences, clock, until_s):
        return False
    search.adopt(rest, part)
    return True


def _served(search: Search, absences: np.ndarray, clock: Clock, until_s: float) -> bool:
    """Whether all stops that a search left out take places of others, in time."""
    most = TRIES * max(1, int(search.state.bank_size[0]))
    made, piece = 0, 1
    while made < most and clock.elapsed_s < until_s and not clock.over:
        begun_s = perf_counter()
        made += search.serve_all(absences, piece)
        if not search.state.bank_size[0]:
            return True
        longer = PIECE_S / max(perf_counter() - begun_s, 1e-9)
        piece = max(1, int(piece * min(LONGER, longer)))
    return False
