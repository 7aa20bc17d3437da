"""Capacitated vehicle routing on a directed cost matrix, one depot, identical vehicles.

A rollout drives one vehicle after another: an action is the next stop, or the depot (node 0) to
end the route. Loads are integers, so that capacity is exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from nco.envs import observe
from nco.envs.base import wrapped
from nco.envs.instances import Instances, transposed, unavailable
from nco.observation import Features, Observation

if TYPE_CHECKING:
    from torch import Tensor

UNLIMITED = 2**30  # vehicles; as many as anyone asks for
HEAVY = 2**14  # nodes of all rollouts, from which on compiled masks pay


@dataclass(frozen=True)
class RCVRPInstance(Instances):
    """A batch of instances. Node 0 is the depot.

    Attributes:
        demand: `[B, N]` int64 units, 0 at the depot.
        capacity: `[B]` int64 units of each vehicle.
        vehicles: `[B]` int64 number of vehicles, `UNLIMITED` where it does not matter.
    """

    demand: Tensor
    capacity: Tensor
    vehicles: Tensor


@dataclass(frozen=True)
class RCVRPState:
    """Where rollouts are.

    Attributes:
        current: `[B, S]` node.
        visited: `[B, S, N]` stops served; never set for the depot.
        free: `[B, S]` units that still fit into the vehicle.
        left: `[B, S]` units of all unserved stops.
        unserved: `[B, S]` number of unserved stops.
        spare: `[B, S]` vehicles that have not left the depot; negative beyond the fleet.
    """

    current: Tensor
    visited: Tensor
    free: Tensor
    left: Tensor
    unserved: Tensor
    spare: Tensor


class RCVRP:
    """Environment of `RCVRPInstance`; see `nco.envs.base.Environment` for the functions."""

    name = "rcvrp"
    features = Features(
        node=("x", "y", "x from depot", "y from depot", "is depot", "demand", "cost from depot",
              "cost to depot", "remoteness out", "remoteness in"),
        pair=("cost", "cost back", "log cost", "log cost back", "saving", "saving back"),
        context=("free capacity", "share unserved"),
        roles=("current", "home"),
    )  # fmt: skip

    def observe(self, instance: RCVRPInstance) -> Observation:
        """Coordinates, demands, relative costs and savings (Clarke and Wright)."""
        present = instance.present
        cost = observe.relative(instance.cost, instance.size)
        xy = instance.xy
        is_depot = torch.zeros_like(xy[..., 0])
        is_depot[:, 0] = 1.0
        from_depot, to_depot = cost[:, 0, :], cost[:, :, 0]
        saving = to_depot[:, :, None] + from_depot[:, None, :] - cost
        single = [is_depot, instance.demand / instance.capacity[:, None], from_depot, to_depot]
        node = torch.cat(
            [xy, xy - xy[:, :1], torch.stack(single, -1), observe.remoteness(cost, present)], -1
        )
        planes = [
            *observe.directed(cost),
            *observe.directed(observe.logarithm(cost)),
            *observe.directed(saving),
        ]
        pair = torch.stack(planes, 1)
        return Observation(node.to(xy.dtype), pair, self.features, xy=4, present=present).blanked()

    def starts(self, instance: RCVRPInstance) -> Tensor:
        """Every stop; the depot where there is none."""
        possible = instance.present
        if possible is None:
            batch, nodes = instance.demand.shape
            return torch.arange(1, nodes, device=instance.demand.device).expand(batch, -1)
        possible[:, 0] = ~possible[:, 1:].any(1)
        return wrapped(possible)

    def reset(self, instance: RCVRPInstance, rollouts: int) -> RCVRPState:
        """All vehicles at the depot."""
        shape = (len(instance.demand), rollouts)
        return RCVRPState(
            current=torch.zeros(shape, dtype=torch.int64, device=instance.demand.device),
            visited=unavailable(instance, rollouts),
            free=instance.capacity[:, None].expand(shape),
            left=instance.demand.sum(1, keepdim=True).expand(shape),
            unserved=(instance.counts[:, None] - 1).expand(shape),
            spare=instance.vehicles[:, None].expand(shape),
        )

    def step(self, instance: RCVRPInstance, state: RCVRPState, action: Tensor) -> RCVRPState:
        """Drives to the action; at the depot the next vehicle takes over."""
        load = instance.demand.gather(1, action)
        stop = action != 0
        leaves = stop & (state.current == 0)
        visited = state.visited.scatter(2, action[..., None], stop[..., None])
        return RCVRPState(
            current=action,
            visited=visited,
            free=torch.where(stop, state.free - load, instance.capacity[:, None]),
            left=state.left - load,
            unserved=state.unserved - stop.long(),
            spare=state.spare - leaves.long(),
        )

    def mask(self, instance: RCVRPInstance, state: RCVRPState) -> Tensor:
        """Unserved stops that fit; the depot, unless a stop must still be taken.

        The vehicle may not rest at the depot while stops are unserved, nor return while a stop
        fits and the vehicles still in the depot could not carry what would be left.
        """
        if not compiles(state.visited):
            return with_depot(instance, state, fitting(instance, state))
        from nco.envs import mask_kernels as kernels

        return filled(kernels.allow, *loads(instance, state))

    def roles(self, state: RCVRPState) -> Tensor:
        """The node where the vehicle is, and the depot, where its route ends."""
        return torch.stack([state.current, torch.zeros_like(state.current)], -1)

    def context(self, instance: RCVRPInstance, state: RCVRPState) -> Tensor:
        """Free share of the capacity and share of stops unserved."""
        stops = (instance.counts[:, None] - 1).clamp_min(1)
        free = state.free / instance.capacity[:, None]
        return torch.stack([free, state.unserved / stops], -1)

    def done(self, state: RCVRPState) -> Tensor:
        """All stops served and the vehicle back at the depot."""
        return (state.unserved == 0) & (state.current == 0)

    def cost(self, instance: RCVRPInstance, actions: Tensor) -> Tensor:
        """Sum of the costs from the depot along the actions and back to the depot."""
        batch, nodes = instance.demand.shape
        to = torch.nn.functional.pad(actions, (0, 1))
        origin = torch.nn.functional.pad(actions, (1, 0))
        leg = (origin * nodes + to).reshape(batch, -1)
        return instance.cost.reshape(batch, -1).gather(1, leg).view_as(to).sum(-1)

    def violation(self, state: RCVRPState) -> Tensor:
        """Number of vehicles used beyond the fleet."""
        return (-state.spare).clamp_min(0)

    def reversed(self, instance: RCVRPInstance) -> RCVRPInstance:
        """Every arc the other way."""
        return transposed(instance)

    def turned_round(self, instance: RCVRPInstance, actions: Tensor) -> Tensor:  # noqa: ARG002
        """The last route first, each backwards; the stays at the depot remain at the end."""
        back = actions.flip(2)
        place = torch.arange(actions.shape[2], device=actions.device)
        begin = (back != 0).int().argmax(2, keepdim=True)
        return back.gather(2, (place + begin) % actions.shape[2])


def compiles(visited: Tensor) -> bool:
    """Whether masks are made in compiled loops (`nco.envs.mask_kernels`)."""
    return visited.device.type == "cpu" and visited.numel() >= HEAVY


def loads(instance: RCVRPInstance, state: RCVRPState) -> tuple[Tensor, ...]:
    """What compiled masks read of loads: demand, visited, free, and where a stop must be taken."""
    return instance.demand, state.visited.view(torch.uint8), state.free, bound(instance, state)


def filled(kernel: Any, *given: Tensor) -> Tensor:
    """`[B, S, N]` the mask that a compiled loop makes of the arrays it reads."""
    allowed = torch.empty_like(given[1], memory_format=torch.contiguous_format)
    kernel(*(tensor.contiguous().numpy() for tensor in given), allowed.numpy())
    return allowed.view(torch.bool)


def fitting(instance: RCVRPInstance, state: RCVRPState) -> Tensor:
    """`[B, S, N]` unserved stops that fit into the vehicle; never the depot."""
    fits = instance.demand[:, None, :] <= state.free[..., None]
    fits &= ~state.visited
    fits[..., 0] = False
    return fits


def with_depot(instance: RCVRPInstance, state: RCVRPState, allowed: Tensor) -> Tensor:
    """Adds the depot to the stops `[B, S, N]` that a vehicle may take, unless it must take one."""
    # Adding up bytes is six times as fast as `any` on CPUs.
    some = allowed.view(torch.uint8).sum(-1, dtype=torch.int32) > 0
    allowed[..., 0] = ~(bound(instance, state) & some)
    return allowed


def bound(instance: RCVRPInstance, state: RCVRPState) -> Tensor:
    """`[B, S]` whether a vehicle must take a stop if there is one to take."""
    scarce = state.left > state.spare * instance.capacity[:, None]
    return (state.current == 0) | scarce
