"""Reading zip, npz, gzip and deflated data that may be damaged, or made to fill the memory.

What an archive says of its sizes is checked before anything is unpacked or allocated, and no more
is unpacked than it said. `BrokenArchiveError` says what is wrong; readers add which file it is and
what to do.
"""

from __future__ import annotations

import gzip
import io
import math
import struct
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nco.errors import quoted, shortened

# Data may unpack to this, or to so many times what it takes packed, whichever is more: float
# matrices and text shrink to a tenth at most, a thousandth is all that deflate can do.
_FREE_BYTES = 1 << 27
_MOST_RATIO = 50

_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_HEADERS: dict[tuple[int, int], Callable[[Any], Any]] = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


class BrokenArchiveError(ValueError):
    """An archive is damaged, holds something else, or unpacks to too much."""


def shrinks_too_well(unpacked: int, packed: int) -> bool:
    """Whether data of so many bytes is refused when so few of them are read."""
    return unpacked > max(_FREE_BYTES, _MOST_RATIO * packed)


def inflate(raw: bytes, size: int) -> bytes:
    """Unpack zlib data that must have a known size.

    Raises:
        BrokenArchiveError: it is damaged, has another size, or the size is out of proportion.
    """
    _refuse_bomb(size, len(raw))
    try:
        # One byte more than wanted is enough to see that there is too much.
        content = zlib.decompressobj().decompress(raw, size + 1)
    except zlib.error as error:
        raise BrokenArchiveError(f"it is damaged ({error})") from None
    if len(content) != size:
        raise BrokenArchiveError(f"it does not hold {size} bytes, as it says")
    return content


def gunzip(path: Path) -> bytes:
    """What a `.gz` file holds.

    Raises:
        BrokenArchiveError: it is damaged, or unpacks to too much.
        OSError: it cannot be read.
    """
    with path.open("rb") as packed:
        size = packed.seek(0, io.SEEK_END)
        packed.seek(0)
        most = max(_FREE_BYTES, _MOST_RATIO * size)
        try:
            with gzip.open(packed) as file:
                content = file.read(most + 1)
        except (EOFError, zlib.error, gzip.BadGzipFile, struct.error) as error:
            raise BrokenArchiveError(
                f"it is damaged or not packed by gzip: {_words(error)}"
            ) from None
    _refuse_bomb(len(content), size)
    return content


def read_members(path: Path, names: Iterable[str] | None = None) -> dict[str, bytes]:
    """Members of a zip file.

    Args:
        path: of the file.
        names: of the members, where present; None means all.

    Raises:
        BrokenArchiveError: it is no zip file, is damaged, or unpacks to too much.
        OSError: it cannot be read.
    """
    # zipfile leaves a damaged file open, so it must not be the one that opens it.
    with path.open("rb") as file:
        size = file.seek(0, io.SEEK_END)
        try:
            with zipfile.ZipFile(file) as archive:
                held = {info.filename: info for info in archive.infolist()}
                wanted = held if names is None else [name for name in names if name in held]
                entries = [held[name] for name in wanted]
                _refuse_bomb(sum(entry.file_size for entry in entries), size)
                return {entry.filename: _member(archive, entry) for entry in entries}
        except BrokenArchiveError:
            raise
        # RuntimeError: a password is asked for, or (NotImplementedError) something that zipfile
        # does not know; OSError: it would seek to where no file is.
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError) as error:
            raise BrokenArchiveError(f"it is damaged or no zip file: {_words(error)}") from None
        except (struct.error, OverflowError, ValueError) as error:
            raise BrokenArchiveError(f"it is a damaged zip file: {_words(error)}") from None


