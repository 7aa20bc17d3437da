"""How a search is cooled: in rounds, each in pieces between which a clock is looked at.

The first round cools from hot to cold in a number of iterations that only the problem decides. Each
later one takes up the best routes, warm, and is as long as all before. So a longer limit goes
through what a shorter one went through, to the last iteration, and then goes on from there. Only
the last round follows the clock: it is as long as there is time, and ends cold.
"""

from __future__ import annotations

import math
from contextlib import contextmanager
from threading import Event, Thread
from typing import TYPE_CHECKING

from nco.fleet.columns import collector
from nco.progress import Teller

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nco.search.lns.search import Search
    from nco.solver import Clock

PIECE_S = 0.02  # of searching between two looks at the clock, at most,
SHARE = 0.1  # and of what is left,
LEAST_S = 5e-4  # but a piece is not shorter
FIRST = 20  # iterations, before it is known how long they take
GROWTH = 2  # from piece to piece, at most
MOST_AT_ONCE = 2000  # iterations, where they are counted and no clock matters
ROUND = 300  # iterations a stop of the first round
ASKED_S = 0.1  # after which a clock is asked again: an interruption may have ended it
WARM = 0.5  # share of the cooling that later rounds leave out


class Pace:
    """Runs searches until a clock, or a number of iterations, ends them.

    Args:
        clock: read from now on.
        most: iterations in all; None leaves it to the clock.
    """

    def __init__(self, clock: Clock, most: int | None) -> None:
        self._clock, self._most = clock, most
        self._begin_s, self._whole_s = clock.elapsed_s, clock.left_s
        self._made, self._last = 0, 0
        self._each_s = 0.0
        self._tell = Teller()
        self._columns = collector()

    def run(self, search: Search, share: float = 1.0) -> None:
        """Cools once over all of the time, until a share of it is over.

        Args:
            search: to run; another one may be run the next time.
            share: of the time, or of the iterations, counted from when the pace was made.
        """
        while (left := self._left(share)) > 0:
            whole = max(1.0, left + self._left(1.0) - self._left(share))
            done = self._done
            count = self._piece(left)
            self._search(search, count, done, min(1.0, done + (1.0 - done) * count / whole))

    def run_rounds(self, search: Search, *, warm: bool = False) -> None:
        """Cools again and again, each time for as long as all times before.

        Args:
            search: to run.
            warm: whether its routes are good ones already, so that the first round is as warm as
                later ones are.
        """
        length, begin = ROUND * max(1, len(search.instance.stops)), WARM if warm else 0.0
        while (left := self._left()) > 0:
            if begin and left < length:
                begin = 1.0 - (1.0 - begin) * math.sqrt(left / length)
            self._round(search, length, begin)
            search.go_on_from(search)
            self._note(search)
            length, begin = self._made, WARM

    def _round(self, search: Search, length: int, begin: float) -> None:
        """Cools from a share of the cooling on, in so many iterations or what there is time for."""
        made, cooled = 0, begin
        while made < length and (left := self._left()) > 0:
            rest = length - made
            count = min(rest, self._piece(left))
            if left < rest:
                end = cooled + (1.0 - cooled) * min(1.0, count / left)
            else:
                end = begin + (1.0 - begin) * (made + count) / length
            self._search(search, count, cooled, end)
            made, cooled = made + count, end

    def _search(self, search: Search, count: int, begin: float, end: float) -> None:
        before_s = self._clock.elapsed_s
        search.run(count, begin, end)
        self._tell(search.cost, lambda: search.routes)
        self._note(search)
        self._each_s = max(self._clock.elapsed_s - before_s, 1e-6) / count
        self._made += count
        self._last = count

    def _note(self, search: Search) -> None:
        if self._columns is not None:
            search.note(self._columns)

    @property
    def _done(self) -> float:
        """Share of the whole that is over."""
        if self._most is not None:
            return min(1.0, self._made / self._most)
        return min(1.0, (self._clock.elapsed_s - self._begin_s) / self._whole_s)

    def _left(self, share: float = 1.0) -> float:
        """Iterations until a share of the whole is over; none where the clock is."""
        if self._clock.over:
            return 0.0
        if self._most is not None:
            return math.ceil(share * self._most) - self._made
        left_s = self._begin_s + share * self._whole_s - self._clock.elapsed_s
        if not self._made:
            return math.inf if left_s > 0 else 0.0
        return max(0.0, left_s) / self._each_s

    def _piece(self, left: float) -> int:
        """Iterations of the next piece, where so many are left."""
        if not self._last:
            return int(min(FIRST, left))
        if self._most is not None:
            return max(1, int(min(MOST_AT_ONCE, left)))
        fitting = min(PIECE_S / self._each_s, max(SHARE * left, LEAST_S / self._each_s))
        return max(1, int(min(GROWTH * self._last, fitting)))


@contextmanager
def stopped(search: Search, clock: Clock) -> Iterator[None]:
    """Ends a search in the middle of a piece when a clock is over, from a thread beside it."""
    complete = Event()

    def watch() -> None:
        while not complete.wait(min(clock.left_s, ASKED_S)):
            if clock.over:
                search.stop()
                return

    watcher = Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        complete.set()
        watcher.join()
