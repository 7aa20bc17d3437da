"""The network that gives costs: one small perceptron for links, one for turns, one for memory.

After H. Zhang et al., "GenMRP: generative multi-route planning" (arXiv 2602.04174): costs of links
from their attributes, which a second network changes by what earlier paths did. Here a cost is the
time of free flow times a positive factor, and turns cost a positive time more, so that costs are
never negative, an untrained network is free flow, and what the map says of speeds stays valid in
cities that the network was not trained on. It is plain numpy: answering needs no torch.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from nco.errors import PolicyError
from nco.roads.costs import Costs
from nco.roads.graph import RoadGraph
from nco.roads.learn.features import (
    LINK_FEATURES,
    TURN_FEATURES,
    Table,
    Usage,
    link_features,
    turn_features,
)

MEMORY_FEATURES = (
    "used", "used_twice", "way_back_used", "touches", "near_ends", "on_the_way", "detour", "third",
    "used_near_ends", "used_rank", "used_speed", "used_share",
)  # fmt: skip
LARGEST = 3.0
TURN_S = 10.0
# Weights of turns above it are walls of OSRM's, not seconds: where access ends.
_WALL_S = 1000.0


@dataclass(frozen=True, eq=False)
class Perceptron:
    """A linear function and a hidden layer beside it: `skip x + out tanh(hidden x + base) + bias`.

    Attributes:
        skip: `[F]`.
        hidden: `[F, H]`.
        base: `[H]`.
        out: `[H]`.
        bias: `[1]`.
    """

    skip: Table
    hidden: Table
    base: Table
    out: Table
    bias: Table

    def __post_init__(self) -> None:
        inputs, width = self.hidden.shape if self.hidden.ndim == 2 else (-1, -1)
        shapes = ((self.skip, (inputs,)), (self.base, (width,)), (self.out, (width,)))
        if any(array.shape != shape for array, shape in (*shapes, (self.bias, (1,)))):
            raise PolicyError("the tensors of a network of costs do not fit together")
        if not all(np.isfinite(array).all() for array in vars(self).values()):
            raise PolicyError("a network of costs has weights that are not finite")

    @classmethod
    def untrained(cls, inputs: int, width: int, seed: int, bias: float = 0.0) -> Perceptron:
        """One that gives its bias whatever it is asked."""
        rng = np.random.default_rng(seed)
        hidden = rng.normal(0, inputs**-0.5, (inputs, width))
        return cls(
            np.zeros(inputs, np.float32),
            hidden.astype(np.float32),
            np.zeros(width, np.float32),
            np.zeros(width, np.float32),
            np.full(1, bias, np.float32),
        )

    def __call__(self, inputs: Table) -> Table:
        """`[n]` of `[n, F]`."""
        hidden = np.tanh(inputs @ self.hidden + self.base)
        return np.asarray(inputs @ self.skip + hidden @ self.out + self.bias, dtype=np.float32)


@dataclass(frozen=True, eq=False)
class CostNetwork:
    """Costs of links and turns, and how earlier paths change them.

    Attributes:
        links: of `LINK_FEATURES`: the logarithm of the factor on the time of free flow.
        turns: of `TURN_FEATURES`: what a turn costs more, before softplus.
        memory: of `MEMORY_FEATURES`: the logarithm of the factor on the costs of the next path.

    Raises:
        PolicyError: a network has other inputs.
    """

    links: Perceptron
    turns: Perceptron
    memory: Perceptron

    def __post_init__(self) -> None:
        for part, names in (
            ("links", LINK_FEATURES),
            ("turns", TURN_FEATURES),
            ("memory", MEMORY_FEATURES),
        ):
            inputs = len(getattr(self, part).skip)
            if inputs != len(names):
                raise PolicyError(
                    f"the network of {part} has {inputs} inputs; this version gives {len(names)}"
                )

    @classmethod
    def untrained(cls, width: int = 32, seed: int = 0) -> CostNetwork:
        """Free flow with small costs of turns; used links cost 1.4 times as much."""
        memory = Perceptron.untrained(len(MEMORY_FEATURES), width, seed + 2)
        memory.skip[[0, 2]] = np.log(1.4)
        return cls(
            Perceptron.untrained(len(LINK_FEATURES), width, seed),
            Perceptron.untrained(len(TURN_FEATURES), width, seed + 1, bias=-3.0),
            memory,
        )

    @cached_property
    def parameters(self) -> int:
        """How many numbers were learned."""
        parts = (self.links, self.turns, self.memory)
        return sum(array.size for part in parts for array in vars(part).values())

    def costs(self, graph: RoadGraph, usage: Usage | None = None) -> Costs:
        """Costs of a graph for the first path.

        Args:
            graph: any.
            usage: where drives went there, if that is known.
        """
        return self.from_features(graph, link_features(graph, usage), turn_features(graph))

    def from_features(self, graph: RoadGraph, links: Table, turns: Table) -> Costs:
        """The same from features that are at hand."""
        more = TURN_S * softplus(self.turns(turns))
        return Costs(
            graph.links.duration_s * factor(self.links(links)), fixed_s(graph) + more.astype(float)
        )


def fixed_s(graph: RoadGraph) -> NDArray[np.float64]:
    """`[T]`, what turns cost whatever was learned: their seconds, and walls where access ends."""
    seconds, weight = graph.turns.duration_s, graph.turns.weight_s
    return np.where(weight >= _WALL_S, weight, seconds)


def factor(logarithm: Table) -> NDArray[np.float64]:
    """A positive factor, at most 20 and at least a twentieth."""
    return np.exp(np.clip(logarithm, -LARGEST, LARGEST)).astype(np.float64)


def softplus(inputs: Table) -> Table:
    """log(1 + exp(x)), without overflow."""
    return np.logaddexp(np.float32(0), inputs)
