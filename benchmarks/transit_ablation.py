"""What the tree, the network and the constructions are worth, under one clock.

    python benchmarks/transit_ablation.py --instance BLOOMINGTON [--instance CITY.json ...]
        [--share 1 0.3] [--processor-s 20] [--seeds 5] [--out out/transit-ablation.jsonl]

Every method has the same seconds of the processor on one thread, which a busy machine does not
change; importing packages and compiling do not count. Rows are differences from `hyper`, seed by
seed, with their standard error and 95 % interval (Student's t), because percentages of rewards that
may be negative say nothing. What is compared:

| from the same constructions | tree | no tree: sample as many lines, keep the best |
|---|---|---|
| the network | `mcts-built` | `resample-built` |
| demand, no training | `mcts-built-demand` | `resample-built-demand` |
| a random walk | `mcts-built-plain` | `resample-built-plain` |

and `hyper`, `genetic`, `greedy` (constructions alone), `policy-sampling` (the network alone). Runs
that the file holds are not run again.
"""

from __future__ import annotations

import argparse
import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from kept_runs import kept
from scipy.stats import t as student

from nco.transit.design.named import objective_of, settings_of
from nco.transit.design.registry import design
from nco.transit.files.read import read_instance
from nco.versions import machine

METHODS = (
    *("hyper", "mcts-built", "resample-built", "mcts-built-demand", "resample-built-demand"),
    *("mcts-built-plain", "resample-built-plain", "genetic", "greedy", "policy-sampling"),
)
BASE = "hyper"


def solved(key: dict[str, Any], rules: str) -> dict[str, Any]:
    """One run."""
    instance = read_instance(key["instance"])
    objective = objective_of(instance, "service", settings_of(rules, key["share"]))
    design(objective, key["method"], evaluations=20, seed=key["seed"])  # compiles what is used
    begin_s = time.process_time()
    found = design(
        objective, key["method"], processor_limit_s=key["processor_limit_s"], seed=key["seed"]
    )
    return {
        "reward": -found.cost,
        "processor_s": time.process_time() - begin_s,
        "evaluations": found.evaluations,
        "lines": [list(line) for line in found.lines],
    }


def rows(runs: dict[str, list[dict[str, Any]]]) -> list[str]:
    """A table of one instance and share of the demand; runs of all methods by seed."""
    text = [
        "| method | mean reward | less hyper | 95 % | processor s | evaluations |",
        "|---|---|---|---|---|---|",
    ]
    rewards = {method: np.array([run["reward"] for run in own]) for method, own in runs.items()}
    for method in sorted(runs, key=lambda name: -float(rewards[name].mean())):
        more = rewards[method] - rewards[BASE]
        error = more.std(ddof=1) / np.sqrt(len(more)) if len(more) > 1 else np.nan
        half = error * student.ppf(0.975, len(more) - 1) if len(more) > 1 else np.nan
        processor_s, evaluations = (
            np.mean([run[name] for run in runs[method]]) for name in ("processor_s", "evaluations")
        )
        text.append(
            f"| `{method}` | {rewards[method].mean():.2f} | {more.mean():+.2f} ± {error:.2f} | "
            f"{more.mean() - half:+.2f} to {more.mean() + half:+.2f} | {processor_s:.1f} | "
            f"{evaluations:.0f} |"
        )
    return text


def main() -> None:
    """Run what is missing, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--instance", action="append", required=True)
    parser.add_argument("--share", nargs="+", type=float, default=[1.0, 0.3])
    parser.add_argument("--rules", default="alphatransit")
    parser.add_argument("--processor-s", type=float, default=20.0)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--method", nargs="+", default=list(METHODS))
    parser.add_argument("--out", type=Path, default=Path("out/transit-ablation.jsonl"))
    given = parser.parse_args()
    methods = tuple(dict.fromkeys([BASE, *given.method]))
    for instance in given.instance:
        for share in given.share:
            keys = [
                {
                    "instance": instance,
                    "share": share,
                    "method": method,
                    "seed": seed,
                    "processor_limit_s": given.processor_s,
                }
                for seed in range(given.seeds)
                for method in methods
            ]
            runs: dict[str, list[dict[str, Any]]] = {method: [] for method in methods}
            for key in keys:
                run = kept(given.out, key, partial(solved, key, given.rules))
                runs[str(key["method"])].append(run)
            print(f"{instance}, share {share:g}", *rows(runs), "", sep="\n", flush=True)
    print(machine())


if __name__ == "__main__":
    main()
