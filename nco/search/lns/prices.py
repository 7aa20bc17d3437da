"""Compiled: what a stop adds to a route whose cheapest times decide its cost."""

# mypy: allow-untyped-defs, allow-untyped-calls
# Numba types these functions by what they are called with.

from __future__ import annotations

from nco.search.lns.changes import longer_price
from nco.search.lns.options import inner
from nco.search.lns.timetable import ask

_NEVER = 1e300


@inner
def more_for_times(instance, state, v, first, second):
    """What one or two new stops add to the price of a route's times; 1e300 if none keep its hours.

    Args:
        instance: what is searched.
        state: where the search stands.
        v: vehicle.
        first: a stop, and the place behind which it goes.
        second: another one behind it; -1 for none.
    """
    more = ask(instance, state, v, first, second)
    if more >= _NEVER:
        return _NEVER
    more -= state.times_cost[v]
    if instance.by_time and instance.longest > 0.0:
        more += longer_price(instance, state, v, state.answer[1])
    return more
