"""HGS-CVRP: hybrid genetic search for capacitated routing, on directed matrices."""

from __future__ import annotations

import contextlib
import math
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import hybgensea
import numpy as np

from nco.baselines.apart import Tell, searched
from nco.baselines.quick import quick_routes, vehicles_seen
from nco.fleet.costs import Costs
from nco.fleet.kinds import Kind, kinds_of, numbered
from nco.fleet.mending import finished
from nco.problem import Feature, Problem
from nco.problem.route import Route
from nco.problem.solution import CONSTRUCTION, Solution
from nco.solver import Clock

# HGS starts its penalties at the largest arc over the largest demand, but no higher than 1000.
LARGEST_ARC, LARGEST_DEMAND = 1e4, 20.0
LARGEST = 1e5  # of what HGS takes; arcs that no vehicle may drive are longer than all others
ENDLESS = 2**31 - 1
RESERVE = 0.03  # share of the time kept for what HGS does beyond its limit,
STEP_S = 2.5e-8  # and a pair of nodes: it looks at its clock between two local searches
SET_UP_S = 6e-8  # a pair of nodes: what HGS needs before it first looks at its clock
FIRST_PART = 0.4  # share of the time for the first part of a search on a busy machine
LEAST_S = 0.005  # no search is shorter, nor 0, which HGS takes for no limit
PARENTS = 25  # of the first part, from which the second goes on


@dataclass(frozen=True)
class HGS:
    """Hybrid genetic search (T. Vidal, 2022) for identical vehicles of one depot.

    The search starts from random routes, those of the savings heuristic and the initial ones.
    If the vehicles cannot hold all stops, or half of the time shows no way, it goes on with
    the stops that the heuristic could place. HGS measures its limit in processor time, of
    which a busy machine gives less than a second a second: the rate is measured and heeded. A
    search that is late nevertheless is given up, with what an earlier one found.

    Attributes:
        max_iterations: without improvement, after which the search ends whatever the time
            limit; None leaves it to the time limit.
        settings: of HGS, by its own names, where they are not its defaults.
    """

    name: ClassVar[str] = "hgs"
    supports: ClassVar[frozenset[Feature]] = frozenset(
        {
            Feature.CAPACITY,
            Feature.ALLOWED_STOPS,
            Feature.PREFERENCES,
            Feature.DURATION_COST,
            Feature.FIXED_COST,
            Feature.UNREACHABLE,
        }
    )
    max_iterations: int | None = None
    settings: Mapping[str, int] = field(default_factory=dict, hash=False)

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
        starts = [quick_routes(problem, kinds, clock)]
        if initial is not None and not initial.violations:
            starts.append(list(initial.routes))
        routes, fallback = self.improved(problem, kinds, starts, seed, clock), ""
        if not routes:
            routes, fallback = starts[0], CONSTRUCTION
        return finished(
            problem, routes, initial, clock, method=self.name, seed=seed, fallback=fallback
        )

    def improved(
        self,
        problem: Problem,
        kinds: Sequence[Kind],
        starts: Sequence[list[Route]],
        seed: int,
        clock: Clock,
    ) -> list[Route]:
        """Routes found from a population of some solutions and random ones.

        Args:
            problem: asks for nothing beyond `supports`.
            kinds: of its vehicles.
            starts: at least one, each without violations; if HGS finds nothing feasible, it goes
                on with the stops of the first.
            seed: of the random numbers.
            clock: when to end.

        Returns:
            Nothing where HGS has no time, is interrupted, or finds nothing feasible.
        """
        if not kinds[0].stops.any():
            return []
        routes = starts[0]
        model = _Model(problem, kinds, starts, self.settings)
        placed = sorted(j for route in routes for j in route.stops)
        possible = [int(j) for j in np.flatnonzero(kinds[0].stops)]
        attempts = [possible] if model.fits(possible) else []
        attempts += [placed] if placed != possible else []
        for k, stops in enumerate(attempts):
            limit = clock.left_s / (len(attempts) - k)
            found = model.run(stops, seed, type(clock)(limit), self.max_iterations)
            if found:
                return found
        return []


def _expected_rate() -> float:
    """Seconds of processor time that a second brings, by how busy the machine is and was."""
    if not hasattr(os, "getloadavg"):
        return 1.0
    busy = os.getloadavg()[0] + 1.0  # this process adds to the mean of the last minute
    with contextlib.suppress(OSError, ValueError, IndexError):
        now = Path("/proc/loadavg").read_text(encoding="ascii").split()[3].partition("/")[0]
        busy = max(busy, int(now))  # it is among those that run now
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return min(1.0, (cores or 1) / busy)


@dataclass(frozen=True)
class _Found:
    """What came of a search; stops are numbers in its list of nodes.

    Attributes:
        cost: of the routes.
        routes: the best ones.
        population: feasible solutions to go on from, the best first.
        processor_s: processor time that it took.
    """

    cost: float
    routes: list[list[int]]
    population: list[list[list[int]]]
    processor_s: float


