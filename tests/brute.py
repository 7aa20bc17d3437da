"""The optimum of a tiny problem by trying everything."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations, combinations_with_replacement, pairwise, permutations, product

import numpy as np

from nco import Problem, Route, Solution
from nco.problem.objective import PEAKED


def optimum(problem: Problem) -> float:
    """Least total cost of routes that serve every required stop and break nothing.

    Tries every set of stops for every vehicle, in every order and cut into every possible
    number of trips; `inf` if no answer is feasible. What rules there are for the trips of one
    vehicle is left to the evaluation; only groups are served by several.
    """
    if problem.ties or problem.objective.fewest_vehicles or problem.features & PEAKED:
        return _together(problem)
    stops = list(problem.stops)
    weight = problem.objective.longest_route
    options = {
        v: {
            subset: _options(problem, v, subset)
            for size in range(len(stops) + 1)
            for subset in combinations(stops, size)
        }
        for v in range(len(problem.vehicles))
    }

    def best(v: int, left: tuple[int, ...], longest: float) -> float:
        if v == len(problem.vehicles):
            return _missing(problem, left) + weight * longest
        return min(
            cost + best(v + 1, tuple(j for j in left if j not in subset), max(longest, length))
            for subset, ways in options[v].items()
            if set(subset) <= set(left)
            for cost, length in ways
        )

    return best(0, tuple(stops), 0.0)


def _missing(problem: Problem, left: tuple[int, ...]) -> float:
    """What stops on no route cost; `inf` if one is required, or several of a group are served."""
    alone = set(left)
    prizes = []
    for group in problem.groups:
        alone -= set(group.stops)
        served = set(group.stops) - set(left)
        if len(served) > 1:
            return np.inf
        if not served:
            prizes.append(group.prize)
    prizes += [float(problem.prize[j]) for j in alone]
    if np.inf in prizes:
        return np.inf
    return problem.objective.unserved * sum(prizes)


def _options(problem: Problem, v: int, subset: tuple[int, ...]) -> list[tuple[float, float]]:
    """Cost and length of the feasible ways to serve a set with one vehicle, the best of them."""
    if not subset:
        return [(0.0, 0.0)]
    alone = replace(problem, objective=replace(problem.objective, longest_route=0.0, unserved=0.0))
    found = []
    for order in permutations(subset):
        for routes in _routes(problem, v, order):
            solution = Solution.from_routes(alone, routes, explain=False)
            if not solution.violations:
                cost = solution.cost
                by_distance = problem.objective.longest_by == "distance"
                found.append((cost.total, cost.distance_m if by_distance else cost.duration_s))
    if problem.objective.longest_route == 0:
        return [(min(found)[0], 0.0)] if found else []
    return sorted(set(found))


def _routes(problem: Problem, v: int, order: tuple[int, ...]) -> Iterator[list[Route]]:
    """All ways of a vehicle to serve stops in an order: trips, and depots between them."""
    vehicle = problem.vehicles[v]
    for trips in _cut(order, vehicle.max_trips):
        for depots in product(vehicle.reloads, repeat=len(trips) - 1):
            yield [Route(v, trip, d) for trip, d in zip(trips, (*depots, None), strict=True)]


def _cut(order: tuple[int, ...], most: int) -> Iterator[list[tuple[int, ...]]]:
    """All ways to cut a sequence into 1 to `most` pieces."""
    for pieces in range(1, min(most, len(order)) + 1):
        for cuts in combinations(range(1, len(order)), pieces - 1):
            ends = (0, *cuts, len(order))
            yield [order[a:b] for a, b in pairwise(ends)]


def _together(problem: Problem) -> float:
    """The same by all lists of stops for each vehicle, evaluated as a whole."""
    found = []
    count = len(problem.vehicles)
    for size in range(len(problem.stops) + 1):
        for order in permutations(problem.stops, size):
            for cuts in combinations_with_replacement(range(size + 1), count - 1):
                ends = (0, *cuts, size)
                own = [
                    list(_routes(problem, v, order[a:b])) if a < b else [[]]
                    for v, (a, b) in enumerate(pairwise(ends))
                ]
                for duties in product(*own):
                    routes = [route for own in duties for route in own]
                    found.append(Solution.from_routes(problem, routes, explain=False))
    return _best(found)


def _behind(problem: Problem, v: int) -> tuple[int | None, ...]:
    vehicle = problem.vehicles[v]
    return vehicle.reloads if vehicle.max_trips > 1 else (None,)


def _best(found: list[Solution]) -> float:
    """The cost of the first of the feasible ones, in order of their rank."""
    best = min((one for one in found if one.feasible), key=lambda one: one.rank, default=None)
    return np.inf if best is None else best.cost.total


def plainest(problem: Problem) -> float:
    """The same by all lists of routes for any vehicles, each of them evaluated as a whole."""
    found = [Solution.from_routes(problem, [], explain=False)]
    for size in range(1, len(problem.stops) + 1):
        for order in permutations(problem.stops, size):
            for trips in _cut(order, size):
                for chosen in product(range(len(problem.vehicles)), repeat=len(trips)):
                    for depots in product(*(_behind(problem, v) for v in chosen)):
                        routes = [Route(*r) for r in zip(chosen, trips, depots, strict=True)]
                        found.append(Solution.from_routes(problem, routes, explain=False))
    return _best(found)
