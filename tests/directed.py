"""Random directed instances on tensors, and plain loops that say what environments must do."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import torch

from nco.envs.atsp import ATSPInstance
from nco.envs.rcvrp import UNLIMITED, RCVRPInstance


def directed_costs(batch: int, nodes: int, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Coordinates `[B, N, 2]` and costs `[B, N, N]` that differ there and back."""
    generator = torch.Generator().manual_seed(seed)
    xy = torch.rand(batch, nodes, 2, generator=generator) * 2 - 1
    detour = 1 + 0.5 * torch.rand(batch, nodes, nodes, generator=generator)
    cost = torch.cdist(xy, xy) * detour * 1000
    return xy, cost * (1 - torch.eye(nodes))


def directed_rcvrp(
    batch: int, stops: int, seed: int, capacity: int = 20, vehicles: int = UNLIMITED
) -> RCVRPInstance:
    """Random directed instances."""
    xy, cost = directed_costs(batch, stops + 1, seed)
    generator = torch.Generator().manual_seed(seed + 1)
    demand = torch.randint(1, 10, (batch, stops + 1), generator=generator)
    demand[:, 0] = 0
    return RCVRPInstance(
        cost, xy, demand, torch.full((batch,), capacity), torch.full((batch,), vehicles)
    )


def directed_atsp(batch: int, stops: int, seed: int) -> ATSPInstance:
    """Random directed instances."""
    xy, cost = directed_costs(batch, stops + 1, seed)
    return ATSPInstance(cost, xy)


MAKE = {"rcvrp": directed_rcvrp, "atsp": directed_atsp}


def plain_cost(name: str, cost: np.ndarray, actions: list[int]) -> float:
    """Cost of one rollout by a loop over its legs."""
    path = [0, *actions, 0] if name == "rcvrp" else [*actions, actions[0]]
    return sum(float(cost[i, j]) for i, j in pairwise(path))


def check_plainly(name: str, instance, b: int, actions: list[int]) -> None:
    """Follows one rollout by hand and asserts every rule of its problem."""
    nodes = instance.cost.shape[1]
    if name == "atsp":
        assert sorted(actions) == list(range(nodes))
        return
    assert sorted(a for a in actions if a) == list(range(1, nodes))
    load = 0
    for node in actions:
        load = load + int(instance.demand[b, node]) if node else 0
        assert load <= int(instance.capacity[b])


def random_rollouts(env, instance, rollouts: int, seed: int) -> torch.Tensor:
    """Actions `[B, S, T]` of random allowed rollouts; fails if they do not end."""
    generator = torch.Generator().manual_seed(seed)
    state = env.reset(instance, rollouts)
    nodes = instance.cost.shape[1]
    actions = []
    while not env.done(state).all():
        allowed = env.mask(instance, state)
        assert allowed.any(-1).all()
        assert env.roles(state).shape[-1] == len(env.features.roles)
        assert env.context(instance, state).shape[-1] == len(env.features.context)
        draw = torch.rand(allowed.shape, generator=generator).masked_fill(~allowed, -1.0)
        actions.append(draw.argmax(-1))
        state = env.step(instance, state, actions[-1])
        assert len(actions) <= 2 * nodes
    return torch.stack(actions, 2)
