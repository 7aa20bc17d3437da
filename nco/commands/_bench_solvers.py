"""`nco bench solvers`: methods side by side over instances and time budgets."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nco import console
from nco.commands import _problem
from nco.errors import InputError, counted, quoted, shortened

if TYPE_CHECKING:
    from nco.bench import Report, Result, Suite

# Nothing has a default here, because `nco bench` takes the same options itself and those of the
# action must not undo them: what is left out is filled in by `run`.
_CITY, _PROBLEM, _SIZE, _COUNT, _SEED = "helsinki", "rcvrp", 50, 10, 0
_METHODS = ("auto", "policy", "pyvrp", "hgs", "vroom", "ortools")
_OUT = Path("out/bench")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the action."""
    parser.epilog = (
        "Writes results.jsonl (one line a run: cost by solver and by checker, time, versions, "
        "seed, processor), table.txt, report.json and anytime.png. Run it again to go on after an "
        "interruption. Exit code 0: every answer is feasible, costs what its solver says and came "
        "in time; 1: not; 2: unusable input."
    )
    several: dict[str, Any] = {"nargs": "+", "action": "extend"}
    group = parser.add_argument_group("instances drawn in cities")
    group.add_argument("--city", **several, metavar="NAME", help=f"names or extracts ({_CITY})")
    group.add_argument(
        "--problem", **several, metavar="P", help=f"rcvrp, rcvrptw, atsp ({_PROBLEM})"
    )
    group.add_argument(
        "--size", **several, type=_problem.whole, metavar="N", help=f"stops ({_SIZE})"
    )
    group.add_argument(
        "--instances", type=_problem.whole, metavar="N", help=f"of each kind and city ({_COUNT})"
    )
    group.add_argument(
        "--within-km",
        **several,
        type=_side,
        metavar="KM",
        help="sides of squares to draw from; 'whole' for the whole city (whole)",
    )
    group.add_argument("--how", metavar="HOW", help="points by road, cluster or node (road)")
    group.add_argument(
        "--capacity",
        **several,
        type=_above_zero,
        metavar="Q",
        help="one, or one a size (50 for 100 stops, 70 for 200, 100 for 500, 150 for 1000)",
    )
    group = parser.add_argument_group("instances in files, in place of drawn ones")
    group.add_argument(
        "--instance",
        **several,
        type=_problem.path,
        metavar="FILE",
        help="CVRPLIB .vrp, Solomon .txt, ...",
    )
    group.add_argument(
        "--folder", **several, type=_problem.path, metavar="DIR", help="every such file in a folder"
    )
    group.add_argument(
        "--rounding", choices=_problem.ROUNDINGS, help="of distances (the rule of the format)"
    )
    group = parser.add_argument_group("runs")
    group.add_argument("--method", **several, metavar="M", help=f"({' '.join(_METHODS)})")
    group.add_argument(
        "--budget", **several, type=_problem.seconds, metavar="S", help="time limits (1)"
    )
    group.add_argument(
        "--seed", type=_problem.seed, help=f"of the first instance, or of files ({_SEED})"
    )
    group.add_argument("--jobs", type=_problem.whole, help="runs at a time (1)")
    group.add_argument(
        "--executor", metavar="URL",
        help="run on other machines: dask://HOST:PORT, or mpi:// under mpiexec (here)",
    )  # fmt: skip
    group.add_argument("--shard", metavar="I/N", help="run share I of N; see `nco bench merge`")
    add_report_arguments(parser)
    parser.add_argument("--out", type=_problem.path, metavar="DIR", help=f"({_OUT})")


