"""Self-labelling: the best of many rollouts is the label that the policy imitates.

Corsini et al. 2024, "Self-Labeling the Job Shop Scheduling Problem". No other solver is asked, and
no baseline is needed.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from nco.errors import PolicyError, quoted
from nco.search.decoding.rollout import Strategy
from nco.training.imitation import Imitation
from nco.training.method import Loss, Method
from nco.training.orders import FILL

if TYPE_CHECKING:
    from nco.envs.base import AnyEnvironment
    from nco.models.policy import Policy
    from nco.training.batch import Drawn


def as_labels(actions: Tensor) -> Tensor:
    """Actions `[B, T]` whose waiting at the depot, after all is served, is filled up with -1."""
    place = torch.arange(actions.shape[1], device=actions.device)
    last = (place * (actions != 0)).amax(1, keepdim=True)
    # One return to the depot, or a tour's last node, may follow the last stop.
    return actions.where(place <= last + 1, torch.full_like(actions, FILL))


class SelfLabelling(Method):
    """Imitates the best of the rollouts that it samples, in `orders` orders.

    Args:
        orders: in which each label is shown; tours begin anywhere, routes come in any order.
        views: of each instance that rollouts are sampled in.
        turn: show every map turned or mirrored at random where a label is imitated.

    Raises:
        PolicyError: a number is below 1.
    """

    def __init__(self, orders: int = 4, views: int = 1, turn: bool = True) -> None:
        for name, count in (("orders", orders), ("views", views)):
            if count < 1:
                raise PolicyError(f"{name} is {quoted(count)}; give 1 or more")
        self.orders, self.views, self.imitation = orders, views, Imitation(turn)

    def loss(
        self, env: AnyEnvironment, batch: Drawn, policy: Policy, starts: int, turn: int
    ) -> Loss:
        """Samples `starts` rollouts in each view, and learns from the best."""
        strategy = Strategy(temperature=1.0, starts=starts, views=self.views)
        found = strategy.decode(env, batch.instance, policy, batch.generator)
        best = as_labels(found.best().actions[:, 0].clone())
        loss = self.imitation.loss(env, replace(batch, label=best), policy, self.orders, turn)
        cost = found.cost
        relative = (cost.amin(1) / cost.mean(1)).mean()
        return Loss(loss.value, {**loss.logged, f"best_to_mean_{batch.problem}": relative})
