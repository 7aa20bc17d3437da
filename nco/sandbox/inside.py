"""What runs in a caged process: loads its task, puts itself under guards, and only then listens.

It says by a line of JSON which guards hold, reads its data, and writes what the task made of it.
Only the standard library is loaded (`python -I -S`), so that little is there to misuse, and it is
there within a twentieth of a second.
"""

from __future__ import annotations

import json
import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

from nco.errors import shortened
from nco.sandbox import guards

if TYPE_CHECKING:
    from collections.abc import Callable

_CHUNK = 1 << 16


def main() -> None:
    """Serves one task: `[task, cpu_s, memory_bytes]` is its only argument, as JSON."""
    task, cpu_s, memory_bytes = json.loads(sys.argv[1])
    module, _, name = task.partition(":")
    function = getattr(import_module(module), name)
    code = 1
    try:
        _say({"guards": guards.activate(cpu_s, memory_bytes)})
        _say(_outcome(function, _heard()))
        code = 0
    finally:
        os._exit(code)  # what an interpreter does at its end needs further system calls


def _outcome(function: Callable[[Any], Any], given: bytes) -> dict[str, Any]:
    """What a task answers, or what is wrong."""
    try:
        return {"answer": function(json.loads(given))}
    except MemoryError:
        return {"failed": "it ran out of memory"}
    except RecursionError:
        return {"failed": "it calls itself too deeply"}
    except BaseException as error:
        return {"failed": shortened(f"{type(error).__name__}: {error}")}


def _heard() -> bytes:
    """All that comes before the end."""
    parts = []
    while part := os.read(0, _CHUNK):
        parts.append(part)
    return b"".join(parts)


def _say(content: object) -> None:
    """Writes a line of JSON."""
    rest = memoryview(json.dumps(content).encode() + b"\n")
    while rest:
        rest = rest[os.write(1, rest) :]
