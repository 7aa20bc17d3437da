"""What the data module hands to the training module."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch
    from torch import Tensor


@dataclass(frozen=True)
class Drawn:
    """A training batch.

    Attributes:
        problem: name of the environment.
        instance: of the environment.
        generator: for whatever else is random in the step.
        label: `[B, T]` actions of a good solution of each, filled up with -1; None where
            instances are drawn without.
    """

    problem: str
    instance: Any
    generator: torch.Generator
    label: Tensor | None = None


@dataclass(frozen=True)
class Referenced:
    """A validation batch.

    Attributes:
        problem: name of the environment.
        instance: of the environment, in metres.
        reference: `[B]` cost of stored reference solutions, metres.
        stops: of every instance.
    """

    problem: str
    instance: Any
    reference: Tensor
    stops: int
