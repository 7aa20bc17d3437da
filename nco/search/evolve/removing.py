"""Compiled: programs that take stops out; `nco.search.evolve.language` says what they mean."""

# mypy: allow-untyped-defs, allow-untyped-calls
# Numba types these functions by what they are called with.

from __future__ import annotations

import numpy as np

from nco.search.evolve.language import FUEL, HOLES, SPREADS
from nco.search.evolve.machine import ANCHOR_ROUTE, LEFT, RANK, TAKEN, begin, memory, value
from nco.search.lns.changes import following, remove
from nco.search.lns.options import compiled, inner
from nco.search.lns.removal import any_served, string_out

_FUEL = FUEL["removal"]
_NEAR, _ROUTES, _ALONG, _ROUTE = (SPREADS.index(s) for s in ("near", "routes", "along", "route"))
_ANCHOR, _TAKE, _LENGTH, _KEEP = range(len(HOLES))


@compiled
def run_removal(instance, state, count, code):
    """Takes about `count` stops out as a program says."""
    m = memory()
    begin(instance, state, m, _FUEL * count)
    most = state.bank_size[0] + 2 * count
    for p in range(len(code.share)):
        wanted = np.int64(np.ceil(code.share[p] * count))
        _phase(instance, state, code, np.int64(p), min(wanted, most - state.bank_size[0]), m)


@inner
def _phase(instance, state, code, p, wanted, m):
    """One phase; so many stops at most, but for the other ends of shipments."""
    until = state.bank_size[0] + wanted
    for _ in range(code.shape[p, 1]):
        if state.bank_size[0] >= until:
            return
        a = _anchor(instance, state, code, p, m)
        if a < 0:
            return
        m[ANCHOR_ROUTE] = np.float64(state.vehicle[a])
        _spread(instance, state, code, p, a, until, m)


@inner
def _anchor(instance, state, code, p, m):
    """The best of some random stops on routes; -1 if luck finds none."""
    best, most = np.int64(-1), -np.inf
    for draw in range(code.shape[p, 0]):
        j = any_served(instance, state)
        if j >= 0:
            v = np.int64(state.vehicle[j])
            m[RANK] = np.float64(draw)
            x = value(instance, state, code, 4 * p + _ANCHOR, np.int64(j), np.int64(j), v, m)
            if x > most:
                best, most = np.int64(j), x
    return best


@inner
def _spread(instance, state, code, p, a, until, m):
    """Takes the anchor and candidates around it, up to so many stops in the request bank."""
    size, spread, begun = len(instance.service), code.shape[p, 2], state.bank_size[0]
    walks, j, behind = spread in (_ALONG, _ROUTE), a, a
    if spread == _ROUTE:
        while state.prev[j] < size:
            j = np.int64(state.prev[j])
        behind = j
    for k in range(code.shape[p, 3] + 1):
        left = until - state.bank_size[0]
        if left <= 0:
            return
        if walks:
            j = behind
            if j >= size or state.vehicle[j] < 0:
                return
            behind = following(instance, state, j)
        elif k > 0:
            if k > instance.related.shape[1]:
                return
            j = np.int64(instance.related[a, k - 1])
            if j < 0:
                return
        v = np.int64(state.vehicle[j])
        if v < 0 or (spread == _ROUTES and state.dirty[v]):
            continue
        m[LEFT], m[RANK] = np.float64(left), np.float64(k)
        m[TAKEN] = np.float64(state.bank_size[0] - begun)
        if j == a or value(instance, state, code, 4 * p + _TAKE, j, a, v, m) > 0.0:
            _take(instance, state, code, p, j, a, v, m)


@inner
def _take(instance, state, code, p, j, a, v, m):
    """Takes a stop, or a string around it."""
    size, left = np.float64(state.served[v]), m[LEFT]
    length = value(instance, state, code, 4 * p + _LENGTH, j, a, v, m)
    length = max(1.0, min(length, min(size, left)))
    if length < 2.0:
        remove(instance, state, j)
        return
    length = np.floor(length)
    keep = value(instance, state, code, 4 * p + _KEEP, j, a, v, m)
    keep = max(0.0, min(np.floor(keep), size - length))
    string_out(instance, state, j, np.int64(length), np.int64(keep))
