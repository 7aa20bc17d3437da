"""Compiled tables of who boards what and who alights where, from itineraries.

Passengers at a stop who would board the same lines stand in one queue, whatever their
destinations; there are far fewer such queues than destinations, and the bus that takes the first of
several queues still takes people in the order in which they came.
"""

# mypy: allow-untyped-defs, allow-untyped-calls
# Numba types these functions by what they are called with.

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nco.kernels.compiled import compiled

_compiled: Any = compiled(nogil=True)


class Boarding(NamedTuple):
    """Which queue passengers join, which queues a bus serves, and where they get off.

    Attributes:
        queues: `[1]` how many queues there are, Q.
        queue: `[N, D]` number of the queue at a stop for a destination; -1 without itinerary.
        serves: `[...]` queues that buses in a state board from, state by state.
        first: `[S + 1]` where those of each state begin.
        alight: `[S, D]` the place in the line where a passenger who boards in a state gets off.
    """

    queues: NDArray[np.int64]
    queue: NDArray[np.int32]
    serves: NDArray[np.int32]
    first: NDArray[np.int64]
    alight: NDArray[np.int16]


@_compiled
def _alights(network, plan, alight):
    """Fills `alight` along each line backwards."""
    for s in range(len(network.node) - 1, -1, -1):
        if network.ride_s[s] < np.inf:
            v, place = network.node[s + 1], network.place[s + 1]
            for d in range(alight.shape[1]):
                off = plan.leave_s[v, d] < plan.ride_s[s + 1, d]
                alight[s, d] = place if off else alight[s + 1, d]


@_compiled
def _same_lines(network, plan, v, label, split):
    """Labels destinations `[D]` so that two have one label if the same lines at `v` attract."""
    label[:] = 0
    count = 1
    for k in range(network.first[v], network.first[v + 1]):
        s = network.boards[k]
        split[:count] = -1
        for d in range(len(label)):
            if plan.ride_s[s, d] < plan.expected_s[v, d]:
                old = label[d]
                if split[old] < 0:
                    split[old] = count
                    count += 1
                label[d] = split[old]
    return count


@_compiled
def boarding(network, plan):
    """The tables of itineraries by shortest expected time."""
    n, states = len(plan.expected_s), len(network.node)
    most = 0
    for v in range(n):
        most = max(most, network.first[v + 1] - network.first[v])
    alight = np.full((states, n), -1, np.int16)
    _alights(network, plan, alight)
    queue, label = np.full((n, n), -1, np.int32), np.empty(n, np.int64)
    split = np.empty(n * (most + 1) + 1, np.int64)
    number = np.empty(len(split), np.int64)
    first, count = np.zeros(states + 1, np.int64), 0
    # Of each queue its stop and one of its destinations, which speaks for all.
    at, example = np.empty(n * n, np.int64), np.empty(n * n, np.int64)
    for v in range(n):
        labels = _same_lines(network, plan, v, label, split)
        number[:labels] = -1
        for d in range(n):
            if d != v and plan.expected_s[v, d] < np.inf:
                if number[label[d]] < 0:
                    number[label[d]] = count
                    at[count], example[count] = v, d
                    count += 1
                queue[v, d] = number[label[d]]
    for q in range(count):
        for k in range(network.first[at[q]], network.first[at[q] + 1]):
            s = network.boards[k]
            first[s + 1] += plan.ride_s[s, example[q]] < plan.expected_s[at[q], example[q]]
    for s in range(states):
        first[s + 1] += first[s]
    serves, filled = np.empty(first[states], np.int32), first.copy()
    for q in range(count):
        for k in range(network.first[at[q]], network.first[at[q] + 1]):
            s = network.boards[k]
            if plan.ride_s[s, example[q]] < plan.expected_s[at[q], example[q]]:
                serves[filled[s]] = q
                filled[s] += 1
    return Boarding(np.array([count]), queue, serves, first, alight)
