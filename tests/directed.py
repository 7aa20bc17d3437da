"""Random directed instances on tensors, and plain loops that say what environments must do."""

from __future__ import annotations

from itertools import pairwise

import torch

from nco.envs.atsp import ATSPInstance
from nco.envs.instances import tensors
from nco.envs.pvrp import PVRPInstance
from nco.envs.rcvrp import UNLIMITED, RCVRPInstance
from nco.envs.rcvrptw import TICKS_PER_S, RCVRPTWInstance, earliest


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


def directed_rcvrptw(
    batch: int, stops: int, seed: int, capacity: int = 30, vehicles: int = UNLIMITED
) -> RCVRPTWInstance:
    """Random directed instances whose stops can all be served, some of them just so."""
    loads = directed_rcvrp(batch, stops, seed, capacity, vehicles)
    generator = torch.Generator().manual_seed(seed + 2)
    nodes = stops + 1

    def below(ticks: int, *shape: int) -> torch.Tensor:
        return torch.randint(ticks, shape, generator=generator, dtype=torch.int32)

    speed = 5 + 10 * torch.rand(batch, nodes, nodes, generator=generator)  # metres a second
    day = 2000 * TICKS_PER_S
    made = RCVRPTWInstance(
        **tensors(loads),
        duration=(loads.cost / speed * TICKS_PER_S).int(),
        opens=below(day, batch, nodes),
        closes=torch.zeros(batch, nodes, dtype=torch.int32),
        service=below(100 * TICKS_PER_S, batch, nodes),
    )
    made.opens[:, 0] = below(1000, batch)
    made.service[:, 0] = 0
    length = below(300 * TICKS_PER_S, batch, nodes) * below(5, batch, nodes).sign()
    made.closes.copy_(earliest(made) + length)
    back = made.closes + made.service + made.duration[:, :, 0]
    made.closes[:, 0] = back[:, 1:].amax(1)
    return made


def directed_pvrp(
    batch: int, stops: int, seed: int, fleet: int = 3, trips: int = UNLIMITED
) -> PVRPInstance:
    """Random directed instances of vehicles with streets, zones and preferences of their own.

    Every stop is left to one vehicle at least, which can carry it.
    """
    loads = directed_rcvrp(batch, stops, seed)
    generator = torch.Generator().manual_seed(seed + 2)
    shape = (batch, fleet, stops + 1)
    pace = 0.5 + torch.rand(*shape, 1, generator=generator)
    permitted = torch.rand(shape, generator=generator) < 0.7
    permitted[:, 0] |= ~permitted.any(1)
    permitted[..., 0] = False
    forgone = 300 * torch.rand(shape, generator=generator)
    forgone -= forgone.masked_fill(~permitted, torch.inf).amin(1, keepdim=True).clamp_max(300)
    seen = permitted.clone()
    seen[..., 0] = True
    return PVRPInstance(
        cost=loads.cost[:, None] * pace * (seen[..., None] & seen[:, :, None]),
        xy=loads.xy,
        forgone=forgone.masked_fill(~permitted, 0.0),
        permitted=permitted,
        demand=loads.demand,
        capacity=torch.randint(9, 25, (batch, fleet), generator=generator),
        trips=torch.full((batch, fleet), trips),
    )


PLAIN = ("atsp", "rcvrp", "rcvrptw")
MAKE = {
    "rcvrp": directed_rcvrp,
    "atsp": directed_atsp,
    "rcvrptw": directed_rcvrptw,
    "pvrp": directed_pvrp,
}


def plain_cost(name: str, instance, b: int, actions: list[int]) -> float:
    """Cost of one rollout by a loop over its legs."""
    if name == "pvrp":
        return _profiled_cost(instance, b, actions)
    cost = instance.cost[b].numpy()
    path = [*actions, actions[0]] if name == "atsp" else [0, *actions, 0]
    return sum(float(cost[i, j]) for i, j in pairwise(path))


def _profiled_cost(instance: PVRPInstance, b: int, actions: list[int]) -> float:
    """Legs of every vehicle, what is forgone at its stops, and its way home."""
    place = [0] * instance.vehicles
    total = 0.0
    for action in actions:
        vehicle, node = divmod(action, instance.nodes)
        if node != place[vehicle]:
            total += float(instance.cost[b, vehicle, place[vehicle], node])
            total += float(instance.forgone[b, vehicle, node])
        place[vehicle] = node
    return total + sum(float(instance.cost[b, k, node, 0]) for k, node in enumerate(place))


def _check_fleet(instance: PVRPInstance, b: int, actions: list[int]) -> None:
    """Every stop once, by a vehicle that may serve it and has room for it."""
    place, load = [0] * instance.vehicles, [0] * instance.vehicles
    served = []
    for action in actions:
        vehicle, node = divmod(action, instance.nodes)
        if node == place[vehicle]:
            continue
        place[vehicle] = node
        if not node:
            load[vehicle] = 0
            continue
        served.append(node)
        load[vehicle] += int(instance.demand[b, node])
        assert load[vehicle] <= int(instance.capacity[b, vehicle])
        assert instance.permitted[b, vehicle, node]
    assert sorted(served) == list(range(1, int(instance.counts[b])))


def check_plainly(name: str, instance, b: int, actions: list[int]) -> None:
    """Follows one rollout by hand and asserts every rule of its problem."""
    if name == "pvrp":
        _check_fleet(instance, b, actions)
        return
    nodes = instance.nodes
    if name == "atsp":
        assert sorted(actions) == list(range(nodes))
        return
    assert sorted(a for a in actions if a) == list(range(1, nodes))
    load = 0
    for node in actions:
        load = load + int(instance.demand[b, node]) if node else 0
        assert load <= int(instance.capacity[b])
    if name == "rcvrptw":
        check_times(instance, b, [0, *actions, 0])


def check_times(instance: RCVRPTWInstance, b: int, path: list[int]) -> None:
    """Follows the clock of one rollout and asserts that nobody is late."""
    opens, closes = instance.opens[b].tolist(), instance.closes[b].tolist()
    time = opens[0]
    for here, node in pairwise(path):
        time = max(time + int(instance.duration[b, here, node]), opens[node])
        assert time <= closes[node]
        time = time + int(instance.service[b, node]) if node else opens[0]


def random_rollouts(env, instance, rollouts: int, seed: int) -> torch.Tensor:
    """Actions `[B, S, T]` of random allowed rollouts; fails if they do not end."""
    generator = torch.Generator().manual_seed(seed)
    state = env.reset(instance, rollouts)
    nodes = instance.nodes
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
