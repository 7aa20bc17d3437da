"""Routes that searches came across, and the best choice among them: set partitioning.

A search keeps one plan, and forgets a good route as soon as another beside it has to go. Those that
it saw on the way are columns of an integer program: each stop on one of them, and no more vehicles
than there are (after A. Subramanian, E. Uchoa and L. S. Ochi 2013, "A hybrid algorithm for a class
of vehicle routing problems").
"""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from time import perf_counter
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from nco.fleet.kinds import duties_of, renumbered, unserved_cost
from nco.problem import Feature
from nco.problem.objective import PEAKED
from nco.problem.route import Route

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nco.arrays import Floats
    from nco.fleet.kinds import Kind
    from nco.problem import Problem
    from nco.problem.solution import Solution

TOGETHER = PEAKED | {
    Feature.LONGEST_ROUTE,
    Feature.TRIPS,
    Feature.RELOADS,
    Feature.SAME_VEHICLE,
    Feature.DIFFERENT_VEHICLES,
    Feature.PRIORITIES,
}
"""What depends on several trips or routes at once, so that none can be chosen by itself."""

MOST = 20_000  # columns that are kept, those seen last
KEPT = 800  # that the integer program has, those that a linear one finds best
NEAR = 1e-6  # of a cost, which is no gain
RELAXED = 0.4  # of the time for the linear program, at most,
WHOLE = 0.8  # and for both programs, which do not look at the clock at once


def separable(problem: Problem) -> bool:
    """Whether a route is right, and costs what it costs, whatever the others are."""
    return problem.features.isdisjoint(TOGETHER)


class _Program(NamedTuple):
    """Choose columns at least cost: `rows` of them add up to 1, `limits` to `most` at most."""

    cost: Floats
    rows: Any  # sparse, which scipy's types do not know `linprog` to take
    limits: Any
    most: Floats