def check_members(path: Path) -> None:
    """Refuse what some other library could not open as a zip file without harm.

    Raises:
        BrokenArchiveError: it is no zip file, is damaged, or unpacks to too much.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        size = file.seek(0, io.SEEK_END)
        try:
            with zipfile.ZipFile(file) as archive:
                total = sum(entry.file_size for entry in archive.infolist())
        except (zipfile.BadZipFile, OSError, RuntimeError, struct.error, ValueError) as error:
            raise BrokenArchiveError(f"it is damaged or no zip file: {_words(error)}") from None
        _refuse_bomb(total, size)


def read_npz(path: Path, names: Iterable[str] | None = None) -> dict[str, NDArray[Any]]:
    """Arrays of a numpy `.npz` file; nothing in it is unpickled.

    Args:
        path: of the file.
        names: of the arrays, where present; None means all.

    Raises:
        BrokenArchiveError: it is no such file, is damaged, or claims more than it holds.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        if file.read(len(np.lib.format.MAGIC_PREFIX)) == np.lib.format.MAGIC_PREFIX:
            raise BrokenArchiveError("it holds one array (.npy), not several by name")
    inside = None if names is None else [f"{name}.npy" for name in names]
    members = read_members(path, inside)
    return {name.removesuffix(".npy"): _array(name, raw) for name, raw in members.items()}


def read_npy(path: Path) -> NDArray[Any]:
    """The array of a numpy `.npy` file; nothing in it is unpickled.

    Raises:
        BrokenArchiveError: it is no such file, is damaged, or claims more than it holds.
        OSError: it cannot be read.
    """
    return _array(path.name, path.read_bytes())


def as_numbers[Scalar: np.generic](array: NDArray[Any], kind: type[Scalar]) -> NDArray[Scalar]:
    """An array from a file in the type that it should have.

    Raises:
        BrokenArchiveError: it holds something else than real numbers.
    """
    if array.dtype.kind not in "fiu":
        raise BrokenArchiveError(f"it holds {shortened(array.dtype)} where numbers should be")
    with np.errstate(over="ignore"):
        return array.astype(kind, copy=False)


def _member(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    if entry.compress_type not in _METHODS:
        raise BrokenArchiveError(f"{quoted(entry.filename)} is not deflated, but packed otherwise")
    with archive.open(entry) as member:
        # With a size, or zipfile would unpack all that there is before it counts.
        content = member.read(entry.file_size)
    if len(content) != entry.file_size:
        raise BrokenArchiveError(f"{quoted(entry.filename)} is cut off")
    return content


def _array(name: str, raw: bytes) -> NDArray[Any]:
    stream = io.BytesIO(raw)
    try:
        with warnings.catch_warnings(action="ignore"):
            version = np.lib.format.read_magic(stream)
            shape, fortran, dtype = _HEADERS[version](stream)
    except Exception as error:  # numpy reads the header as Python source, which raises anything
        raise BrokenArchiveError(f"{quoted(name)} is no array: {_words(error)}") from None
    held = len(raw) - stream.tell()
    if dtype.hasobject or not dtype.itemsize:
        raise BrokenArchiveError(f"{quoted(name)} holds {shortened(dtype)}, not plain numbers")
    if min(shape, default=0) < 0 or math.prod(shape) * dtype.itemsize != held:
        raise BrokenArchiveError(
            f"{quoted(name)} claims to be {shortened(dtype)} of shape {quoted(shape)}, but holds "
            f"{held} bytes"
        )
    try:
        flat = np.frombuffer(raw, dtype, offset=stream.tell()) if held else np.empty(0, dtype)
        return flat.reshape(shape, order="F" if fortran else "C").copy(order="K")
    except ValueError as error:  # more dimensions than numpy knows
        raise BrokenArchiveError(f"{quoted(name)} is no array: {_words(error)}") from None


def _refuse_bomb(unpacked: int, packed: int) -> None:
    if shrinks_too_well(unpacked, packed):
        raise BrokenArchiveError(
            f"it would unpack from {packed} to {unpacked} bytes, which no honest file does"
        )


def _words(error: Exception) -> str:
    return shortened(error) or type(error).__name__
