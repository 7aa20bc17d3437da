"""Balanced routes: what the longest route counts for, and who gets it down.

    python benchmarks/balance.py --folder EXTRACTS [--sizes 50x5 100x10 200x10] [--limits 1 5]
                                 [--instances 5] [--methods auto ortools]

Capacitated instances on whole cities that no policy was trained on, with a fleet that has a third
more room than is needed. The objective is the longest route in metres, or in seconds, with a
thousandth of the sum of all beside it. Gaps are to the best that any run of the instance found;
"shortest" is what PyVRP drives when it is asked for the shortest routes in all, which is what
is left where a solver cannot balance.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np

import nco
from nco import Objective, Problem
from nco.bench.policies.sets import UNSEEN
from nco.threads import one_thread
from nco.versions import machine, version_of

FIRST_SEED = 7300  # of the instances
MEAN_DEMAND, ROOM = 5.0, 4 / 3
OBJECTIVES = {
    "metres": Objective(distance=1e-3, longest_route=1.0),
    "seconds": Objective(distance=0.0, duration=1e-3, longest_route=1.0, longest_by="duration"),
}


def solved(problem: Problem, method: str, limit_s: float, seed: int) -> float:
    """What a method's checked answer costs, `nan` where it is not feasible."""
    if method == "shortest":
        plain = replace(problem, objective=Objective())
        found = nco.solve(plain, "pyvrp", time_limit_s=limit_s, seed=seed).on(problem)
    else:
        found = nco.solve(problem, method, time_limit_s=limit_s, seed=seed)
    assert nco.check(problem, found).feasible == found.feasible
    return found.cost.total if found.feasible else np.nan


def main() -> None:
    """Draw, solve and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, required=True, help="of the extracts")
    parser.add_argument("--sizes", nargs="+", default=["50x5", "100x10", "200x10"])
    parser.add_argument("--limits", type=float, nargs="+", default=[1.0, 5.0])
    parser.add_argument("--instances", type=int, default=5, help="of each size")
    parser.add_argument("--methods", nargs="+", default=["auto", "ortools", "shortest"])
    given = parser.parse_args()
    one_thread()
    cities = [nco.city(given.folder / f"{name}.osm.pbf") for name in UNSEEN[: given.instances]]
    seeds = f"{FIRST_SEED} to {FIRST_SEED + given.instances - 1}"
    print(f"{machine()}; {version_of('ortools')}; {version_of('pyvrp')}; one thread")
    print(f"{given.instances} instances of each size, seeds {seeds}; gaps at {given.limits} s")
    for size in given.sizes:
        stops, vehicles = map(int, size.split("x"))
        for unit, objective in OBJECTIVES.items():
            cost: dict[tuple[str, float], list[float]] = {}
            for k in range(given.instances):
                drawn = nco.sample.rcvrp(
                    cities[k % len(cities)], stops, seed=FIRST_SEED + k, vehicles=vehicles,
                    capacity=round(ROOM * MEAN_DEMAND * stops / vehicles) + 9,
                )  # fmt: skip
                problem = replace(drawn, objective=objective)
                for method in given.methods:
                    for limit in given.limits:
                        total = solved(problem, method, limit, k)
                        cost.setdefault((method, limit), []).append(total)
            best = np.nanmin(list(cost.values()), axis=0)
            for method in given.methods:
                gaps = [100 * (np.array(cost[method, limit]) / best - 1) for limit in given.limits]
                row = "  ".join(f"{np.nanmean(g):6.2f} ({np.isfinite(g).sum()})" for g in gaps)
                print(f"{stops} stops, {vehicles} vehicles, {unit}: {method:<9} {row}", flush=True)


if __name__ == "__main__":
    main()
