"""Compiled itineraries and frequencies as AlphaTransit has them (arXiv 2605.28730).

Lines together are an undirected graph of stops. A link belongs to the last line that runs over it.
Passengers take the shortest path in metres; at each change they take the line of the next link and
stay for as long as it runs over the links of the path. They board any bus of that line, also one
that goes the other way, and ride round. Frequencies are planned from paths with the fewest links,
and the load of a link is divided evenly among the lines that run over it.
"""

# mypy: allow-untyped-defs, allow-untyped-calls
# Numba types these functions by what they are called with.

from __future__ import annotations

from typing import Any

import numpy as np

from nco.kernels.compiled import compiled
from nco.transit.simulate.boarding import Boarding

_compiled: Any = compiled(nogil=True)


@_compiled
def _graph(network, n):
    """Neighbours `[N, K]` with their numbers, the owner of each link, and how many lines use it.

    Neighbours are in the order in which lines add them, which settles ties as published.
    """
    owner, users = np.full((n, n), -1, np.int32), np.zeros((n, n), np.int32)
    degree, seen = np.zeros(n, np.int64), np.full((n, n), -1, np.int32)
    near = np.empty((n, n), np.int32)
    for r in range(len(network.begin) - 1):
        for s in range(2 * network.begin[r], network.begin[r] + network.begin[r + 1] - 1):
            for v, w in (
                (network.node[s], network.node[s + 1]),
                (network.node[s + 1], network.node[s]),
            ):
                if owner[v, w] < 0:
                    near[v, degree[v]] = w
                    degree[v] += 1
                owner[v, w] = r
                if seen[v, w] != r:
                    seen[v, w] = r
                    users[v, w] += 1
    return near, degree, owner, users


@_compiled
def _tree(root, near, degree, length, then, far, order):
    """Shortest paths to one stop: fills the next stop `[N]`, and the stops nearest first.

    Returns how many stops there are. Of equal paths the one found first counts.
    """
    far[:] = np.inf
    then[:] = -1
    far[root] = 0.0
    found, done = 1, 0
    order[0] = root
    while done < found:
        least, nearest = done, far[order[done]]
        for k in range(done + 1, found):
            x = far[order[k]]
            if x < nearest:
                least, nearest = k, x
        v = order[least]
        # Keeps the order of finding among the others.
        for k in range(least, done, -1):
            order[k] = order[k - 1]
        order[done] = v
        done += 1
        for k in range(degree[v]):
            w = near[v, k]
            x = far[v] + length[v, w]
            if x < far[w]:
                if then[w] < 0:
                    order[found] = w
                    found += 1
                far[w], then[w] = x, v
    return found


@_compiled
def _fewest_links(root, near, degree, then, order):
    """The same where every link counts alike."""
    then[:] = -1
    then[root] = root
    found, done = 1, 0
    order[0] = root
    while done < found:
        v = order[done]
        done += 1
        for k in range(degree[v]):
            w = near[v, k]
            if then[w] < 0:
                then[w] = v
                order[found] = w
                found += 1
    return found


@_compiled
def peaks(network, demand):
    """`[R]` the largest planned load of any link of a line, in passengers an hour."""
    n = len(demand)
    near, degree, _, users = _graph(network, n)
    flow, passing = np.zeros((n, n)), np.empty(n)
    then, order = np.empty(n, np.int32), np.empty(n, np.int32)
    for o in range(n):
        found = _fewest_links(o, near, degree, then, order)
        passing[:] = demand[o]
        for k in range(found - 1, 0, -1):
            v = order[k]
            w = then[v]
            passing[w] += passing[v]
            flow[min(v, w), max(v, w)] += passing[v]
    peak = np.zeros(len(network.begin) - 1)
    for s in range(len(network.node)):
        if network.ride_s[s] < np.inf:
            v, w, r = network.node[s], network.node[s + 1], network.line[s]
            load = flow[min(v, w), max(v, w)] / users[v, w]
            peak[r] = max(peak[r], load)
    return peak


@_compiled
def boarding(network, length):
    """The tables of itineraries, given the length of links `[N, N]`."""
    n, states, lines = len(length), len(network.node), len(network.begin) - 1
    near, degree, owner, _ = _graph(network, n)
    runs = np.zeros((lines, n, n), np.bool_)
    place = np.full((lines, n), -1, np.int16)
    for s in range(states):
        v, r = network.node[s], network.line[s]
        place[r, v] = network.place[s]
        if network.ride_s[s] < np.inf:
            runs[r, v, network.node[s + 1]] = True
    # One queue a stop and line that stops there.
    number, count = np.full((n, lines), -1, np.int32), 0
    serves, first = np.empty(states, np.int32), np.zeros(states + 1, np.int64)
    for s in range(states):
        v, r = network.node[s], network.line[s]
        first[s + 1] = first[s]
        if network.ride_s[s] < np.inf:
            if number[v, r] < 0:
                number[v, r] = count
                count += 1
            serves[first[s]] = number[v, r]
            first[s + 1] += 1
    queue, alight = np.full((n, n), -1, np.int32), np.full((states, n), -1, np.int16)
    off = np.empty((n, lines), np.int16)
    then, far, order = np.empty(n, np.int32), np.empty(n), np.empty(n, np.int32)
    for d in range(n):
        found = _tree(d, near, degree, length, then, far, order)
        off[:] = -1
        for k in range(1, found):
            v = order[k]
            w = then[v]
            r = owner[v, w]
            queue[v, d] = number[v, r]
            while w != d and runs[r, w, then[w]]:
                w = then[w]
            off[v, r] = place[r, w]
        for s in range(states):
            alight[s, d] = off[network.node[s], network.line[s]]
    return Boarding(np.array([count]), queue, serves, first, alight)
