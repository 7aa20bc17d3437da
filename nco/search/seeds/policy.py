"""Seeds from a policy: greedy rollouts from different first moves, of one encoding.

Sampled ones were no better at as many first moves: at temperature 0.3, on three instances of each
size, alike at 100 and 200 stops and 2 % worse at 500, and at temperature 1 worse by 9 % there. Half
of the rollouts drive backwards, which gains more than as many more first moves.
"""

from __future__ import annotations

import contextlib
import math
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from nco.envs import environment
from nco.envs.convert import conversion
from nco.envs.rcvrp import RCVRPInstance
from nco.errors import UnsupportedError
from nco.models.files import read_policy, shipped
from nco.problem import Problem
from nco.search.decoding import driving
from nco.search.decoding.expiry import TimeUp
from nco.search.decoding.rollout import GREEDY, rollout
from nco.search.decoding.rollouts import Rollouts
from nco.search.decoding.views import Seen
from nco.search.policy.batch import refuse_strangers, served_routes, serving
from nco.search.seeds.fused import greedy
from nco.search.seeds.parts import divided, halves, plane
from nco.solver import Clock

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from numpy.typing import NDArray

    from nco.fleet.kinds import Kind
    from nco.models.files import StoredPolicy
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

# Compiled rollouts by the type of instance; others go step by step.
_FUSED = {RCVRPInstance: greedy}


@dataclass(frozen=True)
class _Way:
    """How to decode a problem.

    Attributes:
        stops: of the problem.
        parts: of equal size, that are decoded in one batch.
        views: 2 drive both ways.
        fused: whether rollouts are compiled as a whole.
    """

    stops: int
    parts: int
    views: int
    fused: bool

    def expected_s(self, moves: int) -> float:
        """Seconds to encode and decode from so many first moves."""
        nodes, rows = self.stops / self.parts + 1, self.parts * self.views
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
        if _serving(problem) is not None:
            driving.prepare()
            _tried(self)

    def __call__(
        self,
        problem: Problem,
        kinds: Sequence[Kind],  # noqa: ARG002 (conversions read the problem itself)
        count: int,
        clock: Clock,
        seed: int,
    ) -> list[list[Route]]:
        """The best rollouts of the whole problem or, where that takes too long, of its parts."""
        limit_s, served = clock.left_s, _serving(problem)
        if served is None or not len(problem.stops) or limit_s < _LEAST_S:
            return []
        loaded, name = served
        given = conversion(name).instance(problem, torch.float32)
        instance, stops = given.instance, len(given.nodes) - 1
        way = _way(instance, stops, _EXPECTED * limit_s, count if self.plenty else 1)
        if way is None:
            return []
        if self.plenty:
            moves = way.moves(math.ceil(count / way.views), _EXPECTED * limit_s)
        else:
            moves = way.moves(max(count, _TRIED), _EXPECTED / 2 * limit_s)
        keep_s = (1 - _MOST) * limit_s
        found: list[list[int]] = []
        with contextlib.suppress(TimeUp):
            decode = partial(
                _solved, loaded, name, instance, count, lambda: clock.left_s < keep_s, seed
            )
            found = decode(way, moves)
            other = None if self.plenty else _in_parts(instance, way)
            if other is not None and other.expected_s(moves) < _EXPECTED * (clock.left_s - keep_s):
                found = _best(name, instance, found + decode(other, moves), count)
        return [served_routes(problem, name, given.nodes, actions, clock) for actions in found]


def _way(instance: Any, stops: int, limit_s: float, rollouts: int) -> _Way | None:
    """All stops together where there is time, else parts of them; None if not even for these.

    Where there is no time for so many rollouts in any way, half as many will do, and so on.
    """
    ways = [_Way(stops, 1, views, type(instance) in _FUSED) for views in _VIEWS]
    ways += [other for way in ways if (other := _in_parts(instance, way)) is not None]
    while stops and rollouts:
        for way in ways:
            if way.expected_s(math.ceil(rollouts / way.views)) < limit_s:
                return way
        rollouts //= 2
    return None


def _in_parts(instance: Any, way: _Way) -> _Way | None:
    """The same in parts, if it is whole and can be cut: one tour cannot."""
    if way.parts > 1 or way.stops <= _PART or not isinstance(instance, RCVRPInstance):
        return None
    return replace(way, parts=math.ceil(way.stops / _PART))


