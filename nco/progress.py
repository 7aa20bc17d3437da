"""Searches tell of better answers while they go on; whoever listens hears of them.

A search tells what it has by `tell`, in its own terms and as often as it likes: nothing is computed
unless somebody listens (`listening`) in the thread that the search runs in. `nco.solve(watch=...)`
is how users listen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

type Routes = Callable[[], Sequence[Any]]
"""Makes the routes that are told of, if anybody wants them."""

_listener: ContextVar[Callable[[Routes], None] | None] = ContextVar("listener", default=None)


def listened() -> bool:
    """Whether anybody listens, for searches that would have to keep something to tell of."""
    return _listener.get() is not None


def tell(routes: Routes) -> None:
    """A search tells of routes that are better than what it has told of before."""
    listener = _listener.get()
    if listener is not None:
        listener(routes)


@contextmanager
def listening(listener: Callable[[Routes], None] | None) -> Iterator[None]:
    """Listens to the searches that this thread runs meanwhile; None has nobody listen."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


class Teller:
    """Tells only of what costs less than whatever a search has told before."""

    def __init__(self) -> None:
        self._least = float("inf")

    def __call__(self, cost: float, routes: Routes) -> None:
        """What a search has found, at a cost in its own units."""
        if cost < self._least and listened():
            self._least = cost
            tell(routes)
