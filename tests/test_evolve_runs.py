"""Evolutions that are killed and go on, on several processes and on other executors."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from nco.cli import main
from nco.crew import LostWorkerError
from nco.problem.normal import normal
from nco.search.evolve.evolution import Evolution
from nco.search.evolve.instances import square
from nco.search.evolve.judge import Trial

if TYPE_CHECKING:
    from collections.abc import Callable

GENERATIONS = 6
LONG_S = 120.0
PROCESSES = Path("/proc")


def arguments(out: Path, *more: str) -> list[str]:
    """Of a small evolution."""
    return [
        "evolve", "operators", "--alone", "--stops", "12", "--instances", "2", "--iterations", "40",
        "--generations", str(GENERATIONS), "--out", str(out), "--quiet", *more,
    ]  # fmt: skip


def written(out: Path) -> tuple[str, str]:
    """The files of an evolution, byte for byte, but for how long it took."""
    operators = json.loads(out.read_text())
    del operators["made"]["seconds"]
    state = json.loads(out.with_name(f"{out.name}.state").read_text())
    del state["state"]["seconds"]
    return json.dumps(operators), json.dumps(state)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """What a run in this process writes that nobody disturbs."""
    out = tmp_path_factory.mktemp("whole") / "ops.json"
    assert main(arguments(out, "--jobs", "1")) == 0
    return written(out)


def until(true: Callable[[], bool], what: str) -> None:
    """Waits for something."""
    end_s = time.monotonic() + LONG_S
    while not true():
        assert time.monotonic() < end_s, what
        time.sleep(0.02)


def parent_and_state(entry: Path) -> tuple[int, str]:
    """Of a process; 0 and Z if it is no more."""
    try:
        words = (entry / "stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return 0, "Z"
    return int(words[1]), words[0]


def children(pid: int) -> list[Path]:
    """Processes that a process has started, and theirs."""
    found = []
    for entry in PROCESSES.glob("[0-9]*"):
        if parent_and_state(entry)[0] == pid:
            found += [entry, *children(int(entry.name))]
    return found


@pytest.mark.skipif(sys.platform != "linux", reason="looks at processes in /proc")
def test_a_run_that_was_killed_goes_on_to_the_same_bytes(whole: tuple[str, str], tmp_path: Path):
    """By kill -9 in the middle, with two processes: none is left, and the rest is the same."""
    out = tmp_path / "ops.json"
    state = tmp_path / "ops.json.state"
    command = [sys.executable, "-m", "nco", *arguments(out, "--jobs", "2")]
    with subprocess.Popen(command) as running:
        try:
            until(lambda: state.exists() or running.poll() is not None, "no generation ended")
            workers = children(running.pid)
            assert running.poll() is None, "it was over before it could be killed"
        finally:
            running.send_signal(signal.SIGKILL)
    assert running.returncode == -signal.SIGKILL
    assert workers
    until(lambda: all(parent_and_state(w)[1] == "Z" for w in workers), "its processes go on")
    assert not out.exists()
    assert json.loads(state.read_text())["state"]["generation"] < GENERATIONS
    assert main(arguments(out, "--jobs", "1")) == 0
    assert written(out) == whole


def test_dask_runs_the_same_evolution(whole: tuple[str, str], tmp_path: Path):
    """By the address of a scheduler, whose workers are in this process and start in a moment."""
    distributed = pytest.importorskip("distributed", reason="the extra `dask` is not installed")
    options = {"processes": False, "protocol": "tcp", "dashboard_address": None}
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, **options) as cluster:
        place = cluster.scheduler_address.removeprefix("tcp://")
        out = tmp_path / "ops.json"
        assert main(arguments(out, "--executor", f"dask://{place}")) == 0
    assert written(out) == whole


class Losing(Executor):
    """An executor whose workers die at some tasks."""

    def __init__(self) -> None:
        self.given = 0

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Does it at once, or not."""
        self.given += 1
        done: Future[Any] = Future()
        if self.given in (2, 5, 9):
            done.set_exception(LostWorkerError("gone"))
        else:
            done.set_result(fn(*args, **kwargs))
        return done


def test_what_lost_workers_did_is_done_again():
    """Nothing is judged by fewer episodes, and nothing differs."""
    problems = [normal(square(12, k)).problem for k in range(2)]
    states = []
    for executor in (None, Losing()):
        evolution = Evolution(problems, Trial(20, alone=True), 1, executor)
        evolution.step()
        evolution.step()
        states.append({**vars(evolution.state), "seconds": 0.0})
    assert states[0] == states[1]
