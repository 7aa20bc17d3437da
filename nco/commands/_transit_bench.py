"""`nco transit bench`: methods of designing lines side by side."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from nco import console
from nco.commands import _problem, _transit_options

_METHODS = ("random", "demand", "greedy", "genetic", "bees", "hyper", "annealing")
_OUT = Path("out/transit-bench")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the action."""
    parser.epilog = (
        "Writes results.jsonl (one line a run), table.txt and report.json. Run it again to go on "
        "after an interruption. Exit code 0: all lines break no rule; 1: some do; 2: unusable "
        "input."
    )
    several: dict[str, Any] = {"nargs": "+", "action": "extend"}
    parser.add_argument(
        "instances",
        nargs="+",
        type=_transit_options.instance_path,
        metavar="INSTANCE",
        help=_transit_options.INSTANCE,
    )
    group = parser.add_argument_group("runs")
    group.add_argument("--method", **several, metavar="M", help=f"({' '.join(_METHODS)})")
    group.add_argument(
        "--objective", **several, metavar="O", help="see `nco transit design` (passenger)"
    )
    group.add_argument(
        "--evaluations", **several, type=_problem.whole, metavar="N", help="budgets (2000)"
    )
    group.add_argument(
        "--time-limit", **several, type=_problem.seconds, metavar="S", help="further budgets"
    )
    group.add_argument("--seeds", type=_problem.whole, default=5, help="runs of each (5)")
    group.add_argument("--seed", type=_problem.seed, default=0, help="the first (0)")
    group.add_argument("--jobs", type=_problem.whole, default=1, help="runs at a time (1)")
    _transit_options.add_simulation(parser, several=True)
    parser.add_argument("--out", type=_problem.path, default=_OUT, metavar="DIR", help=f"({_OUT})")
    _transit_options.add_output(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run what is missing; print and write the report."""
    import json

    from nco.answers import prepare
    from nco.files import write_atomic
    from nco.transit.bench import report as bench_report
    from nco.transit.bench import run as bench

    limits = tuple(arguments.time_limit or ())
    suite = bench.Suite(
        instances=tuple(arguments.instances),
        methods=tuple(arguments.method or _METHODS),
        objectives=tuple(arguments.objective or ("passenger",)),
        evaluations=tuple(arguments.evaluations or (() if limits else (2000,))),
        time_limits_s=limits,
        seeds=arguments.seeds,
        seed=arguments.seed,
        rules=arguments.rules,
        demand_shares=tuple(arguments.demand_share or (1.0,)),
    )
    prepare(arguments.out)
    with console.counter("transit benchmark", quiet=arguments.quiet) as done:
        results = bench.run(suite, arguments.out, jobs=arguments.jobs, done=done)
    data, text = console.finite(bench_report.data(results)), bench_report.text(results)
    write_atomic(arguments.out / "table.txt", text + "\n")
    write_atomic(arguments.out / "report.json", json.dumps(data, indent=1) + "\n")
    if arguments.json:
        console.write_json(data)
    else:
        console.write(text)
        console.write(f"\nwritten to {arguments.out}: {bench.NAME}, table.txt, report.json")
    return 0 if data["sound"] else 1
