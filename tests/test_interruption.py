"""Ctrl-C and SIGTERM: whatever runs ends at once, with the best that it has."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

import nco
from nco import interruption
from nco.baselines import apart
from nco.files import write_atomic
from nco.solver import Clock
from nco.transit.design.method import Progress
from nco.transit.design.registry import design
from nco.transit.instance.transit_instance import TransitInstance

LIMIT_S = 30.0
AT_ONCE_S = 6.0  # below 1 on a quiet machine; a busy one took 3.5
METHODS = (
    "auto", "lns", "genetic", "policy-sample", "policy-active", "mcts",
    "pyvrp", "ortools", "vroom", "hgs",
)  # fmt: skip
COMMANDS = (
    "transit evaluate mandl lines.txt --lines 3 --uxsim",
    "warm-up",
    "bench policies --sets helsinki --references references --jobs 2",
    "train fit --config smoke --trainer.max_epochs 100000",
    "train transit fit --config transit-ppo",
    "train specialise --city helsinki",
    "train label --config smoke --data.labels.path labels",
)

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals are those of POSIX")

# Says on stdout when the search begins, so that nothing depends on how long loading takes.
COMMAND = """
from nco import interruption
from nco.__main__ import command

print("begun", flush=True)
begun = interruption.Command.keeping

def told(command):
    print("searching", flush=True)
    return begun(command)

