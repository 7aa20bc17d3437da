"""Is a longer limit ever worse? `auto` on the same instances and seeds with more and more time.

    python benchmarks/longer.py --folder EXTRACTS [--results longer.jsonl] [--seconds 140]
                                [--stops 50 100 200 350 500 1000] [--limits 0.25 0.5 1 2 5 10]
                                [--instances 20] [--problems rcvrp rcvrptw] [--split check]

Instances are of whole cities that no policy was trained on, every other city for `--split tune`,
where settings may be chosen, and the others for `check`. What was measured is in the file of
results and not measured again: the command can be ended, by `--seconds` too, and begun once more.
Gaps are to the best cost that any run of the instance found. "Worst" is the most by which an
instance's answer is dearer than one of the same seed with less time.
"""

from __future__ import annotations

import argparse
import json
import time
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import nco
from nco.bench.policies.sets import UNSEEN
from nco.solve import solver
from nco.solver import Prepares
from nco.threads import one_thread
from nco.versions import machine, version_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nco import Problem

FIRST_SEED = 8800  # of the instances
SAMPLES = {"rcvrp": nco.sample.rcvrp, "rcvrptw": nco.sample.rcvrptw}
SPLITS = {"tune": UNSEEN[::2], "check": UNSEEN[1::2]}
WORSE = 1e-3  # that a single answer may be worse with more time

Key = tuple[str, str, int, int, float]
"""Split, problem, stops, number of the instance, limit."""


@cache
def instance(folder: Path, split: str, name: str, stops: int, number: int) -> Problem:
    """The instance of a number."""
    names = SPLITS[split]
    city = nco.city(folder / f"{names[number % len(names)]}.osm.pbf")
    problem: Problem = SAMPLES[name](city, stops, seed=FIRST_SEED + number)
    return problem


def known(path: Path) -> dict[Key, float]:
    """What was measured before."""
    if not path.exists():
        return {}
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    return {tuple(row["key"]): row["cost"] for row in rows}  # type: ignore[misc]


def keys(given: argparse.Namespace) -> Iterator[Key]:
    """All that is to be measured, one instance after the other."""
    for name in given.problems:
        for stops in given.stops:
            for number in range(given.instances):
                for limit in given.limits:
                    yield given.split, name, stops, number, limit


def measure(key: Key, folder: Path, method: Any) -> float:
    """What the answer costs, `nan` where it is not feasible."""
    *which, limit_s = key
    problem = instance(folder, *which)
    if isinstance(method, Prepares):
        method.prepare(problem)
    found = nco.solve(problem, method, time_limit_s=limit_s, seed=1)
    assert nco.check(problem, found).feasible == found.feasible
    return found.cost.total if found.feasible else np.nan


def table(costs: dict[Key, float], given: argparse.Namespace) -> None:
    """Prints gaps by limit, and who is worse with more time."""
    for name in given.problems:
        for stops in given.stops:
            rows = [
                [costs.get((given.split, name, stops, number, limit)) for limit in given.limits]
                for number in range(given.instances)
            ]
            cost = np.array([row for row in rows if None not in row], float)
            if not len(cost):
                continue
            gap = 100 * (cost / np.nanmin(cost, axis=1, keepdims=True) - 1)
            best = np.fmin.accumulate(cost, axis=1)[:, :-1]
            worse = cost[:, 1:] / best - 1
            print(
                f"{name}, {stops} stops, {len(cost)} instances: mean gap "
                + "  ".join(f"{x:.3f}" for x in gap.mean(0))
                + f" %; {(worse > WORSE).sum()} of {worse.size} answers worse by more than "
                f"{100 * WORSE:g} %, worst {100 * max(worse.max(), 0.0):.3f} %"
            )


def main() -> None:
    """Measures what is missing, and prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, required=True, help="of the extracts")
    parser.add_argument("--results", type=Path, default=Path("longer.jsonl"))
    parser.add_argument("--seconds", type=float, default=np.inf, help="of measuring, at most")
    parser.add_argument("--problems", nargs="+", choices=SAMPLES, default=["rcvrp"])
    parser.add_argument("--stops", type=int, nargs="+", default=[50, 100, 200, 350, 500, 1000])
    parser.add_argument("--limits", type=float, nargs="+", default=[0.25, 0.5, 1, 2, 5, 10])
    parser.add_argument("--instances", type=int, default=20, help="of each size")
    parser.add_argument("--split", choices=SPLITS, default="check")
    parser.add_argument("--method", default="auto")
    given = parser.parse_args()
    one_thread()
    begin_s, costs, method = time.perf_counter(), known(given.results), solver(given.method)
    with given.results.open("a") as results:
        for key in keys(given):
            if key in costs:
                continue
            if time.perf_counter() - begin_s + key[-1] > given.seconds:
                break
            costs[key] = measure(key, given.folder, method)
            print(json.dumps({"key": key, "cost": costs[key]}), file=results, flush=True)
    print(f"{machine()}; {version_of('pyvrp')}; {given.method}, limits {given.limits} s")
    table(costs, given)


if __name__ == "__main__":
    main()
