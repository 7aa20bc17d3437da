"""The one decorator of all compiled functions, and how they are compiled, kept and called.

`compiled` marks a function that numba compiles when it is first called. Nothing is imported and
nothing compiled before. What was compiled is kept on disk under the fingerprint of all sources that
it depends on (`nco.kernels.fingerprint`), so that it is never out of date.

There are two ways to call a kernel from Python:

- as a rule by numba's own dispatcher, which is quick at it but must be imported;
- `ahead=True`: by an object file that llvmlite loads, without numba, which costs a command half a
  second less. A call takes tens of microseconds to pack its arguments, so this is for functions
  that do much in one call. They may not allocate.

Compiled functions call one another as if they were numba's.
"""

from __future__ import annotations

import ctypes
import functools
import hashlib
import itertools
import logging
import struct
import threading
from typing import TYPE_CHECKING, Any

import numpy as np

from nco.kernels.by_reference import BY_REFERENCE
from nco.kernels.fingerprint import home_of
from nco.kernels.objects import objects

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nco.kernels.objects import Loaded

log = logging.getLogger("nco.kernels")
_lock = threading.RLock()
_numbers = itertools.count()


def compiled(
    function: Callable[..., Any] | None = None,
    *,
    ahead: bool = False,
    cache: bool = True,
    **options: Any,
) -> Any:
    """Makes a function a `Kernel`; used as a decorator, with or without arguments.

    Args:
        function: in the part of Python that numba compiles.
        ahead: whether it is called by way of an object file, see above.
        cache: whether what is compiled is kept on disk; of no use where only other kernels call it.
        **options: of `numba.njit`.
    """
    if function is None:
        return functools.partial(Kernel, ahead=ahead, cache=cache, options=options)
    return Kernel(function, ahead=ahead, cache=cache, options=options)


class Kernel:
    """A function that is compiled when it is needed; see `compiled`."""

    def __init__(
        self, function: Callable[..., Any], *, ahead: bool, cache: bool, options: dict[str, Any]
    ) -> None:
        self.__name__, self.__qualname__ = function.__name__, function.__qualname__
        self.__module__, self.__doc__ = function.__module__, function.__doc__
        self.py_func = function
        self.targetoptions = options  # the name under which numba looks for them
        self._ahead, self._cache = ahead, cache
        self._entries: dict[Any, Loaded] = {}

    def __call__(self, *arguments: Any) -> Any:
        """Runs the compiled function."""
        if not self._ahead:
            return self.dispatcher(*arguments)
        kinds, form, words = packed(arguments)
        entry = self._entries.get(kinds) or self._entry(kinds, arguments, direct=False)
        block = bytearray(8 * (len(words) + 1))
        struct.pack_into(form, block, 0, *words)
        if _call(entry.address)((ctypes.c_char * len(block)).from_buffer(block)):
            raise RuntimeError(f"{self.__qualname__} failed")
        if entry.returns:
            return struct.unpack_from(entry.returns, block, 8 * len(words))[0]
        return None

    def address(self, *arguments: Any) -> int:
        """Where code for arguments of such types begins; it stays there.

        Args:
            *arguments: numbers and tuples by reference, which C hands over as words and pointers
                to words (`nco.kernels.reference`).
        """
        kinds = ("direct", packed(arguments)[0])
        entry = self._entries.get(kinds) or self._entry(kinds, arguments, direct=True)
        return entry.address

    @property
    def loaded(self) -> bool:
        """Whether it can be called at once for some types of arguments."""
        return bool(self._entries)

    def _entry(self, kinds: Any, arguments: Sequence[Any], *, direct: bool) -> Loaded:
        with _lock:
            home = home_of(self.py_func)
            symbol, module = self._symbol(home, kinds), objects(home)
            found = module.find(symbol)
            if found is None:
                say_once()
                from nco.kernels.emit import compiled_object

                code = compiled_object(
                    self.py_func, self.targetoptions, arguments, symbol, direct=direct
                )
                found = module.add(symbol, code)
            self._entries[kinds] = found
            return found

    def _symbol(self, home: str, kinds: Any) -> str:
        """A name for the code: the function, its options and the types of its arguments.

        Constants and what is called are told by the fingerprint; without a file that is kept
        nothing is, and no two functions are taken for the same.
        """
        code = self.py_func.__code__
        cells = [cell.cell_contents for cell in self.py_func.__closure__ or ()]
        known = (code.co_code, code.co_firstlineno, cells) if home else next(_numbers)
        text = repr((kinds, known, sorted(self.targetoptions.items())))
        return f"nco_{self.py_func.__name__}_{hashlib.sha256(text.encode()).hexdigest()[:16]}"

    @functools.cached_property
    def dispatcher(self) -> Any:
        """The function as numba has it."""
        from nco.kernels.dispatch import dispatcher

        return dispatcher(
            self.py_func, self.targetoptions, cached=self._cache, called=not self._ahead
        )

    @property
    def _numba_type_(self) -> Any:
        """What numba asks of a global name that compiled functions call."""
        return self.dispatcher._numba_type_

    def __repr__(self) -> str:
        return f"<kernel {self.__module__}.{self.__qualname__}>"


def packed(arguments: Sequence[Any]) -> tuple[Any, str, list[Any]]:
    """The types of arguments, and their words with the format in which `struct` packs them.

    Raises:
        TypeError: an argument is neither an array, nor a number, nor a tuple by reference.
    """
    kinds: list[Any] = []
    form: list[str] = []
    words: list[Any] = []
    for value in arguments:
        if isinstance(value, np.ndarray):
            kinds.append(_array_kind(value))
            words += (value.__array_interface__["data"][0], *value.shape, *value.strides)
            form.append("q" * (1 + 2 * value.ndim))
        elif type(value) in BY_REFERENCE:
            kinds.append((type(value).__module__, type(value).__qualname__))
            for item in value:
                if not isinstance(item, np.ndarray):
                    letter, word = _number(item)
                    kinds.append(letter)
                    form.append(letter)
                    words.append(word)
                    continue
                if not item.flags.c_contiguous:
                    raise TypeError(
                        f"an array {item.shape} with strides {item.strides}: by reference go "
                        "arrays in C order only; hand over np.ascontiguousarray of it"
                    )
                kinds.append((item.dtype.str, item.ndim))
                words += (item.__array_interface__["data"][0], *item.shape)
                form.append("q" * (1 + item.ndim))
        else:
            letter, word = _number(value)
            kinds.append(letter)
            form.append(letter)
            words.append(word)
    return tuple(kinds), "".join(form), words


def _array_kind(array: np.ndarray) -> tuple[str, int, str]:
    flags = array.flags
    order = "C" if flags.c_contiguous else "F" if flags.f_contiguous else "A"
    return array.dtype.str, array.ndim, order


def _number(value: Any) -> tuple[str, Any]:
    """The format of a number as a word of eight bytes, and the number."""
    if isinstance(value, bool | np.bool_):
        return "?7x", bool(value)
    if isinstance(value, int | np.int64):
        return "q", int(value)
    if isinstance(value, float):  # np.float64 is one
        return "d", value
    if isinstance(value, np.float32):
        return "f4x", value
    raise TypeError(f"{value!r:.60} is no argument of a kernel that is compiled ahead")


@functools.cache
def _call(address: int) -> Any:
    """A function of Python that runs an entry, without the GIL."""
    return ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p)(address)


@functools.cache
def say_once() -> None:
    """Says that something is compiled, once a process."""
    log.warning(
        "compiling loops, once for this version and processor: up to a minute "
        "(`nco warm-up` does it ahead)"
    )
