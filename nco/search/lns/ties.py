"""Compiled ties of stops to vehicles that others have: one vehicle, different ones, an order.

Taking stops out breaks none of them, so that they are asked for only where one is put in.
"""

# mypy: allow-untyped-defs, allow-untyped-calls
# Numba types these functions by what they are called with.

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nco.problem.objective import TIES, Feature
from nco.search.lns.options import inner
from nco.search.lns.segments import on_stop, onward, owner

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nco.problem import Problem

_SAME, _APART, _ORDER = 0, 1, 2
_CODES = {
    Feature.SAME_VEHICLE: _SAME,
    Feature.DIFFERENT_VEHICLES: _APART,
    Feature.PRECEDENCE: _ORDER,
}


def ties_of(problem: Problem) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """See `Instance.ties` and `Instance.tied`."""
    known = [tie for tie in problem.ties if tie.feature in TIES]
    width = max((len(tie.stops) for tie in known), default=0) + 1
    ties = np.full((len(known), width), -1, np.int32)
    of_stop: list[list[int]] = [[] for _ in range(problem.size)]
    for t, tie in enumerate(known):
        ties[t, : len(tie.stops) + 1] = (_CODES[tie.feature], *tie.stops)
        for j in tie.stops:
            of_stop[j].append(t)
    tied = np.full((problem.size if known else 0, max(map(len, of_stop))), -1, np.int32)
    for j, own in enumerate(of_stop):
        if own:
            tied[j, : len(own)] = own
    return ties, tied


@inner
def keeps_ties(instance, state, j, i):
    """Whether a stop may come behind a place, as far as its ties go."""
    v = owner(instance, np.int64(state.vehicle[i]))
    for n in range(instance.tied.shape[1]):
        t = instance.tied[j, n]
        if t < 0:
            break
        code = instance.ties[t, 0]
        for m in range(1, instance.ties.shape[1]):
            other = instance.ties[t, m]
            if other < 0:
                break
            if other == j or state.vehicle[other] < 0:
                continue
            if (owner(instance, np.int64(state.vehicle[other])) == v) == (code == _APART):
                return False
        if code == _ORDER and not _in_order(instance, state, j, i, t):
            return False
    return True


@inner
def _in_order(instance, state, j, i, t):
    """Whether behind a place there is none that comes before a stop, nor the other way round."""
    size, place = len(instance.service), onward(instance, state, np.int64(i))
    while place < size:
        if _before(instance, t, place, j):
            return False
        place = onward(instance, state, place)
    place = on_stop(instance, state, np.int64(i))
    while place < size:
        if _before(instance, t, j, place):
            return False
        place = on_stop(instance, state, np.int64(state.prev[place]))
    return True


@inner
def _before(instance, t, first, second):
    """Whether a tie has both stops, one before the other."""
    found = False
    for m in range(1, instance.ties.shape[1]):
        if instance.ties[t, m] == first:
            found = True
        elif instance.ties[t, m] == second:
            return found
    return False
