"""Decoding: from encoded instances to complete rollouts, greedy or sampled, from many starts.

The best of several views of an instance is taken, see `nco.search.decoding.views`.
"""

from __future__ import annotations

import abc
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from nco.errors import PolicyError, quoted
from nco.models.fleet import FleetEncoded
from nco.models.pointer import Decisions, decide, logits, sampled
from nco.search.decoding.driving import driven, drives
from nco.search.decoding.expiry import TimeUp
from nco.search.decoding.fleet_driving import driven_fleet, drives_fleet
from nco.search.decoding.rollouts import Rollouts
from nco.search.decoding.views import MOST, Seen

if TYPE_CHECKING:
    from nco.envs.base import AnyEnvironment
    from nco.models.pointer import Encoded
    from nco.models.policy import Policy
    from nco.search.decoding.expiry import Expired


@dataclass(frozen=True, kw_only=True)
class Decoder(abc.ABC):
    """How to decode: `Strategy`, `beam.Beam` or `active.ActiveSearch`.

    Attributes:
        views: how many different ways to see an instance are tried; if even, half of them drive
            backwards where the problem allows it.
        starts: how many different first actions are tried in each view; None tries all.
    """

    views: int = 1
    starts: int | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.views <= MOST:
            raise PolicyError(f"views is {quoted(self.views)}; give 1 to {MOST}")
        check_counts(starts=self.starts)

    def decode(
        self,
        env: AnyEnvironment,
        instance: Any,
        policy: Policy,
        generator: torch.Generator | None = None,
        expired: Expired | None = None,
    ) -> Rollouts:
        """Decodes a batch of instances in all views.

        Args:
            env: the environment of the instances.
            instance: `B` instances, which may differ in size.
            policy: made for the features of `env`.
            generator: of whatever is random, on the device of the instances.
            expired: whether to give up.

        Raises:
            TimeUp: before there was an answer.
        """
        with torch.inference_mode():
            seen = Seen.of(env, instance, self.views)
            encoded = seen.encoded(env, policy)
        found = self.search(env, seen.instance, encoded, generator, expired)
        return seen.forwards(env, found)

    @abc.abstractmethod
    def search(
        self,
        env: AnyEnvironment,
        instance: Any,
        encoded: Encoded,
        generator: torch.Generator | None = None,
        expired: Expired | None = None,
    ) -> Rollouts:
        """Decodes what is encoded; see `decode`.

        Args:
            env: the environment of the instances.
            instance: `B` instances.
            encoded: the instances in `V / B` turns each.
            generator: of whatever is random.
            expired: whether to give up.
        """


@dataclass(frozen=True)
class Strategy(Decoder):
    """Greedy decoding or sampling, each rollout on its own.

    Attributes:
        temperature: 0 takes the best action; above 0 samples with logits divided by it.
        repeats: rollouts of each start; only useful when sampling.
        top_k: samples are drawn from this many most likely actions; None for all.
        top_p: samples are drawn from the most likely actions that together have this
            probability, or just exceed it.
    """

    temperature: float = 0.0
    repeats: int = 1
    top_k: int | None = None
    top_p: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0.0 <= self.temperature < float("inf"):
            raise PolicyError(f"temperature is {quoted(self.temperature)}; give 0 (greedy) or more")
        check_counts(repeats=self.repeats, top_k=self.top_k)
        if not 0.0 < self.top_p <= 1.0:
            raise PolicyError(
                f"top_p is {quoted(self.top_p)}; give a probability above 0, at most 1"
            )
        if self.narrows and not self.temperature:
            raise PolicyError("top_k and top_p are for sampling; give a temperature above 0")

    @property
    def narrows(self) -> bool:
        """Whether only some of the allowed actions may be taken."""
        return self.top_k is not None or self.top_p < 1.0

    def search(
        self,
        env: AnyEnvironment,
        instance: Any,
        encoded: Encoded,
        generator: torch.Generator | None = None,
        expired: Expired | None = None,
    ) -> Rollouts:
        """See `Decoder`; rollouts `S = turns * starts * repeats`, turn-major."""
        return rollout(env, instance, encoded, self, generator, expired=expired)

    def choose(
        self, encoded: Encoded, decisions: Decisions, generator: torch.Generator | None
    ) -> Tensor:
        """Takes decisions `[V, D]`."""
        if not self.narrows:
            return decide(encoded, decisions, self.temperature, generator)
        score = narrowed(logits(encoded, decisions) / self.temperature, self.top_k, self.top_p)
        draw = torch.rand(score.shape[:2], generator=generator, device=score.device)
        return sampled(score, 1.0, draw)


