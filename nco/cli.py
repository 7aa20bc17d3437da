"""The `nco` command: one verb a file in `nco.commands`, loaded when it is asked for.

Exit codes: 0 done and feasible; 1 done, but the answer is not feasible; 2 the input or the
options cannot be used (a message on stderr begins with `nco: error:`); 70 a fault of nco itself
(with a traceback); 130 interrupted by Ctrl-C or SIGTERM, whatever there is to show for it.
"""

import argparse
import contextlib
import errno
import os
import signal
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from typing import Any, NoReturn

from nco import __version__, console, interruption
from nco.commands._parser import Parser
from nco.errors import InputError, NcoError, StorageError, shortened, told_by_command
from nco.memory import ran_out

# Verb -> what it does. Its module in `nco.commands` has `add_arguments` and `run`.
VERBS = {
    "solve": "plan routes for a file of stops or a benchmark instance",
    "check": "check a solution against its problem, stop by stop",
    "sheets": "print a page a vehicle for drivers, and a summary",
    "city": "build, list, describe and remove cities",
    "geocode": "find addresses in a city, offline or by a server",
    "paths": "find several good ways from A to B, with a map of them",
    "match": "find the streets that recorded drives went along",
    "serve": "open the planner in the browser, and answer HTTP like vroom-express",
    "transit": "design bus lines, evaluate them, and compare methods that do",
    "evolve": "evolve operators of the neighbourhood search",
    "bench": "compare methods over instances and time budgets",
    "train": "train or validate a policy (Lightning command line)",
    "demo": "solve one problem on the built-in city by every method, with a map",
    "warm-up": "compile ahead what the first call of a command would compile",
    "versions": "say which versions of everything are installed",
}
# These hand their arguments on untouched to a command line of their own.
_PASSED_ON = frozenset({"train"})

FEASIBLE, UNUSABLE, FAULT, INTERRUPTED = 0, 2, 70, interruption.EXIT_CODE


def command() -> NoReturn:
    """The `nco` command as a process of its own.

    What it had to do is done when Python puts things away, and a signal changes nothing any more:
    Python's own handlers are gone by then, and the process would be killed without a word.
    """
    try:
        code = main()
    except KeyboardInterrupt:  # between the last line of a verb and this one
        console.write_error("interrupted")
        code = INTERRUPTED
    for number in interruption.SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    if code != INTERRUPTED:
        sys.exit(code)
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError, AttributeError):
            stream.flush()
    os._exit(code)  # what libraries tidy up in the end takes another second


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb.

    Args:
        argv: arguments without the program's name; None takes those of the process.

    Returns:
        The exit code.
    """
    given = list(sys.argv[1:] if argv is None else argv)
    verb = next((word for word in given if not word.startswith("-")), "")
    if verb in _PASSED_ON and given[0] == verb:
        arguments = argparse.Namespace(rest=given[1:])
    else:
        try:
            arguments = _parser(verb).parse_args(given)
        except SystemExit as ending:  # argparse ends by itself: 0 after --help, 2 on errors
            return int(ending.code or 0)
        verb = arguments.verb
    return _run(verb, arguments)


def _run(verb: str, arguments: argparse.Namespace) -> int:
    with interruption.heeded() as command:
        code = _code(verb, arguments)
    if not command.interrupted:
        return code
    if code != INTERRUPTED:
        console.write_error("interrupted; what is given is the best until then")
    return INTERRUPTED


def _code(verb: str, arguments: argparse.Namespace) -> int:
    as_json = getattr(arguments, "json", False)
    try:
        quiet = getattr(arguments, "quiet", False)
        with console.logging_to_stderr(quiet=quiet), told_by_command():
            return _result(verb, arguments)
    except NcoError as error:
        if as_json:
            kind = type(error).__name__
            with contextlib.suppress(StorageError):
                console.write_json({"error": {"kind": kind, "message": str(error)}})
        console.write_error(str(error))
        return UNUSABLE
    except KeyboardInterrupt:
        console.write_error("interrupted")
        return INTERRUPTED
    except BrokenPipeError:  # the reader of our output has gone (`nco ... | head`)
        sys.stdout = None
        return FEASIBLE
    except Exception as error:
        if ran_out(error):
            asked = f" ({shortened(error)})" if str(error) else ""
            console.write_error(
                f"out of memory{asked}; give fewer stops or points, ask for less at once, or use a "
                "larger machine"
            )
            return UNUSABLE
        traceback.print_exc()
        return FAULT  # not 1, Python's own choice: scripts read that as "not feasible"


def _result(verb: str, arguments: argparse.Namespace) -> int:
    try:
        return int(_module(verb).run(arguments))
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG:
            raise
        given = shortened(error.filename)
        raise InputError(f"no path can be as long as {given}; give a shorter one") from error


def _module(verb: str) -> Any:
    return import_module(f"nco.commands.{verb.replace('-', '_')}")


def _parser(verb: str) -> argparse.ArgumentParser:
    parser = Parser(
        prog="nco",
        description="Route planning on real cities: learned policies, exact checks, baselines.",
        epilog="`nco VERB --help` explains a verb. Exit codes: 0 feasible, 1 not feasible, "
        "2 unusable input, 70 a fault of nco, 130 interrupted.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"nco {__version__}")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    for name, purpose in VERBS.items():
        sub = verbs.add_parser(
            name,
            help=purpose,
            description=f"{purpose[0].upper()}{purpose[1:]}.",
            allow_abbrev=False,
        )
        if name == verb and name not in _PASSED_ON:
            _module(name).add_arguments(sub)
    return parser
