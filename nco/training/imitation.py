"""Imitation: a policy learns to decide as good solutions do (behavioural cloning)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nco.models.pointer import weighed
from nco.training.method import Loss, Method
from nco.training.orders import order
from nco.training.rollouts import encode, exact, given, turned_at_random

if TYPE_CHECKING:
    from nco.envs.base import AnyEnvironment
    from nco.models.policy import Policy
    from nco.training.batch import Drawn


class Imitation(Method):
    """Learns from the solutions of `data.labels`: minus the mean log-likelihood of a decision.

    Each solution is shown in `starts` orders, drawn again each time: tours begin anywhere, and
    routes are driven in any order.

    Args:
        turn: show every map turned or mirrored at random.
    """

    def __init__(self, turn: bool = True) -> None:
        self.turn = turn

    def loss(
        self,
        env: AnyEnvironment,
        batch: Drawn,
        policy: Policy,
        starts: int,
        turn: int,  # noqa: ARG002 (a cycle is one step)
    ) -> Loss:
        """Follows the labels through the environment, and scores their decisions at once."""
        actions = order(batch.problem)(batch.solutions, starts, batch.generator)
        decisions, action, counted, allowed = given(env, batch.instance, actions)
        if not (allowed | ~counted).all():
            raise batch.broken()
        seen = env.observe(batch.instance)
        encoded = encode(policy, turned_at_random(seen, batch.generator) if self.turn else seen)
        # What follows the end of a rollout is no decision, and may not be allowed.
        action = action.where(counted, decisions.allowed.int().argmax(-1))
        gain = -counted.float() / counted.sum()
        with exact(action.device):
            loss, likelihood = weighed(encoded, decisions, action, gain)
        probability = likelihood.exp()[counted].mean()
        return Loss(loss, {f"probability_{batch.problem}": probability})
