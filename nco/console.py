"""What the command line writes: results to stdout; errors, log lines and progress to stderr.

Names and words come from files of strangers. What a terminal would obey in them is written as an
escape (the letters x1b behind a backslash), here, for all that is printed. Files keep names.

rich is imported only once a bar is really shown, two seconds into a task on a terminal.
"""

import json
import logging
import math
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from nco.errors import StorageError

PATIENCE_S = 2.0  # how long a task may be silent
_REFRESH_S = 0.1
_LINE_EVERY_S = 10.0
# Control characters but for the tab and the end of a line; marks and overrides of the direction of
# writing; other ends of lines; tags that nobody sees.
_OBEYED = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff"
    "\U000e0000-\U000e007f]"
)
_log, _kernels = logging.getLogger("nco"), logging.getLogger("nco.kernels")


def visible(text: str) -> str:
    """A text in which nothing moves a cursor, changes colours or turns the order of letters.

    Lines and tabs stay.
    """
    return _OBEYED.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)


def write(text: str) -> None:
    """Write lines to stdout; what a terminal would obey, or its encoding lacks, is escaped.

    Raises:
        BrokenPipeError: the reader has gone.
        StorageError: stdout is a file on a full disk.
    """
    if sys.stdout is None:  # closed by the caller
        return
    encoding = sys.stdout.encoding or "utf-8"
    try:
        sys.stdout.write(f"{visible(text)}\n".encode(encoding, "backslashreplace").decode(encoding))
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        sys.stdout = None  # Python would try once more at the end, and fail with a traceback
        raise StorageError(f"cannot write to stdout: {error.strerror}; free some space") from error


def write_error(text: str) -> None:
    """Write an error to stderr, in the form that scripts look for."""
    if sys.stderr is not None:
        sys.stderr.write(f"nco: error: {visible(text)}\n")


def confirmed(question: str) -> bool:
    """Whether a person at the terminal says yes; without one nobody does."""
    if sys.stdin is None or sys.stderr is None or not sys.stdin.isatty():
        return False
    sys.stderr.write(f"{visible(question)} [y/N] ")
    sys.stderr.flush()
    return sys.stdin.readline().strip().casefold() in ("y", "yes")


def write_json(content: Any) -> None:
    """Write one JSON object on one line to stdout; infinities and NaN become null."""
    # In ASCII, because `write` escapes what stdout cannot hold, and not as JSON does.
    write(json.dumps(finite(content)))


def finite(content: Any) -> Any:
    """The same content with every float that JSON cannot hold replaced by None."""
    if isinstance(content, dict):
        return {key: finite(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [finite(value) for value in content]
    return None if isinstance(content, float) and not math.isfinite(content) else content


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Aligned text: the first column to the left, the others to the right."""
    lines = [[visible(cell).replace("\n", "\\n") for cell in row] for row in (header, *rows)]
    widths = [max(len(line[k]) for line in lines) for k in range(len(header))]
    rule = "  ".join("-" * width for width in widths)
    text = [
        "  ".join(
            cell.ljust(width) if k == 0 else cell.rjust(width)
            for k, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    ]
    return "\n".join([text[0], rule, *text[1:]])


class _ToStderr(logging.Handler):
    """Writes to what stderr is at the moment: a running bar puts itself in its place."""

    def emit(self, record: logging.LogRecord) -> None:
        if sys.stderr is not None:
            sys.stderr.write(f"{visible(self.format(record))}\n")


@contextmanager
def logging_to_stderr(*, quiet: bool) -> Iterator[None]:
    """Show the library's log lines on stderr while a command runs; few of them if quiet."""
    handler = _ToStderr()
    handler.setFormatter(logging.Formatter("nco: %(message)s"))
    level = _log.level
    _log.addHandler(handler)
    _log.setLevel(logging.WARNING if quiet else logging.INFO)
    # That something is compiled is a warning, so that programs are told as well.
    _kernels.setLevel(logging.ERROR if quiet else logging.NOTSET)
    try:
        yield
    finally:
        _kernels.setLevel(logging.NOTSET)
        _log.removeHandler(handler)
        _log.setLevel(level)


@contextmanager
def progress(task: str, expected_s: float | None = None, *, quiet: bool = False) -> Iterator[None]:
    """Show that a task runs: a bar on stderr if it is a terminal and the task takes long.

    Args:
        task: what is being done.
        expected_s: how long it should take; None shows a bar without an end.
        quiet: show nothing.
    """
    if quiet or sys.stderr is None or not sys.stderr.isatty():
        yield
        return
    over = threading.Event()
    shown = visible(task)
    watcher = threading.Thread(target=_watch, args=(shown, expected_s, over), daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()


def _watch(task: str, expected_s: float | None, over: threading.Event) -> None:
    begin = time.perf_counter()
    if over.wait(PATIENCE_S):
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn

    seconds = TextColumn("{task.completed:.0f} s")
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), seconds)
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        number = bar.add_task(task, total=expected_s)
        while not over.wait(_REFRESH_S):
            bar.update(number, completed=time.perf_counter() - begin)


@contextmanager
def counter(task: str, *, quiet: bool = False) -> Iterator[Callable[[int, int], None]]:
    """Show how many of many runs are done: a bar on a terminal, else a log line now and then.

    Yields:
        A function to be told how many are done, and of how many.
    """
    if quiet:
        yield lambda _done, _total: None
        return
    if sys.stderr is None or not sys.stderr.isatty():
        last = [time.monotonic()]

        def line(done: int, total: int) -> None:
            if done == total or time.monotonic() - last[0] >= _LINE_EVERY_S:
                last[0] = time.monotonic()
                _log.info("%s: %d of %d done", task, done, total)

        yield line
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        number = bar.add_task(task, total=None)
        yield lambda done, total: bar.update(number, completed=done, total=total)
