"""VROOM: local search from many heuristic starts, on an integer copy of the problem."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, ClassVar

import numpy as np
import vroom

from nco.arrays import Ints
from nco.baselines.apart import Tell, searched
from nco.baselines.quick import better_of, complete, quick_routes, vehicles_seen
from nco.fleet.costs import Costs
from nco.fleet.kinds import Kind, kinds_of
from nco.fleet.mending import finished
from nco.fleet.scaling import Loads, Ticks, timed, within_limits
from nco.problem import Feature, Problem
from nco.problem.objective import CLASSICAL
from nco.problem.route import Route
from nco.problem.solution import CONSTRUCTION, Solution
from nco.problem.work_rules import Break
from nco.solver import Clock

DEEPEST = 5  # VROOM's highest exploration level
# Level x takes about 1.6 (x + 1)^2 times as long as level 0; measured on 100 directed stops.
DEPTH_FACTOR = 1.6
MOST_FIXED = 2**31 - 1  # VROOM counts in 32 bits; far more than arcs come to
HEURISTICS_S = 2e-6  # a pair of stops: VROOM's starts, which heed no time limit


@dataclass(frozen=True)
class Vroom:
    """VROOM, one thread.

    VROOM ends by itself, often long before the limit. It serves as many stops as it can and
    leaves the others out. Its highest exploration level heeds a time limit badly, therefore
    level 0 runs first and, if the time that it took leaves enough, the highest level that will
    end in time. It charges no waiting, which our evaluation does. Under a limit too short for
    level 0, the routes are those of the savings or nearest-neighbour heuristic. VROOM draws
    no random numbers: the seed changes nothing.

    Attributes:
        level: the only exploration level to run, 0 to 5; None chooses by the time limit.
    """

    name: ClassVar[str] = "vroom"
    supports: ClassVar[frozenset[Feature]] = (
        CLASSICAL - {Feature.LONGEST_ROUTE, Feature.OPTIONAL_STOPS, Feature.TRIPS}
    ) | {
        Feature.PICKUPS,
        Feature.SHIPMENTS,
        Feature.MOST_DISTANCE,
        Feature.MOST_DRIVING,
        Feature.MOST_STOPS,
        Feature.SEVERAL_WINDOWS,
        Feature.BREAKS,
        Feature.OWN_SERVICE,
    }
    level: int | None = None

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
        routes, fallback = quick_routes(problem, kinds, clock), CONSTRUCTION
        seen = vehicles_seen(problem, kinds, routes)
        if seen and clock.left_s > HEURISTICS_S * problem.size**2:
            start = initial.routes if initial is not None and not initial.violations else ()
            found = self._search(_Model(problem, kinds, seen, start), routes, clock)
            if found:
                routes, fallback = found, ""
        return finished(
            problem, routes, initial, clock, method=self.name, seed=seed, fallback=fallback
        )

    def _search(self, model: _Model, quick: list[Route], clock: Clock) -> list[Route]:
        """The best of a cheap level and of the deepest that the time allows.

        Empty where quick routes are better.
        """
        begin = clock.elapsed_s
        best = model.run(0 if self.level is None else self.level, clock)
        took = clock.elapsed_s - begin
        level = min(DEEPEST, int((clock.left_s / (DEPTH_FACTOR * took)) ** 0.5) - 1)
        heuristics = HEURISTICS_S * (level + 1) * model.size**2
        if self.level is None and level >= 1 and clock.left_s > 2 * heuristics:
            deeper = model.run(level, clock)
            best = min(best, deeper, key=model.rank)
        best = model.completed(best, clock)
        return best if model.rank(best) <= model.rank(quick) else []


class _Model:
    """A problem in VROOM's terms: jobs are our stops, or ends of shipments, profiles our kinds."""

    def __init__(
        self,
        problem: Problem,
        kinds: Sequence[Kind],
        seen: Sequence[Sequence[int]],
        start: Sequence[Route],
    ) -> None:
        self.size = problem.size
        self._problem, self._kinds, self._seen = problem, kinds, seen
        self._start = {route.vehicle: route.stops for route in start}
        self._pickups = {shipment.pickup for shipment in problem.shipments}
        self._costs = Costs.of(problem, kinds, ceiling=1e6)
        self._loads = Loads.of(problem, kinds)
        driving = any(np.isfinite(kind.vehicle.max_driving_s) for kind in kinds)
        counted = driving or timed(problem, kinds)
        self._ticks = Ticks.of(problem, kinds) if counted else None
        fleet = [kind.vehicle for kind in kinds]
        self._most_metres, self._metres = list[int](), list[Ints]()
        if any(np.isfinite(vehicle.max_distance_m) for vehicle in fleet):
            self._most_metres, self._metres = within_limits(
                [vehicle.max_distance_m for vehicle in fleet],
                [problem.profiles[vehicle.profile].distance_m for vehicle in fleet],
            )
        served = np.array([kind.stops for kind in kinds])
        able = served.any(axis=0)
        able &= [able[problem.mates.get(j, j)] for j in range(problem.size)]
        self._stops = [int(j) for j in np.flatnonzero(able)]
        self._skilled = {j for j in self._stops if not served[:, j].all()}
        self._barred = any(bool((arcs == self._costs.barred).any()) for arcs in self._costs.arcs)

    def rank(self, routes: Sequence[Route]) -> tuple[int, int, int, float]:
        """How good routes are: the smaller, the better."""
        return Solution.from_routes(self._problem, routes, explain=False).rank

    def completed(self, routes: list[Route], clock: Clock) -> list[Route]:
        """Routes with the stops that VROOM left out where they fit, if that is better.

        VROOM gives up stops that quick routes may serve, so that only this can be compared.
        """
        if not routes:
            return routes
        more = complete(self._problem, self._kinds, routes, clock)
        return better_of(self._problem, routes, more)

    def run(self, level: int, clock: Clock) -> list[Route]:
        """Let VROOM search until it ends, or for what is left of the time; empty if interrupted."""
        model = vroom.Input()
        last = self._ticks.horizon if self._ticks else 1
        for k, arcs in enumerate(self._costs.arcs):
            barred = arcs == self._costs.barred
            model.set_costs_matrix(str(k), np.where(barred, 4 * self._costs.dearest, arcs))
            drive = self._drive(k)
            # Too long for any day: the only way to say that there is no way.
            model.set_durations_matrix(str(k), np.where(barred, last + 1, drive))
            if self._metres:
                model.set_distances_matrix(str(k), self._metres[k])
        for k, numbers in enumerate(self._seen):
            for number in numbers:
                model.add_vehicle(self._vehicle(k, number))
        jobs = [self._job(j) for j in self._stops if self._role(j) == "single"]
        ends = [(s, (x.pickup, x.delivery)) for s, x in enumerate(self._problem.shipments)]
        shipments = [(s, pair) for s, pair in ends if all(j in self._stops for j in pair)]
        if not jobs and not shipments:  # of which VROOM would complain
            return []
        model.add_job(jobs)
        for s, pair in shipments:
            model.add_shipment(
                *(vroom.ShipmentStep(j, j, **self._times(j)) for j in pair),
                amount=vroom.Amount(self._loads.shipped[s].tolist()),
                skills=self._skilled.intersection(pair),
            )
        beyond = HEURISTICS_S / 4 * self.size**2
        limit = max(0.001, 0.95 * clock.left_s - 0.01 - beyond)
        timeout = timedelta(seconds=limit)

        def search(_tell: Tell[list[Route]]) -> list[Route]:
            return self._routes(model.solve(level, nb_threads=1, timeout=timeout))

        return searched(search, clock.left_s) or []

    def _drive(self, k: int) -> Ints:
        if self._ticks is None:
            return np.zeros((self.size, self.size), np.int64)
        return self._ticks.up(self._kinds[k].duration_s)

    def _vehicle(self, k: int, number: int) -> vroom.Vehicle:
        kind, day, steps, breaks = self._kinds[k], None, [], []
        if self._ticks is not None:
            opens_s, closes_s, taken = _on_duty(kind)
            breaks = [_break(self._ticks, number, one) for number, one in enumerate(taken)]
            opens = int(self._ticks.up(opens_s))
            day = (opens, max(opens, int(self._ticks.down(closes_s))))
        elif self._barred:
            day = (0, 1)
        given = [j for j in self._start.get(number, ()) if j in self._stops]
        if given:
            jobs = [vroom.VehicleStep(self._role(j), j) for j in given]
            steps = [vroom.VehicleStep("start"), *jobs, vroom.VehicleStep("end")]
        return vroom.Vehicle(
            number,
            start=kind.vehicle.start,
            end=kind.vehicle.end,
            profile=str(k),
            type=str(k),
            capacity=self._loads.capacity[k].tolist(),
            skills={j for j in self._skilled if kind.stops[j]},
            time_window=day,
            costs=vroom.VehicleCosts(fixed=min(self._costs.fixed[k], MOST_FIXED)),
            steps=steps,
            breaks=breaks,
            **self._limits(k),
        )

    def _limits(self, k: int) -> dict[str, int]:
        """What a vehicle may drive and serve at most, where it has such a limit."""
        vehicle, limits = self._kinds[k].vehicle, dict[str, int]()
        if vehicle.max_stops is not None:
            limits["max_tasks"] = vehicle.max_stops
        if self._metres:
            limits["max_distance"] = self._most_metres[k]
        if self._ticks is not None and np.isfinite(vehicle.max_driving_s):
            limits["max_travel_time"] = int(self._ticks.down(vehicle.max_driving_s))
        return limits

    def _role(self, j: int) -> str:
        """What VROOM calls a visit of a stop."""
        if j not in self._problem.mates:
            return "single"
        return "pickup" if j in self._pickups else "delivery"

    def _times(self, j: int) -> dict[str, Any]:
        """Service and window of a stop."""
        if self._ticks is None:
            return {}
        own = {str(k): kind.vehicle.service_s for k, kind in enumerate(self._kinds)}
        return {
            "default_service": int(self._ticks.up(self._problem.service_s[j])),
            "service_per_type": {
                k: int(self._ticks.up(service[j]))
                for k, service in own.items()
                if service is not None
            },
            "time_windows": _windows(self._ticks, self._problem.windows[j]),
        }

    def _job(self, j: int) -> vroom.Job:
        return vroom.Job(
            j,
            j,
            delivery=self._loads.demand[j].tolist(),
            pickup=self._loads.pickup[j].tolist(),
            skills={j} if j in self._skilled else set(),
            **self._times(j),
        )

    def _routes(self, found: vroom.Solution) -> list[Route]:
        table = found.routes
        if "id" not in table:  # nothing is served
            return []
        stops: dict[int, list[int]] = {}
        jobs = table[table["type"].isin(("job", "pickup", "delivery"))]
        for number, stop in zip(jobs["vehicle_id"], jobs["id"], strict=True):
            stops.setdefault(int(number), []).append(int(stop))
        return [Route(number, tuple(its_stops)) for number, its_stops in stops.items()]


