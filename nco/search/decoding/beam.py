"""Beam search: the most likely partial solutions go on, the cheapest complete one is kept."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from nco.models.pointer import logits
from nco.search.decoding.expiry import TimeUp
from nco.search.decoding.rollout import Decoder, check_counts, decisions_of, spread
from nco.search.decoding.rollouts import Rollouts

if TYPE_CHECKING:
    from nco.envs.base import AnyEnvironment
    from nco.models.pointer import Encoded
    from nco.search.decoding.expiry import Expired


@dataclass(frozen=True)
class Beam(Decoder):
    """Beam search by log-likelihood, all beams of all instances side by side.

    Of partial solutions from which the same can follow only the cheapest stays: routes in
    another order, say, or the same stops up to the same place.

    Attributes:
        width: how many partial solutions of a beam go on.
        given: whether first actions are given: each of `starts` in each view begins a beam.
            Otherwise each view has one beam, and the policy takes its first action too.
    """

    width: int = 8
    given: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        check_counts(width=self.width)

    def search(
        self,
        env: AnyEnvironment,
        instance: Any,
        encoded: Encoded,
        generator: torch.Generator | None = None,  # noqa: ARG002 (nothing is random)
        expired: Expired | None = None,
    ) -> Rollouts:
        """See `nco.search.decoding.rollout.Decoder`; `S = turns * starts * width`."""
        with torch.inference_mode():
            beams = self._begun(env, instance, encoded.count // len(instance.cost))
            while not env.done(beams.state).all():
                if expired is not None and expired():
                    raise TimeUp
                beams = beams.extended(env, instance, encoded, self.width)
            taken = beams.taken
            return Rollouts(taken, env.cost(instance, taken), env.violation(beams.state))

    def _begun(self, env: AnyEnvironment, instance: Any, turns: int) -> _Beams:
        """Beams of one partial solution each."""
        starts = env.starts(instance)
        if not self.given:
            count = turns
            taken = starts.new_zeros(len(starts), count, 0)
            state = env.reset(instance, count)
        else:
            action = spread(starts, self.starts).repeat(1, turns)
            count, taken = action.shape[1], action[..., None]
            state = env.step(instance, env.reset(instance, count), action)
        score = torch.zeros(len(starts), count, 1, device=starts.device)
        return _Beams(state, taken, score)


@dataclass(frozen=True)
class _Beams:
    """`G` beams of `W` partial solutions of each of `B` instances.

    Attributes:
        state: of `S = G W` rollouts.
        taken: `[B, S, T]` actions.
        score: `[B, G, W]` log-likelihoods; minus infinity for a copy that only fills a beam.
    """

    state: Any
    taken: Tensor
    score: Tensor

    def extended(self, env: AnyEnvironment, instance: Any, encoded: Encoded, width: int) -> _Beams:
        """The beams one action on."""
        decisions = decisions_of(env, instance, self.state, encoded.count)
        nodes = decisions.allowed.shape[-1]
        gain = torch.log_softmax(logits(encoded, decisions), -1).view(*self.score.shape, nodes)
        total = (self.score[..., None] + gain).flatten(2)
        # Some of them turn out to be alike; twice as many leave enough.
        score, index = total.topk(min(2 * width, total.shape[-1]), -1)
        index = torch.where(score.isfinite(), index, index[..., :1])
        wide = self._chosen(index // nodes, score)
        action = (index % nodes).flatten(1)
        taken = torch.cat([wide.taken, action[..., None]], 2)
        wide = _Beams(env.step(instance, wide.state, action), taken, score)
        score = score.masked_fill(wide.repeated(env.cost(instance, taken)), -torch.inf)
        best, kept = score.topk(min(width, score.shape[-1]), -1)
        return wide._chosen(torch.where(best.isfinite(), kept, kept[..., :1]), best)

    def _chosen(self, index: Tensor, score: Tensor) -> _Beams:
        """Partial solutions `[B, G, W']` of each beam, with their scores."""
        _, beams, width = self.score.shape
        first = torch.arange(beams, device=index.device)[:, None] * width
        flat = (index + first).flatten(1)

        def rows(x: Tensor) -> Tensor:
            wanted = flat.view(*flat.shape, *[1] * (x.ndim - 2)).expand(-1, -1, *x.shape[2:])
            return x.gather(1, wanted)

        fields = {name: rows(value) for name, value in vars(self.state).items()}
        return _Beams(replace(self.state, **fields), rows(self.taken), score)

    def repeated(self, cost: Tensor) -> Tensor:
        """`[B, G, W]` which partial solutions have a cheaper one of the same state."""
        state, cost = _fingerprints(self.state).view(self.score.shape), cost.view(self.score.shape)
        same = state[..., :, None] == state[..., None, :]
        order = torch.arange(cost.shape[-1], device=cost.device)
        earlier = order[:, None] > order
        a, b = cost[..., :, None], cost[..., None, :]
        # Copies that fill a beam come last, so they never stand before what they are copies of.
        return (same & ((a > b) | ((a == b) & earlier))).any(-1)


def _fingerprints(state: Any) -> Tensor:
    """`[B, S]` random numbers that are equal where states are, and hardly ever elsewhere."""
    tensors = list(vars(state).values())
    width = sum(x.shape[2] if x.ndim == 3 else 1 for x in tensors)
    generator = torch.Generator().manual_seed(0)
    factor = torch.randint(-(2**62), 2**62, (width,), generator=generator)
    whole = torch.cat([x if x.ndim == 3 else x[..., None] for x in (t.long() for t in tensors)], 2)
    # Overflow wraps around, as it should in a hash.
    return (whole * factor.to(whole.device)).sum(-1)
