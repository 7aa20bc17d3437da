"""Clarke and Wright's savings on directed matrices.

G. Clarke and J. W. Wright, "Scheduling of vehicles from a central depot to a number of
delivery points", Operations Research 12 (1964). Routes keep their direction: the end of one
is joined to the beginning of another, and `s[i, j] = c[i, end] + c[start, j] - c[i, j]`.
"""

from __future__ import annotations

import numpy as np

from nco.arrays import Floats
from nco.fleet.kinds import Kind, kinds_of, unserved_cost
from nco.fleet.mending import completed, finished
from nco.problem import Feature, Problem
from nco.problem.route import Route
from nco.problem.solution import Solution
from nco.problem.tolerance import slack
from nco.solver import Clock

# Weights of c[i, j] that are tried in turn while a required stop finds no vehicle.
SHAPES = (1.0, 1.2, 0.8, 1.5, 0.5)
CHUNK = 8192


class Savings:
    """The parallel savings heuristic for identical vehicles.

    Optional stops that cost more than their prize are dropped from the finished routes. If
    there are more routes than vehicles, the smallest are dissolved and their stops inserted
    elsewhere. Deterministic: the seed changes nothing, and neither does an initial solution.
    """

    name = "savings"
    supports = frozenset(
        {
            Feature.CAPACITY,
            Feature.DIMENSIONS,
            Feature.TIME_WINDOWS,
            Feature.SHIFTS,
            Feature.DEPOTS,
            Feature.ALLOWED_STOPS,
            Feature.PREFERENCES,
            Feature.OPTIONAL_STOPS,
            Feature.DURATION_COST,
            Feature.FIXED_COST,
            Feature.UNREACHABLE,
        }
    )

    def solve(
        self,
        problem: Problem,
        time_limit_s: float,
        seed: int,
        initial: Solution | None = None,
    ) -> Solution:
        """See `nco.solver.Solver`."""
        clock = Clock(time_limit_s)
        kinds = kinds_of(problem)
        best: list[Route] = []
        fewest = len(problem.stops) + 1
        for shape in SHAPES:
            merged = savings_routes(problem, kinds[0], clock, shape)
            routes = completed(problem, merged, clock, kinds, thorough=True)
            missing = int(problem.required.sum()) - sum(
                bool(problem.required[j]) for route in routes for j in route.stops
            )
            if missing < fewest:
                best, fewest = routes, missing
            if not missing or clock.over:
                break
        return finished(problem, best, initial, clock, method=self.name, seed=seed)


def savings_routes(problem: Problem, kind: Kind, clock: Clock, shape: float = 1.0) -> list[Route]:
    """Routes by the savings rule, one a vehicle at most; stops that do not fit are missing.

    Args:
        problem: what the routes are for, with vehicles of one kind.
        kind: the vehicles.
        clock: no routes are merged when it is over.
        shape: weight of the arc between two routes; 1 in the original heuristic.
    """
    return _Merging(problem, kind, shape).run(clock)


