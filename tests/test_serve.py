"""`nco serve` as a process of its own, with its workers, and the client that speaks with it."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from loopback import loopback

import nco
from nco.cli import main
from nco.errors import InputError, ServiceError
from nco.web.client import Client, RefusedError
from nco.web.store import Store

pytest.importorskip("fastapi", reason="the extra `web` is not installed")
START_S = 60


class Running:
    """A server that runs, and where.

    Attributes:
        process: of it.
        client: of it.
    """

    def __init__(self, data: Path) -> None:
        command = [
            sys.executable,
            "-m",
            "nco",
            "serve",
            "--port",
            "0",
            "--jobs",
            "1",
            "--no-warm-up",
        ]
        self.process = subprocess.Popen(
            [*command, "--no-browser", "--data", str(data)], stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        found = re.search(r"http://\S+", self.process.stdout.readline())
        assert found is not None
        self.client = Client(found[0])

    def end(self, number: int) -> int:
        """Sends a signal; the exit code."""
        self.process.send_signal(number)
        code = self.process.wait(10)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code


@pytest.fixture(scope="module")
def problem() -> nco.Problem:
    return nco.Problem.from_matrices([[0, 1, 2], [1, 0, 1], [2, 1, 0]])


def children(process: subprocess.Popen) -> list[int]:
    """Processes that a process has started."""
    told = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    return [int(number) for number in told.read_text().split()] if told.exists() else []


def test_a_server_solves_cancels_and_loses_nothing(tmp_path, problem):
    """Answers, progress, and a job ended by force; killed, it leaves no worker and all it kept."""
    data = tmp_path / "kept" / "planner.sqlite"
    running = Running(data)
    try:
        client = running.client
        assert client.about()["limits"]["jobs"] == 1
        assert client.matrix([(24.94, 60.17), (24.945, 60.171)])["distance_m"][0][1] > 0
        found = client.solve(problem, "pyvrp", time_limit_s=0.2)
        assert (found.cost.total, found.method) == (4, "pyvrp")

        long = client.submit(problem, "pyvrp", time_limit_s=100)
        queued = client.submit(problem, "nearest")
        while client.job(long)["state"] == "queued":
            time.sleep(0.02)
        begin = time.monotonic()
        client.cancel(long)
        assert time.monotonic() - begin < 1
        with pytest.raises(RefusedError, match="was cancelled") as refused:
            client.result(long)
        assert refused.value.status == 410
        progress = list(client.events(queued))
        assert client.result(queued).cost.total == progress[-1].cost

        saved = client._object("POST", "/v1/scenarios", {"name": "x", "content": [1]})
        workers = children(running.process)
        running.end(signal.SIGKILL)
        with pytest.raises(ServiceError, match="cannot be reached"):
            client.about()
        kept = Store(data)
        assert kept.scenario(saved["id"])[1] == "[1]"
        kept.close()
        assert data.stat().st_mode & 0o777 == 0o600
        begin = time.monotonic()
        while any(map(alive, workers)) and time.monotonic() < begin + 10:
            time.sleep(0.05)
        assert not any(map(alive, workers))
    finally:
        running.end(signal.SIGKILL)


def alive(number: int) -> bool:
    """Whether a process still runs."""
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{number}/stat")
    return stat.exists() and stat.read_text().rsplit(") ", 1)[1][0] != "Z"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--host", "0.0.0.0"], "there is no token; give --token-file FILE"),
        (["--port", "70000"], "is not a port"),
        (["--token-file", "/nowhere/token"], "the token cannot be read"),
        (["--data", "/dev/null/x"], "cannot keep anything in"),
    ],
)
def test_what_cannot_be_served_is_said(options, message, capsys, monkeypatch):
    """Exit code 2 and a message with what to do, before anything is served."""
    monkeypatch.delenv("NCO_TOKEN", raising=False)
    assert main(["serve", "--no-browser", "--port", "0", *options]) == 2
    assert message in capsys.readouterr().err


def test_a_client_says_where_nobody_is():
    """No server, or no address of one."""
    with pytest.raises(ServiceError, match="cannot be reached"):
        Client("http://127.0.0.1:9", timeout_s=2).about()
    with pytest.raises(InputError, match="begins with http://"):
        Client("file:///etc/passwd")


def test_a_token_goes_nowhere_else():
    """A server that sends a client elsewhere gets no further, and the other one no request."""
    asked = []
    with (
        loopback(lambda path, _body, _before: asked.append(path) or (200, b"{}")) as elsewhere,
        loopback(lambda *_: (302, b""), moved=f"{elsewhere}/stolen") as url,
    ):
        client = Client(url, token="secret", timeout_s=5)
        for ask in (client.about, lambda: next(client.events("1"))):
            with pytest.raises(RefusedError, match="sends us elsewhere"):
                ask()
    assert not asked


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ((200, b"x" * 2000), "more than 1000 bytes"),
        ((200, b"[" * 900), "what is no JSON"),
        ((200, b"[1]"), "what is no JSON"),
        ((503, b'{"error": {"kind": "Busy", "message": "later"}}'), "later"),
        ((500, b'{"error": ' + b"[" * 900), "did not say why"),
    ],
)
def test_a_client_believes_no_answer(answer, message):
    """Too much, too deep, something else, or an error: a sentence each."""
    with loopback(lambda *_: answer) as url:
        client = Client(url, timeout_s=5, most_bytes=1000)
        with pytest.raises(ServiceError, match=message):
            client.about()


def test_a_client_waits_for_no_drip():
    """A server that answers letter by letter has the time of one answer, not of one letter."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def drip():
            connection, _ = server.accept()
            with connection, contextlib.suppress(OSError):
                for _ in range(100):
                    connection.sendall(b"H")
                    time.sleep(0.05)

        threading.Thread(target=drip, daemon=True).start()
        begun = time.monotonic()
        with pytest.raises(ServiceError, match=r"no whole answer within 0\.3 s"):
            Client(f"http://127.0.0.1:{server.getsockname()[1]}", timeout_s=0.3).about()
        assert time.monotonic() - begun < 3
