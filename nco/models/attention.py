"""The attention model: a transformer that reads the directed cost matrix, and a pointer decoder.

After Kool et al. 2019 (encoder and pointer) and Kwon et al. 2020 (multi-start). That the matrix
biases encoder attention and the pointer follows Son et al. 2025 (RRNCO) and Huang et al. 2025
(ReLD, identity around the glimpse), here through one small network on pair features.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from nco.errors import PolicyError
from nco.models.layers import Block, PairBias, gather_rows
from nco.models.policy import Encoded, Policy, Spec

if TYPE_CHECKING:
    from nco.envs.base import Observation


class AttentionPolicy(Policy):
    """Encodes nodes under a bias from pair features; points to the next node.

    Args:
        node_features: columns of node features.
        pair_features: planes of pair features.
        context_features: numbers of the state that a decision sees.
        roles: nodes that a decision depends on.
        width: of embeddings.
        heads: of the encoder's attention.
        decoder_heads: of the glimpse, the costliest part of a step.
        layers: of the encoder.
        hidden: width of the feed-forward networks.
        pair_width: hidden width of the network on pair features.
        clip: logits lie within plus and minus this.

    Raises:
        PolicyError: a size is below 1, or heads do not divide `width`.
    """

    def __init__(
        self,
        node_features: int,
        pair_features: int,
        context_features: int,
        roles: int = 1,
        width: int = 128,
        heads: int = 8,
        decoder_heads: int = 4,
        layers: int = 4,
        hidden: int = 256,
        pair_width: int = 16,
        clip: float = 10.0,
    ) -> None:
        super().__init__()
        self._init_args = {
            "node_features": node_features,
            "pair_features": pair_features,
            "context_features": context_features,
            "roles": roles,
            "width": width,
            "heads": heads,
            "decoder_heads": decoder_heads,
            "layers": layers,
            "hidden": hidden,
            "pair_width": pair_width,
            "clip": clip,
        }
        _check(self._init_args)
        self.decoder_heads, self.layers, self.clip = decoder_heads, layers, clip
        self.embed = nn.Linear(node_features, width)
        self.bias = PairBias(pair_features, pair_width, layers * heads)
        self.blocks = nn.ModuleList(Block(width, heads, hidden) for _ in range(layers))
        self.norm = nn.RMSNorm(width)
        self.role = nn.Linear(width, roles * width, bias=False)
        self.context = nn.Linear(context_features, width)
        self.memory = nn.Linear(width, 3 * width, bias=False)
        self.score = PairBias(pair_features, pair_width, 1)

    def spec(self) -> Spec:
        """Class path and arguments."""
        path = f"{type(self).__module__}.{type(self).__qualname__}"
        return {"class_path": path, "init_args": dict(self._init_args)}

    def encode(self, observation: Observation) -> Encoded:
        """Embeds and mixes nodes, then prepares keys, values and tables of queries and scores.

        Where node features come in several views of the same instances (`node` is
        `[B * V, N, F]` and `pair` is `[B, P, N, N]`), the work on pairs is shared by the views.
        """
        views = len(observation.node) // len(observation.pair)
        node = self.embed(observation.node)
        biases = self.bias(observation.pair).chunk(self.layers, 1)
        for block, bias in zip(self.blocks, biases, strict=True):
            node = block(node, bias.repeat_interleave(views, 0) if views > 1 else bias)
        node = self.norm(node)
        key, value, target = self.memory(node).chunk(3, -1)
        pair = self.score(observation.pair)[:, 0]
        width = node.shape[-1]
        return Encoded(
            query=self.role(node).unflatten(-1, (-1, width)).transpose(1, 2).contiguous(),
            key=self._split(key),
            value=self._split(value),
            target=target.transpose(1, 2).contiguous() / math.sqrt(width),
            pair=pair.repeat_interleave(views, 0) if views > 1 else pair,
        )

    def logits(self, encoded: Encoded, roles: Tensor, context: Tensor, closed: Tensor) -> Tensor:
        """Glimpses at the allowed nodes, then scores them; see `Policy.logits`."""
        query = F.linear(context, self.context.weight, self.context.bias)
        for r in range(roles.shape[-1]):
            query = query + gather_rows(encoded.query[:, r], roles[..., r])
        glimpse = F.scaled_dot_product_attention(
            self._split(query), encoded.key, encoded.value, attn_mask=closed[:, None]
        )
        query = query + glimpse.transpose(1, 2).flatten(2)
        score = torch.bmm(query, encoded.target) + gather_rows(encoded.pair, roles[..., 0])
        return self.clip * torch.tanh(score) + closed

    def _split(self, x: Tensor) -> Tensor:
        """`[B, N, E]` as heads `[B, H, N, E / H]`."""
        return x.view(*x.shape[:-1], self.decoder_heads, -1).transpose(1, 2)


def _check(init_args: dict[str, int | float]) -> None:
    for name, value in init_args.items():
        if value <= 0 or (name != "clip" and value != int(value)):
            raise PolicyError(f"{name} is {value}; it must be a number above 0")
    for name in ("heads", "decoder_heads"):
        if init_args["width"] % init_args[name]:
            raise PolicyError(
                f"width is {init_args['width']} and {name} {init_args[name]}; "
                f"{name} must divide width"
            )
