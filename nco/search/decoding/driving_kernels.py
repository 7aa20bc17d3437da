"""Compiled rollouts of vehicles with loads, and with times: all rollouts of an instance at once.

`nco.search.decoding.driving` says when they are used. Transitions are those of `nco.envs.rcvrp` and
`nco.envs.rcvrptw`, decisions those of `nco.models.pointer`: tests compare with both. Between steps
an instance stays in the cache, and nothing waits for torch.

Shapes: `B` instances in `V / B` views each, `S` rollouts of each view, `N` nodes, the depot first,
`T` steps.
"""

# mypy: allow-untyped-defs, allow-untyped-calls
# Numba types these functions by what they are called with.

from __future__ import annotations

from typing import Any

import numpy as np

from nco.kernels.compiled import compiled
from nco.kernels.products import peek, take
from nco.models.pointer_kernels import choose, make_room

_NO, _YES = np.uint8(0), np.uint8(1)
# As in `nco.models.pointer_kernels`, arguments are plain arrays although there are many: what is
# called inside is inlined, and Python calls `drive` once for a batch and thread.
_compiled: Any = compiled(nogil=True, fastmath=True, error_model="numpy")
_inline: Any = compiled(
    cache=False, nogil=True, fastmath=True, error_model="numpy", inline="always"
)


@_inline
def _go(state, s, node, demand, capacity, timed, day):
    """A rollout drives to a node; at the depot the next vehicle takes over."""
    current, visited, free, left, unserved, spare, time = state
    if timed:
        duration, opens, _, service, _ = day
        if node == 0:
            time[s] = opens[0]
        else:
            arrival = time[s] + duration[current[s], node]
            time[s] = max(arrival, opens[node]) + service[node]
    if node == 0:
        free[s] = capacity
    else:
        visited[s, node] = _YES
        spare[s] -= current[s] == 0
        free[s] -= demand[node]
        left[s] -= demand[node]
        unserved[s] -= 1
    current[s] = node


@_inline
def _look(state, s, demand, capacity, whole, timed, day, roles, context, allowed):
    """Fills in what a rollout is to decide: the roles, the context and the nodes it may take."""
    current, visited, free, left, unserved, spare, time = state
    here, room, gone, some = current[s], free[s], visited[s], _NO
    roles[0], roles[1] = here, 0
    context[0], context[1] = np.float32(room) / np.float32(capacity), unserved[s] / whole[0]
    if timed:
        (duration, opens, latest, _, horizon), now = day, time[s]
        drive = duration[here]
        for n in range(1, len(demand)):
            fits = np.uint8((demand[n] <= room) & (now + drive[n] <= latest[n]))
            fits &= gone[n] ^ _YES
            allowed[n] = fits
            some |= fits
        context[2] = left[s] / whole[1]
        context[3] = min(np.float32(now - opens[0]) / np.float32(horizon), np.float32(1.0))
    else:
        for n in range(1, len(demand)):
            fits = np.uint8(demand[n] <= room) & (gone[n] ^ _YES)
            allowed[n] = fits
            some |= fits
    must = here == 0 or left[s] > spare[s] * capacity
    allowed[0] = not (must and some)


@_inline
def _finished(state):
    open_: Any = 0
    for s in range(len(state[0])):
        open_ |= state[4][s] | state[0][s]
    return open_ == 0


@_compiled
def drive(
    query, key, value, target, pair, weight, bias, clip, temperature, draw, first, demand,
    capacity, whole, timed, day, piece, state, stop, taken, roles, context, allowed, action, steps,
):  # fmt: skip
    """Rolls out.

    Arguments up to `temperature` are as in `nco.models.pointer_kernels.decide`.

    - `draw` `[T, V, S]`: uniform numbers from 0 to 1; at temperature 0 `[1, V, S]` of anything.
    - `first` `[V, S]`: the nodes that rollouts begin with.
    - `demand` `[B, N]`, and `capacity` `[B]` of each vehicle.
    - `whole` `[B, 2]`: number of stops and of units, float32, at least 1.
    - `timed`: whether there are times. `day` holds them in ticks: duration `[B, N, N]`, opens,
      latest and service `[B, N]`, horizon `[B]`; without, anything of these dimensions.
    - `piece`: rollouts of a view that one thread takes in one go.
    - `state`, `[V, S]` each: current node, visited `[V, S, N]` uint8, free capacity, units left,
      stops unserved, spare vehicles and time; changed into the last state.
    - `stop` `[1]`: rollouts are given up once it is not 0; another thread may set it.
    - `taken`: number of pieces begun; shared by threads.
    - `roles` `[V, T, S, 2]`, `context` `[V, T, S, C]` and `allowed` `[V, T, S, N]`: filled; or with
      room for one step only, overwritten in each.
    - `action` `[V, T, S]`: filled.
    - `steps` `[V, pieces]`: filled with the number of decisions of the longest rollout of a piece.
      The entry behind its last decision is what rollouts that are over see and do.
    """
    views, count = len(query) // len(pair), first.shape[1]
    parts = -(-count // piece)
    room = make_room(key.shape[1:], piece)
    place = take(taken)
    while place < len(query) * parts:
        v, t = place // parts, 0
        b, part = v // views, place % parts
        own = slice(part * piece, min((part + 1) * piece, count))
        size = own.stop - own.start
        held = (state[0][v, own], state[1][v, own], state[2][v, own], state[3][v, own],
                state[4][v, own], state[5][v, own], state[6][v, own])  # fmt: skip
        d = b if timed else 0
        times = (day[0][d], day[1][d], day[2][d], day[3][d], day[4][d])
        for s in range(size):
            _go(held, s, first[v, own.start + s], demand[b], capacity[b], timed, times)
        over = False
        while not over and not peek(stop):
            over, r = _finished(held), min(t, roles.shape[1] - 1)
            for s in range(size):
                k = own.start + s
                _look(held, s, demand[b], capacity[b], whole[b], timed, times, roles[v, r, k],
                      context[v, r, k], allowed[v, r, k])  # fmt: skip
            choose(query[v], key[v], value[v], target[v], pair[b], weight, bias, clip,
                   roles[v, r, own], context[v, r, own], allowed[v, r, own], temperature,
                   draw[min(t, len(draw) - 1), v, own], 0, size, room,
                   action[v, t, own])  # fmt: skip
            if not over:
                for s in range(size):
                    _go(held, s, action[v, t, own.start + s], demand[b], capacity[b], timed, times)
                t += 1
        steps[v, part] = t
        place = take(taken)
