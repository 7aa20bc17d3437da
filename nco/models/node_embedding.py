"""The adaptive node embedding of RRNCO: where a node is, how far others are, what else it has.

After Son et al. 2025. Every node has two embeddings: as a place to leave, from the costs of its
row, and as a place to go to, from those of its column.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from nco.errors import PolicyError
from nco.models.adaptive_bias import encoded_angle
from nco.models.layers import NamedLinear
from nco.models.spectral import singular_factors

if TYPE_CHECKING:
    from nco.models.options import Angle, Gate, Neighbours
    from nco.observation import Features, Observation

SIDES = ("rows", "columns")
PLACE: tuple[str, ...] = ("x", "y")
FROM_DEPOT = ("x from depot", "y from depot")
IS_DEPOT = "is depot"
_NEVER_FAR = 1e-6  # added to distances before one is divided by them


class NodeEmbedding(nn.Module):
    """Embeds nodes before they are mixed.

    Formula: `h = g place + (1 - g) near`, `g = sigmoid(W2 relu(W1 [place; near]))`, then
    `W3 [h; other]`, where `near` maps the sorted distances to neighbours; with `spectral`, a map
    of the node's factors of the cost matrix is added to `h`.

    Args:
        features: of all environments that it is for.
        width: of embeddings.
        neighbours: number of distances to and from others that describe a node.
        nearest: which distances these are.
        gate: whether a gate is a number or a vector.
        angle: how the direction from the depot is shown.
        spectral: number of factors of the cost matrix; None for none.
    """

    draws: Tensor

    def __init__(
        self,
        features: Features,
        width: int,
        neighbours: int,
        nearest: Neighbours,
        gate: Gate,
        angle: Angle,
        spectral: int | None,
    ) -> None:
        super().__init__()
        self.neighbours, self.nearest = neighbours, nearest
        self.angle, self.spectral = angle, spectral
        own = {*PLACE, *FROM_DEPOT, IS_DEPOT}
        bearing = {"none": FROM_DEPOT, "raw": ("bearing",), "sincos": ("sine", "cosine")}[angle]
        has_depot = own <= set(features.node)
        self.place = NamedLinear((*PLACE, *bearing) if has_depot else PLACE, width)
        self.bearing = bearing
        self.depot = nn.Linear(len(PLACE), width) if has_depot else None
        self.near = nn.ModuleDict({side: nn.Linear(neighbours, width) for side in SIDES})
        gates = 1 if gate == "scalar" else width
        self.gate = nn.ModuleDict({side: _gate(width, gates) for side in SIDES})
        others = tuple(name for name in features.node if name not in own)
        self.other = NamedLinear(others, width) if others else None
        self.join = nn.ModuleDict()
        if others:
            self.join.update({side: nn.Linear(2 * width, width) for side in SIDES})
        self.factors = nn.ModuleDict()
        if spectral:
            self.factors.update({side: nn.Linear(spectral, width, bias=False) for side in SIDES})
        # Draws are numbered, and the number is part of the weights: a resumed training draws what
        # an uninterrupted one does.
        if nearest == "sampled":
            self.register_buffer("draws", torch.zeros((), dtype=torch.int64))

    def forward(self, observation: Observation, seed: int = 0) -> tuple[Tensor, Tensor]:
        """Embeddings `[V, N, E]` of nodes as places to leave and to go to.

        Args:
            observation: of the instances.
            seed: of drawn neighbours, in evaluation.

        Raises:
            PolicyError: an instance has too few nodes to draw neighbours from.
        """
        views = len(observation.node) // len(observation.pair)
        cost = observation.pair[:, observation.features.pair.index("cost")]
        distances = self._distances(cost, observation.present, seed)
        place, other = self._place(observation), self._other(observation)
        factors: tuple[Tensor, ...] = ()
        if self.spectral:
            factors = singular_factors(_without_padding(cost, observation.present), self.spectral)
        found = []
        for s, side in enumerate(SIDES):
            near = self.near[side](distances[s]).repeat_interleave(views, 0)
            gate = torch.sigmoid(self.gate[side](torch.cat([place, near], -1)))
            node = gate * place + (1.0 - gate) * near
            if factors:
                node = node + self.factors[side](factors[s]).repeat_interleave(views, 0)
            if other is not None:
                node = self.join[side](torch.cat([node, other], -1))
            found.append(node)
        rows, columns = found
        return rows, columns

    def _place(self, observation: Observation) -> Tensor:
        shown, node = observation.features.node, observation.node
        xy, names = _columns(node, shown, PLACE), PLACE
        if self.depot is None:
            placed: Tensor = self.place(xy, names)
            return placed
        given, is_depot = xy, torch.zeros_like(node[..., :1])
        if {*FROM_DEPOT, IS_DEPOT} <= set(shown):
            away = _columns(node, shown, FROM_DEPOT)
            if self.angle != "none":
                away = encoded_angle(away[..., 0], away[..., 1], self.angle).movedim(1, -1)
            given, names = torch.cat([xy, away], -1), (*PLACE, *self.bearing)
            is_depot = _columns(node, shown, (IS_DEPOT,))
        # Where there is no depot its map is applied all the same, to nothing: processes that train
        # together need a gradient of every tensor.
        return torch.where(is_depot > 0, self.depot(xy), self.place(given, names))

    def _other(self, observation: Observation) -> Tensor | None:
        if self.other is None:
            return None
        shown = observation.features.node
        names = tuple(name for name in shown if name not in {*PLACE, *FROM_DEPOT, IS_DEPOT})
        other: Tensor = self.other(_columns(observation.node, shown, names), names)
        return other

    def _distances(self, cost: Tensor, present: Tensor | None, seed: int) -> tuple[Tensor, Tensor]:
        if self.nearest == "nearest":
            there = nearest_distances(cost, self.neighbours, present)
            return there, nearest_distances(cost.transpose(1, 2), self.neighbours, present)
        if self.training:
            self.draws.add_(1)
            seed = int(self.draws)
        generator = torch.Generator(cost.device).manual_seed(seed)
        return drawn_distances(cost, self.neighbours, present, generator)


def nearest_distances(cost: Tensor, count: int, present: Tensor | None) -> Tensor:
    """`[B, N, count]` smallest costs of each row to other nodes, ascending.

    Where there are fewer, the largest of them comes again; where there is none, zeros.
    """
    nodes = cost.shape[-1]
    value, _ = _apart(cost, present).topk(min(count, nodes - 1), largest=False, sorted=True)
    missing = value.isinf()
    largest = value.masked_fill(missing, 0.0).amax(-1, keepdim=True) if nodes > 1 else cost[..., :1]
    value = torch.where(missing, largest, value)
    rest = largest.expand(-1, -1, count - value.shape[-1])
    return torch.cat([value, rest], -1)


def drawn_distances(
    cost: Tensor, count: int, present: Tensor | None, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Costs from and to the same other nodes, `[B, N, count]` each, both ascending.

    They are drawn without replacement with probability in proportion to one over the cost of the
    row, by Gumbel's trick.

    Raises:
        PolicyError: an instance has not more than `count` nodes.
    """
    size = cost.shape[-1] if present is None else int(present.sum(1).min())
    if size <= count:
        raise PolicyError(
            f"an instance has {size} nodes, and {count} neighbours of each are to be drawn; give "
            f"larger instances, fewer neighbours or nearest='nearest'"
        )
    noise = torch.rand(cost.shape, generator=generator, device=cost.device)
    gumbel = -torch.log(-torch.log(noise.clamp(1e-9, 1.0 - 1e-7)))
    index = (gumbel - torch.log(_apart(cost, present) + _NEVER_FAR)).topk(count, -1).indices
    there = cost.gather(2, index).sort(-1).values
    return there, cost.transpose(1, 2).gather(2, index).sort(-1).values


def _apart(cost: Tensor, present: Tensor | None) -> Tensor:
    """Costs with infinity to the node itself and to nodes that are not there."""
    apart = cost + torch.diag(cost.new_full((cost.shape[-1],), torch.inf))
    return apart if present is None else apart.masked_fill(~present[:, None], torch.inf)


def _without_padding(cost: Tensor, present: Tensor | None) -> Tensor:
    if present is None:
        return cost
    return cost * (present[:, :, None] & present[:, None, :])


def _columns(node: Tensor, shown: tuple[str, ...], names: tuple[str, ...]) -> Tensor:
    return node[..., [shown.index(name) for name in names]]


def _gate(width: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(2 * width, 2 * width), nn.ReLU(), nn.Linear(2 * width, outputs))
