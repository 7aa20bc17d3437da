"""Is tree search on a policy worth its time? Against sampling, beam and active search on the same.

    python benchmarks/tree_search.py [--folder EXTRACTS] [--seconds 1 3] [--stops 50 100]

Every method has the same CPU time of one thread, encoding and greedy rollouts included, and the
shipped policy. Instances are of Helsinki and of cities in a folder of extracts; on the default ones
it was not trained. Gaps are to the best that any method found in any of the times, with standard
errors; tree search is compared pairwise.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from nco.threads import one_thread

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nco import Problem

METHODS = ("policy", "policy-sample", "policy-beam", "policy-active", "mcts")
OURS = "mcts"
UNSEEN = ("berlin_miraustr", "tokyo_shibuya", "johannesburg_centre", "munich_centre", "baltimore")


def problems(given: argparse.Namespace, kind: str, stops: int) -> Iterator[Problem]:
    """Instances of each city in turn."""
    from nco import City, city, sample

    cities = [city("helsinki")]
    if given.folder:
        cities += [City.from_file(Path(given.folder) / f"{x}.osm.pbf") for x in given.cities]
    for number in range(given.instances):
        where, seed = cities[number % len(cities)], given.seed + number // len(cities)
        if kind == "atsp":
            yield sample.atsp(where, stops + 1, seed=seed)
        else:
            yield sample.rcvrp(where, stops, seed=seed)


def costs(
    given: argparse.Namespace, asked: list[Problem], limit_s: float
) -> dict[str, list[float]]:
    """What each method's answer to each problem costs."""
    from nco import check
    from nco.search.policy.solver import PolicySolver
    from nco.solve import solver

    found: dict[str, list[float]] = {method: [] for method in given.methods}
    for problem in asked:
        for method, taken in found.items():
            chosen = solver(method)
            if given.both_ways and isinstance(chosen, PolicySolver):
                chosen = replace(chosen, strategy=replace(chosen.strategy, views=2))
            solution = chosen.solve(problem, limit_s, given.seed)
            assert check(problem, solution), solution.summary()
            taken.append(solution.cost.total)
    return found


def main() -> None:
    """Measures and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", help="of extracts; without it only Helsinki")
    parser.add_argument("--cities", nargs="+", default=UNSEEN, help="names of extracts")
    parser.add_argument("--problems", nargs="+", default=["atsp", "rcvrp"])
    parser.add_argument("--stops", type=int, nargs="+", default=[50, 100])
    parser.add_argument("--seconds", type=float, nargs="+", default=[1.0, 3.0])
    parser.add_argument("--instances", type=int, default=10)
    parser.add_argument("--methods", nargs="+", default=METHODS)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--both-ways", action="store_true", help="two views for every method")
    given = parser.parse_args()
    one_thread()
    import torch

    import nco.search.policy.solver
    from nco.solver import ThreadClock
    from nco.versions import machine, version_of

    torch.set_num_threads(1)
    # Other load on the machine must not shorten what a method gets.
    nco.search.policy.solver.Clock = ThreadClock  # type: ignore[misc]
    print(f"{machine()}, {version_of(OURS)}; {given.instances} instances, seed {given.seed}")
    for kind in given.problems:
        for stops in given.stops:
            asked = list(problems(given, kind, stops))
            costs(given, asked[:1], 0.5)  # loads and compiles
            tables = {limit_s: costs(given, asked, limit_s) for limit_s in given.seconds}
            every = np.array([list(table.values()) for table in tables.values()])
            best = every.min((0, 1))
            for limit_s, table in tables.items():
                for method, taken in table.items():
                    gap = 100 * (np.array(taken) / best - 1)
                    line = f"{kind} {stops} | {limit_s:g} s | {method:<13} | {gap.mean():5.2f} ± "
                    line += f"{gap.std(ddof=1) / len(gap) ** 0.5:.2f} %"
                    if method != OURS and OURS in table:
                        own = np.array(table[OURS])
                        wins, ties = (own < taken).sum(), (own == taken).sum()
                        line += f" | {OURS} wins {wins}, ties {ties} of {len(own)}"
                    print(line, flush=True)


if __name__ == "__main__":
    main()
