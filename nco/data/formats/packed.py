"""Arrays in JSON: nested lists while people may read them, compressed text beyond.

Infinity is `null` in lists. Packed arrays are little-endian float64, so both ways are exact.
"""

from __future__ import annotations

import base64
import binascii
import math
import zlib
from typing import Any

import numpy as np

from nco.archives import BrokenArchiveError, inflate, shrinks_too_well
from nco.arrays import Floats
from nco.data.formats.json_file import Fields
from nco.errors import quoted

_READABLE = 2500
_NUMBERS = {int, float, type(None)}


def pack(array: Floats) -> Any:
    """An array as nested lists or, if it is large, as compressed text."""
    if array.size <= _READABLE:
        return array.tolist()
    plain = np.ascontiguousarray(array, "<f8").tobytes()
    raw = zlib.compress(plain, 1)
    if shrinks_too_well(len(plain), len(raw)):  # the same number throughout: reading would refuse
        raw = zlib.compress(plain, 0)
    return {
        "encoding": "zlib+base64",
        "dtype": "<f8",
        "shape": list(array.shape),
        "data": base64.b64encode(raw).decode(),
    }


def unpack(data: Fields, key: str) -> Floats:
    """The array in an entry that `pack` wrote, or someone wrote by hand.

    Raises:
        FormatError: it is missing, or not an array of numbers.
    """
    value = data.raw(key)
    if not isinstance(value, dict):
        return _from_lists(data, key, value)
    packed = data.child(key)
    packed.refuse_unknown(("encoding", "dtype", "shape", "data"))
    for name, wanted in (("encoding", "zlib+base64"), ("dtype", "<f8")):
        if packed.text(name) != wanted:
            packed.fail(name, f"is {quoted(packed.text(name))}; only {quoted(wanted)} is known")
    shape = packed.wholes("shape")
    if not 1 <= len(shape) <= 2:
        packed.fail("shape", f"is {quoted(shape)}; give one or two numbers")
    try:
        raw = base64.b64decode(packed.text("data"), validate=True)
        content = inflate(raw, 8 * math.prod(shape))
    except (binascii.Error, BrokenArchiveError, ValueError) as error:
        packed.fail("data", f"is damaged ({error}); write the file again")
    return np.frombuffer(content, "<f8").reshape(shape).astype(np.float64)


def _from_lists(data: Fields, key: str, value: Any) -> Floats:
    """Nested lists of numbers, null for infinity."""
    rows = value if isinstance(value, list) else [None, value]
    nested = isinstance(rows[0], list) if rows else False
    # `np.array` alone would read numbers in quotes as well, and true as 1.
    kinds = {kind for row in rows for kind in map(type, row if isinstance(row, list) else [row])}
    if not isinstance(value, list) or not kinds <= _NUMBERS:
        data.fail(key, "must be (lists of) numbers, null where unlimited")
    if any(isinstance(row, list) != nested for row in rows):
        data.fail(key, "mixes numbers and lists of numbers")
    try:
        array = np.array(rows, dtype=np.float64)
    except (ValueError, OverflowError):
        data.fail(key, "has rows of different lengths, or a number that is too large")
    array[np.isnan(array)] = math.inf
    return array
