"""What every environment offers: pure functions on batched tensors.

An environment joins an instance, which never changes and is shared by all rollouts of it, with
a state, which a step replaces. Shapes: `B` instances, `S` rollouts (starts) of each, `N` nodes.
Networks see neither of them: they see an `Observation` of the instance and, at each step, which
nodes play a role (`roles`) and a few numbers (`context`), as counted by `Features`.
"""

from __future__ import annotations

from typing import Any, Protocol

import torch
from torch import Tensor

from nco.observation import Features, Observation


class Environment[I, S](Protocol):
    """One routing problem as a decision process.

    `I` is its frozen dataclass of instances and `S` that of states. Actions are nodes,
    `[B, S]` int64. A rollout that is done stays where it is, at no cost.

    Where `M` vehicles are decided for at once, an action is `vehicle * N + node`, a mask is
    `[B, S, M N]`, and roles and contexts have an axis of vehicles before their last one.
    """

    name: str
    features: Features

    def observe(self, instance: I) -> Observation:
        """What networks see of the instances."""

    def starts(self, instance: I) -> Tensor:
        """`[B, K]` nodes that may be the first action of a rollout.

        Where instances have different numbers of them, those of few come again.
        """

    def reset(self, instance: I, rollouts: int) -> S:
        """The state before the first action of each of `rollouts` rollouts."""

    def step(self, instance: I, state: S, action: Tensor) -> S:
        """The state after an action; the only transition function of the problem."""

    def mask(self, instance: I, state: S) -> Tensor:
        """`[B, S, N]` which actions are allowed; at least one always is."""

    def roles(self, state: S) -> Tensor:
        """`[B, S, R]` the node in each of the roles of `features.roles`."""

    def context(self, instance: I, state: S) -> Tensor:
        """`[B, S, C]` numbers of order one that the decision depends on."""

    def done(self, state: S) -> Tensor:
        """`[B, S]` whether a rollout is complete."""

    def cost(self, instance: I, actions: Tensor) -> Tensor:
        """`[B, S]` cost of complete rollouts with actions `[B, S, T]`, in the instance's unit."""

    def violation(self, state: S) -> Tensor:
        """`[B, S]` by how much a complete rollout breaks a limit on the fleet; 0 if it does not."""

    def reversed(self, instance: I) -> I | None:
        """Instances whose rollouts are those of the given ones backwards, at the same cost.

        None where there are no such instances, or none that look like instances.
        """

    def turned_round(self, instance: I, actions: Tensor) -> Tensor:
        """Complete rollouts `[B, S, T]` backwards, or those of `reversed` forwards."""


type AnyEnvironment = Environment[Any, Any]


def wrapped(possible: Tensor) -> Tensor:
    """Numbers of what is true in `possible` `[B, N]`, as `[B, K]` with `K` the largest count.

    Rows with fewer begin again; every row must have one.
    """
    count = possible.sum(1, keepdim=True)
    order = (~possible).long().argsort(dim=1, stable=True)
    turn = torch.arange(int(count.max()), device=possible.device)
    return order.gather(1, turn % count)


def feasible(env: AnyEnvironment, instance: object, actions: Tensor) -> Tensor:
    """`[B, S]` whether an environment allows every action of rollouts `[B, S, T]`, and they end."""
    state = env.reset(instance, actions.shape[1])
    good = torch.ones(actions.shape[:2], dtype=torch.bool, device=actions.device)
    for action in actions.unbind(2):
        allowed = env.mask(instance, state).gather(2, action[..., None]).squeeze(-1)
        good &= allowed | env.done(state)
        state = env.step(instance, state, action)
    return good & env.done(state)
