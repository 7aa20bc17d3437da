"""Between problems on numpy and instances on tensors, both ways, for every environment.

A new problem is four functions here and one entry in `CONVERSIONS`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from nco.envs.arcs import coordinates
from nco.envs.atsp import ATSPInstance
from nco.envs.convert_pvrp import (
    FEATURES,
    pvrp_actions,
    pvrp_instance,
    pvrp_problem,
    pvrp_routes,
)
from nco.envs.instances import Instances, each
from nco.envs.rcvrp import UNLIMITED, RCVRPInstance
from nco.envs.rcvrptw import (
    FOREVER,
    TICKS_PER_S,
    RCVRPTWInstance,
    servable,
    ticks_down,
    ticks_up,
)
from nco.errors import PolicyError, quoted
from nco.fleet.alike import arc_cost, linked, vehicle_routes, whole_units
from nco.problem import Feature, Problem, Vehicle
from nco.problem.normal import normal
from nco.problem.route import Route

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from nco.envs.pvrp import PVRPInstance


@dataclass(frozen=True)
class Converted[I]:
    """A problem as a batch of one instance.

    Attributes:
        instance: of an environment; numbers are those of the problem's normal form.
        nodes: node number in the problem of every node of the instance; the first is the depot
            that the vehicles use. Stops that no vehicle can serve are missing, and those that
            do not reach all others both ways.
    """

    instance: I
    nodes: tuple[int, ...]


@dataclass(frozen=True)
class Conversion[I: Instances]:
    """How problems become instances of one environment, and back.

    Attributes:
        features: what a problem may ask for.
        instance: gives the instance of such a problem, costs and coordinates in a dtype.
        routes: gives the routes in the actions of a rollout, given the problem and
            `Converted.nodes`. Where a rollout uses more vehicles than the problem has, the routes
            with the fewest stops are left out, so that their stops are unassigned.
        actions: gives the actions of a rollout that drives some routes of such a problem, given
            `Converted.nodes` as well.
        problem: gives one instance of a batch, by its index, as a problem whose distances are
            the instance's costs.
    """

    features: frozenset[Feature]
    instance: Callable[[Problem, torch.dtype], Converted[I]]
    routes: Callable[[Problem, Sequence[int], Sequence[int]], list[Route]]
    actions: Callable[[Problem, Sequence[int], Sequence[Route]], list[int]]
    problem: Callable[[I, int], Problem]

    def problems(self, instances: I) -> list[Problem]:
        """Every instance of a batch as a problem."""
        return [self.problem(instances, b) for b in range(len(instances.cost))]

    def actions_of(
        self, problem: Problem, routes: Sequence[Route], nodes: Sequence[int]
    ) -> list[int] | None:
        """The actions that lead to routes of a problem; None where it has stops that are no nodes.

        Args:
            problem: that the routes are of.
            routes: with the problem's stops.
            nodes: as in `Converted`.
        """
        known = set(nodes)
        if any(stop not in known for route in routes for stop in route.stops):
            return None
        return self.actions(problem, nodes, routes)

    def covers(self, problem: Problem) -> bool:
        """Whether a problem asks for nothing else."""
        return problem.features <= self.features


def atsp_instance(problem: Problem, dtype: torch.dtype = torch.float32) -> Converted[ATSPInstance]:
    """One tour of the first vehicle from its depot through the stops."""
    problem = normal(problem).problem
    nodes = linked(problem)
    cost = arc_cost(problem, nodes)
    instance = ATSPInstance(
        cost=torch.as_tensor(cost, dtype=dtype)[None],
        xy=coordinates(problem, nodes, cost).to(dtype),
    )
    return Converted(instance, nodes)


def atsp_routes(
    problem: Problem,  # noqa: ARG001 (one tour always fits the fleet)
    nodes: Sequence[int],
    actions: Sequence[int],
) -> list[Route]:
    """The tour of a rollout, turned so that it begins at the depot."""
    tour = list(actions[: len(nodes)])
    begin = tour.index(0)
    stops = tuple(nodes[node] for node in tour[begin + 1 :] + tour[:begin])
    return [Route(0, stops)] if stops else []


def tour(
    problem: Problem,  # noqa: ARG001 (one tour is driven by any vehicle)
    nodes: Sequence[int],
    routes: Iterable[Route],
) -> list[int]:
    """All nodes of one closed tour, the depot first."""
    number = {node: k for k, node in enumerate(nodes)}
    return [0, *(number[stop] for route in routes for stop in route.stops)]


def atsp_problem(instance: ATSPInstance, index: int) -> Problem:
    """One instance of a batch; node 0 becomes the depot."""
    return Problem.from_matrices(
        instance.cost[index].double().numpy(), xy=instance.xy[index].double().numpy()
    )


def rcvrp_instance(
    problem: Problem, dtype: torch.dtype = torch.float32
) -> Converted[RCVRPInstance]:
    """Node 0 is the depot, then the stops in order.

    The cost of an arc is what the objective charges for it. A fixed cost of vehicles is charged
    on the arcs that leave the depot.
    """
    problem = normal(problem).problem
    nodes = linked(problem)
    return Converted(RCVRPInstance(**_loads(problem, nodes, dtype)), nodes)


def deliveries(
    problem: Problem,  # noqa: ARG001 (vehicles are alike)
    nodes: Sequence[int],
    routes: Iterable[Route],
) -> list[int]:
    """The stops of every route, each route ended by a return to the depot."""
    number = {node: k for k, node in enumerate(nodes)}
    each_stops = ([number[stop] for stop in route.stops] for route in routes if route.stops)
    return [node for stops in each_stops for node in (*stops, 0)]


def profiled_instance(
    problem: Problem, dtype: torch.dtype = torch.float32
) -> Converted[PVRPInstance]:
    """Every kind of vehicle with its own matrix, see `pvrp_instance`."""
    return Converted(*pvrp_instance(problem, dtype))


def rcvrp_problem(instance: RCVRPInstance, index: int) -> Problem:
    """One instance of a batch."""
    return _problem(instance, index)


def rcvrptw_instance(
    problem: Problem, dtype: torch.dtype = torch.float32
) -> Converted[RCVRPTWInstance]:
    """As `rcvrp_instance`, without the stops that no vehicle can serve.

    Times are ticks since the vehicles may leave. Where the objective charges seconds on duty,
    the instance's cost has those of driving; waiting depends on the route, not on an arc.
    """
    problem = normal(problem).problem
    vehicle = problem.vehicles[0]
    nodes = linked(problem)
    chosen = list(nodes)
    window = problem.window_s[chosen].copy()
    window[0, 0] = max(window[0, 0], vehicle.shift_s[0])
    window[0, 1] = min(window[0, 1], vehicle.shift_s[1])
    window_s = torch.as_tensor(window - window[0, 0])
    duration = problem.profile_of(0).duration_s[np.ix_(chosen, chosen)].copy()
    np.fill_diagonal(duration, 0.0)
    whole = RCVRPTWInstance(
        **_loads(problem, nodes, dtype),
        duration=ticks_up(torch.as_tensor(duration))[None],
        opens=ticks_up(window_s[:, 0])[None],
        closes=ticks_down(window_s[:, 1])[None],
        service=ticks_up(torch.as_tensor(problem.service_s[chosen]))[None],
    )
    possible = servable(whole)[0]
    possible[0] = True
    if possible.all():
        return Converted(whole, nodes)
    kept = possible.nonzero()[:, 0]
    return Converted(_only(whole, kept), tuple(nodes[k] for k in kept.tolist()))


def rcvrptw_problem(instance: RCVRPTWInstance, index: int) -> Problem:
    """One instance of a batch."""
    closes = instance.closes[index].double()
    window = torch.stack([instance.opens[index].double(), closes], -1) / TICKS_PER_S
    window[closes >= FOREVER, 1] = torch.inf
    return _problem(
        instance,
        index,
        duration_s=(instance.duration[index].double() / TICKS_PER_S).numpy(),
        window_s=window.numpy(),
        service_s=(instance.service[index].double() / TICKS_PER_S).numpy(),
    )


def _loads(problem: Problem, nodes: Sequence[int], dtype: torch.dtype) -> dict[str, torch.Tensor]:
    """The fields of an `RCVRPInstance` of some nodes."""
    vehicle = problem.vehicles[0]
    cost = arc_cost(problem, nodes)
    cost[0, 1:] += problem.objective.fixed * vehicle.fixed_cost
    demand, capacity = whole_units(problem)
    return {
        "cost": torch.as_tensor(cost, dtype=dtype)[None],
        "xy": coordinates(problem, nodes, cost).to(dtype),
        "demand": torch.as_tensor(demand[list(nodes)])[None],
        "capacity": torch.tensor([capacity]),
        "vehicles": torch.tensor([min(len(problem.vehicles), UNLIMITED)]),
    }


def _only(instance: RCVRPTWInstance, kept: torch.Tensor) -> RCVRPTWInstance:
    """The instances with some of their nodes."""

    def chosen(name: str, value: torch.Tensor) -> torch.Tensor:
        if value.ndim == 1:
            return value
        return value[:, kept[:, None], kept] if name in instance.per_pair else value[:, kept]

    return each(instance, chosen)


def _problem(instance: RCVRPInstance, index: int, **more: Any) -> Problem:
    stops = instance.demand.shape[1] - 1
    count = min(int(instance.vehicles[index]), stops)
    return Problem.from_matrices(
        instance.cost[index].double().numpy(),
        vehicles=[Vehicle(capacity=(float(instance.capacity[index]),))] * count,
        demand=instance.demand[index].double().numpy(),
        xy=instance.xy[index].double().numpy(),
        **more,
    )


_TOUR = frozenset({Feature.DURATION_COST, Feature.FIXED_COST, Feature.UNREACHABLE})
_LOADS = _TOUR | {Feature.CAPACITY}
_TIMES = _LOADS | {Feature.TIME_WINDOWS, Feature.SHIFTS}

CONVERSIONS: dict[str, Conversion[Any]] = {
    "atsp": Conversion(_TOUR, atsp_instance, atsp_routes, tour, atsp_problem),
    "rcvrp": Conversion(_LOADS, rcvrp_instance, vehicle_routes, deliveries, rcvrp_problem),
    "rcvrptw": Conversion(_TIMES, rcvrptw_instance, vehicle_routes, deliveries, rcvrptw_problem),
    "pvrp": Conversion(FEATURES, profiled_instance, pvrp_routes, pvrp_actions, pvrp_problem),
}
"""By name of the environment, the least general first."""

FAMILIES = (("atsp", "rcvrp", "rcvrptw"), ("pvrp",))
"""Environments of which each one covers what those before it in its family do."""


def conversion(name: str) -> Conversion[Any]:
    """The conversion of an environment.

    Raises:
        PolicyError: there is none of that name.
    """
    if name not in CONVERSIONS:
        known = ", ".join(CONVERSIONS)
        raise PolicyError(f"no problem is converted for {quoted(name)}; use one of {known}")
    return CONVERSIONS[name]
