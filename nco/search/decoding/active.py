"""Efficient active search: gradient steps on what is encoded of each instance, at test time.

After Hottung et al. 2022 (EAS-Emb): the network stays as it is; a copy of the encoded tensors of
every instance is trained on this instance alone, by REINFORCE with the baseline shared by its
rollouts, and by imitation of the best solution found.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from nco.errors import PolicyError, quoted
from nco.models.pointer import Decisions, weighed
from nco.search.decoding.expiry import TimeUp
from nco.search.decoding.rollout import Decoder, Strategy, check_counts, joined, rollout
from nco.search.decoding.rollouts import Rollouts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nco.envs.base import AnyEnvironment
    from nco.models.pointer import Encoded
    from nco.search.decoding.expiry import Expired

_TRAINED = ("query", "key", "value", "target", "pair")
# Decisions times nodes that gradients are computed of at once, which cannot be interrupted.
_AT_ONCE = 500_000
_MEAN_DECAY, _SQUARE_DECAY, _TINY = 0.9, 0.999, 1e-8  # of Adam


@dataclass(frozen=True)
class ActiveSearch(Decoder):
    """Sampling, with a gradient step after every round; each view is searched on its own.

    Attributes:
        steps: rounds; None goes on until time is up.
        learning_rate: of Adam.
        imitation: weight of the best solution's log-likelihood against the policy gradient.
    """

    steps: int | None = 40
    learning_rate: float = 0.001
    imitation: float = 0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        check_counts(steps=self.steps)
        if not 0.0 < self.learning_rate < float("inf"):
            raise PolicyError(
                f"learning_rate is {quoted(self.learning_rate)}; give a number above 0"
            )
        if not 0.0 <= self.imitation < float("inf"):
            raise PolicyError(f"imitation is {quoted(self.imitation)}; give 0 or more")

    def search(
        self,
        env: AnyEnvironment,
        instance: Any,
        encoded: Encoded,
        generator: torch.Generator | None = None,
        expired: Expired | None = None,
    ) -> Rollouts:
        """See `nco.search.decoding.rollout.Decoder`; the best rollout of each view, `S = turns`.

        Raises:
            PolicyError: `steps` is None and nothing else ends the search.
            TimeUp: before the first round was complete.
        """
        if self.steps is None and expired is None:
            raise PolicyError("steps is None, which needs a time limit; give a number of steps")
        with torch.inference_mode(mode=False), torch.enable_grad():
            return self._searched(env, instance, encoded, generator, expired)

    def _searched(
        self,
        env: AnyEnvironment,
        instance: Any,
        encoded: Encoded,
        generator: torch.Generator | None,
        expired: Expired | None,
    ) -> Rollouts:
        """The best rollouts, where gradients can be computed."""
        search = _Search(encoded, self)
        how = Strategy(temperature=1.0, starts=self.starts)
        step = 0
        try:
            while self.steps is None or step < self.steps:
                trace: list[tuple[Decisions, Tensor]] = []
                found = rollout(
                    env, instance, search.encoded, how, generator, trace=trace, expired=expired
                )
                if not trace:  # the first action was all that there was to decide
                    return found
                step += 1
                search.keep(found, trace)
                if step != self.steps:
                    search.learn(found, trace, expired)
        except TimeUp:
            if not step:
                raise
        return search.best(len(instance.cost))


class _Search:
    """What is trained, and the best solution of every view.

    Args:
        encoded: `V` instances, which are copied.
        how: learning rate and imitation.
    """

    def __init__(self, encoded: Encoded, how: ActiveSearch) -> None:
        copies = {f: getattr(encoded, f).detach().clone() for f in (*_TRAINED, "weight", "bias")}
        trained = [copies[name].requires_grad_() for name in _TRAINED]
        self.encoded = replace(encoded, **copies)
        self._count = encoded.count
        self._how = how
        self._optimizer = _Adam(trained, how.learning_rate)
        # Violation and cost `[V]`, actions `[V, T + 1]`, then decisions `[V, T, ...]`.
        self._best: list[Tensor] = []

    def best(self, batch: int) -> Rollouts:
        """The best solutions of `batch` instances, one of each view."""
        violation, cost, actions = (x.view(batch, -1, *x.shape[1:]) for x in self._best[:3])
        return Rollouts(actions, cost, violation)

    def keep(self, found: Rollouts, trace: list[tuple[Decisions, Tensor]]) -> None:
        """Keeps the best rollout of each view with its decisions."""
        found = self._by_view(found)
        views, index = torch.arange(self._count, device=found.cost.device), found.index()
        steps = [step for step, _ in trace]
        new = [
            *(x[views, index].clone() for x in (found.violation, found.cost, found.actions)),
            *(
                torch.stack([getattr(step, name)[views, index] for step in steps], 1)
                for name in Decisions.__dataclass_fields__
            ),
        ]
        if not self._best:
            self._best = new
            return
        better = (new[0] < self._best[0]) | ((new[0] == self._best[0]) & (new[1] < self._best[1]))
        self._best = [
            torch.where(better.view(-1, *[1] * (a.ndim - 1)), *_as_long(a, b))
            for a, b in zip(new, self._best, strict=True)
        ]

    def learn(
        self, found: Rollouts, trace: list[tuple[Decisions, Tensor]], expired: Expired | None
    ) -> None:
        """Takes a gradient step.

        Raises:
            TimeUp: before it was taken.
        """
        found = self._by_view(found)
        cost = found.cost.clone()
        mean = cost.mean(1, keepdim=True)
        # A vehicle too many weighs as much as all routes of a rollout.
        value = cost + found.violation * mean
        gain = value - value.mean(1, keepdim=True)
        deviation = value.std(1, correction=0, keepdim=True).clamp_min(1e-6 * float(mean.max()))
        gain /= deviation.clamp_min(torch.finfo(gain.dtype).tiny) * gain.shape[1]
        decisions, action = joined(trace)
        self._add(decisions, action, gain.repeat(1, len(trace)), expired)
        if self._how.imitation:
            actions, *own = self._best[2:]
            weight = gain.new_full(actions[:, 1:].shape, -self._how.imitation)
            self._add(Decisions(*own), actions[:, 1:], weight, expired)
        self._optimizer.step()

    def _add(
        self, decisions: Decisions, action: Tensor, gain: Tensor, expired: Expired | None
    ) -> None:
        """Adds the gradients of log-likelihoods `[V, D]` times `gain`."""
        size = max(1, _AT_ONCE // (len(action) * decisions.allowed.shape[-1]))
        for begin in range(0, action.shape[1], size):
            if expired is not None and expired():
                raise TimeUp
            rows = slice(begin, begin + size)
            fields = Decisions.__dataclass_fields__
            some = Decisions(*(getattr(decisions, name)[:, rows] for name in fields))
            total, _ = weighed(self.encoded, some, action[:, rows], gain[:, rows])
            torch.autograd.backward(total)

    def _by_view(self, found: Rollouts) -> Rollouts:
        """Rollouts `[V, S / V]` of every view on its own."""
        return Rollouts(
            found.actions.view(self._count, -1, found.actions.shape[-1]),
            found.cost.view(self._count, -1),
            found.violation.view(self._count, -1),
        )


class _Adam:
    """Kingma and Ba 2015, as `torch.optim.Adam`, which takes seconds to import.

    Args:
        tensors: leaves.
        learning_rate: of every step.
    """

    def __init__(self, tensors: Sequence[Tensor], learning_rate: float) -> None:
        self._tensors, self._rate, self._steps = tensors, learning_rate, 0
        self._mean = [torch.zeros_like(x) for x in tensors]
        self._square = [torch.zeros_like(x) for x in tensors]

    @torch.no_grad()
    def step(self) -> None:
        """Takes a step and forgets the gradients."""
        self._steps += 1
        rate = self._rate / (1 - _MEAN_DECAY**self._steps)
        scale = 1 / math.sqrt(1 - _SQUARE_DECAY**self._steps)
        for x, mean, square in zip(self._tensors, self._mean, self._square, strict=True):
            if x.grad is None:  # nothing that was decided depended on it
                continue
            mean.lerp_(x.grad, 1 - _MEAN_DECAY)
            square.mul_(_SQUARE_DECAY).addcmul_(x.grad, x.grad, value=1 - _SQUARE_DECAY)
            x.addcdiv_(mean, square.sqrt().mul_(scale).add_(_TINY), value=-rate)
            x.grad = None


def _as_long(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """Both with the steps of the longer one: what is complete stays as it ended."""
    if a.ndim == 1:
        return a, b
    steps = max(a.shape[1], b.shape[1])
    index = torch.arange(steps, device=a.device)
    return a[:, index.clamp_max(a.shape[1] - 1)], b[:, index.clamp_max(b.shape[1] - 1)]
