"""Does every odd problem get an answer that is checked, in time, or an error in words?

Hypothesis draws problems that nobody would plan: no distances, huge ones, points on one spot,
streets that lead nowhere, windows of no length, vehicles that hold nothing. The default method
solves all of them, the others every so many. An answer counts if the independent checker agrees;
disputed are all others, and warnings and errors that nco does not raise on purpose. Late is what
takes more than 10 % + 50 ms too long, by the clock and by the time of the processor.

    python benchmarks/random_problems.py [--problems 1000] [--limits 0.05 0.1 0.2] [--every 10]
                                         [--stops 12] [--vehicles 4] [--methods auto] [--seed 0]

With `--stops 300 --vehicles 300 --methods auto` they have up to 300 stops and as many vehicles,
which may all differ.
"""

import argparse
import sys
from collections import Counter
from itertools import cycle
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings

from nco import Problem
from nco.errors import NcoError
from nco.solve import DEFAULT_METHOD, METHODS
from nco.threads import one_thread
from nco.versions import machine

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from random_problems import FEW, MANY, outcome, random_fields

KINDS = ("answer", "error", "late", "disputed")


def main() -> None:
    """Solve and print a table, then what is late or disputed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--problems", type=int, default=1000)
    parser.add_argument("--limits", type=float, nargs="+", default=[0.05, 0.1, 0.2])
    parser.add_argument("--every", type=int, default=10, help="of this many for each other method")
    parser.add_argument("--methods", nargs="+", default=list(METHODS))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--stops", type=int, default=FEW, help="most of them, but for one in ten")
    parser.add_argument("--vehicles", type=int, default=4, help="most of them")
    arguments = parser.parse_args()
    one_thread()
    counts: Counter[tuple[str, str]] = Counter()
    notes: list[str] = []
    limits = cycle(arguments.limits)
    seen = 0

    @seed(arguments.seed)
    @settings(
        max_examples=arguments.problems,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(
        fields=random_fields(arguments.stops, max(MANY, arguments.stops), fleet=arguments.vehicles)
    )
    def judge(fields: dict[str, Any]) -> None:
        nonlocal seen
        seen += 1
        try:
            problem = Problem(**fields)
        except NcoError:
            counts["Problem", "error"] += 1
            return
        for place, method in enumerate(arguments.methods):
            if method != DEFAULT_METHOD and (seen + place) % arguments.every:
                continue
            limit_s = next(limits)
            found = outcome(problem, method, limit_s)
            counts[method, found.kind] += 1
            if found.kind in ("late", "disputed"):
                notes.append(f"problem {seen}, {method}, {limit_s:g} s: {found.kind}, {found.note}")

    judge()
    print(f"{machine()}; {seen} problems, limits {arguments.limits} s")
    print(f"{'':<16}" + "".join(f"{kind:>10}" for kind in KINDS))
    for method in ["Problem", *arguments.methods]:
        print(f"{method:<16}" + "".join(f"{counts[method, kind]:>10}" for kind in KINDS))
    print("\n".join(notes))


if __name__ == "__main__":
    main()
