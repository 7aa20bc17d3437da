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
    from nco.problem import Problem, Vehicle

_UNITS = 2**30  # of capacity where demands are no round decimal numbers
_DECIMALS = 6


def linked(
    problem: Problem, vehicle: int = 0, stops: Sequence[int] | None = None
) -> tuple[int, ...]:
    """The depot of a vehicle, then the stops that reach it and one another both ways.

    Where a pair is unreachable, the stop with the most such pairs is left out, again and again.

    Args:
        problem: whose nodes they are.
        vehicle: number of the vehicle that drives.
        stops: to choose from; None for all.
    """
    own = problem.stops if stops is None else stops
    nodes = np.array([problem.vehicles[vehicle].start, *own])
    distance = problem.profile_of(vehicle).distance_m[np.ix_(nodes, nodes)]
    cut = np.isinf(distance) | np.isinf(distance.T)
    kept = ~cut[0]
    cut[~kept] = cut[:, ~kept] = False
    while cut.any():
        worst = int(cut.sum(axis=1).argmax())
        kept[worst] = cut[worst] = cut[:, worst] = False
    return tuple(int(node) for node in nodes[kept])


def arc_cost(problem: Problem, nodes: Sequence[int], number: int = 0) -> Floats:
    """`[N, N]` what the objective charges a vehicle for driving between nodes that it reaches."""
    vehicle, objective = problem.vehicles[number], problem.objective
    profile, pairs = problem.profile_of(number), np.ix_(nodes, nodes)
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
    demand, capacity = whole_loads(problem, problem.vehicles[:1])
    return demand, int(capacity[0])


def whole_loads(
    problem: Problem, vehicles: Sequence[Vehicle]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Demands `[N]` and the capacity of each of some vehicles, see `whole_units`.

    A vehicle without a limit carries all there is.
    """
    size, count = problem.size, len(vehicles)
    given = [v.capacity[0] if problem.dimensions else np.inf for v in vehicles]
    if not np.isfinite(given).any() or not problem.demand.any():
        return np.zeros(size, np.int64), np.ones(count, np.int64)
    demand = problem.demand[:, 0]
    limits = np.minimum(given, max(demand.sum(), *(c for c in given if np.isfinite(c))))
    limit = float(limits.max())
    for decimals in range(_DECIMALS + 1):
        scaled = demand * 10**decimals
        whole = np.rint(scaled)
        if limit * 10**decimals > 2**52:
            break
        if np.allclose(scaled, whole, rtol=1e-12, atol=1e-9):
            return whole.astype(np.int64), _floored(limits * 10**decimals)
    unit = common_unit(demand, _UNITS)
    if unit and limit <= _UNITS * unit:
        return np.rint(demand / unit).astype(np.int64), _floored(limits / unit)
    return np.ceil(demand / limit * _UNITS).astype(np.int64), _floored(limits / limit * _UNITS)


def _floored(limits: Floats) -> NDArray[np.int64]:
    """Whole units, that of a limit which is whole but for rounding among them."""
    return np.floor(limits + 1e-9).astype(np.int64)


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
