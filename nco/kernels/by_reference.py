"""Named tuples of arrays that compiled functions hand on by reference.

Numba passes a named tuple by value: each function takes every word of every array in it, more than
three hundred arguments for two tuples of 24 fields, which costs about a second of compiling a
function, and stack traffic a call. Here they are one pointer each, and a function reads those
fields that it uses.

`nco.kernels.reference` tells numba so, once numba is there.
"""

from __future__ import annotations

import sys
from typing import Any

BY_REFERENCE: set[type] = set()
"""The named tuples that go by reference."""


def by_reference[T: tuple[Any, ...]](cls: type[T]) -> type[T]:
    """Makes compiled functions take the instances of a named tuple by reference.

    Fields are arrays in C order, which stay alive and in place while the function runs, and
    numbers, which it cannot change. Whether an array may be written to is not looked at, so that
    one compiled function serves all.

    Args:
        cls: a class made by `typing.NamedTuple`.
    """
    BY_REFERENCE.add(cls)
    if (known := sys.modules.get("nco.kernels.reference")) is not None:
        known.register(cls)
    return cls
