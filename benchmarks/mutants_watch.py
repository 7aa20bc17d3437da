"""What pytest is told in a mutation run: which tests reach which lines, and who runs."""

from __future__ import annotations

import importlib
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import CodeType
from typing import Any

import pytest

TOOL = 3  # a number of `sys.monitoring` that no debugger, profiler or coverage tool uses


class Watch:
    """Writes down, for each test that passes, how long it takes and which lines it reaches.

    Args:
        root: of the tree.
        paths: of files whose lines count, below it.
        out: JSON file, `{"tests": {id: [seconds, {path: lines}]}, "failed": [id],
            "modules": [name]}`.
    """

    def __init__(self, root: Path, paths: list[str], out: Path) -> None:
        self._names = {str(root / path): path for path in paths}
        self._out = out
        self._lines: dict[str, set[int]] = {}
        self._tests: dict[str, tuple[float, dict[str, list[int]]]] = {}
        self._failed: list[str] = []
        monitor = sys.monitoring
        monitor.use_tool_id(TOOL, "mutants")
        monitor.register_callback(TOOL, monitor.events.LINE, self._line)

    def _line(self, code: CodeType, line: int) -> Any:
        if (name := self._names.get(code.co_filename)) and code.co_name != "<module>":
            self._lines.setdefault(name, set()).add(line)
        return sys.monitoring.DISABLE

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Watches one test, its fixtures included."""
        monitor = sys.monitoring
        self._lines = {}
        monitor.set_events(TOOL, monitor.events.LINE)
        monitor.restart_events()
        begin = time.perf_counter()
        result = yield
        seconds = time.perf_counter() - begin
        monitor.set_events(TOOL, 0)
        reached = {path: sorted(lines) for path, lines in self._lines.items()}
        self._tests[item.nodeid] = (seconds, reached)
        return result

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Tests that fail or skip without any fault see none."""
        if report.outcome != "passed":
            self._failed.append(report.nodeid)

    def pytest_sessionfinish(self) -> None:
        """Writes all of it."""
        kept = {name: seen for name, seen in self._tests.items() if name not in self._failed}
        found = {"tests": kept, "failed": self._failed, "modules": sorted(sys.modules)}
        self._out.write_text(json.dumps(found))


class Only:
    """Runs some tests of those that are collected, in an order of their own."""

    def __init__(self, tests: list[str]) -> None:
        self._places = {test: place for place, test in enumerate(tests)}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Drops all others."""
        items[:] = [item for item in items if item.nodeid in self._places]
        items.sort(key=lambda item: self._places[item.nodeid])


def without_compiler() -> None:
    """Lets operators of the neighbourhood search be called as plain Python functions.

    Call it with `NUMBA_DISABLE_JIT=1`, before anything else of nco is imported. Addresses of
    operators become numbers in a table. What is compiled otherwise works on numpy's scalars here,
    which warn where compiled numbers overflow or divide by zero.
    """
    import numpy as np

    np.seterr(all="ignore")
    kernels: Any = importlib.import_module("nco.kernels.compiled")
    kernels.Kernel.__call__ = lambda kernel, *arguments: kernel.py_func(*arguments)
    kernels.Kernel.loaded = True
    operators: Any = importlib.import_module("nco.search.lns.operators")
    table: list[Any] = []

    def address(operator: Any, *_: Any) -> int:
        function = operator.kernel.py_func
        if function not in table:
            table.append(function)
        return table.index(function)

    operators.Operator.address = address
    operators.call = lambda place, *arguments: table[place](*arguments)
