"""OSRM's own files: tar archives of plain arrays beside an engine's base path."""

import tarfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


def archive(base: Path, kind: str) -> tarfile.TarFile:
    """Open the file of that kind beside a base path.

    Raises:
        OSError: it cannot be opened.
        tarfile.TarError: it is damaged.
    """
    return tarfile.open(f"{base}.{kind}")


def array(tar: tarfile.TarFile, name: str, dtype: str) -> NDArray[Any]:
    """A member as an array `[n]` that cannot be written to.

    Raises:
        KeyError: there is no such member.
        ValueError: its size is no multiple of that of the type.
    """
    member = tar.extractfile(name)
    if member is None:
        raise KeyError(name)
    return np.frombuffer(member.read(), dtype=dtype)


def bits(tar: tarfile.TarFile, name: str, count: int) -> NDArray[np.bool_]:
    """`count` flags, packed eight to a byte, the lowest bit first.

    Raises:
        KeyError: there is no such member.
        ValueError: it holds fewer.
    """
    flags = np.unpackbits(array(tar, name, "u1"), bitorder="little")[:count]
    if len(flags) != count:
        raise ValueError(f"{name} holds {len(flags)} flags, not {count}")
    return flags.astype(np.bool_)
