"""Writing files so that nothing is ever half written or lost."""

import contextlib
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from nco.errors import StorageError


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
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(handle, "wb") as file:
            file.write(raw)
            file.flush()
            os.fsync(file.fileno())
        umask = os.umask(0)
        os.umask(umask)
        Path(temporary).chmod(0o666 & ~umask)
        Path(temporary).replace(path)
    except OSError as error:
        if temporary:
            with contextlib.suppress(OSError):
                Path(temporary).unlink()
        raise StorageError(
            f"cannot write {path}: {error.strerror or error}; "
            "free some space or choose a folder that can be written"
        ) from error
    return path


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
