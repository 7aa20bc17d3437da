"""Sizes in options of training that nobody can mean, refused before anything is built of them.

Lightning starts a process for each device, networks are built layer by layer, and tables are drawn
point by point: a slip of the keyboard would keep a machine busy for hours.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any

from nco.errors import PolicyError, quoted

MOST = {
    **dict.fromkeys(("width", "hidden", "heads", "decoder_heads", "pair_width"), 100_000),
    **dict.fromkeys(("starts", "rollouts", "designs", "minibatches"), 100_000),
    **dict.fromkeys(("rounds", "epochs", "boxes", "clusters", "lines"), 10_000),
    "longest": 10_000,
    **dict.fromkeys(("trips", "link_s"), 1e9),
    "layers": 1_000,
    "validation_instances": 10_000_000,
    "streets": 10.0,
}
"""The largest numbers that options of these names may have, wherever they are."""


def check_sizes(config: Any) -> None:
    """Refuse sizes that nobody can mean.

    Args:
        config: what the options say, nested.

    Raises:
        PolicyError: names the option and its largest value.
    """
    for name, value in _numbers(config, ""):
        most = MOST.get(name.rpartition(".")[2])
        if most is not None and not abs(value) <= most:
            raise PolicyError(f"--{name} is {quoted(value)}; give {most:g} at most")
    trainer = dict(_numbers(config, ""))
    cores = os.cpu_count() or 1
    if trainer.get("trainer.devices", 1) > cores:
        raise PolicyError(
            f"--trainer.devices is {trainer['trainer.devices']}; this machine has {cores} cores, "
            "and training gains little by more than one device: give 1"
        )
    if trainer.get("trainer.num_nodes", 1) > 1 and "MASTER_ADDR" not in os.environ:
        raise PolicyError(
            f"--trainer.num_nodes is {trainer['trainer.num_nodes']}, but the environment does not "
            "say where the others are (MASTER_ADDR); give 1"
        )
    endless = trainer.get("trainer.max_epochs") == -1 and trainer.get("trainer.max_steps", -1) == -1
    if endless:
        raise PolicyError(
            "--trainer.max_epochs is -1, but the learning rate falls towards the end, which must "
            "be known; give a number of epochs, or --trainer.max_steps"
        )
    for name in ("accumulate_grad_batches", "check_val_every_n_epoch"):  # Lightning divides
        if trainer.get(f"trainer.{name}", 1) < 1:
            raise PolicyError(f"--trainer.{name} is {trainer[f'trainer.{name}']}; give 1 or more")


def _numbers(config: Any, where: str) -> Iterator[tuple[str, float]]:
    """Every number of a config under its dotted name."""
    if isinstance(config, Mapping) or hasattr(config, "as_dict"):
        entries = config if isinstance(config, Mapping) else config.as_dict()
        for key, value in entries.items():
            yield from _numbers(value, f"{where}.{key}" if where else str(key))
    elif isinstance(config, list | tuple):
        for value in config:
            yield from _numbers(value, where)
    elif isinstance(config, int | float) and not isinstance(config, bool):
        yield where, config
    elif isinstance(config, str) and config.isdecimal() and len(config) < 20:  # devices
        yield where, int(config)
