"""What a policy is: a network that encodes instances once and then scores actions step by step."""

from __future__ import annotations

import abc
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from torch import nn

if TYPE_CHECKING:
    from torch import Tensor

    from nco.envs.base import Observation

type Spec = dict[str, Any]
"""How to build a policy, as plain data: `{"class_path": ..., "init_args": {...}}`."""


@dataclass(frozen=True)
class Encoded:
    """What decoding needs of a batch of encoded instances.

    Attributes:
        query: `[B, R, N, E]` share of each role's node in a query.
        key: `[B, H, N, E / H]` keys of the glimpse.
        value: `[B, H, N, E / H]` values of the glimpse.
        target: `[B, E, N]` what the final query is compared with.
        pair: `[B, N, N]` score of going from row to column, whatever else.
    """

    query: Tensor
    key: Tensor
    value: Tensor
    target: Tensor
    pair: Tensor


class Policy(nn.Module, abc.ABC):
    """A network of any environment; it knows feature counts, not problems or sizes."""

    @abc.abstractmethod
    def spec(self) -> Spec:
        """How to build this policy again, as plain data."""

    @abc.abstractmethod
    def encode(self, observation: Observation) -> Encoded:
        """Encodes instances, once for all rollouts and steps."""

    @abc.abstractmethod
    def logits(self, encoded: Encoded, roles: Tensor, context: Tensor, closed: Tensor) -> Tensor:
        """Scores the next nodes of any number of decisions.

        Decisions `D` may be rollouts at one step, or all steps of all rollouts at once.

        Args:
            encoded: of `B` instances.
            roles: `[B, D, R]` node of each role.
            context: `[B, D, C]` numbers of the state.
            closed: `[B, D, N]` 0 where a node is allowed, minus infinity where it is not.

        Returns:
            `[B, D, N]` unnormalised log-probabilities.
        """
