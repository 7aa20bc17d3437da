"""Random tensors of one generator on one device."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Dice:
    """Draws tensors of given shapes.

    Attributes:
        generator: consumed.
        device: of the generator and of what is drawn.
    """

    generator: torch.Generator
    device: torch.device

    def uniform(self, *shape: int) -> Tensor:
        """Uniform in [0, 1)."""
        return torch.rand(shape, generator=self.generator, device=self.device)

    def below(self, number: int, *shape: int) -> Tensor:
        """Whole numbers from 0 to `number - 1`."""
        return torch.randint(number, shape, generator=self.generator, device=self.device)

    def within(self, limits: tuple[float, float], *shape: int) -> Tensor:
        """Uniform."""
        low, high = limits
        return low + (high - low) * self.uniform(*shape)

    def between(self, limits: tuple[float, float], *shape: int) -> Tensor:
        """Log-uniform."""
        low, high = (math.log(limit) for limit in limits)
        return torch.exp(low + (high - low) * self.uniform(*shape))

    def gumbel(self, *shape: int) -> Tensor:
        """Of the standard Gumbel distribution."""
        return -torch.log(-torch.log(self.uniform(*shape).clamp(1e-20, 1 - 1e-7)))

    def kinds(self, weights: tuple[float, ...], count: int) -> Tensor:
        """`[count]` indices drawn by weight."""
        law = torch.tensor(weights, dtype=torch.float32, device=self.device)
        return torch.multinomial(law, count, replacement=True, generator=self.generator)
