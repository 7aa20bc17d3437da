"""Solutions as rollouts: all the orders of actions that lead to them.

A tour may begin anywhere, and routes may be driven in any order: all of these are equally right,
so a policy that imitates one of them should imitate them all.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from nco.errors import PolicyError, quoted

FILL = -1  # after the last action of a label

# `[B, S, T]` other actions for the same solutions `[B, T]`, `S` for each; what is filled up becomes
# the depot.
type Order = Callable[[Tensor, int, torch.Generator], Tensor]


def rotated(label: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """Tours that begin anywhere."""
    batch, length = label.shape
    shift = torch.randint(length, (batch, count, 1), generator=generator, device=label.device)
    place = (shift + torch.arange(length, device=label.device)) % length
    return label[:, None].expand(-1, count, -1).gather(2, place)


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


# A new problem is one line here.
ORDERS: dict[str, Order] = {"atsp": rotated, "rcvrp": reordered, "rcvrptw": reordered}


def order(problem: str) -> Order:
    """How the solutions of a problem are put into other orders.

    Raises:
        PolicyError: nobody wrote down how.
    """
    if problem not in ORDERS:
        raise PolicyError(
            f"solutions of {quoted(problem)} cannot be imitated; use one of {', '.join(ORDERS)}"
        )
    return ORDERS[problem]
