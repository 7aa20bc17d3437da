"""What the tree, the network and the constructions are worth, under one clock.

    python benchmarks/transit_ablation.py --instance BLOOMINGTON [--instance CITY.json ...]
        [--share 1 0.3] [--time-limit 20] [--seeds 5] [--out out/transit-ablation]

Every method has the same seconds on one thread, set-up included; the processor time that it took is
told beside them, and how many sets of lines it evaluated. Run it on a machine that does nothing
else: both times should agree. Rows are differences from `hyper`, seed by seed, with their standard
error and 95 % interval (Student's t), because percentages of rewards that may be negative say
nothing. What is compared:

| from the same constructions | tree | no tree: sample as many lines, keep the best |
|---|---|---|
| the network | `mcts-built` | `resample-built` |
| demand, no training | `mcts-built-demand` | `resample-built-demand` |
| a random walk | `mcts-built-plain` | `resample-built-plain` |

and `hyper`, `genetic`, `greedy` (constructions alone), `policy-sampling` (the network alone). A
folder that exists is gone on with.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from pathlib import Path

import numpy as np
from scipy.stats import t as student

from nco.files import write_atomic
from nco.transit.bench import run as bench
from nco.transit.bench.result import RunResult
from nco.versions import machine

METHODS = (
    *("hyper", "mcts-built", "resample-built", "mcts-built-demand", "resample-built-demand"),
    *("mcts-built-plain", "resample-built-plain", "genetic", "greedy", "policy-sampling"),
)
BASE = "hyper"


def rows(results: list[RunResult]) -> list[str]:
    """A table of each instance and share of the demand."""
    groups: dict[tuple[str, float], dict[str, dict[int, RunResult]]] = defaultdict(
        lambda: defaultdict(dict)
    )
    for one in results:
        if one.cost is not None:
            groups[one.run.instance, one.run.demand_share][one.run.method][one.run.seed] = one
    text = []
    for (instance, share), found in groups.items():
        text += [
            f"{instance}, share {share:g}",
            "| method | mean reward | less hyper | 95 % | wall s | processor s | evaluations |",
            "|---|---|---|---|---|---|---|",
        ]
        base = found[BASE]
        for method, runs in sorted(found.items(), key=lambda item: _cost(item[1])):
            seeds = sorted(set(runs) & set(base))
            more = np.array([_cost({0: base[k]}) - _cost({0: runs[k]}) for k in seeds])
            error = more.std(ddof=1) / np.sqrt(len(more)) if len(more) > 1 else np.nan
            half = error * student.ppf(0.975, len(more) - 1) if len(more) > 1 else np.nan
            mean = [
                np.mean([getattr(run, name) for run in runs.values()])
                for name in ("time_s", "cpu_s", "evaluations")
            ]
            text.append(
                f"| `{method}` | {-_cost(runs):.2f} | {more.mean():+.2f} ± {error:.2f} | "
                f"{more.mean() - half:+.2f} to {more.mean() + half:+.2f} | {mean[0]:.1f} | "
                f"{mean[1]:.1f} | {mean[2]:.0f} |"
            )
        text.append("")
    return text


def _cost(runs: dict[int, RunResult]) -> float:
    return float(np.mean([run.cost for run in runs.values() if run.cost is not None]))


def main() -> None:
    """Run what is missing, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--instance", action="append", required=True)
    parser.add_argument("--share", nargs="+", type=float, default=[1.0, 0.3])
    parser.add_argument("--rules", default="alphatransit")
    parser.add_argument("--time-limit", type=float, default=20.0)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--method", nargs="+", default=list(METHODS))
    parser.add_argument("--out", type=Path, default=Path("out/transit-ablation"))
    given = parser.parse_args()
    suite = bench.Suite(
        instances=tuple(given.instance),
        methods=tuple(dict.fromkeys([BASE, *given.method])),
        objectives=("service",),
        time_limits_s=(given.time_limit,),
        seeds=given.seeds,
        rules=given.rules,
        demand_shares=tuple(given.share),
    )
    given.out.mkdir(parents=True, exist_ok=True)
    text = "\n".join([*rows(bench.run(suite, given.out)), str(machine())])
    write_atomic(given.out / "table.md", text + "\n")
    print(text)


if __name__ == "__main__":
    main()
