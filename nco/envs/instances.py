"""Batches of instances: what all problems have, and how several sizes become one batch.

Where instances differ in size, their nodes come first and zeros fill up the rest. `size` says
how many nodes are real; the others are never seen, never visited and cost nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, ClassVar

import torch
import torch.nn.functional as F  # noqa: N812

from nco.errors import PolicyError, listed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Tensor


@dataclass(frozen=True)
class Instances:
    """A batch of `B` instances of up to `N` nodes, shared by all their rollouts.

    Attributes:
        cost: `[B, N, N]` cost from row to column, zero diagonal.
        xy: `[B, N, 2]` map frame coordinates, see `nco.envs.observe.map_frame`.
        size: `[B]` int64 number of real nodes; None where all are.
        per_pair: names of the fields that are matrices.
    """

    cost: Tensor
    xy: Tensor
    size: Tensor | None = field(default=None, kw_only=True)
    per_pair: ClassVar[tuple[str, ...]] = ("cost",)

    @property
    def nodes(self) -> int:
        """How many nodes the largest has."""
        return self.xy.shape[1]

    @property
    def counts(self) -> Tensor:
        """`[B]` how many nodes each has."""
        if self.size is not None:
            return self.size
        return torch.full((len(self.cost),), self.nodes, device=self.cost.device)

    @property
    def present(self) -> Tensor | None:
        """`[B, N]` which nodes are real; None where all are."""
        if self.size is None:
            return None
        return torch.arange(self.nodes, device=self.size.device) < self.size[:, None]


def tensors(instance: Instances) -> dict[str, Tensor]:
    """The fields that are there, by name."""
    values = {f.name: getattr(instance, f.name) for f in fields(instance)}
    return {name: value for name, value in values.items() if value is not None}


def each[I: Instances](instance: I, change: Callable[[str, Tensor], Tensor]) -> I:
    """Instances with every tensor replaced by `change(name, tensor)`."""
    changed: dict[str, Any] = {
        name: change(name, value) for name, value in tensors(instance).items()
    }
    return replace(instance, **changed)


def transposed[I: Instances](instance: I) -> I:
    """Instances with every matrix the other way."""
    return each(instance, lambda name, x: x.transpose(-2, -1) if name in instance.per_pair else x)


def pad[I: Instances](instances: Sequence[I]) -> I:
    """One batch of batches of one problem, filled up to the largest size.

    Raises:
        PolicyError: there are none, or they are of several problems.
    """
    kinds = {type(instance) for instance in instances}
    if len(kinds) != 1:
        names = listed(sorted(kind.__name__ for kind in kinds)) if kinds else "none"
        raise PolicyError(f"instances are {names}; give one or more of one problem")
    first = instances[0]
    nodes = max(instance.nodes for instance in instances)
    alike = all(i.size is None and i.nodes == nodes for i in instances)
    named = set(tensors(first)) - {"size"}
    shapes = {name: [getattr(i, name).shape[1:] for i in instances] for name in named}

    def joined(name: str, _: Tensor) -> Tensor:
        # All axes but that of instances are of nodes, of vehicles, or as long in all.
        largest = [max(lengths) for lengths in zip(*shapes[name], strict=True)]
        parts: list[Tensor] = []
        for instance in instances:
            value: Tensor = getattr(instance, name)
            lacking = [most - own for most, own in zip(largest, value.shape[1:], strict=True)]
            parts.append(F.pad(value, [k for less in reversed(lacking) for k in (0, less)]))
        return torch.cat(parts)

    whole = each(replace(first, size=None), joined)
    return whole if alike else replace(whole, size=torch.cat([i.counts for i in instances]))


def unavailable(instance: Instances, rollouts: int) -> Tensor:
    """`[B, S, N]` nodes that count as visited before the first action: those not there."""
    present = instance.present
    shape = (len(instance.cost), rollouts, instance.nodes)
    if present is None:
        return torch.zeros(shape, dtype=torch.bool, device=instance.cost.device)
    return (~present)[:, None].expand(shape)
