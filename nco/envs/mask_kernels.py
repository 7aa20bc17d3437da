"""Compiled masks on CPUs: one pass over the nodes of each rollout.

`nco.envs.rcvrp` and `nco.envs.rcvrptw` say what is computed. Shapes: `B` instances, `S` rollouts
of each, `N` nodes, the depot first.
"""

# mypy: allow-untyped-defs, allow-untyped-calls
# Numba types these functions by what they are called with.

from __future__ import annotations

from typing import Any

import numpy as np

from nco.kernels.compiled import compiled

_NONE, _ONE = np.uint8(0), np.uint8(1)
_compiled: Any = compiled(nogil=True, error_model="numpy")


@_compiled
def allow(demand, visited, free, must, allowed):
    """The stops that fit into the vehicle, and the depot unless a stop must be taken.

    Args:
        demand: `[B, N]`.
        visited: `[B, S, N]` 1 where a stop is served.
        free: `[B, S]` units that fit.
        must: `[B, S]` whether a stop is taken if any is allowed.
        allowed: `[B, S, N]` uint8, filled.
    """
    for b in range(len(demand)):
        need = demand[b]
        for s in range(free.shape[1]):
            row, gone, room, some = allowed[b, s], visited[b, s], free[b, s], _NONE
            for n in range(1, len(need)):
                fits = np.uint8(need[n] <= room) & (gone[n] ^ _ONE)
                row[n] = fits
                some |= fits
            row[0] = not (must[b, s] and some)


@_compiled
def allow_in_time(demand, visited, free, must, duration, latest, current, time, allowed):
    """What `allow` does, for stops that are reached in time.

    Args:
        demand: `[B, N]`.
        visited: `[B, S, N]` 1 where a stop is served, or cannot be.
        free: `[B, S]` units that fit.
        must: `[B, S]` whether a stop is taken if any is allowed.
        duration: `[B, N, N]` ticks.
        latest: `[B, N]` ticks.
        current: `[B, S]` node.
        time: `[B, S]` ticks.
        allowed: `[B, S, N]` uint8, filled.
    """
    for b in range(len(demand)):
        need, last = demand[b], latest[b]
        for s in range(free.shape[1]):
            row, gone, room, some = allowed[b, s], visited[b, s], free[b, s], _NONE
            drive, now = duration[b, current[b, s]], time[b, s]
            for n in range(1, len(need)):
                fits = np.uint8((need[n] <= room) & (now + drive[n] <= last[n])) & (gone[n] ^ _ONE)
                row[n] = fits
                some |= fits
            row[0] = not (must[b, s] and some)


def prepare() -> None:
    """Loads the compiled loops; otherwise the first masks that are worth it do."""
    # Loops are loaded, or compiled, for types of arguments: these are of one stop.
    demand, left = np.zeros((1, 2), np.int64), np.zeros((1, 1), np.int64)
    ticks, allowed = np.zeros((1, 1, 2), np.int32), np.zeros((1, 1, 2), np.uint8)
    loads = demand, allowed.copy(), left, np.zeros((1, 1), np.bool_)
    allow(*loads, allowed)
    allow_in_time(*loads, np.repeat(ticks, 2, 1), ticks[0], left, ticks[0, :, :1].copy(), allowed)
