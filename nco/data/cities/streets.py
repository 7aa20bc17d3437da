"""What samplers and readers ask of a city: the least that `City` and `TableCity` share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from numpy.typing import ArrayLike, NDArray

from nco.arguments import of_kind
from nco.arrays import Floats
from nco.errors import InputError, quoted


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

    @property
    def moved_m(self) -> Floats | None:
        """`[n]` metres from each point to the place on a street that stands for it, if known."""
        ...

    @property
    def refused(self) -> Mapping[int, str]:
        """Why points that were optional have no such place, by index."""
        ...


@runtime_checkable
class Streets(Protocol):
    """A place with streets: points can be drawn on them and distances measured along them."""

    @property
    def name(self) -> str:
        """Name of the place."""
        ...

    def sample(self, n: int, seed: int, how: Any = "road") -> NDArray[Any]:
        """Draw `[n, 2]` points (longitude, latitude) that all reach one another."""
        ...

    def matrix(
        self,
        points: ArrayLike,
        *,
        names: Sequence[str] | None = None,
        optional: ArrayLike | None = None,
    ) -> Table:
        """Distances and durations between `[n, 2]` points, which messages call by `names`.

        Args:
            points: lonlat.
            names: of the points.
            optional: `[n]`, which of them may be refused without an error; None for none.

        Raises:
            CityError: a point that is not optional is not in this place; the message names it.
        """
        ...


def given_city[T](city: object, kind: type[T]) -> T:
    """An argument that is a city, and not the name of one.

    Args:
        city: of the argument.
        kind: what is asked of it: a protocol that can be checked.

    Raises:
        InputError: it is something else.
    """
    if isinstance(city, str):
        raise InputError(
            f"city is {quoted(city)}; give the city itself, such as nco.city({quoted(city)})"
        )
    return of_kind(city, kind, "city", "a city, such as nco.city('helsinki')")
