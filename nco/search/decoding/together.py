"""Simultaneous decisions: all vehicles are scored once, and then all of them move.

Vehicles choose one after another in the order of their confidence, each from its own scores and
among what the others have left: conflicts cannot arise, and who comes late does not stand still but
takes its next best. What is recorded is the choice that was made and what could be chosen from, so
that a policy gradient is that of the action really taken (CAMP scores the one that was drawn first,
also where a conflict replaced it). Where all wish to stay at the depot, the decision is one among
all vehicles, as in sequential decoding. Every move goes through the environment's one transition.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from nco.envs.pvrp import PVRP
from nco.errors import PolicyError, quoted
from nco.models.pointer import Decisions, sampled
from nco.search.decoding.expiry import TimeUp
from nco.search.decoding.rollout import Strategy
from nco.search.decoding.rollouts import Rollouts

if TYPE_CHECKING:
    from nco.envs.base import AnyEnvironment
    from nco.envs.pvrp import PVRPInstance, PVRPState
    from nco.models.pointer import Encoded
    from nco.search.decoding.expiry import Expired


@dataclass(frozen=True)
class Round:
    """What was decided at once.

    Attributes:
        decisions: as all vehicles were scored, `D` of each encoded instance.
        allowed: `[V, D, M, N]` what each vehicle could choose from when its turn came.
        node: `[V, D, M]` what it chose.
        counted: `[V, D]` whether the rollout was not complete before.
        lone: `[V, D, M N]` what could be chosen from where nobody moved.
        action: `[V, D]` what was.
        stuck: `[V, D]` whether nobody moved.
    """

    decisions: Decisions
    allowed: Tensor
    node: Tensor
    counted: Tensor
    lone: Tensor
    action: Tensor
    stuck: Tensor

    def log_likelihood(self, encoded: Encoded) -> Tensor:
        """`[V, D]` of all that was decided in the round, 0 where the rollout was complete."""
        score = encoded.each(self.decisions)
        each = score.masked_fill(~self.allowed, -torch.inf).log_softmax(-1)
        found = each.gather(3, self.node[..., None]).squeeze(-1).sum(-1)
        lone = score.flatten(2).masked_fill(~self.lone, -torch.inf)
        some = self.stuck & self.counted
        # A row of its own where there is nothing to choose from, or gradients are no numbers.
        lone = torch.where(some[..., None], lone, torch.zeros_like(lone)).log_softmax(-1)
        found = found + lone.gather(2, self.action[..., None]).squeeze(-1) * some
        return found * self.counted


@dataclass(frozen=True, kw_only=True)
class Together(Strategy):
    """All vehicles decide at once; see `Strategy` for what it may be asked.

    It begins without a first action: `starts` only says how many rollouts are sampled side by side.
    """

    def search(
        self,
        env: AnyEnvironment,
        instance: Any,
        encoded: Encoded,
        generator: torch.Generator | None = None,
        expired: Expired | None = None,
    ) -> Rollouts:
        """See `nco.search.decoding.rollout.Decoder`.

        Raises:
            PolicyError: the environment has one vehicle after another.
        """
        if not isinstance(env, PVRP):
            raise PolicyError(
                f"all vehicles decide at once, but {quoted(env.name)} has one after another; "
                "use another strategy"
            )
        count = self.repeats * (self.starts or 1)
        return driven_together(
            env, instance, encoded, count, self.temperature, generator, expired=expired
        )


def driven_together(
    env: PVRP,
    instance: PVRPInstance,
    encoded: Encoded,
    rollouts: int,
    temperature: float = 0.0,
    generator: torch.Generator | None = None,
    trace: list[Round] | None = None,
    expired: Expired | None = None,
) -> Rollouts:
    """Complete rollouts in which all vehicles decide at once.

    Args:
        env: of the instances.
        instance: `B` instances of `M` vehicles.
        encoded: the instances in `V / B` views.
        rollouts: of each view.
        temperature: 0 takes the best choice; above 0 samples with scores divided by it.
        generator: of samples.
        trace: what was decided is appended to it.
        expired: asked before every round whether to give up.

    Returns:
        Rollouts `S = views * rollouts`, view-major; their actions are those of single vehicles.

    Raises:
        TimeUp: `expired` said so.
    """
    batch, fleet, nodes = instance.forgone.shape
    per = rollouts * (encoded.count // batch)
    actions: list[Tensor] = []
    with torch.inference_mode():
        state = env.reset(instance, per)
        while not env.done(state).all():
            if expired is not None and expired():
                raise TimeUp
            counted = ~env.done(state)
            seen = _open(env, instance, state)
            decisions = _decisions(env, instance, state, encoded, seen)
            score = encoded.each(decisions).reshape(batch, per, fleet, nodes)
            best = score.masked_fill(~seen, -torch.inf)
            sure = best.amax(-1) - best.logsumexp(-1)
            order = sure.argsort(dim=2, descending=True, stable=True)
            allowed = torch.zeros_like(seen)
            node = torch.zeros_like(order)
            before = state.unserved
            moved = torch.zeros_like(counted)
            for turn in range(fleet):
                vehicle = order[..., turn : turn + 1]
                row = vehicle[..., None].expand(-1, -1, 1, nodes)
                own = _open(env, instance, state).gather(2, row)
                chosen = _chosen(
                    score.gather(2, row).masked_fill(~own, -torch.inf), temperature, generator
                ).squeeze(2)
                here = state.current.gather(2, vehicle).squeeze(2)
                moved |= chosen != here
                allowed.scatter_(2, row, own)
                node.scatter_(2, vehicle, chosen[..., None])
                action = vehicle.squeeze(2) * nodes + chosen
                actions.append(action)
                state = env.step(instance, state, action)
            stuck = counted & ~moved & (state.unserved == before)
            lone = env.mask(instance, state)
            pick = _chosen(score.flatten(2).masked_fill(~lone, -torch.inf), temperature, generator)
            # Whoever has moved stays where its vehicle is.
            stay = state.current[..., 0]
            action = torch.where(stuck, pick, stay)
            if stuck.any():
                actions.append(action)
                state = env.step(instance, state, action)
            if trace is not None:
                shape = (encoded.count, -1)
                trace.append(
                    Round(
                        decisions,
                        *(
                            x.reshape(*shape, *x.shape[2:])
                            for x in (allowed, node, counted, lone, action, stuck)
                        ),
                    )
                )
        taken = torch.stack(actions, 2)
        return Rollouts(taken, env.cost(instance, taken), env.violation(state))


def _decisions(
    env: PVRP, instance: PVRPInstance, state: PVRPState, encoded: Encoded, seen: Tensor
) -> Decisions:
    """What all vehicles have to decide, which may go where `seen` `[B, S, M, N]` says."""
    shown = env.roles(state), env.context(instance, state), seen
    rollouts = seen.shape[0] * seen.shape[1] // encoded.count
    return Decisions(*(x.reshape(encoded.count, rollouts, -1) for x in shown))


def _open(env: PVRP, instance: PVRPInstance, state: PVRPState) -> Tensor:
    """`[B, S, M, N]` where each vehicle may go, or stay where it is at the depot.

    Where all is served everybody stays, wherever that is.
    """
    allowed = env.choices(instance, state)
    over = env.done(state)[..., None]
    stays = torch.zeros_like(allowed)
    stays.scatter_(3, state.current[..., None], (over | (state.current == 0))[..., None])
    return (allowed & ~over[..., None]) | stays


def _chosen(score: Tensor, temperature: float, generator: torch.Generator | None) -> Tensor:
    """Indices along the last axis."""
    if not temperature:
        return score.argmax(-1)
    draw = torch.rand(score.shape[:-1], generator=generator, device=score.device)
    return sampled(score, temperature, draw)
