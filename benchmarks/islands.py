"""What more cores bring: `jobs` islands against one, at equal wall-clock time.

    python benchmarks/islands.py [--stops 200 1000] [--limits 1 3] [--jobs 1 2] [--instances 5]
                                 [--method auto] [--city helsinki]

Capacitated instances of a city. Gaps are those of the mean cost to that of the first number of
jobs, in percent, below 0 where islands get further; wins count instances. Every method is loaded
before its first limit begins, and numbers of jobs take turns.
"""

from __future__ import annotations

import argparse

import numpy as np

import nco
from nco.threads import one_thread
from nco.versions import machine

FIRST_SEED = 6100  # of the instances


def main() -> None:
    """Draw, solve and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stops", type=int, nargs="+", default=[200, 1000])
    parser.add_argument("--limits", type=float, nargs="+", default=[1.0, 3.0])
    parser.add_argument("--jobs", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--instances", type=int, default=5)
    parser.add_argument("--method", default="auto")
    parser.add_argument("--city", default="helsinki")
    given = parser.parse_args()
    one_thread()
    city = nco.city(given.city)
    seeds = f"{FIRST_SEED} to {FIRST_SEED + given.instances - 1}"
    print(f"{machine()}; {given.method}, {given.city}, {given.instances} instances, seeds {seeds}")
    for stops in given.stops:
        problems = [
            nco.sample.rcvrp(city, stops, seed=FIRST_SEED + k) for k in range(given.instances)
        ]
        nco.solve(problems[0], given.method, time_limit_s=1.0)
        for limit in given.limits:
            cost = np.zeros((len(given.jobs), len(problems)))
            most_s = 0.0
            for k, problem in enumerate(problems):
                for row, jobs in enumerate(given.jobs):
                    found = nco.solve(problem, given.method, time_limit_s=limit, seed=k, jobs=jobs)
                    assert nco.check(problem, found).feasible
                    cost[row, k], most_s = found.cost.total, max(most_s, found.time_s)
            gaps = 100 * (cost / cost[0] - 1)
            for jobs, own in zip(given.jobs[1:], gaps[1:], strict=True):
                print(
                    f"{stops} stops, {limit:g} s: {jobs} jobs against {given.jobs[0]} "
                    f"{own.mean():+.2f} % (from {own.min():+.2f} to {own.max():+.2f}), "
                    f"better in {(own < 0).sum()} of {len(own)}; longest run {most_s:.2f} s"
                )


if __name__ == "__main__":
    main()
