"""Seeds from a policy: greedy rollouts from different first moves, of one encoding.

Sampled ones were no better at as many first moves: at temperature 0.3, on three instances of each
size, alike at 100 and 200 stops and 2 % worse at 500, and at temperature 1 worse by 9 % there. Half
of the rollouts drive backwards, which gains more than as many more first moves.
"""

from __future__ import annotations

import contextlib
import math
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING, Protocol

import numpy as np

from nco.problem import Feature, Problem
from nco.search.decoding.expiry import TimeUp
from nco.search.seeds import plain
from nco.solver import Clock

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nco.fleet.kinds import Kind
    from nco.problem.route import Route
    from nco.search.decoding.expiry import Expired

_VIEWS = (2, 1)  # of which the first that there is time for are seen
_PART = 250  # stops; parts of 100 cost 5 to 10 % more where routes are long
_PAIRS = 6_000_000  # of nodes, in all parts and views: what fits into some gigabytes
# Seconds on one thread: to encode a pair of nodes, of a step of all rollouts side by side and of a
# decision on a node in it, and of a decision on a node in a compiled rollout.
_ENCODE_S, _STEP_S, _NODE_S, _FUSED_S = 5e-7, 4.5e-4, 5e-8, 5e-8
# Shares of the time left that the policy may be expected to take, and may take at most.
_EXPECTED, _MOST = 0.5, 0.8
_TRIED = 5  # first moves, where half of that time is enough, even if fewer seeds are wanted
_LEAST_S = 0.01  # with less time the problem is not even converted


class Given(Protocol):
    """A problem as a policy decodes it.

    Attributes:
        stops: that the policy can serve.
        fused: whether rollouts are compiled as a whole.
        cut: whether it can be solved in parts.
        vehicles: that are decided for together.
    """

    stops: int
    fused: bool
    cut: bool
    vehicles: int

    def solved(
        self, way: Way, moves: int, count: int, seed: int, expired: Expired
    ) -> list[list[int]]:
        """Actions of up to `count` solutions, decoded in one way from so many first moves.

        Raises:
            TimeUp: `expired` said so.
        """

    def best(self, solutions: Sequence[list[int]], count: int) -> list[list[int]]:
        """The best of some solutions of a problem of routes, in order."""

    def routes(self, actions: Sequence[int], clock: Clock) -> list[Route]:
        """The routes of a solution."""


@dataclass(frozen=True)
class Way:
    """How to decode a problem.

    Attributes:
        stops: of the problem.
        parts: of equal size, that are decoded in one batch.
        views: 2 drive both ways.
        fused: whether rollouts are compiled as a whole.
        vehicles: each of which sees all nodes in its own way.
    """

    stops: int
    parts: int
    views: int
    fused: bool
    vehicles: int = 1

    def expected_s(self, moves: int) -> float:
        """Seconds to encode and decode from so many first moves."""
        nodes, rows = self.stops / self.parts + 1, self.parts * self.views * self.vehicles
        pairs = rows * nodes**2
        if pairs > _PAIRS:
            return math.inf
        if self.fused:
            return pairs * (_ENCODE_S + moves * _FUSED_S)
        step_s = _STEP_S + rows * moves * nodes * _NODE_S
        return pairs * _ENCODE_S + 1.1 * nodes * step_s

    def moves(self, most: int, limit_s: float) -> int:
        """How many first moves there is time for, at least one."""
        fitting = (k for k in range(most, 1, -1) if self.expected_s(k) < limit_s)
        return next(fitting, 1)


@dataclass(frozen=True)
class PolicySource:
    """See `nco.search.seeds.Source`. It gives nothing where no policy is for the problem.

    A problem is solved whole where there is time, else in parts of about 250 stops in one batch,
    each with its own best rollouts: the first solution joins the best of all parts, the second
    the second best, and so on. Where there is time for both, the best of both count.

    Attributes:
        plenty: whether it counts more to have as many solutions as are wanted than to have the
            problem solved whole.
    """

    plenty: bool = False

    def prepare(self, problem: Problem) -> None:
        """See `nco.solver.Prepares`: loads the policy and the compiled loops, by using them."""
        if _plainly(problem):
            _tried(self, plainly=True)
            return
        from nco.search.seeds import stepwise

        if stepwise.served(problem) is not None:
            from nco.search.decoding import driving

            driving.prepare()
            _tried(self, plainly=False)

    def __call__(
        self,
        problem: Problem,
        kinds: Sequence[Kind],  # noqa: ARG002 (conversions read the problem itself)
        count: int,
        clock: Clock,
        seed: int,
    ) -> list[list[Route]]:
        """The best rollouts of the whole problem or, where that takes too long, of its parts."""
        limit_s = clock.left_s
        if not len(problem.stops) or limit_s < _LEAST_S or (given := given_of(problem)) is None:
            return []
        way = _way(given, _EXPECTED * limit_s, count if self.plenty else 1)
        if way is None:
            return []
        if self.plenty:
            moves = way.moves(math.ceil(count / way.views), _EXPECTED * limit_s)
        else:
            moves = way.moves(max(count, _TRIED), _EXPECTED / 2 * limit_s)
        keep_s = (1 - _MOST) * limit_s
        found: list[list[int]] = []

        def expired() -> bool:
            return clock.left_s < keep_s

        with contextlib.suppress(TimeUp):
            found = given.solved(way, moves, count, seed, expired)
            other = None if self.plenty else _in_parts(given, way)
            if other is not None and other.expected_s(moves) < _EXPECTED * (clock.left_s - keep_s):
                found = given.best(found + given.solved(other, moves, count, seed, expired), count)
        return [given.routes(actions, clock) for actions in found]


def given_of(problem: Problem) -> Given | None:
    """A problem as the shipped policy for it decodes it; None where there is none."""
    if _plainly(problem):
        return plain.Plain(problem)
    from nco.search.seeds import stepwise

    served = stepwise.served(problem)
    return None if served is None else stepwise.Stepwise(problem, *served)


def _plainly(problem: Problem) -> bool:
    """Whether torch is not needed. Without capacities a problem is one tour."""
    features = problem.features
    return (
        features <= plain.SUPPORTS and Feature.CAPACITY in features and plain.policy() is not None
    )


def _way(given: Given, limit_s: float, rollouts: int) -> Way | None:
    """All stops together where there is time, else parts of them; None if not even for these.

    Where there is no time for so many rollouts in any way, half as many will do, and so on.
    """
    ways = [Way(given.stops, 1, views, given.fused, given.vehicles) for views in _VIEWS]
    ways += [other for way in ways if (other := _in_parts(given, way)) is not None]
    while given.stops and rollouts:
        for way in ways:
            if way.expected_s(math.ceil(rollouts / way.views)) < limit_s:
                return way
        rollouts //= 2
    return None


def _in_parts(given: Given, way: Way) -> Way | None:
    """The same in parts, if it is whole and can be cut."""
    if way.parts > 1 or way.stops <= _PART or not given.cut:
        return None
    return replace(way, parts=math.ceil(way.stops / _PART))


@cache
def _tried(source: PolicySource, *, plainly: bool) -> None:
    """Uses a source once: on a busy machine even two stops take a network tenths of a second."""
    capacity = {"demand": [0, 1, 1], "capacity": 1} if plainly else {}
    two = Problem.from_matrices(np.ones((3, 3)) - np.eye(3), **capacity)  # type: ignore[arg-type]
    source(two, (), 1, Clock(math.inf), 0)


SOURCE = PolicySource()
PLENTY = PolicySource(plenty=True)