interruption.Command.keeping = told
command()
"""


@pytest.fixture(scope="module")
def problem_file(tmp_path_factory):
    rng = np.random.default_rng(7)
    xy = rng.integers(0, 1000, (101, 2)).astype(float)
    distance_m = np.rint(np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1)))
    problem = nco.Problem.from_matrices(
        distance_m, demand=[0, *rng.integers(1, 10, 100)], capacity=50, vehicles=20
    )
    return nco.save(problem, tmp_path_factory.mktemp("interrupted") / "problem.json")


def started(*arguments: str | Path) -> subprocess.Popen:
    """A command under way; it does not inherit that signals are ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        process = subprocess.Popen(
            [sys.executable, "-c", COMMAND, *map(str, arguments)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip
        assert process.stdout.readline() == "begun\n"  # there is a Python to be told of signals
        return process
    finally:
        signal.signal(signal.SIGINT, before)


def ended(process: subprocess.Popen, number: signal.Signals) -> tuple[str, str, float]:
    """What a command still writes after a signal, and the seconds that it takes."""
    begin = time.perf_counter()
    process.send_signal(number)
    out, err = process.communicate(timeout=LIMIT_S)
    took_s = time.perf_counter() - begin
    for _ in range(100):  # the command leads a group that its children are in
        try:
            os.killpg(process.pid, 0)
        except ProcessLookupError:
            break
        time.sleep(0.02)
    else:
        os.killpg(process.pid, signal.SIGKILL)
        pytest.fail("a child is left running")
    return out, err, took_s


@pytest.mark.parametrize("method", METHODS)
def test_every_method_ends_at_once(method, problem_file, tmp_path):
    """Interrupted in its search: exit code 130, its best answer whole on the disk, no child."""
    number = signal.SIGTERM if method in ("hgs", "lns") else signal.SIGINT
    process = started(
        "solve", problem_file, "--method", method, "--time-limit", LIMIT_S, "--out", tmp_path,
        "--json", "--quiet",
    )  # fmt: skip
    assert process.stdout.readline() == "searching\n"
    time.sleep(0.6)
    out, err, took_s = ended(process, number)
    assert process.returncode == 130, err
    assert took_s < AT_ONCE_S
    report = json.loads(out)
    assert report["interrupted"]
    assert report["answers"][0]["interrupted"]
    problem = nco.load(problem_file)
    solution = nco.load(tmp_path / "solution.json")
    assert solution.interrupted
    assert not solution.violations
    assert nco.check(problem, solution).cost == pytest.approx(solution.cost.total)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        Path(name).name for name in report["files"].values()
    )


@pytest.mark.parametrize("after_s", [0.5, 5.0])
@pytest.mark.parametrize("words", COMMANDS)
def test_commands_without_a_search_end_at_once(words, after_s, tmp_path, monkeypatch):
    """Loading, compiling, measuring or training: exit code 130, one sentence, no child."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NCO_CACHE", str(tmp_path / "cache"))
    (tmp_path / "lines.txt").write_text("0-1-2-5-7-9-10-12\n9-13-12\n4-3-5-7-14-6\n")
    process = started(*words.split())
    time.sleep(after_s)
    _, err, took_s = ended(process, signal.SIGINT)
    assert took_s < AT_ONCE_S
    assert "Traceback" not in err
    if process.returncode in (0, 1):  # it had ended, or had nothing left to do
        return
    assert process.returncode == 130, err
    assert err.splitlines()[-1] == "nco: error: interrupted"


@pytest.mark.parametrize("number", interruption.SIGNALS)
@pytest.mark.parametrize("after_s", [0.05, 0.15, 0.3, 0.6, 1.0])
def test_a_short_command_is_never_killed_without_a_word(number, after_s):
    """From its first line to what Python does after its last: its own exit code, or 130."""
    process = started("versions")
    time.sleep(after_s)
    _, err, _ = ended(process, number)
    assert (process.returncode, err) in ((0, ""), (130, "nco: error: interrupted\n"))


def test_an_interruption_ends_the_clocks_that_run():
    """Searches under way have no time left; one that begins later has all of its own."""
    before = Clock(10.0)
    interruption.end_searches()
    assert before.over
    assert Clock(10.0).left_s > 9.0


def children() -> set[str]:
    """Processes that this one has started and not yet seen the end of (Linux)."""
    lists = Path("/proc/self/task").glob("*/children")
    return {process for found in lists for process in found.read_text().split()}


def test_from_python_an_interruption_is_an_exception():
    """A native search is ended by `KeyboardInterrupt` at once, and its child is gone."""
    main, before = threading.get_ident(), children()
    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        pytest.skip("SIGINT is ignored here")
    threading.Timer(0.3, signal.pthread_kill, (main, signal.SIGINT)).start()
    begin = time.perf_counter()
    with pytest.raises(KeyboardInterrupt):
        apart.searched(lambda _tell: time.sleep(LIMIT_S), LIMIT_S)
    assert time.perf_counter() - begin < AT_ONCE_S
    assert children() <= before


def test_what_a_search_told_counts_once_it_is_interrupted():
    """The last of the answers that it told is its answer."""

    def search(tell):
        tell("first")
        tell("better")
        time.sleep(LIMIT_S)

    threading.Timer(0.5, interruption.end_searches).start()
    assert apart.searched(search, LIMIT_S) == "better"


def test_a_search_apart_that_is_late_is_given_up():
    """It ends 5 % and 25 ms after its limit at the latest, with what it told last."""

    def search(tell: apart.Tell[str]) -> str:
        tell("better")
        time.sleep(LIMIT_S)
        return "best"

    begin = time.perf_counter()
    assert apart.searched(search, 1.0) == "better"
    assert 1.0 < time.perf_counter() - begin < 1.15 + 0.2  # the last is for a busy machine


def test_a_search_apart_returns_and_raises_as_here():
    """Its result and its error come back; where it is killed, there is no answer."""
    assert apart.searched(lambda _tell: [1, 2], LIMIT_S) == [1, 2]
    with pytest.raises(ValueError, match="no such thing"):
        apart.searched(lambda _tell: int("no such thing"), LIMIT_S)
    assert apart.searched(lambda _tell: os.kill(os.getpid(), signal.SIGKILL), LIMIT_S) is None


def test_interrupted_writing_leaves_nothing(tmp_path, monkeypatch):
    """What stood there stays, and the temporary file is gone."""
    path = write_atomic(tmp_path / "file", "before")

    def interrupt(_handle):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_atomic(path, "after")
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("number", interruption.SIGNALS)
def test_a_command_is_told_of_signals(number):
    """Outside of searches both raise; in one they end it, and no further one begins."""
    with interruption.heeded() as command, interruption.keeping():
        clock = Clock(10.0)
        signal.pthread_kill(threading.get_ident(), number)
        assert command.interrupted
        assert clock.over
    with interruption.heeded(), pytest.raises(KeyboardInterrupt):
        signal.pthread_kill(threading.get_ident(), number)
    with interruption.heeded(), pytest.raises(KeyboardInterrupt):
        with interruption.keeping():
            signal.pthread_kill(threading.get_ident(), number)
        with interruption.keeping():
            pytest.fail("a search began after an interruption")


def test_a_command_interrupted_while_it_loads_is_ended_by_force(tmp_path):
    """C++ aborts the process when an exception meets it in an import; nothing is raised there."""
    (tmp_path / "native.py").write_text(
        "import os, signal, time\n"
        "try:\n    os.kill(os.getpid(), signal.SIGINT); time.sleep(30)\n"
        "except BaseException:\n    os.abort()\n"
    )
    code = (
        "from nco import interruption\n"
        "with interruption.heeded(), interruption.undone(lambda: print('undone', flush=True)):\n"
        "    import native\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])},
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (130, "undone\n"), done.stderr
    assert done.stderr == "nco: error: interrupted\n"


def test_a_command_interrupted_in_what_c_calls_back_is_ended_by_force():
    """No exception gets through C, as where loops are compiled: it was shown and then ignored."""
    code = (
        "import ctypes, os, signal, time\n"
        "from nco import interruption\n"
        "@ctypes.CFUNCTYPE(None)\n"
        "def called_back():\n    os.kill(os.getpid(), signal.SIGTERM); time.sleep(30)\n"
        "with interruption.heeded(), interruption.undone(lambda: print('undone', flush=True)):\n"
        "    called_back()\n    time.sleep(30)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (130, "undone\n"), done.stderr
    assert done.stderr == "nco: error: interrupted\n"


def test_what_has_an_answer_may_finish_writing_it(monkeypatch):
    """A signal is not followed by force while an answer is on its way, but is afterwards."""
    ends: list[float] = []
    for name, moment_s in (("SEARCH_S", 0.02), ("FORCE_S", 0.04), ("WRITE_S", 0.5)):
        monkeypatch.setattr(interruption, name, moment_s)
    monkeypatch.setattr(interruption, "_end", lambda: ends.append(time.perf_counter()))
    begin = time.perf_counter()
    with interruption.heeded(), interruption.answering(), pytest.raises(KeyboardInterrupt):
        try:
            signal.pthread_kill(threading.get_ident(), signal.SIGINT)
        finally:
            time.sleep(1.0)
    assert [end - begin >= 0.5 for end in ends] == [True]


@pytest.mark.parametrize("method", ["annealing", "greedy", "hyper", "mcts-plain", "policy-beam"])
def test_a_design_that_does_not_heed_an_interruption_returns_its_best(method, monkeypatch):
    """In the middle of what takes long, such as a rollout of a large network, the best is kept."""
    instance, real = TransitInstance.mandl(), Progress.costs
    design(instance, method, evaluations=2)  # loads and compiles

    def costs(progress, lines):
        real(progress, lines)
        signal.pthread_kill(threading.get_ident(), signal.SIGINT)
        time.sleep(LIMIT_S)

    monkeypatch.setattr(interruption, "FORCE_S", LIMIT_S)
    monkeypatch.setattr(Progress, "costs", costs)
    begin = time.perf_counter()
    with interruption.heeded():
        found = design(instance, method, time_limit_s=LIMIT_S)
    assert time.perf_counter() - begin < AT_ONCE_S
    assert found.interrupted
    assert found.lines
