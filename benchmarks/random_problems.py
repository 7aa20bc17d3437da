"""Does every odd problem get an answer that is checked, in time, or an error in words?

Problems are drawn with all that can be said of one (`tests/test_drawn_fields.py`), among them what
nobody would plan: no distances, huge ones, points on one spot, streets that lead nowhere, windows
of no length, vehicles that hold nothing. The default method solves all of them, the others every so
many. An answer counts if the independent checker agrees; disputed are all others, warnings and
errors that nco does not raise on purpose, and costs below an optimum that was found by trying
everything, where there are few stops. Late is what takes more than 10 % + 50 ms too long, by the
clock and by the time of the processor.

    python benchmarks/random_problems.py [--problems 2000] [--limits 0.05 0.1 0.2] [--every 10]
                                         [--stops 12] [--vehicles 4] [--methods auto] [--seed 0]
                                         [--brute 3] [--only 17 ...]

With `--stops 300 --vehicles 300 --methods auto` they have up to 300 stops and as many vehicles,
which may all differ. `--only` solves single ones again.
"""

import argparse
import math
import sys
from collections import Counter
from dataclasses import replace
from itertools import cycle
from pathlib import Path

import numpy as np

from nco import Problem
from nco.errors import NcoError
from nco.solve import DEFAULT_METHOD, METHODS
from nco.threads import one_thread
from nco.versions import machine

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from brute import optimum
from random_problems import FEW, MANY, Outcome, Thrown, fields_by, outcome

KINDS = ("answer", "error", "late", "disputed")
BRUTE_VEHICLES, BRUTE_TRIPS = 3, 4  # beyond which trying everything takes too long
ROUNDED = 1e-6  # share of a cost by which sums in another order may differ


def main() -> None:
    """Solve and print a table, then what is late or disputed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--problems", type=int, default=2000)
    parser.add_argument("--limits", type=float, nargs="+", default=[0.05, 0.1, 0.2])
    parser.add_argument("--every", type=int, default=10, help="of this many for each other method")
    parser.add_argument("--methods", nargs="+", default=list(METHODS))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--stops", type=int, default=FEW, help="most of them, but for one in ten")
    parser.add_argument("--vehicles", type=int, default=4, help="most of them")
    parser.add_argument("--brute", type=int, default=3, help="stops, up to which all is tried")
    parser.add_argument("--only", type=int, nargs="*", help="numbers of problems")
    arguments = parser.parse_args()
    one_thread()
    counts: Counter[tuple[str, str]] = Counter()
    limits, tried = cycle(arguments.limits), 0
    for number in arguments.only or range(arguments.problems):
        rng = np.random.default_rng((arguments.seed, number))
        many = max(MANY, arguments.stops)
        try:
            problem = Problem(**fields_by(Thrown(rng), arguments.stops, many, arguments.vehicles))
        except NcoError as error:
            kind = "error" if "; " in str(error) else "disputed"
            _count(counts, number, "Problem", Outcome(kind, str(error)), 0.0)
            continue
        best = _optimum(problem, arguments.brute)
        tried += best is not None
        for place, method in enumerate(arguments.methods):
            if method != DEFAULT_METHOD and (number + place) % arguments.every:
                continue
            limit_s = next(limits)
            found = _against(problem, outcome(problem, method, limit_s), best)
            _count(counts, number, method, found, limit_s)
    total = len(arguments.only or range(arguments.problems))
    print(f"{machine()}; {total} problems, limits {arguments.limits} s, {tried} tried out")
    print(f"{'':<16}" + "".join(f"{kind:>10}" for kind in KINDS))
    for method in ["Problem", *arguments.methods]:
        print(f"{method:<16}" + "".join(f"{counts[method, kind]:>10}" for kind in KINDS))


def _count(
    counts: Counter[tuple[str, str]], number: int, method: str, found: Outcome, limit_s: float
) -> None:
    """Counts an outcome, and prints one that should not be."""
    counts[method, found.kind] += 1
    if found.kind in ("late", "disputed") or (found.kind == "error" and method == DEFAULT_METHOD):
        print(f"problem {number}, {method}, {limit_s:g} s: {found.kind}, {found.note}", flush=True)


def _optimum(problem: Problem, most: int) -> float | None:
    """The least cost of serving all that must be, if trying everything does not take too long."""
    trips = sum(min(vehicle.max_trips, 2) * len(vehicle.reloads) for vehicle in problem.vehicles)
    few = len(problem.vehicles) <= BRUTE_VEHICLES and trips <= BRUTE_TRIPS
    return optimum(problem) if few and len(problem.stops) <= most else None


def _against(problem: Problem, outcome: Outcome, best: float | None) -> Outcome:
    """An answer beside the optimum: it may cost more, not less, and serve no more."""
    found = outcome.found
    if best is None or found is None or outcome.kind == "disputed" or not found.feasible:
        return outcome
    if problem.objective.fewest_vehicles:  # cost comes second
        return outcome
    if found.cost.total < best - ROUNDED * max(1.0, abs(best), _parts(found.cost)):
        return replace(outcome, kind="disputed", note=f"{found.cost.total}, the optimum is {best}")
    return outcome


def _parts(cost: object) -> float:
    """The largest part of a cost, which others may cancel."""
    return max(abs(part) for part in vars(cost).values() if math.isfinite(part))


if __name__ == "__main__":
    main()
