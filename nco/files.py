"""Writing files so that nothing is ever half written or lost."""

import contextlib
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from nco.errors import StorageError
from nco.interruption import undone


def write_atomic(path: str | Path, content: bytes | str) -> Path:
    """Write a file under a temporary name and rename it, so that it is whole or not there.

    Args:
        path: where to; missing parent folders are made.
        content: text is written as UTF-8.

    Raises:
        StorageError: the disk is full or the place cannot be written; what stood at `path`
            before is untouched.
    """
    path = Path(path)
    raw = content.encode() if isinstance(content, str) else content
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _temporary(path) as (handle, temporary):
            with os.fdopen(handle, "wb") as file:
                file.write(raw)
                file.flush()
                os.fsync(file.fileno())
            umask = os.umask(0)
            os.umask(umask)
            temporary.chmod(0o666 & ~umask)
            temporary.replace(path)
    except OSError as error:
        raise StorageError(
            f"cannot write {path}: {error.strerror or error}; "
            "free some space or choose a folder that can be written"
        ) from error
    return path


@contextlib.contextmanager
def _temporary(path: Path) -> Iterator[tuple[int, Path]]:
    """Handle and name of a new file beside another one, which is gone in the end."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    temporary = Path(name)
    with undone(temporary.unlink):
        try:
            yield handle, temporary
        finally:
            with contextlib.suppress(OSError):
                temporary.unlink()


@contextlib.contextmanager
def appending(path: Path) -> Iterator[Callable[[str], None]]:
    """A function that appends one line at a time, whole and on the disk before it returns.

    A last line that was cut off is taken away first.

    Raises:
        StorageError: the disk is full or the place cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a+b") as file:
            file.seek(0)
            file.truncate(file.read().rfind(b"\n") + 1)

            def append(line: str) -> None:
                file.write(line.encode() + b"\n")
                file.flush()
                os.fsync(file.fileno())

            yield append
    except OSError as error:
        raise StorageError(
            f"cannot write {path}: {error.strerror or error}; "
            "free some space or choose a folder that can be written"
        ) from error
