"""Compiled inner loops of the pointer decoder on CPUs: one pass over a decision, not one a tensor.

In plain torch every step of a rollout writes and reads masks, scores and probabilities of all
heads in main memory. Here a tile of decisions of one instance stays in the cache from its query
to its action, or to its gradient. `nco.models.pointer` says what is computed.

Shapes: `V` encoded instances, `D` decisions of each, `R` roles, `C` context numbers, `N` nodes,
`H` heads of width `W`, `E = H W`.
"""

# mypy: allow-untyped-defs, allow-untyped-calls
# Numba types these functions by what they are called with.

from __future__ import annotations

from typing import Any

import numpy as np

from nco.kernels.compiled import compiled
from nco.kernels.products import LANES, product, product_onto, take, turn
from nco.kernels.softmax import sample, squash, weights

TILE = 64
"""Most decisions worked on side by side: scores are `[N, TILE]`, so that every loop over decisions
is whole vectors whatever the number of nodes. Lanes without a decision compute nothing of use."""

VECTOR = 8
"""Numbers in a register, or half of one."""

PAD = 16
"""Numbers between rows: rows that lie a power of 2 apart take each other's place in the cache."""

_NEVER = np.float32(-1e30)
_MOST = np.float32(1 - 2**-22)  # of a sum: rounded, it is still less than the whole
_ZERO, _ONE, _TWO = np.float32(0.0), np.float32(1.0), np.float32(2.0)
# Arguments are plain arrays although there are many, not tuples by reference
# (`nco.kernels.by_reference`): what is called inside is inlined, so that nothing is handed on, and
# Python calls `decide` and `weigh` once for a batch and thread. They also make room for themselves.
_compiled: Any = compiled(nogil=True, fastmath=True, error_model="numpy")
_inline = compiled(cache=False, nogil=True, fastmath=True, error_model="numpy", inline="always")