class Columns:
    """Routes by the kind of their vehicle and their stops, each in the cheapest order seen."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, frozenset[int]], tuple[float, tuple[int, ...]]] = {}

    def __len__(self) -> int:
        return len(self._known)

    def note(self, vehicle: int, stops: Sequence[int], cost: float) -> None:
        """Keeps a route that breaks no rule.

        Args:
            vehicle: that may drive it, or any other of its kind.
            stops: of the route, in order.
            cost: of the route with its vehicle.
        """
        key = (vehicle, frozenset(stops))
        before = self._known.pop(key, None)
        self._known[key] = before if before and before[0] <= cost else (cost, tuple(stops))
        if len(self._known) > 2 * MOST:
            for old in list(self._known)[:MOST]:
                self._known.pop(old, None)

    def best(
        self, problem: Problem, kinds: Sequence[Kind], known: Solution, limit_s: float
    ) -> list[Route] | None:
        """Routes that should cost less than known ones; None where none are found in time.

        Args:
            problem: `separable`.
            kinds: of its vehicles.
            known: breaks no rule.
            limit_s: seconds for it, about.
        """
        from scipy.optimize import Bounds, LinearConstraint, linprog, milp

        begun_s = perf_counter()
        columns = list(self._of(kinds))
        program = _program(problem, kinds, columns)
        if program is None:
            return None
        cost, less = _cheapened(kinds, known)
        program.cost[: len(columns)] -= less
        equal = np.ones(program.rows.shape[0])
        relaxed = linprog(
            program.cost,
            A_eq=program.rows, b_eq=equal, A_ub=program.limits, b_ub=program.most,
            method="highs", options={"time_limit": RELAXED * limit_s},
        )  # fmt: skip
        left_s = WHOLE * limit_s - (perf_counter() - begun_s)
        if relaxed.status != 0 or relaxed.fun is None or left_s <= 0.0:
            return None
        gap = cost * (1 - NEAR) - relaxed.fun
        if gap <= 0.0:
            return None
        # A column whose reduced cost is above the gap is in no better answer.
        dear = relaxed.lower.marginals
        dear[self._are(columns, duties_of(kinds, known.routes))] = 0.0
        chosen = np.flatnonzero(dear <= gap)
        chosen = chosen[np.argsort(dear[chosen], kind="stable")[:KEPT]]
        found = milp(
            program.cost[chosen],
            integrality=np.ones(len(chosen), int),
            bounds=Bounds(0.0, 1.0),
            constraints=[
                LinearConstraint(program.rows[:, chosen], equal, equal),
                LinearConstraint(program.limits[:, chosen], -np.inf, program.most),
            ],
            options={"time_limit": left_s, "mip_rel_gap": NEAR},
        )
        if found.x is None or found.fun >= cost * (1 - NEAR):
            return None
        taken = [columns[n] for n in chosen[found.x > 0.5] if n < len(columns)]
        return renumbered(kinds, [(k, [Route(0, stops)]) for k, _, stops in taken])

    @staticmethod
    def _are(
        columns: Sequence[tuple[int, float, tuple[int, ...]]],
        duties: Sequence[tuple[int, Sequence[tuple[int, ...]]]],
    ) -> list[int]:
        """Numbers of the columns that are known duties."""
        wanted = {(k, frozenset(trips[0])) for k, trips in duties}
        return [n for n, (k, _, stops) in enumerate(columns) if (k, frozenset(stops)) in wanted]

    def _of(self, kinds: Sequence[Kind]) -> Iterator[tuple[int, float, tuple[int, ...]]]:
        """Kind, cost and stops of each route whose vehicle is of a given kind."""
        kind_of = {number: k for k, kind in enumerate(kinds) for number in kind.numbers}
        for (vehicle, _), (cost, stops) in self._known.items():
            if vehicle in kind_of:
                yield kind_of[vehicle], cost, stops


def _program(
    problem: Problem, kinds: Sequence[Kind], columns: Sequence[tuple[int, float, tuple[int, ...]]]
) -> _Program | None:
    """The program; behind the columns are those of leaving out what may be left out.

    None where a stop is on no route that must be on one.
    """
    from scipy.sparse import csc_array

    row_of, prizes = _rows(problem)
    entries = [[row_of[j] for j in stops if j in row_of] for _, _, stops in columns]
    out = np.flatnonzero(np.isfinite(prizes))
    entries += [[int(row)] for row in out]
    columns_of = np.repeat(np.arange(len(entries)), [len(own) for own in entries])
    rows_of = np.array([row for own in entries for row in own], int)
    if len(np.unique(rows_of)) < len(prizes):
        return None
    shape = (len(prizes), len(entries))
    rows = csc_array((np.ones(len(rows_of)), (rows_of, columns_of)), shape=shape)
    kind = np.array([k for k, _, _ in columns], int)
    limits = csc_array(
        (np.ones(len(kind)), (kind, np.arange(len(kind)))), shape=(len(kinds), len(entries))
    )
    cost = np.concatenate([[cost for _, cost, _ in columns], prizes[out]])
    return _Program(cost, rows, limits, np.array([float(len(kind.numbers)) for kind in kinds]))


def _cheapened(kinds: Sequence[Kind], known: Solution) -> tuple[float, float]:
    """What a known answer costs, and what is taken off each route, where vehicles are very dear.

    One still costs as much as all that is driven, so that none is worth more than saving one, but
    a gain of what is driven is not lost among figures that are many times as large.
    """
    routes = sum(bool(route.stops) for route in known.routes)
    fixed = min(kind.fixed for kind in kinds)
    rest = max(known.cost.total - routes * fixed, 0.0)
    less = max(fixed - rest, 0.0)
    return known.cost.total - routes * less, less


def _rows(problem: Problem) -> tuple[dict[int, int], Floats]:
    """The row of each stop, one for all of a group, and what it costs to leave it out."""
    row_of, prizes = dict[int, int](), list[float]()
    worth = unserved_cost(problem)
    for group in problem.groups:
        row_of |= dict.fromkeys(group.stops, len(prizes))
        weight = 1.0 if np.isinf(group.prize) else problem.objective.unserved
        prizes.append(weight * group.prize)
    for j in problem.stops:
        mate = problem.mates.get(j)
        if j in row_of or mate in row_of:
            continue
        row_of[j] = len(prizes)
        prizes.append(float(worth[j] + (worth[mate] if mate is not None else 0.0)))
    return row_of, np.array(prizes)


_collector: ContextVar[Columns | None] = ContextVar("columns", default=None)


def collector() -> Columns | None:
    """What collects the routes of searches in this thread, if anything does."""
    return _collector.get()


@contextmanager
def collecting(columns: Columns | None) -> Iterator[None]:
    """Searches that this thread runs meanwhile note their routes; None has them note nothing."""
    token = _collector.set(columns)
    try:
        yield
    finally:
        _collector.reset(token)
