"""Gradients of a perceptron, and Adam (Kingma and Ba 2015)."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace

import numpy as np

from nco.arrays import Floats
from nco.roads.learn.features import Table
from nco.roads.learn.network import Perceptron

type Weights = dict[str, Table]

_BETA = (0.9, 0.99)


def gradient(network: Perceptron, inputs: Table, upon: Floats) -> Weights:
    """The gradient of the sum of `upon * network(inputs)` by each weight.

    Args:
        network: its weights.
        inputs: `[n, F]`.
        upon: `[n]`, the gradient by each output.
    """
    given = upon.astype(np.float32)
    hidden = np.tanh(inputs @ network.hidden + network.base)
    inner = given[:, None] * network.out * (1 - hidden**2)
    return {
        "skip": given @ inputs,
        "hidden": inputs.T @ inner,
        "base": inner.sum(axis=0),
        "out": given @ hidden,
        "bias": given.sum(keepdims=True),
    }


@dataclass
class Adam:
    """Steps of a perceptron's weights, with weights that decay (AdamW).

    Attributes:
        network: as it is now.
        decay: of weights in a step, times the rate; biases do not decay.
    """

    network: Perceptron
    decay: float = 1e-3
    steps: int = 0
    _mean: Weights = field(default_factory=dict)
    _square: Weights = field(default_factory=dict)

    def step(self, grad: Weights, rate: float) -> None:
        """Go down a gradient."""
        self.steps += 1
        changed = {}
        for part in fields(self.network):
            name, slope = part.name, grad[part.name]
            mean = _BETA[0] * self._mean.get(name, 0.0) + (1 - _BETA[0]) * slope
            square = _BETA[1] * self._square.get(name, 0.0) + (1 - _BETA[1]) * slope**2
            self._mean[name] = np.asarray(mean, dtype=np.float32)
            self._square[name] = np.asarray(square, dtype=np.float32)
            far = mean / (1 - _BETA[0] ** self.steps)
            wide = np.sqrt(square / (1 - _BETA[1] ** self.steps)) + 1e-8
            weights = getattr(self.network, name)
            kept = 1.0 if name == "bias" else 1 - rate * self.decay
            changed[name] = (kept * weights - rate * far / wide).astype(np.float32)
        self.network = replace(self.network, **changed)


@dataclass
class Mean:
    """The mean of the networks of several steps (Polyak and Juditsky 1992)."""

    _sum: Weights = field(default_factory=dict)
    _count: int = 0

    def add(self, network: Perceptron) -> None:
        """Take one more."""
        self._count += 1
        for name, weights in vars(network).items():
            self._sum[name] = self._sum.get(name, np.float32(0)) + weights

    def network(self) -> Perceptron:
        """The mean of those taken."""
        return Perceptron(
            **{name: (total / self._count).astype(np.float32) for name, total in self._sum.items()}
        )
