"""Building blocks of encoders: pre-normalised attention over nodes with a bias on pairs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from nco.errors import PolicyError, quoted
from nco.models.biased import attend
from nco.models.rms import feed_forward, normalised

if TYPE_CHECKING:
    from nco.models.biased import Bias
    from nco.observation import Observation

REFERENCE_SIZE = 50  # nodes; the size at which attention is scaled as usual
NEVER = -1e30  # bias that closes a node; finite, as compiled loops need it


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
                f"the network does not know the feature {quoted(unknown[0])}; it was built for "
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
        weight, bias = self.hidden.of(shown)
        planes = pair.flatten(2)
        # A plane of ones carries the biases through both maps, which saves passes over all pairs.
        planes = torch.cat([planes, torch.ones_like(planes[:, :1])], 1)
        first = F.pad(weight, (0, 1, 0, 1)) + F.pad(bias[:, None], (len(shown), 0, 0, 1))
        first = first + F.pad(planes.new_ones(1, 1), (len(shown), 0, len(weight), 0))
        second = F.pad(self.output.weight, (0, 1))
        second = second + F.pad(self.output.bias[:, None], (len(weight), 0))
        each = (len(pair), -1, -1)
        hidden = torch.bmm(first.expand(each), planes).relu_()
        return torch.bmm(second.expand(each), hidden).view(len(pair), -1, *pair.shape[2:])


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
    """`[B, 1, 1, N]` `NEVER` at nodes that only fill up a batch; None if there are none."""
    if observation.present is None:
        return None
    zeros = torch.zeros(observation.present.shape, device=observation.present.device)
    return zeros.masked_fill(~observation.present, NEVER)[:, None, None]


class Block(nn.Module):
    """Self-attention with a pair bias, then a feed-forward network, each pre-normalised (RMS).

    Formula: `softmax(q k^T s / sqrt(d) + bias) v`, `s` being the `sharpness`.

    Args:
        width: of node embeddings, `E`.
        heads: of the attention, `H`.
        hidden: of the feed-forward network.

    Shapes: nodes `[V, N, E]`, bias `[B, H, N, N]` or broadcast to scores, result `[V, N, E]`.
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

    def forward(self, node: Tensor, bias: Bias | Tensor | None, sharp: Tensor) -> Tensor:
        """Updates node embeddings; `sharp` is one number or `[V]`."""
        # Weights are multiplied by those of the norm, not every node.
        direction, node = normalised(node)
        projected = F.linear(direction, self.project.weight * self.attention_norm.weight)
        scale = sharp / math.sqrt(node.shape[-1] // self.heads)
        found = attend(projected, self.heads, bias, scale)
        mixed = torch.addmm(node.flatten(0, 1), found.flatten(0, 1), self.combine.weight.T)
        direction, node = normalised(mixed.view_as(node))
        up = self.up.weight * self.forward_norm.weight, self.up.bias
        return feed_forward(node, direction, up, (self.down.weight, self.down.bias))
