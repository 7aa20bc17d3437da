"""Worker processes that can be ended one by one."""

import os
import signal
import subprocess
import sys
import time

import pytest

from nco.crew import Crew, LostWorkerError, tell


def tells(count: int) -> int:
    """Tells of each number on the way."""
    for k in range(count):
        tell(k)
    return count


def fails() -> None:
    raise ValueError("as it should")


class _OddError(Exception):
    """Cannot be pickled."""

    def __init__(self, a, b):
        super().__init__(a)


def fails_oddly() -> None:
    raise _OddError(1, 2)


def dies() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.fixture(scope="module")
def crew():
    with Crew(1) as found:
        yield found


def test_results_errors_and_what_is_told_come_back(crew):
    """Results and errors are those of the function, also where an error cannot be sent."""
    told = []
    assert crew.watch(told.append, tells, 3).result() == 3
    assert told == [0, 1, 2]
    with pytest.raises(ValueError, match="as it should"):
        crew.submit(fails).result()
    with pytest.raises(RuntimeError, match="_OddError: 1"):
        crew.submit(fails_oddly).result()
    assert list(crew.map(abs, [-1, -2])) == [1, 2]
    with pytest.raises(Exception, match="pickle"):
        crew.submit(lambda: 1)


def test_a_lost_process_costs_its_own_task_alone(crew):
    """What dies, or is ended by force, fails; the next task finds a fresh process."""
    first = crew.submit(os.getpid).result()
    lost, waiting = crew.submit(dies), crew.submit(os.getpid)
    with pytest.raises(LostWorkerError, match="was ended before it had an answer"):
        lost.result()
    assert waiting.result() != first
    long = crew.submit(time.sleep, 60)
    queued = crew.submit(os.getpid)
    while not long.running():
        time.sleep(0.01)
    begin = time.monotonic()
    assert queued.kill()
    assert queued.cancelled()
    assert long.kill()
    with pytest.raises(LostWorkerError):
        long.result()
    assert time.monotonic() - begin < 1
    assert not long.kill()


def test_a_crew_that_was_shut_down_takes_nothing():
    """What waits is dropped, and further tasks are refused."""
    crew = Crew(1)
    crew.kill()
    with pytest.raises(RuntimeError, match="was shut down"):
        crew.submit(os.getpid)


def test_a_worker_that_begins_is_deaf_to_ctrl_c(tmp_path):
    """A terminal sends Ctrl-C to all; a worker whose interpreter begins shows no traceback."""
    script = tmp_path / "begins.py"
    script.write_text(
        "import os, signal, threading, time\n"
        "from nco.crew import Crew\n"
        "def send():\n"
        "    for _ in range(30):\n"
        "        os.killpg(0, signal.SIGINT)\n"
        "        time.sleep(0.01)\n"
        "if __name__ == '__main__':\n"
        "    signal.signal(signal.SIGINT, lambda *_: None)\n"
        "    with Crew(1) as crew:\n"
        "        sender = threading.Thread(target=send)\n"
        "        sender.start()\n"
        "        print(crew.submit(abs, -3).result())\n"
        "        sender.join()\n"
    )
    run = subprocess.run(
        [sys.executable, script], capture_output=True, text=True, start_new_session=True, timeout=60
    )
    assert (run.returncode, run.stdout, run.stderr) == (0, "3\n", "")
