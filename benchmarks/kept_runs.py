"""Runs of a benchmark in a file, a line of JSON each: what is there is not run again."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any


def kept(path: Path, key: dict[str, Any], run: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """The run of a key, from the file if it is there, else run and added to it.

    Args:
        path: of the file; its folder is made.
        key: what was asked for, all of it part of the run that is kept.
        run: the rest of it.
    """
    for text in path.read_text().splitlines() if path.exists() else ():
        known: dict[str, Any] = json.loads(text)
        if key.items() <= known.items():
            return known
    found = key | run()
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        file.write(json.dumps(found) + "\n")
    return found
