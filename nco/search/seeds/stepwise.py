"""A policy's routes on tensors, step by step: for all problems that a shipped policy is for.

Capacitated problems need no torch, see `nco.search.seeds.plain`.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from nco.envs import environment
from nco.envs.convert import conversion
from nco.envs.pvrp import PVRPInstance
from nco.envs.rcvrp import RCVRPInstance
from nco.errors import UnsupportedError
from nco.models.files import read_policy, shipped
from nco.search.decoding.rollout import GREEDY, rollout
from nco.search.decoding.rollouts import Rollouts
from nco.search.decoding.views import Seen
from nco.search.policy.batch import refuse_strangers, served_routes, serving
from nco.search.seeds.parts import halves, plane
from nco.search.seeds.parts_of_tensors import divided

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from torch import Tensor

    from nco.models.files import StoredPolicy
    from nco.problem import Problem
    from nco.problem.route import Route
    from nco.search.decoding.expiry import Expired
    from nco.search.seeds.policy import Way
    from nco.solver import Clock


class Stepwise:
    """A problem for a policy; see `nco.search.seeds.policy.Given`.

    Args:
        problem: to solve.
        loaded: a policy that is for it.
        name: of the environment to decode it in.
    """

    fused = False

    def __init__(self, problem: Problem, loaded: StoredPolicy, name: str) -> None:
        self._problem, self._loaded, self._name = problem, loaded, name
        given = conversion(name).instance(problem, torch.float32)
        self._nodes, self._whole = given.nodes, given.instance
        self.stops = len(given.nodes) - 1
        self.vehicles = len(problem.fleet) if isinstance(self._whole, PVRPInstance) else 1
        self.cut = isinstance(self._whole, RCVRPInstance)  # one tour cannot be

    def solved(
        self, way: Way, moves: int, count: int, seed: int, expired: Expired
    ) -> list[list[int]]:
        """Actions of up to `count` solutions, decoded in one way from so many first moves."""
        parts, instance = [np.arange(1, self.stops + 1)], self._whole
        if way.parts > 1:
            parts = halves(plane(instance.cost[0].double().numpy()), way.parts)
            instance = divided(instance, parts)
        found = self._decoded(instance, way, moves, expired, seed)
        if not self.cut:  # actions are as they are taken
            order = _ranked(found, 0)[:count]
            return [found.actions[0, k].tolist() for k in order]
        return _joined(found, parts, count)

    def best(self, solutions: Sequence[list[int]], count: int) -> list[list[int]]:
        """The best of some solutions of a problem of routes, in order."""
        actions = torch.zeros(1, len(solutions), max(map(len, solutions)), dtype=torch.int64)
        for row, solution in zip(actions[0], solutions, strict=True):
            row[: len(solution)] = torch.tensor(solution)
        cost = environment(self._name).cost(self._whole, actions)
        order = _ranked(Rollouts(actions, cost, _beyond(self._whole, actions)), 0)
        return [list(solutions[k]) for k in order[:count]]

    def routes(self, actions: Sequence[int], clock: Clock) -> list[Route]:
        """The routes of a solution, with the stops that it lacks where they fit."""
        return served_routes(self._problem, self._name, self._nodes, actions, clock)

    def _decoded(
        self, instance: Any, way: Way, moves: int, expired: Expired, seed: int
    ) -> Rollouts:
        """Greedy rollouts from random first moves, as many for each view, the same for all."""
        env = environment(self._name)
        with torch.inference_mode():
            seen = Seen.of(env, instance, way.views)
            encoded = seen.encoded(env, self._loaded.policy)
            starts = env.starts(seen.instance)
            generator = torch.Generator().manual_seed(seed)
            first = starts[:, torch.randperm(starts.shape[1], generator=generator)[:moves]]
            found = rollout(env, seen.instance, encoded, GREEDY, first=first, expired=expired)
            return seen.forwards(env, found)


def _beyond(instance: Any, actions: Tensor) -> Tensor:
    """`[B, S]` routes of rollouts beyond the fleet."""
    used = ((actions != 0) & (actions.roll(1, 2) == 0)).sum(2)
    beyond: Tensor = (used - instance.vehicles[:, None]).clamp_min(0)
    return beyond


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
def _policies() -> tuple[StoredPolicy, ...]:
    """The shipped policies, one that was trained for less first."""
    loaded = [read_policy(name) for name in shipped()]
    for policy in loaded:
        refuse_strangers(policy, "a shipped policy")
    return tuple(sorted(loaded, key=lambda policy: len(policy.problems)))


def served(problem: Problem) -> tuple[StoredPolicy, str] | None:
    """The shipped policy for a problem and the environment to decode it in, if there is any."""
    try:
        return serving(problem, _policies(), "the shipped policies")
    except UnsupportedError:
        return None
