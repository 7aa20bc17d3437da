"""Stops for one vehicle."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from nco.arguments import named_fields
from nco.errors import quoted
from nco.problem.objective import Feature
from nco.problem.tied.tie import Place, Tie


@named_fields
@dataclass(frozen=True, kw_only=True)
class SameVehicle(Tie):
    """Stops that one vehicle serves, on whichever of its trips, as far as they are served.

    Attributes:
        stops: two nodes or more.
    """

    kind: ClassVar[str] = "same vehicle"
    feature: ClassVar[Feature] = Feature.SAME_VEHICLE

    def broken(
        self, places: Mapping[int, Place], names: Sequence[str]
    ) -> Iterator[tuple[int, str]]:
        """See `Tie`."""
        served = [j for j in self.stops if j in places]
        for j in served[1:]:
            first = served[0]
            if places[j].vehicle != places[first].vehicle:
                yield (
                    j,
                    f"{quoted(names[first])} and {quoted(names[j])} are for one vehicle, but are "
                    f"served by {places[first].vehicle} and {places[j].vehicle}",
                )
