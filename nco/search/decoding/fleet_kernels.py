"""Compiled rollouts of vehicles with profiles that are decided for one after another.

`nco.search.decoding.fleet_driving` says when they are used. Transitions are those of
`nco.envs.pvrp`, decisions those of `nco.models.fleet` without exchange before decisions: tests
compare with both. A vehicle that is on its way is scored alone, all of them only at the depot.

Shapes: `B` instances in `V / B` views each, `M` vehicles, `S` rollouts of each view, `N` nodes, the
depot first, `T` steps.
"""

# mypy: allow-untyped-defs, allow-untyped-calls
# Numba types these functions by what they are called with.

from __future__ import annotations

from typing import Any

import numpy as np

from nco.kernels.compiled import compiled
from nco.kernels.products import LANES, peek, take, turn
from nco.models.pointer_kernels import VECTOR, make_room, score

_NO, _YES = np.uint8(0), np.uint8(1)
_ZERO, _ONE = np.float32(0.0), np.float32(1.0)
_NEVER = np.float32(-1e30)
_NOBODY = -1
# Arguments are plain arrays although there are many, as in `nco.models.pointer_kernels`.
_compiled: Any = compiled(nogil=True, fastmath=True, error_model="numpy")
_inline: Any = compiled(
    cache=False, nogil=True, fastmath=True, error_model="numpy", inline="always"
)


@_inline
def _away(current, s):
    """The vehicle that is on its way, or nobody."""
    found = _NOBODY
    for m in range(current.shape[1]):
        if current[s, m] != 0:
            found = m
    return found


@_inline
def _go(state, s, action, demand, capacity):
    """A vehicle drives to a node; at the depot it is empty again. Staying changes nothing."""
    current, visited, free, left, unserved, spare = state
    m, node = action // len(demand), action % len(demand)
    here = current[s, m]
    if node == here:
        return
    if node == 0:
        free[s, m] = capacity[m]
    else:
        visited[s, node] = _YES
        spare[s, m] -= here == 0
        free[s, m] -= demand[node]
        left[s] -= demand[node]
        unserved[s] -= 1
    current[s, m] = node


@_inline
def _fill(state, s, demand, permitted, free, allowed):
    """Marks the stops that a vehicle may serve next; returns how many there are."""
    gone, count = state[1][s], 0
    for n in range(1, len(demand)):
        fits = np.uint8(demand[n] <= free) & np.uint8(permitted[n]) & (gone[n] ^ _YES)
        allowed[n] = fits
        count += fits
    return count


@_inline
def _look(state, s, demand, capacity, permitted, whole, many, roles, context, allowed, who):
    """Fills in what a rollout is to decide, for all vehicles that may move.

    Returns how many decisions are possible.
    """
    current, _, free, left, unserved, spare = state
    fleet, mover = len(capacity), _away(current, s)
    who[s] = mover
    trips = 0
    for m in range(fleet):
        trips += max(spare[s, m], 0) * capacity[m]
    options = 0
    for m in range(fleet):
        if mover != _NOBODY and m != mover:
            continue
        row, allows = context[m, s], allowed[m, s]
        roles[m, s, 0], roles[m, s, 1] = current[s, m], 0
        size = max(capacity[m], 1)
        row[0], row[1] = np.float32(free[s, m] / size), np.float32(unserved[s] / whole)
        row[2] = _ONE if mover == _NOBODY else _ZERO
        row[3] = np.float32(min(left[s] / (many * size), 1.0))
        stops = 0
        if mover != _NOBODY or spare[s, m] > 0:
            stops = _fill(state, s, demand, permitted[m], free[s, m], allows)
        else:
            allows[:] = False
        # Nobody else is away, so that what the others carry does not count.
        bound = stops > 0 and left[s] > trips
        allows[0] = mover != _NOBODY and not bound
        options += stops + allows[0]
    if options == 0:  # stuck at the depot: trips beyond the limit
        for m in range(fleet):
            options += _fill(state, s, demand, permitted[m], free[s, m], allowed[m, s])
    return options


@_inline
def _only(allowed, s, m):
    """The first node that a vehicle may take; -1 for none."""
    found = -1
    for n in range(allowed.shape[2] - 1, -1, -1):
        if allowed[m, s, n]:
            found = n
    return found


@_inline
def _pick(scores, allowed, s, begin, end, temperature, draw):
    """The action of a rollout from the scores `[M, S, N]` of vehicles `begin` to `end`."""
    nodes = scores.shape[2]
    best, highest = -1, _NEVER
    for m in range(begin, end):
        for n in range(nodes):
            if allowed[m, s, n] and (best < 0 or scores[m, s, n] > highest):
                highest, best = scores[m, s, n], m * nodes + n
    if temperature == _ZERO:
        return best
    total = _ZERO
    for m in range(begin, end):
        for n in range(nodes):
            weight = _ZERO
            if allowed[m, s, n]:
                weight = np.exp((scores[m, s, n] - highest) / temperature)
            scores[m, s, n] = weight
            total += weight
    rest = (_ONE - draw) * total
    for m in range(begin, end):
        for n in range(nodes):
            if allowed[m, s, n]:
                rest -= scores[m, s, n]
                if rest <= _ZERO:
                    return m * nodes + n
    return best


