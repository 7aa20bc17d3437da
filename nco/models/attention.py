"""The attention model: a transformer whose attention is biased by the directed matrices.

After Kool et al. 2019 and Kwon et al. 2020. That the matrix biases attention follows Son et al.
2025 (RRNCO), here through one small network on pair features for all layers and heads.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor, nn

from nco.models.biased import Bias, biases
from nco.models.layers import Block, NamedLinear, PairBias, closed_columns, sharpness
from nco.models.policy import Policy

if TYPE_CHECKING:
    from collections.abc import Callable

    from nco.observation import Features, Observation


class AttentionPolicy(Policy):
    """Mixes nodes by attention, under a bias from pair features or without.

    Args:
        features: of all environments that it is for.
        width: of embeddings.
        heads: of the encoder's attention.
        decoder_heads: of the pointer's glimpse.
        layers: of the encoder.
        hidden: width of the feed-forward networks.
        pair_width: hidden width of the networks on pair features.
        pairs: whether attention is biased by pair features; without, the encoder sees no matrix
            but what node features tell of it.
        clip: logits lie within plus and minus this.

    Raises:
        PolicyError: a size is below 1, or heads do not divide `width`.
    """

    def __init__(
        self,
        features: Features,
        width: int = 128,
        heads: int = 8,
        decoder_heads: int = 8,
        layers: int = 4,
        hidden: int = 256,
        pair_width: int = 16,
        pairs: bool = True,
        clip: float = 10.0,
    ) -> None:
        super().__init__(
            features, width, decoder_heads, pair_width, clip,
            heads=heads, layers=layers, hidden=hidden, pairs=pairs,
        )  # fmt: skip
        self.layers = layers
        self.embedding = NamedLinear(features.node, width)
        self.bias = PairBias(features.pair, pair_width, layers * heads) if pairs else None
        self.blocks = nn.ModuleList(Block(width, heads, hidden) for _ in range(layers))
        self.norm = nn.RMSNorm(width)

    def embed(self, observation: Observation) -> tuple[Tensor, Tensor]:
        """Embeds and mixes nodes; they are the same as places to leave and to go to."""
        shown = observation.features
        views = len(observation.node) // len(observation.pair)
        node = self.embedding(observation.node, shown.node)
        closed, sharp = closed_columns(observation), sharpness(observation)
        if sharp.ndim:
            sharp = sharp.repeat_interleave(views)
        each: tuple[Bias | Tensor | None, ...] = (closed,) * self.layers
        if self.bias is not None:
            whole = self.bias(observation.pair, shown.pair)
            each = biases(whole if closed is None else whole + closed, self.layers)
        between = self._between(observation)
        for k, (block, bias) in enumerate(zip(self.blocks, each, strict=True)):
            node = between(k, block(node, bias, sharp))
        node = self.norm(node)
        return node, node

    def _between(self, observation: Observation) -> Callable[[int, Tensor], Tensor]:  # noqa: ARG002
        """What becomes of nodes behind each block: here they stay as they are."""
        return lambda _block, node: node
