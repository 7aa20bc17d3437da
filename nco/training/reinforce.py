"""REINFORCE with a baseline from the other rollouts of the same instance.

Williams 1992; the shared baseline of many starts is that of Kwon et al. 2020 (POMO).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nco.errors import PolicyError, quoted
from nco.models.pointer import weighed
from nco.training.method import Loss, Method
from nco.training.rollouts import BASELINES, Baseline, advantages, exact, sample

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from nco.envs.base import AnyEnvironment
    from nco.models.policy import Policy
    from nco.training.batch import Drawn


def rollout_loss(
    env: AnyEnvironment,
    instance: Any,
    policy: Policy,
    starts: int,
    generator: torch.Generator,
    *,
    baseline: Baseline = "shared",
    scaled: bool = True,
    turn: bool = False,
    free: bool = False,
) -> tuple[Tensor, Tensor]:
    """Loss whose gradient is the policy gradient, and the costs of the sampled rollouts.

    Rollouts are sampled without gradients; all their decisions are then scored again at once,
    which is cheaper than to keep the graph of every step.

    Args:
        env: of the instances.
        instance: `B` instances.
        policy: in training.
        starts: rollouts of each instance, each with another first action.
        generator: of first actions and samples.
        baseline: see `advantages`.
        scaled: see `advantages`.
        turn: show every map turned or mirrored at random.
        free: see `nco.training.rollouts.sample`.

    Returns:
        The loss, and costs `[B, S]`.
    """
    sampled = sample(env, instance, policy, starts, generator, turn, free)
    advantage = advantages(sampled.cost, baseline, scaled)
    gain = sampled.each_decision(advantage / advantage.numel())
    with exact(gain.device):
        loss = weighed(sampled.encoded, sampled.decisions, sampled.action, gain)[0]
    return loss, sampled.cost


class Reinforce(Method):
    """Learns from rollouts that it samples.

    Args:
        baseline: what rollouts are compared with: "shared" (the mean of all rollouts of the
            instance) or "leave_one_out" (of all others).
        scaled: advantages are in standard deviations of the instance's rollouts; else in shares
            of its mean cost.
        turn: show every map turned or mirrored at random.
        free: rollouts do not begin with different first actions, but all with the first that the
            environment names; for `PVRP`, where that one is to stay.

    Raises:
        PolicyError: there is no such baseline.
    """

    def __init__(
        self,
        baseline: Baseline = "shared",
        scaled: bool = True,
        turn: bool = False,
        free: bool = False,
    ) -> None:
        check_baseline(baseline)
        self.baseline: Baseline = baseline
        self.scaled, self.turn, self.free = scaled, turn, free

    def loss(
        self,
        env: AnyEnvironment,
        batch: Drawn,
        policy: Policy,
        starts: int,
        turn: int,  # noqa: ARG002 (a cycle is one step)
    ) -> Loss:
        """Samples, and compares each rollout with the others."""
        loss, cost = rollout_loss(
            env,
            batch.instance,
            policy,
            starts,
            batch.generator,
            baseline=self.baseline,
            scaled=self.scaled,
            turn=self.turn,
            free=self.free,
        )
        relative = (cost.amin(1) / cost.mean(1)).mean()
        return Loss(loss, {f"best_to_mean_{batch.problem}": relative})


def check_baseline(baseline: str) -> None:
    """Refuses baselines that do not exist.

    Raises:
        PolicyError: there is no such baseline.
    """
    if baseline not in BASELINES:
        raise PolicyError(f"baseline is {quoted(baseline)}; use {' or '.join(BASELINES)}")
