"""Of routes that serve all, the parts that pay: where optional stops are worth their way together.

A search that begins without routes rarely finds stops that pay only together, and one that begins
with all of them rarely leaves out so many at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nco.search.lns.arrays import Ints
    from nco.search.lns.records import Instance, SearchState


def paying_parts(instance: Instance, state: SearchState) -> Ints:
    """Successors `[N + 2 M]` of the stops in a row of each route that are worth most, if anything.

    Args:
        instance: without shipments.
        state: whose routes are cut.
    """
    size = len(instance.service)
    successors = state.next.copy()
    for v in np.flatnonzero(state.served > 0):
        begin, end = size + 2 * int(v), size + 2 * int(v) + 1
        trip, place = [], int(state.next[begin])
        while place != end:
            trip.append(place)
            place = int(state.next[place])
        kept = trip if len(trip) == 0 else _best_part(instance, state, int(v), begin, trip)
        for i, j in zip([begin, *kept], [*kept, end], strict=True):
            successors[i] = j
    return successors


def _best_part(
    instance: Instance, state: SearchState, v: int, begin: int, trip: Sequence[int]
) -> Sequence[int]:
    """The stops in a row that gain most, none where none gains anything; required ones stay."""
    cost, depots = instance.cost[instance.kind[v]], state.place[[begin, begin + 1]]
    stops = np.array(trip)
    arcs = cost[stops[:-1], stops[1:]].astype(float)
    worth = np.cumsum(np.minimum(instance.prize[stops], instance.reward))
    driven = np.concatenate([[0.0], np.cumsum(arcs)])
    # Gain of stops a to b: their prizes less the way there, along them, and back.
    first = driven - np.concatenate([[0.0], worth[:-1]]) - cost[depots[0], stops]
    last = worth - driven - cost[stops, depots[1]]
    best = np.maximum.accumulate(first)
    b = int(np.argmax(best + last))
    if best[b] + last[b] <= instance.fixed[v]:
        return []
    a = int(np.argmax(first[: b + 1]))
    return [*trip[a : b + 1]]
