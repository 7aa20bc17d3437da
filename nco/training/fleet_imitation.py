"""Imitation for vehicles that are decided for together: any order of the right decisions is right.

The trips of a solution may be driven in any order, some of them also backwards or by other
vehicles. A state on the way to a solution therefore has a set of right decisions: the next stop of
a vehicle that is on its way, and the ends of every trip that has not begun. The loss is minus the
log-likelihood of the set.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from nco.envs.rcvrp import UNLIMITED
from nco.errors import PolicyError, quoted
from nco.models.pointer import logits
from nco.search.decoding.rollout import decisions_of, joined
from nco.training.method import Loss, Method
from nco.training.orders import FILL
from nco.training.rollouts import encode, exact, turned_at_random

if TYPE_CHECKING:
    from nco.envs.base import AnyEnvironment
    from nco.envs.pvrp import PVRPInstance, PVRPState
    from nco.models.pointer import Decisions
    from nco.models.policy import Policy
    from nco.training.batch import Drawn


AS_GOOD = 1e-4  # share by which a trip may cost more than the label's, and is right all the same


@dataclass(frozen=True)
class Plan:
    """Solutions as trips that may be driven in any order, and by whoever does it as well.

    A trip that costs the same backwards, or with another vehicle, is as right so. What is as good
    must not count as wrong: most fleets have vehicles that differ at few stops, and on a plane
    every trip has two directions.

    Attributes:
        beside: `[B, N, 2]` the nodes before and after a stop, the depot at the ends of trips.
        begins: `[B, M, N]` whether a vehicle may begin a trip with a stop.
    """

    beside: Tensor
    begins: Tensor

    @classmethod
    def of(cls, label: Tensor, instance: PVRPInstance) -> Plan:
        """From actions `[B, T]`, trip after trip, each ended by a return to the depot."""
        batch, nodes = len(label), instance.nodes
        fleet, filled = instance.vehicles, label == FILL
        action = label.clamp_min(0)
        node = action % nodes
        before, after = F.pad(node[:, :-1], (1, 0)), F.pad(node[:, 1:], (0, 1))
        stop = (node != 0) & ~filled
        first, last = stop & (before == 0), stop & (after == 0)
        # All that is no stop writes to the depot, which no trip leads through.
        beside = torch.zeros(batch, nodes, 2, dtype=torch.int64, device=label.device)
        both = torch.stack([before, after], -1) * stop[..., None]
        beside.scatter_(1, (node * stop)[..., None].expand(-1, -1, 2), both)
        beside[:, 0] = 0

        vehicle = (action // nodes)[:, None]
        begins = _marked(fleet, nodes, action, first)
        trip = (first.cumsum(1) - 1).clamp_min(0)[:, None].expand(-1, fleet, -1)
        driven = (stop | ((node == 0) & (before != 0) & ~filled))[:, None]

        def by_trip(each: Tensor) -> Tensor:
            """`[B, ..., T]` sums over the legs of each trip."""
            own = (each * driven).to(torch.float64)
            return torch.zeros_like(own).scatter_add(2, trip[:, : own.shape[1]], own)

        on, to = (x[:, None].expand(-1, fleet, -1) for x in (before, node))
        legs, demand = instance.cost.flatten(2), instance.demand.gather(1, node)[:, None]
        forgone = instance.forgone.gather(2, to)
        there = legs.gather(2, on * nodes + to) + forgone
        back = legs.gather(2, to * nodes + on) + forgone
        barred = ~instance.permitted.gather(2, to) & stop[:, None]
        able = (by_trip(barred) == 0) & (by_trip(demand) <= instance.capacity[..., None])
        able &= instance.trips[..., None] >= UNLIMITED
        most = by_trip(there.gather(1, vehicle)) * (1 + AS_GOOD)
        for spent, end in ((there, first), (back, last)):
            right = (able & (by_trip(spent) <= most)).gather(2, trip) & end[:, None]
            every = torch.arange(fleet, device=label.device)[:, None] * nodes + to
            begins = begins | _marked(fleet, nodes, every.flatten(1), right.flatten(1))
        return cls(beside, begins)

    def right(self, state: PVRPState) -> Tensor:
        """`[B, S, M, N]` the decisions that lead on to the solutions."""
        rollouts, away = state.current.shape[1], state.current != 0
        beside = self.beside[:, None].expand(-1, rollouts, -1, -1)
        near = beside.gather(2, state.current[..., None].expand(-1, -1, -1, 2))  # [B, S, M, 2]
        gone = state.visited.gather(2, near.flatten(2)).view_as(near)
        ahead = away[..., None] & ~gone & (near != 0)
        home = away & ~ahead.any(-1)
        onward = torch.zeros(
            *away.shape, self.beside.shape[1], dtype=torch.int64, device=away.device
        )
        onward = onward.scatter_add(3, near, ahead.long()).bool()
        onward[..., 0] = home
        return onward | (self.begins[:, None] & ~state.visited[:, :, None] & ~away[..., None])


def _marked(fleet: int, nodes: int, action: Tensor, chosen: Tensor) -> Tensor:
    """`[B, M, N]` the vehicles and stops of the chosen among actions `[B, K]`."""
    found = torch.zeros(len(action), fleet * nodes, dtype=torch.int64, device=action.device)
    found.scatter_add_(1, action, chosen.long())
    marked = found.view(len(action), fleet, nodes) > 0
    marked[..., 0] = False
    return marked


class FleetImitation(Method):
    """Learns from the solutions of `data.labels` which decisions of which vehicle are right.

    Args:
        apart: weight of every vehicle's own decision beside the choice among all vehicles, which
            simultaneous decisions are made by.
        turn: show every map turned or mirrored at random.

    Raises:
        PolicyError: the weight is negative.
    """

    def __init__(self, apart: float = 0.0, turn: bool = True) -> None:
        if not 0 <= apart < float("inf"):
            raise PolicyError(f"apart is {quoted(apart)}; give 0 or more")
        self.apart, self.turn = apart, turn

    def loss(
        self,
        env: AnyEnvironment,
        batch: Drawn,
        policy: Policy,
        starts: int,
        turn: int,  # noqa: ARG002 (a cycle is one step)
    ) -> Loss:
        """Drives towards the labels in random orders, and scores all decisions at once."""
        instance: PVRPInstance = batch.instance
        decisions, right = _on_the_way(env, batch, starts)
        seen = env.observe(instance)
        encoded = encode(policy, turned_at_random(seen, batch.generator) if self.turn else seen)
        shape = (*right.shape[:2], instance.vehicles, instance.nodes)
        with exact(right.device):
            score = logits(encoded, decisions)
            among = score.logsumexp(-1) - score.masked_fill(~right, -torch.inf).logsumexp(-1)
            counted = right.any(-1)
            together = among[counted].mean()
            each, own = score.view(shape), right.view(shape)
            some = own.any(-1)
            alone = each[some].logsumexp(-1)
            alone = alone - each[some].masked_fill(~own[some], -torch.inf).logsumexp(-1)
            loss = together + self.apart * alone.mean()
        return Loss(
            loss,
            {
                "probability_together": torch.exp(-among[counted]).mean().detach(),
                "probability_apart": torch.exp(-alone).mean().detach(),
            },
        )


def _on_the_way(env: AnyEnvironment, batch: Drawn, rollouts: int) -> tuple[Decisions, Tensor]:
    """Decisions along random orders of the labels, and which of them are right `[B, D, M N]`."""
    label, instance, generator = batch.solutions, batch.instance, batch.generator
    plan = Plan.of(label, instance)
    state = env.reset(instance, rollouts)
    trace, every = [], []
    while not env.done(state).all():
        asked = decisions_of(env, instance, state, len(label))
        allowed = asked.allowed
        right = plan.right(state).flatten(2)
        right &= allowed
        over = env.done(state)
        if not (right.any(-1) | over).all():
            raise batch.broken()
        dice = torch.rand(right.shape, generator=generator, device=right.device)
        action = dice.masked_fill(~torch.where(over[..., None], allowed, right), -1.0).argmax(-1)
        trace.append((asked, action))
        every.append(right & ~over[..., None])
        state = env.step(instance, state, action)
    return joined(trace)[0], torch.cat(every, 1)
