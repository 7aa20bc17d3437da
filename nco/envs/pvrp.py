"""Profiled vehicle routing: every vehicle has its own streets, permissions and preferences.

A decision names a vehicle and the node that it drives to; all others stay where they are. Vehicles
make several trips, and a rollout is complete when every stop is served: whoever is away then drives
home. Where decisions come one after another, so do trips (`PVRP.mask`); where all vehicles decide
at once, they move side by side (`PVRP.choices`, `nco.search.decoding.together`). After Hua et al.
2025 (CAMP), with permissions that leave every stop to somebody, and matrices of every vehicle.

Every stop is served exactly once, so what all vehicles gain by serving it alike is no decision.
Instances therefore hold what a vehicle forgoes beside the best one, which is never negative, and
costs are positive.

Shapes: `M` vehicles of `N` nodes each; an action is `vehicle * N + node`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F  # noqa: N812

from nco.envs import observe
from nco.envs.instances import Instances, transposed, unavailable
from nco.envs.rcvrp import RCVRP
from nco.observation import Features, Observation

if TYPE_CHECKING:
    from torch import Tensor


FAR = 4.0  # mean drives by which vehicles are told apart at most
MANY = 8  # trips


@dataclass(frozen=True)
class PVRPInstance(Instances):
    """A batch of instances. Node 0 is the depot of all vehicles.

    Vehicles that only fill up a batch are permitted nowhere.

    Attributes:
        cost: `[B, M, N, N]` of driving from row to column, 0 where a vehicle must not.
        forgone: `[B, M, N]` cost of a stop being served by this vehicle and not by the best one, at
            least 0; 0 at the depot.
        permitted: `[B, M, N]` whether a vehicle may serve a stop; false at the depot.
        demand: `[B, N]` int64 units, 0 at the depot.
        capacity: `[B, M]` int64 units of a trip.
        trips: `[B, M]` int64 number of trips, `UNLIMITED` where it does not matter.
    """

    forgone: Tensor
    permitted: Tensor
    demand: Tensor
    capacity: Tensor
    trips: Tensor

    @property
    def vehicles(self) -> int:
        """How many the largest fleet has."""
        return self.cost.shape[1]


@dataclass(frozen=True)
class PVRPState:
    """Where rollouts are.

    Attributes:
        current: `[B, S, M]` node of each vehicle.
        visited: `[B, S, N]` stops served; never set for the depot.
        free: `[B, S, M]` units that still fit.
        left: `[B, S]` units of all unserved stops.
        unserved: `[B, S]` number of unserved stops.
        spare: `[B, S, M]` trips that have not begun; negative beyond the limit.
    """

    current: Tensor
    visited: Tensor
    free: Tensor
    left: Tensor
    unserved: Tensor
    spare: Tensor


class PVRP:
    """Environment of `PVRPInstance`; see `nco.envs.base.Environment` for the functions.

    Roles and context have an axis of vehicles, `[B, S, M, ...]`; observations have an instance's
    vehicles one after another, each with the nodes as it sees them.
    """

    name = "pvrp"
    features = Features(
        node=(*RCVRP.features.node, "forgone", "lead"),
        pair=(*RCVRP.features.pair, "forgone"),
        context=(*RCVRP.features.context, "at depot", "trips left"),
        roles=RCVRP.features.roles,
    )

    def observe(self, instance: PVRPInstance) -> Observation:
        """Every vehicle's own view: to it, stops that it may not serve are not there.

        Costs are what the vehicle drives and what is forgone by its serving the stop, in units of
        the mean drive of all vehicles: preferences and their weight are part of them. The lead of
        a vehicle at a stop is how much less it spends on the way in from the nearest others than
        the best other vehicle does.
        """
        _, fleet, nodes = instance.forgone.shape
        present = instance.permitted.clone()
        present[..., 0] = True
        pairs = present[..., :, None] & present[..., None, :]
        drive = instance.cost.masked_fill(~pairs, 0.0)
        count = present.sum(2)
        mean = drive.sum((1, 2, 3)) / (count * (count - 1)).sum(1).clamp_min(1)
        unit = mean.clamp_min(torch.finfo(drive.dtype).tiny)
        forgone = (instance.forgone / unit[:, None, None]).masked_fill(~present, 0.0)
        drive = (drive / unit[:, None, None, None]).flatten(0, 1)
        into = forgone.flatten(0, 1)[:, None].expand_as(drive)
        diagonal = torch.eye(nodes, dtype=torch.bool, device=drive.device)
        into = into.masked_fill(diagonal, 0.0)
        cost = drive + into
        seen = present.flatten(0, 1)
        xy = instance.xy[:, None].expand(-1, fleet, -1, -1).flatten(0, 1)
        is_depot = torch.zeros_like(xy[..., 0])
        is_depot[:, 0] = 1.0
        from_depot, to_depot = cost[:, 0, :], drive[:, :, 0]
        saving = to_depot[:, :, None] + from_depot[:, None, :] - cost
        load = instance.demand[:, None] / instance.capacity[..., None].clamp_min(1)
        single = [is_depot, load.flatten(0, 1).clamp_max(1.0), from_depot, to_depot]
        remote = observe.remoteness(cost, seen)
        lead = _lead(remote[..., 1].view_as(present), present).flatten(0, 1)
        node = torch.cat(
            [xy, xy - xy[:, :1], torch.stack(single, -1), remote,
             forgone.flatten(0, 1)[..., None], lead[..., None]], -1
        )  # fmt: skip
        planes = [
            *observe.directed(cost),
            *observe.directed(observe.logarithm(cost)),
            *observe.directed(saving),
            into,
        ]
        return Observation(
            node.to(xy.dtype), torch.stack(planes, 1), self.features, xy=4, present=seen,
            vehicles=fleet,
        ).blanked()  # fmt: skip

    def starts(self, instance: PVRPInstance) -> Tensor:
        """`[B, N]`: to stay, which leaves all to the policy; then every stop by its best vehicle.

        The best one may serve it, and spends least on the way there and back and forgoes least.
        """
        nodes = instance.nodes
        alone = instance.cost[:, :, 0] + instance.cost[..., 0] + instance.forgone
        best = alone.masked_fill(~instance.permitted, torch.inf).argmin(1)
        node = torch.arange(nodes, device=best.device)
        action = best * nodes + node
        return action.masked_fill(~instance.permitted.any(1), 0)

    def reset(self, instance: PVRPInstance, rollouts: int) -> PVRPState:
        """All vehicles at the depot."""
        batch, fleet, _ = instance.forgone.shape
        shape = (batch, rollouts, fleet)
        return PVRPState(
            current=torch.zeros(shape, dtype=torch.int64, device=instance.demand.device),
            visited=unavailable(instance, rollouts),
            free=instance.capacity[:, None].expand(shape),
            left=instance.demand.sum(1, keepdim=True).expand(shape[:2]),
            unserved=(instance.counts[:, None] - 1).expand(shape[:2]),
            spare=instance.trips[:, None].expand(shape),
        )

    def step(self, instance: PVRPInstance, state: PVRPState, action: Tensor) -> PVRPState:
        """Drives one vehicle; at the depot it is empty again. Staying changes nothing."""
        vehicle, node = action // instance.nodes, action % instance.nodes
        one = vehicle[..., None]
        here, free = state.current.gather(2, one), state.free.gather(2, one)
        stop = (node != 0) & (node != here.squeeze(-1))
        load = instance.demand.gather(1, node) * stop
        fresh = instance.capacity.gather(1, vehicle)[..., None]
        room = torch.where(node[..., None] == 0, fresh, free - load[..., None])
        leaves = (stop[..., None] & (here == 0)).long()
        return PVRPState(
            current=state.current.scatter(2, one, node[..., None]),
            visited=state.visited.scatter(2, node[..., None], (node != 0)[..., None]),
            free=state.free.scatter(2, one, room),
            left=state.left - load,
            unserved=state.unserved - stop.long(),
            spare=state.spare.scatter_add(2, one, -leaves),
        )

    def mask(self, instance: PVRPInstance, state: PVRPState) -> Tensor:
        """`[B, S, M N]`: where a vehicle may go while one trip is driven after the other.

        Whoever is away moves alone until it is back: all routes can be driven so, and a network
        that knows routes of one vehicle knows most of it. When all is served, the first stays.
        """
        away = state.current != 0
        moves = away | ~away.any(-1, keepdim=True)
        allowed = (self.choices(instance, state) & moves[..., None]).flatten(2)
        over = self.done(state)
        if over.any():
            allowed = allowed & ~over[..., None]
            stay = state.current[..., :1] + torch.zeros_like(state.current[..., :1])
            allowed = allowed.scatter(2, stay, allowed.gather(2, stay) | over[..., None])
        return allowed

    def choices(self, instance: PVRPInstance, state: PVRPState) -> Tensor:
        """`[B, S, M, N]` where each vehicle may drive, whoever else is away.

        Unserved stops that it may serve and has room for, and its way home. No vehicle leaves on
        more trips than it has, unless no other could serve anything; none returns while it could
        serve something and the trips left could not carry the rest.
        """
        fits = instance.demand[:, None, None] <= state.free[..., None]
        fits &= instance.permitted[:, None]
        fits &= ~state.visited[:, :, None]
        home = state.current == 0
        away = fits & ~(home & (state.spare <= 0))[..., None]
        some = away.any(-1)
        trips = state.spare.clamp_min(0) * instance.capacity[:, None]
        room = (trips + state.free.masked_fill(home, 0)).sum(-1, keepdim=True)
        bound = some & (state.left[..., None] > room - state.free)
        back = ~home & ~bound
        stuck = ~(some.any(-1) | back.any(-1))
        if stuck.any():
            away = torch.where(stuck[..., None, None], fits, away)
            back = back | (stuck[..., None] & ~home)
        away[..., 0] = back
        return away

    def roles(self, state: PVRPState) -> Tensor:
        """`[B, S, M, 2]` the node where each vehicle is, and the depot."""
        return torch.stack([state.current, torch.zeros_like(state.current)], -1)

    def context(self, instance: PVRPInstance, state: PVRPState) -> Tensor:
        """`[B, S, M, 4]` free share of the capacity, share of stops unserved, at the depot, trips.

        The last are those that the vehicle would need for all unserved stops, in shares of `MANY`.
        """
        stops = (instance.counts[:, None] - 1).clamp_min(1)
        capacity = instance.capacity[:, None].clamp_min(1)
        free = state.free / capacity
        unserved = (state.unserved / stops)[..., None].expand_as(free)
        trips = (state.left[..., None] / (MANY * capacity)).clamp_max(1.0)
        return torch.stack([free, unserved, (state.current == 0).to(free.dtype), trips], -1)

    def done(self, state: PVRPState) -> Tensor:
        """All stops served; whoever is away drives home."""
        return state.unserved == 0

    def cost(self, instance: PVRPInstance, actions: Tensor) -> Tensor:
        """Of all legs of all vehicles with their ways home, and what is forgone at the stops."""
        batch, _, nodes = instance.forgone.shape
        _, vehicle, to, origin, last = _by_vehicle(actions, nodes)

        def of(table: Tensor, index: Tensor) -> Tensor:
            return table.reshape(batch, -1).gather(1, index.flatten(1)).view_as(to)

        legs = of(instance.cost, (vehicle * nodes + origin) * nodes + to)
        home = of(instance.cost, (vehicle * nodes + to) * nodes) * last
        forgone = of(instance.forgone, vehicle * nodes + to) * (origin != to)
        return (legs + home + forgone).sum(-1)

    def violation(self, state: PVRPState) -> Tensor:
        """Number of trips beyond those that the vehicles have."""
        return (-state.spare).clamp_min(0).sum(-1)

    def reversed(self, instance: PVRPInstance) -> PVRPInstance:
        """Every arc the other way."""
        return transposed(instance)

    def turned_round(self, instance: PVRPInstance, actions: Tensor) -> Tensor:
        """The last decision first, and every vehicle's trips backwards; who stays does so last."""
        nodes = instance.nodes
        back = actions.flip(2)
        order, vehicle, to, origin, _ = _by_vehicle(back, nodes)
        idle = torch.zeros_like(back, dtype=torch.bool).scatter(2, order, origin == to)
        moves = back.gather(2, idle.int().argsort(dim=2, stable=True))
        first = (vehicle == 0).sum(2, keepdim=True)
        stay = to.gather(2, (first - 1).clamp_min(0)).masked_fill(first == 0, 0)
        place = torch.arange(back.shape[2], device=back.device)
        return torch.where(place < (~idle).sum(2, keepdim=True), moves, stay)


