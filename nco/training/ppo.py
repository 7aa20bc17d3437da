"""Proximal policy optimisation (Schulman et al. 2017): several clipped steps on one sample."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from nco.envs.instances import each
from nco.errors import PolicyError, quoted
from nco.models.pointer import Decisions, log_likelihood, weighed
from nco.training.method import Loss, Method
from nco.training.reinforce import check_baseline
from nco.training.rollouts import Baseline, advantages, encode, exact, sample

if TYPE_CHECKING:
    from nco.envs.base import AnyEnvironment
    from nco.models.policy import Policy
    from nco.training.batch import Drawn


@dataclass(frozen=True)
class Held:
    """Rollouts that several steps learn from.

    Attributes:
        env: of the instances.
        instance: `B` instances.
        decisions: `D` of each.
        action: `[B, D]` what was taken.
        old: `[B, D]` its log-likelihood when it was sampled.
        advantage: `[B, D]` of the rollout that a decision belongs to.
        rollouts: of each instance.
    """

    env: AnyEnvironment
    instance: Any
    decisions: Decisions
    action: Tensor
    old: Tensor
    advantage: Tensor
    rollouts: int

    def part(self, chosen: Tensor) -> Held:
        """Some of the instances."""
        fields = vars(self.decisions)
        return replace(
            self,
            instance=each(self.instance, lambda _, tensor: tensor[chosen]),
            decisions=Decisions(**{name: tensor[chosen] for name, tensor in fields.items()}),
            action=self.action[chosen],
            old=self.old[chosen],
            advantage=self.advantage[chosen],
        )


class PPO(Method):
    """Learns from rollouts that it samples, in several steps on parts of them.

    The gradient of the clipped objective by a log-likelihood is the ratio of the new and the old
    probability times the advantage, or nothing where the ratio is clipped. So one pass tells the
    ratios, and a second one weighs the log-likelihoods. The steps of a cycle after its first one
    drop the batches that were drawn for them.

    Args:
        clip: ratios beyond 1 plus or minus this are clipped.
        epochs: how often each rollout is learnt from.
        minibatches: parts of a batch, one step each.
        baseline: see `Reinforce`.
        scaled: see `Reinforce`.

    Raises:
        PolicyError: a number makes no sense, or there is no such baseline.
    """

    def __init__(
        self,
        clip: float = 0.2,
        epochs: int = 2,
        minibatches: int = 2,
        baseline: Baseline = "shared",
        scaled: bool = True,
    ) -> None:
        check_baseline(baseline)
        if not 0 < clip < 1:
            raise PolicyError(f"clip is {quoted(clip)}; give a number between 0 and 1")
        if min(epochs, minibatches) < 1:
            raise PolicyError(
                f"epochs and minibatches are {epochs} and {minibatches}; give 1 or more each"
            )
        self.clip, self.epochs, self.minibatches = clip, epochs, minibatches
        self.baseline: Baseline = baseline
        self.scaled = scaled
        self.cycle = epochs * minibatches
        self._parts: list[Held] = []

    def loss(
        self, env: AnyEnvironment, batch: Drawn, policy: Policy, starts: int, turn: int
    ) -> Loss:
        """Samples at the first step of a cycle; every step is on a part of the rollouts."""
        logged = {}
        if turn == 0 or not self._parts:
            held, cost = self._sampled(env, batch, policy, starts)
            self._parts = [
                held.part(chosen)
                for _ in range(self.epochs)
                for chosen in torch.randperm(
                    len(cost), generator=batch.generator, device=cost.device
                ).tensor_split(min(self.minibatches, len(cost)))
            ]
            logged[f"best_to_mean_{batch.problem}"] = (cost.amin(1) / cost.mean(1)).mean()
        # A batch of fewer instances than minibatches has fewer parts.
        clipped = self._clipped(self._parts[turn % len(self._parts)], policy)
        return Loss(clipped.value, {**logged, **clipped.logged})

    def _sampled(
        self, env: AnyEnvironment, batch: Drawn, policy: Policy, starts: int
    ) -> tuple[Held, Tensor]:
        with torch.no_grad():
            drawn = sample(env, batch.instance, policy, starts, batch.generator)
            with exact(drawn.cost.device):
                old = log_likelihood(drawn.encoded, drawn.decisions, drawn.action)
        advantage = drawn.each_decision(advantages(drawn.cost, self.baseline, self.scaled))
        rollouts = drawn.cost.shape[1]
        held = Held(env, batch.instance, drawn.decisions, drawn.action, old, advantage, rollouts)
        return held, drawn.cost

    def _clipped(self, held: Held, policy: Policy) -> Loss:
        encoded = encode(policy, held.env.observe(held.instance))
        with exact(held.action.device):
            with torch.no_grad():
                new = log_likelihood(encoded, held.decisions, held.action)
                ratio = (new - held.old).exp()
                # Advantages are of costs: where one is positive, the action was a bad one.
                free = torch.where(held.advantage > 0, ratio > 1 - self.clip, ratio < 1 + self.clip)
                count = len(held.action) * held.rollouts
                gain = torch.where(free, ratio * held.advantage, 0.0) / count
            loss = weighed(encoded, held.decisions, held.action, gain)[0]
        logged = {"clipped": 1 - free.float().mean(), "kl": (held.old - new).mean()}
        return Loss(loss, logged)
