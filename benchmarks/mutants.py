"""Which small faults do the tests see?

Faults are put into the code of a room one at a time (`mutations.py`), and those tests of the room
run that reach the line. A mutant is killed if one of them fails, or does not end. Everything
happens on a copy of the tree below `--out`; what is known of a mutant there is not found again, so
that a run may be ended and begun at any time. `--again` judges survivors anew, by tests as they
are now.

    python benchmarks/mutants.py problem --sample 400 [--seed 0] [--jobs 1] [--again]

Compiled loops are judged without compiler, since to compile them for every mutant would take
minutes. Tests that are too slow, or cannot do without, are left out: shares are lower bounds.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import importlib.machinery
import json
import math
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mutants_watch import Only, Watch, without_compiler
from mutations import Mutant, mutants_of

ROOT = Path(__file__).parents[1]
MEMORY = 12 << 30  # bytes that a mutant may ask for
SLOWER = 10.0  # times that a mutant may take longer than the tests without it
GRACE_S = 20.0  # that it may take longer beside
PATIENCE = 10.0  # times its seconds of the processor that it may take by the clock


@dataclass(frozen=True)
class Room:
    """What is judged together.

    Attributes:
        code: patterns of files.
        tests: patterns of test files.
        most_s: seconds a test may take.
        compiler: whether loops are compiled.
    """

    code: tuple[str, ...]
    tests: tuple[str, ...]
    most_s: float = 10.0
    compiler: bool = True

    def files(self, tree: Path, patterns: tuple[str, ...]) -> list[str]:
        """Paths below a tree that match one of the patterns."""
        return sorted({str(p.relative_to(tree)) for x in patterns for p in tree.glob(x)})


LNS_TESTS = ("tests/test_lns*.py", "tests/test_operators*.py")
ROOMS = {
    "problem": Room(
        ("nco/problem/*.py", "nco/_validate.py"),
        ("tests/test_problem*.py", "tests/test_check*.py", "tests/test_solution*.py",
         "tests/test_schedule*.py", "tests/test_evaluate*.py", "tests/test_reasons*.py"),
    ),
    "lns": Room(
        tuple(f"nco/search/lns/{name}.py" for name in (
            "arrays", "guide", "operators", "pace", "parts", "ruled", "search", "solver")),
        (*LNS_TESTS, "tests/test_guide.py", "tests/test_islands.py"),
    ),
    "lns-kernels": Room(
        tuple(f"nco/search/lns/{name}.py" for name in (
            "annealing", "changes", "insertion", "pairs", "places", "removal", "rules",
            "shrinking")),
        LNS_TESTS,
        most_s=2.5,
        compiler=False,
    ),
    "formats": Room(
        ("nco/data/formats/*.py",),
        ("tests/test_formats*.py", "tests/test_native*.py", "tests/test_routes_files*.py",
         "tests/test_written*.py",
         "tests/test_stops*.py", "tests/test_vr*.py", "tests/test_table*.py",
         "tests/test_files.py"),
    ),
}  # fmt: skip


def main() -> None:
    """Judge a sample of the mutants of a room, and print a table and the survivors."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("room", choices=ROOMS)
    parser.add_argument("--sample", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--again", action="store_true", help="judge survivors anew")
    parser.add_argument("--out", type=Path, default=ROOT / "out" / "mutants")
    arguments = parser.parse_args()
    room = ROOMS[arguments.room]
    if not room.compiler:
        os.environ["NUMBA_DISABLE_JIT"] = "1"
    out = arguments.out.resolve() / arguments.room
    tree = out / "tree"
    _copy(tree)
    os.chdir(tree)
    sys.path.insert(0, str(tree))
    paths = room.files(tree, room.code)
    tests = Tests.of(room, tree, paths, out)
    found = [m for path in paths for m in mutants_of(path, (tree / path).read_text())]
    found.sort(key=lambda m: hashlib.sha256(f"{arguments.seed} {m.key}".encode()).digest())
    sample = found[: arguments.sample]
    known = _known(out / "results.jsonl", again=arguments.again)
    wanted = [m for m in sample if m.key not in known]
    tests.load()
    nothing = Mutant(paths[0], 1, 1, "nothing", "", "", 0, loads=True, key="nothing")
    if wanted and not tests.trusted.exists():
        if next(_judge_all([nothing], tests, tree, out, 1))[1] != "survived":
            sys.exit(f"tests fail without any fault, see {out / 'nothing.log'}")
        tests.trusted.touch()
    with (out / "results.jsonl").open("a") as results:
        for mutant, verdict in _judge_all(wanted, tests, tree, out, arguments.jobs):
            known[mutant.key] = verdict
            print(json.dumps({"key": mutant.key, "verdict": verdict}), file=results, flush=True)
            print(f"{verdict:<10} {mutant}", flush=True)
    _report(arguments.room, sample, len(found), known, tests)


def _copy(tree: Path) -> None:
    """Brings the copy of the tree up to date: what git knows or might, and compiled loops stay."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout.split("\n")  # fmt: skip
    wanted = {name for name in listed if name and (ROOT / name).exists()}
    for name in wanted:
        source, target = ROOT / name, tree / name
        if source.is_symlink() or source.is_dir():
            continue
        if not target.exists() or target.read_bytes() != source.read_bytes():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
    for old in tree.rglob("*.py"):
        if str(old.relative_to(tree)) not in wanted:
            old.unlink()


def _known(path: Path, *, again: bool) -> dict[str, str]:
    """What has been found of mutants before, the last word on each."""
    known = {}
    if path.exists():
        for line in path.read_text().splitlines():
            entry = json.loads(line)
            known[entry["key"]] = entry["verdict"]
    return {key: verdict for key, verdict in known.items() if verdict == "killed" or not again}


@dataclass
class Tests:
    """The tests of a room as they are without any fault.

    Attributes:
        room: whose they are.
        seconds: that each takes.
        lines: of each file, and the tests that reach them.
        left_out: tests that are too slow, or fail without compiler.
        modules: that they import.
        trusted: a file that is there once they have passed as mutants are judged, without a fault.
    """

    room: Room
    seconds: dict[str, float]
    lines: dict[str, dict[int, set[str]]]
    left_out: list[str]
    modules: list[str] = field(repr=False)
    trusted: Path

    @classmethod
    def of(cls, room: Room, tree: Path, paths: list[str], out: Path) -> Tests:
        """Runs them, unless that has been done for the same files."""
        files = [*paths, *room.files(tree, ("tests/*.py",))]
        texts = b"".join((tree / path).read_bytes() for path in files)
        name = out / f"tests-{hashlib.sha256(texts).hexdigest()[:12]}.json"
        if not name.exists():
            child = os.fork()
            if not child:
                watch = Watch(tree, paths, name)
                slow = f"--timeout={2 * room.most_s}"  # a watched test takes longer
                os._exit(_pytest(room, [slow, *room.files(tree, room.tests)], [watch]))
            os.waitpid(child, 0)
        found = json.loads(name.read_text())
        seconds: dict[str, float] = {}
        lines: dict[str, dict[int, set[str]]] = {path: {} for path in paths}
        left_out = list(dict.fromkeys(found["failed"]))
        for test, (took_s, reached) in found["tests"].items():
            if took_s > room.most_s:
                left_out.append(test)
                continue
            seconds[test] = took_s
            for path, numbers in reached.items():
                for line in numbers:
                    lines[path].setdefault(line, set()).add(test)
        return cls(room, seconds, lines, left_out, found["modules"], name.with_suffix(".trusted"))

    def load(self) -> None:
        """Imports other people's packages, once for all mutants."""
        own = {"nco", "tests", "conftest", *(path.stem for path in Path("tests").glob("*.py"))}
        for name in self.modules:
            if name.split(".")[0] not in own and not name.startswith("_"):
                with suppress(Exception):
                    importlib.import_module(name)

    def reaching(self, mutant: Mutant) -> list[str]:
        """Tests that reach the line of a mutant, the quickest first.

        What runs when a module is imported is judged by all that use the module.
        """
        if mutant.old == mutant.new:
            return list(self.seconds)
        known = self.lines[mutant.path]
        wanted = known if mutant.loads else range(mutant.line, mutant.last + 1)
        tests = set().union(*(known.get(line, set()) for line in wanted))
        return sorted(tests, key=lambda test: self.seconds[test])


def _pytest(room: Room, tests: list[str], plugins: list[Any]) -> int:
    """Runs tests in this process; quiet, and the same from time to time."""
    import pytest
    from hypothesis import HealthCheck, Phase, settings

    settings.register_profile(
        "mutants", database=None, deadline=None, derandomize=True,
        phases=(Phase.explicit, Phase.generate), suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    settings.load_profile("mutants")
    if not room.compiler:
        without_compiler()
    # Hypothesis is imported before pytest could have rewritten its assertions.
    quiet = ["-W", "ignore::pytest.PytestAssertRewriteWarning"]
    if not room.compiler:  # numpy's scalars warn where compiled numbers do not
        quiet += ["-W", "ignore::RuntimeWarning"]
    options = ["-q", "-p", "no:cacheprovider", "--tb=short", *quiet]
    return int(pytest.main([*options, *tests], plugins=plugins))


def _judge_all(
    mutants: list[Mutant], tests: Tests, tree: Path, out: Path, jobs: int
) -> Any:  # an iterator of mutants and verdicts
    """Each in a process of its own, `jobs` of them at a time."""
    waiting, running = list(reversed(mutants)), {}
    while waiting or running:
        while waiting and len(running) < jobs:
            mutant = waiting.pop()
            reaching = tests.reaching(mutant)
            if not reaching:
                yield mutant, "unreached"
                continue
            limit_s = GRACE_S + SLOWER * sum(tests.seconds[test] for test in reaching)
            child = os.fork()
            if not child:
                resource.setrlimit(resource.RLIMIT_CPU, (int(limit_s), int(limit_s)))
                _be(mutant, reaching, tests.room, tree, out)
            running[child] = (mutant, time.monotonic() + PATIENCE * limit_s)
        for child, (mutant, end) in list(running.items()):
            done, status = os.waitpid(child, os.WNOHANG)
            if not done and time.monotonic() < end:
                continue
            if not done:
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)
            code = os.waitstatus_to_exitcode(status) if done else -1
            yield mutant, {0: "survived", 5: "survived"}.get(code, "killed")
            del running[child]
        time.sleep(0.01)


def _be(mutant: Mutant, reaching: list[str], room: Room, tree: Path, out: Path) -> None:
    """This process takes the mutant for the file, runs tests, and ends."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    with (out / f"{mutant.key}.log").open("w") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    source = (tree / mutant.path).read_text()
    code = compile(mutant.applied(source), str(tree / mutant.path), "exec", dont_inherit=True)
    loader: Any = importlib.machinery.SourceFileLoader
    whole = loader.get_code

    def get_code(self: Any, name: str) -> Any:
        return code if self.path == str(tree / mutant.path) else whole(self, name)

    loader.get_code = get_code
    result = 1
    with suppress(BaseException):
        files = sorted({test.split("::")[0] for test in reaching})
        result = _pytest(room, ["-x", *files], [Only(reaching)])
    sys.stdout.flush()
    os._exit(result)


def _report(
    room: str, sample: list[Mutant], whole: int, known: dict[str, str], tests: Tests
) -> None:
    """How many are killed, in each file and in all, and those that are not."""
    print(f"\n{room}: {len(sample)} of {whole} mutants, {len(tests.seconds)} tests", end="")
    print(f"; left out: {', '.join(tests.left_out)}" if tests.left_out else "")
    for path in [*sorted({m.path for m in sample}), ""]:
        own = [m for m in sample if not path or m.path == path]
        killed = sum(known[m.key] == "killed" for m in own)
        low, high = _interval(killed, len(own))
        print(f"{path or 'all':<34}{killed:>5} of{len(own):>5}{killed / len(own):>7.1%}", end="")
        print(f"  ({low:.1%} to {high:.1%})")
    print()
    for mutant in sorted(sample, key=lambda m: (m.path, m.line)):
        if known[mutant.key] != "killed":
            print(f"{known[mutant.key]:<10} {mutant}")


def _interval(killed: int, count: int) -> tuple[float, float]:
    """Of a share, 95 % (Wilson)."""
    z2, share = 1.96**2, killed / count
    middle = share + z2 / (2 * count)
    width = math.sqrt(z2 * (share * (1 - share) / count + z2 / (4 * count**2)))
    return (middle - width) / (1 + z2 / count), (middle + width) / (1 + z2 / count)


if __name__ == "__main__":
    main()
