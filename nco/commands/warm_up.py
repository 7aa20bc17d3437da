"""`nco warm-up`: compiles ahead what the first call of a command would compile."""

import argparse
import time

from nco import console, interruption


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the verb."""
    parser.epilog = (
        "What is compiled lies beside the package or, where that cannot be written to, in the "
        "user's cache folder (NCO_CACHE). It is good until nco, numba or the processor changes."
    )
    parser.add_argument("--quiet", action="store_true", help="no progress and no log lines")


def run(arguments: argparse.Namespace) -> int:
    """Compile, and say what took how long."""
    from nco.warm_up import LOOPS

    for name, prepare in LOOPS.items():
        begin = time.perf_counter()
        with console.progress(f"compiling {name}", quiet=arguments.quiet):
            prepare()
        if interruption.interrupted():  # a search that loads loops ended early, which is no answer
            raise KeyboardInterrupt
        if not arguments.quiet:
            console.write(f"ready: {name} ({time.perf_counter() - begin:.1f} s)")
    return 0
