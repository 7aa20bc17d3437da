"""Which precision training may run in: the encoder's; decisions are always in single precision."""

from __future__ import annotations

import logging

import torch

from nco.errors import PolicyError, quoted

log = logging.getLogger("nco")

ALLOWED = ("32-true", "bf16-mixed")


def prepare(precision: str, device: torch.device) -> None:
    """Checks a precision, and lets GPUs use their tensor cores in single precision (TF32).

    Args:
        precision: of the trainer.
        device: of the training.

    Raises:
        PolicyError: it is one that training does not run in.
    """
    if precision not in ALLOWED:
        raise PolicyError(
            f"trainer.precision is {quoted(precision)}; use {' or '.join(ALLOWED)}: half precision "
            "overflows in costs, and policy gradients need single precision in their decisions"
        )
    if device.type == "cuda":
        torch.set_float32_matmul_precision("high")
    elif precision == "bf16-mixed" and not _has_amx():
        log.warning(
            "this processor has no matrix unit for bf16 (AMX): bf16-mixed is slower here than "
            "trainer.precision 32-true"
        )


def _has_amx() -> bool:
    return torch.cpu._is_amx_tile_supported()  # noqa: SLF001 (torch says it nowhere else)
