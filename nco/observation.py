"""What an environment shows to a network: tensors, and the names of what they hold."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor


@dataclass(frozen=True)
class Features:
    """Names of what an environment shows to a network.

    Environments that mean the same thing by a feature give it the same name, so that one network
    can serve them all.

    Attributes:
        node: columns of `Observation.node`.
        pair: planes of `Observation.pair`.
        context: columns of the context.
        roles: which nodes a decision depends on; the first is the current node.
    """

    node: tuple[str, ...]
    pair: tuple[str, ...]
    context: tuple[str, ...]
    roles: tuple[str, ...]

    def __or__(self, other: Features) -> Features:
        """All features of both, these first."""
        both = (
            dict.fromkeys((*getattr(self, kind), *getattr(other, kind)))
            for kind in self.__dataclass_fields__
        )
        return Features(*map(tuple, both))

    def __le__(self, other: Features) -> bool:
        """Whether a network that knows the features of `other` knows these."""
        return all(
            set(getattr(self, kind)) <= set(getattr(other, kind))
            for kind in self.__dataclass_fields__
        )


@dataclass(frozen=True)
class Observation:
    """What a network sees of a batch of instances before the first step.

    Attributes:
        node: `[V, N, F]` features of nodes, of order one; in several views of the same
            instances, `V` is a multiple of `B`, instance-major.
        pair: `[B, P, N, N]` features of ordered pairs, of order one.
        features: what the columns of `node` and planes of `pair` are called.
        xy: how many leading columns of `node` come in (x, y) pairs and turn with the map.
        present: `[B, N]` which nodes are there, the others fill up a batch of several sizes;
            None where all are.
        vehicles: how many are decided for together; each has its own view of the nodes, so that
            `B` is that many times the number of instances, instance-major.
    """

    node: Tensor
    pair: Tensor
    features: Features
    xy: int = 2
    present: Tensor | None = None
    vehicles: int = 1

    def blanked(self) -> Observation:
        """The same with zeros for nodes that are not there, and for their pairs."""
        if self.present is None:
            return self
        absent = ~self.present
        return replace(
            self,
            node=self.node.masked_fill(absent[..., None], 0.0),
            pair=self.pair.masked_fill((absent[:, :, None] | absent[:, None])[:, None], 0.0),
        )


def gather_rows(table: Tensor, index: Tensor) -> Tensor:
    """Rows `[B, D, E]` of tables `[B, N, E]` at `index` `[B, D]`."""
    batch, nodes, width = table.shape
    if batch > 1:
        index = index + torch.arange(batch, device=index.device)[:, None] * nodes
    # Several times as fast as `gather` on CPUs: whole rows are copied.
    found = table.reshape(batch * nodes, width).index_select(0, index.reshape(-1))
    return found.view(*index.shape, width)
