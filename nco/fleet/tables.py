"""Costs of arcs, made when they are first asked for: of hundreds of vehicles that all differ.

Whoever looks at few arcs asks for rows, columns or single ones, which takes no time to speak of.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any, Protocol

import numpy as np

from nco.arrays import Bools, Floats, Ints
from nco.problem import Profile


class Table(Protocol):
    """What vehicles share that drive the same arcs at the same rates."""

    @property
    def whole(self) -> bool:
        """Whether every arc exists."""

    @property
    def cost(self) -> Floats:
        """`[N, N]` cost of an arc by distance, less the preference for the stop that it leads to.

        So it may be negative; `inf` where there is no street, where the stop is not allowed, and
        everywhere if the vehicle cannot leave its depot while that is open.
        """

    @property
    def driving_cost(self) -> Floats:
        """`[N, N]` the same with the cost of driving time."""

    def leaving(self, node: int) -> Floats:
        """`[N]` driving costs from a node."""

    def into(self, node: int) -> Floats:
        """`[N]` driving costs to a node."""

    def arcs(self, before: Ints, behind: Ints) -> Floats:
        """Driving costs of single arcs."""


class Given:
    """A table that is there as a whole.

    Args:
        cost: see `Table`.
        driving_cost: see `Table`.
    """

    def __init__(self, cost: Floats, driving_cost: Floats) -> None:
        self.cost, self.driving_cost = cost, driving_cost

    @property
    def whole(self) -> bool:
        """See `Table`."""
        return bool(np.isfinite(self.driving_cost).all())

    def leaving(self, node: int) -> Floats:
        """See `Table`."""
        row: Floats = self.driving_cost[node]
        return row

    def into(self, node: int) -> Floats:
        """See `Table`."""
        column: Floats = self.driving_cost[:, node]
        return column

    def arcs(self, before: Ints, behind: Ints) -> Floats:
        """See `Table`."""
        return self.driving_cost[before, behind]


class Priced:
    """A table by rates.

    Args:
        profile: metres and seconds.
        rate: cost of a metre.
        rate_s: cost of a second.
        gain: `[N]` gain of entering a node, if there is any.
        barred: `[N]` nodes that must not be driven to.
        whole: whether every arc exists.
    """

    def __init__(
        self,
        profile: Profile,
        rate: float,
        rate_s: float,
        gain: Floats | None,
        barred: Bools,
        *,
        whole: bool,
    ) -> None:
        self._profile, self._rate, self._rate_s = profile, rate, rate_s
        self._gain, self._barred, self.whole = gain, barred, whole

    @cached_property
    def cost(self) -> Floats:
        """See `Table`."""
        found = self._by_metres(np.s_[:, :], np.s_[:])
        np.fill_diagonal(found, 0.0)
        return found

    @cached_property
    def driving_cost(self) -> Floats:
        """See `Table`."""
        if not self._rate_s:
            return self.cost
        return self.cost + self._rate_s * self._profile.duration_s

    def leaving(self, node: int) -> Floats:
        """See `Table`."""
        if "driving_cost" in vars(self):
            row: Floats = self.driving_cost[node]
            return row
        found = self._priced(np.s_[node, :], np.s_[:])
        found[node] = 0.0
        return found

    def into(self, node: int) -> Floats:
        """See `Table`."""
        if "driving_cost" in vars(self):
            column: Floats = self.driving_cost[:, node]
            return column
        found = self._priced(np.s_[:, node], np.s_[node])
        found[node] = 0.0
        return found

    def arcs(self, before: Ints, behind: Ints) -> Floats:
        """See `Table`."""
        return np.where(before == behind, 0.0, self._priced((before, behind), behind))

    def _priced(self, arcs: Any, into: Any) -> Floats:
        found = self._by_metres(arcs, into)
        if self._rate_s:
            found += self._rate_s * self._profile.duration_s[arcs]
        return found

    def _by_metres(self, arcs: Any, into: Any) -> Floats:
        """Costs of an index of arcs, and of the nodes that they lead to."""
        metres = self._profile.distance_m[arcs]
        found = metres * self._rate if self._rate else np.where(np.isinf(metres), np.inf, 0.0)
        if self._gain is not None:
            found -= self._gain[into]
        if self._barred.any():
            found = np.where(self._barred[into], np.inf, found)
        return np.asarray(found)
