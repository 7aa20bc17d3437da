"""Warnings about problems that can be solved, but surely not as they were meant."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import numpy as np

from nco.arrays import Floats
from nco.errors import listed
from nco.problem import Problem
from nco.problem.objective import Objective

logger = logging.getLogger("nco")
_DAY_S = 86_400.0


def warn(problem: Problem, labels: Sequence[str]) -> None:
    """Log what looks like a mistake.

    Args:
        problem: of stops and a depot.
        labels: what to call its nodes.
    """
    _warn_of_midnight(problem, labels)
    _warn_of_prizes(problem, labels)


def _warn_of_midnight(problem: Problem, labels: Sequence[str]) -> None:
    """Windows that are over before any vehicle may leave."""
    leaves_s = min(
        max(vehicle.shift_s[0], float(problem.window_s[vehicle.start, 0]))
        for vehicle, _ in problem.fleet
    )
    over = [j for j in problem.stops if problem.window_s[j, 1] < leaves_s]
    if not over:
        return
    begin, end = problem.window_s[over[0]].tolist()
    hint = ""
    if end <= _DAY_S:
        later = f"{clock(begin + _DAY_S)} to {clock(end + _DAY_S)}"
        hint = f"; times after midnight count on, as {later}, and so must the depot's"
    logger.warning(
        "the window of %s, %s to %s, is over before any vehicle leaves (%s)%s",
        listed(labels[j] for j in over),
        clock(begin),
        clock(end),
        clock(leaves_s),
        hint,
    )


def _warn_of_prizes(problem: Problem, labels: Sequence[str]) -> None:
    """Prizes that are all too small for their way: most often they are in another unit."""
    optional = np.flatnonzero(np.isfinite(problem.prize[problem.depots :])) + problem.depots
    gains = problem.objective.unserved * problem.prize[optional]
    if not len(optional) or not gains.any():
        return
    there_and_back = np.min(
        [_there_and_back(problem, p)[:, optional] for p in range(len(problem.profiles))], axis=0
    )
    nearest = there_and_back.argmin(axis=0)
    costs = there_and_back.min(axis=0)
    if (gains >= costs).any():
        return
    best = int(np.argmax(gains / costs))
    logger.warning(
        "no prize is worth its way: %s brings %g, and to go there from %s and back costs %g; "
        "prizes are in the unit of the cost (%s)",
        labels[optional[best]],
        gains[best],
        labels[nearest[best]],
        costs[best],
        _unit(problem.objective),
    )


def _there_and_back(problem: Problem, p: int) -> Floats:
    """`[N, N]` cost of the way from each node to each other one and back, `inf` to itself."""
    profile, weights = problem.profiles[p], problem.objective
    kinds = [vehicle for vehicle, _ in problem.fleet if vehicle.profile == p]
    cost = np.full(profile.distance_m.shape, np.inf)
    for per_m, per_s in {(v.cost_per_m, v.cost_per_s) for v in kinds}:
        way = np.zeros_like(cost)
        for weight, matrix in (
            (weights.distance * per_m, profile.distance_m),
            (weights.duration * per_s, profile.duration_s),
        ):
            way += weight * matrix if weight else 0.0
        np.minimum(cost, way + way.T, out=cost)
    np.fill_diagonal(cost, np.inf)
    return cost


def _unit(objective: Objective) -> str:
    if objective.duration and not objective.distance:
        return "seconds"
    return "metres" if not objective.duration else "metres and seconds as weighed"


def clock(seconds: float) -> str:
    """`HH:MM`, counted on after midnight."""
    if np.isinf(seconds):
        return "any time"
    minutes = int(seconds // 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}"
