"""Travelling salesman on a directed cost matrix: one closed tour through all nodes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from nco.envs import observe
from nco.envs.base import wrapped
from nco.envs.instances import Instances, transposed, unavailable
from nco.observation import Features, Observation

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class ATSPInstance(Instances):
    """A batch of instances; costs and coordinates are all that there is."""


@dataclass(frozen=True)
class ATSPState:
    """Where rollouts are.

    Attributes:
        current: `[B, S]` node; before the first action 0, which is not yet visited.
        first: `[B, S]` node where the tour began.
        visited: `[B, S, N]` nodes visited.
        unvisited: `[B, S]` number of nodes not visited.
    """

    current: Tensor
    first: Tensor
    visited: Tensor
    unvisited: Tensor


class ATSP:
    """Environment of `ATSPInstance`; see `nco.envs.base.Environment` for the functions."""

    name = "atsp"
    features = Features(
        node=("x", "y", "remoteness out", "remoteness in"),
        pair=("cost", "cost back", "log cost", "log cost back"),
        context=("share unserved",),
        roles=("current", "home"),
    )

    def observe(self, instance: ATSPInstance) -> Observation:
        """Coordinates and relative costs."""
        present = instance.present
        cost = observe.relative(instance.cost, instance.size)
        node = torch.cat([instance.xy, observe.remoteness(cost, present)], -1)
        planes = [*observe.directed(cost), *observe.directed(observe.logarithm(cost))]
        pair = torch.stack(planes, 1)
        return Observation(node, pair, self.features, xy=2, present=present).blanked()

    def starts(self, instance: ATSPInstance) -> Tensor:
        """Every node."""
        if instance.present is not None:
            return wrapped(instance.present)
        every = torch.arange(instance.nodes, device=instance.cost.device)
        return every.expand(len(instance.cost), -1)

    def reset(self, instance: ATSPInstance, rollouts: int) -> ATSPState:
        """Nothing visited."""
        shape = (len(instance.cost), rollouts)
        zeros = torch.zeros(shape, dtype=torch.int64, device=instance.cost.device)
        unvisited = instance.counts[:, None].expand(shape)
        return ATSPState(zeros, zeros, unavailable(instance, rollouts), unvisited)

    def step(self, instance: ATSPInstance, state: ATSPState, action: Tensor) -> ATSPState:
        """Visits the action; a complete tour stays at its last node."""
        fresh = ~state.visited.gather(2, action[..., None]).squeeze(-1)
        return ATSPState(
            current=action,
            first=torch.where(state.unvisited == instance.counts[:, None], action, state.first),
            visited=state.visited.scatter(2, action[..., None], True),
            unvisited=state.unvisited - fresh.long(),
        )

    def mask(self, instance: ATSPInstance, state: ATSPState) -> Tensor:  # noqa: ARG002 (none)
        """Unvisited nodes; the current one once all are visited."""
        allowed = ~state.visited
        current = state.current[..., None]
        here = allowed.gather(2, current) | (state.unvisited == 0)[..., None]
        return allowed.scatter_(2, current, here)

    def roles(self, state: ATSPState) -> Tensor:
        """The current node, and the first, where the tour ends."""
        return torch.stack([state.current, state.first], -1)

    def context(self, instance: ATSPInstance, state: ATSPState) -> Tensor:
        """Share of nodes unvisited, in every problem called unserved."""
        return (state.unvisited / instance.counts[:, None])[..., None].to(instance.cost.dtype)

    def done(self, state: ATSPState) -> Tensor:
        """All nodes visited."""
        return state.unvisited == 0

    def cost(self, instance: ATSPInstance, actions: Tensor) -> Tensor:
        """Length of the closed tours."""
        batch, nodes = instance.cost.shape[:2]
        leg = actions * nodes + actions.roll(-1, 2)
        flat = instance.cost.reshape(batch, -1).gather(1, leg.reshape(batch, -1))
        return flat.view_as(actions).sum(-1)

    def violation(self, state: ATSPState) -> Tensor:
        """Nothing can be broken."""
        return torch.zeros_like(state.current)

    def reversed(self, instance: ATSPInstance) -> ATSPInstance:
        """Every arc the other way."""
        return transposed(instance)

    def turned_round(self, instance: ATSPInstance, actions: Tensor) -> Tensor:  # noqa: ARG002
        """The tours backwards; what fills up the end of smaller ones stays at the end."""
        back = actions.flip(2)
        other = (back != back[..., :1]).int().argmax(2, keepdim=True)
        place = torch.arange(actions.shape[2], device=actions.device) + (other - 1).clamp_min(0)
        return back.gather(2, place.clamp_max(actions.shape[2] - 1))
