"""Lines on a map as short texts: the encoded polyline format of Google, OSRM and VROOM."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nco.arrays import Floats

DIGITS = 5  # of a degree: about a metre


def encoded(pieces: Sequence[Floats], digits: int = DIGITS) -> str:
    """Pieces of a line, `[k, 2]` lonlat each, as one text; a point in a row counts once."""
    points = np.concatenate([np.zeros((0, 2)), *pieces])
    whole = np.rint(points[:, ::-1] * 10**digits).astype(np.int64)  # latitude comes first
    moved = np.concatenate([[True], (np.diff(whole, axis=0) != 0).any(axis=1)])[: len(whole)]
    steps = np.diff(whole[moved], axis=0, prepend=np.zeros((1, 2), np.int64))
    return "".join(_letters(int(step)) for step in steps.ravel())


def _letters(number: int) -> str:
    """Five bits a letter, least first; the sign is the last bit."""
    bits, found = (number << 1) ^ (number >> 63), ""
    while bits >= 0x20:
        found += chr((0x20 | (bits & 0x1F)) + 63)
        bits >>= 5
    return found + chr(bits + 63)
