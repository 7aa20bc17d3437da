"""How long does a command go on after Ctrl-C, and does it leave what it has?

    python benchmarks/interrupting.py [--stops 200] [--after 3] [--methods auto lns ...]

Each method solves a problem with capacities for 30 s, as a command of its own, and is interrupted
after some seconds of its search; then long commands that are no searches. Counted are seconds until
the process has ended. Exit code 130 is asked for, and of a method an answer on the disk that breaks
no rule; the exit code is 1 if anything is missing, or takes more than a second.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nco
from nco.solve import METHODS
from nco.versions import machine

LIMIT_S = 30.0
AT_ONCE_S = 1.0
PATIENCE_S = 60.0  # until a process is killed
ENDED = "had ended by itself"
LOADING_S = 120.0  # until a search has begun, at most
# Says when the search begins: seconds count from there.
PROGRAM = """
from nco import interruption
from nco.__main__ import command

begun = interruption.Command.keeping

def told(command):
    print("searching", flush=True)
    return begun(command)

interruption.Command.keeping = told
command()
"""
COMMANDS = (
    "transit design mandl --method annealing --evaluations 100000000 --out designed",
    "transit evaluate mandl lines.txt --uxsim",
    "evolve operators --city helsinki --stops 20 --instances 4 --out evolved",
    "bench solvers --size 100 --instances 4 --method lns --budget 20 --out benched",
    "train fit --config smoke --trainer.max_epochs 100000",
    "train label --config smoke --data.labels.path labels",
    "serve --port 0 --no-browser",
)


def started(folder: Path, words: list[str]) -> subprocess.Popen[str]:
    """A command under way that hears of Ctrl-C, whatever its parent does."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    environment = {**os.environ, "PYTHONPATH": str(Path(nco.__file__).parents[1])}
    try:
        return subprocess.Popen(
            [sys.executable, "-c", PROGRAM, *words], cwd=folder, env=environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
        )  # fmt: skip
    finally:
        signal.signal(signal.SIGINT, before)


def ended(process: subprocess.Popen[str]) -> tuple[float, str]:
    """Seconds that a command goes on after Ctrl-C, and what it still writes on stderr."""
    begin = time.perf_counter()
    process.send_signal(signal.SIGINT)
    try:
        _, err = process.communicate(timeout=PATIENCE_S)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        _, err = process.communicate()
    return time.perf_counter() - begin, err


def of_method(method: str, problem: Path, after_s: float) -> tuple[float, str]:
    """Seconds after Ctrl-C, and what is wrong, of a method."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        words = ["solve", str(problem), "--method", method, "--time-limit", str(LIMIT_S)]
        process = started(folder, [*words, "--out", name, "--json", "--quiet"])
        assert process.stdout is not None
        if process.stdout.readline() != "searching\n":
            _, err = process.communicate(timeout=LOADING_S)
            return 0.0, f"did not begin: {err.strip()[-200:]}"
        time.sleep(after_s)
        if process.poll() is not None:
            process.communicate()
            code = process.returncode
            return 0.0, f"had ended before, exit code {code}" if code else ENDED
        took_s, err = ended(process)
        wrong = [f"exit code {process.returncode}"] if process.returncode != 130 else []
        answer = folder / "solution.json"
        if not answer.exists():
            return took_s, ", ".join([*wrong, "no answer", err.strip()[-200:]])
        found = nco.load(answer)
        assert isinstance(found, nco.Solution)
        wrong += ["breaks rules"] if found.violations else []
        wrong += ["not marked as interrupted"] if not found.interrupted else []
        wrong += [f"leaves out {len(found.unassigned)} stops"] if found.unassigned else []
        return took_s, ", ".join(wrong)


def of_command(words: str, after_s: float) -> tuple[float, str]:
    """The same of a command."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "lines.txt").write_text("0-1-2-5-7-9-10-12\n9-13-12\n4-3-5-7-14-6\n")
        process = started(folder, words.split())
        time.sleep(after_s)
        if process.poll() is not None:
            _, err = process.communicate()
            code = process.returncode
            return 0.0, f"exit code {code}: {err.strip()[-200:]}" if code else ENDED
        took_s, err = ended(process)
        return took_s, "" if process.returncode == 130 else f"exit code {process.returncode}: {err}"


def main() -> None:
    """Interrupt one after the other, and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stops", type=int, default=200)
    parser.add_argument("--after", type=float, default=3.0, help="seconds of searching")
    parser.add_argument("--methods", nargs="*", default=list(METHODS))
    parser.add_argument("--commands", action=argparse.BooleanOptionalAction, default=True)
    given = parser.parse_args()
    print(f"{machine()}; {given.stops} stops, interrupted after {given.after:g} s", flush=True)
    failed = 0

    def told(what: str, took_s: float, wrong: str) -> bool:
        print(f"{what}: {took_s:.2f} s{', ' + wrong if wrong else ''}", flush=True)
        return wrong not in ("", ENDED) or took_s > AT_ONCE_S

    with tempfile.TemporaryDirectory() as name:
        problem = nco.sample.rcvrp(nco.city("helsinki"), given.stops, seed=1)
        file = nco.save(problem, Path(name) / "problem.json")
        for method in given.methods:
            failed += told(method, *of_method(method, file, given.after))
    for words in COMMANDS if given.commands else ():
        failed += told(words, *of_command(words, 2 * given.after))
    print(f"{failed} of {len(given.methods) + len(COMMANDS) * given.commands} failed")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
