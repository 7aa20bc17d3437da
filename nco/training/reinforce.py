"""REINFORCE with a baseline shared by the rollouts of an instance (POMO), as a Lightning module."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import lightning
import torch
from torch import Tensor

from nco.envs import environment
from nco.envs.base import Features
from nco.errors import PolicyError
from nco.models.files import CHECKPOINT_KEY
from nco.models.pointer import Decisions, weighed
from nco.models.policy import Policy
from nco.search.decoding import Strategy, joined, rollout

if TYPE_CHECKING:
    from nco.envs.base import AnyEnvironment
    from nco.training.batch import Drawn, Referenced

type PolicyBuilder = Callable[[Features], Policy]


def rollout_loss(
    env: AnyEnvironment, instance: object, policy: Policy, starts: int, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Loss whose gradient is the policy gradient, and the costs of the sampled rollouts.

    Rollouts are sampled without gradients; all their decisions are then scored again at once,
    which is cheaper than to keep the graph of every step. The advantage of a rollout is its
    cost against the mean of its instance's rollouts, in standard deviations of these.

    Args:
        env: of the instances.
        instance: `B` instances.
        policy: in training.
        starts: rollouts of each instance, each with another first action.
        generator: of first actions and samples.

    Returns:
        The loss, and costs `[B, S]`.
    """
    encoded = policy.encode(env.observe(instance))
    first = env.starts(instance)
    order = torch.randperm(first.shape[1], generator=generator, device=first.device)
    trace: list[tuple[Decisions, Tensor]] = []
    rollouts = rollout(
        env,
        instance,
        policy,
        Strategy(temperature=1.0),
        generator,
        encoded,
        first=first[:, order[:starts]],
        trace=trace,
    )
    cost = rollouts.cost.clone()
    spread = cost.std(1, keepdim=True).clamp_min(1e-6 * cost.mean())
    advantage = (cost - cost.mean(1, keepdim=True)) / spread
    decisions, action = joined(trace)
    gain = advantage.repeat(1, len(trace)) / advantage.numel()
    return weighed(encoded, decisions, action, gain)[0], cost


class Reinforce(lightning.LightningModule):
    """Trains a policy; batches come from `nco.training.data.CityData`.

    Args:
        policy: how to build the policy, given the features of all environments.
        problems: names of the environments.
        starts: rollouts of each instance in training.
        learning_rate: of Adam, constant but for a linear warm-up and a linear end.
        warmup: share of all steps in which the learning rate rises.
        cooldown: share of all steps in which it falls to 0.
        weight_decay: of AdamW.
    """

    def __init__(
        self,
        policy: PolicyBuilder,
        problems: list[str] | None = None,
        starts: int = 20,
        learning_rate: float = 5e-4,
        warmup: float = 0.02,
        cooldown: float = 0.3,
        weight_decay: float = 1e-6,
    ) -> None:
        super().__init__()
        names = ["rcvrp"] if problems is None else problems
        self.envs = {name: environment(name) for name in names}
        if not self.envs:
            raise PolicyError("problems is empty; name one or more environments")
        if starts < 2:
            raise PolicyError(f"starts is {starts}; the shared baseline needs 2 or more")
        if learning_rate <= 0:
            raise PolicyError(f"learning_rate is {learning_rate}; give a number above 0")
        for name, share in (("warmup", warmup), ("cooldown", cooldown)):
            if not 0 <= share <= 1:
                raise PolicyError(f"{name} is {share}; give a share of all steps from 0 to 1")
        self.starts = starts
        self.learning_rate, self.weight_decay = learning_rate, weight_decay
        self.warmup, self.cooldown = warmup, cooldown
        self.policy = policy(reduce(or_, (env.features for env in self.envs.values())))

    def training_step(self, batch: Drawn) -> Tensor:
        """Loss of one drawn batch."""
        loss, cost = rollout_loss(
            self.envs[batch.problem], batch.instance, self.policy, self.starts, batch.generator
        )
        self.log("train/loss", loss.detach())
        relative = cost.amin(1) / cost.mean(1)
        self.log(f"train/best_to_mean_{batch.problem}", relative.mean())
        return loss

    def validation_step(self, batch: Referenced) -> None:
        """Mean gap to the references of greedy multi-start, in percent."""
        best = rollout(self.envs[batch.problem], batch.instance, self.policy).best()
        gap = 100 * (best.cost[:, 0] / batch.reference - 1)
        options: dict[str, Any] = {"batch_size": len(gap), "sync_dist": True}
        name = f"val/gap_percent_{batch.problem}_{batch.stops}"
        self.log(name, gap.mean(), add_dataloader_idx=False, **options)
        self.log("val/gap_percent", gap.mean(), prog_bar=True, **options)

    def configure_optimizers(self) -> Any:
        """AdamW with a trapezoid of learning rates, set at every step."""
        optimizer = torch.optim.AdamW(
            self.policy.parameters(), lr=self.learning_rate, weight_decay=self.weight_decay
        )
        total = max(1, int(self.trainer.estimated_stepping_batches))

        def factor(step: int) -> float:
            done = step / total
            rise = min(1.0, (done + 1 / total) / self.warmup) if self.warmup else 1.0
            fall = min(1.0, (1.0 - done) / self.cooldown) if self.cooldown else 1.0
            return max(0.0, min(rise, fall))

        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, factor)
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": schedule, "interval": "step"},
        }

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Writes down what the policy is and how it was trained, as plain data."""
        data = getattr(self.trainer, "datamodule", None)
        checkpoint[CHECKPOINT_KEY] = {
            "problems": list(self.envs),
            "policy": self.policy.spec(),
            "training": {
                "steps": int(self.trainer.global_step),
                "processes": int(self.trainer.world_size),
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
