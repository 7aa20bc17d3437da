"""`nco evolve merge`: the islands of an evolution as one file of operators."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nco.commands import _problem
from nco.commands._evolve_found import found_operators, state_path, tell
from nco.errors import FormatError, InputError, shortened
from nco.json_text import record

if TYPE_CHECKING:
    import argparse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the action."""
    parser.epilog = (
        "Reads FILE.state beside each file, and writes the best pairs of all: islands judge on the "
        "same searches, so that what pairs are worth can be compared. Exit code 0: operators are "
        "written; 2: the files are of different evolutions, or unusable."
    )
    parser.add_argument(
        "files", nargs="+", type=_problem.path, metavar="FILE",
        help="what `nco evolve operators --shard` has written",
    )  # fmt: skip
    parser.add_argument(
        "--out", type=_problem.path, required=True, metavar="FILE", help="of the operators"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")


def run(arguments: argparse.Namespace) -> int:
    """Join, and write the best pairs."""
    from nco.search.evolve.files import read_evolution, write_operators
    from nco.search.evolve.judge import Trial
    from nco.search.evolve.state import joined

    read = [read_evolution(state_path(file)) for file in arguments.files]
    tasks = [dict(task) for _, task in read]
    shards = [task.pop("shard", None) for task in tasks]
    for file, task in zip(arguments.files, tasks, strict=True):
        if task != tasks[0]:
            raise InputError(
                f"{file} is of another evolution than {arguments.files[0]}; give files of one "
                "command that differ in --shard and --out only"
            )
    try:
        trial, instances = record(Trial, tasks[0].get("trial")), int(tasks[0]["instances"])
    except (ValueError, TypeError, LookupError) as error:
        raise FormatError(
            f"{state_path(arguments.files[0])} is damaged: {shortened(error)}"
        ) from None
    state = joined([state for state, _ in read])
    if not state.best(instances, trial):
        raise InputError("no pair was judged on all instances yet; let the islands go on")
    found = found_operators(state, trial, instances, tasks[0] | {"shards": shards})
    write_operators(arguments.out, found)
    tell(arguments, state, found)
    return 0
