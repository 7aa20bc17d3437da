"""How much sooner many problems are solved by two processes than by one, and by Dask's workers.

    python benchmarks/solve_many.py [--problems 40] [--stops 50] [--time-limit 0.5]
                                    [--method pyvrp] [--workers 2] [--dask]

Workers are started, and have solved a problem each, before the clock starts: what it takes to start
them is told apart. Results are checked to be one a problem.
"""

from __future__ import annotations

import argparse
import os
import time
from concurrent.futures import Executor

import nco
from nco.crew import Crew
from nco.solve_many import solve_many
from nco.versions import machine


def solved_s(executor: Executor, problems: list[nco.Problem], options: argparse.Namespace) -> float:
    """Seconds until all problems are solved."""
    begin = time.perf_counter()
    how = {"time_limit_s": options.time_limit, "executor": executor}
    found = list(solve_many(problems, options.method, **how))
    took_s = time.perf_counter() - begin
    assert sorted(one.number for one in found) == list(range(len(problems)))
    assert all(one.error is None for one in found)
    return took_s


def measure(name: str, executor: Executor, count: int, options: argparse.Namespace) -> float:
    """Prints and returns how long the problems take."""
    city = nco.city("helsinki")
    problems = [nco.sample.rcvrp(city, options.stops, seed=s) for s in range(options.problems)]
    start_s = solved_s(executor, problems[:count], options)
    took_s = solved_s(executor, problems, options)
    print(f"{name}: {took_s:.1f} s (and {start_s:.1f} s to start, with one problem each)")
    return took_s


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--problems", type=int, default=40)
    parser.add_argument("--stops", type=int, default=50)
    parser.add_argument("--time-limit", type=float, default=0.5)
    parser.add_argument("--method", default="pyvrp")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--dask", action="store_true")
    options = parser.parse_args()
    print(f"{machine()}, load before: {os.getloadavg()[0]:.1f}")
    with Crew(1) as crew:
        one_s = measure("one process", crew, 1, options)
    with Crew(options.workers) as crew:
        several_s = measure(f"{options.workers} processes", crew, options.workers, options)
    print(f"{one_s / several_s:.2f} times as fast")
    if options.dask:
        import distributed

        many = {"n_workers": options.workers, "threads_per_worker": 1, "dashboard_address": None}
        with distributed.LocalCluster(**many) as cluster, distributed.Client(cluster) as client:
            executor = client.get_executor(pure=False)
            dask_s = measure("Dask", executor, options.workers, options)
        print(f"{one_s / dask_s:.2f} times as fast")


if __name__ == "__main__":
    main()
