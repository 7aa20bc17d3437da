"""Checkpoints: written whole or not at all, and only where training can go on from them."""

from __future__ import annotations

import io
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from filelock import Timeout
from lightning.pytorch.callbacks import Callback, ModelCheckpoint
from lightning.pytorch.plugins.io import TorchCheckpointIO

from nco.errors import PolicyError, StorageError
from nco.files import locked, write_atomic

if TYPE_CHECKING:
    from lightning import LightningModule, Trainer


class AtomicCheckpoints(TorchCheckpointIO):
    """Writes beside the last checkpoint and renames, so that an interruption leaves a good one."""

    def save_checkpoint(
        self,
        checkpoint: dict[str, Any],
        path: str | Path,
        storage_options: Any = None,  # noqa: ARG002 (Lightning's signature)
    ) -> None:
        """Writes a checkpoint.

        Raises:
            StorageError: the disk is full or the folder cannot be written.
        """
        buffer = io.BytesIO()
        torch.save(checkpoint, buffer)
        write_atomic(path, buffer.getvalue())


class OneTraining(Callback):
    """Keeps two trainings from writing their checkpoints into one folder at the same time."""

    def __init__(self) -> None:
        self._held = ExitStack()

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:  # noqa: ARG002
        """Takes the folders, once for all processes of a training.

        Raises:
            PolicyError: another training writes to one of them.
            StorageError: it cannot be written.
        """
        if not trainer.is_global_zero:
            return
        for folder in dict.fromkeys(folders(trainer)):
            try:
                self._held.enter_context(locked(folder, patience_s=0))
            except StorageError as error:
                if not isinstance(error.__cause__, Timeout):
                    raise
                raise PolicyError(
                    f"another training writes its checkpoints to {folder}; wait until it is done, "
                    "or give another folder with --trainer.callbacks.dirpath"
                ) from None

    def on_fit_end(self, trainer: Trainer, pl_module: LightningModule) -> None:  # noqa: ARG002
        """Lets others have them."""
        self._held.close()

    def on_exception(
        self,
        trainer: Trainer,  # noqa: ARG002 (Lightning's signature)
        pl_module: LightningModule,  # noqa: ARG002
        exception: BaseException,  # noqa: ARG002
    ) -> None:
        """Lets others have them, whatever happened."""
        self._held.close()


def folders(trainer: Trainer) -> list[Path]:
    """Where checkpoints go."""
    return [
        Path(callback.dirpath)
        for callback in trainer.checkpoint_callbacks
        if isinstance(callback, ModelCheckpoint) and callback.dirpath
    ]


def check_cycle(trainer: Trainer, cycle: int) -> None:
    """Refuses checkpoints in the middle of what a method makes of one batch.

    Raises:
        PolicyError: an epoch, or the steps between two checkpoints, are no whole cycles.
    """
    if cycle == 1:
        return
    batches = int(trainer.num_training_batches)
    steps = {"batches_per_epoch (of each process)": batches}
    for callback in trainer.checkpoint_callbacks:
        every = getattr(callback, "_every_n_train_steps", 0)
        if every:
            steps["every_n_train_steps"] = every * trainer.accumulate_grad_batches
    for name, count in steps.items():
        if count % cycle:
            raise PolicyError(
                f"{name} is {count}; this method makes {cycle} steps of one batch, so give a "
                f"multiple of {cycle}: elsewhere training could not be resumed exactly"
            )