@_inline
def _score(query, key, value, target, pair, weight, bias, clip, roles, context, allowed, m,
           options, who, room, scores):  # fmt: skip
    """Scores one vehicle in all rollouts where it may move and there is a choice."""
    line, chosen, s = room[7], room[11], 0
    while s < len(options):
        ready = 0
        while s < len(options) and ready < len(chosen):
            if options[s] > 1 and (who[s] == _NOBODY or who[s] == m):
                chosen[ready] = s
                ready += 1
            s += 1
        if ready > 0:
            lanes = min(len(chosen), -(-max(ready, LANES) // VECTOR) * VECTOR)
            logit = score(query, key, value, target, pair, weight, bias, clip, roles, context,
                          allowed, ready, lanes, room)  # fmt: skip
            turn(logit[:, :lanes], line[:lanes])
            for k in range(ready):
                scores[chosen[k]] = line[k]


@_inline
def _act(state, s, scores, allowed, options, who, temperature, draw):
    """What a rollout does: the only thing that it can, a choice, or nothing when it is over."""
    fleet, nodes = len(scores), scores.shape[2]
    begin = 0 if who == _NOBODY else who
    end = fleet if who == _NOBODY else begin + 1
    action = state[0][s, 0]
    if options > 1:
        action = _pick(scores, allowed, s, begin, end, temperature, draw)
    elif options == 1:
        for m in range(begin, end):
            node = _only(allowed, s, m)
            if node >= 0:
                action = m * nodes + node
    return action


@_compiled
def drive(
    query, key, value, target, pair, weight, bias, clip, temperature, draw, demand, capacity,
    permitted, whole, many, piece, state, stop, taken, action, steps,
):  # fmt: skip
    """Rolls out.

    - `query` `[V, M, R, N, E]`, `key` and `value` `[V, M, H, N, W]`, `target` `[V, M, N, E]`,
      `pair` `[B, M, N, N]`; `weight`, `bias` and `clip` as in `nco.models.pointer_kernels.decide`.
    - `draw` `[T, V, S]`: uniform numbers from 0 to 1; at temperature 0 `[1, V, S]` of anything.
    - `demand` `[B, N]`, `capacity` `[B, M]`, `permitted` `[B, M, N]`.
    - `whole` `[B]`: number of stops, at least 1. `many`: see `nco.envs.pvrp.MANY`.
    - `piece`: rollouts of a view that one thread takes in one go.
    - `state`: current `[V, S, M]`, visited `[V, S, N]` uint8, free `[V, S, M]`, left and unserved
      `[V, S]`, spare `[V, S, M]`; changed into the last state.
    - `stop` `[1]`: rollouts are given up once it is not 0; another thread may set it.
    - `taken`: number of pieces begun; shared by threads.
    - `action` `[V, T, S]`: filled.
    - `steps` `[V, pieces]`: filled with the number of decisions of the longest rollout of a piece.
      Rollouts that are over stay where they are.
    """
    views, count, fleet = len(query) // len(pair), action.shape[2], query.shape[1]
    nodes, parts = query.shape[3], -(-count // piece)
    room = make_room(key.shape[2:], max(piece, LANES))
    roles = np.zeros((fleet, piece, 2), np.int64)
    context = np.zeros((fleet, piece, len(weight)), np.float32)
    allowed = np.zeros((fleet, piece, nodes), np.bool_)
    scores = np.zeros((fleet, piece, nodes), np.float32)
    who, options = np.zeros(piece, np.int64), np.zeros(piece, np.int64)
    place = take(taken)
    while place < len(query) * parts:
        v, t = place // parts, 0
        b, part = v // views, place % parts
        own = slice(part * piece, min((part + 1) * piece, count))
        size = own.stop - own.start
        held = (state[0][v, own], state[1][v, own], state[2][v, own], state[3][v, own],
                state[4][v, own], state[5][v, own])  # fmt: skip
        over = False
        while not over and t < action.shape[1] and not peek(stop):
            over = True
            for s in range(size):
                options[s] = 0
                if held[4][s] > 0:
                    over = False
                    options[s] = _look(held, s, demand[b], capacity[b], permitted[b], whole[b],
                                       many, roles, context, allowed, who)  # fmt: skip
            if over:
                break
            for m in range(fleet):
                _score(query[v, m], key[v, m], value[v, m], target[v, m], pair[b, m], weight, bias,
                       clip, roles[m], context[m], allowed[m], m, options[:size], who, room,
                       scores[m])  # fmt: skip
            for s in range(size):
                k = own.start + s
                one = _act(held, s, scores, allowed, options[s], who[s], temperature,
                           draw[min(t, len(draw) - 1), v, k])  # fmt: skip
                action[v, t, k] = one
                _go(held, s, one, demand[b], capacity[b])
            t += 1
        steps[v, part] = t
        place = take(taken)
