"""Policy and value for bus networks: GATv2 on links and strong demand, then a look at each move.

Nodes of a scene are mixed along its edges (Brody et al. 2022, as torch-geometric has it) and
through their mean; that is done once a line. A move is then judged by its own numbers, the node it
leads to, the line so far and the whole: a small network, as often as there are stops. The value is
that of the reward, normalised (see `module`). Nothing depends on the number of nodes,
lines or stops, or on the order of nodes.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from nco.models.policy import check_sizes
from nco.transit.policy.graph import CONTEXT, EDGE, LINE, MOVE, NODE

with warnings.catch_warnings():
    # It scripts classes when it is imported, which torch deprecates.
    warnings.filterwarnings("ignore", "`torch.jit.script` is deprecated", FutureWarning)
    from torch_geometric.nn import GATv2Conv
    from torch_geometric.utils import scatter

if TYPE_CHECKING:
    from nco.transit.policy.graph import Choices, Scenes


class Mixed(NamedTuple):
    """Scenes after mixing.

    Attributes:
        node: `[M, E]` embeddings.
        whole: `[Q, E]` of scenes.
    """

    node: Tensor
    whole: Tensor


class TransitNetwork(nn.Module):
    """See above.

    Args:
        width: of embeddings, `E`.
        heads: of the attention.
        layers: of mixing.
        hidden: width of the feed-forward networks.

    Raises:
        PolicyError: a size is below 1, or heads do not divide `width`.
    """

    def __init__(self, width: int = 32, heads: int = 4, layers: int = 3, hidden: int = 64) -> None:
        super().__init__()
        check_sizes({"width": width, "heads": heads, "layers": layers, "hidden": hidden})
        self.options = {"width": width, "heads": heads, "layers": layers, "hidden": hidden}
        self.embed = nn.Linear(NODE, width)
        self.embed_context = nn.Linear(CONTEXT, width)
        self.blocks = nn.ModuleList(_Block(width, heads, hidden) for _ in range(layers))
        self.norm = nn.RMSNorm(width)
        self.pool = nn.Linear(2 * width + CONTEXT, width)
        self.from_node = nn.Linear(width, hidden)
        self.from_move = nn.Linear(MOVE, hidden)
        self.from_line = nn.Linear(3 * width + LINE, hidden, bias=False)
        self.judge = nn.Sequential(nn.ReLU(), nn.Linear(hidden, width), nn.ReLU())
        self.score = nn.Linear(width, 1)
        worth = nn.Linear(hidden, 1)
        self.value = nn.Sequential(nn.Linear(3 * width + LINE, hidden), nn.ReLU(), worth)
        # Begins with all moves alike and values at the mean.
        for last in (self.score, worth):
            nn.init.zeros_(last.weight)
            nn.init.zeros_(last.bias)

    @property
    def parameters_count(self) -> int:
        """How many numbers are learned."""
        return sum(p.numel() for p in self.parameters())

    def mix(self, scenes: Scenes) -> Mixed:
        """Embeds and mixes the nodes of scenes."""
        count, owner = len(scenes.context), scenes.owner
        node = self.embed(scenes.node) + self.embed_context(scenes.context)[owner]
        for block in self.blocks:
            node = block(node, scenes.index, scenes.edge, owner, count)
        node = self.norm(node)
        pooled = [
            scatter(node, owner, 0, count, "mean"),
            scatter(node, owner, 0, count, "max"),
            scenes.context,
        ]
        return Mixed(node, F.relu(self.pool(torch.cat(pooled, 1))))

    def judge_moves(self, mixed: Mixed, choices: Choices) -> tuple[Tensor, Tensor]:
        """Log-probabilities `[B, K]` of moves, -inf where there is none, and values `[B]`.

        A rollout without a move has no log-probabilities but 0 for the first.
        """
        on = (choices.line >= 0)[..., None]
        stops = mixed.node[choices.line.clamp(min=0)] * on
        count = on.sum(1).clamp(min=1)
        row = torch.arange(len(stops), device=stops.device)
        last = stops[row, count[:, 0] - 1]
        parts = [mixed.whole[choices.scene], stops.sum(1) / count, last, choices.context]
        query = torch.cat(parts, 1)
        leads = (choices.node >= 0)[..., None]
        node = self.from_node(mixed.node)[choices.node.clamp(min=0)] * leads
        hidden = node + self.from_move(choices.move) + self.from_line(query)[:, None]
        score = self.score(self.judge(hidden))[..., 0]
        allowed = choices.allowed.clone()
        allowed[:, 0] |= ~allowed.any(1)
        logits = score.masked_fill(~allowed, -torch.inf)
        return logits.log_softmax(-1), self.value(query)[:, 0]


class _Block(nn.Module):
    """Attention along edges and the mean of all nodes, then a feed-forward network.

    Args:
        width: of embeddings.
        heads: of the attention.
        hidden: of the feed-forward network.
    """

    def __init__(self, width: int, heads: int, hidden: int) -> None:
        super().__init__()
        self.first_norm, self.second_norm = nn.RMSNorm(width), nn.RMSNorm(width)
        self.attention = GATv2Conv(
            width, width // heads, heads, edge_dim=EDGE, add_self_loops=False
        )
        self.mean = nn.Linear(width, width, bias=False)
        self.up, self.down = nn.Linear(width, hidden), nn.Linear(hidden, width)

    def forward(
        self, node: Tensor, index: Tensor, edge: Tensor, owner: Tensor, scenes: int
    ) -> Tensor:
        normed = self.first_norm(node)
        mean = self.mean(scatter(normed, owner, 0, scenes, "mean"))
        node = node + self.attention(normed, index, edge) + mean[owner]
        changed: Tensor = self.down(F.relu(self.up(self.second_norm(node))))
        return node + changed
