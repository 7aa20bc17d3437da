"""Validation: fixed instances of cities that nothing trains on, and the costs to compare with."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

from nco.errors import FormatError, PolicyError
from nco.training.batch import Referenced
from nco.training.distribution import PLAIN
from nco.training.pools import Pools
from nco.training.sampler import DRAW
from nco.training.seeds import seeded
from nco.training.sources import Source, TableSize, table_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nco.training.references import References


@dataclass(frozen=True)
class Validation:
    """One batch for each problem and size.

    Attributes:
        sources: of the cities.
        table: how many points each city gives.
        problems: names of the environments.
        stops: sizes.
        instances: of each problem and size.
        references: where reference costs are; None for none.
    """

    sources: tuple[Source, ...]
    table: TableSize
    problems: tuple[str, ...]
    stops: tuple[int, ...]
    instances: int
    references: References | None

    @property
    def cells(self) -> Iterator[tuple[str, int]]:
        """Every problem and size."""
        return product(self.problems, self.stops)

    def key(self, problem: str, stops: int) -> str:
        """What reference costs are stored under: everything that the instances follow from."""
        cities = [source.path.name for source in self.sources]
        return repr([problem, cities, asdict(self.table), stops, self.instances])

    def instance(self, problem: str, stops: int) -> Any:
        """The instances of one problem and size.

        Raises:
            PolicyError: there are no cities, or a table has too few points.
        """
        if not self.sources:
            raise PolicyError("validation_cities is empty; name at least one city")
        pools = Pools.of([table_of(source, self.table) for source in self.sources])
        return DRAW[problem](
            pools, self.instances, stops, PLAIN, seeded("cpu", "validation", stops)
        )

    def batches(self) -> list[Referenced]:
        """All instances with their references.

        Raises:
            FormatError: references are not set, damaged, or lack instances.
            PolicyError: there are no cities, or a table has too few points.
        """
        if self.references is None:
            raise FormatError("data.references is not set; name the file of reference costs")
        return [
            Referenced(
                problem,
                self.instance(problem, stops),
                self.references.costs(self.key(problem, stops)),
                stops,
            )
            for problem, stops in self.cells
        ]
