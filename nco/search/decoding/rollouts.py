"""What every way to decode gives: complete rollouts with their costs."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Rollouts:
    """Complete rollouts.

    Attributes:
        actions: `[B, S, T]` nodes, padded by the last one.
        cost: `[B, S]` in the unit of the instance's cost.
        violation: `[B, S]` by how much limits on the fleet are broken.
    """

    actions: Tensor
    cost: Tensor
    violation: Tensor

    def index(self) -> Tensor:
        """`[B]` number of the best rollout of each instance; see `best`."""
        least = self.violation == self.violation.amin(1, keepdim=True)
        return self.cost.masked_fill(~least, torch.inf).argmin(1)

    def best(self) -> Rollouts:
        """The cheapest rollout of each instance among those that break limits least."""
        index = self.index()[:, None]
        steps = self.actions.shape[2]
        return Rollouts(
            self.actions.gather(1, index[..., None].expand(-1, -1, steps)),
            self.cost.gather(1, index),
            self.violation.gather(1, index),
        )