def _lead(spent: Tensor, permitted: Tensor) -> Tensor:
    """`[B, M, N]` what the best other vehicle spends at a stop more than this one.

    Args:
        spent: `[B, M, N]`.
        permitted: who may go there at all; 0 is the lead of others.
    """
    spent = spent.masked_fill(~permitted, torch.inf)
    best = F.pad(spent, (0, 0, 0, 1), value=torch.inf).topk(2, 1, largest=False).values
    first = spent == best[:, :1]
    other = torch.where(first, best[:, 1:], best[:, :1])
    lead = (other - spent).clamp(-FAR, FAR).masked_fill(~permitted, 0.0)
    lead[..., 0] = 0.0
    return lead


def _by_vehicle(actions: Tensor, nodes: int) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Actions `[B, S, T]` of one vehicle after another.

    Returns:
        The order in which they are taken from the actions, then by action the vehicle, where it
        goes, where it comes from, and whether it does nothing more.
    """
    order = (actions // nodes).argsort(dim=2, stable=True)
    taken = actions.gather(2, order)
    vehicle, to = taken // nodes, taken % nodes
    same = F.pad(vehicle[..., 1:] == vehicle[..., :-1], (1, 0))
    origin = F.pad(to[..., :-1], (1, 0)).masked_fill(~same, 0)
    return order, vehicle, to, origin, ~F.pad(same[..., 1:], (0, 1))
