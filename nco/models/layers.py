"""Building blocks of encoders: pre-normalised attention over nodes with a bias on pairs."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

REFERENCE_SIZE = 50  # nodes; the size at which attention is scaled as usual


class PairBias(nn.Module):
    """A small network on pair features, which gives every layer and head a bias.

    Formula: `bias = W2 relu(W1 pair + b1) + b2`, shared by all layers up to `W2`.

    Args:
        features: planes of pair features.
        width: hidden width.
        outputs: number of biases.

    Shapes: `[B, P, N, N]` to `[B, outputs, N, N]`.
    """

    def __init__(self, features: int, width: int, outputs: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(features, width)
        self.output = nn.Linear(width, outputs)

    def forward(self, pair: Tensor) -> Tensor:
        """The biases of all pairs."""
        planes = pair.flatten(2)
        hidden = F.relu(self.hidden.weight @ planes + self.hidden.bias[:, None])
        bias = self.output.weight @ hidden + self.output.bias[:, None]
        biases: Tensor = bias.view(*bias.shape[:2], *pair.shape[2:])
        return biases


class Block(nn.Module):
    """Self-attention with a pair bias, then a feed-forward network, each pre-normalised (RMS).

    Formula: `softmax(q k^T s / sqrt(d) + bias) v` with `s = log N / log REFERENCE_SIZE`, which
    keeps attention as sharp among many nodes as among few.

    Args:
        width: of node embeddings, `E`.
        heads: of the attention, `H`.
        hidden: of the feed-forward network.

    Shapes: nodes `[B, N, E]`, bias `[B, H, N, N]`, result `[B, N, E]`.
    """

    def __init__(self, width: int, heads: int, hidden: int) -> None:
        super().__init__()
        self.heads = heads
        self.attention_norm = nn.RMSNorm(width)
        self.project = nn.Linear(width, 3 * width, bias=False)
        self.combine = nn.Linear(width, width, bias=False)
        self.forward_norm = nn.RMSNorm(width)
        self.up = nn.Linear(width, hidden)
        self.down = nn.Linear(hidden, width)

    def forward(self, node: Tensor, bias: Tensor) -> Tensor:
        """Updates node embeddings."""
        projected = self.project(self.attention_norm(node))
        q, k, v = projected.unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        sharpness = math.log(max(2, node.shape[1])) / math.log(REFERENCE_SIZE)
        mixed = F.scaled_dot_product_attention(q * sharpness, k, v, attn_mask=bias)
        node = node + self.combine(mixed.transpose(1, 2).flatten(2))
        changed: Tensor = self.down(F.relu(self.up(self.forward_norm(node))))
        return node + changed


def gather_rows(table: Tensor, index: Tensor) -> Tensor:
    """Rows `[B, D, E]` of tables `[B, N, E]` at `index` `[B, D]`."""
    batch, nodes, width = table.shape
    if batch > 1:
        index = index + torch.arange(batch, device=index.device)[:, None] * nodes
    rows = table.reshape(batch * nodes, width).index_select(0, index.reshape(-1))
    return rows.view(*index.shape, width)
