"""Rollouts that begin with given actions, many side by side, and the decisions on their way.

Rollouts that are given more actions only drive along until they have something to decide: they are
sorted by how much is given, so that at every step those that decide come first.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from nco.models.pointer import Decisions
from nco.search.decoding.expiry import TimeUp
from nco.search.decoding.rollout import decisions_of
from nco.search.decoding.rollouts import Rollouts

if TYPE_CHECKING:
    from nco.envs.base import AnyEnvironment
    from nco.models.pointer import Encoded
    from nco.search.decoding.expiry import Expired
    from nco.search.decoding.rollout import Strategy


@dataclass(frozen=True)
class Begun:
    """States to begin rollouts from.

    Attributes:
        state: of `R` rollouts in each of `V` views, as `[B, V / B * R]`.
        depth: how many actions led there.
    """

    state: Any
    depth: int

    def driven(self, env: AnyEnvironment, instance: Any, path: Tensor, depth: int) -> Begun:
        """The states that many actions on.

        Args:
            env: the environment of the instances.
            instance: `B` instances.
            path: `[V, R, T]` actions from the very first.
            depth: how many of them lead there.
        """
        state, actions = self.state, path.reshape(len(instance.cost), -1, path.shape[-1])
        for step in range(self.depth, depth):
            state = env.step(instance, state, actions[..., step])
        return Begun(state, max(depth, self.depth))

    def spread(self, origin: Tensor) -> Any:
        """The states of rollouts, given `[V, D]` from which of the `R` states each begins."""
        views = len(origin)

        def rows(x: Tensor) -> Tensor:
            by_view = x.reshape(views, -1, *x.shape[2:])
            begun = torch.arange(views, device=x.device)[:, None]
            return by_view[begun, origin].reshape(len(x), -1, *x.shape[2:])

        return replace(self.state, **{name: rows(x) for name, x in vars(self.state).items()})


@dataclass(frozen=True)
class Asked:
    """Rollouts to complete: `D` in each of `V` views.

    Attributes:
        path: `[V, D, T]` actions, of which some are given.
        length: `[V, D]` how many are.
        origin: `[V, D]` which of the states in `Begun` each begins from.
        until: `[V, D]` how many actions of the path are taken all the same, once a rollout is
            asked what it would do; None takes no more than are given.
    """

    path: Tensor
    length: Tensor
    origin: Tensor
    until: Tensor | None = None

    def sorted(self) -> tuple[Asked, Tensor]:
        """The same with the shortest first in each view, and the new place `[V, D]` of each."""
        order = self.length.argsort(dim=1, stable=True)
        path = self.path.gather(1, order[..., None].expand_as(self.path))
        until = None if self.until is None else self.until.gather(1, order)
        asked = Asked(path, self.length.gather(1, order), self.origin.gather(1, order), until)
        return asked, order.argsort(dim=1)


@dataclass(frozen=True)
class Step:
    """One step of all rollouts.

    Attributes:
        depth: how many actions came before it.
        decisions: of the first `A` rollouts in each view, which are no longer given their actions.
        action: `[V, D]` what all of them did.
    """

    depth: int
    decisions: Decisions
    action: Tensor


@dataclass(frozen=True)
class Choices:
    """Decisions among two or more actions on the way of some rollouts, `P` in all.

    Attributes:
        rollout: `[P]` which of the rollouts, in their order.
        depth: `[P]` how many actions came before.
        decisions: `[P, ...]` each.
        action: `[P]` what was done.
    """

    rollout: Tensor
    depth: Tensor
    decisions: Decisions
    action: Tensor


@dataclass(frozen=True)
class Completed:
    """What became of `Asked`.

    Attributes:
        asked: sorted.
        rollouts: `[V, D]` of them.
        steps: from the first at which something was decided.
    """

    asked: Asked
    rollouts: Rollouts
    steps: list[Step]

    def choices(self, rows: Tensor) -> Choices:
        """The choices of some rollouts after what was given to them.

        Args:
            rows: `[C]` numbers in `[V, D]`, flat.
        """
        count = self.asked.length.shape[1]
        view, place = rows // count, rows % count
        if not self.steps:
            none = rows[:0]
            return Choices(none, none, Decisions(none, none, none), none)

        def of(name: str) -> Tensor:
            """`[C, steps, ...]`; those still given their actions get another's decisions."""
            tables = [getattr(step.decisions, name) for step in self.steps]
            return torch.stack([x[view, place.clamp_max(x.shape[1] - 1)] for x in tables], 1)

        allowed = of("allowed")
        depth = torch.tensor([step.depth for step in self.steps], device=rows.device)
        own = depth >= self.asked.length.flatten()[rows][:, None]
        some, step = (own & (allowed.sum(-1) > 1)).nonzero(as_tuple=True)
        action = torch.stack([s.action[view, place] for s in self.steps], 1)
        decisions = Decisions(of("roles")[some, step], of("context")[some, step],
                              allowed[some, step])  # fmt: skip
        return Choices(some, depth[step], decisions, action[some, step])


def complete(
    env: AnyEnvironment,
    instance: Any,
    encoded: Encoded,
    begun: Begun,
    asked: Asked,
    strategy: Strategy,
    generator: torch.Generator | None = None,
    expired: Expired | None = None,
) -> Completed:
    """Completes rollouts.

    Args:
        env: the environment of the instances.
        instance: `B` instances.
        encoded: the instances in `V` views.
        begun: where rollouts begin; all are given at least so many actions.
        asked: what is given, sorted.
        strategy: how the rest is decided.
        generator: of samples.
        expired: asked before every step whether to give up.

    Raises:
        TimeUp: `expired` said so.
    """
    views, count, longest = asked.path.shape
    batch = len(instance.cost)
    path, length = asked.path, asked.length
    until = length if asked.until is None else asked.until
    state, depth = begun.spread(asked.origin), begun.depth
    actions = [path[..., step] for step in range(depth)]
    for step in range(depth, int(length.min())):
        actions.append(path[..., step])
        state = env.step(instance, state, path[..., step].reshape(batch, -1))
    steps: list[Step] = []
    shortest = length.amin(0)
    while not env.done(state).all():
        if expired is not None and expired():
            raise TimeUp
        depth = len(actions)
        decide = int((shortest <= depth).sum())
        decisions = decisions_of(env, instance, _first(state, views, decide), views)
        action = strategy.choose(encoded, decisions, generator)
        if depth < longest:
            given = torch.cat([action, path[:, decide:, depth]], 1)
            action = torch.where(until > depth, path[..., depth], given)
        steps.append(Step(depth, decisions, action))
        actions.append(action)
        state = env.step(instance, state, action.reshape(batch, -1))
    taken = torch.stack(actions, 2)
    whole = taken.view(batch, -1, taken.shape[2])
    cost, violation = env.cost(instance, whole), env.violation(state)
    rollouts = Rollouts(taken, cost.view(views, count), violation.view(views, count))
    return Completed(asked, rollouts, steps)


def _first(state: Any, views: int, count: int) -> Any:
    """The states of the first `count` rollouts of each view."""

    def rows(x: Tensor) -> Tensor:
        by_view = x.reshape(views, -1, *x.shape[2:])
        return by_view[:, :count].reshape(len(x), -1, *x.shape[2:])

    return replace(state, **{name: rows(x) for name, x in vars(state).items()})
