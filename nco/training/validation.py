"""Validation: fixed instances of cities that nothing trains on, and the costs to compare with."""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

from nco.envs.convert import conversion
from nco.errors import FormatError, PolicyError
from nco.training.batch import Referenced
from nco.training.distribution import PLAIN
from nco.training.pools import Pools
from nco.training.references import References, reference_costs
from nco.training.sampler import DRAW
from nco.training.seeds import seeded
from nco.training.sources import Source, TableSize, table_of

if TYPE_CHECKING:
    from collections.abc import Iterator

log = logging.getLogger("nco")


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
        references = self._given()
        return [
            Referenced(
                problem,
                self.instance(problem, stops),
                references.costs(self.key(problem, stops), self.instances),
                stops,
            )
            for problem, stops in self.cells
        ]

    def compute_references(self, cpu_s: float) -> None:
        """Computes the reference costs of all instances with PyVRP, and stores them.

        Args:
            cpu_s: CPU seconds for each instance.

        Raises:
            FormatError: references are not set, or their file is damaged.
            PolicyError: there are no cities, or a table has too few points.
            StorageError: the file cannot be written.
        """
        references = self._given()
        for problem, stops in self.cells:
            problems = conversion(problem).problems(self.instance(problem, stops))
            log.info(
                "references of %d instances of %s with %d stops", len(problems), problem, stops
            )
            costs = reference_costs(problems, cpu_s)
            entry = {"method": "pyvrp", "cpu_s": cpu_s, "cost_m": costs}
            references.store(self.key(problem, stops), entry)

    def _given(self) -> References:
        if self.references is None:
            raise FormatError("data.references is not set; name the file of reference costs")
        return self.references
