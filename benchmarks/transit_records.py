"""Annealing on Mandl's and Mumford's networks over five seeds, beside what is published.

    python benchmarks/transit_records.py --folder TRANSIT [--network mumford0 ...] [--seeds 5]
        [--objective passenger operator] [--evaluations N]

One thread. Of each network: mean, least and largest value over the seeds, seconds of the processor,
how many lines of the best design occur again, and for the operator its cost without repetition.
Best published values are those that were found by any method; whether the sets of lines themselves
are public, so that our evaluator could be run on them, is said for each.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np

from nco.transit.design.distinct import repeated, without_repetition
from nco.transit.design.objective import ExactObjective
from nco.transit.design.registry import design
from nco.transit.evaluate.exact import evaluate
from nco.transit.files.read import read_instance
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


def row(folder: Path, network: str, objective: str, seeds: int, evaluations: int | None) -> str:
    """One line of the table."""
    where = "mandl" if network == "mandl" else folder / "mumford" / network
    instance = read_instance(where)
    passenger = objective == "passenger"
    values, lines, begin = [], [], time.process_time()
    for seed in range(seeds):
        found = design(
            ExactObjective(instance, float(passenger), float(not passenger)),
            "annealing",
            evaluations=evaluations or EVALUATIONS[network],
            seed=seed,
        )
        told = evaluate(instance, found.lines)
        values.append(told.travel_min if passenger else told.operator_min)
        lines.append(found.lines)
    cpu_s = (time.process_time() - begin) / seeds
    best = lines[int(np.argmin(values))]
    published, source = PUBLISHED[network, objective]
    apart = (
        ""
        if passenger
        else f"{evaluate(instance, without_repetition(instance, best)).operator_min:g}"
    )
    return (
        f"| {network} | {objective} | {np.mean(values):.3f} | {min(values):.3f} to "
        f"{max(values):.3f} | {cpu_s:.0f} | {repeated(best)} | {apart} | {published:g} | {source} |"
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, required=True, help="with mumford/")
    parser.add_argument("--network", nargs="+", default=list(EVALUATIONS))
    parser.add_argument("--objective", nargs="+", default=["passenger", "operator"])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--evaluations", type=int)
    given = parser.parse_args()
    print("| network | objective | mean | least to largest | processor s a run | repeated lines "
          "| without repetition | best published | source |")  # fmt: skip
    print("|---|---|---|---|---|---|---|---|---|")
    for objective in given.objective:
        for network in given.network:
            print(row(given.folder, network, objective, given.seeds, given.evaluations), flush=True)
    print(machine())


if __name__ == "__main__":
    main()