class _Merging:
    """Routes that grow by merging; each stop knows its route, each route its load and times."""

    def __init__(self, problem: Problem, kind: Kind, shape: float) -> None:
        self._problem, self._kind = problem, kind
        self._cost = kind.driving_cost
        self._shape = shape
        self._stops = np.flatnonzero(kind.stops)
        n = problem.size
        self._routes: dict[int, list[int]] = {int(j): [int(j)] for j in self._stops}
        self._route_of = np.full(n, -1)
        self._route_of[self._stops] = self._stops
        self._begins = np.zeros(n, bool)
        self._begins[self._stops] = True
        self._ends = self._begins.copy()
        self._load = problem.demand.copy()
        capacity = np.array(kind.vehicle.capacity)
        self._most = capacity + np.where(np.isinf(capacity), 0.0, slack(capacity))
        window = problem.window_s
        self._timed = bool(np.isfinite(window[:, 1]).any() or np.isfinite(kind.closes_s))
        # Of each route: least seconds it takes, and between which times it then begins.
        self._span = {
            int(j): (float(problem.service_s[j]), float(window[j, 0]), float(window[j, 1]))
            for j in self._stops
        }

    def run(self, clock: Clock) -> list[Route]:
        """Merge by falling savings; beyond zero only while there are too few vehicles."""
        stops, vehicles = self._stops, self._kind.numbers
        if not len(stops):
            return []
        saving = self._savings()
        order = np.argsort(-saving, axis=None)
        flat = saving.ravel()
        order = order[: int(np.isfinite(flat).sum())]
        for chunk in np.split(order, range(CHUNK, len(order), CHUNK)):
            i, j = stops[chunk // len(stops)], stops[chunk % len(stops)]
            alive = self._ends[i] & self._begins[j]
            for a, b, s in zip(
                i[alive].tolist(), j[alive].tolist(), flat[chunk[alive]].tolist(), strict=True
            ):
                if s <= 0 and len(self._routes) <= len(vehicles):
                    return self._finished()
                if self._ends[a] and self._begins[b]:
                    self._merge(a, b)
            if clock.over:
                break
        return self._finished()

    def _savings(self) -> Floats:
        """`[S, S]` savings between stops; `-inf` where there is no way."""
        stops, start, end = self._stops, self._kind.vehicle.start, self._kind.vehicle.end
        # A stop without a way from or to the depot must be merged: nothing is dearer.
        out = np.where(np.isinf(self._cost[start, stops]), 1e30, self._cost[start, stops])
        back = np.where(np.isinf(self._cost[stops, end]), 1e30, self._cost[stops, end])
        between = self._cost[np.ix_(stops, stops)]
        saving = back[:, None] + out[None, :] - self._shape * between + self._kind.fixed
        np.fill_diagonal(saving, -np.inf)
        return saving

    def _merge(self, a: int, b: int) -> None:
        first, second = int(self._route_of[a]), int(self._route_of[b])
        if first == second:
            return
        load = self._load[first] + self._load[second]
        if not (load <= self._most).all():
            return
        if self._timed:
            drive = float(self._kind.duration_s[a, b])
            span = _join(self._span[first], drive, self._span[second])
            if span is None or not self._on_duty(self._routes[first][0], span, second):
                return
            self._span[first] = span
        self._ends[a] = self._begins[b] = False
        tail = self._routes.pop(second)
        self._routes[first] += tail
        self._route_of[tail] = first
        self._load[first] = load

    def _on_duty(self, begin: int, span: tuple[float, float, float], second: int) -> bool:
        """Whether a vehicle can leave the depot, drive the route and be back in time."""
        kind, window = self._kind, self._problem.window_s
        start, end = kind.vehicle.start, kind.vehicle.end
        out = float(kind.duration_s[start, begin])
        back = float(kind.duration_s[self._routes[second][-1], end])
        leave = (0.0, kind.opens_s, np.inf)
        home = (0.0, float(window[end, 0]), kind.closes_s)
        begun = _join(leave, out, span)
        return begun is not None and _join(begun, back, home) is not None

    def _finished(self) -> list[Route]:
        """The largest routes, one a vehicle, without the optional stops that do not pay."""
        worth = unserved_cost(self._problem)
        routes = [self._worthwhile(route, worth) for route in self._routes.values()]
        routes = sorted((route for route in routes if route), key=len, reverse=True)
        return [
            Route(v, tuple(route)) for v, route in zip(self._kind.numbers, routes, strict=False)
        ]

    def _worthwhile(self, route: list[int], worth: Floats) -> list[int]:
        if np.isinf(worth[route]).all():
            return route
        start, end, cost = self._kind.vehicle.start, self._kind.vehicle.end, self._cost
        route = list(route)
        while route:
            path = np.array([start, *route, end])
            through = cost[path[:-2], path[1:-1]] + cost[path[1:-1], path[2:]]
            straight = cost[path[:-2], path[2:]] if len(route) > 1 else -self._kind.fixed
            with np.errstate(invalid="ignore"):  # required stops, and ways that do not exist
                gain = np.where(np.isinf(through), np.inf, through - straight) - worth[route]
            gain[np.isinf(worth[route])] = -np.inf
            least = int(np.argmax(gain))
            if not gain[least] > 0:
                break
            del route[least]
        if route and np.isfinite(worth[route]).all():
            path = np.array([start, *route, end])
            if cost[path[:-1], path[1:]].sum() + self._kind.fixed > worth[route].sum():
                return []
        return route


def _join(
    first: tuple[float, float, float], drive: float, second: tuple[float, float, float]
) -> tuple[float, float, float] | None:
    """Drive one stretch after another (T. Vidal et al., 2013, without time warp).

    Args:
        first: least seconds it takes, earliest and latest begin at which it takes no more.
        drive: seconds between the two.
        second: as `first`.

    Returns:
        The same of both, or None if the second begins too late.
    """
    takes, earliest, latest = first
    after = takes + drive
    if earliest + after > second[2] + slack(second[2]):
        return None
    wait = max(second[1] - after - latest, 0.0)
    return (
        after + wait + second[0],
        max(second[1] - after, earliest) - wait,
        min(second[2] - after, latest),
    )


SOLVER = Savings()
