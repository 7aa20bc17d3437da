"""Checkpoints by the clock, so that whatever ends a process costs half a minute of training."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING, Any

from lightning.pytorch.callbacks import Callback, ModelCheckpoint

if TYPE_CHECKING:
    from lightning import LightningModule, Trainer

EVERY_S = 30.0
_LEAST_PAUSE = 50  # times what writing took


class Autosave(Callback):
    """Writes the last checkpoint of every `ModelCheckpoint` that keeps one, and what is logged.

    It does so where training can go on exactly: between the cycles of a method and the steps of
    the optimizer.
    """

    def __init__(self) -> None:
        self._due_s = math.inf

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:  # noqa: ARG002
        """Winds the clock."""
        self._due_s = time.monotonic() + EVERY_S

    def on_train_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,  # noqa: ARG002 (Lightning's signature)
        batch: Any,  # noqa: ARG002
        batch_idx: int,
    ) -> None:
        """Writes if it is time."""
        whole = whole_batches(trainer, pl_module)
        # The end of an epoch is left to Lightning, which knows then what was validated.
        if (batch_idx + 1) % whole or trainer.is_last_batch:
            return
        # Processes must agree; the first one's clock counts.
        if not trainer.strategy.broadcast(time.monotonic() >= self._due_s):
            return
        begin_s = time.monotonic()
        for callback in trainer.checkpoint_callbacks:
            if isinstance(callback, ModelCheckpoint) and callback.save_last:
                # Part of checkpoints, so that a run that goes on writes over it.
                callback.last_model_path = callback.last_model_path or _path(callback, trainer)
                trainer.save_checkpoint(callback.last_model_path, callback.save_weights_only)
        for logger in trainer.loggers:
            logger.save()
        now_s = time.monotonic()
        self._due_s = now_s + max(EVERY_S, _LEAST_PAUSE * (now_s - begin_s))


def _path(callback: ModelCheckpoint, trainer: Trainer) -> str:
    """Where a callback is going to write its last checkpoint: over none of another run."""
    version = None
    while True:
        path = callback.format_checkpoint_name({}, callback.CHECKPOINT_NAME_LAST, version)
        if not callback.file_exists(path, trainer):
            return path
        version = callback.STARTING_VERSION if version is None else version + 1


def whole_batches(trainer: Trainer, pl_module: LightningModule) -> int:
    """After how many batches training can go on exactly: whole cycles of a method and steps."""
    return math.lcm(getattr(pl_module, "cycle", 1), trainer.accumulate_grad_batches)