@_inline
def _lanes(decisions, most):
    """Lanes for a number of decisions: whole vectors, and no more than needed."""
    return min(most, -(-decisions // VECTOR) * VECTOR)


@_inline
def _pick_up(allowed, begin, end, action, chosen):
    """Numbers of the next decisions from `begin` on that are a choice; others take what they must.

    Returns how many there are, at most a tile, and where the next tile begins.
    """
    count, j = 0, begin
    while j < end and count < len(chosen):
        row = allowed[j]
        open_nodes: Any = 0
        for n in range(len(row)):
            open_nodes += np.uint8(row[n])
        if open_nodes > 1:
            chosen[count] = j
            count += 1
        else:
            for n in range(len(row)):
                if row[n]:
                    action[j] = n
        j += 1
    return count, j


@_inline
def _queries(query, weight, bias, roles, context, allowed, chosen, count, lanes, rows, line, q,
             shut):  # fmt: skip
    """Fills `rows` `[T, E]`, `q` `[E, T]` and `shut` `[N, T]` for the chosen decisions.

    `line` `[T, N]` is overwritten.
    """
    for t in range(count):
        j, row = chosen[t], rows[t]
        row[:] = bias
        for c in range(len(weight)):
            x = context[j, c]
            for e in range(len(row)):
                row[e] += x * weight[c, e]
        for r in range(roles.shape[1]):
            share = query[r, roles[j, r]]
            for e in range(len(row)):
                row[e] += share[e]
        for n in range(len(shut)):
            line[t, n] = _ZERO if allowed[j, n] else _NEVER
    turn(rows[:lanes], q[:, :lanes])
    turn(line[:lanes], shut[:, :lanes])


@_inline
def _glimpse(q, key, value, shut, lanes, p, top, share, g):
    """Attention of the tile: weights `p` `[H, N, T]`, and what they are to be multiplied by.

    This `share` is `[H, T]`. Query plus glimpse go into `g` `[E, T]`.
    """
    heads, width = len(key), key.shape[2]
    for h in range(heads):
        own = slice(h * width, (h + 1) * width)
        product_onto(key[h], q[own, :lanes], shut[:, :lanes], p[h, :, :lanes])
        weights(p[h, :, :lanes], _ONE, top, share[h])
        product(value[h].T, p[h, :, :lanes], g[own, :lanes])
        for t in range(lanes):
            share[h, t] = _ONE / share[h, t]
        for w in range(h * width, (h + 1) * width):
            for t in range(lanes):
                g[w, t] = q[w, t] + g[w, t] * share[h, t]


@_inline
def _logits(g, target, pair, roles, chosen, count, clip, shut, lanes, line, tanh, logit):
    """Logits `[N, T]` of the tile, and the tanh in them; `line` `[T, N]` is overwritten."""
    product(target, g[:, :lanes], logit[:, :lanes])
    for t in range(count):
        line[t] = pair[roles[chosen[t], 0]]
    turn(line[:lanes], tanh[:, :lanes])
    squash(logit[:, :lanes], tanh[:, :lanes], shut[:, :lanes], clip)


@_inline
def _draw(logit, temperature, allowed, draw, chosen, count, lanes, top, total, found, action):
    """Samples actions; `logit` `[N, T]` is overwritten."""
    nodes = len(logit)
    weights(logit[:, :lanes], _ONE / temperature, top, total)
    for t in range(count):
        # Rounding must not lead past the last node.
        top[t] = min(draw[chosen[t]], _MOST) * total[t]
    sample(logit[:, :lanes], top, found)
    for t in range(count):
        k, best = chosen[t], int(found[t])
        if best >= nodes or not allowed[k, best]:
            # Logits that are no numbers: an action must be allowed all the same.
            for n in range(nodes):
                if allowed[k, n]:
                    best = n
        action[k] = best


@_inline
def score(query, key, value, target, pair, weight, bias, clip, roles, context, allowed, count,
          lanes, room):  # fmt: skip
    """Scores the first `count` decisions of `room`'s list; returns its logits `[N, T]`."""
    rows, q, g, p, logit, tanh, shut, line, top, _, share, chosen, _ = room
    _queries(query, weight, bias, roles, context, allowed, chosen, count, lanes, rows, line, q,
             shut)  # fmt: skip
    _glimpse(q, key, value, shut, lanes, p, top, share, g)
    _logits(g, target, pair, roles, chosen, count, clip, shut, lanes, line, tanh, logit)
    return logit


@_inline
def make_room(shape, most):
    """What decisions overwrite, for keys of shape `[H, N, W]` and at most so many decisions."""
    heads, nodes, width = shape
    size, tile = heads * width, _lanes(most, TILE)
    rows = np.zeros((tile, size + PAD), np.float32)[:, :size]
    q, g = np.zeros((size, tile), np.float32), np.zeros((size, tile), np.float32)
    p = np.zeros((heads, nodes, tile), np.float32)
    logit = np.zeros((nodes, tile), np.float32)
    tanh, shut = np.zeros_like(logit), np.zeros_like(logit)
    line = np.zeros((tile, nodes), np.float32)
    top, total = np.zeros(tile, np.float32), np.zeros(tile, np.float32)
    share = np.zeros((heads, tile), np.float32)
    chosen, found = np.zeros(tile, np.int64), np.zeros(tile, np.int32)
    return rows, q, g, p, logit, tanh, shut, line, top, total, share, chosen, found


@_inline
def choose(query, key, value, target, pair, weight, bias, clip, roles, context, allowed,
           temperature, draw, begin, end, room, action):  # fmt: skip
    """Takes the decisions of one instance from `begin` to `end`; arguments as in `decide`."""
    _, _, _, _, logit, _, _, _, top, total, _, chosen, found = room
    j, nodes = begin, len(logit)
    while j < end:
        count, j = _pick_up(allowed, j, end, action, chosen)
        if count == 0:
            continue
        lanes = _lanes(max(count, LANES), len(chosen))
        score(query, key, value, target, pair, weight, bias, clip, roles, context, allowed, count,
              lanes, room)  # fmt: skip
        if temperature > _ZERO:
            _draw(logit, temperature, allowed, draw, chosen, count, lanes, top, total, found,
                  action)  # fmt: skip
        else:
            for t in range(count):
                k, best, highest = chosen[t], 0, _NEVER
                for n in range(nodes):
                    if allowed[k, n] and logit[n, t] > highest:
                        highest, best = logit[n, t], n
                action[k] = best


@_compiled
def decide(
    query, key, value, target, pair, weight, bias, clip, roles, context, allowed,
    temperature, draw, piece, taken, action,
):  # fmt: skip
    """Takes decisions.

    Args:
        query: `[V, R, N, E]`.
        key: `[V, H, N, W]`.
        value: `[V, H, N, W]`.
        target: `[V, N, E]`.
        pair: `[B, N, N]`, each shared by `V / B` instances.
        weight: `[C, E]` of the context.
        bias: `[E]`.
        clip: largest logit.
        roles: `[V, D, R]` int64.
        context: `[V, D, C]`.
        allowed: `[V, D, N]`.
        temperature: 0 takes the best action.
        draw: `[V, D]` uniform numbers from 0 to 1; unused at temperature 0.
        piece: decisions of an instance that one thread takes in one go.
        taken: number of pieces begun; shared by threads.
        action: `[V, D]` int64, filled.
    """
    views, room = len(query) // len(pair), make_room(key.shape[1:], piece)
    pieces = -(-allowed.shape[1] // piece)
    place = take(taken)
    while place < pieces * len(allowed):
        b, j = place // pieces, place % pieces * piece
        end = min(j + piece, allowed.shape[1])
        choose(query[b], key[b], value[b], target[b], pair[b // views], weight, bias, clip,
               roles[b], context[b], allowed[b], temperature, draw[b], j, end, room,
               action[b])  # fmt: skip
        place = take(taken)


@_inline
def _outcome(
    logit, tanh, action, gain, clip, chosen, count, top, total, step, likelihood
):  # fmt: skip
    """Fills in log-likelihoods, and turns `logit` `[N, T]` into the gradient of the raw scores."""
    for t in range(count):
        likelihood[chosen[t]] = logit[action[chosen[t]], t]
        step[t] = gain[chosen[t]] * clip
    for t in range(count, len(step)):
        step[t] = _ZERO
    weights(logit, _ONE, top, total)
    for t in range(count):
        likelihood[chosen[t]] -= top[t] + np.log(total[t])
        logit[action[chosen[t]], t] -= total[t]
    # d log p / d logit is (taken - p); then through clip * tanh.
    for t in range(len(step)):
        step[t] /= -total[t]
    for n in range(len(logit)):
        for t in range(len(step)):
            logit[n, t] *= step[t] * (_ONE - tanh[n, t] * tanh[n, t])


@_inline
def _through_head(q, rows, g, key, value, p, share, dg, old_keys, d_key, old_values, d_value, mean,
                  scaled, turned, dp, dq):  # fmt: skip
    """Through the glimpse of one head, of which all arrays are.

    Fills `d_key` and `d_value` with their old sums and what is added, `dq` with the gradient of
    queries.
    """
    width, tile = q.shape
    for w in range(width):
        for t in range(tile):
            scaled[w, t] = dg[w, t] * share[t]
    product(value, scaled, dp)
    turn(scaled, turned)
    product_onto(p, turned, old_values, d_value)
    # The mean of dp under p is what the glimpse itself gains.
    mean[:] = _ZERO
    for w in range(width):
        for t in range(tile):
            mean[t] += scaled[w, t] * (g[w, t] - q[w, t])
    for n in range(len(p)):
        for t in range(tile):
            dp[n, t] = p[n, t] * (dp[n, t] - mean[t])
    product_onto(dp, rows, old_keys, d_key)
    product_onto(key.T, dp, dg, dq)


@_inline
def _through_queries(rows, roles, context, chosen, count, d_query, d_weight, d_bias):
    """Hands the gradient of queries `[T, E]` to what they were added up from."""
    for t in range(count):
        k, row = chosen[t], rows[t]
        for e in range(len(row)):
            d_bias[e] += row[e]
        for c in range(len(d_weight)):
            x = context[k, c]
            for e in range(len(row)):
                d_weight[c, e] += x * row[e]
        for r in range(roles.shape[1]):
            share = d_query[r, roles[k, r]]
            for e in range(len(row)):
                share[e] += row[e]


@_compiled
def weigh(
    query, key, value, target, pair, weight, bias, clip, roles, context, allowed, action, gain,
    taken, likelihood, d_query, d_key, d_value, d_target, d_pair, d_weight, d_bias,
):  # fmt: skip
    """Log-likelihoods of given actions, and the gradient of their sum weighted by `gain`.

    All arguments up to `allowed` are as in `decide`. `action` and `gain` are `[V, D]`; `taken` is
    the number of instances begun, shared by threads; `likelihood` `[V, D]` holds zeros and is
    filled where there was a choice. What begins with `d_` has the shape of its namesake: `d_key`,
    `d_value` and `d_target` are filled with the gradient, the others hold zeros, to which it is
    added; `d_pair` `[V, N, N]`, `d_weight` `[V, C, E]` and `d_bias`
    `[V, E]` have an entry an instance.
    """
    heads, nodes, width = key.shape[1:]
    views, size = len(query) // len(pair), heads * width
    room = make_room(key.shape[1:], allowed.shape[1])
    rows, q, g, p, logit, tanh, shut, line, top, total, share, chosen, _ = room
    tile = len(chosen)
    turned = np.zeros((tile, size + PAD), np.float32)[:, :size]
    dg, scaled = np.zeros((size, tile), np.float32), np.zeros((width, tile), np.float32)
    dq = np.zeros((size, tile), np.float32)
    dp, step = np.zeros((nodes, tile), np.float32), np.zeros(tile, np.float32)
    # Sums over tiles so far, and with the tile at hand: they change places.
    keys = np.zeros((2, heads, nodes, width), np.float32)
    values = np.zeros_like(keys)
    targets = np.zeros((2, nodes, size + PAD), np.float32)[:, :, :size]
    forced = np.zeros(allowed.shape[1], np.int64)
    b = take(taken)
    while b < len(allowed):
        j, old, new = 0, 0, 1
        keys[old], values[old], targets[old] = _ZERO, _ZERO, _ZERO
        while j < allowed.shape[1]:
            count, j = _pick_up(allowed[b], j, allowed.shape[1], forced, chosen)
            if count == 0:
                continue
            _queries(query[b], weight, bias, roles[b], context[b], allowed[b], chosen, count,
                     tile, rows, line, q, shut)  # fmt: skip
            _glimpse(q, key[b], value[b], shut, tile, p, top, share, g)
            _logits(g, target[b], pair[b // views], roles[b], chosen, count, clip, shut, tile,
                    line, tanh, logit)  # fmt: skip
            _outcome(logit, tanh, action[b], gain[b], clip, chosen, count, top, total, step,
                     likelihood[b])  # fmt: skip
            turn(logit, line)
            for t in range(count):
                to_pair = d_pair[b, roles[b, chosen[t], 0]]
                for n in range(nodes):
                    to_pair[n] += line[t, n]
            turn(g, turned)
            product_onto(logit, turned, targets[old], targets[new])
            product(target[b].T, logit, dg)
            for h in range(heads):
                own = slice(h * width, (h + 1) * width)
                _through_head(
                    q[own], rows[:, own], g[own], key[b, h], value[b, h], p[h], share[h], dg[own],
                    keys[old, h], keys[new, h], values[old, h], values[new, h], top, scaled,
                    turned[:, own], dp, dq[own],
                )  # fmt: skip
            old, new = new, old
            turn(dq, turned)
            _through_queries(
                turned, roles[b], context[b], chosen, count, d_query[b], d_weight[b], d_bias[b]
            )
        d_key[b], d_value[b], d_target[b] = keys[old], values[old], targets[old]
        b = take(taken)
