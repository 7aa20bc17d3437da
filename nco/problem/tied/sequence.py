"""A fixed part of a route."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from collections.abc import Sequence as Row
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

from nco.arguments import named_fields
from nco.errors import quoted
from nco.problem.objective import Feature
from nco.problem.tied.tie import Place, Tie


@named_fields
@dataclass(frozen=True, kw_only=True)
class Sequence(Tie):
    """Stops that follow directly after one another on one trip; all are served or none is.

    Attributes:
        stops: two nodes or more, the first one first.
    """

    kind: ClassVar[str] = "sequence"
    feature: ClassVar[Feature] = Feature.SEQUENCES
    whole: ClassVar[bool] = True

    def broken(self, places: Mapping[int, Place], names: Row[str]) -> Iterator[tuple[int, str]]:
        """See `Tie`."""
        for i, j in pairwise(self.stops):
            a, b = places.get(i), places.get(j)
            if a is None and b is None:
                continue
            if a is None or b is None or b != (a.vehicle, a.route, a.turn + 1):
                yield (
                    j if a is None else i,
                    f"{quoted(names[j])} does not come directly after {quoted(names[i])}",
                )
