"""What the data module hands to the training module."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nco.errors import FormatError, PolicyError

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

    @property
    def solutions(self) -> Tensor:
        """`[B, T]` the labels, for methods that learn from them.

        Raises:
            PolicyError: there are none.
        """
        if self.label is None:
            raise PolicyError(
                "imitation needs solutions: set data.labels.path, and run `nco train label`"
            )
        return self.label

    def broken(self) -> FormatError:
        """What is said where a label breaks a rule of its instance."""
        return FormatError(
            f"a label of {self.problem} breaks its rules; remove the file of data.labels "
            "and run `nco train label` again"
        )


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
