"""A policy's routes for capacitated problems without torch: plain arrays and one compiled loop.

What is computed is what `nco.search.seeds.stepwise` computes on tensors; tests compare the two.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from nco.fleet.alike import arc_cost, linked, vehicle_routes, whole_units
from nco.fleet.mending import completed
from nco.fleet.plane import plane_of
from nco.models.plain import PlainPolicy
from nco.models.shipped import WEIGHTS, served_by, shipped
from nco.problem import Feature
from nco.problem.normal import normal
from nco.search.decoding.expiry import TimeUp
from nco.search.seeds.fused import Rollouts
from nco.search.seeds.parts import halves, plane

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nco.arrays import Floats, Ints, Singles
    from nco.problem import Problem
    from nco.problem.route import Route
    from nco.search.decoding.expiry import Expired
    from nco.search.seeds.policy import Way
    from nco.solver import Clock

SUPPORTS = frozenset(
    {Feature.CAPACITY, Feature.DURATION_COST, Feature.FIXED_COST, Feature.UNREACHABLE}
)
NEAREST = 5  # neighbours that say how remote a node is; as in `nco.envs.observe`
SHOWN: dict[str, tuple[str, ...]] = {
    "node": ("x", "y", "x from depot", "y from depot", "is depot", "demand", "cost from depot",
             "cost to depot", "remoteness out", "remoteness in"),
    "pair": ("cost", "cost back", "log cost", "log cost back", "saving", "saving back"),
    "context": ("free capacity", "share unserved"),
    "roles": ("current", "home"),
}  # fmt: skip
"""What the network sees, as `nco.envs.rcvrp` has it."""

_TINY = float(np.finfo(np.float32).tiny)


@dataclass(frozen=True)
class Instance:
    """A problem of one depot, node 0, and alike vehicles.

    Attributes:
        cost: `[N, N]`, zero diagonal.
        xy: `[N, 2]` in a frame from -1 to 1.
        demand: `[N]` units.
        capacity: units of each vehicle.
        vehicles: how many there are.
    """

    cost: Singles
    xy: Singles
    demand: Ints
    capacity: int
    vehicles: int

    def part(self, nodes: Ints) -> Instance:
        """Some stops with the depot and their share of the vehicles."""
        kept = np.concatenate([[0], nodes])
        demand = self.demand[kept]
        load, total = int(demand.sum()), max(1, int(self.demand.sum()))
        share = self.vehicles * load // total
        return Instance(
            cost=np.ascontiguousarray(self.cost[np.ix_(kept, kept)]),
            xy=framed(self.xy[kept]),
            demand=demand,
            capacity=self.capacity,
            vehicles=max(1, -(-load // self.capacity), share),
        )

    def backwards(self) -> Instance:
        """Every arc the other way."""
        return replace(self, cost=np.ascontiguousarray(self.cost.T))

    def observed(self) -> tuple[Singles, Singles]:
        """Features of nodes `[N, F]` and of pairs `[P, N, N]`, as `SHOWN` names them."""
        count = len(self.demand)
        mean = self.cost.sum() / np.float32(max(1, count * (count - 1)))
        cost = self.cost / max(mean, np.float32(_TINY))
        away, back = cost[0], cost[:, 0]
        log = np.log(cost + np.float32(0.02))
        saving = back[:, None] + away - cost
        node = np.column_stack(
            [self.xy, self.xy - self.xy[0], np.arange(count) == 0, self.demand / self.capacity,
             away, back, _remoteness(cost, 1), _remoteness(cost, 0)]
        ).astype(np.float32)  # fmt: skip
        return node, np.stack([cost, cost.T, log, log.T, saving, saving.T])

    def ranks(self, actions: Sequence[int]) -> tuple[int, float]:
        """Routes of a rollout beyond the fleet, and its cost."""
        path = np.array([0, *actions, 0])
        used = int(((path[1:] != 0) & (path[:-1] == 0)).sum())
        return max(0, used - self.vehicles), float(self.cost[path[:-1], path[1:]].sum())


class Plain:
    """A capacitated problem for a policy; see `nco.search.seeds.policy.Given`.

    Args:
        problem: of which `SUPPORTS` has all features.
    """

    fused = cut = True
    vehicles = 1

    def __init__(self, problem: Problem) -> None:
        form = normal(problem).problem
        self._problem, self._nodes = problem, linked(form)
        self._whole = instance_of(form, self._nodes)
        self.stops = len(self._nodes) - 1

    def solved(
        self, way: Way, moves: int, count: int, seed: int, expired: Expired
    ) -> list[list[int]]:
        """Actions of up to `count` solutions: the best of all parts, the second best, and so on."""
        parts, given = [np.arange(1, self.stops + 1)], [self._whole]
        if way.parts > 1:
            parts = halves(plane(self._whole.cost.astype(float)), way.parts)
            given = [self._whole.part(nodes) for nodes in parts]
        order = permutation(max(map(len, parts)), seed)[:moves]
        ranked = [
            sorted(_rollouts(one, 1 + order % len(nodes), way.views, expired), key=one.ranks)
            for one, nodes in zip(given, parts, strict=True)
        ]
        joined = []
        for places in zip(*(one[:count] for one in ranked), strict=True):
            actions: list[int] = []
            for taken, nodes in zip(places, parts, strict=True):
                actions += np.concatenate([[0], nodes])[taken].tolist()
            joined.append(actions)
        return joined

    def best(self, solutions: Sequence[list[int]], count: int) -> list[list[int]]:
        """The best of some solutions, in order."""
        return sorted(solutions, key=self._whole.ranks)[:count]

    def routes(self, actions: Sequence[int], clock: Clock) -> list[Route]:
        """The routes of a solution, with the stops that it lacks where they fit."""
        found = vehicle_routes(self._problem, self._nodes, actions) if self.stops else []
        if sum(len(route.stops) for route in found) == len(self._problem.stops):
            return found
        return completed(self._problem, found, clock)


def instance_of(problem: Problem, nodes: Sequence[int]) -> Instance:
    """A problem in its normal form as an instance of some of its nodes.

    A fixed cost of vehicles is one of leaving the depot.
    """
    cost = arc_cost(problem, nodes)
    xy = _map(problem, nodes, cost)
    cost[0, 1:] += problem.objective.fixed * problem.vehicles[0].fixed_cost
    demand, capacity = whole_units(problem)
    return Instance(
        cost.astype(np.float32), xy, demand[list(nodes)], capacity, len(problem.vehicles)
    )


def policy() -> PlainPolicy | None:
    """The shipped policy for capacitated problems, if it is one that needs no torch."""
    return _policy()


@cache
def _policy() -> PlainPolicy | None:
    fitting: list[tuple[int, str]] = []
    for name in shipped():
        served = served_by(name)
        if "rcvrp" in served:
            fitting.append((len(served), name))
    # One that was trained for less goes first.
    return PlainPolicy.read(WEIGHTS / f"{min(fitting)[1]}.safetensors") if fitting else None


def _rollouts(given: Instance, first: Ints, views: int, expired: Expired) -> list[list[int]]:
    """Greedy rollouts from some stops, in both directions if there are two views."""
    network = policy()
    assert network is not None  # noqa: S101 (else nobody asks)
    found: list[list[int]] = []
    for view, one in enumerate((given, given.backwards())[:views]):
        rollouts = Rollouts(
            network.encoded(*one.observed(), SHOWN), one.demand, one.capacity, one.vehicles
        )
        for begin in first.tolist():
            if expired():
                raise TimeUp
            actions = rollouts.greedy(begin)
            found.append(actions if not view else [*actions[-2::-1], 0])
    return found


def _map(problem: Problem, nodes: Sequence[int], cost: Floats) -> Singles:
    """`[N, 2]` coordinates in the frame; where a problem has none, a map drawn from its costs."""
    chosen = list(nodes)
    if problem.lonlat is not None:
        lonlat = problem.lonlat[chosen]
        middle = (lonlat.min(0) + lonlat.max(0)) / 2
        return framed((lonlat - middle) * [np.cos(np.deg2rad(middle[1])), 1.0])
    return framed(problem.xy[chosen] if problem.xy is not None else plane_of(cost))


def framed(xy: Any) -> Singles:
    """Points `[N, 2]` centred and scaled so that the larger extent is 2."""
    low, high = xy.min(0), xy.max(0)
    extent = max(float((high - low).max()), float(np.finfo(xy.dtype).tiny))
    return np.asarray((2 * xy - low - high) / xy.dtype.type(extent), np.float32)


def _remoteness(cost: Singles, axis: int) -> Singles:
    """`[N]` mean cost from, or to, the nearest other nodes."""
    count = min(NEAREST, len(cost) - 1)
    if not count:
        return np.zeros(1, np.float32)
    apart = cost.copy()
    np.fill_diagonal(apart, np.inf)
    near: Singles = np.partition(apart, count - 1, axis).take(range(count), axis).mean(axis)
    return near


def permutation(count: int, seed: int) -> Ints:
    """A random order of numbers: that of `torch.randperm` from the same seed."""
    return np.fromiter(_shuffled(count, seed), np.int64, count)


def _shuffled(count: int, seed: int) -> Iterator[int]:
    bits = np.random.MT19937()
    bits._legacy_seeding(seed)  # noqa: SLF001 (Matsumoto's own, as torch seeds it)
    numbers = list(range(count))
    for k in range(count - 1):
        other = k + int(bits.random_raw()) % (count - k)
        numbers[k], numbers[other] = numbers[other], numbers[k]
    return iter(numbers)
