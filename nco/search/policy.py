"""The methods that answer by a trained policy alone."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

import torch

from nco.envs import environment
from nco.envs.convert import CONVERSIONS, conversion
from nco.errors import PolicyError, UnsupportedError
from nco.models.files import load_policy, shipped
from nco.search.decoding import GREEDY, VIEWS, Rollouts, Strategy, TimeUp, rollout, turned
from nco.solution import Solution
from nco.solver import Clock

if TYPE_CHECKING:
    from nco.envs.base import AnyEnvironment
    from nco.models.files import LoadedPolicy
    from nco.models.policy import Policy
    from nco.problem import Feature, Problem
    from nco.route import Route

log = logging.getLogger("nco")

# A chunk of rollouts is as much work as 100 rollouts of 100 nodes (under 0.1 s on one thread);
# a rollout costs about as much as nodes squared.
_CHUNK = 100 * 101**2
# Seconds a pair of nodes: of encoding, which cannot be interrupted, and of the nearest-neighbour
# answer, for which time is kept in reserve until there is a better one.
_ENCODE_S = 1.5e-6
_RESERVE_S = 1.5e-7
_GRACE_S = 0.05  # what a method may overrun its limit by
# Encoding keeps about a kilobyte a pair of nodes and view; this many fit into 1 GB.
_PAIRS_AND_VIEWS = 1_000_000


@dataclass(frozen=True)
class PolicySolver:
    """Decodes with a policy; see `nco.solver.Solver`.

    Greedy decoding starts once from every stop. It answers at once: the time limit only cuts
    it short. Sampling goes on until the limit, after a greedy answer.

    Attributes:
        name: of the method.
        strategy: how to decode; `starts` None tries all.
        source: name or path of the policy; None takes the shipped one of the least general
            environment that covers the problem.
    """

    name: str
    strategy: Strategy = GREEDY
    source: str | None = None

    @property
    def supports(self) -> frozenset[Feature]:
        """What shipped policies cover together; with a `source`, what any policy could.

        Whether the one of `source` covers a problem is found when it is loaded, and said with
        its name.
        """
        names = _served() if self.source is None else tuple(CONVERSIONS)
        return frozenset().union(*(conversion(name).features for name in names))

    def solve(
        self,
        problem: Problem,
        time_limit_s: float,
        seed: int,
        initial: Solution | None = None,
    ) -> Solution:
        """See `nco.solver.Solver`; an initial solution is returned if it is better."""
        clock = Clock(time_limit_s)
        found = Solution.from_routes(
            problem,
            self._routes(problem, seed, clock),
            method=self.name,
            seed=seed,
            time_s=clock.elapsed_s,
        )
        return initial if initial is not None and initial.better_than(found) else found

    def _routes(self, problem: Problem, seed: int, clock: Clock) -> list[Route]:
        from nco.baselines.fleet import kinds_of
        from nco.baselines.mending import completed
        from nco.baselines.nearest import nearest_routes

        if not len(problem.stops):
            return []
        pairs = problem.size**2
        # Fewer views where all of them would take more memory, or half of the time.
        in_time = int(clock.left_s / (2 * _ENCODE_S * pairs))
        views = max(1, min(self.strategy.views, _PAIRS_AND_VIEWS // pairs, in_time))
        best = None
        if _ENCODE_S * views * pairs < clock.left_s:
            loaded, name = self._policy(problem)
            convert = conversion(name)
            given = convert.instance(problem, torch.float32)
            if len(given.nodes) == 1:  # no vehicle can serve any stop
                return completed(problem, [], clock)
            how = replace(self.strategy, views=views)
            reserve_s = min(_RESERVE_S * pairs, 0.2 * clock.left_s)
            env = environment(name)
            best = decode(env, given.instance, loaded.policy, how, clock, seed, reserve_s)
        if best is None:
            log.info("no time to decode %d nodes: nearest neighbour answers", problem.size)
            grace = Clock(max(clock.left_s, _GRACE_S))
            found = nearest_routes(problem, kinds_of(problem), grace)
            return completed(problem, found, grace)
        found = convert.routes(problem, given.nodes, best.actions[0, 0].tolist())
        complete = not int(best.violation) and len(given.nodes) == 1 + len(problem.stops)
        return found if complete else completed(problem, found, clock)

    def _policy(self, problem: Problem) -> tuple[LoadedPolicy, str]:
        """The policy for a problem, and the environment to decode it in.

        Raises:
            UnsupportedError: no policy is for what the problem asks.
        """
        names = [name for name in CONVERSIONS if conversion(name).covers(problem)]
        policies = [_loaded(s) for s in ((self.source,) if self.source else shipped())]
        for name in names:  # the least general first
            for loaded in policies:
                if name in loaded.problems:
                    return loaded, name
        served = [name for name in CONVERSIONS if any(name in p.problems for p in policies)]
        features = frozenset().union(*(conversion(name).features for name in served))
        lacking = ", ".join(sorted(problem.features - features)) or "all this together"
        who = f"policy {self.source!r}" if self.source else "the shipped policies"
        raise UnsupportedError(
            f"{who} can solve {', '.join(served) or 'nothing'} and cannot handle: {lacking}; "
            "give another policy or choose another method"
        )


def _served() -> tuple[str, ...]:
    """Environments that a shipped policy is for, the least general first."""
    served = {name for source in shipped() for name in _loaded(source).problems}
    return tuple(name for name in CONVERSIONS if name in served)


@cache
def _loaded(source: str) -> LoadedPolicy:
    """A policy that knows what its environments show.

    Raises:
        PolicyError: it cannot be loaded, or was made for other features.
    """
    loaded = load_policy(source)
    for name in loaded.problems:
        if name not in CONVERSIONS:
            raise PolicyError(
                f"policy {source!r} is for {name!r}, which this version of nco does not know; it "
                f"knows {', '.join(CONVERSIONS)}"
            )
        shown = environment(name).features
        if not shown <= loaded.policy.features:
            lacking = [
                feature
                for kind in vars(shown)
                for feature in getattr(shown, kind)
                if feature not in getattr(loaded.policy.features, kind)
            ]
            raise PolicyError(
                f"policy {source!r} does not know {', '.join(lacking)}, which {name!r} shows; it "
                "is of another version of nco, train it again"
            )
    return loaded


def decode(
    env: AnyEnvironment,
    instance: object,
    policy: Policy,
    strategy: Strategy,
    clock: Clock,
    seed: int = 0,
    reserve_s: float = 0.0,
) -> Rollouts | None:
    """The best rollout of one instance within a time limit.

    Starts are decoded in chunks while another chunk is expected to end in time. When sampling,
    all starts are sampled again and again until the clock is over.

    Args:
        env: the environment of the instance.
        instance: one instance.
        policy: made for the features of `env`.
        strategy: how to decode.
        clock: when to end.
        seed: of the order of starts and of sampling.
        reserve_s: time to leave where not even the first chunk ends in time.

    Returns:
        None where not even the first chunk ends in time.
    """
    generator = torch.Generator().manual_seed(seed)
    with torch.inference_mode():
        encoded = policy.encode(turned(env.observe(instance), strategy.views))
    starts = env.starts(instance)
    order = starts[:, torch.randperm(starts.shape[1], generator=generator)]
    if strategy.starts is not None:
        order = order[:, : strategy.starts]
    size = max(1, _CHUNK // (encoded.pair.shape[-1] ** 2 * strategy.views))
    chunks = torch.split(order, size, 1)
    best, longest_s, turn = None, 0.0, 0
    while best is None or clock.left_s > longest_s:
        began_s = clock.elapsed_s
        # The first turn is greedy whatever the strategy: its answer is the floor.
        how = strategy if turn >= len(chunks) else replace(strategy, temperature=0.0)
        chunk = chunks[turn % len(chunks)]
        keep_s = 0.0 if best is not None else reserve_s
        try:
            found = rollout(
                env, instance, policy, how, generator, encoded, first=chunk,
                expired=lambda: clock.left_s <= keep_s,  # noqa: B023 (called in this turn)
            ).best()  # fmt: skip
        except TimeUp:
            return best
        best = found if best is None else better(best, found)
        longest_s = max(longest_s, clock.elapsed_s - began_s)
        turn += 1
        if turn == len(chunks) and not strategy.temperature:
            break
    return best


def better(a: Rollouts, b: Rollouts) -> Rollouts:
    """The better of two single rollouts of one instance."""
    key_a = (int(a.violation), float(a.cost))
    key_b = (int(b.violation), float(b.cost))
    return b if key_b < key_a else a


SOLVER = PolicySolver("policy")
AUGMENTED = PolicySolver("policy-x8", Strategy(views=VIEWS))
SAMPLING = PolicySolver("policy-sample", Strategy(temperature=1.0))
