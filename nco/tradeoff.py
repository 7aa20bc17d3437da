"""What preferences cost: a problem solved where they count less, and where they count more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from nco import _validate as validate
from nco.arguments import several
from nco.arrays import Floats
from nco.errors import InputError, quoted
from nco.problem import Feature, Problem
from nco.problem.given import given_problem
from nco.problem.solution import Solution
from nco.solve import solve
from nco.solver import Solver

FACTORS = (0.0, 0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0)


@dataclass(frozen=True)
class Tradeoff:
    """Solutions of one problem, each for another weight of preferences.

    Attributes:
        problem: as given; its own weight is the factor 1.
        factors: `[k]` by which the weight of preferences was multiplied, ascending.
        solutions: one a factor, evaluated on the problem as given.
    """

    problem: Problem
    factors: tuple[float, ...]
    solutions: tuple[Solution, ...]

    @property
    def seconds(self) -> bool:
        """Whether `effort` is in seconds, as where the cost is on duration; else in metres."""
        return self.problem.objective.duration > 0

    @property
    def effort(self) -> Floats:
        """`[k]` seconds on duty of all vehicles, or metres."""
        costs = [solution.cost for solution in self.solutions]
        return np.array([c.duration_s if self.seconds else c.distance_m for c in costs])

    @property
    def preference(self) -> Floats:
        """`[k]` mean preference of the stops for the vehicles that serve them."""
        return np.array([_mean_preference(self.problem, s) for s in self.solutions])


def tradeoff(
    problem: Problem,
    method: str | Solver = "auto",
    *,
    factors: Sequence[float] = FACTORS,
    time_limit_s: float = 2.0,
    seed: int = 0,
) -> Tradeoff:
    """Solve a problem for several weights of its preferences.

    Of all solutions that were found, each weight gets the one that is best for it, so that a
    preference that counts more is never served less for want of luck.

    Args:
        problem: with preferences.
        method: one of `nco.methods`, or a solver.
        factors: of the weight of preferences, 0 or more.
        time_limit_s: of each.
        seed: of each.

    Raises:
        InputError: the problem has no preferences, or the factors make no sense.
        UnsupportedError: the method cannot do what the problem asks.
    """
    given_problem(problem)
    if Feature.PREFERENCES not in problem.features:
        raise InputError(
            f"problem {quoted(problem.name)} has no preferences, or they weigh nothing; give some "
            "to Vehicle(preference=...), and Objective(preference=...) above 0"
        )
    asked = [validate.number(f, "factors", InputError) for f in several(factors, "factors", _GIVE)]
    wanted = sorted(set(asked))
    if not wanted or not all(0 <= factor < np.inf for factor in wanted):
        raise InputError(f"factors is {quoted(factors)}; {_GIVE}")
    others = [_weighing(problem, factor) for factor in wanted]
    found: list[Solution] = []
    for other in others:
        known = min((s.on(other) for s in found), key=lambda s: s.rank, default=None)
        answer = solve(other, method, time_limit_s=time_limit_s, seed=seed, initial=known)
        found.append(answer.on(problem))
    best = [min((s.on(other) for s in found), key=lambda s: s.rank) for other in others]
    return Tradeoff(problem, tuple(wanted), tuple(s.on(problem) for s in best))


_GIVE = "give numbers of 0 or more, such as (0, 0.5, 1, 2)"


def _weighing(problem: Problem, factor: float) -> Problem:
    weights = problem.objective
    return replace(problem, objective=replace(weights, preference=factor * weights.preference))


def _mean_preference(problem: Problem, solution: Solution) -> float:
    served = [
        0.0 if wishes is None else float(wishes[j])
        for route in solution.routes
        for wishes in [problem.vehicles[route.vehicle].preference]
        for j in route.stops
    ]
    return float(np.mean(served)) if served else 0.0
