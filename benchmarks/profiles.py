"""Methods on profiled vehicles: gaps over kinds of preferences and zones, sizes and seeds.

    python benchmarks/profiles.py                                  # all kinds, 1 s
    python benchmarks/profiles.py --kind sector --size 80,5 --seconds 1 2 10 --seeds 50
    python benchmarks/profiles.py --cpu                            # under other load

The gap is on the positive quantity: cost plus the weight of preferences times the number of stops
times the largest preference. Of each instance it is to the best of the run. Instances are in the
unit square (`nco.sample.pvrp`), or with `--city` on its streets with a mixed fleet. `--cpu` counts
the processor's seconds of each method's thread instead of the clock's; `auto`, which consists of
several, is then left out.
"""

from __future__ import annotations

import argparse
import platform
from collections import defaultdict
from collections.abc import Mapping

import numpy as np

import nco
from nco.baselines.pyvrp import PyVRP
from nco.errors import quoted
from nco.search.lns.solver import LNS
from nco.solver import Solver, ThreadClock
from nco.stats import interval

KINDS: Mapping[str, Mapping[str, str]] = {
    "random": {"preference": "random"},
    "sector": {"preference": "sector"},
    "cluster": {"preference": "cluster"},
    "zone-random": {"zone": "random"},
    "zone-sector": {"zone": "sector"},
    "zone-cluster": {"zone": "cluster"},
}
SIZES = ("60,3", "80,5", "100,7")
FLEET = {"van": 3, "electric van": 2, "cargo bicycle": 2}
ON_CPU: Mapping[str, Solver] = {
    "lns": LNS(clock=ThreadClock),
    "pyvrp": PyVRP(clock=ThreadClock),
}


def positive(problem: nco.Problem, solution: nco.Solution) -> float:
    """The cost, shifted by what all stops together could gain at most."""
    likes = [float(v.preference.max()) for v in problem.vehicles if v.preference is not None]
    most = problem.objective.preference * max(likes, default=0.0)
    return solution.cost.total + most * len(problem.stops)


def drawn(kind: str, size: str, seed: int, city: str | None) -> nco.Problem:
    """An instance."""
    stops, vehicles = map(int, size.split(","))
    if city is None:
        return nco.sample.pvrp(None, stops, seed=seed, vehicles=vehicles, **KINDS[kind])
    return nco.sample.pvrp(nco.city(city), stops, seed=seed, vehicles=FLEET, **KINDS[kind])


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kind", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--size", nargs="+", default=list(SIZES), metavar="STOPS,VEHICLES")
    parser.add_argument("--method", nargs="+", default=["auto", "lns", "pyvrp"])
    parser.add_argument("--seconds", nargs="+", type=float, default=[1.0])
    parser.add_argument("--seeds", type=int, default=3, help="instances of each kind and size")
    parser.add_argument("--first", type=int, default=0, help="seed of the first instance")
    parser.add_argument("--city", help="by its name, in place of the unit square")
    parser.add_argument("--cpu", action="store_true", help="count the processor's seconds")
    given = parser.parse_args()
    methods = [m for m in given.method if m in ON_CPU or not given.cpu]
    if not methods:
        parser.error(f"--cpu is for {', '.join(ON_CPU)}, not for {quoted(given.method)}")
    print(f"{platform.processor() or platform.machine()}, one thread", "CPU" * given.cpu)
    gaps: dict[tuple[str, str, float], list[float]] = defaultdict(list)
    for kind in given.kind:
        for size in given.size:
            for seed in range(given.first, given.first + given.seeds):
                problem = drawn(kind, size, seed, given.city)
                runs = {}
                for seconds in given.seconds:
                    for name in methods:
                        method = ON_CPU[name] if given.cpu else name
                        answer = nco.solve(problem, method, time_limit_s=seconds, seed=seed)
                        if not nco.check(problem, answer):
                            raise SystemExit(f"{problem.name}: {name} is not feasible")
                        runs[name, seconds] = positive(problem, answer)
                best = min(runs.values())
                for (name, seconds), found in runs.items():
                    gaps[kind, name, seconds].append(100 * (found / best - 1))
        for seconds in given.seconds:
            texts = []
            for name in methods:
                values = np.array(gaps[kind, name, seconds])
                half = interval(values)[1] - values.mean() if len(values) > 1 else 0.0
                texts.append(f"{name} {values.mean():5.2f} ± {half:.2f} %")
            print(f"{kind:13s} {seconds:5g} s  " + "   ".join(texts), flush=True)


if __name__ == "__main__":
    main()
