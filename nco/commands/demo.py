"""`nco demo`: every method on one problem in the built-in city."""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from nco import console
from nco.commands import _problem
from nco.threads import one_thread

if TYPE_CHECKING:
    from nco.demo import Demo


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the verb."""
    parser.epilog = (
        "Exit code 0: every answer passes the checker; 1: one does not; 2: unusable options."
    )
    parser.add_argument(
        "--out", type=_problem.path, default=Path("out/demo"), metavar="DIR", help="(out/demo)"
    )
    parser.add_argument("--method", type=_problem.names, metavar="M[,M]", help="(all that fit)")
    parser.add_argument(
        "--time-limit", type=_problem.seconds, metavar="S", help="of each method (2)"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    parser.add_argument("--quiet", action="store_true", help="no progress and no log lines")


def run(arguments: argparse.Namespace) -> int:
    """Run the demo and print its table."""
    one_thread()
    from nco import demo

    done = demo.run(
        arguments.out,
        methods=arguments.method or demo.METHODS,
        time_limit_s=arguments.time_limit or demo.TIME_LIMIT_S,
        show=partial(console.progress, quiet=arguments.quiet),
    )
    if arguments.json:
        console.write(done.files["report"].read_text(encoding="utf-8").rstrip())
    else:
        _print(done)
    return 0 if done.sound else 1


def _print(done: Demo) -> None:
    from rich.console import Console
    from rich.table import Table

    from nco import demo
    from nco.compare import best, notes, table

    shown = Table(title=f"{len(done.problem.stops)} deliveries in Helsinki, every answer checked")
    titles, *rows = table(done.problem, done.answers)
    for k, title in enumerate(titles):
        shown.add_column(title, justify="right" if k else "left")
    winner = best(done.answers)
    for answer, row in zip(done.answers, rows, strict=True):
        shown.add_row(*map(console.visible, row), style="bold green" if answer is winner else None)
    Console().print(shown)
    for note in notes(done.answers):
        console.write(note)
    if any(answer.method == "policy" for answer in done.answers):
        console.write(f"policy: {demo.POLICY}; auto and the others search until the limit")
    for path in done.files.values():
        console.write(f"written: {path}")
    console.write("plan your own stops in the browser: nco serve")
