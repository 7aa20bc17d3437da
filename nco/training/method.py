"""What a learning method is: how a batch becomes a loss."""

from __future__ import annotations

import abc
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

    from nco.envs.base import AnyEnvironment
    from nco.models.policy import Policy
    from nco.training.batch import Drawn


@dataclass(frozen=True)
class Loss:
    """What a method makes of a batch.

    Attributes:
        value: to minimise.
        logged: numbers to look at, by name.
    """

    value: Tensor
    logged: dict[str, Tensor] = field(default_factory=dict)


class Method(abc.ABC):
    """A learning method; a new one is a new file, and `class_path` in a config names it.

    Attributes:
        cycle: how many steps it makes of one batch. Training can be stopped and resumed exactly
            between cycles only.
    """

    cycle: int = 1

    @abc.abstractmethod
    def loss(
        self, env: AnyEnvironment, batch: Drawn, policy: Policy, starts: int, turn: int
    ) -> Loss:
        """Loss of a batch.

        Args:
            env: of the batch.
            batch: the instances.
            policy: in training.
            starts: rollouts of each instance.
            turn: number of the step in its cycle.
        """
