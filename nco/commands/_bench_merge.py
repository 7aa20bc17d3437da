"""`nco bench merge`: the shards of a suite as one report."""

from __future__ import annotations

import argparse

from nco.commands import _bench_solvers, _problem


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the action."""
    parser.epilog = (
        "Reads results*.jsonl of each folder, the latest where a run is there twice. Writes "
        "results.jsonl, table.txt, report.json and anytime.png. Exit code 0: every answer is "
        "feasible, costs what its solver says and came in time; 1: not, or runs are missing; 2: "
        "unusable input, or results that should not be compared."
    )
    parser.add_argument(
        "folders",
        nargs="+",
        type=_problem.path,
        metavar="FOLDER",
        help="what shards wrote to, or a file of results",
    )
    parser.add_argument(
        "--out", type=_problem.path, required=True, metavar="DIR", help="gets the report"
    )
    parser.add_argument(
        "--mixed",
        action="store_true",
        help="join results of different suites, versions or processors all the same",
    )
    _bench_solvers.add_report_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Join, print and write the report."""
    from nco import bench
    from nco.answers import prepare
    from nco.files import write_atomic

    results = bench.gather(arguments.folders)
    if not arguments.mixed:
        bench.check_comparable(results)
    report = bench.Report(results, _bench_solvers.read_references(arguments), arguments.compare)
    prepare(arguments.out)
    lines = "".join(f"{result.line()}\n" for result in results)
    write_atomic(arguments.out / "results.jsonl", lines)
    code = _bench_solvers.publish(report, arguments.out, as_json=arguments.json)
    return 1 if bench.missing(results) else code
