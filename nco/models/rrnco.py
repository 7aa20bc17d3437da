"""RRNCO: a policy that reads the directed matrices by neighbours, by biases and in two streams.

After Son et al. 2025 (arXiv 2503.16159), from its description, with each choice of design behind
an option. `PUBLISHED` are their choices, `RADAR` those of RADAR (arXiv 2603.03388); the defaults
are ours: cheaper, deterministic, and without the faults.

What differs from theirs even with `PUBLISHED`: decisions are taken by the pointer that all our
networks share; costs are relative to their mean, and neighbours never include the node itself;
coordinates keep their aspect ratio; the two linear maps in a row after mixing are one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from nco.errors import PolicyError, quoted
from nco.models.adaptive_bias import DistanceBias, GatedBias, JointBias, Pairs
from nco.models.layers import sharpness
from nco.models.mixing import Normalised, Stream
from nco.models.node_embedding import PLACE, NodeEmbedding
from nco.models.options import Angle, Bias, Form, Gate, Neighbours, Norm, check_choices
from nco.models.policy import Policy

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nco.observation import Features, Observation

PUBLISHED: dict[str, Any] = {
    "width": 128, "heads": 1, "decoder_heads": 8, "layers": 6, "hidden": 512, "neighbours": 25,
    "nearest": "sampled", "gate": "scalar", "bias": "gated", "bias_width": 128,
    "shared_bias": False, "angle": "raw", "gate_temperature": 148, "form": "code",
    "norm": "instance", "size_aware": False,
}  # fmt: skip
"""The choices of RRNCO's code; its paper differs by `form="paper"`."""

RADAR: dict[str, Any] = {
    "layers": 5, "form": "attention", "bias": "joint", "angle": "none", "spectral": 10,
    "sinkhorn": 10,
}  # fmt: skip
"""The ideas of RADAR on our attention: factors of the matrix, and balanced weights."""


class RRNCOPolicy(Policy):
    """Embeds nodes by their distances and mixes them in two streams under a bias of pairs.

    Args:
        features: of all environments that it is for.
        width: of embeddings.
        heads: biases of each stream and layer, each for as many channels; published 1.
        decoder_heads: of the pointer's glimpse.
        layers: of the encoder, each of a stream for places to leave and one for places to go to.
        hidden: width of the feed-forward networks.
        neighbours: number of distances from and to others that describe a node.
        nearest: which distances these are.
        gate: whether the gate of a node is a number or a vector.
        bias: how pair features bias the mixing.
        bias_width: of the networks of the bias.
        shared_bias: whether all streams and layers share the bias up to its last layer.
        angle: how directions are shown.
        gate_temperature: by what the logits of the gates of three modalities are first divided.
        form: of the mixing.
        norm: what is normalised, and where.
        size_aware: whether mixing is as sharp among many nodes as among few.
        spectral: number of singular factors of the costs in the embedding; None for none.
        sinkhorn: iterations that balance the weights of the mixing; None for none.
        pair_width: hidden width of the pointer's network on pair features.
        clip: logits lie within plus and minus this.

    Raises:
        PolicyError: a size is below 1, heads do not divide `width`, an option has no such choice,
            or features lack coordinates or costs.
    """

    def __init__(
        self,
        features: Features,
        width: int = 128,
        heads: int = 8,
        decoder_heads: int = 8,
        layers: int = 4,
        hidden: int = 256,
        neighbours: int = 10,
        nearest: Neighbours = "nearest",
        gate: Gate = "vector",
        bias: Bias = "gated",
        bias_width: int = 16,
        shared_bias: bool = True,
        angle: Angle = "sincos",
        gate_temperature: int = 1,
        form: Form = "paper",
        norm: Norm = "rms",
        size_aware: bool = True,
        spectral: int | None = None,
        sinkhorn: int | None = None,
        pair_width: int = 16,
        clip: float = 10.0,
    ) -> None:
        super().__init__(
            features, width, decoder_heads, pair_width, clip,
            heads=heads, layers=layers, hidden=hidden, neighbours=neighbours, nearest=nearest,
            gate=gate, bias=bias, bias_width=bias_width, shared_bias=shared_bias, angle=angle,
            gate_temperature=gate_temperature, form=form, norm=norm, size_aware=size_aware,
            spectral=spectral, sinkhorn=sinkhorn,
        )  # fmt: skip
        check_choices(nearest=nearest, gate=gate, angle=angle, bias=bias, form=form, norm=norm)
        for kind, needed in (("node", PLACE), ("pair", ("cost",))):
            missing = [name for name in needed if name not in getattr(features, kind)]
            if missing:
                raise PolicyError(
                    f"{kind} features lack {quoted(missing[0])}, which this network reads"
                )
        self.angle, self.size_aware, self.layers = angle, size_aware, layers
        self.sampling_seed = 0
        self.embedding = NodeEmbedding(features, width, neighbours, nearest, gate, angle, spectral)

        def biases(outputs: int) -> nn.Module:
            if bias == "distance":
                return DistanceBias(outputs)
            if bias == "joint":
                return JointBias(features.pair, angle, bias_width, outputs)
            durations = "duration" in features.pair
            return GatedBias(durations, angle, bias_width, outputs, gate_temperature)

        count = 2 * layers
        self.shared = biases(count * heads) if shared_bias else None
        self.biases = nn.ModuleList(biases(heads) for _ in range(0 if shared_bias else count))
        self.streams = nn.ModuleList(
            Stream(width, heads, hidden, form, norm, sinkhorn) for _ in range(count)
        )
        self.norms = nn.ModuleList(
            [Normalised(width, norm) for _ in range(2)] if norm == "rms" else []
        )

    def embed(self, observation: Observation) -> tuple[Tensor, Tensor]:
        """Embeds and mixes nodes, in one stream as places to leave, in one as places to go to.

        Raises:
            PolicyError: an instance has too few nodes to draw neighbours from.
        """
        rows, columns = self.embedding(observation, self.sampling_seed)
        views = len(observation.node) // len(observation.pair)
        present = observation.present
        if present is not None:
            present = present.repeat_interleave(views, 0)
        sharp = sharpness(observation) if self.size_aware else torch.ones(())
        sharp = sharp.to(rows)
        each = sharp.repeat_interleave(views)[:, None, None] if sharp.ndim else sharp
        biases = self._biases(Pairs.of(observation, self.angle), sharp)
        streams = iter(self.streams)
        for there, back in zip(biases, biases, strict=True):
            # Both streams read what the layer is given, not each other's result.
            rows, columns = (
                next(streams)(rows, columns, there, present, each),
                next(streams)(columns, rows, back, present, each),
            )
        if self.norms:
            rows, columns = self.norms[0](rows, present), self.norms[1](columns, present)
        return rows, columns

    def _biases(self, pairs: Pairs, sharp: Tensor) -> Iterator[Tensor]:
        """Of each layer, the bias `[B or V, H, N, N]` of the rows, then that of the columns."""

        def sharpened(bias: Tensor) -> Tensor:
            if not sharp.ndim:
                return bias * sharp
            return bias * sharp.repeat_interleave(len(bias) // len(sharp))[:, None, None, None]

        if self.shared is not None:
            for k, bias in enumerate(sharpened(self.shared(pairs)).chunk(2 * self.layers, 1)):
                yield bias.transpose(2, 3) if k % 2 else bias
            return
        sides = (pairs, pairs.backward())
        for k, module in enumerate(self.biases):
            yield sharpened(module(sides[k % 2]))
