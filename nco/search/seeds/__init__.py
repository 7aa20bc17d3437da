"""Seeds: solutions to start a search from, of several sources, all charged to one clock.

A new source is a function with the signature of `Source` and one entry in `SOURCES`.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Protocol

from nco.errors import InputError, quoted
from nco.fleet.kinds import kinds_of
from nco.problem.solution import Solution
from nco.solver import Prepares

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nco.fleet.kinds import Kind
    from nco.problem import Problem
    from nco.problem.route import Route
    from nco.solver import Clock


@dataclass(frozen=True)
class Seed:
    """A solution to start from, which breaks no rule.

    Attributes:
        source: where it comes from.
        routes: no two seeds of a problem have the same.
        cost: total, what is left unserved included where it is optional.
        unserved: how many required stops are missing.
        time_s: share of the time that its source took.
    """

    source: str
    routes: list[Route]
    cost: float
    unserved: int
    time_s: float

    @property
    def rank(self) -> tuple[int, float]:
        """The smaller, the better."""
        return (self.unserved, self.cost)


class Source(Protocol):
    """Gives solutions; one that has something to load is a `Prepares`, too."""

    def __call__(
        self, problem: Problem, kinds: Sequence[Kind], count: int, clock: Clock, seed: int
    ) -> list[list[Route]]:
        """Up to `count` lists of routes, none where the source cannot help or time is short.

        Args:
            problem: to solve.
            kinds: of its vehicles.
            count: most solutions that are wanted.
            clock: a source ends before it is over, or gives nothing.
            seed: of whatever is random.
        """


# Name -> "module:attribute" of a source. Modules load on first use: torch takes a second.
SOURCES: dict[str, str] = {
    "policy": "nco.search.seeds.policy:SOURCE",
    "savings": "nco.search.seeds.built:savings",
    "nearest": "nco.search.seeds.built:nearest",
    "random": "nco.search.seeds.built:random",
}


def source(name: str) -> Source:
    """A source, its module loaded.

    Raises:
        InputError: there is none of that name.
    """
    if name not in SOURCES:
        raise InputError(f"seed source {quoted(name)} is unknown; known are {', '.join(SOURCES)}")
    module, attribute = SOURCES[name].split(":")
    found: Source = getattr(import_module(module), attribute)
    return found


def prepare(problem: Problem, sources: Sequence[str]) -> None:
    """Loads what sources take, so that no clock is charged for it.

    Args:
        problem: to solve.
        sources: names.

    Raises:
        InputError: a source is unknown.
    """
    for name in sources:
        found = source(name)
        if isinstance(found, Prepares):
            found.prepare(problem)


def starts(
    problem: Problem, sources: Sequence[str], count: int, clock: Clock, seed: int
) -> list[Seed]:
    """Solutions to start from, the best first.

    Args:
        problem: to solve.
        sources: names, asked in this order until the clock is over.
        count: most seeds of each source.
        clock: what all time is charged to.
        seed: of whatever is random.

    Returns:
        Different solutions that break no rule; none where no source has an answer in time.

    Raises:
        InputError: a source is unknown.
    """
    kinds = kinds_of(problem)
    seeds: dict[frozenset[tuple[int, tuple[int, ...]]], Seed] = {}
    for name in sources:
        found, began_s = source(name), clock.elapsed_s
        if clock.over:
            break
        given = found(problem, kinds, count, clock, seed)
        each_s = (clock.elapsed_s - began_s) / max(1, len(given))
        for routes in given:
            solution = Solution.from_routes(problem, routes, explain=False)
            if solution.routes and not solution.violations:
                key = frozenset((_kind(kinds, r.vehicle), r.stops) for r in solution.routes)
                unserved = sum(u.required for u in solution.unassigned)
                seeds.setdefault(
                    key,
                    Seed(name, list(solution.routes), solution.cost.total, unserved, each_s),
                )
    return sorted(seeds.values(), key=lambda s: s.rank)


def _kind(kinds: Sequence[Kind], vehicle: int) -> int:
    return next(k for k, kind in enumerate(kinds) if vehicle in kind.numbers)
