"""`nco train`: everything behind the verb goes to the training command line."""

import argparse


def run(arguments: argparse.Namespace) -> int:
    """Hand over to `nco.training.cli`."""
    from nco.training.cli import main

    return main(arguments.rest)
