"""Building blocks of encoders: pre-normalised attention over nodes with a bias on pairs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from nco.errors import PolicyError

if TYPE_CHECKING:
    from nco.envs.base import Observation

REFERENCE_SIZE = 50  # nodes; the size at which attention is scaled as usual


class NamedLinear(nn.Linear):
    """A linear map of named features, of which an environment may show only some.

    What an environment does not show counts as 0, so one network serves several of them.

    Args:
        names: of all features.
        width: of the result.
    """

    def __init__(self, names: tuple[str, ...], width: int) -> None:
        super().__init__(len(names), width)
        self.names = names

    def of(self, shown: tuple[str, ...]) -> tuple[Tensor, Tensor]:
        """Weight `[width, shown]` and bias of the features that are shown.

        Raises:
            PolicyError: the network does not know one of them.
        """
        if shown == self.names:
            return self.weight, self.bias
        unknown = [name for name in shown if name not in self.names]
        if unknown:
            raise PolicyError(
                f"the network does not know the feature {unknown[0]!r}; it was built for "
                f"{', '.join(self.names)}"
            )
        return self.weight[:, [self.names.index(name) for name in shown]], self.bias

    def forward(self, x: Tensor, shown: tuple[str, ...] | None = None) -> Tensor:
        """Maps `[..., shown]` to `[..., width]`."""
        return F.linear(x, *self.of(self.names if shown is None else shown))


class PairBias(nn.Module):
    """A small network on pair features, which gives every layer and head a bias.

    Formula: `bias = W2 relu(W1 pair + b1) + b2`, shared by all layers up to `W2`.

    Args:
        names: of all planes of pair features.
        width: hidden width.
        outputs: number of biases.

    Shapes: `[B, P, N, N]` to `[B, outputs, N, N]`.
    """

    def __init__(self, names: tuple[str, ...], width: int, outputs: int) -> None:
        super().__init__()
        self.hidden = NamedLinear(names, width)
        self.output = nn.Linear(width, outputs)

    def forward(self, pair: Tensor, shown: tuple[str, ...]) -> Tensor:
        """The biases of all pairs, given the names of the planes."""
        planes = pair.flatten(2)
        weight, bias = self.hidden.of(shown)
        hidden = F.relu(weight @ planes + bias[:, None])
        out = self.output.weight @ hidden + self.output.bias[:, None]
        biases: Tensor = out.view(*out.shape[:2], *pair.shape[2:])
        return biases


def sharpness(observation: Observation) -> Tensor:
    """`log N / log REFERENCE_SIZE`: keeps attention as sharp among many nodes as among few.

    A number for all instances, or `[B]` where they differ in size.
    """
    if observation.present is None:
        size = torch.tensor(float(observation.node.shape[1]))
    else:
        size = observation.present.sum(1).float()
    return torch.log(size.clamp_min(2.0)) / math.log(REFERENCE_SIZE)


def closed_columns(observation: Observation) -> Tensor | None:
    """`[B, 1, 1, N]` minus infinity at nodes that only fill up a batch; None if there are none."""
    if observation.present is None:
        return None
    zeros = torch.zeros(observation.present.shape, device=observation.present.device)
    return zeros.masked_fill(~observation.present, -torch.inf)[:, None, None]


class Block(nn.Module):
    """Self-attention with a pair bias, then a feed-forward network, each pre-normalised (RMS).

    Formula: `softmax(q k^T s / sqrt(d) + bias) v`, `s` being the `sharpness`.

    Args:
        width: of node embeddings, `E`.
        heads: of the attention, `H`.
        hidden: of the feed-forward network.

    Shapes: nodes `[V, N, E]`, bias broadcast to `[V, H, N, N]`, result `[V, N, E]`.
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

    def forward(self, node: Tensor, bias: Tensor | None, sharp: Tensor) -> Tensor:
        """Updates node embeddings; `sharp` is broadcast to `[V, H, N, W]`."""
        projected = self.project(self.attention_norm(node))
        q, k, v = projected.unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(q * sharp, k, v, attn_mask=bias)
        node = node + self.combine(mixed.transpose(1, 2).flatten(2))
        changed: Tensor = self.down(F.relu(self.up(self.forward_norm(node))))
        return node + changed
