"""Fewer vehicles where each costs more than its route: routes are dissolved, one after the other.

The stops of a route are left out, and the others' routes are searched until all are served again.
What was left out often counts more, so that the search goes where stops are hard to place
(the absence counters of J. Christiaens and G. Vanden Berghe 2020, "Slack induction by string
removals for vehicle routing problems", section 5.3).
"""

# mypy: allow-untyped-defs, allow-untyped-calls
# Numba types the compiled functions by what they are called with.

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nco.kernels.draws import below, uniform
from nco.search.lns.annealing import drawn
from nco.search.lns.changes import settle, take_back
from nco.search.lns.operators import call
from nco.search.lns.options import compiled, inner

if TYPE_CHECKING:
    from nco.search.lns.search import Search
    from nco.solver import Clock

DEAR = 1.0  # mean costs of a route without its vehicle, from which on a vehicle is worth saving
PIECE = 200  # iterations between two looks at the clock
TRIES = 60_000  # iterations a stop that is left out, after which a route is not dissolved
WARM = 0.1  # temperature, in mean costs of a stop


@inner
def _absent(state, absences):
    """How often the required stops that are left out were left out before, and one for each."""
    total = 0.0
    for n in range(state.bank_size[0]):
        total += 1.0 + absences[state.bank[n]]
    return total


@compiled
def serve_all(instance, state, absences, iterations, temperature, most, codes, weights, stop):
    """Searches until no stop is left out; how many iterations it made.

    Args:
        instance: what the state is for; all stops are required.
        state: changed; where the search stands.
        absences: `[N]` how often each stop was left out, changed.
        iterations: how many at most.
        temperature: up to which routes with as many absences may be dearer.
        most: stops that are removed at most, about.
        codes: `[2, O]` addresses of removal and insertion operators.
        weights: `[2, O]` cumulative, of each.
        stop: `[1]` ends the search when another thread makes it other than 0.
    """
    for made in range(iterations):
        if stop[0] != 0 or state.bank_size[0] == 0:
            return made
        total, before = state.total[0], _absent(state, absences)
        left = state.bank_size[0]
        out, back = drawn(state, weights[0]), drawn(state, weights[1])
        state.log_size[0] = 0
        call(codes[0, out], instance, state, np.int64(1 + below(state.bits, most)))
        settle(instance, state)
        call(codes[1, back], instance, state, np.int64(state.bank_size[0]))
        after = _absent(state, absences)
        for n in range(state.bank_size[0]):
            absences[state.bank[n]] += 1.0
        better = after < before or state.bank_size[0] < left
        level = after == before and state.bank_size[0] == left
        gain = total - temperature * np.log(1.0 - uniform(state.bits)) - state.total[0]
        if not (better or (level and gain > 0.0)):
            take_back(instance, state, total)
    return iterations


def worth_shrinking(search: Search) -> bool:
    """Whether a vehicle costs more than what it drives, and all stops are served and required."""
    instance, state = search.instance, search.state
    used = state.served > 0
    count = int(used.sum())
    if count < 2 or state.bank_size[0] or len(instance.group_prize) or instance.chained:
        return False
    if (instance.prize[instance.stops] < instance.reward).any():
        return False
    fixed = float(instance.fixed[used].sum())
    return float(instance.fixed[used].min()) * count > DEAR * (float(state.total[0]) - fixed)


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
    while worth_shrinking(search) and clock.elapsed_s < until_s and not clock.over:
        used = np.flatnonzero(search.state.served > 0).astype(np.int32)
        if not _dissolved(search, used, absences, clock, until_s, rng):
            return


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
    left = int(part.state.bank_size[0])
    made = 0
    while made < TRIES * max(1, left) and clock.elapsed_s < until_s and not clock.over:
        made += part.serve_all(absences, PIECE, WARM)
        if not part.state.bank_size[0]:
            search.adopt(rest, part)
            return True
    return False
