"""Writing files so that nothing is ever half written or lost, whoever else writes them.

A lock lies beside its file as `.NAME.lock` and stays there. It is the operating system's: when its
holder ends, however it ends, nobody holds it any more.
"""

import contextlib
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from nco.errors import StorageError
from nco.interruption import undone

_PATIENCE_S = 60.0  # for others, who change a file in a moment


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
def locked(path: str | Path, patience_s: float | None = _PATIENCE_S) -> Iterator[None]:
    """Hold the lock of a file (or folder), which only one process and thread does at a time.

    Args:
        path: what the lock is of; it need not be there, missing parent folders are made.
        patience_s: how long to wait for another holder; None waits for ever.

    Raises:
        StorageError: the place cannot be written, or another process does not let go.
    """
    from filelock import FileLock, Timeout

    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(path.with_name(f".{path.name}.lock"))
        lock.acquire(timeout=-1 if patience_s is None else patience_s)
    except Timeout as error:
        raise StorageError(
            f"another process has been changing {path} for more than {patience_s:g} s; "
            "end it, or try again when it is done"
        ) from error
    except (OSError, NotImplementedError) as error:
        raise StorageError(
            f"cannot lock {path}: {getattr(error, 'strerror', None) or error}; "
            "choose a folder that can be written"
        ) from error
    try:
        yield
    finally:
        lock.release()


def update_atomic(
    path: str | Path, change: Callable[[bytes | None], bytes | str], patience_s: float = _PATIENCE_S
) -> Path:
    """Read, change and write a file under its lock, so that no other process's change is lost.

    Args:
        path: of the file; missing parent folders are made.
        change: makes the new content of the present one, None where there is no file. It runs
            while others wait, so what takes long is done before.
        patience_s: how long to wait for others.

    Raises:
        StorageError: the file cannot be read or written, or another process does not let go; what
            stood there before is untouched.
    """
    path = Path(path)
    with locked(path, patience_s):
        try:
            known = path.read_bytes()
        except FileNotFoundError:
            known = None
        except OSError as error:
            raise StorageError(f"cannot read {path}: {error.strerror or error}") from error
        return write_atomic(path, change(known))


@contextlib.contextmanager
def appending(path: Path) -> Iterator[Callable[[str], None]]:
    """A function that appends one line at a time, whole and on the disk before it returns.

    Several processes may append to one file. A last line that was cut off, because its writer was
    ended, is taken away first.

    Raises:
        StorageError: the disk is full or the place cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a+b") as file:

            def append(line: str) -> None:
                with locked(path):
                    _drop_cut_off(file)
                    file.write(line.encode() + b"\n")
                    file.flush()
                    os.fsync(file.fileno())

            with locked(path):
                _drop_cut_off(file)
            yield append
    except OSError as error:
        raise StorageError(
            f"cannot write {path}: {error.strerror or error}; "
            "free some space or choose a folder that can be written"
        ) from error


def _drop_cut_off(file: BinaryIO) -> None:
    """Take away a last line without an end."""
    size = file.seek(0, os.SEEK_END)
    if size:
        file.seek(size - 1)
        if file.read(1) != b"\n":
            file.seek(0)
            file.truncate(file.read().rfind(b"\n") + 1)
