"""What all ties have in common."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from nco import _validate as validate
from nco.arguments import several
from nco.errors import ProblemError, quoted
from nco.problem.objective import Feature
from nco.problem.route import Route

if TYPE_CHECKING:
    from collections.abc import Sequence


class Place(NamedTuple):
    """Where a stop is served.

    Attributes:
        vehicle: number of the vehicle.
        route: number of the route.
        turn: how many stops the vehicle serves before it, on all its trips.
    """

    vehicle: int
    route: int
    turn: int


def places_of(routes: Iterable[Route]) -> dict[int, Place]:
    """Where each stop is served."""
    turns: dict[int, int] = {}
    found: dict[int, Place] = {}
    for r, route in enumerate(routes):
        for stop in route.stops:
            turn = turns.get(route.vehicle, 0)
            found[stop] = Place(route.vehicle, r, turn)
            turns[route.vehicle] = turn + 1
    return found


@dataclass(frozen=True, kw_only=True)
class Tie:
    """Stops that have to do with one another.

    Attributes:
        stops: two nodes or more.
        kind: in a word or two.
        feature: by which solvers know it.
        whole: whether all of the stops are served or none is.
    """

    stops: tuple[int, ...]
    kind: ClassVar[str]
    feature: ClassVar[Feature]
    whole: ClassVar[bool] = False

    def __post_init__(self) -> None:
        what = f"{self.kind}: stops"
        given = several(self.stops, what, "two stops or more", ProblemError)
        stops = tuple(validate.whole(j, f"{what}[{k}]") for k, j in enumerate(given))
        if len(stops) < 2 or len(set(stops)) < len(stops):
            raise ProblemError(f"{what} is {quoted(given)}; give two or more different stops")
        object.__setattr__(self, "stops", stops)

    def broken(
        self, places: Mapping[int, Place], names: Sequence[str]
    ) -> Iterator[tuple[int, str]]:
        """Stops that are not served as they are to be, and what is wrong with each.

        Args:
            places: of the stops that are served.
            names: of all nodes.
        """
        raise NotImplementedError
