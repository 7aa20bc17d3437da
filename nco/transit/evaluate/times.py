"""Times as whole numbers that are small and still exact, for the evaluator's compiled loops.

An entry holds time and number of rides in one number, `2^bits * time + rides`, so that its least
value is that of the fastest way and, among these, of the one with the fewest transfers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nco.errors import ProblemError
from nco.transit.evaluate.lanes import lanes_of

_GRID = 2**20  # parts of a second that times which are no whole milliseconds are rounded to
_MILLI = 1000

_FAR = {np.uint16: 2**15 - 1, np.int32: 2**30 - 1, np.int64: 2**61 - 1}
"""What stands for "no way"; twice as much does not overflow."""


@dataclass(frozen=True, eq=False)
class Code:
    """How times are written in entries of one type.

    Attributes:
        dtype: of an entry.
        bits: for the number of rides.
        far: no way.
        limit: entries from here on may be wrong where they are not `far` rightly.
        unit_s: seconds of one.
        transfer: time of a transfer.
        link: `[N, N]` times, -1 where there is no link and on the diagonal.
    """

    dtype: Any
    bits: int
    far: int
    limit: int
    unit_s: float
    transfer: int
    link: NDArray[Any]

    @property
    def numbers(self) -> tuple[int, int, int, int, int]:
        """What compiled loops take: bits, what boarding costs, far, limit, transfer."""
        return self.bits, (self.transfer << self.bits) + 1, self.far, self.limit, self.transfer

    @property
    def vectors(self) -> int:
        """Vectors that a row of entries takes."""
        return -(-len(self.link) // lanes_of(np.dtype(self.dtype).itemsize))

    @property
    def stride(self) -> int:
        """Entries that a row takes."""
        return self.vectors * lanes_of(np.dtype(self.dtype).itemsize)


def codes(link_s: NDArray[np.float64], transfer_s: float) -> tuple[Code, ...]:
    """Codes of a network, the fastest first and the last one exact for all lines.

    Args:
        link_s: `[N, N]` seconds, `inf` where there is no link.
        transfer_s: seconds of a transfer.

    Raises:
        ProblemError: times differ by more than whole numbers of 64 bits can hold.
    """
    slow = exact_code(link_s, transfer_s)
    fast = _short(slow)
    # A way through the streets is a bound from below: where it is too long, so are all others.
    time = np.where(slow.link >= 0, slow.link.astype(np.int64), slow.far)
    np.fill_diagonal(time, 0)
    for k in range(len(time)):
        np.minimum(time, time[:, k, None] + time[None, k], out=time)
    longest = int(time[time < slow.far].max(initial=0)) + 2 * slow.transfer
    return (fast, slow) if longest << fast.bits < fast.limit else (slow,)


def exact_code(link_s: NDArray[np.float64], transfer_s: float) -> Code:
    """The narrowest code that no way exceeds; arguments and errors are those of `codes`.

    The best way enters no node twice (changing there would be as good), so that it has fewer links
    and fewer rides than there are nodes.
    """
    linked = np.isfinite(link_s) & ~np.eye(len(link_s), dtype=bool)
    unit_s = _unit_s(np.append(link_s[linked], transfer_s))
    link = np.full(link_s.shape, -1, np.int64)
    link[linked] = np.rint(link_s[linked] / unit_s)
    transfer, nodes, longest = round(transfer_s / unit_s), len(link), int(link.max(initial=0))
    bits = nodes.bit_length()
    bound = (nodes * (longest + transfer) + 1) << bits
    for dtype in (np.int32, np.int64):
        if bound < _FAR[dtype]:
            far = _FAR[dtype]
            return Code(dtype, bits, far, far, unit_s, transfer, link.astype(dtype))
    raise ProblemError(
        f"link_s: the longest link takes {longest * unit_s:g} s and all times are counted in parts "
        f"of {unit_s:g} s, which is too long for {nodes} nodes; give shorter times"
    )


def _unit_s(times_s: NDArray[np.float64]) -> float:
    """Seconds that all times are multiples of, to the millisecond if they can be."""
    milli = np.rint(times_s * _MILLI)
    if np.allclose(milli, times_s * _MILLI, rtol=1e-12, atol=1e-6):
        return math.gcd(*milli.astype(np.int64).tolist(), _MILLI * 3600) / _MILLI
    return 1.0 / _GRID


def _short(exact: Code) -> Code:
    """The code of 16 bits that reaches furthest, in place of an exact one.

    A number of rides that does not fit into its bits counts as time, and takes so long that its
    entry is at or above the limit; so is any entry that it could hide (a slower way by less rides).
    """
    far, transfer = _FAR[np.uint16], exact.transfer
    times = exact.link[exact.link >= 0]
    shortest = int(times.min()) if times.size else 1

    def limit(bits: int) -> int:
        rides = 1 << bits
        return min(far, (rides * (shortest + transfer) + 1 - transfer) << bits)

    bits = max(range(2, 9), key=lambda b: limit(b) >> b)
    return replace(exact, dtype=np.uint16, bits=bits, far=far, limit=limit(bits))
