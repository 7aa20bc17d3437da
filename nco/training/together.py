"""REINFORCE for simultaneous decisions: every vehicle's choice counts as it was really made."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from nco.envs.pvrp import PVRP
from nco.errors import PolicyError, quoted
from nco.search.decoding.together import Round, driven_together
from nco.training.method import Loss, Method
from nco.training.reinforce import check_baseline
from nco.training.rollouts import Baseline, advantages, encode, exact, turned_at_random

if TYPE_CHECKING:
    from nco.envs.base import AnyEnvironment
    from nco.models.policy import Policy
    from nco.training.batch import Drawn


class ReinforceTogether(Method):
    """Learns from rollouts in which all vehicles decide at once (`nco.search.decoding.together`).

    Args:
        baseline: see `nco.training.rollouts.advantages`.
        scaled: see there.
        turn: show every map turned or mirrored at random.

    Raises:
        PolicyError: there is no such baseline.
    """

    def __init__(
        self, baseline: Baseline = "shared", scaled: bool = True, turn: bool = False
    ) -> None:
        check_baseline(baseline)
        self.baseline: Baseline = baseline
        self.scaled, self.turn = scaled, turn

    def loss(
        self,
        env: AnyEnvironment,
        batch: Drawn,
        policy: Policy,
        starts: int,
        turn: int,  # noqa: ARG002 (a cycle is one step)
    ) -> Loss:
        """Samples `starts` rollouts of each instance, and compares each with the others."""
        if not isinstance(env, PVRP):
            raise PolicyError(
                f"all vehicles decide at once, but {quoted(env.name)} has one after another; "
                "use nco.training.reinforce.Reinforce"
            )
        seen = env.observe(batch.instance)
        encoded = encode(policy, turned_at_random(seen, batch.generator) if self.turn else seen)
        rounds: list[Round] = []
        with exact(batch.instance.cost.device):
            found = driven_together(
                env, batch.instance, encoded, starts, 1.0, batch.generator, rounds
            )
            cost = found.cost.clone()
            gain = advantages(cost, self.baseline, self.scaled) / cost.numel()
            likelihood = torch.stack([_ordinary(r).log_likelihood(encoded) for r in rounds]).sum(0)
            loss = (likelihood * gain).sum()
        return Loss(loss, {"best_to_mean_together": (cost.amin(1) / cost.mean(1)).mean()})


def _ordinary(made: Round) -> Round:
    """The same in tensors that autograd may save."""
    shown = vars(made.decisions).items()
    decisions = type(made.decisions)(**{name: x.clone() for name, x in shown})
    rest = {name: x.clone() for name, x in vars(made).items() if name != "decisions"}
    return Round(decisions, **rest)
