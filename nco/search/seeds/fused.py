"""Whole greedy rollouts of capacitated routing in one compiled loop.

Step by step in torch, a rollout of 100 stops spends nine tenths of its time between operations.
Here a vehicle drives on within one loop, over the nodes that are still open: what is served is
packed out of the tables whenever half of them is. Transitions are those of `nco.envs.rcvrp` and
decisions those of `nco.models.pointer`; tests compare both with them.
"""

# mypy: allow-untyped-defs, allow-untyped-calls
# Numba types these functions by what they are called with.

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from nco.arrays import Bools, Ints, Singles
from nco.kernels.by_reference import by_reference
from nco.kernels.compiled import compiled
from nco.kernels.products import exponential, larger

if TYPE_CHECKING:
    from nco.models.plain import Tables

_NEVER = np.float32(-1e30)
_ZERO = np.float32(0.0)
_options: dict[str, Any] = {
    "nogil": True, "fastmath": True, "error_model": "numpy", "_nrt": False
}  # fmt: skip
_compiled: Any = compiled(ahead=True, **_options)
_inline: Any = compiled(cache=False, inline="always", **_options)


@by_reference
class Given(NamedTuple):
    """What does not change during rollouts of an instance.

    Attributes:
        query: `[R, N, E]` of the current node and of the depot.
        known: `[2, E, N]` keys and values.
        target: `[E, N]`.
        pair: `[N, N]`.
        weight: `[C, E]` of the free share of the capacity and of the share of stops unserved.
        bias: `[E]`.
        demand: `[N]`.
        capacity: of each vehicle.
        vehicles: how many there are.
        heads: of the glimpse.
    """

    query: Singles
    known: Singles
    target: Singles
    pair: Singles
    weight: Singles
    bias: Singles
    demand: Ints
    capacity: int
    vehicles: int
    heads: int


@by_reference
class Room(NamedTuple):
    """What a rollout overwrites.

    Attributes:
        tables: `[2, E, N]` keys and values of the columns that are left.
        goal: `[E, N]` their targets.
        nodes: `[N]` which nodes these are.
        served: `[N]` of all nodes.
        shut: `[N]` what closes columns.
        p: `[N]` scores.
        q: `[E]` a query.
        g: `[E]` with its glimpse.
    """

    tables: Singles
    goal: Singles
    nodes: Ints
    served: Bools
    shut: Singles
    p: Singles
    q: Singles
    g: Singles


class Rollouts:
    """Greedy rollouts of one instance, one after the other.

    Args:
        tables: of the instance, encoded.
        demand: `[N]` units; that of the depot, node 0, is 0.
        capacity: units of each vehicle.
        vehicles: how many there are.
    """

    def __init__(self, tables: Tables, demand: Ints, capacity: int, vehicles: int) -> None:
        self._given = Given(
            query=np.ascontiguousarray(tables.query),
            known=np.ascontiguousarray(tables.known),
            target=np.ascontiguousarray(tables.target),
            pair=np.ascontiguousarray(tables.pair),
            weight=np.ascontiguousarray(tables.weight),
            bias=tables.bias,
            demand=np.ascontiguousarray(demand),
            capacity=capacity,
            vehicles=vehicles,
            heads=tables.heads,
        )
        width, nodes = tables.target.shape
        self._room = Room(
            tables=np.empty((2, width, nodes), np.float32),
            goal=np.empty((width, nodes), np.float32),
            nodes=np.empty(nodes, np.int64),
            served=np.empty(nodes, np.bool_),
            shut=np.empty(nodes, np.float32),
            p=np.empty(nodes, np.float32),
            q=np.empty(width, np.float32),
            g=np.empty(width, np.float32),
        )

    def greedy(self, begin: int) -> list[int]:
        """Actions from a first stop to the last return to the depot."""
        actions = np.zeros(2 * len(self._given.demand), np.int64)
        return list(actions[: _drive(self._given, self._room, begin, actions)].tolist())


