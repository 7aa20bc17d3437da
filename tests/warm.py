"""What people do first after `nco warm-up`, and which compiled loops it takes that nobody loaded.

Run as a program in a fresh process; prints the loops, one a line. What is loaded by a work here and
was not by warming up would have been compiled, had the cache been empty.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

import nco
from nco import Break, Group, Objective, Problem, Profile, Rest, Shipment, Vehicle
from nco.kernels import compiled
from nco.solve import METHODS
from nco.warm_up import LOOPS

DAY_S = 12 * 3600.0
SHORT_S = 0.05
UNKNOWN = ("ortools", "vroom", "policy-active")  # nothing of ours is compiled there, or it trains


def loads() -> list[str]:
    """A list that takes the name of every loop that is loaded or compiled from now on."""
    from nco.kernels import dispatch

    found: list[str] = []
    entry, overload = compiled.Kernel._entry, dispatch._Caches.load_overload

    def noted(self: Any, kinds: Any, *arguments: Any, **options: Any) -> Any:
        found.append(f"{self.__module__}.{self.__qualname__}")
        return entry(self, kinds, *arguments, **options)

    def noted_by_numba(self: Any, signature: Any, context: Any) -> Any:
        found.append(self._caches[0]._name)
        return overload(self, signature, context)

    compiled.Kernel._entry = noted  # type: ignore[method-assign]
    dispatch._Caches.load_overload = noted_by_numba  # type: ignore[method-assign]
    return found


def problems(stops: int = 8) -> dict[str, Problem]:
    """Problems that ask for one thing each, and some that ask for several."""
    rng = np.random.default_rng(1)
    size = stops + 1
    xy = rng.uniform(0, 10_000, (size, 2))
    metres = np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1)) * rng.uniform(1, 1.5, size)
    np.fill_diagonal(metres, 0.0)
    demand = np.r_[0, rng.integers(1, 5, stops)].astype(float)
    window = np.tile([0.0, DAY_S], (size, 1))

    def made(vehicle: dict[str, Any] | None = None, traffic: Any = (), **fields: Any) -> Problem:
        given = {"demand": demand, **fields}
        if "shipments" in fields:
            given["demand"] = np.zeros(size)
        fleet = [Vehicle(**{"capacity": (12,), **(vehicle or {})})] * 4
        profile = Profile(distance_m=metres, duration_s=metres / 10, traffic=traffic)
        given["demand"] = np.asarray(given["demand"]).reshape(size, -1)
        return Problem(profiles=(profile,), vehicles=tuple(fleet), **given)

    again = {"max_trips": 3, "reload_at": (0,), "shift_s": (0.0, DAY_S)}
    pause = {"breaks": (Break(window_s=(0.0, DAY_S / 2), length_s=600.0),), "shift_s": (0.0, DAY_S)}
    several = {"window_s": window / 3, "more_windows_s": {1: [(DAY_S / 2, DAY_S)]}}
    pairs = [Shipment(pickup=1, delivery=2, amount=(3.0,))]
    return {
        "plain": made(),
        "windows": made(window_s=window),
        "optional": made(prize=np.full(size, 900.0)),
        "trips": made(again),
        "reloads with loading": made(again | {"loading_s": 60.0}),
        "open ends": made({"open_end": True, "max_stops": 5}),
        "shipments": made(shipments=pairs),
        "groups": made(groups=[Group(stops=(1, 2, 3))]),
        "breaks": made(pause),
        "trips and breaks": made(again | pause),
        "rests": made({"rest": Rest(after_driving_s=900.0, length_s=60.0)}),
        "several windows": made(**several),
        "soft windows": made(soft_window_s=window / 2, late_per_s=1.0),
        "traffic": made(traffic=((0.0, 0.5), (3600.0, 1.0))),
        "longest route": made(objective=Objective(longest_route=1.0)),
        "makespan": made(objective=Objective(makespan=1.0)),
        "longest leg": made(objective=Objective(longest_leg=1.0)),
        "makespan and trips": made(again, objective=Objective(makespan=1.0)),
        "pickups": made(pickup=np.where(demand > 2, demand, 0.0)[:, None]),
        "two dimensions": made({"capacity": (12, 9)}, demand=np.c_[demand, demand]),
    }


def solved() -> None:
    """Every problem by `auto`, a plain one by every method, on islands and by operators as well."""
    found = problems()
    for problem in found.values():
        nco.solve(problem, time_limit_s=SHORT_S)
    for problem in (nco.sample.atsp(nco.city("helsinki"), 8, seed=1),
                    nco.sample.rcvrp(nco.city("helsinki"), 8, seed=1),
                    nco.sample.rcvrptw(nco.city("helsinki"), 8, seed=1),
                    nco.sample.pvrp(None, 8, seed=1, vehicles=2)):  # fmt: skip
        for method in METHODS:
            if method not in UNKNOWN and method in nco.methods(problem):
                nco.solve(problem, method, time_limit_s=SHORT_S)
    large = nco.sample.rcvrp(nco.city("helsinki"), 360, seed=1)
    nco.solve(large, time_limit_s=1.0)
    nco.solve(found["plain"], "lns", time_limit_s=SHORT_S, jobs=2)


def lines() -> None:
    """Bus lines of a small city, evaluated, simulated and designed."""
    from nco.transit.design.registry import design
    from nco.transit.instance.transit_instance import TransitInstance

    mandl = TransitInstance.mandl(lines=3)
    for method in ("greedy", "annealing", "hyper", "bees"):
        design(mandl, method, evaluations=20)


def main() -> None:
    """Warm up, work, and print what was loaded by the work."""
    for work in LOOPS.values():
        work()
    found = loads()
    for work in (solved, lines):
        work()
    for name in sorted(set(found)):
        sys.stdout.write(f"{name}\n")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
