"""What the data module hands to the training module."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

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
    """

    problem: str
    instance: object
    generator: torch.Generator


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
    instance: object
    reference: Tensor
    stops: int