class _Model:
    """A problem in the terms of HGS: floating-point matrices, node 0 is the depot."""

    def __init__(
        self,
        problem: Problem,
        kinds: Sequence[Kind],
        starts: Sequence[Sequence[Route]],
        settings: Mapping[str, int],
    ) -> None:
        self._kinds, self._starts, self._settings = kinds, starts, settings
        costs = Costs.of(problem, kinds)
        self._depot = kinds[0].vehicle.start
        arcs = costs.arcs[0].astype(float)
        arcs[self._depot] += costs.fixed[0]
        arcs[self._depot, self._depot] = 0.0
        largest = max(1.0, float(costs.dearest + costs.fixed[0]))
        arcs = np.minimum(arcs / largest, float(problem.size))
        self._arcs = arcs * min(LARGEST_ARC, LARGEST / max(1.0, float(arcs.max())))
        demand = problem.demand[:, 0] if problem.dimensions else np.zeros(problem.size)
        capacity = kinds[0].vehicle.capacity[0] if problem.dimensions else np.inf
        if np.isinf(capacity) or not demand.any():
            demand, capacity = np.ones(problem.size), float(problem.size)
        scale = LARGEST_DEMAND / float(demand.max())
        self._demand, self._capacity = demand * scale, capacity * scale
        seen = [vehicles_seen(problem, kinds, start) for start in starts]
        self._vehicles = max(len(numbers) for kind in seen for numbers in kind)

    def fits(self, stops: Sequence[int]) -> bool:
        """Whether the vehicles together hold the demand of the stops."""
        return float(self._demand[list(stops)].sum()) <= self._capacity * self._vehicles

    def run(
        self, stops: Sequence[int], seed: int, clock: Clock, max_iterations: int | None
    ) -> list[Route]:
        """Search with the given stops; empty if HGS finds no routes that hold them.

        On a busy machine the search runs in two parts: the first measures how much processor
        time there is, the second goes on with the population of the first.

        Args:
            stops: all of them are served or none.
            seed: of the random numbers.
            clock: wall-clock limit.
            max_iterations: without improvement; if given, there is no time limit.
        """
        if len(stops) < 2 or (clock.over and max_iterations is None):
            return []  # HGS never returns from a problem with a single stop
        nodes = [self._depot, *stops]
        place = {node: k for k, node in enumerate(nodes)}
        population = [
            [[place[j] for j in route.stops] for route in start]
            for start in self._starts
            if sorted(j for route in start for j in route.stops) == list(stops)
        ]
        if max_iterations is not None:
            found = self._search(nodes, population, seed, 0.0, max_iterations)
            return self._routes(nodes, found)
        rate, best = _expected_rate(), None
        least = max(LEAST_S, SET_UP_S * len(nodes) ** 2)
        for share in (1.0,) if rate == 1.0 else (FIRST_PART, 1.0):
            begun, left = clock.elapsed_s, clock.left_s
            limit = (1 - RESERVE) * share * rate * left - STEP_S * len(nodes) ** 2
            if share == 1.0 and best is None and left > least:
                limit = max(limit, least)  # it is late at worst
            if limit < least:
                continue
            found = self._search(nodes, population, seed, limit, ENDLESS, left)
            if found is not None and (best is None or found.cost < best.cost):
                best = found
                population = found.population
            took = clock.elapsed_s - begun
            rate = min(1.0, found.processor_s / took) if found and took > 0 else rate
        return self._routes(nodes, best)

    def _search(
        self,
        nodes: Sequence[int],
        population: Sequence[Sequence[Sequence[int]]],
        seed: int,
        limit_s: float,
        iterations: int,
        wall_s: float = math.inf,
    ) -> _Found | None:
        """Run HGS for so much processor time (0: unlimited).

        Nothing where it finds nothing feasible, or takes clearly more than `wall_s` seconds.
        """
        demand = self._demand[list(nodes)]
        demand[0] = 0.0

        def search(_tell: Tell[_Found | None]) -> _Found | None:
            begin_s = time.process_time()
            try:
                found = hybgensea.solve_cvrp_dist_mtx(
                    self._arcs[np.ix_(nodes, nodes)],  # a copy: HGS refuses read-only arrays
                    demand,
                    self._capacity,
                    num_vehicles=self._vehicles,
                    initial_solutions=population,
                    initial_solutions_allow_infeasible=True,
                    verbose=False,
                    seed=seed % ENDLESS,
                    nbIter=iterations,
                    timeLimit=limit_s,
                    useSwapStar=False,  # it needs coordinates
                    **self._settings,
                )
            except (RuntimeError, ValueError):  # it refuses distances that are all 0, for one
                return None
            parents = [member.routes for member in found.feasible_population[:PARENTS]]
            return _Found(found.cost, found.routes, parents, time.process_time() - begin_s)

        return searched(search, wall_s)

    def _routes(self, nodes: Sequence[int], found: _Found | None) -> list[Route]:
        if found is None:
            return []
        trips = ([[nodes[k] for k in route]] for route in found.routes)
        return numbered(self._kinds, ((0, trip) for trip in trips))


SOLVER = HGS()
