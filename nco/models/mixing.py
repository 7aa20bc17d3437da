"""How embeddings of places to leave and of places to go to are mixed, in parallel streams.

The attention-free form follows Son et al. 2025 (RRNCO), two streams that attend to each other
Kwon et al. 2021 (MatNet), balanced weights RADAR (2026).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from nco.models.spectral import balanced

if TYPE_CHECKING:
    from nco.models.options import Form, Norm

_LEAST = -40.0  # logarithm of the smallest weight of a channel, so that none is divided by zero


class Normalised(nn.Module):
    """Normalises nodes `[V, N, E]`: each of them, or each channel over those that are there.

    Args:
        width: of embeddings.
        norm: which of both.
    """

    def __init__(self, width: int, norm: Norm) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.bias = nn.Parameter(torch.zeros(width)) if norm == "instance" else None

    def forward(self, node: Tensor, present: Tensor | None) -> Tensor:
        """The result; `present` is `[V, N]`."""
        if self.bias is None:
            return F.rms_norm(node, self.weight.shape, self.weight)
        if present is None:
            variance, mean = torch.var_mean(node, 1, keepdim=True, correction=0)
        else:
            share = (present / present.sum(1, keepdim=True))[..., None].to(node.dtype)
            mean = (node * share).sum(1, keepdim=True)
            variance = ((node - mean).square() * share).sum(1, keepdim=True)
        return (node - mean) * (variance + 1e-5).rsqrt() * self.weight + self.bias


class AttentionFree(nn.Module):
    """Attention-free mixing: weights are products of one of the pair and one of each channel.

    Formula, as the paper has it: `sigmoid(Q) [exp(A) (exp(K) V)] / [exp(A) exp(K)]`. As the
    published code has it, with `softmax(A)` over columns and `softmax(K)` over nodes in place of
    `A` and `K`; no node can have much more weight than another then.

    Args:
        width: of embeddings.
        heads: number of biases, each for as many channels.
        form: "paper" or "code".
        sinkhorn: iterations that balance `A`; None for none.
    """

    def __init__(self, width: int, heads: int, form: Form, sinkhorn: int | None) -> None:
        super().__init__()
        self.heads, self.form, self.sinkhorn = heads, form, sinkhorn
        self.query = nn.Linear(width, width)
        self.memory = nn.Linear(width, 2 * width)
        self.combine = nn.Linear(width, width)

    def forward(
        self,
        x: Tensor,
        y: Tensor,
        bias: Tensor,
        present: Tensor | None,
        sharp: Tensor,  # noqa: ARG002 (biases are sharpened already)
    ) -> Tensor:
        """Mixes `y` `[V, N, E]` for `x`, given biases `[G, H, N, N]` and `present` `[V, N]`."""
        key, value = self.memory(y).chunk(2, -1)
        closed = None if present is None else ~present[..., None]
        strength = self._strength(key, closed)
        weight = self._weight(bias, None if present is None else present[:: len(y) // len(bias)])
        total, mass = mixed(weight, torch.stack([strength * value, strength])).unbind(0)
        # Only nodes that are not there may have no weight to divide by.
        mean = total / mass.clamp_min(torch.finfo(mass.dtype).tiny)
        out: Tensor = self.combine(torch.sigmoid(self.query(x)) * mean)
        return out

    def _strength(self, key: Tensor, closed: Tensor | None) -> Tensor:
        """Positive weight of each node and channel, 0 of nodes that are not there."""
        if closed is not None:
            key = key.masked_fill(closed, -torch.inf)
        if self.form == "code":
            key = torch.softmax(key, 1)
        else:
            key = (key - key.detach().amax(1, keepdim=True)).clamp_min(_LEAST)
        strength = torch.exp(key)
        return strength if closed is None else strength.masked_fill(closed, 0.0)

    def _weight(self, bias: Tensor, present: Tensor | None) -> Tensor:
        """Positive weight `[G, H, N, N]` of each pair."""
        if present is not None:
            bias = bias.masked_fill(~present[:, None, None], -torch.inf)
        if self.sinkhorn:
            here = None if present is None else present[:, None]
            weight = balanced(bias, self.sinkhorn, here).exp()
        else:
            # A factor common to a row cancels out, so the paper's weights may sum to one.
            weight = torch.softmax(bias, -1)
        return torch.exp(weight) if self.form == "code" else weight


class Attention(nn.Module):
    """Dot-product attention of `x` to `y` under a bias.

    Formula: `softmax(q k^T s / sqrt(d) + bias) v`, `s` being the sharpness; with Sinkhorn, weights
    are balanced over rows and columns in place of the softmax.

    Args:
        width: of embeddings.
        heads: of the attention.
        sinkhorn: iterations that balance weights; None for none.
    """

    def __init__(self, width: int, heads: int, sinkhorn: int | None) -> None:
        super().__init__()
        self.heads, self.sinkhorn = heads, sinkhorn
        self.query = nn.Linear(width, width, bias=False)
        self.memory = nn.Linear(width, 2 * width, bias=False)
        self.combine = nn.Linear(width, width, bias=False)

    def forward(
        self, x: Tensor, y: Tensor, bias: Tensor, present: Tensor | None, sharp: Tensor
    ) -> Tensor:
        """Mixes `y` `[V, N, E]` for `x`, given biases `[G, H, N, N]` and `present` `[V, N]`."""
        bias = bias.repeat_interleave(len(x) // len(bias), 0)
        q = (self.query(x) * sharp).unflatten(-1, (self.heads, -1)).transpose(1, 2)
        k, v = self.memory(y).unflatten(-1, (2, self.heads, -1)).permute(2, 0, 3, 1, 4)
        if self.sinkhorn:
            score = q @ k.transpose(2, 3) / math.sqrt(k.shape[-1]) + bias
            here = None if present is None else present[:, None]
            out = balanced(score, self.sinkhorn, here).exp() @ v
        else:
            if present is not None:
                bias = bias.masked_fill(~present[:, None, None], -torch.inf)
            out = F.scaled_dot_product_attention(q, k, v, attn_mask=bias)
        combined: Tensor = self.combine(out.transpose(1, 2).flatten(2))
        return combined


def mixed(weight: Tensor, value: Tensor) -> Tensor:
    """Sums values with weights that views share.

    Args:
        weight: `[G, H, N, N]`.
        value: `[K, V, N, E]`, `V` a multiple of `G`, group-major, channels in `H` parts.

    Returns:
        `[K, V, N, E]`.
    """
    groups, heads, nodes, _ = weight.shape
    kinds, views, _, width = value.shape
    # Views and kinds become channels, so that no weight is copied for them.
    split = value.view(kinds, groups, views // groups, nodes, heads, width // heads)
    channels = split.permute(1, 4, 3, 0, 2, 5).reshape(groups, heads, nodes, -1)
    out = (weight @ channels).view(groups, heads, nodes, kinds, -1, width // heads)
    return out.permute(3, 0, 4, 2, 1, 5).reshape(kinds, views, nodes, width)


class Stream(nn.Module):
    """One side's change by the other: mixing, then a feed-forward network.

    With RMS norms, `x + mix(n(x), n(y))` and `x + ff(n(x))`. With instance norms, as published,
    `n(n(x) + n(mix(n(x), n(y))))` and `n(x + ff(x))`.

    Args:
        width: of embeddings.
        heads: of the mixing.
        hidden: width of the feed-forward network.
        form: of the mixing.
        norm: of what.
        sinkhorn: iterations that balance weights; None for none.
    """

    def __init__(
        self, width: int, heads: int, hidden: int, form: Form, norm: Norm, sinkhorn: int | None
    ) -> None:
        super().__init__()
        self.mixing: nn.Module
        if form == "attention":
            self.mixing = Attention(width, heads, sinkhorn)
        else:
            self.mixing = AttentionFree(width, heads, form, sinkhorn)
        names = ["x", "y", "hidden"] if norm == "rms" else ["x", "y", "mixed", "sum", "end"]
        self.norms = nn.ModuleDict({name: Normalised(width, norm) for name in names})
        self.before = norm == "rms"
        self.up = nn.Linear(width, hidden)
        self.down = nn.Linear(hidden, width)

    def forward(
        self, x: Tensor, y: Tensor, bias: Tensor, present: Tensor | None, sharp: Tensor
    ) -> Tensor:
        """The changed `x` `[V, N, E]`; see `AttentionFree` for the arguments."""
        norms = self.norms
        own, other = norms["x"](x, present), norms["y"](y, present)
        change = self.mixing(own, other, bias, present, sharp)
        if self.before:
            x = x + change
            return x + self._forward(norms["hidden"](x, present))
        x = norms["sum"](own + norms["mixed"](change, present), present)
        ended: Tensor = norms["end"](x + self._forward(x), present)
        return ended

    def _forward(self, x: Tensor) -> Tensor:
        changed: Tensor = self.down(F.relu(self.up(x)))
        return changed
