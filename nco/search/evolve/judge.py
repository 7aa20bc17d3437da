"""What a pair of operators is worth: the real search with it, on instances that all pairs share.

An episode is one search with one pair, by itself or beside the hand-made operators, of iterations
or of time, from one seed: whoever is compared has the same instance, start and seed (common random
numbers). It is judged against the search with the hand-made operators alone.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from nco.fleet.kinds import kinds_of
from nco.problem.route import Route
from nco.search.evolve.language import Insertion, Removal, program_of
from nco.search.evolve.linking import operator_of
from nco.search.evolve.plain import steps
from nco.search.lns.pace import Pace
from nco.search.lns.search import Search
from nco.search.lns.settings import DEFAULT, Settings
from nco.solver import ThreadClock

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nco.problem import Problem
    from nco.search.evolve.language import Program

QUARTERS = 4  # of a search, after each of which its cost is noted
WEIGHTS = (0.1, 0.15, 0.25, 0.5)  # of these in what a pair is worth
PLATEAU = 0.001  # price of a quarter in the end that found nothing better
STEP = 1e-5  # price of a step of the machine a stop, where time does not tell


@dataclass(frozen=True)
class Trial:
    """How a search is run that judges operators.

    Attributes:
        iterations: how many; 0 leaves it to the time.
        seconds: of the processor's time, which other load on the machine does not shorten, where
            iterations are 0.
        alone: whether a pair is all that the search has; else it joins the hand-made operators.
        scattered: whether it starts from stops in random order, cut where vehicles are full;
            else from what insertion makes.
        share: of all stops, that are removed in one go at most; as many as in `lns` if 0.
        hot: temperature at first, in mean costs of a stop; as in `lns` if 0.
        cold: temperature in the end, likewise.
        weight: of each of the pair's operators beside the hand-made ones.
    """

    iterations: int = 1000
    seconds: float = 0.0
    alone: bool = False
    scattered: bool = False
    share: float = 0.0
    hot: float = 0.0
    cold: float = 0.0
    weight: float = 2.0

    def settings(self, stops: int, pair: tuple[Removal, Insertion] | None) -> Settings:
        """Of a search of so many stops with a pair, or with the hand-made operators alone."""
        known = replace(
            DEFAULT,
            most=max(2, round(self.share * stops)) if self.share else DEFAULT.most,
            hot=self.hot or DEFAULT.hot,
            cold=self.cold or DEFAULT.cold,
        )
        if pair is None:
            return known
        out, back = (operator_of(program, self.weight) for program in pair)
        return replace(known, removals=(out,), insertions=(back,), alone=self.alone)


def curve(
    problem: Problem, seed: int, trial: Trial, pair: tuple[Removal, Insertion] | None
) -> list[float]:
    """The cost of the best routes after each quarter of a search.

    Args:
        problem: in its normal form.
        seed: of all that is random.
        trial: how to search.
        pair: operators; None for the hand-made ones.
    """
    return searched(problem, seed, trial, trial.settings(len(problem.stops), pair))[0]


def searched(
    problem: Problem, seed: int, trial: Trial, settings: Settings
) -> tuple[list[float], list[Route]]:
    """The cost after each quarter of a search by some settings, and its best routes."""
    routes = scattered(problem, seed) if trial.scattered else []
    search = Search(problem, kinds_of(problem), routes, seed, settings=settings)
    found = []
    if trial.iterations:
        bounds = [trial.iterations * k // QUARTERS for k in range(QUARTERS + 1)]
        for begin, end in pairwise(bounds):
            search.run(end - begin, begin / trial.iterations, end / trial.iterations)
            found.append(search.cost)
        return found, search.routes
    pace = Pace(ThreadClock(trial.seconds), None)
    for quarter in range(QUARTERS):
        pace.run(search, (quarter + 1) / QUARTERS)
        found.append(search.cost)
    return found, search.routes


def scattered(problem: Problem, seed: int) -> list[Route]:
    """Stops in random order on one vehicle after the other, each filled up to its capacity.

    For problems without other rules than capacities, such as G-LNS begins with.
    """
    rng = np.random.default_rng(seed)
    routes: list[list[int]] = [[]]
    load = np.zeros_like(problem.demand[0], dtype=float)
    for stop in map(int, rng.permutation(problem.stops)):
        room = np.asarray(problem.vehicles[len(routes) - 1].capacity, float)
        if (load + problem.demand[stop] > room).any() and len(routes) < len(problem.vehicles):
            routes.append([])
            load = np.zeros_like(load)
        routes[-1].append(stop)
        load = load + problem.demand[stop]
    return [Route(v, tuple(stops)) for v, stops in enumerate(routes)]


def loss(costs: Sequence[float], known: Sequence[float]) -> float:
    """How much worse a search went than another one: less is better, 0 is as good.

    The logarithm of the ratio of costs, quarters weighted by `WEIGHTS`, and `PLATEAU` for each
    quarter at the end that found nothing better.

    Args:
        costs: after each quarter.
        known: those of the search that it is compared with.
    """
    ratio = sum(w * _log_ratio(a, b) for w, a, b in zip(WEIGHTS, costs, known, strict=True))
    return ratio + PLATEAU * (_flat(costs) - _flat(known))


def _log_ratio(cost: float, known: float) -> float:
    """Of costs, which preferences can make negative."""
    if cost > 0 and known > 0:
        return math.log(cost / known)
    return (cost - known) / max(abs(known), abs(cost), 1e-9)


def _flat(costs: Sequence[float]) -> int:
    """Quarters at the end without anything better."""
    count = 0
    for before, after in zip(costs[-2::-1], costs[:0:-1], strict=False):
        if after < before:
            break
        count += 1
    return count


def price(pair: Sequence[Program], trial: Trial) -> float:
    """What the steps of a pair cost beside the loss; nothing where time tells."""
    return STEP * sum(map(steps, pair)) if trial.iterations else 0.0


def episode(
    problem: Problem, seed: int, trial: dict[str, Any], pair: Sequence[Any] | None
) -> list[float]:
    """What a worker does, which may be anywhere: `curve`, of plain data."""
    programs = None
    if pair is not None:
        out, back = map(program_of, pair)
        if not (isinstance(out, Removal) and isinstance(back, Insertion)):
            raise TypeError("a pair is a removal and an insertion")
        programs = (out, back)
    return curve(problem, seed, Trial(**trial), programs)


def plain(trial: Trial) -> dict[str, Any]:
    """A trial as plain data."""
    return asdict(trial)
