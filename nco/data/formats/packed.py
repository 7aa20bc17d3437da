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

from nco.data.formats.json_file import Fields
from nco.arrays import Floats

_READABLE = 2500


def pack(array: Floats) -> Any:
    """An array as nested lists or, if it is large, as compressed text."""
    if array.size <= _READABLE:
        return array.tolist()
    raw = zlib.compress(np.ascontiguousarray(array, "<f8").tobytes(), 1)
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
            packed.fail(name, f"is {packed.text(name)!r}; only {wanted!r} is known")
    shape = packed.wholes("shape")
    size = 8 * math.prod(shape)
    try:
        raw = base64.b64decode(packed.text("data"), validate=True)
        # One byte more than wanted is enough to see that there is too much.
        content = zlib.decompressobj().decompress(raw, size + 1)
    except (binascii.Error, zlib.error, ValueError, OverflowError) as error:
        packed.fail("data", f"is damaged ({error}); write the file again")
    if len(content) != size:
        packed.fail("data", f"does not hold {' x '.join(map(str, shape))} numbers, as shape says")
    return np.frombuffer(content, "<f8").reshape(shape).astype(np.float64)


def _from_lists(data: Fields, key: str, value: Any) -> Floats:
    """Nested lists of numbers, null for infinity."""
    try:
        plain = np.array(value)
    except (ValueError, OverflowError):
        plain = np.empty(0, dtype=object)
    if plain.ndim and plain.dtype.kind in "iuf":  # the quick way: no null, nothing odd
        return plain.astype(np.float64)
    rows = value if isinstance(value, list) else []
    flat = [cell for row in rows for cell in (row if isinstance(row, list) else [row])]
    if not isinstance(value, list) or any(
        cell is not None and type(cell) not in (int, float) for cell in flat
    ):
        data.fail(key, "must be (lists of) numbers, null where unlimited")
    try:
        return np.array(
            [
                [math.inf if cell is None else cell for cell in row]
                if isinstance(row, list)
                else (math.inf if row is None else row)
                for row in rows
            ],
            dtype=np.float64,
        )
    except (ValueError, OverflowError):
        data.fail(key, "has rows of different lengths, or a number that is too large")
