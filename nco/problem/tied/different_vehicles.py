"""Stops of which a vehicle serves one at most."""

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
class DifferentVehicles(Tie):
    """Stops of which no vehicle serves two.

    Attributes:
        stops: two nodes or more.
    """

    kind: ClassVar[str] = "different vehicles"
    feature: ClassVar[Feature] = Feature.DIFFERENT_VEHICLES

    def broken(
        self, places: Mapping[int, Place], names: Sequence[str]
    ) -> Iterator[tuple[int, str]]:
        """See `Tie`."""
        first: dict[int, int] = {}
        for j in self.stops:
            if j not in places:
                continue
            other = first.setdefault(places[j].vehicle, j)
            if other != j:
                yield (
                    j,
                    f"{quoted(names[other])} and {quoted(names[j])} are for different vehicles, "
                    f"but are both served by {places[j].vehicle}",
                )
