"""What a policy adds to searches: its seeds to the genetic one, its heat to the neighbourhood one.

    python benchmarks/seeds.py --folder EXTRACTS [--stops 100 500] [--limits 0.25 0.5 1 2]
                               [--instances 8] [--cities NAME ...] [--reference-s 5] [--cpu]

Capacitated instances on whole cities that no policy was trained on, solved by the genetic search
from each source of seeds in turn, and by the neighbourhood search with and without a policy's
guidance, the policy's time included. Gaps are to the best that any run found, PyVRP's reference
among them; intervals hold the mean with 95 % (bootstrap over instances). The last lines are paired:
what it changes, in points of the gap, that seeds or guidance come from the policy.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

import nco
from nco.baselines.pyvrp import PyVRP
from nco.bench.policies.sets import UNSEEN
from nco.problem import Problem
from nco.search.genetic.solver import NEAREST, POLICY, RANDOM, SAVINGS, SOLVER, Genetic
from nco.search.lns.solver import GUIDED, LNS
from nco.search.lns.solver import SOLVER as UNGUIDED
from nco.solver import Clock, ThreadClock
from nco.stats import interval
from nco.threads import one_thread
from nco.versions import machine, version_of

METHODS: tuple[Genetic | LNS, ...] = (SOLVER, POLICY, SAVINGS, NEAREST, RANDOM, UNGUIDED, GUIDED)
PAIRS: tuple[tuple[Genetic | LNS, Genetic | LNS], ...] = (
    (POLICY, SAVINGS), (POLICY, NEAREST), (POLICY, RANDOM), (SOLVER, SAVINGS), (GUIDED, UNGUIDED)
)  # fmt: skip
FIRST_SEED = 4100  # of the instances


def cell(
    problems: Sequence[Problem], limits: Sequence[float], reference_s: float, clock: type[Clock]
) -> dict[tuple[str, float], list[float]]:
    """Gaps in percent, one an instance, of every method at every limit."""
    cost: dict[tuple[str, float], list[float]] = {}
    best = []
    methods: list[Genetic | LNS] = [replace(method, clock=clock) for method in METHODS]
    for seed, problem in enumerate(problems):
        reference = PyVRP(clock=clock).solve(problem, reference_s, seed).cost.total
        found = [reference]
        for limit in limits:
            for method in methods:
                total = solved(problem, method, limit, seed)
                cost.setdefault((method.name, limit), []).append(total)
                found.append(total)
        best.append(min(found))
        cost.setdefault(("pyvrp", reference_s), []).append(reference)
    return {
        key: [100 * (a / b - 1) for a, b in zip(costs, best, strict=True)]
        for key, costs in cost.items()
    }


def solved(problem: Problem, method: Genetic | LNS, limit_s: float, seed: int) -> float:
    """What a method's checked answer costs."""
    found = nco.solve(problem, method, time_limit_s=limit_s, seed=seed)
    assert nco.check(problem, found)
    return found.cost.total


def stated(values: Sequence[float]) -> str:
    """Mean and interval."""
    between = interval(values)
    ends = "" if between is None else f" [{between[0]:+.2f}, {between[1]:+.2f}]"
    return f"{np.mean(values):+.2f}{ends}"


def report(
    stops: int,
    gaps: dict[tuple[str, float], list[float]],
    limits: Sequence[float],
    reference_s: float,
) -> None:
    """Print the gaps of a size and the paired differences."""
    print(f"\n{stops} stops, mean gap in % at {' / '.join(f'{limit:g} s' for limit in limits)}")
    for method in METHODS:
        row = "  ".join(stated(gaps[method.name, limit]) for limit in limits)
        print(f"{method.name:<24} {row}")
    print(f"{f'pyvrp at {reference_s:g} s':<24} {stated(gaps['pyvrp', reference_s])}")
    for ours, other in PAIRS:
        row = "  ".join(
            stated(np.subtract(gaps[ours.name, limit], gaps[other.name, limit]).tolist())
            for limit in limits
        )
        print(f"{ours.name} less {other.name.removeprefix('genetic-'):<9} {row}")


def main() -> None:
    """Draw, solve and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, required=True, help="of the extracts")
    parser.add_argument("--cities", nargs="+", default=list(UNSEEN))
    parser.add_argument("--stops", type=int, nargs="+", default=[100, 500])
    parser.add_argument("--limits", type=float, nargs="+", default=[0.25, 0.5, 1.0, 2.0])
    parser.add_argument("--instances", type=int, default=8, help="of each size, by turns of cities")
    parser.add_argument("--reference-s", type=float, default=5.0)
    parser.add_argument("--cpu", action="store_true", help="limits are CPU seconds of the thread")
    given = parser.parse_args()
    one_thread()
    clock = ThreadClock if given.cpu else Clock
    names = given.cities[: given.instances]
    cities = [nco.city(given.folder / f"{name}.osm.pbf") for name in names]
    kind = "CPU" if given.cpu else "wall-clock"
    seeds = f"{FIRST_SEED} to {FIRST_SEED + given.instances - 1}"
    print(f"{machine()}; {version_of('policy')}; {version_of('pyvrp')}; one thread, {kind} time")
    print(f"{', '.join(names)}; {given.instances} instances of each size, seeds {seeds}")
    for stops in given.stops:
        problems = [
            nco.sample.rcvrp(cities[k % len(cities)], stops, seed=FIRST_SEED + k)
            for k in range(given.instances)
        ]
        for method in METHODS:  # loads whatever is loaded on first use
            nco.solve(problems[0], method, time_limit_s=2.0)
        gaps = cell(problems, given.limits, given.reference_s, clock)
        report(stops, gaps, given.limits, given.reference_s)


if __name__ == "__main__":
    main()