@_inline
def _pack(tables, goal, nodes, columns, served):
    """Moves the columns of nodes that are not served to the front; how many there are."""
    count = 0
    for a in range(columns):
        if not served[nodes[a]]:
            for e in range(len(goal)):
                tables[0, e, count] = tables[0, e, a]
                tables[1, e, count] = tables[1, e, a]
                goal[e, count] = goal[e, a]
            nodes[count] = nodes[a]
            count += 1
    return count


@_inline
def _mask(nodes, columns, served, demand, free, must, shut):
    """Fills `shut` for the allowed nodes; how many they are, and the last of them.

    Column 0 is the depot, see `nco.envs.rcvrp.with_depot`; with `must` a stop is taken if any fits.
    """
    fitting, last = 0, 0
    for a in range(1, columns):
        n = nodes[a]
        fits = not served[n] and demand[n] <= free
        shut[a] = _ZERO if fits else _NEVER
        if fits:
            fitting += 1
            last = n
    stay = must and fitting > 0
    shut[0] = _NEVER if stay else _ZERO
    return fitting + (not stay), last


@_inline
def _glimpse(q, tables, shut, columns, heads, p, g):
    """Query plus glimpse into `g`; `p` is overwritten."""
    each = len(q) // heads
    for h in range(heads):
        for a in range(columns):
            p[a] = shut[a]
        for e in range(h * each, (h + 1) * each):
            for a in range(columns):
                p[a] += q[e] * tables[0, e, a]
        top, total = _NEVER, _ZERO
        for a in range(columns):
            top = larger(top, p[a])
        for a in range(columns):
            p[a] = exponential(p[a] - top)
            total += p[a]
        for e in range(h * each, (h + 1) * each):
            mixed = _ZERO
            for a in range(columns):
                mixed += p[a] * tables[1, e, a]
            g[e] = q[e] + mixed / total


@_inline
def _likeliest(g, goal, line, nodes, shut, columns, p):
    """The allowed node of the highest score; `line` `[N]` is the scores of the arcs there."""
    for a in range(columns):
        p[a] = shut[a] + line[nodes[a]]
    for e in range(len(g)):
        for a in range(columns):
            p[a] += g[e] * goal[e, a]
    best = 0
    for a in range(columns):
        if p[a] > p[best]:
            best = a
    return nodes[best]


@_compiled
def _drive(given, room, begin, actions):
    """One rollout from a stop; fills `actions` and returns how many they are."""
    tables, goal, nodes, served = room.tables, room.goal, room.nodes, room.served
    shut, p, q, g = room.shut, room.p, room.q, room.g
    demand, query = given.demand, given.query
    size, width = goal.shape[1], goal.shape[0]
    load = 0
    for n in range(size):
        nodes[n], served[n] = n, False
        load += demand[n]
    for e in range(width):
        for n in range(size):
            tables[0, e, n], tables[1, e, n] = given.known[0, e, n], given.known[1, e, n]
            goal[e, n] = given.target[e, n]
    columns, left = size, size - 1
    here, free, spare, step, chosen = 0, given.capacity, given.vehicles, 0, begin
    while left or chosen:
        actions[step] = chosen
        step += 1
        if chosen:
            spare -= here == 0
            free -= demand[chosen]
            load -= demand[chosen]
            served[chosen] = True
            left -= 1
        else:
            free = given.capacity
        here = chosen
        if 2 * (left + 1) <= columns:
            columns = _pack(tables, goal, nodes, columns, served)
        must = here == 0 or load > spare * given.capacity
        allowed, chosen = _mask(nodes, columns, served, demand, free, must, shut)
        if allowed > 1:
            x, y = np.float32(free / given.capacity), np.float32(left / (size - 1))
            for e in range(width):
                q[e] = given.bias[e] + x * given.weight[0, e] + y * given.weight[1, e]
                q[e] += query[0, here, e] + query[1, 0, e]
            _glimpse(q, tables, shut, columns, given.heads, p, g)
            chosen = _likeliest(g, goal, given.pair[here], nodes, shut, columns, p)
    actions[step] = 0
    return step + 1
