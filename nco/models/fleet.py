"""Decisions for several vehicles: each has its own pointer, and one choice is made of all.

Each vehicle sees the nodes in its own way and scores where it could go. Scores of all vehicles are
compared: a decision is drawn from one softmax over vehicles and nodes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from nco.models.pointer import Decisions, Encoded

if TYPE_CHECKING:
    from nco.observation import Observation


class Exchange(nn.Module):
    """Attention of each vehicle to all others, by which it learns where they stand.

    Formula: `x + W softmax(q k^T / sqrt(d)) v` of normalised `x`, without the vehicle's own key:
    one that is alone hears nothing. `W` begins as zero, so that a network that knew one vehicle at
    a time stays what it was until it learns better.

    Args:
        width: of what vehicles hold.
        inner: width of queries, keys and values together.
        heads: of the attention.

    Shapes: `[..., M, E]`, and `[..., M]` which vehicles are there; no result depends on the others.
    """

    def __init__(self, width: int, inner: int, heads: int) -> None:
        super().__init__()
        self.heads, self._each = heads, inner // heads
        self.norm = nn.RMSNorm(width)
        self.project = nn.Linear(width, 3 * inner, bias=False)
        self.combine = nn.Linear(inner, width, bias=False)
        nn.init.zeros_(self.combine.weight)

    def forward(self, held: Tensor, there: Tensor | None) -> Tensor:
        """What vehicles hold after they have told one another."""
        *outer, count, _ = held.shape
        projected = self.project(self.norm(held)).view(-1, count, 3, self.heads, self._each)
        query, key, value = projected.permute(2, 0, 3, 1, 4)
        score = query @ key.transpose(-2, -1) / math.sqrt(self._each)
        heard = ~torch.eye(count, dtype=torch.bool, device=held.device)[None]
        if there is not None:
            heard = heard & there.reshape(-1, 1, count)
        share = torch.softmax(score.masked_fill(~heard[:, None], -1e30), -1)
        share = share * heard.any(-1)[:, None, :, None]
        found = (share @ value).transpose(1, 2).reshape(*outer, count, -1)
        told: Tensor = held + self.combine(found)
        return told


@dataclass(frozen=True)
class FleetEncoded(Encoded):
    """Encoded instances of `M` vehicles each; tables have the views of all vehicles, `V M` in all.

    Decisions have roles and contexts of all vehicles side by side, `[V, D, M R]` and
    `[V, D, M C]`, and allow pairs of a vehicle and a node, `[V, D, M N]`.

    Attributes:
        vehicles: `M`.
        there: `[V, M]` which vehicles are there, the others fill up a batch.
        exchange: by which vehicles tell one another where they stand; None where they do not.
    """

    vehicles: int = 1
    there: Tensor | None = None
    exchange: Exchange | None = None

    @classmethod
    def from_each(
        cls, encoded: Encoded, observation: Observation, exchange: Exchange | None = None
    ) -> FleetEncoded:
        """Joins what every vehicle's view was encoded to, which is in the order of observations."""
        fleet, batch = observation.vehicles, len(observation.pair)
        turns = len(encoded.query) // batch

        def by_view(x: Tensor) -> Tensor:
            if turns == 1:
                return x
            split = x.view(batch // fleet, fleet, turns, *x.shape[1:]).transpose(1, 2)
            return split.flatten(0, 2).contiguous()

        there = None
        if observation.present is not None:
            there = observation.present[:, 1:].any(1).view(-1, fleet)
            there = None if there.all() else there.repeat_interleave(turns, 0)
        tables = {f.name: getattr(encoded, f.name) for f in fields(Encoded)}
        for name in ("query", "key", "value", "target"):
            tables[name] = by_view(tables[name])
        return cls(**tables, vehicles=fleet, there=there, exchange=exchange)

    @property
    def count(self) -> int:
        """How many views of instances there are."""
        return len(self.query) // self.vehicles

    @property
    def compiles(self) -> bool:
        """Never: the compiled loops decide for one vehicle."""
        return False

    def part(self, instances: Tensor | slice) -> FleetEncoded:
        """Some of the instances, where there is one view of each."""
        names = ("query", "key", "value", "target", "pair")
        chosen: dict[str, Any] = {
            name: self._each(getattr(self, name))[instances].flatten(0, 1) for name in names
        }
        there = None if self.there is None else self.there[instances]
        return replace(self, **chosen, there=there)

    def logits(self, decisions: Decisions) -> Tensor:
        """`[V, D, M N]` unnormalised log-probabilities, minus infinity where nothing is allowed."""
        score = self.each(decisions).flatten(2)
        return score.masked_fill(~decisions.allowed, -torch.inf)

    def each(self, decisions: Decisions) -> Tensor:
        """`[V, D, M, N]` scores of all vehicles, also of where they may not go."""
        roles, context, allowed = (
            x.view(*x.shape[:2], self.vehicles, -1).transpose(1, 2).flatten(0, 1)
            for x in (decisions.roles, decisions.context, decisions.allowed)
        )
        # A vehicle that can go nowhere looks at the depot.
        glimpse = allowed.clone()
        glimpse[..., 0] |= ~allowed.any(-1)
        score = self.scores(Decisions(roles, context, glimpse))
        return self._each(score).transpose(1, 2)

    def told(self, query: Tensor) -> Tensor:
        """Queries `[V M, D, E]` after vehicles have told one another where they stand."""
        if self.exchange is None:
            return query
        each = self._each(query).transpose(1, 2)  # [V, D, M, E]
        there = self.there
        if there is not None:
            there = there[:, None].expand(each.shape[:-1])
        told: Tensor = self.exchange(each, there)
        return told.transpose(1, 2).flatten(0, 1)

    def pairs(self) -> Tensor:
        """`[V M, N, N]` the scores of going from row to column."""
        turns = len(self.query) // len(self.pair)
        if turns == 1:
            return self.pair
        each = self._each(self.pair)[:, None]
        return each.expand(-1, turns, -1, -1, -1).flatten(0, 2)

    def _each(self, table: Tensor) -> Tensor:
        """`[V M, ...]` as `[V, M, ...]`."""
        return table.view(-1, self.vehicles, *table.shape[1:])
