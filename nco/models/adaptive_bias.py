"""How pair features bias the mixing of nodes: the neural adaptive bias of RRNCO and simpler ones.

After Son et al. 2025. Their gates weigh embeddings of distance, angle and duration; the bias is a
linear map of the weighed sum. As the weights are numbers, the last layer of each embedding can be
folded into that map and into those of the gate. It is the same function without a square matrix
at every pair, tens of times cheaper at their width with two modalities.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from nco.models.layers import PairBias

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nco.models.options import Angle
    from nco.observation import Observation

ANGLE_PLANES = {"none": (), "raw": ("angle",), "sincos": ("sine", "cosine")}


@dataclass(frozen=True)
class Pairs:
    """What biases are made of.

    Attributes:
        planes: `[B, P, N, N]` features of ordered pairs, which views share.
        names: of the planes.
        angle: `[V, A, N, N]` direction from the column's node to the row's, in each view.
        size: `[B]` number of nodes that are there.
    """

    planes: Tensor
    names: tuple[str, ...]
    angle: Tensor
    size: Tensor

    @classmethod
    def of(cls, observation: Observation, angle: Angle) -> Pairs:
        """Pairs of an observation, with angles encoded as named."""
        node = observation.node
        here = observation.present
        names = observation.features.node
        size = (
            node.new_full((len(observation.pair),), node.shape[1]) if here is None else here.sum(1)
        )
        if angle == "none":
            turned = node.new_zeros(len(observation.pair), 0, node.shape[1], node.shape[1])
        else:
            x, y = (node[..., names.index(axis)] for axis in ("x", "y"))
            turned = encoded_angle(x[:, :, None] - x[:, None], y[:, :, None] - y[:, None], angle)
        return cls(observation.pair, observation.features.pair, turned, size)

    def backward(self) -> Pairs:
        """With planes from column to row; angles as they are."""
        return replace(self, planes=self.planes.transpose(2, 3))

    def plane(self, name: str) -> Tensor | None:
        """`[B, 1, N, N]`, or None where it is not shown."""
        if name not in self.names:
            return None
        index = self.names.index(name)
        return self.planes[:, index : index + 1]


def encoded_angle(x: Tensor, y: Tensor, angle: Angle) -> Tensor:
    """`[V, A, ...]` direction of vectors `[V, ...]`: radians, or sine and cosine."""
    if angle == "raw":
        return torch.atan2(y, x)[:, None]
    length = torch.hypot(x, y).clamp_min(torch.finfo(x.dtype).tiny)
    return torch.stack([y / length, x / length], 1)


class GatedBias(nn.Module):
    """The neural adaptive bias: embeddings of distance, angle and duration, weighed by gates.

    Formula: `a (w . sum_m g_m z_m + c)` with `z_m = W2 relu(W1 p_m + b1) + b2` and weights `g`: of
    two modalities `sigmoid(v . [z_1; z_2])` and the rest, of three
    `softmax(U silu(V [z_1; z_2; z_3]) / exp(t))`. Where an environment does not show a modality,
    the others have its weight.

    Args:
        durations: whether there are environments that show durations.
        angle: how angles are encoded.
        width: of the embeddings.
        outputs: number of biases, each with its own `a` and `w`.
        temperature: what `exp(t)` is in the beginning; at 148, as published, gates stay open
            alike for long.
    """

    def __init__(
        self, durations: bool, angle: Angle, width: int, outputs: int, temperature: int = 1
    ) -> None:
        super().__init__()
        channels = {"cost": 1, "angle": len(ANGLE_PLANES[angle]), "duration": int(durations)}
        self.modalities = tuple(name for name, count in channels.items() if count)
        self.channels = [channels[name] for name in self.modalities]
        count = len(self.modalities)
        # Tensors are shared by modalities, so that all of them have a gradient whatever is shown.
        self.first = nn.Linear(1, sum(self.channels) * width)
        self.second = nn.Linear(width, count * width)
        self.gate = nn.Linear(count * width, {1: 0, 2: 1, 3: width}[count]) if count > 1 else None
        self.choice = nn.Linear(width, count) if count == 3 else None
        if count == 3:
            self.temperature = nn.Parameter(torch.tensor(math.log(temperature)))
        self.output = nn.Linear(width, outputs)
        self.scale = nn.Parameter(torch.ones(outputs))

    def forward(self, pairs: Pairs) -> Tensor:
        """The biases, `[V, outputs, N, N]` with angles, else `[B, outputs, N, N]`."""
        batch, _, nodes, _ = pairs.planes.shape
        given = [pairs.angle if m == "angle" else pairs.plane(m) for m in self.modalities]
        shown = [m for m, planes in enumerate(given) if planes is not None]
        width = self.output.in_features
        weights = torch.split(self.first.weight.view(-1, width), self.channels)
        constants = torch.split(self.first.bias.view(-1, width), self.channels)
        hidden = []
        for weight, constant, planes in zip(weights, constants, given, strict=True):
            if planes is not None:
                matrix = weight.T.expand(len(planes), -1, -1)
                seen = torch.baddbmm(constant.sum(0)[:, None], matrix, planes.flatten(2)).relu()
                # Views are an axis of their own, of length 1 where they share a modality.
                hidden.append(seen.view(batch, -1, *seen.shape[1:]))
        into = self.output.weight * self.scale[:, None]
        parts: list[Tensor] = []
        maps: list[Tensor] = []
        for m, values, weight in zip(shown, hidden, self._weights(hidden, shown), strict=True):
            parts += [weight * values, weight]
            maps += self._folded(into, m)
        views = max(part.shape[1] for part in parts)
        whole = torch.cat([part.expand(-1, views, -1, -1) for part in parts], 2)
        total = torch.cat(maps, 1) @ whole + (self.output.bias * self.scale)[:, None]
        return total.view(batch * views, -1, nodes, nodes)

    def _weights(self, hidden: list[Tensor], shown: list[int]) -> Sequence[Tensor]:
        """Of each modality that is shown, `[B, 1 or views, 1, N N]`; they sum to one."""
        if self.gate is None:
            return [torch.ones_like(hidden[0][:, :, :1])]
        logits = self.gate.bias[:, None]
        width = self.output.in_features
        for m, values in zip(shown, hidden, strict=True):
            part, constant = self._folded(self.gate.weight[:, m * width : (m + 1) * width], m)
            logits = logits + part @ values + constant
        if self.choice is None and len(shown) == 2:
            first = torch.sigmoid(logits)
            return [first, 1.0 - first]
        if self.choice is None:
            return [torch.softmax(logits, 2)]  # ones
        chosen = self.choice.weight[shown] @ F.silu(logits) + self.choice.bias[shown, None]
        return torch.softmax(chosen / self.temperature.exp(), 2).chunk(len(shown), 2)

    def _folded(self, into: Tensor, m: int) -> tuple[Tensor, Tensor]:
        """A map `[M, width]` of the embedding of a modality, as map and constant of its hidden."""
        width = into.shape[1]
        own = slice(m * width, (m + 1) * width)
        return into @ self.second.weight[own], (into @ self.second.bias[own])[:, None]


class JointBias(nn.Module):
    """One small network on all pair features and angles.

    Args:
        names: of all planes of pair features.
        angle: how angles are encoded; with angles, every view has work of its own.
        width: hidden width.
        outputs: number of biases.
    """

    def __init__(self, names: tuple[str, ...], angle: Angle, width: int, outputs: int) -> None:
        super().__init__()
        self.angles = ANGLE_PLANES[angle]
        self.network = PairBias((*names, *self.angles), width, outputs)

    def forward(self, pairs: Pairs) -> Tensor:
        """The biases, `[V, outputs, N, N]` with angles, else `[B, outputs, N, N]`."""
        planes = pairs.planes
        if self.angles:
            views = len(pairs.angle) // len(planes)
            planes = torch.cat([planes.repeat_interleave(views, 0), pairs.angle], 1)
        biases: Tensor = self.network(planes, (*pairs.names, *self.angles))
        return biases


class DistanceBias(nn.Module):
    """The distance itself: `-a log2(N) d`, as hand-made biases have it, with `a` learned.

    Args:
        outputs: number of biases, each with its own `a`.
    """

    def __init__(self, outputs: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(outputs))

    def forward(self, pairs: Pairs) -> Tensor:
        """The biases, `[B, outputs, N, N]`."""
        plane = pairs.plane("cost")
        assert plane is not None  # noqa: S101 (the policy was built for it)
        size = torch.log2(pairs.size.clamp_min(2.0))[:, None, None, None]
        return -self.scale[:, None, None] * size * plane
