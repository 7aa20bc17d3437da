"""Preference optimisation: the better of two rollouts of an instance becomes the likelier one.

Pan et al. 2025, "Preference Optimization for Combinatorial Optimization Problems", after the model
of pairs of Bradley and Terry 1952. Only the order of costs counts, not by how much they differ, so
that the signal stays as strong when all rollouts are nearly as good.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from nco.errors import PolicyError, quoted
from nco.models.pointer import log_likelihood, weighed
from nco.training.method import Loss, Method
from nco.training.rollouts import exact, sample

if TYPE_CHECKING:
    from nco.envs.base import AnyEnvironment
    from nco.models.policy import Policy
    from nco.training.batch import Drawn


def preferences(cost: Tensor, likelihood: Tensor, sharpness: float) -> tuple[Tensor, Tensor]:
    """The loss of all pairs of rollouts, and its derivative.

    Args:
        cost: `[B, S]`.
        likelihood: `[B, S]` logarithm of the probability of each rollout.
        sharpness: what differences of log-likelihoods are multiplied by.

    Returns:
        The mean over instances and over pairs of different cost of
        `-log sigmoid(sharpness * (likelihood of the cheaper - likelihood of the dearer))`, and its
        derivative by `likelihood`, `[B, S]`.
    """
    better = cost[:, :, None] < cost[:, None, :]
    lead = sharpness * (likelihood[:, :, None] - likelihood[:, None, :])
    share = better / (better.sum((1, 2), keepdim=True).clamp_min(1) * len(cost))
    pull = sharpness * share * torch.sigmoid(-lead)
    return -(share * logsigmoid(lead)).sum(), pull.sum(1) - pull.sum(2)


class Preference(Method):
    """Learns which of two rollouts that it sampled is the better one.

    The loss knows rollouts by their log-likelihoods alone. So one pass tells these, and a second
    one weighs them by the derivative of the loss.

    Args:
        sharpness: how much a difference of log-likelihoods says; a pair whose better rollout is
            likelier by several times its inverse is settled, and pulls no more.
        turn: show every map turned or mirrored at random.
        free: see `Reinforce`.

    Raises:
        PolicyError: the sharpness makes no sense.
    """

    def __init__(self, sharpness: float = 0.05, turn: bool = False, free: bool = False) -> None:
        if not 0 < sharpness < float("inf"):
            raise PolicyError(f"sharpness is {quoted(sharpness)}; give a number above 0")
        self.sharpness, self.turn, self.free = sharpness, turn, free

    def loss(
        self,
        env: AnyEnvironment,
        batch: Drawn,
        policy: Policy,
        starts: int,
        turn: int,  # noqa: ARG002 (a cycle is one step)
    ) -> Loss:
        """Samples, and compares all rollouts of an instance in pairs."""
        drawn = sample(env, batch.instance, policy, starts, batch.generator, self.turn, self.free)
        cost = drawn.cost
        with exact(cost.device):
            with torch.no_grad():
                each = log_likelihood(drawn.encoded, drawn.decisions, drawn.action)
                likelihood = each.view(len(cost), -1, cost.shape[1]).sum(1)
                value, pull = preferences(cost, likelihood, self.sharpness)
            gain = drawn.each_decision(pull)
            carried = weighed(drawn.encoded, drawn.decisions, drawn.action, gain)[0]
        # The derivative is that of `carried`; what is shown is the loss of the pairs.
        shown = carried + (value - carried.detach())
        relative = (cost.amin(1) / cost.mean(1)).mean()
        return Loss(shown, {f"best_to_mean_{batch.problem}": relative})
