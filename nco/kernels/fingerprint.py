"""What compiled code depends on, as one number: sources, versions and the processor.

Code that was compiled from other sources, by another numba or for another processor has another
fingerprint, so that it is never taken for ours. Contents count, not names of folders nor times: the
same sources have the same fingerprint in every checkout and installation.
"""

from __future__ import annotations

import hashlib
import os
import sys
from functools import cache
from importlib.util import find_spec
from os.path import isfile
from pathlib import Path
from typing import TYPE_CHECKING

from nco.kernels.imports import remembered

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_HOME = Path(__file__).parents[1]
_PACKAGE = __name__.partition(".")[0]
# What counts by its version is not read as well.
_VERSIONED = frozenset({"llvmlite", "numba", "numpy"})
_INDIFFERENT = ("NUMBA_CACHE", "NUMBA_NUM_THREADS", "NUMBA_DEBUG_CACHE")  # to what is compiled


@cache
def fingerprint(module: str) -> str:
    """SHA-256 of all that code compiled from functions of a module depends on, in hex.

    That are the module and what it imports, directly or not; imports for type checkers do not
    count. Modules of ours need nobody else's source, those of others whatever they import beyond
    the standard library. A process reads each file once.

    Args:
        module: its name.

    Raises:
        LookupError: it has no source file.
    """
    found: dict[str, Path] = {}
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name in found or (path := source_of(name)) is None:
            continue
        found[name] = path
        waiting += _imported(name, path)
    if module not in found:
        raise LookupError(f"module {module!r} has no source file")
    remembered().keep({_read(path)[1] for path in found.values()})
    digest = hashlib.sha256(_surroundings().encode())
    for name, path in sorted(found.items()):
        digest.update(f"\n{name} {_read(path)[1]}".encode())
    return digest.hexdigest()


def source_of(name: str) -> Path | None:
    """The file of a module, imported or not; None in the standard library and without a file.

    What is found must not depend on what happens to be imported; only a program that was started
    and modules that were made by hand are known by that alone.
    """
    top, *inner = name.split(".")
    if name == "__main__":
        return _source(getattr(sys.modules[name], "__file__", None))
    if not name or top in sys.stdlib_module_names | _VERSIONED:
        return None
    if top == _PACKAGE:
        home = _HOME
    else:
        try:
            spec = find_spec(top)
        except (ImportError, ValueError):
            spec = None
        if spec is None or spec.origin is None:
            return _source(getattr(sys.modules.get(name), "__file__", None))
        if not inner:
            return _source(spec.origin)
        home = Path(spec.origin).parent
    place = "/".join((str(home), *inner))  # of hundreds of names most are no modules: no `Path` yet
    files = (f"{place}.py", f"{place}/__init__.py") if inner else (f"{place}/__init__.py",)
    return next((Path(file) for file in files if isfile(file)), None)  # noqa: PTH113


def home_of(function: Callable[..., Any]) -> str:
    """The module whose source file holds a function; empty where none does, as after `exec`."""
    name = function.__module__ or ""
    source = source_of(name) if name else None
    try:
        own = source is not None and source.samefile(function.__code__.co_filename)
    except OSError:
        own = False
    return name if own else ""


def _source(file: str | Path | None) -> Path | None:
    path = Path(file) if file is not None else None
    return path if path is not None and path.suffix == ".py" and path.is_file() else None


def _top(name: str) -> str:
    return name.partition(".")[0]


@cache
def _read(path: Path) -> tuple[bytes, str]:
    """Content of a file and its SHA-256."""
    content = path.read_bytes()
    return content, hashlib.sha256(content).hexdigest()


@cache
def _imported(module: str, path: Path) -> list[str]:
    """Modules that a module imports, of which ours need none but ours."""
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    names: list[str] = []
    for base, level, within in remembered().of(*_read(path)):
        if not within:
            names.append(base)
            continue
        if level:
            parts = package.split(".")
            above = parts[: len(parts) + 1 - level]
            base = ".".join([*above, base] if base else above)
        # What is imported from a module may be a module as well.
        names += [base, *(f"{base}.{name}" for name in within)]
    wanted = (_PACKAGE,) if _top(module) == _PACKAGE else ()
    return [
        name
        for name in dict.fromkeys(names)
        if (not wanted or _top(name) in wanted) and source_of(name) is not None
    ]


@cache
def _surroundings() -> str:
    """Versions, the processor, and settings of numba, without importing numba."""
    import llvmlite
    import llvmlite.binding as llvm
    import numpy as np

    spec = find_spec("numba")
    place = Path(spec.origin).parent if spec is not None and spec.origin else None
    settings = sorted(
        f"{name}={value}"
        for name, value in os.environ.items()
        if name.startswith("NUMBA_") and not name.startswith(_INDIFFERENT)
    )
    return "\n".join(
        (
            sys.implementation.cache_tag or sys.version,
            np.__version__,
            llvmlite.__version__,
            _read(place / "_version.py")[1] if place is not None else "",
            llvm.get_process_triple(),
            llvm.get_host_cpu_name(),
            llvm.get_host_cpu_features().flatten(),
            *settings,
        )
    )
