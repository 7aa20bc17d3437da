"""A graph network: nodes hear of near nodes only, over edges that carry the directed pair features.

Attention with edge features is that of torch-geometric (Shi et al. 2021; Brody et al. 2022).
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from nco.errors import PolicyError
from nco.models.layers import NamedLinear
from nco.models.options import Convolution, check_choices
from nco.models.policy import Policy

with warnings.catch_warnings():
    # It scripts classes when it is imported, which torch deprecates.
    warnings.filterwarnings("ignore", "`torch.jit.script` is deprecated", FutureWarning)
    from torch_geometric.nn import GATv2Conv, TransformerConv

if TYPE_CHECKING:
    from nco.observation import Features, Observation


class GraphPolicy(Policy):
    """Mixes nodes along edges to the nearest in each direction and to the depot.

    The work grows as `N k`, but for the search of neighbours. What is far is heard of through the
    mean of all nodes, and where there is a depot, through it.

    Args:
        features: of all environments that it is for.
        width: of embeddings.
        heads: of the attention.
        decoder_heads: of the pointer's glimpse.
        layers: of the encoder.
        hidden: width of the feed-forward networks.
        neighbours: how many nearest nodes there, and how many back, a node has edges with.
        edge_width: of embeddings of edges.
        convolution: which attention along edges.
        pair_width: hidden width of the pointer's network on pair features.
        clip: logits lie within plus and minus this.

    Raises:
        PolicyError: a size is below 1, heads do not divide `width`, there is no such convolution,
            or features lack costs.
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
        edge_width: int = 32,
        convolution: Convolution = "transformer",
        pair_width: int = 16,
        clip: float = 10.0,
    ) -> None:
        super().__init__(
            features, width, decoder_heads, pair_width, clip,
            heads=heads, layers=layers, hidden=hidden, neighbours=neighbours,
            edge_width=edge_width, convolution=convolution,
        )  # fmt: skip
        check_choices(convolution=convolution)
        if "cost" not in features.pair:
            raise PolicyError("pair features lack 'cost', which this network reads")
        self.neighbours = neighbours
        self.embedding = NamedLinear(features.node, width)
        self.edge = NamedLinear(features.pair, edge_width)
        self.blocks = nn.ModuleList(
            EdgeBlock(width, heads, hidden, edge_width, convolution) for _ in range(layers)
        )
        self.norm = nn.RMSNorm(width)

    def embed(self, observation: Observation) -> tuple[Tensor, Tensor]:
        """Embeds and mixes nodes; they are the same as places to leave and to go to."""
        shown = observation.features
        batch, nodes = len(observation.pair), observation.node.shape[1]
        views = len(observation.node) // batch
        node = self.embedding(observation.node, shown.node)
        instance, start, end = linked(observation, self.neighbours).nonzero().unbind(1)
        edge = F.relu(self.edge(observation.pair[instance, :, start, end], shown.pair))
        # One graph of all views of all instances; views have the same edges.
        place = (instance * views + torch.arange(views, device=node.device)[:, None]) * nodes
        index = torch.stack([(place + start).flatten(), (place + end).flatten()])
        edge = edge.repeat(views, 1)
        share = node.new_full((1, nodes, 1), 1 / nodes)
        if observation.present is not None:
            present = observation.present.repeat_interleave(views, 0)
            share = (present / present.sum(1, keepdim=True))[..., None].to(node)
        for block in self.blocks:
            node = block(node, share, index, edge)
        node = self.norm(node)
        return node, node


class EdgeBlock(nn.Module):
    """Attention along edges, the mean of all nodes, then a feed-forward network (RMS norms).

    Args:
        width: of node embeddings, `E`.
        heads: of the attention.
        hidden: of the feed-forward network.
        edge_width: of embeddings of edges, `D`.
        convolution: which attention along edges.
    """

    def __init__(
        self, width: int, heads: int, hidden: int, edge_width: int, convolution: Convolution
    ) -> None:
        super().__init__()
        self.edge_norm = nn.RMSNorm(width)
        kind, own = {
            "transformer": (TransformerConv, {}),
            "gatv2": (GATv2Conv, {"add_self_loops": False, "residual": True}),
        }[convolution]
        self.convolution = kind(width, width // heads, heads, edge_dim=edge_width, **own)
        self.mean = nn.Linear(width, width, bias=False)
        self.forward_norm = nn.RMSNorm(width)
        self.up = nn.Linear(width, hidden)
        self.down = nn.Linear(hidden, width)

    def forward(self, node: Tensor, share: Tensor, index: Tensor, edge: Tensor) -> Tensor:
        """Changes nodes.

        Args:
            node: `[V, N, E]`.
            share: `[V, N, 1]` of each node in the mean.
            index: `[2, K]` from and to which of `V N` nodes edges lead.
            edge: `[K, D]` embeddings of edges.
        """
        normed = self.edge_norm(node)
        heard = self.convolution(normed.flatten(0, 1), index, edge).view_as(node)
        node = node + heard + self.mean((normed * share).sum(1, keepdim=True))
        changed: Tensor = self.down(F.relu(self.up(self.forward_norm(node))))
        return node + changed


def linked(observation: Observation, count: int) -> Tensor:
    """`[B, N, N]` which nodes share an edge: with the nearest there and back, and the depot.

    Edges lead both ways; their features tell the directions apart.
    """
    cost = observation.pair[:, observation.features.pair.index("cost")]
    nodes = cost.shape[-1]
    apart = torch.eye(nodes, dtype=torch.bool, device=cost.device).expand(len(cost), -1, -1)
    if observation.present is not None:
        present = observation.present
        apart = apart | ~(present[:, :, None] & present[:, None, :])
    far = cost.masked_fill(apart, torch.inf)
    near = torch.zeros_like(apart)
    for dim in (1, 2):
        index = far.topk(min(count, nodes), dim, largest=False, sorted=False).indices
        near = near.scatter(dim, index, True)
    names = observation.features.node
    if "is depot" in names:
        # All views have the same depot.
        views = len(observation.node) // len(cost)
        depot = observation.node[::views, :, names.index("is depot")] > 0
        near = near | depot[:, :, None]
    return (near | near.transpose(1, 2)) & ~apart