def add_report_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the report, which merging has as well."""
    group = parser.add_argument_group("report")
    group.add_argument(
        "--compare", metavar="M", help="count the wins of this method (auto, else the first)"
    )
    group.add_argument(
        "--references",
        action="extend",
        nargs="+",
        type=_problem.path,
        metavar="FILE",
        help="results.jsonl of earlier runs: their best answers count as known",
    )
    group.add_argument("--json", action="store_true", help="one JSON object on stdout")
    group.add_argument("--quiet", action="store_true", help="no progress and no log lines")


def run(arguments: argparse.Namespace) -> int:
    """Run the suite or a share of it; print and write the report."""
    from nco import bench
    from nco.answers import prepare
    from nco.executors import executor_at

    if arguments.executor is not None and arguments.jobs is not None:
        raise InputError("--jobs is for processes here, --executor for others; leave one out")
    shard = None if arguments.shard is None else bench.Shard.of(arguments.shard)
    suite, out = _suite(arguments), arguments.out or _OUT
    references = read_references(arguments)
    if arguments.compare is not None and arguments.compare not in suite.methods:
        raise InputError(
            f"--compare {shortened(arguments.compare)}: it is not among the methods to run, "
            f"{', '.join(suite.methods)}; add it to --method"
        )
    prepare(out)
    with (
        executor_at(arguments.executor) as executor,
        console.counter("benchmark", quiet=arguments.quiet) as done,
    ):
        results = bench.run(
            suite, out, jobs=arguments.jobs or 1, shard=shard, executor=executor, done=done
        )
    if shard is not None:
        return _tell_shard(arguments, shard, results, out)
    bench.check_comparable(results)
    report = bench.Report(results, references, arguments.compare)
    return publish(report, out, as_json=arguments.json, suite=suite)


def read_references(arguments: argparse.Namespace) -> list[Result]:
    """The results of earlier runs that the arguments name."""
    from nco import bench

    return bench.gather(arguments.references) if arguments.references else []


def publish(report: Report, out: Path, *, as_json: bool, suite: Suite | None = None) -> int:
    """Write table, report and figure, print what was asked for, and return the exit code."""
    import json

    from nco.files import write_atomic

    data = console.finite(report.data())
    if suite is not None:
        data = {"suite": suite.describe(), **data}
    text = report.text()
    write_atomic(out / "table.txt", text + "\n")
    write_atomic(out / "report.json", json.dumps(data, indent=1) + "\n")
    written = ["results.jsonl", "table.txt", "report.json"]
    if any(row.gap is not None for row in report.rows):
        from nco.plot.bench_figure import picture

        write_atomic(out / "anytime.png", picture(report))
        written.append("anytime.png")
    if as_json:
        console.write_json(data)
    else:
        console.write(text)
        console.write(f"\nwritten to {out}: {', '.join(written)}")
    return 0 if report.sound else 1


def _suite(arguments: argparse.Namespace) -> Suite:
    from nco import bench

    seed = _SEED if arguments.seed is None else arguments.seed
    files, folders = arguments.instance or (), arguments.folder or ()
    of_cities = ("city", "problem", "size", "instances", "within_km", "how", "capacity")
    given = [name for name in of_cities if getattr(arguments, name) is not None]
    if (files or folders) and given:
        raise InputError(
            f"--{given[0].replace('_', '-')} is for instances drawn in cities, --instance and "
            "--folder are for files; run them one after the other, or leave one out"
        )
    if arguments.rounding is not None and not (files or folders):
        raise InputError("--rounding is for files; name some with --instance or --folder")
    instances: tuple[bench.Drawn | bench.Stored, ...]
    if files or folders:
        instances = bench.in_files(files, folders, seed=seed, rounding=arguments.rounding)
    else:
        instances = bench.in_cities(
            arguments.city or (_CITY,),
            arguments.problem or (_PROBLEM,),
            arguments.size or (_SIZE,),
            count=arguments.instances or _COUNT,
            seed=seed,
            within_km=arguments.within_km or (None,),
            how=arguments.how or "road",
            capacity=arguments.capacity or (),
        )
    return bench.Suite(
        instances=instances,
        methods=tuple(arguments.method or _METHODS),
        budgets_s=tuple(arguments.budget or (1.0,)),
    )


def _tell_shard(arguments: argparse.Namespace, shard: Any, results: list[Result], out: Path) -> int:
    """A share alone has no report: its best known answers may lie in another one."""
    from nco.bench.run import results_name

    sound = all(result.sound for result in results)
    name = results_name(shard)
    if arguments.json:
        console.write_json(
            {"shard": str(shard), "runs": len(results), "sound": sound, "results": name}
        )
    else:
        console.write(
            f"shard {shard}: {counted(len(results), 'run')}, {'all' if sound else 'NOT all'} "
            "sound, kept in "
            f"{out / name}; `nco bench merge` joins all shards"
        )
    return 0 if sound else 1


def _side(text: str) -> float | None:
    return None if text == "whole" else _above_zero(text)


def _above_zero(text: str) -> float:
    """A finite number above 0."""
    try:
        return _problem.seconds(text)
    except argparse.ArgumentTypeError:
        raise argparse.ArgumentTypeError(f"{quoted(text)} is not a number above 0") from None
