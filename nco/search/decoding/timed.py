"""Decoding one instance until the time is over: greedy first, then whatever is asked for."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch

from nco.models.pointer import LIGHT
from nco.search.decoding.expiry import TimeUp
from nco.search.decoding.rollout import Strategy, rollout
from nco.search.decoding.rollouts import Rollouts
from nco.search.decoding.views import Seen

if TYPE_CHECKING:
    from torch import Tensor

    from nco.envs.base import AnyEnvironment
    from nco.models.pointer import Encoded
    from nco.models.policy import Policy
    from nco.search.decoding.rollout import Decoder
    from nco.solver import Clock

# Seconds a decision among 100 nodes takes, by a middling network on a busy core.
_DECISION_S = 8e-6
# Rollouts times nodes that are decoded at once: a gigabyte of masks and times.
_CELLS = 20_000_000
_WIDTH = 100  # samples that are drawn side by side at least


def decode(
    env: AnyEnvironment,
    instance: Any,
    policy: Policy,
    decoder: Decoder,
    clock: Clock,
    seed: int = 0,
    reserve_s: float = 0.0,
) -> Rollouts | None:
    """The best rollout of one instance within a time limit.

    Greedy rollouts come first, whatever the decoder: their best is the floor. They are decoded
    at once where that is expected to end in half of the time; otherwise one comes first, and
    then as many as time is left for. Sampling goes on until the clock is over.

    Args:
        env: the environment of the instance.
        instance: one instance.
        policy: made for the features of `env`.
        decoder: how to decode.
        clock: when to end.
        seed: of the order of starts and of what is random.
        reserve_s: time to leave where there is no rollout yet.

    Returns:
        None where not even one rollout of each view ends in time.
    """
    generator = torch.Generator().manual_seed(seed)
    with torch.inference_mode():
        seen = Seen.of(env, instance, decoder.views)
        encoded = seen.encoded(env, policy)
    starts = env.starts(instance)
    order = starts[:, torch.randperm(starts.shape[1], generator=generator)]
    if isinstance(decoder, Strategy) and decoder.starts is not None:
        order = order[:, : decoder.starts]
    floor = Strategy(views=decoder.views)
    search = _Sweeps(env, seen, encoded, clock, reserve_s, generator)
    if not search.sweep(order, floor) or decoder == replace(floor, starts=decoder.starts):
        return search.best
    if isinstance(decoder, Strategy):
        wide = order.repeat(1, max(1, _WIDTH // order.shape[1]))
        while search.sweep(wide, decoder):
            pass
        return search.best
    try:
        found = decoder.search(env, seen.instance, encoded, generator, lambda: clock.over)
    except TimeUp:
        return search.best
    search.add(found)
    return search.best


class _Sweeps:
    """Rollouts from start after start, and the best of them.

    Args:
        env: the environment of the instance.
        seen: one instance.
        encoded: the instance in all views.
        clock: when to end.
        reserve_s: time to leave where there is no rollout yet.
        generator: of samples.
    """

    def __init__(
        self,
        env: AnyEnvironment,
        seen: Seen,
        encoded: Encoded,
        clock: Clock,
        reserve_s: float,
        generator: torch.Generator,
    ) -> None:
        self._env, self._seen, self._encoded = env, seen, encoded
        self._clock, self._reserve_s, self._generator = clock, reserve_s, generator
        self.best: Rollouts | None = None
        self._views, nodes = len(encoded.query), encoded.query.shape[2]
        self._cells = self._views * nodes
        self._most = max(1, _CELLS // self._cells)
        # As many decisions as nodes, and a few for depots.
        self._start_s = 1.2 * nodes * self._cells * _DECISION_S / 100

    def add(self, found: Rollouts) -> None:
        """Takes the best rollout if it is better."""
        found = self._seen.forwards(self._env, found.best()).best()
        self.best = found if self.best is None else better(self.best, found)

    def sweep(self, starts: Tensor, how: Strategy) -> bool:
        """Decodes once from every start `[1, K]`; whether that ended in time."""
        done, all_at_once = 0, self.best is None
        while done < starts.shape[1]:
            begin_s, left_s = self._clock.elapsed_s, self._clock.left_s
            size = min(starts.shape[1] - done, self._most)
            all_at_once &= size * self._start_s < left_s / 2
            if not all_at_once:
                # The first one alone is what can be relied on.
                fitting = int(0.9 * left_s / self._start_s)
                size = 1 if self.best is None else min(size, fitting)
            if size < 1:
                return False
            keep_s = self._reserve_s if self.best is None else 0.0
            try:
                found = self._rollouts(
                    starts[:, done : done + size], how, max(keep_s, left_s / 2 * all_at_once)
                )
            except TimeUp:
                if not all_at_once:
                    return False
                all_at_once = False
                continue
            self.add(found)
            self._start_s = (self._clock.elapsed_s - begin_s) / size
            if size * self._cells < LIGHT:  # a few more would have taken hardly longer
                self._start_s /= 2
            done += size
        return True

    def _rollouts(self, first: Tensor, how: Strategy, keep_s: float) -> Rollouts:
        """Rollouts from some starts, unless only so much time is left before they end."""
        instance = self._seen.instance
        return rollout(
            self._env, instance, self._encoded, how, self._generator,
            first=first.expand(len(instance.cost), -1),
            expired=lambda: self._clock.left_s <= keep_s,
        )  # fmt: skip


def better(a: Rollouts, b: Rollouts) -> Rollouts:
    """The better of two single rollouts of one instance."""
    key_a = (int(a.violation), float(a.cost))
    key_b = (int(b.violation), float(b.cost))
    return b if key_b < key_a else a
