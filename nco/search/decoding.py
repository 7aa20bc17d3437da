"""Decoding: from encoded instances to complete rollouts, greedy or sampled, from many starts.

Views are the eight rotations and reflections of the map: the network sees the coordinates
turned, while the matrices, which the environment owns, are neither turned nor copied.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from nco.errors import PolicyError
from nco.models.pointer import Decisions, decide

if TYPE_CHECKING:
    from collections.abc import Callable

    from nco.envs.base import AnyEnvironment, Observation
    from nco.models.pointer import Encoded
    from nco.models.policy import Policy

VIEWS = 8


class TimeUp(Exception):  # noqa: N818 (not an error)
    """Decoding was given up before its rollouts were complete."""


@dataclass(frozen=True)
class Strategy:
    """How to decode.

    Attributes:
        temperature: 0 takes the best action; above 0 samples with logits divided by it.
        views: how many of the eight turned maps are tried.
        starts: how many different first actions are tried for each view; None tries all.
        repeats: rollouts of each start; only useful when sampling.
    """

    temperature: float = 0.0
    views: int = 1
    starts: int | None = None
    repeats: int = 1

    def __post_init__(self) -> None:
        if not 0.0 <= self.temperature < float("inf"):
            raise PolicyError(f"temperature is {self.temperature}; give 0 (greedy) or more")
        if not 1 <= self.views <= VIEWS:
            raise PolicyError(f"views is {self.views}; give 1 to {VIEWS}")
        if self.starts is not None and self.starts < 1:
            raise PolicyError(f"starts is {self.starts}; give 1 or more, or None for all")
        if self.repeats < 1:
            raise PolicyError(f"repeats is {self.repeats}; give 1 or more")


GREEDY = Strategy()


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

    def best(self) -> Rollouts:
        """The cheapest rollout of each instance among those that break limits least."""
        least = self.violation == self.violation.amin(1, keepdim=True)
        index = self.cost.masked_fill(~least, torch.inf).argmin(1, keepdim=True)
        steps = self.actions.shape[2]
        return Rollouts(
            self.actions.gather(1, index[..., None].expand(-1, -1, steps)),
            self.cost.gather(1, index),
            self.violation.gather(1, index),
        )


def turned(observation: Observation, views: int) -> Observation:
    """The observation under `views` of the eight symmetries of the square, instance-major.

    Nodes become `[B * V, N, F]`; pairs stay `[B, P, N, N]` because turning does not change them.
    """
    if views == 1:
        return observation
    batch, nodes, features = observation.node.shape
    node = observation.node[:, None].repeat(1, views, 1, 1)
    for view in range(1, views):
        for column in range(0, observation.xy, 2):
            x = observation.node[..., column]
            y = observation.node[..., column + 1]
            if view & 4:
                x, y = y, x
            node[:, view, :, column] = -x if view & 1 else x
            node[:, view, :, column + 1] = -y if view & 2 else y
    return replace(observation, node=node.view(batch * views, nodes, features))


def rollout(
    env: AnyEnvironment,
    instance: object,
    policy: Policy,
    strategy: Strategy = GREEDY,
    generator: torch.Generator | None = None,
    encoded: Encoded | None = None,
    first: Tensor | None = None,
    trace: list[tuple[Decisions, Tensor]] | None = None,
    expired: Callable[[], bool] | None = None,
) -> Rollouts:
    """Decodes a batch of instances.

    Args:
        env: the environment of the instances.
        instance: `B` instances.
        policy: made for the features of `env`.
        strategy: how to decode.
        generator: of sampling, on the device of the instance.
        encoded: the encoded instances of this strategy's views, if at hand.
        first: `[B, K]` first actions; by default chosen by `strategy.starts`.
        trace: the decisions of every step and the actions `[V, D]` taken are appended to it.
        expired: asked before every step whether to give up.

    Returns:
        Rollouts `S = views * starts * repeats`, view-major.

    Raises:
        TimeUp: `expired` said so.
    """
    with torch.inference_mode():
        if encoded is None:
            encoded = policy.encode(turned(env.observe(instance), strategy.views))
        chosen = spread(env.starts(instance), strategy.starts) if first is None else first
        action = chosen.repeat(1, strategy.repeats * strategy.views)
        views, batch = strategy.views, len(action)
        state = env.step(instance, env.reset(instance, action.shape[1]), action)
        actions = [action]
        done = env.done(state)
        while not done.all():
            if expired is not None and expired():
                raise TimeUp
            decisions = Decisions(
                *(
                    x.reshape(batch * views, -1, x.shape[-1])
                    for x in (
                        env.roles(state), env.context(instance, state), env.mask(instance, state)
                    )
                )
            )  # fmt: skip
            picked = decide(encoded, decisions, strategy.temperature, generator)
            if trace is not None:
                trace.append((decisions, picked))
            action = picked.view(batch, -1)
            actions.append(action)
            state = env.step(instance, state, action)
            done = env.done(state)
        taken = torch.stack(actions, 2)
        return Rollouts(taken, env.cost(instance, taken), env.violation(state))


def joined(trace: list[tuple[Decisions, Tensor]]) -> tuple[Decisions, Tensor]:
    """The decisions and actions of all steps, step-major, as ordinary tensors."""
    # Concatenation turns inference tensors into ordinary ones, which autograd may save.
    decisions = Decisions(
        *(
            torch.cat([getattr(step, name) for step, _ in trace], 1)
            for name in Decisions.__dataclass_fields__
        )
    )
    return decisions, torch.cat([action for _, action in trace], 1)


def spread(starts: Tensor, count: int | None) -> Tensor:
    """`count` of the possible starts `[B, K]`, evenly spread over them."""
    most = starts.shape[1]
    if count is None or count >= most:
        return starts
    return starts[:, torch.linspace(0, most - 1, count, device=starts.device).round().long()]
