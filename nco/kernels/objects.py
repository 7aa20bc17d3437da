"""Object code on disk and in memory: one file for the compiled functions of a module.

llvmlite alone loads them, which takes milliseconds; numba, which takes half a second to import, is
for what has not been compiled before (`nco.kernels.emit`).

A file is named after its module and the fingerprint of that. It lies in `__pycache__` beside the
module or, where that cannot be written to, in the user's cache folder; both are looked at.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from nco.kernels.fingerprint import fingerprint, source_of
from nco.kernels.imports import cache_dir, replacing

if TYPE_CHECKING:
    from collections.abc import Mapping

_KEPT = 4  # fingerprints of a module in a folder, so that old ones do not pile up
_HEAD = 32 + 8  # bytes: the hash of what follows, and the length of the index


class Compiled(NamedTuple):
    """Object code of a function.

    Attributes:
        code: of an object file, in the format of the platform.
        returns: format of `struct` of what the function returns; empty for nothing.
    """

    code: bytes
    returns: str


class Loaded(NamedTuple):
    """A function in memory.

    Attributes:
        address: where its code begins.
        returns: see `Compiled`.
    """

    address: int
    returns: str


class Objects:
    """The compiled functions of a module.

    Args:
        module: its name; one without a source file has nothing on disk.
    """

    def __init__(self, module: str) -> None:
        self._module = module
        self._loaded: dict[str, Loaded] = {}
        self._known: dict[str, Compiled] | None = None

    def find(self, symbol: str) -> Loaded | None:
        """A function that was compiled before, by this process or another."""
        if symbol not in self._loaded:
            if self._known is None:
                self._known = self._read()
            if symbol in self._known:
                self._loaded[symbol] = _load(symbol, self._known[symbol])
        return self._loaded.get(symbol)

    def add(self, symbol: str, compiled: Compiled) -> Loaded:
        """Takes a function in, and keeps it on disk as far as that is possible."""
        self._loaded[symbol] = _load(symbol, compiled)
        with contextlib.suppress(LookupError):
            for folder in folders(self._module):
                with contextlib.suppress(OSError):
                    self._write(folder, symbol, compiled)
                    break
        return self._loaded[symbol]

    def _file(self) -> str:
        return f"{self._module}-{fingerprint(self._module)[:32]}.objects"

    def _read(self) -> dict[str, Compiled]:
        found: dict[str, Compiled] = {}
        with contextlib.suppress(LookupError):
            for folder in reversed(folders(self._module)):
                found |= read(folder / self._file())
        return found

    def _write(self, folder: Path, symbol: str, compiled: Compiled) -> None:
        from filelock import FileLock

        folder.mkdir(parents=True, exist_ok=True)
        path = folder / self._file()
        # Another process may add to the same file.
        with FileLock(folder / f"{self._module}.lock"):
            write(path, {**read(path), symbol: compiled})
            variants = sorted(folder.glob(f"{self._module}-*.objects"), key=_modified)
            for old in variants[:-_KEPT]:
                old.unlink(missing_ok=True)


@cache
def objects(module: str) -> Objects:
    """The compiled functions of a module, by its name."""
    return Objects(module)


def folders(module: str) -> list[Path]:
    """Where what is compiled of a module may lie, the first to be written to before others.

    Raises:
        LookupError: it has no source file.
    """
    source = source_of(module)
    if source is None:
        raise LookupError(f"module {module!r} has no source file")
    return [source.parent / "__pycache__", cache_dir() / "compiled"]


def read(path: Path) -> dict[str, Compiled]:
    """The functions in a file; none where it is missing or damaged."""
    try:
        raw = path.read_bytes()
    except OSError:
        return {}
    if hashlib.sha256(raw[32:]).digest() != raw[:32] or len(raw) < _HEAD:
        return {}
    begin = _HEAD + int.from_bytes(raw[32:_HEAD], "little")
    index: dict[str, Any] = json.loads(raw[_HEAD:begin])
    return {
        symbol: Compiled(raw[begin + at : begin + at + size], returns)
        for symbol, (at, size, returns) in index.items()
    }


def write(path: Path, functions: Mapping[str, Compiled]) -> None:
    """Writes functions into a file, which is whole or not there.

    Raises:
        OSError: it cannot be written.
    """
    index, at = {}, 0
    for symbol, (code, returns) in functions.items():
        index[symbol] = (at, len(code), returns)
        at += len(code)
    head = json.dumps(index).encode()
    rest = b"".join((len(head).to_bytes(8, "little"), head, *(f.code for f in functions.values())))
    with replacing(path) as temporary:
        temporary.write_bytes(hashlib.sha256(rest).digest() + rest)


def _modified(path: Path) -> float:
    with contextlib.suppress(OSError):
        return path.stat().st_mtime
    return 0.0


@cache
def _engine() -> Any:
    """What links object code into this process."""
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    machine = llvm.Target.from_default_triple().create_target_machine()
    return llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine)


def _load(symbol: str, compiled: Compiled) -> Loaded:
    from llvmlite.binding import ObjectFileRef

    engine = _engine()
    engine.add_object_file(ObjectFileRef.from_data(compiled.code))
    engine.finalize_object()
    return Loaded(engine.get_function_address(symbol), compiled.returns)
