"""Going on from a checkpoint: which one is the last, and whether a run's options agree with it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from lightning.pytorch.cli import SaveConfigCallback

from nco.errors import PolicyError, quoted
from nco.training.checkpoints import folders

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lightning import Trainer

# What may differ in a run that goes on: where files lie, how they are computed, what is measured.
_FREE = (
    "data.folder", "data.validation_cities", "data.validation_stops", "data.validation_instances",
    "data.references", "data.labels.path", "data.labels.jobs",
    "data.labels.solver", "data.labels.time_limit_s", "model.compile",
)  # fmt: skip
# Files are known by their names, wherever they lie.
_FILES = ("data.cities",)


class KeptOptions(SaveConfigCallback):
    """Keeps the options of module and data in the log's folder and in every checkpoint."""

    def state_dict(self) -> dict[str, Any]:
        """The options by their names on the command line."""
        config = json.loads(json.dumps(self.config.as_dict(), default=str))
        return dict(_flat({name: config.get(name) for name in ("model", "data")}))


def _flat(options: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in options.items():
        if isinstance(value, dict) and value:
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def last_checkpoint(trainer: Trainer) -> Path:
    """The newest of the files that `--ckpt_path last` may mean.

    Raises:
        PolicyError: there is none.
    """
    where = folders(trainer)
    found = [path for folder in where for path in folder.glob("last*.ckpt")]
    if not where:
        raise PolicyError(
            "--ckpt_path is last, but no ModelCheckpoint has a folder; give trainer.callbacks one "
            "with a dirpath, or a .ckpt file"
        )
    if not found:
        raise PolicyError(
            "--ckpt_path is last, but there is no last checkpoint in "
            f"{', '.join(map(str, where))}; leave the option out to begin anew, or "
            "give a .ckpt file"
        )
    return max(found, key=lambda path: path.stat().st_mtime)


def check_resumed(path: Path, trainer: Trainer) -> None:
    """Refuses to go on from a checkpoint with options that contradict it.

    Args:
        path: of a checkpoint, which is known to be sound.
        trainer: set up, with `KeptOptions` among its callbacks.

    Raises:
        PolicyError: names the option, and what the checkpoint has.
    """
    checkpoint = torch.load(path, map_location="cpu", weights_only=True)
    if "optimizer_states" not in checkpoint:
        raise PolicyError(
            f"{path} holds weights only, and training cannot go on from them; begin with them: "
            "--model.weights in place of --ckpt_path"
        )
    _check_length(path, checkpoint, trainer)
    states = checkpoint.get("callbacks", {})
    for callback in trainer.callbacks:  # type: ignore[attr-defined]
        if isinstance(callback, KeptOptions) and callback.state_key in states:
            _check_options(path, states[callback.state_key], callback.state_dict())


def _check_length(path: Path, checkpoint: dict[str, Any], trainer: Trainer) -> None:
    epochs = checkpoint["loops"]["fit_loop"]["epoch_progress"]["current"]["ready"]
    steps = checkpoint["global_step"]
    for name, most, has in (
        ("max_epochs", trainer.max_epochs, epochs),
        ("max_steps", trainer.max_steps, steps),
    ):
        if most is not None and 0 <= most < has:
            raise PolicyError(
                f"--trainer.{name} is {most}, but {path} has been trained for {has}; give {has} "
                "or more"
            )


def _check_options(path: Path, before: dict[str, Any], now: dict[str, Any]) -> None:
    for name in sorted(before.keys() | now.keys()):
        if name.startswith(_FREE):
            continue
        old, new = (_known_by(name, options.get(name)) for options in (before, now))
        if old != new:
            raise PolicyError(
                f"--{name} is {quoted(new)}, but {path} was trained with {quoted(old)}; go on with "
                f"the same, or begin anew with its weights: --model.weights {path} in place of "
                "--ckpt_path"
            )


def _known_by(name: str, value: Any) -> Any:
    return [Path(file).name for file in value] if name in _FILES and value else value
