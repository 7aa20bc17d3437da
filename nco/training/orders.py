"""Solutions as rollouts: which actions lead to them, and every other order that leads there too.

A tour may begin anywhere, and routes may be driven in any order: all of these are equally right,
so a policy that imitates one of them should imitate them all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from nco.errors import PolicyError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nco.envs.base import AnyEnvironment
    from nco.route import Route

FILL = -1  # after the last action of a label


@dataclass(frozen=True)
class Order:
    """How a problem's solutions become actions.

    Attributes:
        actions: of the routes of a solution, given the number of nodes.
        shuffled: `[B, S, T]` other actions for the same solutions `[B, T]`, `S` for each; what is
            filled up becomes the depot.
    """

    actions: Callable[[Sequence[Route]], list[int]]
    shuffled: Callable[[Tensor, int, torch.Generator], Tensor]


def tour(routes: Sequence[Route]) -> list[int]:
    """All nodes of one closed tour, the depot first."""
    return [0, *(stop for route in routes for stop in route.stops)]


def rotated(label: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """Tours that begin anywhere."""
    batch, length = label.shape
    shift = torch.randint(length, (batch, count, 1), generator=generator, device=label.device)
    place = (shift + torch.arange(length, device=label.device)) % length
    return label[:, None].expand(-1, count, -1).gather(2, place)


def deliveries(routes: Sequence[Route]) -> list[int]:
    """The stops of every route, each route ended by a return to the depot."""
    return [node for route in routes if route.stops for node in (*route.stops, 0)]


def reordered(label: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """Routes in any order."""
    batch, length = label.shape
    ends = (label == 0).long()
    route = ends.cumsum(1) - ends
    turn = torch.rand(batch, count, length, generator=generator, device=label.device)
    key = turn.gather(2, route[:, None].expand(-1, count, -1))
    key = key.masked_fill((label == FILL)[:, None], 2.0)
    place = key.argsort(dim=2, stable=True)
    return label.clamp_min(0)[:, None].expand(-1, count, -1).gather(2, place)


# Problem -> how its solutions become actions. A new problem is one line here.
ORDERS: dict[str, Order] = {
    "atsp": Order(tour, rotated),
    "rcvrp": Order(deliveries, reordered),
    "rcvrptw": Order(deliveries, reordered),
}


def order(problem: str) -> Order:
    """How solutions of a problem become actions.

    Raises:
        PolicyError: nobody wrote down how.
    """
    if problem not in ORDERS:
        raise PolicyError(
            f"solutions of {problem!r} cannot be imitated; use one of {', '.join(ORDERS)}"
        )
    return ORDERS[problem]


def feasible(env: AnyEnvironment, instance: object, actions: Tensor) -> Tensor:
    """`[B, S]` whether an environment allows every action of rollouts `[B, S, T]`, and they end."""
    state = env.reset(instance, actions.shape[1])
    good = torch.ones(actions.shape[:2], dtype=torch.bool, device=actions.device)
    for action in actions.unbind(2):
        allowed = env.mask(instance, state).gather(2, action[..., None]).squeeze(-1)
        good &= allowed | env.done(state)
        state = env.step(instance, state, action)
    return good & env.done(state)
