"""Nearest neighbour on directed matrices: the simplest answer that breaks nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nco.arrays import Bools, Floats
from nco.fleet.kinds import Kind, kinds_of, unserved_cost
from nco.fleet.mending import completed, finished
from nco.fleet.scaling import timed
from nco.problem import Feature, Problem
from nco.problem.objective import CLASSICAL
from nco.problem.route import Route
from nco.problem.solution import Solution
from nco.problem.tolerance import slack
from nco.solver import Clock


class Nearest:
    """Each vehicle in turn drives to the nearest stop that it can still serve.

    Nearest is the arc of least cost, waiting included. Optional stops are visited where the
    detour costs less than their prize. Required stops that are left when all vehicles are in
    use are inserted where they are cheapest. Deterministic: the seed changes nothing, and
    neither does an initial solution.
    """

    name = "nearest"
    supports = CLASSICAL - {Feature.LONGEST_ROUTE}

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
        routes = nearest_routes(problem, kinds, clock)
        routes = completed(problem, routes, clock, kinds, thorough=True)
        return finished(problem, routes, initial, clock, method=self.name, seed=seed)


def nearest_routes(
    problem: Problem, kinds: Sequence[Kind], clock: Clock | None = None
) -> list[Route]:
    """Routes by the nearest-neighbour rule; stops that do not fit are missing.

    Args:
        problem: what the routes are for.
        kinds: of its vehicles.
        clock: no stop is added when it is over; without one all are.
    """
    kind_of = {v: k for k, kind in enumerate(kinds) for v in kind.numbers}
    asked = _Asked.of(problem, kinds)
    left = np.arange(problem.size) >= problem.depots
    hopeless: set[int] = set()
    routes = []
    for v in range(len(problem.vehicles)):
        k = kind_of[v]
        if (clock is not None and clock.over) or not left.any():
            break
        if k in hopeless:
            continue
        kind = kinds[k]
        departs, used = kind.opens_s, False
        for _ in range(kind.vehicle.max_trips):
            stops, departs = _trip(problem, kind, asked, left, departs, clock)
            if not stops:
                break
            used = True
            routes.append(Route(v, tuple(stops)))
        if not used:  # nor can any other vehicle of this kind
            hopeless.add(k)
    return routes


@dataclass(frozen=True)
class _Asked:
    """What has to be looked at in every step, since the problem asks for it.

    Attributes:
        times: windows, shifts or the cost of time.
        gaps: ways that do not exist.
        worth: `[N]` cost of leaving a stop out; None where all must be served.
    """

    times: bool
    gaps: bool
    worth: Floats | None

    @classmethod
    def of(cls, problem: Problem, kinds: Sequence[Kind]) -> _Asked:
        worth = unserved_cost(problem)
        return cls(
            times=timed(problem, kinds),
            gaps=not all(kind.table.whole for kind in kinds),
            worth=worth if np.isfinite(worth[problem.depots :]).any() else None,
        )


def _trip(
    problem: Problem,
    kind: Kind,
    asked: _Asked,
    left: Bools,
    departs: float,
    clock: Clock | None,
) -> tuple[list[int], float]:
    """One trip and the time of its return; takes its stops off `left`."""
    end, drive, window = kind.vehicle.end, kind.duration_s, problem.window_s
    room = np.array(kind.vehicle.capacity)
    room = room + np.where(np.isinf(room), 0.0, slack(room))
    here, stops = kind.vehicle.start, list[int]()
    latest = window[:, 1] + slack(window[:, 1])
    closes = kind.closes_s + slack(kind.closes_s)
    home, demand = kind.table.into(end), problem.demand
    while clock is None or not clock.over:
        score = kind.table.leaving(here)
        fits = left & (demand <= room).all(axis=1)
        if asked.gaps:
            fits &= np.isfinite(score + home)
        if asked.worth is not None:
            straight = home[here] if stops and np.isfinite(home[here]) else 0.0
            fits &= score + home - straight < asked.worth
        if asked.times:
            start = np.maximum(departs + drive[here], window[:, 0])
            finish = start + problem.service_s
            fits &= start <= latest
            fits &= np.maximum(finish + drive[:, end], window[end, 0]) <= closes
            if kind.cost_per_s:
                with np.errstate(invalid="ignore"):  # ways that do not exist
                    score = score + kind.cost_per_s * (start - departs - drive[here])
        score = np.where(fits, score, np.inf)
        j = int(np.argmin(score))
        if not fits[j]:
            break
        stops.append(j)
        left[j] = False
        room = room - demand[j]
        here, departs = j, float(finish[j]) if asked.times else departs
    if stops and asked.times:
        departs = max(departs + float(drive[here, end]), float(window[end, 0]))
    return stops, departs


SOLVER = Nearest()
