"""Between problems on numpy and instances on tensors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from nco.envs.observe import fill_frame, map_frame
from nco.envs.rcvrp import UNLIMITED, RCVRPInstance
from nco.problem import Feature
from nco.route import Route

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from nco.problem import Problem

RCVRP_FEATURES = frozenset({Feature.CAPACITY, Feature.DURATION_COST, Feature.FIXED_COST})
"""What a problem may ask of an `RCVRPInstance`."""

_UNITS = 2**30  # of capacity where demands are no round decimal numbers
_DECIMALS = 6


def rcvrp_instance(problem: Problem, dtype: torch.dtype = torch.float32) -> RCVRPInstance:
    """One problem as a batch of one instance: node 0 is the depot, then the stops in order.

    The cost of an arc is what the objective charges for it. A fixed cost of vehicles is charged
    on the arcs that leave the depot.

    Args:
        problem: asks for nothing beyond `RCVRP_FEATURES`.
        dtype: of costs and coordinates.
    """
    vehicle, objective = problem.vehicles[0], problem.objective
    nodes = np.array([vehicle.start, *problem.stops])
    profile = problem.profile_of(0)
    cost = objective.distance * vehicle.cost_per_m * profile.distance_m
    if objective.duration:
        cost = cost + objective.duration * vehicle.cost_per_s * profile.duration_s
    cost = cost[np.ix_(nodes, nodes)]
    cost[0, 1:] += objective.fixed * vehicle.fixed_cost
    np.fill_diagonal(cost, 0.0)
    demand, capacity = whole_units(problem)
    return RCVRPInstance(
        cost=torch.as_tensor(cost, dtype=dtype)[None],
        xy=_coordinates(problem, nodes, cost).to(dtype),
        demand=torch.as_tensor(demand[nodes])[None],
        capacity=torch.tensor([capacity]),
        vehicles=torch.tensor([min(len(problem.vehicles), UNLIMITED)]),
    )


def whole_units(problem: Problem) -> tuple[NDArray[np.int64], int]:
    """Demands `[N]` and capacity in whole units, such that whatever fits in units really fits.

    Decimal numbers become exact; other numbers are rounded against the vehicle. Where nothing
    limits the load, all demands are 0 and the capacity is 1.
    """
    size = problem.size
    limit = problem.vehicles[0].capacity[0] if problem.dimensions else np.inf
    if not np.isfinite(limit) or not problem.demand.any():
        return np.zeros(size, np.int64), 1
    demand = problem.demand[:, 0]
    for decimals in range(_DECIMALS + 1):
        scaled = demand * 10**decimals
        whole = np.rint(scaled)
        if limit * 10**decimals > 2**52:
            break
        if np.allclose(scaled, whole, rtol=1e-12, atol=1e-9):
            return whole.astype(np.int64), int(np.floor(limit * 10**decimals + 1e-9))
    return np.ceil(demand / limit * _UNITS).astype(np.int64), _UNITS


def _coordinates(
    problem: Problem, nodes: NDArray[np.int64], cost: NDArray[np.float64]
) -> torch.Tensor:
    """`[1, N, 2]` map frame; where a problem has no coordinates, a map drawn from its costs."""
    if problem.lonlat is not None:
        return map_frame(torch.as_tensor(problem.lonlat[nodes])[None])
    if problem.xy is not None:
        return fill_frame(torch.as_tensor(problem.xy[nodes])[None])
    # Classical scaling: the plane in which squared distances are reproduced best.
    squared = ((cost + cost.T) / 2) ** 2
    centred = squared - squared.mean(0) - squared.mean(1)[:, None] + squared.mean()
    values, vectors = np.linalg.eigh(-centred / 2)
    plane = vectors[:, -2:] * np.sqrt(np.maximum(values[-2:], 0.0))
    padded = np.pad(plane, ((0, 0), (0, 2 - plane.shape[1])))
    return fill_frame(torch.as_tensor(padded)[None])


def routes(problem: Problem, actions: Sequence[int]) -> list[Route]:
    """The routes in a rollout: one vehicle after the other, cut at the depot.

    Where the rollout uses more vehicles than the problem has, the routes with the fewest stops
    are left out, so that their stops are unassigned.
    """
    stop_of = (0, *problem.stops)
    found: list[list[int]] = [[]]
    for node in actions:
        if node:
            found[-1].append(stop_of[node])
        elif found[-1]:
            found.append([])
    served = sorted((stops for stops in found if stops), key=len, reverse=True)
    kept = served[: len(problem.vehicles)]
    return [Route(vehicle, tuple(stops)) for vehicle, stops in enumerate(kept)]


def rcvrp_problem(instance: RCVRPInstance, index: int) -> Problem:
    """One instance of a batch as a problem whose distances are the instance's costs.

    Args:
        instance: a batch.
        index: which instance.
    """
    from nco.problem import Problem, Vehicle

    stops = instance.demand.shape[1] - 1
    count = min(int(instance.vehicles[index]), stops)
    return Problem.from_matrices(
        instance.cost[index].double().numpy(),
        vehicles=[Vehicle(capacity=(float(instance.capacity[index]),))] * count,
        demand=instance.demand[index].double().numpy(),
        xy=instance.xy[index].double().numpy(),
    )
