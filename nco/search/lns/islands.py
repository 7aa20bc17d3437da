"""Islands: searches side by side, a thread each, that exchange their best.

Compiled loops release the interpreter lock, so threads are enough: nothing is copied, and nothing
has to be started before the clock. Where there are many routes, each island searches its share of
them, neighbouring ones, and every moment the shares are put together and cut anew: that is one
search that gets on as many times as fast. Where there are few, or where the longest of all counts,
every island searches all of the problem by weights of its own, and now and then the worst of them
goes on from the best.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np

from nco.interruption import ending_searches
from nco.progress import Teller
from nco.search.lns.pace import Pace
from nco.search.lns.parts import parted, parts_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nco.search.lns.search import Search
    from nco.solver import Clock

CUTS = 50  # how often routes are shared out
LEAST_S = 0.02  # of searching in between
EXCHANGES = 10  # of islands that search all of a problem


def at_once[T](pool: ThreadPoolExecutor, tasks: Sequence[Callable[[], T]]) -> list[T]:
    """Runs functions side by side; their results when all have ended."""
    with ending_searches():
        return [future.result() for future in [pool.submit(task) for task in tasks]]


def run_islands(search: Search, jobs: int, clock: Clock, most: int | None, seed: int) -> None:
    """Runs a search on islands; it holds the best of all in the end.

    Args:
        search: has begun.
        jobs: islands.
        clock: ends it.
        most: iterations of each island; None leaves it to the clock. With them, the same seed
            gives the same routes.
        seed: of what islands do differently.
    """
    rng = np.random.default_rng(seed)
    paces = [Pace(clock, most) for _ in range(jobs)]
    with ThreadPoolExecutor(jobs) as pool:
        if parted(search, jobs):
            _run_parts(search, paces, clock, most, rng, pool)
        else:
            _run_wholes(search, paces, clock, rng, pool)


def _run_parts(
    search: Search,
    paces: Sequence[Pace],
    clock: Clock,
    most: int | None,
    rng: np.random.Generator,
    pool: ThreadPoolExecutor,
) -> None:
    """All islands carry on one search, a part of its routes each."""
    tell = Teller()
    cuts = CUTS if most is not None else max(1, min(CUTS, int(clock.left_s / LEAST_S)))
    for cut in range(cuts):
        if clock.over:
            return
        shares = parts_of(search, len(paces), rng)
        parts = [search.part(*share, _seed(rng)) for share in shares]
        _run(paces, parts, (cut + 1) / cuts, pool)
        vehicles = (own for own, _ in shares)
        search.join(list(zip(vehicles, parts, strict=True)))
        tell(search.cost, lambda: search.routes)


def _run_wholes(
    search: Search,
    paces: Sequence[Pace],
    clock: Clock,
    rng: np.random.Generator,
    pool: ThreadPoolExecutor,
) -> None:
    """Every island has a search of its own."""
    tell = Teller()
    islands = [search, *(search.beside(_seed(rng)) for _ in paces[1:])]
    for moment in range(EXCHANGES):
        if clock.over:
            break
        _run(paces, islands, (moment + 1) / EXCHANGES, pool)
        best = min(islands, key=lambda island: island.cost)
        worst = max(islands, key=lambda island: island.cost)
        tell(best.cost, lambda found=best: found.routes)  # type: ignore[misc]
        if best.cost < worst.cost:
            worst.go_on_from(best)
    best = min(islands, key=lambda island: island.cost)
    if best.cost < search.cost:
        search.go_on_from(best)


def _run(
    paces: Sequence[Pace], searches: Sequence[Search], share: float, pool: ThreadPoolExecutor
) -> None:
    """Runs searches side by side until a share of the whole is over."""

    def task(pace: Pace, search: Search) -> Callable[[], None]:
        return lambda: pace.run(search, share)

    at_once(pool, [task(*pair) for pair in zip(paces, searches, strict=False)])


def _seed(rng: np.random.Generator) -> int:
    return int(rng.integers(2**31))
