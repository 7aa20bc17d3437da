"""Annealing on Mandl's and Mumford's networks over five seeds, beside what is published.

    python benchmarks/transit_records.py --folder TRANSIT [--network mumford0 ...] [--seeds 5]
        [--objective passenger operator] [--evaluations N | --processor-s S] [--out RUNS.jsonl]

One thread. Runs that the file holds are not run again, and with `--processor-s` a busy machine
changes nothing. Of each network: mean, least and largest value over the seeds, seconds of the
processor, how many lines of the best design occur again, and for the operator its cost without
repetition. Best published values are those that were found by any method; whether the sets of lines
themselves are public, so that our evaluator could be run on them, is said for each.
"""

from __future__ import annotations

import argparse
import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from kept_runs import kept

from nco.transit.design.distinct import repeated, without_repetition
from nco.transit.design.objective import ExactObjective
from nco.transit.design.registry import design
from nco.transit.evaluate.exact import evaluate
from nco.transit.files.read import read_instance
from nco.transit.instance.lines import as_lines
from nco.versions import machine

# Evaluations of a run; value, source, and whether its lines were seen.
EVALUATIONS = {
    "mandl": 600_000,
    "mumford0": 1_000_000,
    "mumford1": 1_000_000,
    "mumford2": 2_000_000,
    "mumford3": 2_000_000,
}
AHMED = "Ahmed et al. 2019, lines not seen"
PUBLISHED = {
    ("mandl", "passenger"): (10.18, AHMED),
    ("mumford0", "passenger"): (14.09, f"{AHMED}; 14.34 of lines seen"),
    ("mumford1", "passenger"): (21.69, f"{AHMED}; 21.94 of lines seen"),
    ("mumford2", "passenger"): (25.19, f"{AHMED}; 25.31 of lines seen"),
    ("mumford3", "passenger"): (28.03, "Hüsselmann 2022, lines seen"),
    ("mandl", "operator"): (63, "several, lines seen"),
    ("mumford0", "operator"): (94, "John 2016, lines seen"),
    ("mumford1", "operator"): (408, f"{AHMED}; 445 of lines seen"),
    ("mumford2", "operator"): (1330, f"{AHMED}; 1545 of lines seen"),
    ("mumford3", "operator"): (1746, f"{AHMED}; 1879 of lines seen"),
}


def solved(folder: Path, key: dict[str, Any], limits: dict[str, float]) -> dict[str, Any]:
    """One run."""
    instance = read_instance(where(folder, key["network"]))
    passenger = key["objective"] == "passenger"
    aim = ExactObjective(instance, float(passenger), float(not passenger))
    design(aim, "annealing", evaluations=2_000, seed=key["seed"])  # loads the compiled loops
    begin_s = time.process_time()
    found = design(aim, "annealing", seed=key["seed"], **limits)  # type: ignore[arg-type]
    told = evaluate(instance, found.lines)
    return {
        "value": told.travel_min if passenger else told.operator_min,
        "violations": sum(told.violations),
        "processor_s": time.process_time() - begin_s,
        "evaluations_done": found.evaluations,
        "lines": [list(line) for line in found.lines],
    }


def where(folder: Path, network: str) -> str | Path:
    """What an instance is read from."""
    return "mandl" if network == "mandl" else folder / "mumford" / network


def row(folder: Path, network: str, objective: str, runs: list[dict[str, Any]]) -> str:
    """One line of the table."""
    instance = read_instance(where(folder, network))
    values = [run["value"] for run in runs]
    best = as_lines(runs[int(np.argmin(values))]["lines"])
    cpu_s = np.mean([run["processor_s"] for run in runs])
    published, source = PUBLISHED[network, objective]
    apart = (
        ""
        if objective == "passenger"
        else f"{evaluate(instance, without_repetition(instance, best)).operator_min:g}"
    )
    broken = sum(run["violations"] for run in runs)
    return (
        f"| {network} | {objective} | {np.mean(values):.3f} | {min(values):.3f} to "
        f"{max(values):.3f} | {cpu_s:.0f} | {repeated(best)} | {apart} | {published:g} | {source} |"
        + (f" {broken} rules broken" if broken else "")
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, required=True, help="with mumford/")
    parser.add_argument("--network", nargs="+", default=list(EVALUATIONS))
    parser.add_argument("--objective", nargs="+", default=["passenger", "operator"])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--evaluations", type=int)
    parser.add_argument("--processor-s", type=float, help="of a run, in place of evaluations")
    parser.add_argument("--out", type=Path, default=Path("out/transit-records.jsonl"))
    given = parser.parse_args()
    print("| network | objective | mean | least to largest | processor s a run | repeated lines "
          "| without repetition | best published | source |")  # fmt: skip
    print("|---|---|---|---|---|---|---|---|---|")
    for objective in given.objective:
        for network in given.network:
            limits: dict[str, float] = (
                {"processor_limit_s": given.processor_s}
                if given.processor_s
                else {"evaluations": given.evaluations or EVALUATIONS[network]}
            )
            runs = []
            for seed in range(given.seeds):
                key = {"network": network, "objective": objective, "seed": seed} | limits
                runs.append(kept(given.out, key, partial(solved, given.folder, key, limits)))
            print(row(given.folder, network, objective, runs), flush=True)
    print(machine())


if __name__ == "__main__":
    main()
