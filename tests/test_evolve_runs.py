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

import numpy as np
import pytest
from loopback import loopback

import nco
from nco.cli import main
from nco.crew import LostWorkerError
from nco.data.cities.engine import Matrices
from nco.data.cities.table import TableCity
from nco.problem.normal import normal
from nco.search.evolve import seeds
from nco.search.evolve.evolution import Evolution
from nco.search.evolve.instances import KINDS, square
from nco.search.evolve.judge import Trial, searched
from nco.search.evolve.language import Insertion
from nco.search.evolve.llm import author

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


def test_islands_are_joined(tmp_path: Path, capsys: Any):
    """Shards draw operators of their own and judge on the same; the best pair of all is kept."""
    outs = [tmp_path / f"{k}.json" for k in (1, 2)]
    for k, out in enumerate(outs, 1):
        assert main(arguments(out, "--jobs", "1", "--shard", f"{k}/2")) == 0
    states = [json.loads(out.with_name(f"{out.name}.state").read_text()) for out in outs]
    assert states[0]["losses"] != states[1]["losses"]
    assert states[0]["state"]["known"] == states[1]["state"]["known"]
    joined = tmp_path / "ops.json"
    assert main(["evolve", "merge", *map(str, outs), "--out", str(joined)]) == 0
    gains = [
        max(pair["gain_percent"] for pair in json.loads(out.read_text())["measured"]["training"])
        for out in (*outs, joined)
    ]
    assert gains[2] == max(gains)
    made = json.loads(joined.read_text())["made"]
    assert (made["shards"], made["generations"]) == (["1/2", "2/2"], 2 * GENERATIONS)
    data = states[0]
    (tmp_path / "other.json.state").write_text(
        json.dumps(data | {"task": data["task"] | {"seed": 9}})
    )
    (tmp_path / "torn.json.state").write_text(json.dumps(states[0] | {"task": {"trial": 3}}))
    for files, words in (
        (("1.json", "other.json"), "of another evolution"),
        (("torn.json",), "damaged"),
        (("nowhere.json",), "nowhere.json.state"),
    ):
        paths = [str(tmp_path / file) for file in files]
        assert main(["evolve", "merge", *paths, "--out", str(joined)]) == 2
        assert words in capsys.readouterr().err
    assert main(arguments(joined, "--jobs", "1", "--shard", "3/2")) == 2


def test_what_a_model_cost_is_known_after_a_kill(tmp_path: Path, monkeypatch: Any):
    """Tokens of earlier runs are told and count for what may be used."""
    monkeypatch.setattr(author, "admitted", lambda _: Insertion(order="demand"))
    usage = {"prompt_tokens": 100, "completion_tokens": 10}
    text = "```python\nkind = 'insertion'\n```"
    said = {"choices": [{"message": {"content": text}}], "usage": usage}
    heard = []

    def answer(_path: str, _body: bytes, _before: int) -> tuple[int, bytes]:
        heard.append(1)
        return 200, json.dumps(said).encode()

    out = tmp_path / "ops.json"
    with loopback(answer) as url:
        for generations in ("3", "6"):
            command = arguments(out, "--jobs", "1", "--llm", url, "--llm-model", "m")
            command[command.index("--generations") + 1] = generations
            assert main(command) == 0
            told = json.loads(out.read_text())["made"]["llm"]
            assert told["asked"] == len(heard) > 0
            assert told["sent_tokens"] == 100 * len(heard)
        before = len(heard)
        command[command.index("--generations") + 1] = "9"
        assert main([*command, "--llm-tokens", str(110 * before)]) == 0
    assert len(heard) == before


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_instance_can_be_evolved_on(kind: str):
    """They are solved, and limits of time are the processor's."""
    points = np.random.default_rng(1).random((13, 2)) * 0.01 + [24.9, 60.1]
    far = 1e5 * np.hypot(*(points[:, None] - points[None]).transpose(2, 0, 1))
    town = TableCity("plane", points, Matrices(far, far / 10))
    problem = KINDS[kind](town, 12, seed=1)
    assert (kind == "pickups") == (len(problem.shipments) == 6)
    trial = Trial(0, 0.05, alone=True)
    pair = seeds.REMOVALS["string"], seeds.INSERTIONS["blinks"]
    begun_s = time.thread_time()
    costs, routes = searched(normal(problem).problem, 0, trial, trial.settings(12, pair))
    assert time.thread_time() - begun_s >= 0.05
    assert costs == sorted(costs, reverse=True)
    assert nco.check(problem, nco.Solution.from_routes(problem, routes)).feasible


def test_long_windows_are_longer():
    """None begins later or ends earlier than in the problem that they are made of."""
    points = np.random.default_rng(2).random((31, 2)) * 0.01 + [24.9, 60.1]
    far = 1e5 * np.hypot(*(points[:, None] - points[None]).transpose(2, 0, 1))
    town = TableCity("plane", points, Matrices(far, far / 10))
    narrow, long = (KINDS[kind](town, 30, seed=1).window_s for kind in ("rcvrptw", "long-windows"))
    assert (long[:, 0] <= narrow[:, 0]).all() and (long[:, 1] >= narrow[:, 1]).all()
    assert np.diff(long[1:]).mean() > 3 * np.diff(narrow[1:]).mean()
