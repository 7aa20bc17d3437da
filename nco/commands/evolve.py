"""`nco evolve`: operators of the neighbourhood search that are found, not written."""

from __future__ import annotations

import argparse

from nco.commands import _evolve_operators

_ACTIONS = {
    "operators": (_evolve_operators, "evolve removals and insertions, judged in pairs"),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the actions and their options."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="|".join(_ACTIONS))
    for name, (module, purpose) in _ACTIONS.items():
        action = actions.add_parser(
            name,
            help=purpose,
            description=f"{purpose[0].upper()}{purpose[1:]}.",
            allow_abbrev=False,
        )
        module.add_arguments(action)


def run(arguments: argparse.Namespace) -> int:
    """Do the action."""
    code: int = _ACTIONS[arguments.action][0].run(arguments)
    return code
