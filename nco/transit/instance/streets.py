"""What stops and links are made from: the least that `City` and `TableCity` share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from numpy.typing import ArrayLike

from nco.arrays import Bools, Floats
from nco.data.cities.streets import Table


class SampledCity(Protocol):
    """A city whose streets can be drawn from and measured."""

    @property
    def name(self) -> str:
        """Name of the place."""
        ...

    def covers(self, points: ArrayLike) -> Bools:
        """`[n]` which of the points `[n, 2]` lie in the city."""
        ...

    def sample(
        self,
        n: int,
        seed: int,
        how: str = "road",
        *,
        within_km: float | None = None,
        centre: ArrayLike | None = None,
    ) -> Floats:
        """Draw `[n, 2]` points that all reach one another."""
        ...

    def matrix(
        self,
        points: ArrayLike,
        *,
        names: Sequence[str] | None = None,
        optional: ArrayLike | None = None,
    ) -> Table:
        """Distances and durations between `[n, 2]` points, which messages call by `names`.

        Points that are `optional` `[n]` may be off all streets: nothing leads to them then.
        """
        ...
