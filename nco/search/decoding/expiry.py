"""How decoding is given up when its time is over, between steps or from beside a compiled loop."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

type Expired = Callable[[], bool]
"""Asked whether to give up."""

_EVERY_S = 0.001


class TimeUp(Exception):  # noqa: N818 (not an error)
    """Decoding was given up before its rollouts were complete."""


@contextmanager
def watched(expired: Expired | None) -> Iterator[NDArray[np.int64]]:
    """An array of a 0 that becomes a 1 once time is over, for loops that cannot ask.

    A thread of its own asks every millisecond.

    Raises:
        TimeUp: time was over before the end, or from the beginning.
    """
    stop = np.zeros(1, np.int64)
    if expired is None:
        yield stop
        return
    if expired():
        raise TimeUp
    complete = Event()

    def watch() -> None:
        while not complete.wait(_EVERY_S):
            if expired():
                stop[0] = 1
                return

    watcher = Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield stop
    finally:
        complete.set()
        watcher.join()
    if stop[0]:
        raise TimeUp
