"""Training that ends by processor time, so that methods are compared at equal cost."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from lightning.pytorch.callbacks import Callback

from nco.errors import PolicyError, quoted
from nco.training.autosave import whole_batches

if TYPE_CHECKING:
    from lightning import LightningModule, Trainer


class CpuBudget(Callback):
    """Ends training after so much processor time of its process, all threads together.

    Learning rates rise and fall by the share of the budget that was used, so every budget ends with
    small steps; a run that goes on with a larger one takes larger steps again. How many steps there
    are depends on the processor.

    Other load on the machine does not change the budget, and validation counts. What was used goes
    into checkpoints, so that a run that was stopped and goes on ends as if it had not been. Reading
    tables and loading loops is not counted.

    Args:
        minutes: of processor time.

    Raises:
        PolicyError: the number makes no sense.
    """

    def __init__(self, minutes: float) -> None:
        if not 0 < minutes < float("inf"):
            raise PolicyError(f"minutes is {quoted(minutes)}; give a number above 0")
        self.minutes = minutes
        self._before_s = 0.0
        self._begin_s: float | None = None

    @property
    def used_s(self) -> float:
        """Seconds of processor time until now, those of earlier runs included."""
        now_s = 0.0 if self._begin_s is None else time.process_time() - self._begin_s
        return self._before_s + now_s

    @property
    def share(self) -> float:
        """How much of the budget was used, at most 1."""
        return min(1.0, self.used_s / (60 * self.minutes))

    def state_dict(self) -> dict[str, float]:
        """What was used."""
        return {"used_s": self.used_s}

    def load_state_dict(self, state_dict: dict[str, float]) -> None:
        """What a checkpoint says was used."""
        self._before_s = float(state_dict["used_s"])

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:  # noqa: ARG002
        """Winds the clock."""
        self._begin_s = time.process_time()

    def on_train_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,  # noqa: ARG002 (Lightning's signature)
        batch: Any,  # noqa: ARG002
        batch_idx: int,
    ) -> None:
        """Ends training if it is time, between the cycles of a method."""
        pl_module.log("train/cpu_s", self.used_s)
        whole = whole_batches(trainer, pl_module)
        over = self.used_s >= 60 * self.minutes and (batch_idx + 1) % whole == 0
        # Processes must agree; the first one's clock counts.
        if trainer.strategy.broadcast(over):
            trainer.should_stop = True
