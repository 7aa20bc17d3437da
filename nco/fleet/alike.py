"""Problems of alike vehicles from one depot in plain numbers: arcs, loads, a map, and routes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from nco.fleet.scaling import common_unit
from nco.problem.route import Route

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from nco.arrays import Floats
    from nco.problem import Problem

_UNITS = 2**30  # of capacity where demands are no round decimal numbers
_DECIMALS = 6


def linked(problem: Problem) -> tuple[int, ...]:
    """The depot of the first vehicle, then the stops that reach it and one another both ways.

    Where a pair is unreachable, the stop with the most such pairs is left out, again and again.
    """
    nodes = np.array([problem.vehicles[0].start, *problem.stops])
    distance = problem.profile_of(0).distance_m[np.ix_(nodes, nodes)]
    cut = np.isinf(distance) | np.isinf(distance.T)
    kept = ~cut[0]
    cut[~kept] = cut[:, ~kept] = False
    while cut.any():
        worst = int(cut.sum(axis=1).argmax())
        kept[worst] = cut[worst] = cut[:, worst] = False
    return tuple(int(node) for node in nodes[kept])


def arc_cost(problem: Problem, nodes: Sequence[int]) -> Floats:
    """`[N, N]` what the objective charges for driving between nodes that reach one another."""
    vehicle, objective = problem.vehicles[0], problem.objective
    profile, pairs = problem.profile_of(0), np.ix_(nodes, nodes)
    cost = objective.distance * vehicle.cost_per_m * profile.distance_m[pairs]
    if objective.duration:
        cost = cost + objective.duration * vehicle.cost_per_s * profile.duration_s[pairs]
    np.fill_diagonal(cost, 0.0)
    return cost


def whole_units(problem: Problem) -> tuple[NDArray[np.int64], int]:
    """Demands `[N]` and capacity in whole units, such that whatever fits in units really fits.

    Decimal numbers and multiples of one unit become exact; other numbers are rounded against the
    vehicle. Where nothing limits the load, all demands are 0 and the capacity is 1.
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
    unit = common_unit(demand, _UNITS)
    if unit and limit <= _UNITS * unit:
        return np.rint(demand / unit).astype(np.int64), int(np.floor(limit / unit + 1e-9))
    return np.ceil(demand / limit * _UNITS).astype(np.int64), _UNITS


def vehicle_routes(problem: Problem, nodes: Sequence[int], actions: Sequence[int]) -> list[Route]:
    """The routes of a rollout: one vehicle after the other, cut at the depot."""
    found: list[list[int]] = [[]]
    for node in actions:
        if node:
            found[-1].append(nodes[node])
        elif found[-1]:
            found.append([])
    served = sorted((stops for stops in found if stops), key=len, reverse=True)
    kept = served[: len(problem.vehicles)]
    return [Route(vehicle, tuple(stops)) for vehicle, stops in enumerate(kept)]