def check_counts(**counts: int | None) -> None:
    """Refuses numbers that are neither None nor 1 or more.

    Raises:
        PolicyError: the message names the number.
    """
    for name, count in counts.items():
        if count is not None and count < 1:
            raise PolicyError(f"{name} is {quoted(count)}; give 1 or more")


def narrowed(score: Tensor, top_k: int | None, top_p: float) -> Tensor:
    """Logits `[..., N]`, minus infinity for all but the most likely actions.

    Args:
        score: logits.
        top_k: how many stay; None for all.
        top_p: what probability they have together at least, if all had 1.
    """
    count = score.shape[-1] if top_k is None else min(top_k, score.shape[-1])
    best, index = score.topk(count, -1)
    probability = torch.softmax(score, -1).gather(-1, index)
    # An action stays while those before it do not have enough.
    enough = probability.cumsum(-1) - probability >= top_p
    best = best.masked_fill(enough, -torch.inf)
    return torch.full_like(score, -torch.inf).scatter(-1, index, best)


GREEDY = Strategy()


def rollout(
    env: AnyEnvironment,
    instance: Any,
    encoded: Encoded,
    strategy: Strategy = GREEDY,
    generator: torch.Generator | None = None,
    first: Tensor | None = None,
    trace: list[tuple[Decisions, Tensor]] | None = None,
    expired: Expired | None = None,
) -> Rollouts:
    """Decodes a batch of encoded instances.

    Args:
        env: the environment of the instances.
        instance: `B` instances.
        encoded: the instances in `V / B` turns each.
        strategy: how to decode; its views do not matter here.
        generator: of sampling, on the device of the instance.
        first: `[B, K]` first actions; by default chosen by `strategy.starts`.
        trace: the decisions of every step and the actions `[V, D]` taken are appended to it.
        expired: asked before every step whether to give up.

    Returns:
        Rollouts `S = turns * starts * repeats`, turn-major.

    Raises:
        TimeUp: `expired` said so.
    """
    with torch.inference_mode():
        chosen = spread(env.starts(instance), strategy.starts) if first is None else first
        count, batch = encoded.count, len(chosen)
        action = chosen.repeat(1, strategy.repeats * (count // batch))
        if not strategy.narrows and drives(env, encoded, action):
            found = driven(
                env, instance, encoded, action, strategy.temperature, generator,
                trace is not None, expired,
            )  # fmt: skip
            if trace is not None:
                trace.append((found.decisions, found.taken))
            cost = env.cost(instance, found.actions)
            return Rollouts(found.actions, cost, env.violation(found.state))
        state = env.step(instance, env.reset(instance, action.shape[1]), action)
        fleet = encoded if isinstance(encoded, FleetEncoded) else None
        plain = not strategy.narrows and trace is None
        if fleet is not None and plain and drives_fleet(env, fleet, action.numel()):
            rest, state = driven_fleet(
                instance, fleet, state, strategy.temperature, generator, expired
            )
            taken = torch.cat([action[..., None], rest], 2)
            return Rollouts(taken, env.cost(instance, taken), env.violation(state))
        actions = [action]
        while not env.done(state).all():
            if expired is not None and expired():
                raise TimeUp
            decisions = decisions_of(env, instance, state, count)
            picked = strategy.choose(encoded, decisions, generator)
            if trace is not None:
                trace.append((decisions, picked))
            action = picked.view(batch, -1)
            actions.append(action)
            state = env.step(instance, state, action)
        taken = torch.stack(actions, 2)
        return Rollouts(taken, env.cost(instance, taken), env.violation(state))


def decisions_of(env: AnyEnvironment, instance: Any, state: Any, count: int) -> Decisions:
    """The next decisions of all rollouts, as those of `count` encoded instances."""
    shown = env.roles(state), env.context(instance, state), env.mask(instance, state)
    rollouts = shown[2].shape[0] * shown[2].shape[1] // count
    return Decisions(*(x.reshape(count, rollouts, -1) for x in shown))


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
