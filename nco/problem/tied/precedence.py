"""Stops that one vehicle serves in a given order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

from nco.arguments import named_fields
from nco.errors import quoted
from nco.problem.objective import Feature
from nco.problem.tied.tie import Place, Tie


@named_fields
@dataclass(frozen=True, kw_only=True)
class Precedence(Tie):
    """Stops that one vehicle serves in this order, as far as they are served.

    Others may come between them, and so may the depot.

    Attributes:
        stops: two nodes or more, the first one first.
    """

    kind: ClassVar[str] = "precedence"
    feature: ClassVar[Feature] = Feature.PRECEDENCE

    def broken(
        self, places: Mapping[int, Place], names: Sequence[str]
    ) -> Iterator[tuple[int, str]]:
        """See `Tie`."""
        served = [j for j in self.stops if j in places]
        for i, j in pairwise(served):
            if places[i].vehicle != places[j].vehicle:
                yield (
                    j,
                    f"{quoted(names[i])} and {quoted(names[j])} are for one vehicle, but are "
                    f"served by {places[i].vehicle} and {places[j].vehicle}",
                )
            elif places[i].turn > places[j].turn:
                yield j, f"{quoted(names[j])} is served before {quoted(names[i])}"
