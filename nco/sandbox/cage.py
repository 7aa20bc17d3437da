"""Starts a caged process, gives it data, takes its answer, and ends it in time whatever it does.

Its answer is data of a stranger: JSON of a bounded size, to be checked by whoever asked.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import selectors
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nco.errors import InputError, UnsupportedError, quoted, shortened
from nco.interruption import undone
from nco.json_text import parse_json
from nco.sandbox.guards import LIMITS
from nco.sandbox.limits import Limits

if TYPE_CHECKING:
    from collections.abc import Iterator

_START_S = 30.0  # for an interpreter to begin, on a machine that is busy
_CHUNK = 1 << 16
_HELLO_BYTES = 1 << 12
_ROOT = Path(__file__).parents[2]
_BEGIN = "import sys; sys.path.append(sys.argv.pop(1)); from nco.sandbox.inside import main; main()"


@dataclass(frozen=True)
class Outcome:
    """What came of a task.

    Attributes:
        answer: plain data, not to be trusted; None if there is none.
        why: what is wrong; None if there is an answer.
        guards: what held it, see `nco.sandbox.guards`.
        took_s: from when it had its data.
    """

    answer: Any = None
    why: str | None = None
    guards: tuple[str, ...] = ()
    took_s: float = field(default=0.0, compare=False)


def caged(task: str, data: object, limits: Limits | None = None) -> Outcome:
    """Runs a task in a process of its own, without files, network or other processes.

    Args:
        task: `module:function`, of nothing but the standard library and what nco has of that kind;
            it is given `data` and returns plain data.
        data: plain data; what the task gets is a copy.
        limits: how much it may use.

    Raises:
        UnsupportedError: no process can be started, or nothing limits what it would use; nothing
            unknown was run.
        InputError: `data` is larger than what `limits` allow.
    """
    limits = limits or Limits()
    given = json.dumps(data).encode()
    if len(given) > limits.data_bytes:
        raise InputError(
            f"{len(given)} bytes are more than the {limits.data_bytes:g} that a caged process is "
            "given; give less"
        )
    with _process(task, limits) as process:
        guards = _hello(process, task)
        began = time.monotonic()
        said, why = _exchanged(process, given, limits.answer_bytes, began + limits.time_s)
        took_s = time.monotonic() - began
        if why == "time":
            why = f"it did not end within {limits.time_s:g} s"
        elif why == "size":
            why = f"it answered more than {limits.answer_bytes:g} bytes"
        else:
            why = _ended(process)
        if why is not None:
            return Outcome(None, why, guards, took_s)
    return _understood(said, guards, took_s)


@contextlib.contextmanager
def _process(task: str, limits: Limits) -> Iterator[subprocess.Popen[bytes]]:
    """A caged process that is gone afterwards, and all of its group."""
    asked = json.dumps([task, math.ceil(limits.cpu_s), int(limits.memory_bytes)])
    command = [sys.executable, "-I", "-S", "-B", "-c", _BEGIN, str(_ROOT), asked]
    if os.name != "posix" or not sys.executable:
        raise UnsupportedError(_unlimited())
    try:
        process = subprocess.Popen(  # noqa: S603 -- our own interpreter, and no shell
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd="/",
            env={},
            bufsize=0,
            start_new_session=True,
        )
    except OSError as error:
        raise UnsupportedError(
            f"no process can be started in which unknown code would be safe ({error}); end "
            "some others, or run on a machine that allows it"
        ) from error
    end = partial(_end, process)
    with undone(end):
        try:
            yield process
        finally:
            end()


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ends a process and its group by force, and waits until it is gone."""
    if process.poll() is None:  # afterwards the number may be another's
        with contextlib.suppress(OSError):
            os.killpg(process.pid, signal.SIGKILL)
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()
    process.wait()


def _unlimited() -> str:
    return (
        "this system limits neither the memory nor the time of a process, so that unknown code "
        "would not be safe; run it on Linux"
    )


def _hello(process: subprocess.Popen[bytes], task: str) -> tuple[str, ...]:
    """Which guards hold, as the process says before it has heard of anything unknown.

    Raises:
        UnsupportedError: not even limits, or it did not begin.
    """
    said, _ = _exchanged(process, None, _HELLO_BYTES, time.monotonic() + _START_S)
    try:
        guards = tuple(map(str, json.loads(said)["guards"]))
    except (ValueError, TypeError, LookupError):
        raise UnsupportedError(
            f"the process that was to run {quoted(task)} did not begin "
            f"({_ended(process, patience_s=1.0) or 'no word of it'}); is memory short?"
        ) from None
    if LIMITS not in guards:
        raise UnsupportedError(_unlimited())
    return guards


def _exchanged(
    process: subprocess.Popen[bytes], given: bytes | None, most: int, deadline_s: float
) -> tuple[bytes, str | None]:
    """Gives data to a process while taking what it says.

    Args:
        process: the process.
        given: all that it gets; None for nothing yet, and the first line is all that it says.
        most: bytes that it may say.
        deadline_s: by `time.monotonic`.

    Returns:
        What it said, and "time" or "size" if it had to be left before it ended.
    """
    assert process.stdin is not None  # noqa: S101 -- both are pipes
    assert process.stdout is not None  # noqa: S101
    said = bytearray()
    with selectors.DefaultSelector() as ready:
        ready.register(process.stdout, selectors.EVENT_READ)
        if given is not None:
            os.set_blocking(process.stdin.fileno(), False)
            ready.register(process.stdin, selectors.EVENT_WRITE)
        rest = memoryview(given or b"")
        while (left_s := deadline_s - time.monotonic()) > 0:
            for key, _ in ready.select(left_s):
                if key.fileobj is process.stdout:
                    part = os.read(process.stdout.fileno(), _CHUNK)
                    said += part
                    if not part or (given is None and b"\n" in part):
                        return bytes(said), None
                    if len(said) > most:
                        return b"", "size"
                    continue
                try:
                    rest = rest[os.write(process.stdin.fileno(), rest[:_CHUNK]) :]
                except BlockingIOError:
                    continue
                except OSError:  # it is gone: what it said is on its way
                    rest = memoryview(b"")
                if not rest:
                    ready.unregister(process.stdin)
                    process.stdin.close()
    return b"", "time"


def _ended(process: subprocess.Popen[bytes], patience_s: float = 1.0) -> str | None:
    """What ended a process that says nothing any more; None if it has done its work."""
    try:
        code = process.wait(patience_s)
    except subprocess.TimeoutExpired:
        return "it closed its answer and did not end"
    if code == 0:
        return None
    if code > 0:
        return f"it ended with the exit code {code}"
    words = {
        signal.SIGSYS: "it made a system call that is not allowed",
        signal.SIGXCPU: "it used more processor time than is allowed",
        signal.SIGSEGV: "it crashed the interpreter",
        signal.SIGKILL: "it was ended by force: too much memory or processor time",
    }
    return words.get(signal.Signals(-code), f"a signal ended it ({signal.Signals(-code).name})")


def _understood(said: bytes, guards: tuple[str, ...], took_s: float) -> Outcome:
    """What a process said, if it is what the task wrote."""
    try:
        content = parse_json(said)
    except ValueError as error:
        return Outcome(None, f"its answer cannot be read: {error}", guards, took_s)
    if isinstance(content, dict) and content.keys() == {"answer"}:
        return Outcome(content["answer"], None, guards, took_s)
    if isinstance(content, dict) and isinstance(content.get("failed"), str):
        return Outcome(None, shortened(content["failed"]), guards, took_s)
    return Outcome(None, "its answer is none that the task gives", guards, took_s)
