"""What conversions share: costs of arcs, whole units of load, and a map where there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from nco.envs.observe import fill_frame, map_frame
from nco.fleet.scaling import common_unit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

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


def arc_cost(problem: Problem, nodes: Sequence[int]) -> NDArray[np.float64]:
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


def coordinates(problem: Problem, nodes: Sequence[int], cost: NDArray[np.float64]) -> torch.Tensor:
    """`[1, N, 2]` map frame; where a problem has no coordinates, a map drawn from its costs."""
    chosen = list(nodes)
    if problem.lonlat is not None:
        return map_frame(torch.as_tensor(problem.lonlat[chosen])[None])
    if problem.xy is not None:
        return fill_frame(torch.as_tensor(problem.xy[chosen])[None])
    # Classical scaling: the plane in which squared distances are reproduced best.
    squared = ((cost + cost.T) / 2) ** 2
    centred = squared - squared.mean(0) - squared.mean(1)[:, None] + squared.mean()
    values, vectors = np.linalg.eigh(-centred / 2)
    plane = vectors[:, -2:] * np.sqrt(np.maximum(values[-2:], 0.0))
    padded = np.pad(plane, ((0, 0), (0, 2 - plane.shape[1])))
    return fill_frame(torch.as_tensor(padded)[None])
