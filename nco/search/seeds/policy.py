"""Seeds from a policy: greedy rollouts from different first moves, of one encoding.

Sampled rollouts were worse at the same number of first moves (measured at 100, 200 and 500 stops:
by 1 % at temperature 0.3 and by 2 to 10 % at temperature 1). Half of the rollouts drive
backwards, which gains more than as many more first moves.
"""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import torch

from nco.envs import environment
from nco.envs.convert import conversion
from nco.envs.rcvrp import RCVRPInstance
from nco.errors import UnsupportedError
from nco.models.files import load_policy, shipped
from nco.models.pointer import prepare as prepare_loops
from nco.search.batch import refuse_strangers, served_routes, serving
from nco.search.decoding import Strategy, TimeUp, rollout
from nco.search.seeds.parts import divided, halves, plane
from nco.search.views import Seen

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from numpy.typing import NDArray

    from nco.baselines.fleet import Kind
    from nco.models.files import LoadedPolicy
    from nco.problem import Problem
    from nco.route import Route
    from nco.search.decoding import Expired, Rollouts
    from nco.solver import Clock

_VIEWS = 2
_PART = 250  # stops; parts of 100 cost up to 10 % more where routes are long
_PAIRS = 6_000_000  # of nodes, in all parts and views: what fits into some gigabytes
# Seconds on one thread: to encode a pair of nodes, of a step, and of a decision on a node.
_ENCODE_S, _STEP_S, _NODE_S = 5e-7, 4.5e-4, 5e-8
# Shares of the time left that the policy may be expected to take, and may take at most.
_EXPECTED, _MOST = 0.5, 0.8


class PolicySource:
    """See `nco.search.seeds.Source`. It gives nothing where no policy is for the problem.

    A problem is solved whole where there is time, else in parts of about 250 stops in one batch,
    each with its own best rollouts: the first solution joins the best of all parts, the second
    the second best, and so on.
    """

    def prepare(self, problem: Problem) -> None:
        """See `nco.solver.Prepares`."""
        if _serving(problem) is not None:
            prepare_loops()

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
        if served is None or not len(problem.stops) or limit_s < _STEP_S * _PART:
            return []
        loaded, name = served
        given = conversion(name).instance(problem, torch.float32)
        stops = len(given.nodes) - 1
        parts = _parts(given.instance, stops, _EXPECTED * limit_s)
        if not parts:
            return []
        moves = _first_moves(stops, len(parts), count, _EXPECTED * limit_s)
        instance = given.instance if len(parts) == 1 else divided(given.instance, parts)
        keep_s = (1 - _MOST) * limit_s
        try:
            found = _decoded(loaded, name, instance, moves, lambda: clock.left_s < keep_s, seed)
        except TimeUp:
            return []
        return [
            served_routes(problem, name, given.nodes, actions, clock)
            for actions in _joined(found, parts, count)
        ]


def _parts(instance: Any, stops: int, limit_s: float) -> list[NDArray[np.int64]]:
    """The nodes to solve together: all, or where time is short parts of them, or nothing."""
    if _expected_s(stops, 1, 1) < limit_s:
        return [np.arange(1, stops + 1)] if stops else []
    parts = math.ceil(stops / _PART)
    if not isinstance(instance, RCVRPInstance) or _expected_s(stops, parts, 1) > limit_s:
        return []  # one tour cannot be cut, and no more time is to be lost
    return halves(plane(instance.cost[0].double().numpy()), parts)


def _first_moves(stops: int, parts: int, most: int, limit_s: float) -> int:
    """How many first moves can be tried in some time, at least one."""
    fitting = (k for k in range(most, 1, -1) if _expected_s(stops, parts, k) < limit_s)
    return next(fitting, 1)


def _expected_s(stops: int, parts: int, first_moves: int) -> float:
    """Seconds to encode and decode equal parts in one batch."""
    nodes, rows = stops / parts + 1, parts * _VIEWS
    pairs = rows * nodes**2
    if pairs > _PAIRS:
        return math.inf
    return pairs * _ENCODE_S + 1.1 * nodes * (_STEP_S + rows * first_moves * nodes * _NODE_S)


def _decoded(
    loaded: LoadedPolicy, name: str, instance: Any, moves: int, expired: Expired, seed: int
) -> Rollouts:
    """Greedy rollouts from random first moves, as many for each view, the same for all."""
    env = environment(name)
    with torch.inference_mode():
        seen = Seen.of(env, instance, _VIEWS)
        encoded = seen.encoded(env, loaded.policy)
        starts = env.starts(seen.instance)
        generator = torch.Generator().manual_seed(seed)
        order = torch.randperm(starts.shape[1], generator=generator)[:moves]
        found = rollout(
            env, seen.instance, encoded, Strategy(views=_VIEWS),
            first=starts[:, order], expired=expired,
        )  # fmt: skip
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
def _policies() -> tuple[LoadedPolicy, ...]:
    """The shipped policies, one that was trained for less first."""
    loaded = [load_policy(name) for name in shipped()]
    for policy in loaded:
        refuse_strangers(policy, "a shipped policy")
    return tuple(sorted(loaded, key=lambda policy: len(policy.problems)))


def _serving(problem: Problem) -> tuple[LoadedPolicy, str] | None:
    """The policy for a problem and the environment to decode it in, if there is any."""
    try:
        return serving(problem, _policies(), "the shipped policies")
    except UnsupportedError:
        return None


SOURCE = PolicySource()
