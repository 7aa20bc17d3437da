"""`nco evolve`: operators of the neighbourhood search that are found, not written."""

from __future__ import annotations

import argparse

from nco.commands import _evolve_merge, _evolve_operators
from nco.commands._parser import add_actions

_ACTIONS = {
    "operators": (_evolve_operators, "evolve removals and insertions, judged in pairs"),
    "merge": (_evolve_merge, "join the islands of an evolution"),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the actions and their options."""
    add_actions(parser, _ACTIONS)


def run(arguments: argparse.Namespace) -> int:
    """Do the action."""
    code: int = _ACTIONS[arguments.action][0].run(arguments)
    return code
