"""Whole greedy rollouts of capacitated routing in one compiled loop.

Step by step in torch, a rollout of 100 stops spends nine tenths of its time between operations.
Here a vehicle drives on within one loop, over the nodes that are still open: what is served is
packed out of the tables whenever half of them is. Transitions are those of `nco.envs.rcvrp` and
decisions those of `nco.models.pointer`; tests compare both with them.
"""

# mypy: allow-untyped-defs, allow-untyped-calls
# Numba types these functions by what they are called with.

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numba import njit

from nco.kernels.products import exponential, larger
from nco.search.decoding.expiry import TimeUp

if TYPE_CHECKING:
    from torch import Tensor

    from nco.envs.rcvrp import RCVRPInstance
    from nco.models.pointer import Encoded
    from nco.search.decoding.expiry import Expired

_NEVER = np.float32(-1e30)
_ZERO = np.float32(0.0)
_compiled: Any = njit(nogil=True, fastmath=True, error_model="numpy", cache=True)
_inline = njit(nogil=True, fastmath=True, error_model="numpy", inline="always")


def greedy(instance: RCVRPInstance, encoded: Encoded, first: Tensor, expired: Expired) -> Tensor:
    """`[B, S, T]` actions of greedy rollouts from first actions, each ended at the depot.

    Args:
        instance: `B` instances without time, each with a stop at least.
        encoded: the same in one view each.
        first: `[B, S]` stops.
        expired: asked before every rollout whether to give up.

    Raises:
        TimeUp: `expired` said so.
    """
    stops = instance.demand.shape[1] - 1
    actions = np.zeros((*first.shape, 2 * stops + 1), np.int64)
    sizes, heads = instance.counts.tolist(), encoded.key.shape[1]
    weight, bias = _array(encoded.weight), _array(encoded.bias)
    for b, rollouts in enumerate(actions):
        known = [x[b].transpose(1, 2).flatten(0, 1) for x in (encoded.key, encoded.value)]
        tables = (
            _array(encoded.query[b]), _array(torch.stack(known)), _array(encoded.target[b].T),
            _array(encoded.pair[b]), weight, bias, _array(instance.demand[b]),
        )  # fmt: skip
        limits = int(instance.capacity[b]), int(instance.vehicles[b]), sizes[b]
        for begin, taken in zip(first[b].tolist(), rollouts, strict=True):
            if expired():
                raise TimeUp
            _drive(*tables, *limits, begin, heads, taken)
    longest = int(actions.any((0, 1)).nonzero()[0].max()) + 2
    return torch.as_tensor(actions[:, :, :longest])


def _array(tensor: Tensor) -> Any:
    return tensor.detach().contiguous().numpy()


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
def _drive(query, known, target, pair, weight, bias, demand, capacity, vehicles, size, begin,
           heads, actions):  # fmt: skip
    """One rollout.

    Args:
        query: `[R, N, E]` of the current node and of the depot.
        known: `[2, E, N]` keys and values.
        target: `[E, N]`.
        pair: `[N, N]`.
        weight: `[C, E]` of the free share of the capacity and of the share of stops unserved.
        bias: `[E]`.
        demand: `[N]`.
        capacity: of each vehicle.
        vehicles: how many there are.
        size: how many nodes are there.
        begin: first stop.
        heads: of the glimpse.
        actions: `[T]` zeros, to fill in.
    """
    width, tables, goal = len(bias), known.copy(), target.copy()
    nodes, served = np.arange(size), np.zeros(len(demand), np.bool_)
    shut, p = np.empty(size, np.float32), np.empty(size, np.float32)
    q, g = np.empty(width, np.float32), np.empty(width, np.float32)
    columns, left, load = size, size - 1, demand.sum()
    here, free, spare, step, chosen = 0, capacity, vehicles, 0, begin
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
            free = capacity
        here = chosen
        if 2 * (left + 1) <= columns:
            columns = _pack(tables, goal, nodes, columns, served)
        must = here == 0 or load > spare * capacity
        allowed, chosen = _mask(nodes, columns, served, demand, free, must, shut)
        if allowed > 1:
            x, y = np.float32(free / capacity), np.float32(left / (size - 1))
            for e in range(width):
                q[e] = bias[e] + x * weight[0, e] + y * weight[1, e]
                q[e] += query[0, here, e] + query[1, 0, e]
            _glimpse(q, tables, shut, columns, heads, p, g)
            chosen = _likeliest(g, goal, pair[here], nodes, shut, columns, p)
