"""`nco bench`: methods side by side over instances and time budgets, and trained policies."""

from __future__ import annotations

import argparse
from pathlib import Path

from nco import console
from nco.commands import _bench_policies, _problem


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the verb."""
    parser.epilog = (
        "Writes results.jsonl (one line a run: cost by solver and by checker, time, versions, "
        "seed, processor), table.txt and anytime.png. Run it again to go on after an "
        "interruption. Exit code 0: every answer is feasible and costs what its solver says; "
        "1: not; 2: unusable input."
    )
    actions = parser.add_subparsers(dest="action", metavar="policies")
    policies = actions.add_parser(
        "policies",
        help="measure trained policies on fixed test sets instead",
        description="Measure trained policies on fixed test sets, against stored references.",
        allow_abbrev=False,
    )
    _bench_policies.add_arguments(policies)
    many = {"action": "append", "metavar": "NAME"}
    parser.add_argument("--city", **many, help="name or extract, repeatable (helsinki)")  # type: ignore[arg-type]
    parser.add_argument(
        "--problem", choices=("rcvrp", "rcvrptw", "atsp"), default="rcvrp", help="(rcvrp)"
    )
    parser.add_argument("--size", type=_problem.whole, default=50, help="stops (50)")
    parser.add_argument("--instances", type=_problem.whole, default=10, help="in each city (10)")
    parser.add_argument(
        "--within-km", type=_problem.seconds, metavar="KM", help="draw from a square"
    )
    parser.add_argument(
        "--method",
        nargs="+",
        default=["policy", "ortools", "pyvrp", "vroom"],
        metavar="M",
        help="(policy ortools pyvrp vroom)",
    )
    parser.add_argument(
        "--budget", nargs="+", type=_problem.seconds, default=[1.0], metavar="S", help="limits (1)"
    )
    parser.add_argument("--seed", type=_problem.seed, default=0, help="of the first instance (0)")
    parser.add_argument("--jobs", type=_problem.whole, default=1, help="runs at a time (1)")
    parser.add_argument(
        "--out", type=Path, default=Path("out/bench"), metavar="DIR", help="(out/bench)"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    parser.add_argument("--quiet", action="store_true", help="no progress and no log lines")


def run(arguments: argparse.Namespace) -> int:
    """Run the suite, print the table, draw the curve; or do the action."""
    if arguments.action == "policies":
        return _bench_policies.run(arguments)
    from dataclasses import asdict

    from nco import bench
    from nco.answers import prepare
    from nco.data.files import write_atomic

    suite = bench.Suite(
        cities=tuple(arguments.city or ["helsinki"]),
        problem=arguments.problem,
        size=arguments.size,
        instances=arguments.instances,
        seed=arguments.seed,
        within_km=arguments.within_km,
        methods=tuple(dict.fromkeys(arguments.method)),
        budgets_s=tuple(dict.fromkeys(arguments.budget)),
    )
    prepare(arguments.out)
    with console.counter("benchmark", quiet=arguments.quiet) as done:
        lines = bench.run(suite, arguments.out, jobs=arguments.jobs, done=done)
    text = bench.table(lines)
    write_atomic(arguments.out / "table.txt", text + "\n")
    _draw(lines, arguments.out / "anytime.png")
    sound = bench.sound(lines)
    if arguments.json:
        rows = [asdict(row) for row in bench.summarise(lines)]
        console.write_json({"suite": suite.describe(), "sound": sound, "rows": rows})
    else:
        console.write(text)
        console.write(f"written: {arguments.out}/results.jsonl, table.txt, anytime.png")
    return 0 if sound else 1


def _draw(lines: list[dict], path: Path) -> None:  # type: ignore[type-arg]
    import io

    from matplotlib.figure import Figure

    from nco.bench import gaps
    from nco.data.files import write_atomic
    from nco.plot import anytime

    runs = [
        (line["method"], line["budget_s"], gap)
        for line, gap in zip(lines, gaps(lines), strict=True)
        if gap is not None
    ]
    if not runs:
        return
    figure = Figure(figsize=(6.4, 4.0), dpi=150, layout="constrained")
    first = lines[0]
    count = len({line["instance"] for line in lines})
    title = f"{first['problem']}, {first['size']} stops, {count} instances, {first['processor']}"
    anytime(runs, figure.add_subplot(), title=title)
    png = io.BytesIO()
    figure.savefig(png, format="png")
    write_atomic(path, png.getvalue())
