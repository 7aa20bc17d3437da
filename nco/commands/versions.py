"""`nco versions`: what to put into a report of a problem or a measurement."""

import argparse

from nco import console
from nco.versions import machine, versions


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the verb."""
    parser.add_argument("--json", action="store_true", help="write one JSON object")


def run(arguments: argparse.Namespace) -> int:
    """Print versions and machine."""
    if arguments.json:
        console.write_json({"versions": versions(), "machine": machine()})
        return 0
    everything = {**versions(), **machine()}
    width = max(map(len, everything))
    console.write("\n".join(f"{name:<{width}}  {value}" for name, value in everything.items()))
    return 0
