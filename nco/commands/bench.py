"""`nco bench`: methods side by side over instances and time budgets, and trained policies."""

from __future__ import annotations

import argparse

from nco.commands import _bench_merge, _bench_paths, _bench_policies, _bench_solvers


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the verb: those of `solvers`, which is what it does by itself."""
    actions = parser.add_subparsers(dest="action", metavar="solvers|merge|policies|paths")
    solvers = actions.add_parser(
        "solvers",
        help="compare methods; may be left out",
        description="Compare methods over instances and time budgets.",
        allow_abbrev=False,
        argument_default=argparse.SUPPRESS,  # what was given before the action stays
    )
    _bench_solvers.add_arguments(solvers)
    merge = actions.add_parser(
        "merge",
        help="join the results of shards and report",
        description="Join the results of shards and report.",
        allow_abbrev=False,
    )
    _bench_merge.add_arguments(merge)
    policies = actions.add_parser(
        "policies",
        help="measure trained policies on fixed test sets instead",
        description="Measure trained policies on fixed test sets, against stored references.",
        allow_abbrev=False,
    )
    _bench_policies.add_arguments(policies)
    several = actions.add_parser(
        "paths",
        help="measure methods that find several paths from A to B instead",
        description="Measure methods that find several paths, on drives or on random pairs.",
        allow_abbrev=False,
    )
    _bench_paths.add_arguments(several)
    _bench_solvers.add_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Do the action."""
    if arguments.action == "policies":
        return _bench_policies.run(arguments)
    if arguments.action == "paths":
        return _bench_paths.run(arguments)
    if arguments.action == "merge":
        return _bench_merge.run(arguments)
    return _bench_solvers.run(arguments)
