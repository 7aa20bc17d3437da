"""Checkpoints: written whole or not at all, and found to be good before training goes on."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.plugins.io import TorchCheckpointIO

from nco.errors import PolicyError
from nco.files import write_atomic

if TYPE_CHECKING:
    from lightning import Trainer


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


def check_file(path: str | Path) -> None:
    """Refuses a file to go on from that is no checkpoint.

    Raises:
        PolicyError: the file is missing, damaged, or not of nco.
    """
    from nco.models.files import read_policy

    if Path(path).suffix != ".ckpt":
        raise PolicyError(f"--ckpt_path is {path}; give `last` or a .ckpt file of nco")
    read_policy(path)


def last_checkpoints(trainer: Trainer) -> list[Path]:
    """The files that `--ckpt_path last` may mean."""
    folders = (
        Path(callback.dirpath)
        for callback in trainer.checkpoint_callbacks
        if isinstance(callback, ModelCheckpoint) and callback.dirpath
    )
    return [path for folder in folders for path in sorted(folder.glob("last*.ckpt"))]


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
