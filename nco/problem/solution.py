"""What a solver returns: routes, what stayed unserved and why, cost parts, time and seed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from nco.errors import counted
from nco.problem.evaluate import Cost, evaluate
from nco.problem.given import given_problem, given_routes
from nco.problem.priorities import left_out_rank
from nco.problem.problem import Problem
from nco.problem.reasons import reasons_unassigned
from nco.problem.route import Route
from nco.problem.trying import LIMIT_S
from nco.problem.violations import Violation

__all__ = ["Cost", "Route", "Solution", "Unassigned", "Violation"]

CONSTRUCTION, SEED, INITIAL = "construction", "seed", "initial"
_FALLBACKS = {
    CONSTRUCTION: "the answer of a construction heuristic (nearest neighbour or savings)",
    SEED: "what the search began from",
    INITIAL: "the initial solution",
}


def explained(fallback: str) -> str:
    """What a `Solution.fallback` means, as a clause."""
    return (
        "not the method's own answer: its search did not run or found nothing better, this is "
        + _FALLBACKS.get(fallback, fallback)
    )


@dataclass(frozen=True)
class Unassigned:
    """A stop that no route serves; of a group that nobody serves, its first stop.

    Attributes:
        stop: node number.
        reason: why, in words.
        required: False for an optional stop, whose absence only costs its prize.
        priority: of a required stop, see `Problem.priority`.
    """

    stop: int
    reason: str
    required: bool
    priority: int = 0


@dataclass(frozen=True)
class Solution:
    """Routes with all that follows from them.

    Attributes:
        routes: non-empty routes; several of one vehicle are its trips, in order.
        unassigned: the stops on no route.
        violations: what the routes break; unserved required stops are in `unassigned`.
        cost: parts and total.
        method: name of the method that found the routes.
        seed: what it was seeded with.
        time_s: wall-clock seconds it took.
        setup_s: seconds before that, in which the method's module, its policy and compiled loops
            were loaded; next to nothing from the second call of a process on.
        fallback: where the method's own search did not run or found nothing better, what its
            routes are instead: "construction" (nearest neighbour or savings), "seed" or "initial".
            Empty where the method found them.
        interrupted: whether the search was interrupted, so that these are the best until then.
    """

    routes: tuple[Route, ...]
    unassigned: tuple[Unassigned, ...]
    violations: tuple[Violation, ...]
    cost: Cost
    method: str = ""
    seed: int = 0
    time_s: float = 0.0
    setup_s: float = 0.0
    fallback: str = ""
    interrupted: bool = False

    @classmethod
    def from_routes(
        cls,
        problem: Problem,
        routes: Sequence[Route | Sequence[int]],
        *,
        method: str = "",
        seed: int = 0,
        time_s: float = 0.0,
        explain: bool = True,
    ) -> Self:
        """Evaluate routes on a problem.

        Args:
            problem: what the routes are for.
            routes: routes, or plain lists of stops that take the vehicles 0, 1, 2, ...
                Empty routes are dropped.
            method: recorded.
            seed: recorded.
            time_s: recorded.
            explain: say why stops are left out. Searches compare many solutions and explain none:
                reasons for hundreds of stops and vehicles take longer than all the rest.

        Raises:
            ProblemError: a route names a vehicle or a stop that does not exist.
        """
        found = cls(given_routes(routes), (), (), Cost(), method, seed, time_s).on(problem)
        return found.with_reasons(problem) if explain else found

    def on(self, problem: Problem) -> Self:
        """The same routes as a solution of a problem, evaluated anew.

        Reasons for stops left out are kept, not looked for.

        Raises:
            ProblemError: a route names a vehicle or a stop that does not exist.
        """
        given_problem(problem)
        kept = tuple(route for route in self.routes if route.stops)
        cost, violations = evaluate(problem, kept)
        kept = _told(problem, kept)
        reasons = {entry.stop: entry.reason for entry in self.unassigned}
        unassigned = tuple(
            Unassigned(stop, reasons.get(stop, ""), required, _priority(problem, stop))
            for stop, required in _left_out(problem, kept)
        )
        return replace(self, routes=kept, cost=cost, violations=violations, unassigned=unassigned)

    def with_reasons(self, problem: Problem, within_s: float = LIMIT_S) -> Self:
        """The same with a reason for every stop that is left out and has none yet.

        Args:
            problem: that the routes are for.
            within_s: seconds to look for reasons that are found by trying.
        """
        mute = [entry.stop for entry in self.unassigned if not entry.reason]
        if not mute:
            return self
        found = reasons_unassigned(problem, self.routes, mute, within_s)
        reasons = {j: reason.text for j, reason in zip(mute, found, strict=True)}
        unassigned = tuple(
            entry if entry.reason else replace(entry, reason=reasons[entry.stop])
            for entry in self.unassigned
        )
        return replace(self, unassigned=unassigned)

    @property
    def feasible(self) -> bool:
        """Whether nothing is violated and every required stop is served."""
        return not self.violations and not any(u.required for u in self.unassigned)

    @property
    def label(self) -> str:
        """Name of the method as tables and figures have it, with a star beside a fallback."""
        return f"{self.method}*" if self.fallback else self.method

    @property
    def remarks(self) -> dict[str, str | bool]:
        """Fields of files that are there only where they say something."""
        given: dict[str, str | bool] = {}
        if self.fallback:
            given["fallback"] = self.fallback
        if self.interrupted:
            given["interrupted"] = True
        return given

    def stamped(self, *, method: str, seed: int, time_s: float, setup_s: float = 0.0) -> Self:
        """The same routes under another method name, seed and times."""
        return replace(self, method=method, seed=seed, time_s=time_s, setup_s=setup_s)

    def better_than(self, other: Solution | None) -> bool:
        """Order by violations, required stops unserved, vehicles where they count, and cost."""
        return other is None or self.rank < other.rank

    @property
    def rank(self) -> tuple[int, int, int, float]:
        """Violations, required stops unserved, vehicles where they count, and cost.

        Where stops have priorities, the second is no count but orders answers by them.
        Routes that leave stops out can be driven; routes that break a rule cannot.
        """
        unserved = left_out_rank(u.priority for u in self.unassigned if u.required)
        return (len(self.violations), unserved, self.cost.vehicles, self.cost.total)

    def summary(self) -> str:
        """One paragraph: cost, feasibility, and each reason it is not feasible."""
        cost = self.cost
        lines = [
            f"{self.method or 'routes'}: {'feasible' if self.feasible else 'NOT feasible'}, "
            f"{counted(len(self.routes), 'route')}, {cost.distance_m / 1000:.2f} km, "
            f"{cost.duration_s / 60:.0f} min, cost {cost.total:.2f}, found in {self.time_s:.2f} s"
        ]
        lines += ["  interrupted: these are the best routes until then"] * self.interrupted
        lines += [f"  {explained(self.fallback)}"] * bool(self.fallback)
        lines += [f"  violation: {violation.message}" for violation in self.violations]
        lines += [
            f"  {'unserved' if u.required else 'left out'}: stop {u.stop}, {u.reason}"
            for u in self.unassigned
        ]
        return "\n".join(lines)

    def __str__(self) -> str:
        return self.summary()


def _told(problem: Problem, routes: tuple[Route, ...]) -> tuple[Route, ...]:
    """The same routes, where a depot between trips is named only if it says something."""
    if all(route.reload_at is None for route in routes):
        return routes
    last = {route.vehicle: r for r, route in enumerate(routes)}
    own = [problem.vehicles[route.vehicle].loads_at(None) for route in routes]
    return tuple(
        replace(route, reload_at=None)
        if last[route.vehicle] == r or route.reload_at == own[r]
        else route
        for r, route in enumerate(routes)
    )


def _priority(problem: Problem, stop: int) -> int:
    """Of a stop that must be served; alternatives have none."""
    return int(problem.priority[stop]) if problem.required[stop] else 0


def _left_out(problem: Problem, routes: Sequence[Route]) -> Iterator[tuple[int, bool]]:
    """Stops that are left out, and whether they were required."""
    served = {stop for route in routes for stop in route.stops}
    group_of = {stop: group for group in problem.groups for stop in group.stops}
    for stop in problem.stops:
        if stop in served:
            continue
        group = group_of.get(stop)
        if group is None:
            yield stop, bool(np.isinf(problem.prize[stop]))
        elif stop == group.stops[0] and served.isdisjoint(group.stops):
            yield stop, bool(np.isinf(group.prize))