def _on_duty(kind: Kind) -> tuple[float, float, list[Break]]:
    """When a vehicle is on duty, and the breaks that it then takes.

    Whoever is off duty needs no break. One that the shift has no room for is before the duty or
    after it: VROOM finds no vehicle with such a break, so that the duty is made shorter.
    """
    opens_s, closes_s, taken = kind.opens_s, kind.closes_s, list[Break]()
    for one in kind.vehicle.breaks:
        begins_s, latest_s = one.window_s
        if latest_s >= kind.closes_s or begins_s + one.length_s <= kind.opens_s:
            continue
        if latest_s < kind.opens_s:
            opens_s = max(opens_s, begins_s + one.length_s)
        elif max(begins_s, kind.opens_s) + one.length_s > kind.closes_s:
            closes_s = min(closes_s, latest_s)
        else:
            taken.append(one)
    return opens_s, closes_s, taken


def _break(ticks: Ticks, number: int, one: Break) -> vroom.Break:
    windows = [vroom.TimeWindow(*pair) for pair in _windows(ticks, [one.window_s])]
    return vroom.Break(number, time_windows=windows, service=int(ticks.up(one.length_s)))


def _windows(ticks: Ticks, windows: Sequence[tuple[float, float]]) -> list[tuple[int, int]]:
    """Windows in ticks; one that is shorter than a tick counts if there is no other.

    Windows that meet are one: those beyond the horizon all end there, which VROOM calls unsorted.
    """
    whole = [(int(ticks.up(begin)), int(ticks.down(end))) for begin, end in windows]
    apart: list[tuple[int, int]] = []
    for begin, end in (pair for pair in whole if pair[0] <= pair[1]):
        if apart and begin <= apart[-1][1]:
            apart[-1] = (apart[-1][0], max(end, apart[-1][1]))
        else:
            apart.append((begin, end))
    return apart or [(whole[0][0], whole[0][0])]


SOLVER = Vroom()
