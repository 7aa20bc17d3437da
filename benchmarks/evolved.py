"""What evolved operators are worth, and that no program breaks anything.

    python benchmarks/evolved.py glns OPS.json [--stops 50 100 200] [--instances 64] [--ortools S]
    python benchmarks/evolved.py cities OPS.json [--city helsinki porto.osm.pbf] [--kind rcvrp]
                                 [--stops 100 500] [--limits 1 5] [--minutes 8] [--cpu]
    python benchmarks/evolved.py programs [--count 10000]

`glns`: squares, 500 iterations from stops in random order, as in G-LNS: a file's first removal and
insertion alone against all hand-made operators, and OR-Tools with a time limit. `cities`: `lns`
with the operators against `lns`, instances of cities in turn, equal wall-clock time, the two in
turn; with `--minutes` as many rounds over all settings as fit, one instance a round, and with
`--cpu` equal seconds of the processor, under other load.
`programs`: pairs of random programs in searches, each plan checked by `nco.check`.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace

import numpy as np

import nco
from nco.search.evolve.files import read_operators
from nco.search.evolve.genetics import mutated, random_insertion, random_removal
from nco.search.evolve.instances import KINDS, square, training
from nco.search.evolve.judge import Trial, searched
from nco.search.evolve.language import Insertion, Removal
from nco.search.lns.solver import SOLVER
from nco.solver import ThreadClock
from nco.stats import interval
from nco.threads import one_thread
from nco.versions import machine

FIRST_SEED = 70_000  # of instances, none of which anything was evolved on
GLNS = Trial(500, alone=True, scattered=True, share=0.4, hot=0.1, cold=0.002)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("glns", "cities", "programs"))
    parser.add_argument("operators", nargs="?")
    parser.add_argument("--stops", type=int, nargs="+", default=[50, 100, 200])
    parser.add_argument("--instances", type=int, default=64)
    parser.add_argument("--ortools", type=float, default=0.0, help="seconds; 0 leaves it out")
    parser.add_argument("--city", nargs="+", default=["helsinki"])
    parser.add_argument("--kind", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--minutes", type=float, default=np.inf)
    parser.add_argument("--cpu", action="store_true", help="the processor's seconds count")
    parser.add_argument("--limits", type=float, nargs="+", default=[1.0, 5.0])
    parser.add_argument("--count", type=int, default=10_000)
    given = parser.parse_args()
    one_thread()
    print(machine())
    {"glns": glns, "cities": cities, "programs": programs}[given.what](given)


def told(name: str, gains: np.ndarray) -> str:
    """Gains in percent with their interval."""
    bounds = interval(list(gains))
    between = "" if bounds is None else f" ({bounds[0]:+.2f} to {bounds[1]:+.2f})"
    return f"{name} {gains.mean():+.2f} %{between}, better in {(gains > 0).sum()} of {len(gains)}"


def glns(given: argparse.Namespace) -> None:
    """The setting of G-LNS."""
    known = [operator.program for operator in read_operators(given.operators).operators]
    out = next(program for program in known if isinstance(program, Removal))
    back = next(program for program in known if isinstance(program, Insertion))
    for stops in given.stops:
        costs = {"hand-made": [], "evolved": [], **({"OR-Tools": []} if given.ortools else {})}
        spent_s = dict.fromkeys(costs, 0.0)
        for k in range(given.instances):
            (problem,) = training([], (), (stops,), 1, FIRST_SEED + k)
            for name in costs:
                begun = time.process_time()
                if name == "OR-Tools":
                    found = nco.solve(problem, "ortools", time_limit_s=given.ortools, seed=k)
                else:
                    pair = (out, back) if name == "evolved" else None
                    _, routes = searched(problem, k, GLNS, GLNS.settings(stops, pair))
                    found = nco.Solution.from_routes(problem, routes)
                assert nco.check(problem, found).feasible
                spent_s[name] += time.process_time() - begun
                costs[name].append(found.cost.distance)
        mean = {name: float(np.mean(own)) for name, own in costs.items()}
        best = min(mean.values())
        for name, own in mean.items():
            each_ms = 1000 * spent_s[name] / given.instances
            print(f"{stops} stops: {name} {own:.3f}, gap {100 * (own / best - 1):.2f} %, "
                  f"{each_ms:.0f} ms of this process's processor time")  # fmt: skip
        gains = 100 * (1 - np.array(costs["evolved"]) / np.array(costs["hand-made"]))
        print(told(f"{stops} stops: evolved over hand-made", gains))


def cities(given: argparse.Namespace) -> None:
    """What operators add to `lns`."""
    operators, towns = read_operators(given.operators), [nco.city(name) for name in given.city]
    settings = [
        (kind, n, limit) for kind in given.kind for n in given.stops for limit in given.limits
    ]
    method = replace(SOLVER, clock=ThreadClock) if given.cpu else SOLVER
    gains: dict[tuple[str, int, float], list[float]] = {setting: [] for setting in settings}
    end_s = time.monotonic() + 60 * given.minutes
    for k in range(given.instances):
        for kind, stops, limit in settings:
            if time.monotonic() + 2 * limit > end_s:
                break
            problem = KINDS[kind](towns[k % len(towns)], stops, seed=FIRST_SEED + k)
            if k == 0:
                nco.solve(problem, method, time_limit_s=0.1, operators=operators)
            costs = [0.0, 0.0]
            for row in (k % 2, 1 - k % 2):
                more = operators if row else None
                found = nco.solve(problem, method, time_limit_s=limit, seed=k, operators=more)
                assert nco.check(problem, found).feasible
                costs[row] = found.cost.total
            gains[kind, stops, limit].append(100 * (1 - costs[1] / costs[0]))
    for (kind, stops, limit), own in gains.items():
        if own:
            print(told(f"{kind}, {stops} stops, {limit:g} s:", np.array(own)), flush=True)


def programs(given: argparse.Namespace) -> None:
    """Whether any program breaks a plan or takes too long."""
    rng = np.random.default_rng(0)
    problems = [square(20, 1), square(40, 2)]
    problems += [sample(nco.city(given.city[0]), 20, seed=3) for sample in KINDS.values()]
    trial, slowest_s = Trial(40, alone=True), 0.0
    for k in range(given.count // 2):
        out, back = random_removal(rng), random_insertion(rng)
        for _ in range(int(rng.integers(4))):
            out, back = mutated(out, rng), mutated(back, rng)
        problem = problems[k % len(problems)]
        begun = time.process_time()
        settings = trial.settings(len(problem.stops), (out, back))
        _, routes = searched(problem, k, trial, settings)
        slowest_s = max(slowest_s, time.process_time() - begun)
        assert nco.check(problem, nco.Solution.from_routes(problem, routes)).feasible, (out, back)
    print(f"{2 * (given.count // 2)} programs, no plan broken; 40 iterations took at most "
          f"{1000 * slowest_s:.0f} ms of the processor")  # fmt: skip


if __name__ == "__main__":
    main()
