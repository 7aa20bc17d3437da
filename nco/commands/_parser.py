"""A parser of arguments whose complaints quote little of what was given."""

import argparse
from collections.abc import Mapping
from typing import Any, NoReturn

from nco.errors import shortened


class Parser(argparse.ArgumentParser):
    """A parser, and parsers of its verbs, whose complaints are brief."""

    def error(self, message: str) -> NoReturn:
        """End with what is wrong and exit code 2."""
        super().error(brief(message))


def brief(message: str) -> str:
    """A complaint of argparse, its middle left out if long; what can be chosen is kept whole."""
    complaint, choose, choices = message.rpartition(" (choose from ")
    return shortened(complaint) + choose + choices if choose else shortened(message)


def add_actions(parser: argparse.ArgumentParser, actions: Mapping[str, tuple[Any, str]]) -> None:
    """Add the actions of a verb, one of which must be given, and their options.

    Args:
        parser: of the verb.
        actions: module and purpose of each by its name.
    """
    parsers = parser.add_subparsers(dest="action", required=True, metavar="|".join(actions))
    for name, (module, purpose) in actions.items():
        action = parsers.add_parser(
            name,
            help=purpose,
            description=f"{purpose[0].upper()}{purpose[1:]}.",
            allow_abbrev=False,
        )
        module.add_arguments(action)
