"""Imitation for vehicles that are decided for together: any order of the right decisions is right.

The trips of a solution may be driven in any order. A state on the way to a solution therefore has a
set of right decisions: the next stop of a vehicle that is on its way, and the first stop of every
trip that has not begun. The loss is minus the log-likelihood of the set.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

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


@dataclass(frozen=True)
class Plan:
    """Solutions as what comes after what.

    Attributes:
        follows: `[B, N]` the node that a stop's vehicle drives to next.
        begins: `[B, M, N]` whether a stop is the first of a vehicle's trips.
    """

    follows: Tensor
    begins: Tensor

    @classmethod
    def of(cls, label: Tensor, vehicles: int, nodes: int) -> Plan:
        """From actions `[B, T]`, trip after trip, each ended by a return to the depot."""
        batch = len(label)
        filled = label == FILL
        action = label.clamp_min(0)
        node = action % nodes
        before = torch.nn.functional.pad(node[:, :-1], (1, 0))
        after = torch.nn.functional.pad(node[:, 1:], (0, 1))
        stop = (node != 0) & ~filled
        follows = torch.zeros(batch, nodes, dtype=torch.int64, device=label.device)
        # All that is no stop writes to the depot, from where nothing follows.
        follows.scatter_(1, node * stop, after * stop)
        follows[:, 0] = 0
        first = stop & (before == 0)
        begins = torch.zeros(batch, vehicles * nodes, dtype=torch.bool, device=label.device)
        begins.scatter_(1, action * first, first)
        begins = begins.view(batch, vehicles, nodes)
        begins[..., 0] = False
        return cls(follows, begins)

    def right(self, state: PVRPState) -> Tensor:
        """`[B, S, M, N]` the decisions that lead on to the solutions."""
        rollouts = state.current.shape[1]
        follows = self.follows[:, None].expand(-1, rollouts, -1).gather(2, state.current)
        away = state.current != 0
        onward = torch.zeros(*state.current.shape, self.follows.shape[1], dtype=torch.bool,
                             device=away.device)  # fmt: skip
        onward.scatter_(3, follows[..., None], away[..., None])
        return onward | (self.begins[:, None] & ~state.visited[:, :, None] & ~away[..., None])


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
    plan = Plan.of(label, instance.vehicles, instance.nodes)
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