def _solved(
    loaded: StoredPolicy,
    name: str,
    instance: Any,
    count: int,
    expired: Expired,
    seed: int,
    way: _Way,
    moves: int,
) -> list[list[int]]:
    """Actions of up to `count` solutions, decoded in one way from so many first moves."""
    parts = [np.arange(1, way.stops + 1)]
    if way.parts > 1:
        parts = halves(plane(instance.cost[0].double().numpy()), way.parts)
        instance = divided(instance, parts)
    return _joined(_decoded(loaded, name, instance, way, moves, expired, seed), parts, count)


def _best(
    name: str, instance: Any, solutions: Sequence[Sequence[int]], count: int
) -> list[list[int]]:
    """The best of solutions of a problem of routes."""
    actions = torch.zeros(1, len(solutions), max(map(len, solutions)), dtype=torch.int64)
    for row, solution in zip(actions[0], solutions, strict=True):
        row[: len(solution)] = torch.tensor(solution)
    cost, beyond = environment(name).cost(instance, actions), _beyond(instance, actions)
    order = _ranked(Rollouts(actions, cost, beyond), 0)
    return [list(solutions[k]) for k in order[:count]]


def _beyond(instance: Any, actions: Tensor) -> Tensor:
    """`[B, S]` routes of rollouts beyond the fleet."""
    used = ((actions != 0) & (actions.roll(1, 2) == 0)).sum(2)
    beyond: Tensor = (used - instance.vehicles[:, None]).clamp_min(0)
    return beyond


def _decoded(
    loaded: StoredPolicy,
    name: str,
    instance: Any,
    way: _Way,
    moves: int,
    expired: Expired,
    seed: int,
) -> Rollouts:
    """Greedy rollouts from random first moves, as many for each view, the same for all."""
    env = environment(name)
    with torch.inference_mode():
        seen = Seen.of(env, instance, way.views)
        encoded = seen.encoded(env, loaded.policy)
        starts = env.starts(seen.instance)
        generator = torch.Generator().manual_seed(seed)
        first = starts[:, torch.randperm(starts.shape[1], generator=generator)[:moves]]
        if way.fused:
            actions = _FUSED[type(instance)](seen.instance, encoded, first, expired)
            cost, beyond = env.cost(seen.instance, actions), _beyond(seen.instance, actions)
            found = Rollouts(actions, cost, beyond)
        else:
            found = rollout(env, seen.instance, encoded, GREEDY, first=first, expired=expired)
        return seen.forwards(env, found)


def _joined(found: Rollouts, parts: Sequence[NDArray[np.int64]], count: int) -> list[list[int]]:
    """Actions on all nodes: the best rollouts of all parts, then the second best, and so on.

    Args:
        found: rollouts of each part.
        parts: nodes of each; a part's node k + 1 is its entry k.
        count: most lists of actions.
    """
    ranked = [_ranked(found, part) for part in range(len(parts))]
    joined = []
    for place in range(min(count, found.cost.shape[1])):
        actions: list[int] = []
        for p, nodes in enumerate(parts):
            taken = found.actions[p, ranked[p][place]].numpy()
            actions += [*np.concatenate([[0], nodes])[taken].tolist(), 0]
        joined.append(actions)
    return joined


def _ranked(found: Rollouts, part: int) -> list[int]:
    """Numbers of the rollouts of a part, those that break limits least and cost least first."""
    keys = zip(found.violation[part].tolist(), found.cost[part].tolist(), strict=True)
    return [number for number, _ in sorted(enumerate(keys), key=lambda pair: pair[1])]


@cache
def _tried(source: PolicySource) -> None:
    """Uses a source once: on a busy machine even two stops take a network tenths of a second."""
    two = Problem.from_matrices(np.ones((3, 3)) - np.eye(3), demand=[0, 1, 1], capacity=1)
    source(two, (), 1, Clock(math.inf), 0)


@cache
def _policies() -> tuple[StoredPolicy, ...]:
    """The shipped policies, one that was trained for less first."""
    loaded = [read_policy(name) for name in shipped()]
    for policy in loaded:
        refuse_strangers(policy, "a shipped policy")
    return tuple(sorted(loaded, key=lambda policy: len(policy.problems)))


def _serving(problem: Problem) -> tuple[StoredPolicy, str] | None:
    """The policy for a problem and the environment to decode it in, if there is any."""
    try:
        return serving(problem, _policies(), "the shipped policies")
    except UnsupportedError:
        return None


SOURCE = PolicySource()
PLENTY = PolicySource(plenty=True)
