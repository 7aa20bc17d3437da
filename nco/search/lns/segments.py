"""Compiled: parts of routes in a row, by the times that they take."""

# mypy: allow-untyped-defs, allow-untyped-calls
# Numba types these functions by what they are called with.

from __future__ import annotations

from nco.search.lns.options import inner


@inner
def merged(d1, e1, l1, d2, e2, l2, arc_s):
    """Two segments merged: seconds, earliest and latest begin, and time warp (seconds too late)."""
    later = d1 + arc_s
    wait = max(e2 - later - l1, 0.0)
    time_warp = max(e1 + later - l2, 0.0)
    earliest, latest = max(e2 - later, e1) - wait, min(l2 - later, l1) + time_warp
    return d1 + d2 + arc_s + wait, earliest, latest, time_warp
