"""The methods that answer by a trained policy alone."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

import torch

from nco.envs import environment
from nco.envs.convert import CONVERSIONS, FAMILIES, conversion
from nco.errors import quoted
from nco.fleet.mending import completed, explained
from nco.models.files import read_policy, shipped
from nco.models.pointer import LIGHT
from nco.problem.solution import CONSTRUCTION, INITIAL, Solution
from nco.search.decoding import driving, fleet_driving
from nco.search.decoding.active import ActiveSearch
from nco.search.decoding.beam import Beam
from nco.search.decoding.redecoding import Redecoding
from nco.search.decoding.rollout import GREEDY, Decoder, Strategy
from nco.search.decoding.timed import decode
from nco.search.decoding.views import EIGHT, at_most
from nco.search.policy.batch import (
    PAIRS_AND_VIEWS,
    note_unusual,
    refuse_strangers,
    served_routes,
    serving,
)
from nco.solver import Clock

if TYPE_CHECKING:
    from nco.models.files import StoredPolicy
    from nco.problem import Feature, Problem
    from nco.problem.route import Route

log = logging.getLogger("nco")

# Seconds a pair of nodes: of encoding, which cannot be interrupted, and of the nearest-neighbour
# answer, for which time is kept in reserve until there is a better one.
_ENCODE_S = 1.5e-6
_RESERVE_S = 1.5e-7
_GRACE_S = 0.05  # what a method may overrun its limit by


@dataclass(frozen=True)
class PolicySolver:
    """Decodes with a policy; see `nco.solver.Solver`.

    Greedy decoding starts once from every stop. It answers at once: the time limit only cuts
    it short. Whatever else is asked for follows a greedy answer: sampling goes on until the
    limit, and so does active search without a number of steps.

    Attributes:
        name: of the method.
        strategy: how to decode.
        source: name or path of the policy; None takes the shipped one of the least general
            environment that covers the problem.
        fleets: how to decode instead for vehicles with profiles that decide one after another.
    """

    name: str
    strategy: Decoder = GREEDY
    source: str | None = None
    fleets: Decoder | None = None

    @property
    def supports(self) -> frozenset[Feature]:
        """What shipped policies cover of vehicles that are alike; see `alternatives`."""
        return self.alternatives[0]

    @property
    def alternatives(self) -> tuple[frozenset[Feature], ...]:
        """What shipped policies cover: vehicles that are alike, or those with profiles.

        With a `source` it is what any policy could. Whether that one covers a problem is found when
        it is loaded, and said with its name.
        """
        names = _served() if self.source is None else tuple(CONVERSIONS)
        found = [
            frozenset().union(*(conversion(name).features for name in names if name in group))
            for group in FAMILIES
        ]
        return tuple(features for features in found if features) or (frozenset(),)

    def prepare(self, problem: Problem) -> None:
        """See `nco.solver.Prepares`: loads the policy and, where it is worth it, compiled loops."""
        wide = self._pairs(problem) * self.strategy.views >= LIGHT
        if wide or isinstance(self.strategy, ActiveSearch):
            driving.prepare()
        if len(problem.fleet) > 1 and self._one_by_one(problem):
            fleet_driving.prepare()

    def solve(
        self,
        problem: Problem,
        time_limit_s: float,
        seed: int,
        initial: Solution | None = None,
    ) -> Solution:
        """See `nco.solver.Solver`; an initial solution is returned if it is better."""
        self.prepare(problem)
        clock = Clock(time_limit_s)
        routes, fallback = self._routes(problem, seed, clock, initial), ""
        found = None if routes is None else Solution.from_routes(problem, routes, explain=False)
        if found is None:
            log.info("no time to decode %d nodes: nearest neighbour answers", problem.size)
        if found is None or not found.feasible:
            # A rollout may leave stops out, and time to insert them may have been over.
            plain = _nearest(problem, Clock(max(clock.left_s, _GRACE_S)))
            quick = Solution.from_routes(problem, plain, explain=False)
            if found is None or quick.better_than(found):
                found, fallback = quick, CONSTRUCTION
        if initial is not None and initial.better_than(found):
            found, fallback = initial, INITIAL
        found = explained(problem, found)
        found = found.stamped(method=self.name, seed=seed, time_s=clock.elapsed_s)
        return replace(found, fallback=fallback)

    def _begun(self, actions: list[int]) -> Decoder:  # noqa: ARG002 (others go on from them)
        """The strategy, going on from the actions of an initial solution if it can."""
        return self.strategy

    def _routes(
        self, problem: Problem, seed: int, clock: Clock, initial: Solution | None
    ) -> list[Route] | None:
        """What the policy finds; None where there is no time to decode."""
        if not len(problem.stops):
            return []
        pairs = self._pairs(problem)
        # Fewer views where all of them would take more memory, or half of the time.
        in_time = int(clock.left_s / (2 * _ENCODE_S * pairs))
        views = at_most(self.strategy.views, min(PAIRS_AND_VIEWS["cpu"] // pairs, in_time))
        if _ENCODE_S * views * pairs < clock.left_s:
            loaded, name = self._policy(problem)
            given = conversion(name).instance(problem, torch.float32)
            if len(given.nodes) == 1:  # no vehicle can serve any stop
                return served_routes(problem, name, given.nodes, [], clock)
            note_unusual(loaded, given.instance, problem)
            known = initial and conversion(name).actions_of(problem, initial.routes, given.nodes)
            how = self._begun(known) if known else self.strategy
            if self.fleets is not None and self._one_by_one(problem):
                how = self.fleets if given.instance.vehicles > 1 else how
            how = replace(how, views=views)
            reserve_s = min(_RESERVE_S * pairs, 0.2 * clock.left_s)
            env = environment(name)
            best = decode(env, given.instance, loaded.policy, how, clock, seed, reserve_s)
            if best is not None:
                actions = best.actions[0, 0].tolist()
                return served_routes(problem, name, given.nodes, actions, clock)
        return None

    def _pairs(self, problem: Problem) -> int:
        """Pairs of nodes that are encoded: of every kind of vehicle where each has its own."""
        alike = self._policy(problem)[1] in FAMILIES[0]
        return int(problem.size**2) * (1 if alike else len(problem.fleet))

    def _one_by_one(self, problem: Problem) -> bool:
        """Whether vehicles with profiles decide one after another."""
        loaded, name = self._policy(problem)
        return name in FAMILIES[1] and loaded.policy.exchange is None

    def _policy(self, problem: Problem) -> tuple[StoredPolicy, str]:
        """The policy for a problem, and the environment to decode it in.

        Raises:
            UnsupportedError: no policy is for what the problem asks.
        """
        policies = [_loaded(s) for s in ((self.source,) if self.source else shipped())]
        # One that was trained for this alone goes before one that serves others, too.
        policies.sort(key=lambda loaded: len(loaded.problems))
        who = f"policy {quoted(self.source)}" if self.source else "the shipped policies"
        return serving(problem, policies, who)


def _nearest(problem: Problem, clock: Clock) -> list[Route]:
    from nco.baselines.nearest import nearest_routes
    from nco.fleet.kinds import kinds_of

    return completed(problem, nearest_routes(problem, kinds_of(problem), clock), clock)


def _served() -> tuple[str, ...]:
    """Environments that a shipped policy is for, the least general first."""
    served = {name for source in shipped() for name in _loaded(source).problems}
    return tuple(name for name in CONVERSIONS if name in served)


@cache
def _loaded(source: str) -> StoredPolicy:
    """A policy that knows what its environments show.

    Raises:
        PolicyError: it cannot be loaded, or was made for other features.
    """
    loaded = read_policy(source)
    refuse_strangers(loaded, f"policy {quoted(source)}")
    return loaded


SOLVER = PolicySolver("policy")
AUGMENTED = PolicySolver("policy-x8", Strategy(views=EIGHT))
SAMPLING = PolicySolver("policy-sample", Strategy(temperature=1.0), fleets=Redecoding(rounds=None))
# The numbers of starts bound what a step takes on large problems, where time must be kept.
BEAM = PolicySolver("policy-beam", Beam(width=8, starts=32))
ACTIVE = PolicySolver("policy-active", ActiveSearch(steps=None, starts=64))
