"""What learning methods share: sampled rollouts, their advantages, rollouts that are given.

The encoder runs in the precision that the trainer sets; decisions are always in single
precision, because a policy gradient is a small difference of large log-likelihoods.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import torch
from torch import Tensor

from nco.errors import PolicyError
from nco.search.decoding.rollout import Strategy, decisions_of, joined, rollout
from nco.search.decoding.views import SYMMETRIES, turned

if TYPE_CHECKING:
    from nco.envs.base import AnyEnvironment
    from nco.models.pointer import Decisions, Encoded
    from nco.models.policy import Policy
    from nco.observation import Observation

type Baseline = Literal["shared", "leave_one_out"]
BASELINES = ("shared", "leave_one_out")


def exact(device: torch.device) -> Any:
    """A context in which nothing is computed in a lower precision than it is given in."""
    return torch.autocast(device.type, enabled=False)


def encode(policy: Policy, observation: Observation) -> Encoded:
    """Encodes in the precision of the trainer, for decisions in single precision.

    Raises:
        PolicyError: training has diverged.
    """
    encoded = policy.encode(observation)
    if not all(tensor.isfinite().all() for tensor in encoded.tensors):
        raise PolicyError(
            "training has diverged: the network gives numbers that are not finite; go back to a "
            "checkpoint, with a lower learning_rate or gradient_clip_val"
        )
    return encoded.mapped(torch.Tensor.float)


def turned_at_random(observation: Observation, generator: torch.Generator) -> Observation:
    """Every instance under one of the eight symmetries of the square."""
    batch, *shape = observation.node.shape
    node = turned(observation, SYMMETRIES).node.view(batch, SYMMETRIES, *shape)
    every = torch.arange(batch, device=node.device)
    view = torch.randint(SYMMETRIES, (batch,), generator=generator, device=node.device)
    return replace(observation, node=node[every, view])


@dataclass(frozen=True)
class Sampled:
    """Sampled rollouts with all their decisions.

    Attributes:
        encoded: the instances, with the graph of the network.
        decisions: `D` of each instance: those of `S` rollouts, step by step.
        action: `[B, D]` what was taken.
        cost: `[B, S]`.
    """

    encoded: Encoded
    decisions: Decisions
    action: Tensor
    cost: Tensor

    def each_decision(self, value: Tensor) -> Tensor:
        """`[B, D]` of a value `[B, S]` of each rollout."""
        return value.repeat(1, self.action.shape[1] // value.shape[1])


def sample(
    env: AnyEnvironment,
    instance: Any,
    policy: Policy,
    starts: int,
    generator: torch.Generator,
    turn: bool = False,
    free: bool = False,
) -> Sampled:
    """Samples rollouts without gradients; their decisions can be scored again at once.

    Args:
        env: of the instances.
        instance: `B` instances.
        policy: in training.
        starts: rollouts of each instance, each with another first action.
        generator: of first actions and samples.
        turn: show every map turned or mirrored at random.
        free: all rollouts begin with the first start, which leaves the rest to the policy where it
            is to stay.
    """
    seen = env.observe(instance)
    encoded = encode(policy, turned_at_random(seen, generator) if turn else seen)
    first = env.starts(instance)
    order = torch.randperm(first.shape[1], generator=generator, device=first.device)
    if free:
        order = torch.zeros(starts, dtype=torch.int64, device=first.device)
    trace: list[tuple[Decisions, Tensor]] = []
    with exact(first.device):
        rollouts = rollout(
            env,
            instance,
            encoded,
            Strategy(temperature=1.0),
            generator,
            first=first[:, order[:starts]],
            trace=trace,
        )
    return Sampled(encoded, *joined(trace), rollouts.cost.clone())


def advantages(cost: Tensor, baseline: Baseline = "shared", scaled: bool = True) -> Tensor:
    """How much dearer rollouts are than the others of their instance.

    Args:
        cost: `[B, S]`.
        baseline: the mean of all rollouts of the instance (POMO), or of all others, which leaves
            the gradient unbiased (Kool et al. 2019) and is larger by `S / (S - 1)`.
        scaled: in standard deviations of the instance's rollouts; else in shares of its mean
            cost.
    """
    mean = cost.mean(1, keepdim=True)
    advantage = cost - mean
    if baseline == "leave_one_out":
        advantage = advantage * (cost.shape[1] / (cost.shape[1] - 1))
    if scaled:
        return advantage / cost.std(1, keepdim=True).clamp_min(1e-6 * cost.mean())
    return advantage / mean.clamp_min(torch.finfo(cost.dtype).tiny)


def given(
    env: AnyEnvironment, instance: Any, actions: Tensor
) -> tuple[Decisions, Tensor, Tensor, Tensor]:
    """The decisions along given rollouts, by the environment's own steps.

    Args:
        env: of the instances.
        instance: `B` instances.
        actions: `[B, S, T]`; the first one is a start, not a decision.

    Returns:
        The decisions, what is taken `[B, D]`, which of them count because the rollout was not
        complete yet, and which are allowed.
    """
    state = env.step(instance, env.reset(instance, actions.shape[1]), actions[..., 0])
    trace, open_, allowed = [], [], []
    for action in actions[..., 1:].unbind(2):
        decisions = decisions_of(env, instance, state, len(actions))
        trace.append((decisions, action))
        open_.append(~env.done(state))
        allowed.append(decisions.allowed.gather(2, action[..., None]).squeeze(-1))
        state = env.step(instance, state, action)
    return (*joined(trace), torch.cat(open_, 1), torch.cat(allowed, 1))
