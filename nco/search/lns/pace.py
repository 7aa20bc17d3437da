"""How a search is run in pieces, so that a clock can end it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nco.search.lns.search import Search
    from nco.solver import Clock

CHUNK_S = 0.02  # of searching between two looks at the clock, at most
CHUNKS = 50  # at least, of the time there is
FIRST = 20  # iterations, before it is known how long they take
MOST_AT_ONCE = 2000  # iterations


class Pace:
    """Runs searches until a clock, or a number of iterations, ends them.

    Args:
        clock: read from now on.
        most: iterations in all; None leaves it to the clock.
    """

    def __init__(self, clock: Clock, most: int | None) -> None:
        self._clock, self._most = clock, most
        self._begin_s, self._whole_s = clock.elapsed_s, clock.left_s
        self._made, self._largest = 0, FIRST
        self._each_s = 0.0

    def run(self, search: Search, share: float = 1.0) -> None:
        """Searches until a share of the time, or of the iterations, is over.

        Args:
            search: to run; another one may be run the next time.
            share: counted from when the pace was made.
        """
        most, clock = self._most, self._clock
        while not clock.over:
            now_s = clock.elapsed_s
            if most is None:
                done, step = (now_s - self._begin_s) / self._whole_s, 1 / CHUNKS
                if done >= share:
                    return
                count = self._fitting(share * self._whole_s - now_s + self._begin_s)
            else:
                count = min(MOST_AT_ONCE if self._made else FIRST, self._left(share, most))
                if count <= 0:
                    return
                done, step = self._made / most, count / most
            search.run(count, min(done, 1.0), min(done + step, 1.0))
            self._made += count
            self._largest = max(self._largest, count)
            self._each_s = max(clock.elapsed_s - now_s, 1e-6) / count

    def _left(self, share: float, most: int) -> int:
        """Iterations until a share of all is over."""
        return math.ceil(share * most) - self._made

    def _fitting(self, left_s: float) -> int:
        """Iterations that fit into the next piece, by what those of the last one took."""
        if not self._made:
            return FIRST
        wanted_s = min(CHUNK_S, self._whole_s / CHUNKS, max(left_s, 1e-3))
        return max(1, min(2 * self._largest, int(wanted_s / self._each_s)))
