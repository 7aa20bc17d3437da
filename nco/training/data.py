"""The data module: instances drawn from city tables, and validation against references.

Every batch follows from the seed, the epoch and its number alone. So a resumed run sees what an
uninterrupted one sees, and processes that train together, which take different numbers, see
different instances.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import lightning
import torch
from torch.utils.data import DataLoader

from nco.errors import PolicyError
from nco.training.batch import Drawn, Referenced
from nco.training.references import References
from nco.training.sampler import (
    PLAIN,
    Distribution,
    Pools,
    draw_atsp,
    draw_rcvrp,
    draw_rcvrptw,
)
from nco.training.seeds import seeded
from nco.training.sources import TableSize, find_sources, table_of

log = logging.getLogger("nco")

type Draw = Callable[[Pools, int, int, Distribution, torch.Generator], Any]

# Problem -> how its instances are drawn. A new problem is one line here.
DRAW: dict[str, Draw] = {"atsp": draw_atsp, "rcvrp": draw_rcvrp, "rcvrptw": draw_rcvrptw}


class CityData(lightning.LightningDataModule):
    """Batches of instances on real cities.

    Args:
        cities: to train on: built-in names, names of extracts in `folder`, or paths of extracts
            or tables.
        folder: of extracts.
        validation_cities: to validate on; none of them may be trained on.
        references: file of reference costs, see `nco train references`; None for no validation.
        problems: names of the environments; each batch is of one of them, in turn at random.
        stops: smallest and largest number of stops (nodes, in tours); each batch has one number.
        batch_size: instances of a batch of the largest size, of each process; of smaller ones
            there are as many more as they have fewer stops.
        batches_per_epoch: of all processes together.
        distribution: how training instances are drawn.
        table: how many points each city gives.
        validation_stops: sizes of validation instances.
        validation_instances: of each size.
        seed: of training instances.
    """

    def __init__(
        self,
        cities: list[str],
        folder: str | None = None,
        validation_cities: list[str] | None = None,
        references: str | None = None,
        problems: list[str] | None = None,
        stops: tuple[int, int] = (20, 50),
        batch_size: int = 64,
        batches_per_epoch: int = 200,
        distribution: Distribution = Distribution(),  # noqa: B008 (frozen)
        table: TableSize = TableSize(),  # noqa: B008 (frozen)
        validation_stops: tuple[int, ...] = (20, 50),
        validation_instances: int = 32,
        seed: int = 1234,
    ) -> None:
        super().__init__()
        validation_cities = validation_cities or []
        problems = ["rcvrp"] if problems is None else problems
        _check(cities, validation_cities, problems, stops)
        for name in ("batch_size", "batches_per_epoch", "validation_instances"):
            if locals()[name] < 1:
                raise PolicyError(f"{name} is {locals()[name]}; give 1 or more")
        self.sources = find_sources(cities, folder)
        self.validation_sources = find_sources(validation_cities, folder)
        self.references = References(references) if references else None
        self.problems = tuple(problems)
        self.stops, self.batch_size = stops, batch_size
        self.batches_per_epoch = batches_per_epoch
        self.distribution, self.table = distribution, table
        self.validation_stops = validation_stops
        self.validation_instances = validation_instances
        self.seed = seed
        self._pools: Pools | None = None
        self._validation: list[Referenced] = []

    def prepare_data(self) -> None:
        """Computes the tables that are not in the cache yet."""
        for source in (*self.sources, *self.validation_sources):
            table_of(source, self.table)

    def setup(self, stage: str) -> None:
        """Reads the tables."""
        if stage == "fit" and self._pools is None:
            self._pools = Pools.of([table_of(s, self.table) for s in self.sources])
        if self.references is None and stage == "validate":
            raise PolicyError(
                "there is nothing to validate on: set data.references to a file that "
                "`nco train references` wrote, and data.validation_cities"
            )
        if self.references is None or self._validation:
            return
        if stage == "fit" and not self.references.exist:
            log.warning(
                "%s does not exist: training without validation; run `nco train references` with "
                "the same config to have it",
                self.references.path,
            )
            return
        for problem in self.problems:
            for stops in self.validation_stops:
                cost = self.references.costs(self.validation_key(problem, stops))
                instance = self.validation_instance(problem, stops)
                self._validation.append(Referenced(problem, instance, cost, stops))

    def validation_key(self, problem: str, stops: int) -> str:
        """What reference costs are stored under: everything that the instances follow from."""
        cities = [source.path.name for source in self.validation_sources]
        parts = [problem, cities, asdict(self.table), stops, self.validation_instances]
        return repr(parts)

    def validation_instance(self, problem: str, stops: int) -> Any:
        """The validation instances of one problem and size, as one batch."""
        if not self.validation_sources:
            raise PolicyError("validation_cities is empty; name at least one city")
        pools = Pools.of([table_of(s, self.table) for s in self.validation_sources])
        generator = seeded("cpu", "validation", stops)
        return DRAW[problem](pools, self.validation_instances, stops, PLAIN, generator)

    def summary(self) -> dict[str, Any]:
        """What is drawn, for the card of the policy."""
        return {
            "problems": list(self.problems),
            "cities": [source.name for source in self.sources],
            "validation_cities": [source.name for source in self.validation_sources],
            "stops": list(self.stops),
            "batch_size": self.batch_size,
            "seed": self.seed,
        }

    def train_dataloader(self) -> DataLoader[int]:
        """Numbers of this process's batches; the batch itself is drawn on the device."""
        rank, world = self._process()
        share = self.batches_per_epoch // world * world
        return DataLoader(range(share)[rank::world], batch_size=None)  # type: ignore[arg-type]

    def val_dataloader(self) -> list[DataLoader[int]]:
        """Numbers of validation batches; every process takes all."""
        if not self._validation:
            return []
        return [DataLoader(range(len(self._validation)), batch_size=None)]  # type: ignore[arg-type]

    def transfer_batch_to_device(
        self,
        batch: Any,
        device: torch.device,
        dataloader_idx: int,  # noqa: ARG002 (Lightning's signature)
    ) -> Drawn | Referenced:
        """Draws the batch of a number."""
        number = int(batch)
        trainer = self.trainer
        assert trainer is not None  # noqa: S101 (Lightning sets it before it asks for batches)
        if not trainer.training:
            return self._validation[number]
        return self.drawn(trainer.current_epoch, number, device)

    def drawn(self, epoch: int, number: int, device: torch.device) -> Drawn:
        """The training batch of an epoch and a number."""
        assert self._pools is not None  # noqa: S101 (set in setup)
        if self._pools.xy_m.device != device:
            self._pools = self._pools.to(device)
        generator = seeded(device, self.seed, epoch, number)
        low, high = self.stops
        # Problems and sizes are drawn by the number's place in its group of processes' numbers,
        # so that processes that step together have about equal work.
        kind = seeded("cpu", "size", self.seed, epoch, number // self._process()[1])
        stops = int(torch.randint(low, high + 1, (), generator=kind))
        problem = self.problems[int(torch.randint(len(self.problems), (), generator=kind))]
        batch = self.batch_size * high // stops
        instance = DRAW[problem](self._pools, batch, stops, self.distribution, generator)
        return Drawn(problem, instance, generator)

    def _process(self) -> tuple[int, int]:
        """Number of this process and number of all."""
        trainer = self.trainer
        return (0, 1) if trainer is None else (trainer.global_rank, trainer.world_size)


def _check(
    cities: list[str], validation_cities: list[str], problems: list[str], stops: tuple[int, int]
) -> None:
    if not cities:
        raise PolicyError("cities is empty; name at least one city to train on")
    both = sorted(set(cities) & set(validation_cities))
    if both:
        raise PolicyError(
            f"validation_cities and cities share {', '.join(both)}; a policy must be validated on "
            "cities that it does not train on"
        )
    if not problems or any(problem not in DRAW for problem in problems):
        raise PolicyError(f"problems is {problems}; name one or more of {', '.join(sorted(DRAW))}")
    if not 2 <= stops[0] <= stops[1]:
        raise PolicyError(f"stops is {list(stops)}; give 2 <= smallest <= largest")
