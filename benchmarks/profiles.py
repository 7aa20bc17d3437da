"""Methods on profiled vehicles: gaps over kinds of preferences and zones, sizes and seeds.

    python -m benchmarks.profiles                                  # all kinds, 1 s
    python -m benchmarks.profiles --kind sector --size 80,5 --seconds 1 2 10 --instances 50
    python -m benchmarks.profiles --rows out/rows.jsonl --minutes 8  # goes on where it stopped
    python -m benchmarks.profiles --cpu                            # under other load

The gap is on the positive quantity: cost plus the weight of preferences times the number of stops
times the largest preference. Of each instance it is to the best of the run. Instances are in the
unit square (`nco.sample.pvrp`), or with `--city` on its streets with a mixed fleet. `--cpu` counts
the processor's seconds of each method's thread instead of the clock's; `auto`, which consists of
several, is then left out.
"""

from __future__ import annotations

import argparse
import json
import platform
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

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
    parser.add_argument("--instances", type=int, default=3, help="of each kind and size")
    parser.add_argument("--first", type=int, default=0, help="seed of the first instance")
    parser.add_argument("--seeds", type=int, default=1, help="of each method on each instance")
    parser.add_argument("--city", help="by its name, in place of the unit square")
    parser.add_argument("--cpu", action="store_true", help="count the processor's seconds")
    parser.add_argument(
        "--rows", type=Path, help="JSON lines: runs that are in it are not repeated"
    )
    parser.add_argument("--minutes", type=float, default=np.inf, help="after which no run begins")
    given = parser.parse_args()
    methods = [m for m in given.method if m in ON_CPU or not given.cpu]
    if not methods:
        parser.error(f"--cpu is for {', '.join(ON_CPU)}, not for {quoted(given.method)}")
    print(f"{platform.processor() or platform.machine()}, one thread", "CPU" * given.cpu)
    asked = [
        Run(kind, size, instance, seed, seconds, given.city, given.cpu)
        for instance in range(given.first, given.first + given.instances)
        for seed in range(given.seeds)
        for kind in given.kind
        for size in given.size
        for seconds in given.seconds
    ]
    known = kept(given.rows)
    warm(methods, given.cpu)
    until = time.monotonic() + 60 * given.minutes
    for run in asked:
        lacking = [name for name in methods if name not in known[run]]
        if lacking and time.monotonic() < until:
            known[run].update(run.costs(lacking))
            keep(given.rows, run, known[run])
    whole = {run: known[run] for run in asked if set(methods) <= set(known[run])}
    print(f"{len(whole)} of {len(asked)} runs are there")
    for kind in (*given.kind, "all"):
        for seconds in given.seconds:
            show(kind, seconds, methods, whole)


@dataclass(frozen=True)
class Run:
    """What all methods are to solve once.

    Attributes:
        kind: of preferences or zones.
        size: stops and vehicles.
        instance: its seed.
        seed: of the methods.
        seconds: that they have.
        city: see `drawn`.
        cpu: whether seconds are of the processor.
    """

    kind: str
    size: str
    instance: int
    seed: int
    seconds: float
    city: str | None
    cpu: bool

    def costs(self, methods: Sequence[str]) -> dict[str, float]:
        """The positive quantity that each method reaches."""
        problem, found = drawn(self.kind, self.size, self.instance, self.city), {}
        for name in methods:
            method = ON_CPU[name] if self.cpu else name
            answer = nco.solve(problem, method, time_limit_s=self.seconds, seed=self.seed)
            if not nco.check(problem, answer):
                raise SystemExit(f"{problem.name}: {name} is not feasible")
            found[name] = positive(problem, answer)
        return found


def warm(methods: Sequence[str], cpu: bool) -> None:
    """Loads what methods compile, which no run is to pay for."""
    Run("random", "10,2", 0, 0, 2.0, None, cpu).costs(methods)


def kept(path: Path | None) -> dict[Run, dict[str, float]]:
    """Costs by run and method, of a file of rows; empty where there is none."""
    known: dict[Run, dict[str, float]] = defaultdict(dict)
    if path is not None and path.exists():
        for line in path.read_text().splitlines():
            row = json.loads(line)
            known[Run(**row["run"])].update(row["cost"])
    return known


def keep(path: Path | None, run: Run, cost: dict[str, float]) -> None:
    """Adds a row."""
    if path is not None:
        with path.open("a") as file:
            file.write(json.dumps({"run": asdict(run), "cost": cost}) + "\n")


def show(
    kind: str, seconds: float, methods: Sequence[str], whole: Mapping[Run, Mapping[str, float]]
) -> None:
    """Prints a line: mean gaps, and by how much the first method is ahead of each other one.

    Seeds of one instance are averaged first, so that intervals are over instances.
    """
    each: dict[tuple[str, str, int], list[list[float]]] = defaultdict(list)
    for run, cost in whole.items():
        if run.seconds == seconds and kind in (run.kind, "all"):
            best = min(cost[name] for name in methods)
            gaps = [100 * (cost[name] / best - 1) for name in methods]
            each[run.kind, run.size, run.instance].append(gaps)
    if not each:
        return
    table = np.array([np.mean(rows, axis=0) for rows in each.values()])
    texts = [f"{name} {gap:5.2f} %" for name, gap in zip(methods, table.mean(0), strict=True)]
    for k, name in enumerate(methods[1:], 1):
        ahead = table[:, k] - table[:, 0]
        low, high = interval(ahead.tolist()) or (np.nan, np.nan)
        texts.append(f"{name} - {methods[0]} {ahead.mean():+.2f} ({low:+.2f} to {high:+.2f})")
    print(f"{kind:13s} {seconds:5g} s {len(table):4d}  " + "   ".join(texts), flush=True)


if __name__ == "__main__":
    main()
