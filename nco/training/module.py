"""The Lightning module: a policy, a learning method, and a schedule of learning rates."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from operator import or_
from typing import Any, Protocol, runtime_checkable

import lightning
import torch
from torch import Tensor

from nco.envs import environment
from nco.errors import PolicyError, quoted
from nco.models.files import CHECKPOINT_KEY
from nco.models.policy import Policy
from nco.observation import Features
from nco.search.decoding.rollout import rollout
from nco.training import precision
from nco.training.batch import Drawn, Referenced
from nco.training.budget import CpuBudget
from nco.training.checkpoints import AtomicCheckpoints, check_cycle
from nco.training.growing import grow_from
from nco.training.method import Method
from nco.training.reinforce import Reinforce
from nco.training.rollouts import encode, exact
from nco.training.starting import begin_with, check_checkpoint

type PolicyBuilder = Callable[[Features], Policy]


class PolicyTraining(lightning.LightningModule):
    """Trains a policy; batches come from `nco.training.data.CityData`.

    Args:
        policy: how to build the policy, given the features of all environments.
        problems: names of the environments.
        method: how the policy learns; None for `Reinforce`.
        weights: policy to begin with: a shipped name, a policy file or a checkpoint.
        grow: smaller policy to begin with, of which this one takes over what both have by name;
            see `nco.training.growing`.
        starts: rollouts of each instance in training.
        learning_rate: of AdamW, constant but for a linear warm-up and a linear end.
        warmup: share of all steps in which the learning rate rises.
        cooldown: share of all steps in which it falls to 0.
        weight_decay: of AdamW.
        compile: let torch compile the encoder. On a processor with AVX2 it does not pay: 44 s to
            compile, and then no faster than before (15 to 50 stops).

    Raises:
        PolicyError: an option makes no sense, or `weights` are of another network.
    """

    def __init__(
        self,
        policy: PolicyBuilder,
        problems: list[str] | None = None,
        method: Method | None = None,
        weights: str | None = None,
        grow: str | None = None,
        starts: int = 20,
        learning_rate: float = 5e-4,
        warmup: float = 0.02,
        cooldown: float = 0.3,
        weight_decay: float = 1e-6,
        compile: bool = False,  # noqa: A002 (torch's word)
    ) -> None:
        super().__init__()
        names = ["rcvrp"] if problems is None else problems
        self.envs = {name: environment(name) for name in names}
        if not self.envs:
            raise PolicyError("problems is empty; name one or more environments")
        if starts < 2:
            raise PolicyError(f"starts is {quoted(starts)}; the baseline needs 2 or more")
        if not 0 < learning_rate < float("inf"):
            raise PolicyError(f"learning_rate is {quoted(learning_rate)}; give a number above 0")
        if not 0 <= weight_decay < float("inf"):
            raise PolicyError(f"weight_decay is {quoted(weight_decay)}; give 0 or more")
        for name, share in (("warmup", warmup), ("cooldown", cooldown)):
            if not 0 <= share <= 1:
                raise PolicyError(
                    f"{name} is {quoted(share)}; give a share of all steps from 0 to 1"
                )
        self.method = Reinforce() if method is None else method
        self.starts = starts
        self.learning_rate, self.weight_decay = learning_rate, weight_decay
        self.warmup, self.cooldown = warmup, cooldown
        self.policy = policy(reduce(or_, (env.features for env in self.envs.values())))
        if grow is not None:
            grow_from(self.policy, grow)
        if weights is not None:
            begin_with(self.policy, weights)
        self.weights, self._compile = weights, compile

    def setup(self, stage: str) -> None:
        """Prepares precision, checkpoints and the compiler."""
        precision.prepare(self.trainer.precision, self.trainer.strategy.root_device)
        self.trainer.strategy.checkpoint_io = AtomicCheckpoints()
        if stage == "fit" and self._compile:
            self.policy.embed = torch.compile(  # type: ignore[method-assign]
                self.policy.embed, dynamic=True
            )

    @property
    def cycle(self) -> int:
        """After how many batches training can go on exactly from a checkpoint."""
        return self.method.cycle

    def on_fit_start(self) -> None:
        """Refuses to begin what could not be resumed."""
        check_cycle(self.trainer, self.cycle)

    def training_step(self, batch: Drawn, batch_idx: int) -> Tensor:
        """Loss of one drawn batch."""
        env, turn = self.envs[batch.problem], batch_idx % self.method.cycle
        loss = self.method.loss(env, batch, self.policy, self.starts, turn)
        self.log("train/loss", loss.value.detach())
        for name, value in loss.logged.items():
            self.log(f"train/{name}", value)
        return loss.value

    def validation_step(self, batch: Referenced) -> None:
        """Mean gap to the references of greedy multi-start, in percent."""
        env = self.envs[batch.problem]
        encoded = encode(self.policy, env.observe(batch.instance))
        with exact(self.device):
            best = rollout(env, batch.instance, encoded).best()
        gap = 100 * (best.cost[:, 0] / batch.reference - 1)
        options: dict[str, Any] = {"batch_size": len(gap), "sync_dist": True}
        name = f"val/gap_percent_{batch.problem}_{batch.stops}"
        self.log(name, gap.mean(), add_dataloader_idx=False, **options)
        self.log("val/gap_percent", gap.mean(), prog_bar=True, **options)

    def configure_optimizers(self) -> Any:
        """AdamW with a trapezoid of learning rates, set at every step.

        It is one by steps or, where `CpuBudget` ends training, by processor time.
        """
        optimizer = torch.optim.AdamW(
            self.policy.parameters(), lr=self.learning_rate, weight_decay=self.weight_decay
        )
        total = max(1, int(self.trainer.estimated_stepping_batches))
        every = self.trainer.callbacks  # type: ignore[attr-defined]
        budget = next((c for c in every if isinstance(c, CpuBudget)), None)

        def factor(step: int) -> float:
            done = step / total if budget is None else budget.share
            rise = min(1.0, (done + 1 / total) / self.warmup) if self.warmup else 1.0
            fall = min(1.0, (1.0 - done) / self.cooldown) if self.cooldown else 1.0
            return max(0.0, min(rise, fall))

        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, factor)
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": schedule, "interval": "step"},
        }

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Refuses a checkpoint of another network."""
        check_checkpoint(self.policy, checkpoint)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Writes down what the policy is and how it was trained, as plain data."""
        data = getattr(self.trainer, "datamodule", None)
        checkpoint[CHECKPOINT_KEY] = {
            "problems": list(self.envs),
            "policy": self.policy.spec(),
            "training": {
                "steps": int(self.trainer.global_step),
                "processes": int(self.trainer.world_size),
                "method": type(self.method).__name__,
                "weights": self.weights,
                "starts": self.starts,
                "learning_rate": self.learning_rate,
                **(data.summary() if isinstance(data, Summarised) else {}),
            },
        }


@runtime_checkable
class Summarised(Protocol):
    """A data module that can say what it draws."""

    def summary(self) -> dict[str, Any]:
        """Plain data for a policy's card."""
