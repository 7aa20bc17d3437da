"""What networks see of lines under way, free of size and scale.

A *scene* is a graph of the closed lines of one rollout: it changes only when a line is closed, so a
network mixes its nodes once a line. A *choice* is what the next move depends on beyond it: the
line under way, and numbers of each allowed move. Scenes of different instances are joined into one
graph without edges between them, and so are choices.

Demand counts in means of a node (`trips / N`), times in means of a link, lines in shares of all.
Demand is *rest* where no single closed line serves it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

if TYPE_CHECKING:
    from collections.abc import Sequence

NODE, EDGE, CONTEXT = 13, 7, 8
MOVE, LINE = 15, 4


@dataclass(frozen=True)
class Scenes:
    """Graphs of `Q` rollouts, `M` nodes and `E` edges in all.

    Attributes:
        node: `[M, NODE]` features.
        edge: `[E, EDGE]` features.
        index: `[2, E]` from and to which node an edge leads.
        owner: `[M]` scene of each node.
        context: `[Q, CONTEXT]` features of the whole.
    """

    node: Tensor
    edge: Tensor
    index: Tensor
    owner: Tensor
    context: Tensor

    def to(self, device: torch.device) -> Scenes:
        """The same on a device."""
        return Scenes(*(tensor.to(device) for tensor in vars(self).values()))


@dataclass(frozen=True)
class Choices:
    """What `B` moves depend on; there are `K` of each, the padding included.

    Attributes:
        scene: `[B]` number of the scene.
        line: `[B, L]` nodes of the scenes that are on the line under way, -1 behind its end.
        node: `[B, K]` node of the scenes that a move leads to; -1 for closing and for padding.
        move: `[B, K, MOVE]` features of the moves.
        allowed: `[B, K]` whether there is a move.
        context: `[B, LINE]` features of the line under way.
    """

    scene: Tensor
    line: Tensor
    node: Tensor
    move: Tensor
    allowed: Tensor
    context: Tensor

    def to(self, device: torch.device) -> Choices:
        """The same on a device."""
        return Choices(*(tensor.to(device) for tensor in vars(self).values()))


def join_scenes(scenes: Sequence[Scenes]) -> Scenes:
    """One graph of all."""
    nodes, counts = _offsets(scenes)
    return Scenes(
        torch.cat([s.node for s in scenes]),
        torch.cat([s.edge for s in scenes]),
        torch.cat([s.index + n for s, n in zip(scenes, nodes, strict=False)], 1),
        torch.cat([s.owner + q for s, q in zip(scenes, counts, strict=False)]),
        torch.cat([s.context for s in scenes]),
    )


def join_choices(choices: Sequence[Choices], scenes: Sequence[Scenes]) -> Choices:
    """The choices of several scenes, each of its own, as those of the joined scenes.

    Args:
        choices: of each.
        scenes: that they belong to.
    """
    nodes, counts = _offsets(scenes)
    long = max(c.line.shape[1] for c in choices)
    wide = max(c.node.shape[1] for c in choices)

    def padded(x: Tensor, to: int, value: float) -> Tensor:
        blank = [0] * (2 * (x.dim() - 2)) + [0, to - x.shape[1]]
        return functional.pad(x, blank, value=value)

    def moved(x: Tensor, by: int) -> Tensor:
        return torch.where(x >= 0, x + by, x)

    return Choices(
        torch.cat([c.scene + q for c, q in zip(choices, counts, strict=False)]),
        torch.cat(
            [padded(moved(c.line, n), long, -1) for c, n in zip(choices, nodes, strict=False)]
        ),
        torch.cat(
            [padded(moved(c.node, n), wide, -1) for c, n in zip(choices, nodes, strict=False)]
        ),
        torch.cat([padded(c.move, wide, 0.0) for c in choices]),
        torch.cat([padded(c.allowed, wide, 0) for c in choices]),
        torch.cat([c.context for c in choices]),
    )


def _offsets(scenes: Sequence[Scenes]) -> tuple[list[int], list[int]]:
    """How many nodes, and how many scenes, come before those of each."""
    nodes = np.cumsum([0, *(len(s.node) for s in scenes)])
    counts = np.cumsum([0, *(len(s.context) for s in scenes)])
    return nodes.tolist(), counts.tolist()
