"""Seeds that are built by rules: savings, nearest neighbour and random routes, with variations."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from nco.baselines.nearest import nearest_routes
from nco.baselines.savings import SHAPES, Savings, savings_routes
from nco.fleet.mending import completed
from nco.fleet.tables import Given

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nco.fleet.kinds import Kind
    from nco.problem import Problem
    from nco.problem.route import Route
    from nco.solver import Clock

_NOISE = 0.25  # of costs, by which the second and later nearest neighbours see them differ


def savings(
    problem: Problem, kinds: Sequence[Kind], count: int, clock: Clock, seed: int
) -> list[list[Route]]:
    """Routes by savings; the second and later ones weigh the arc between routes differently."""
    if not problem.features <= Savings.supports:
        return []
    rng = np.random.default_rng(seed)
    shapes = [*SHAPES, *rng.uniform(min(SHAPES), max(SHAPES), max(0, count - len(SHAPES)))]
    found = []
    for shape in shapes[:count]:
        if clock.over:
            break
        routes = savings_routes(problem, kinds[0], clock, float(shape))
        found.append(completed(problem, routes, clock, kinds))
    return found


def nearest(
    problem: Problem, kinds: Sequence[Kind], count: int, clock: Clock, seed: int
) -> list[list[Route]]:
    """Routes to the nearest stop; the second and later ones see costs with some noise."""
    rng = np.random.default_rng(seed)

    def seen(number: int, kind: Kind) -> Kind:
        if not number:
            return kind
        noise = rng.uniform(1.0, 1.0 + _NOISE, kind.cost.shape)
        return replace(kind, table=Given(kind.cost * noise, kind.driving_cost * noise))

    return [
        _nearest(problem, kinds, [seen(k, kind) for kind in kinds], clock)
        for k in range(count)
        if not clock.over
    ]


def random(
    problem: Problem, kinds: Sequence[Kind], count: int, clock: Clock, seed: int
) -> list[list[Route]]:
    """Routes to random stops among those that a vehicle can still serve."""
    rng = np.random.default_rng(seed)

    def drawn(kind: Kind) -> Kind:
        small = rng.random(kind.cost.shape) * problem.size**-2
        cost = np.where(np.isinf(kind.cost), np.inf, small)
        return replace(kind, table=Given(cost, cost), cost_per_s=0.0)

    return [
        _nearest(
            problem,
            kinds,
            [drawn(kind) for kind in kinds],
            clock,
        )
        for _ in range(count)
        if not clock.over
    ]


def _nearest(
    problem: Problem, kinds: Sequence[Kind], seen: Sequence[Kind], clock: Clock
) -> list[Route]:
    """Nearest neighbours under the costs of `seen`, with the missing stops where they fit."""
    return completed(problem, nearest_routes(problem, seen, clock), clock, kinds)
