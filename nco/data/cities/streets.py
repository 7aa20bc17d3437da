"""What samplers and readers ask of a city: the least that `City` and `TableCity` share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from numpy.typing import ArrayLike, NDArray

from nco.arrays import Floats


class Table(Protocol):
    """Directed `[n, n]` matrices between points; `inf` marks an unreachable pair."""

    @property
    def distance_m(self) -> Floats:
        """Metres from row to column."""
        ...

    @property
    def duration_s(self) -> Floats:
        """Seconds from row to column."""
        ...


class Streets(Protocol):
    """A place with streets: points can be drawn on them and distances measured along them."""

    @property
    def name(self) -> str:
        """Name of the place."""
        ...

    def sample(self, n: int, seed: int, how: Any = "road") -> NDArray[Any]:
        """Draw `[n, 2]` points (longitude, latitude) that all reach one another."""
        ...

    def matrix(self, points: ArrayLike, *, names: Sequence[str] | None = None) -> Table:
        """Distances and durations between `[n, 2]` points, which messages call by `names`.

        Raises:
            CityError: a point is not in this place; the message names its index.
        """
        ...
