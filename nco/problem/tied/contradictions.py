"""Ties that contradict one another: circular orders, and one vehicle that is to be two."""

from __future__ import annotations

from itertools import combinations, pairwise
from typing import TYPE_CHECKING

from nco.errors import ProblemError, quoted
from nco.problem.tied.different_vehicles import DifferentVehicles
from nco.problem.tied.precedence import Precedence
from nco.problem.tied.sequence import Sequence
from nco.problem.tied.tie import Tie

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from nco.problem.problem import Problem

type _Edge = tuple[int, int, str]
type _Counts = Callable[[int, int], bool]


def refuse_contradictions(problem: Problem, ties: Iterable[Tie]) -> None:
    """Refuse ties that no answer can keep which serves what must be served.

    Stops that may be left out are no contradiction, unless they are served together or not at all.

    Raises:
        ProblemError: names the ties and the stops.
    """
    ties = tuple(ties)
    together: list[tuple[int, ...]] = [(s.pickup, s.delivery) for s in problem.shipments]
    together += [tie.stops for tie in ties if tie.whole]
    unit = {j: k for k, stops in enumerate(together) for j in stops}
    required = problem.required

    def counts(a: int, b: int) -> bool:
        """Whether no answer that serves one of two stops leaves the other out."""
        return bool(required[a] and required[b]) or (a in unit and unit[a] == unit.get(b))

    _refuse_circles(problem, _edges(problem, ties, counts))
    _refuse_torn(problem, ties, together, counts)


def _edges(problem: Problem, ties: tuple[Tie, ...], counts: _Counts) -> list[_Edge]:
    """What comes before what, and why."""
    found = [(s.pickup, s.delivery, f"shipments[{n}]") for n, s in enumerate(problem.shipments)]
    for k, tie in enumerate(ties):
        if isinstance(tie, Precedence | Sequence):
            found += [(a, b, f"ties[{k}]") for a, b in combinations(tie.stops, 2) if counts(a, b)]
    return found


def _refuse_circles(problem: Problem, edges: list[_Edge]) -> None:
    onward: dict[int, list[tuple[int, str]]] = {}
    for a, b, why in edges:
        onward.setdefault(a, []).append((b, why))
    done: set[int] = set()
    for first in onward:
        path: list[int] = []
        # Stops still to be looked at, None where one has been left behind.
        ahead: list[int | None] = [first]
        while ahead:
            stop = ahead.pop()
            if stop is None:
                done.add(path.pop())
            elif stop in path:
                circle = [*path[path.index(stop) :], stop]
                names = ", ".join(f"{j} ({quoted(problem.names[j])})" for j in circle)
                owners = sorted(
                    {why for a, b in pairwise(circle) for j, why in onward[a] if j == b}
                )
                raise ProblemError(
                    f"{' and '.join(owners)}: the order of stops {names} is circular, so that none "
                    "can come first; take one of them out"
                )
            elif stop not in done:
                path.append(stop)
                ahead.append(None)
                ahead += [after for after, _ in onward.get(stop, ())]


def _refuse_torn(
    problem: Problem, ties: tuple[Tie, ...], together: list[tuple[int, ...]], counts: _Counts
) -> None:
    """Refuse different vehicles for stops that one vehicle is to serve."""
    owner = {j: j for j in problem.stops}

    def root(j: int) -> int:
        while owner[j] != j:
            j = owner[j]
        return j

    joined = together + [tie.stops for tie in ties if not isinstance(tie, DifferentVehicles)]
    for stops in joined:
        for a, b in pairwise(stops):
            if counts(a, b):
                owner[root(a)] = root(b)
    for k, tie in enumerate(ties):
        if isinstance(tie, DifferentVehicles):
            for a, b in combinations(tie.stops, 2):
                if counts(a, b) and root(a) == root(b):
                    names = " and ".join(f"{j} ({quoted(problem.names[j])})" for j in (a, b))
                    raise ProblemError(
                        f"ties[{k}] ({tie.kind}): stops {names} are for different vehicles, but "
                        "shipments or other ties ask for one vehicle; take one of them out"
                    )
