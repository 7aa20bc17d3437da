"""How good and how fast is a policy? Gaps to PyVRP on cities it never saw, and latency.

    python benchmarks/policy.py --folder ../shared/data/cities
    python benchmarks/policy.py --folder ../shared/data/cities --write-card

The first run computes PyVRP's references and keeps them (`--references`), later runs reuse
them. `--write-card` puts the measured numbers on the card of a shipped policy.
"""

from __future__ import annotations

import argparse
import json
import math
import platform
import statistics
import time
from importlib.metadata import version
from pathlib import Path

from nco.check import check
from nco.data.city import City
from nco.data.files import write_atomic
from nco.data.sample import rcvrp
from nco.models.files import WEIGHTS
from nco.problem import Problem
from nco.search.decoding import VIEWS, Strategy
from nco.search.policy import PolicySolver
from nco.solve import solve

# Never trained on, and no training option was chosen on them.
HELD_OUT = (
    "helsinki_centre",
    "munich_centre",
    "berlin_miraustr",
    "tokyo_shibuya",
    "johannesburg_centre",
    "monaco_riviera",
    "baltimore",
    "addison_vermont",
)
SEED = 20_000  # of the first instance of a city; the others follow


def instances(folder: Path, stops: int, count: int) -> list[Problem]:
    """`count` problems of one size, the same number in each held-out city."""
    each = math.ceil(count / len(HELD_OUT))
    found = []
    for name in HELD_OUT:
        city = City.from_file(folder / f"{name}.osm.pbf")
        found += [rcvrp(city, stops, seed=SEED + k) for k in range(each)]
    return found[:count]


def references(problems: list[Problem], store: Path, time_s: float) -> list[float]:
    """PyVRP's costs, computed where they are not stored."""
    known = json.loads(store.read_text()) if store.exists() else {}
    for problem in problems:
        key = f"{problem.name} {time_s:g}s"
        if key not in known:
            found = solve(problem, "pyvrp", time_limit_s=time_s, seed=1)
            known[key] = found.cost.total
            write_atomic(store, json.dumps(known, indent=1) + "\n")
    return [known[f"{problem.name} {time_s:g}s"] for problem in problems]


def gaps(
    problems: list[Problem], costs: list[float], solver: PolicySolver | str
) -> dict[str, float]:
    """Mean gap in percent with its standard error, and seconds an instance."""
    found, seconds = [], []
    for problem, cost in zip(problems, costs, strict=True):
        begin = time.perf_counter()
        if isinstance(solver, str):
            solution = solve(problem, solver, time_limit_s=10.0)
        else:
            solution = solver.solve(problem, 60.0, 0)
        seconds.append(time.perf_counter() - begin)
        report = check(problem, solution)
        if not report.feasible:
            raise SystemExit(f"{problem.name}: {report}")
        found.append(100 * (solution.cost.total / cost - 1))
    return {
        "gap_percent": round(statistics.mean(found), 2),
        "standard_error": round(statistics.stdev(found) / math.sqrt(len(found)), 2),
        "median_s": round(statistics.median(seconds), 4),
    }


def latency_ms(problem: Problem, solver: PolicySolver, runs: int = 21) -> dict[str, float]:
    """Milliseconds of solving and checking one problem, warm, on one thread."""
    times = []
    for _ in range(runs):
        begin = time.perf_counter()
        check(problem, solver.solve(problem, 60.0, 0))
        times.append(1000 * (time.perf_counter() - begin))
    return {"median_ms": round(statistics.median(times), 1), "best_ms": round(min(times), 1)}


def main() -> None:
    """Measures and prints; see the head of this file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, required=True, help="of the held-out extracts")
    parser.add_argument("--policy", default="rcvrp", help="shipped name or file")
    parser.add_argument("--stops", type=int, nargs="+", default=[20, 50, 100])
    parser.add_argument("--count", type=int, default=32, help="instances of each size")
    parser.add_argument("--time", type=float, default=2.0, help="PyVRP's seconds an instance")
    parser.add_argument("--references", type=Path, default=Path("runs/held_out_references.json"))
    parser.add_argument("--write-card", action="store_true")
    given = parser.parse_args()

    import torch

    torch.set_num_threads(1)
    greedy = PolicySolver("policy", source=given.policy)
    turned = PolicySolver("policy-x8", Strategy(views=VIEWS), given.policy)
    rows = []
    for stops in given.stops:
        problems = instances(given.folder, stops, given.count)
        costs = references(problems, given.references, given.time)
        greedy.solve(problems[0], 60.0, 0)
        for name, solver in (
            ("greedy", greedy),
            ("greedy, 8 views", turned),
            ("savings (no policy)", "savings"),
        ):
            row = {"stops": stops, "instances": len(problems), "decoding": name}
            rows.append({**row, **gaps(problems, costs, solver)})
            print(json.dumps(rows[-1]))
    at = {"stops": 100, **latency_ms(instances(given.folder, 100, 1)[0], greedy)}
    print(json.dumps(at))
    if given.write_card:
        card = WEIGHTS / f"{given.policy}.json"
        content = json.loads(card.read_text())
        content["measured"] = {
            "cities": HELD_OUT,
            "first_seed": SEED,
            "reference": f"PyVRP {version('pyvrp')}, {given.time:g} s an instance, one thread",
            "machine": f"{platform.machine()}, one thread, torch {torch.__version__}",
            "gaps": rows,
            "latency_with_check": at,
        }
        write_atomic(card, json.dumps(content, indent=2) + "\n")


if __name__ == "__main__":
    main()
