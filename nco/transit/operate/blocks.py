"""Blocks: which trips one vehicle runs, one after the other, so that few vehicles are needed.

The single-depot vehicle scheduling problem without a depot's place (S. Bunte and N. Kliewer 2009,
"An overview on vehicle scheduling models", Public Transport 1): every trip follows another that
ends in time and near enough, or begins a block. It is an assignment problem, which OR-Tools'
min-cost flow solves exactly: fewest vehicles first, then the least empty driving.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nco.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nco.arrays import Floats
    from nco.transit.operate.periods import Trip

_VEHICLE_S = 1_000_000  # costs more than all empty driving that could spare a vehicle's
_LONGEST_WAIT_S = 3 * 3600.0
_MOST_AFTER = 60  # trips that may follow a trip at each end, the soonest ones


def blocks_of(
    trips: Sequence[Trip],
    empty_s: Floats,
    *,
    interline: bool = True,
    idle_s: float = _LONGEST_WAIT_S,
) -> list[int]:
    """The block of each trip of one kind of day.

    Args:
        trips: of one kind of day, in any order.
        empty_s: `[N, N]` seconds of driving without passengers between stops.
        interline: whether a vehicle may change lines.
        idle_s: a vehicle that would wait longer goes home: another block begins.

    Returns:
        Numbers from 0 on, in the order in which blocks begin.

    Raises:
        InputError: the trips are of several kinds of days.
    """
    if len({trip.day for trip in trips}) > 1:
        raise InputError("the trips are of several kinds of days; make blocks of each by itself")
    if not trips:
        return []
    from ortools.graph.python import min_cost_flow

    follows, costs = _connections(trips, empty_s, interline, idle_s)
    # Trips end at sources and begin at sinks; each beginning is fed by an end or by a new vehicle.
    count = len(trips)
    ends, begins, source, sink = (
        np.arange(count),
        count + np.arange(count),
        2 * count,
        2 * count + 1,
    )
    tails = np.concatenate([np.full(count, source), follows[:, 0], np.full(count, source), begins])
    heads = np.concatenate([ends, count + follows[:, 1], begins, np.full(count, sink)])
    price = np.concatenate(
        [np.zeros(count, np.int64), costs, np.full(count, _VEHICLE_S), np.zeros(count, np.int64)]
    )
    flow = min_cost_flow.SimpleMinCostFlow()
    arcs = flow.add_arcs_with_capacity_and_unit_cost(
        tails.astype(np.int32), heads.astype(np.int32), np.ones(len(tails), np.int64), price
    )
    flow.set_node_supply(source, count)
    flow.set_node_supply(sink, -count)
    if flow.solve() != flow.OPTIMAL:
        raise RuntimeError("min-cost flow found no blocks, which always exist")
    used = np.asarray(flow.flows(arcs))[count : count + len(follows)] > 0
    before = {int(j): int(i) for i, j in follows[used]}
    return _numbered(trips, before)


def _connections(
    trips: Sequence[Trip], empty_s: Floats, interline: bool, idle_s: float
) -> tuple[
    np.ndarray[tuple[int, int], np.dtype[np.int64]], np.ndarray[tuple[int], np.dtype[np.int64]]
]:
    """Pairs of trips that a vehicle can run one after the other, and seconds of empty driving."""
    start_s = np.array([trip.start_s for trip in trips])
    first = np.array([trip.nodes[0] for trip in trips])
    line = np.array([trip.line for trip in trips])
    order = np.argsort(start_s, kind="stable")
    pairs, costs = [], []
    for i, trip in enumerate(trips):
        lo = int(np.searchsorted(start_s[order], trip.ready_s - 1e-3))
        hi = int(np.searchsorted(start_s[order], trip.ready_s + idle_s))
        after = order[lo:hi]
        if not interline:
            after = after[line[after] == trip.line]
        away_s = empty_s[trip.nodes[-1], first[after]]
        there = after[(trip.ready_s + away_s <= start_s[after] + 1e-3)]
        # At the same place the soonest suffice; elsewhere too, and of each place some.
        near = there[first[there] == trip.nodes[-1]][:_MOST_AFTER]
        far = there[first[there] != trip.nodes[-1]][:_MOST_AFTER]
        for j in (*near.tolist(), *far.tolist()):
            pairs.append((i, j))
            costs.append(round(float(empty_s[trip.nodes[-1], first[j]])))
    return np.array(pairs, np.int64).reshape(-1, 2), np.array(costs, np.int64)


def _numbered(trips: Sequence[Trip], before: dict[int, int]) -> list[int]:
    block = [-1] * len(trips)
    count = 0
    for k in sorted(range(len(trips)), key=lambda k: (trips[k].start_s, k)):
        if k in before:
            block[k] = block[before[k]]
        else:
            block[k] = count
            count += 1
    return block
