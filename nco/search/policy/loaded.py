"""A policy that solves problems: what its file holds, and how its decisions become routes."""

from __future__ import annotations

from typing import TYPE_CHECKING, overload

from nco.arguments import several
from nco.models.files import StoredPolicy, read_policy
from nco.problem import Problem
from nco.search.policy.batch import solve_all

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from nco.problem.solution import Solution
    from nco.search.decoding.rollout import Decoder


class LoadedPolicy(StoredPolicy):
    """A policy, what is known of it, and `solve`."""

    @overload
    def solve(
        self,
        problems: Problem,
        strategy: Decoder | None = ...,
        *,
        seed: int = ...,
        batch_size: int = ...,
    ) -> Solution: ...

    @overload
    def solve(
        self,
        problems: Sequence[Problem],
        strategy: Decoder | None = ...,
        *,
        seed: int = ...,
        batch_size: int = ...,
    ) -> list[Solution]: ...

    def solve(
        self,
        problems: Problem | Sequence[Problem],
        strategy: Decoder | None = None,
        *,
        seed: int = 0,
        batch_size: int = 64,
    ) -> Solution | list[Solution]:
        """Solves a problem, or several of any sizes and kinds together.

        `nco.solve` and its methods keep a time limit; here decoding takes what it takes.

        Args:
            problems: one, or several.
            strategy: how to decode: `decoding.rollout.Strategy` (greedy, sampling),
                `decoding.beam.Beam` or `decoding.active.ActiveSearch`; None is greedy from
                every stop.
            seed: of whatever is random.
            batch_size: most problems that are decoded together.

        Returns:
            One solution for one problem, else one for each. Stops that no vehicle can serve are
            unassigned, with the reason.

        Raises:
            InputError: the seed or the batch size makes no sense, or a problem is none.
            UnsupportedError: the policy is not for what a problem asks.
            PolicyError: the policy does not fit this version of nco.
        """
        one = isinstance(problems, Problem)
        give = "an nco.Problem, or several"
        given = [problems] if isinstance(problems, Problem) else several(problems, "problems", give)
        found = solve_all(self, given, strategy, seed=seed, batch_size=batch_size)
        return found[0] if one else found


def load_policy(source: str | Path, problem: str | None = None) -> LoadedPolicy:
    """Loads a policy.

    Args:
        source: name of a shipped policy, path of a `.safetensors` file, or of a Lightning
            checkpoint (`.ckpt`) that nco trained.
        problem: name of the environment that the policy must be for; None takes any.

    Raises:
        PolicyError: the file is missing, damaged, for another problem, or its tensors do not
            belong to the network that it names.
    """
    stored = read_policy(source, problem)
    return LoadedPolicy(stored.policy, stored.problems, stored.card)
