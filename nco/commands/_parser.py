"""A parser of arguments whose complaints quote little of what was given."""

import argparse
from typing import NoReturn

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
