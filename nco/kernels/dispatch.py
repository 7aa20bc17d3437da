"""Kernels as numba's dispatchers, with numba's cache under fingerprints of our own."""

# mypy: allow-untyped-calls, allow-untyped-defs, disable-error-code="misc"
# Numba has no types.

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from numba import njit
from numba.core.caching import CompileResultCacheImpl, FunctionCache, _CacheLocator

import nco.kernels.reference  # noqa: F401 (tells numba of named tuples by reference)
from nco.kernels.compiled import say_once
from nco.kernels.fingerprint import fingerprint, home_of
from nco.kernels.objects import folders

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def dispatcher(
    function: Callable[..., Any], options: dict[str, Any], *, cached: bool, called: bool
) -> Any:
    """A function as numba has it.

    Args:
        function: in Python.
        options: of `numba.njit`.
        cached: whether what is compiled is kept on disk.
        called: whether Python calls it, and not compiled code alone.
    """
    wrapped = {} if called else {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
    found = njit(**{**wrapped, **options})(function)
    if cached and called:
        with contextlib.suppress(LookupError):  # there is no file to keep it beside
            found._cache = _Caches(function)  # noqa: SLF001 (what its enable_caching does)
    return found


class _Caches:
    """Numba's caches of a function in all folders that it may lie in.

    Args:
        function: with a source file.

    Raises:
        LookupError: it has none.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self._caches = [_in_folder(folder)(function) for folder in folders(home_of(function))]

    def load_overload(self, signature, context):
        """What was compiled for a signature, or None."""
        for cache in self._caches:
            with contextlib.suppress(OSError):
                if (found := cache.load_overload(signature, context)) is not None:
                    return found
        say_once()
        return None

    def save_overload(self, signature, result):
        """Keeps what was compiled in the first folder that can be written to."""
        for cache in self._caches:
            with contextlib.suppress(OSError):
                cache.save_overload(signature, result)
                return


def _in_folder(folder: Path) -> type[FunctionCache]:
    """Numba's cache in a folder, of which the fingerprint says what is out of date."""

    class Locator(_CacheLocator):
        def __init__(self, function):
            self._function = function

        @classmethod
        def from_function(cls, function, _file):
            return cls(function)

        def get_cache_path(self):
            return str(folder)

        def get_source_stamp(self):
            return fingerprint(self._function.__module__)

        def get_disambiguator(self):
            return f"{self._function.__module__}-{self._function.__code__.co_firstlineno}"

    class Implementation(CompileResultCacheImpl):
        _locator_classes = [Locator]  # type: ignore[list-item]  # noqa: RUF012

    class Folder(FunctionCache):
        _impl_class = Implementation

    return Folder
