"""Compiled attention under a bias, on CPUs: forwards and backwards, one head at a time.

Torch has no gradients of a bias but by whole tensors: a score, a weight and their gradients go
through main memory several times. Here those of a head stay in the cache, and backwards they are
computed again. `nco.models.biased` says what is computed.

Shapes: `V` instances in `V / B` views each, `N` nodes, `H` heads of width `W`, `E = H W`.
"""

# mypy: allow-untyped-defs, allow-untyped-calls
# Numba types these functions by what they are called with.

from __future__ import annotations

from typing import Any

import numpy as np

from nco.kernels.compiled import compiled
from nco.kernels.products import exponential, larger, product, take, turn

VECTOR = 8
"""Numbers in a register: rows of scores are padded to a multiple."""

_NEVER = np.float32(-1e30)
_ZERO = np.float32(0.0)

_compiled: Any = compiled(nogil=True, fastmath=True, error_model="numpy")
_inline: Any = compiled(
    cache=False, nogil=True, fastmath=True, error_model="numpy", inline="always"
)


@_inline
def _attention(q, key, scale, bias, turned, score):
    """Fills `score` `[N, L]` with weights of `key` `[N, W]` for `q` `[N, W]`; 0 beyond `N`."""
    nodes, lanes = score.shape
    turn(key, turned)
    product(q, turned, score[:, :nodes])
    for i in range(nodes):
        row, own = score[i], bias[i]
        for j in range(nodes):
            row[j] = row[j] * scale + own[j]
        for j in range(nodes, lanes):
            row[j] = _NEVER
        top = _NEVER
        for j in range(lanes):
            top = larger(top, row[j])
        total = _ZERO
        for j in range(lanes):
            row[j] = exponential(row[j] - top)
        # A loop of its own: together they are not turned into vectors as well.
        for j in range(lanes):
            total += row[j]
        for j in range(nodes, lanes):
            row[j] = _ZERO
        share = np.float32(1.0) / total
        for j in range(lanes):
            row[j] *= share


@_compiled
def attend(projected, bias, begin, scale, taken, out):
    """Attends.

    Args:
        projected: `[V, N, 3, H, W]` queries, keys and values.
        bias: `[B, L H, N, N]` of all layers, finite.
        begin: the first head of the layer.
        scale: `[V]` of the products of queries and keys.
        taken: number of heads begun, of all `B H`; shared by threads.
        out: `[V, N, H, W]`, filled.
    """
    nodes, heads, width = out.shape[1:]
    views, lanes = len(out) // len(bias), -(-nodes // VECTOR) * VECTOR
    score, turned = np.zeros((nodes, lanes), np.float32), np.zeros((width, nodes), np.float32)
    head = take(taken)
    while head < len(bias) * heads:
        b, h = head // heads, head % heads
        for v in range(b * views, (b + 1) * views):
            q, key = projected[v, :, 0, h], projected[v, :, 1, h]
            _attention(q, key, scale[v], bias[b, begin + h], turned, score)
            product(score[:, :nodes], projected[v, :, 2, h], out[v, :, h])
        head = take(taken)


@_compiled
def attend_back(projected, bias, begin, scale, out, d_out, taken, d_projected, d_bias):
    """The gradients of `attend`.

    Args:
        projected: as in `attend`.
        bias: as in `attend`.
        begin: as in `attend`.
        scale: as in `attend`.
        out: what `attend` had filled.
        d_out: its gradient.
        taken: number of heads begun, of all `B H`; shared by threads.
        d_projected: like `projected`, filled.
        d_bias: like `bias`, of which the layer's part is filled.
    """
    nodes, heads, width = out.shape[1:]
    views, lanes = len(out) // len(bias), -(-nodes // VECTOR) * VECTOR
    score, step = np.zeros((nodes, lanes), np.float32), np.zeros((nodes, lanes), np.float32)
    turned = np.zeros((width, nodes), np.float32)
    head = take(taken)
    while head < len(bias) * heads:
        b, h = head // heads, head % heads
        to_bias = d_bias[b, begin + h]
        for v in range(b * views, (b + 1) * views):
            q, key = projected[v, :, 0, h], projected[v, :, 1, h]
            _attention(q, key, scale[v], bias[b, begin + h], turned, score)
            gain = d_out[v, :, h]
            product(score.T[:nodes], gain, d_projected[v, :, 2, h])
            turn(projected[v, :, 2, h], turned)
            product(gain, turned, step[:, :nodes])
            for i in range(nodes):
                # The mean gain under the weights is what the result itself gains.
                mean, of_row, to_row = _ZERO, out[v, i, h], d_out[v, i, h]
                for w in range(width):
                    mean += to_row[w] * of_row[w]
                row, weight, own = step[i], score[i], to_bias[i]
                for j in range(lanes):
                    row[j] = weight[j] * (row[j] - mean)
                if v == b * views:
                    for j in range(nodes):
                        own[j] = row[j]
                else:
                    for j in range(nodes):
                        own[j] += row[j]
            product(step[:, :nodes], key, d_projected[v, :, 0, h])
            product(step.T[:nodes], q, d_projected[v, :, 1, h])
            for i in range(nodes):
                to_query, to_key = d_projected[v, i, 0, h], d_projected[v, i, 1, h]
                for w in range(width):
                    to_query[w] *= scale[v]
                    to_key[w] *= scale[v]
        head = take(taken)
