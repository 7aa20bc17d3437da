"""What every reader makes of damaged files: a typed error, in a second and little memory?

    python benchmarks/fuzz_readers.py [--files 100000] [--seed 0] [--jobs 2] [--out FOLDER]

Valid files of every reader are damaged at random (bytes, words, JSON, members of archives,
headers) and read again. The table says by reader how many were read after all, how many ended in
which error of nco, and how many in something else: another exception or a warning, more than a
second, more than half a gigabyte, a message that quotes without end, or a dead process. Each such
file is kept in the folder, and the exit code is 1. File `k` follows from the seed and `k` alone;
what was done is written down in the folder, so that the same command goes on where it was stopped.
"""

from __future__ import annotations

import argparse
import contextlib
import faulthandler
import json
import logging
import random
import resource
import subprocess
import sys
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).parents[1] / "tests"))  # where spreadsheets are written, ...
MOST_S = 1.0
MOST_BYTES = 1 << 29
MOST_MESSAGE = 6000  # our own words, things that are quoted in twenty faults, and the path
HUNG_S = 20
STEP = 100  # files between two notes of progress


def judged(reader: Any, whole: bytes, rng: random.Random) -> tuple[str, bytes]:
    """What becomes of one damaged file, and the file."""
    from fuzzing.mutations import mutated

    from nco.errors import NcoError

    raw = mutated(whole, reader.ways, rng)
    reader.file.write_bytes(raw)
    base = forget_peak()
    began = time.process_time()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            reader.read(reader.file)
        outcome = "read"
    except NcoError as error:
        outcome = type(error).__name__
        if len(str(error)) > MOST_MESSAGE:
            outcome = f"! {outcome} of {len(str(error))} characters"
    except (Exception, RecursionError) as error:
        outcome = f"! {type(error).__name__} at {_place(error)}"
    took_s = time.process_time() - began
    if took_s > MOST_S:
        outcome = f"! slow, then {outcome}"
    elif peak() - base > MOST_BYTES:
        outcome = f"! large, then {outcome}"
    reader.file.write_bytes(whole)
    return outcome, raw


def _place(error: BaseException) -> str:
    """Where in nco an error came out."""
    place, trace = "?", error.__traceback__
    while trace:
        file = Path(trace.tb_frame.f_code.co_filename)
        if "nco" in file.parts and "site-packages" not in file.parts:
            place = f"{file.name}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place


def forget_peak() -> int:
    """Have the system measure the peak of memory anew; bytes now."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")
    return peak()


def peak() -> int:
    """Most bytes that were in memory since."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return 1024 * int(line.split()[1])
    return 0


def outcomes(
    folder: Path, seed: int, numbers: Iterator[int]
) -> Iterator[tuple[int, str, str, bytes]]:
    """Number, reader, outcome and content of damaged files."""
    from fuzzing.readers import readers

    all_readers = readers(folder)
    whole = {reader.name: reader.file.read_bytes() for reader in all_readers}
    for number in numbers:
        reader = all_readers[number % len(all_readers)]
        rng = random.Random(f"{seed} {number}")
        outcome, raw = judged(reader, whole[reader.name], rng)
        yield number, reader.name, outcome, raw


def work(arguments: argparse.Namespace) -> None:
    """One process: every `jobs`-th file, from where it stopped."""
    logging.getLogger("nco").setLevel(logging.CRITICAL)  # damaged files have much to warn of
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    out, job = arguments.out, arguments.worker
    state = out / f"state-{job}.json"
    done = json.loads(state.read_text()) if state.exists() else {"next": job, "counts": {}}
    counts = Counter({tuple(k.split("\t")): n for k, n in done["counts"].items()})
    at = out / f"at-{job}"

    def numbers() -> Iterator[int]:
        for number in range(done["next"], arguments.files, arguments.jobs):
            at.write_text(str(number))
            faulthandler.dump_traceback_later(HUNG_S, exit=True)
            yield number

    def note(following: int) -> None:
        text = {"next": following, "counts": {"\t".join(k): n for k, n in counts.items()}}
        state.with_suffix(".new").write_text(json.dumps(text))
        state.with_suffix(".new").replace(state)

    for count, (number, name, outcome, raw) in enumerate(
        outcomes(out / f"files-{job}", arguments.seed, numbers()), start=1
    ):
        faulthandler.cancel_dump_traceback_later()
        counts[name, outcome] += 1
        if outcome.startswith("!"):
            (out / "found").mkdir(exist_ok=True)
            (out / "found" / f"{number}-{name.replace(' ', '-')}").write_bytes(raw)
        if count % STEP == 0:
            note(number + arguments.jobs)
    note(arguments.files + job)


def supervise(arguments: argparse.Namespace) -> Counter[tuple[str, str]]:
    """Run the processes; one that dies is noted and replaced."""
    from fuzzing.readers import readers

    out = arguments.out
    out.mkdir(parents=True, exist_ok=True)
    names = [reader.name for reader in readers(out / "names")]
    died: Counter[tuple[str, str]] = Counter()
    command = [sys.executable, __file__, *sys.argv[1:], "--worker"]
    running = {job: subprocess.Popen([*command, str(job)]) for job in range(arguments.jobs)}
    while running:
        time.sleep(0.5)
        for job, process in list(running.items()):
            if process.poll() is None:
                continue
            del running[job]
            if process.returncode:
                number = int((out / f"at-{job}").read_text())
                died[names[number % len(names)], f"! died at file {number}"] += 1
                _skip(out, job, number, arguments.jobs)
                running[job] = subprocess.Popen([*command, str(job)])
    total = died
    for job in range(arguments.jobs):
        counts = json.loads((out / f"state-{job}.json").read_text())["counts"]
        total.update({tuple(k.split("\t")): n for k, n in counts.items()})
    return total


def _skip(out: Path, job: int, number: int, jobs: int) -> None:
    state = out / f"state-{job}.json"
    done = json.loads(state.read_text()) if state.exists() else {"counts": {}}
    state.write_text(json.dumps(done | {"next": number + jobs}))


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path("out/fuzz"))
    parser.add_argument("--worker", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.worker is not None:
        work(arguments)
        return 0
    total = supervise(arguments)
    by_reader: dict[str, Counter[str]] = {}
    for (name, outcome), n in total.items():
        by_reader.setdefault(name, Counter())[outcome] += n
    for name, counts in by_reader.items():
        print(f"{name:36}", ", ".join(f"{k} {n}" for k, n in counts.most_common()))
    wrong = sum(n for (_, outcome), n in total.items() if outcome.startswith("!"))
    print(f"{sum(total.values())} damaged files, {wrong} of them ended as they must not")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
